# gdrive.ilk in Rego; `data` as in ../peers/documents.py.
package app

import rego.v1

default allow := false

principal := data.entities[input.principal]

# View access, direct or through a folder.
allow if {
	input.action == "read"
	data.above[input.resource][principal.documentsAndFoldersWithViewAccess]
}

allow if {
	input.action == "read"
	data.entities[input.resource].isPublic
}

# Owners of the document, or of a folder above it.
allow if {
	input.action in {"read", "write", "share"}
	input.resource in principal.ownedDocuments
}

allow if {
	input.action in {"read", "write", "share"}
	some folder in principal.ownedFolders
	data.above[input.resource][folder]
}

allow if {
	input.action == "changeOwner"
	input.resource in principal.ownedDocuments
}

allow if {
	input.action == "createDocument"
	input.resource in principal.ownedFolders
}
