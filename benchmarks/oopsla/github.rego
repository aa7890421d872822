# github.ilk in Rego; `data` as in ../peers/documents.py.
package app

import rego.v1

default allow := false

roles := data.above[input.principal]

repository := data.entities[input.resource]

owner := data.entities[repository.owner]

allow if {
	input.action == "read"
	roles[repository.readers]
}

allow if {
	input.action in {"read", "triage"}
	roles[repository.triagers]
}

allow if {
	input.action in {"read", "triage", "write"}
	roles[repository.writers]
}

allow if {
	input.action in {"read", "triage", "write", "maintain"}
	roles[repository.maintainers]
}

allow if {
	input.action in {"read", "triage", "write", "maintain", "admin"}
	roles[repository.admins]
}

allow if {
	input.action == "read"
	roles[owner.readers]
}

allow if {
	input.action in {"read", "triage", "write"}
	roles[owner.writers]
}

allow if {
	input.action in {"read", "triage", "write", "maintain", "admin"}
	roles[owner.admins]
}
