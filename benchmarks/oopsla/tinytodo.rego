# tinytodo.ilk in Rego; `data` as in ../peers/documents.py.
package app

import rego.v1

default allow := false

teams := data.above[input.principal]

list := data.entities[input.resource]

allow if {
	input.action in {"CreateList", "GetLists"}
	input.resource == "Application::TinyTodo"
}

allow if list.owner == input.principal

allow if {
	input.action == "GetList"
	teams[list.readers]
}

allow if {
	input.action == "GetList"
	teams[list.editors]
}

allow if {
	input.action in {"UpdateList", "CreateTask", "UpdateTask", "DeleteTask"}
	teams[list.editors]
}
