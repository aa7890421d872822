# destructive.ilk in Rego; `data` as in ../peers/documents.py. A hold is a denial here. What is absent is undefined,
# and an undefined guard is skipped: each rule on an optional field says by hand what absence means.
package app

import rego.v1

default allow := false

allow if {
	permitted
	not denied
}

destroy := {"drop", "truncate", "delete_rows", "purge", "erase", "delete_backup"}

subject := data.entities[input.principal]

teams := data.above[input.principal]

asset := data.entities[input.resource]

places := data.above[input.resource]

environment := data.entities[asset.environment]

change := input.context.change

is_human if startswith(input.principal, "Human::")

is_agent if startswith(input.principal, "Agent::")

# Who may

permitted if {
	input.action == "read"
	asset.classification in {"public", "internal"}
}

permitted if {
	is_human
	teams[asset.owner]
}

permitted if {
	is_human
	input.action in {"drop", "truncate", "delete_rows"}
	teams["Team::dba"]
}

permitted if {
	input.action == "delete_rows"
	is_agent
	data.above[subject.owner][asset.owner]
	change.selector in {"none", "narrow"}
}

permitted if {
	is_agent
	places["Environment::scratch"]
}

permitted if {
	input.action == "delete_backup"
	is_agent
	teams["Team::janitors"]
	asset.age_days > 90
}

permitted if {
	is_human
	subject.on_call
	startswith(change.ticket, "INC-")
}

# What nobody may

denied if {
	input.action in destroy
	places["Environment::production"]
	change.selector in {"all", "unknown"}
}

denied if {
	input.action in destroy
	environment.frozen
}

denied if {
	input.action in destroy
	asset.classification in {"internal", "secret"}
	object.get(asset, "legal_hold", true)
}

denied if {
	input.action in destroy
	asset.protected
	not teams["Team::root"]
}

denied if {
	input.action in {"drop", "erase", "purge"}
	is_agent
	environment.production
}

denied if {
	input.action == "delete_backup"
	asset.copies < 2
}

denied if {
	input.action == "delete_rows"
	places["Environment::production"]
	not has_rows
}

has_rows if change.rows >= 0

denied if {
	input.action == "delete_rows"
	is_agent
	object.get(change, "rows", 1000000) > 1000
}

denied if {
	input.action in {"drop", "truncate"}
	places["Environment::production"]
	object.get(change, "backup_age_hours", 1000000) > 24
}

denied if {
	input.action in destroy
	is_agent
	object.get(subject, "sandboxed", true)
	not startswith(asset.name, "tmp_")
}

denied if {
	input.action == "erase"
	asset.attached
}

# What waits

denied if {
	input.action in destroy
	change.selector in {"wide", "all", "unknown"}
	not change.dry_run
}

denied if {
	input.action in destroy
	environment.production
	not has_ticket
}

has_ticket if is_string(change.ticket)

denied if {
	input.action in {"drop", "erase", "purge"}
	environment.production
	count({approval.by | some approval in change.approvals; approval.plan == change.plan}) < 2
}

denied if {
	input.action in {"truncate", "delete_backup"}
	environment.production
	not approved_by_owner
}

approved_by_owner if {
	some approval in change.approvals
	approval.plan == change.plan
	data.above[approval.by][asset.owner]
}
