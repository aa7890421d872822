"""Terraform plans: every entry is one change, its effect follows from its values, and bad input is a problem."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.plans.model import Change, Plan, Reading, Risk
from interlock.plans.sources import MAX_ARTIFACT_BYTES, Options
from interlock.plans.sources.terraform.charts import chart_settings
from interlock.plans.sources.terraform.entries import ACTIONS
from interlock.plans.sources.terraform.source import read

AWS = "registry.terraform.io/hashicorp/aws"


def reading(text: str) -> Reading:
    return read("plan.json", text, Options())


def document(*entries: object, **more: object) -> dict[str, Any]:
    return {"format_version": "1.2", "resource_changes": list(entries), **more}


def entry(
    resource_type: str,
    actions: list[str],
    before: object = None,
    after: object = None,
    unknown: object = None,
    **more: object,
) -> dict[str, Any]:
    change = {"actions": actions, "before": before, "after": after, "after_unknown": unknown or {}}
    return {
        "address": f"{resource_type}.main",
        "mode": "managed",
        "type": resource_type,
        "name": "main",
        "change": {**change, **more.pop("change", {})},  # type: ignore[dict-item]
        **more,
    }


def only(*arguments: Any, **more: Any) -> Change:
    """The change that a plan with this one entry has."""
    found = reading(json.dumps(document(entry(*arguments, **more))))
    assert not found.problems
    (change,) = found.changes
    return change


def effect(*arguments: Any, **more: Any) -> str:
    change = only(*arguments, **more)
    return f"{change.effect} {change.selector} {change.reversibility}"


def update(resource_type: str, before: object, after: object, unknown: object = None) -> str:
    return str(only(resource_type, ["update"], before, after, unknown).effect)


def problem(text: str) -> str:
    """The one problem of a text that has no changes, with its place."""
    found = reading(text)
    (only_problem,) = found.problems
    assert found.changes == ()
    return f"{only_problem.line}:{only_problem.column} {only_problem.message}"


# Actions.


@pytest.mark.parametrize(("actions", "name"), [(list(key), name) for key, name in ACTIONS.items()])
def test_each_list_of_actions_has_its_name(actions: list[str], name: str) -> None:
    assert only("aws_subnet", actions, {}, {}).action == name


@pytest.mark.parametrize(
    "actions",
    [["create", "update"], ["delete", "delete"], ["forget", "create"], ["open"], [1], [], 7],
)
def test_other_actions_are_unread(actions: Any) -> None:
    change = only("aws_subnet", actions)
    assert (change.action, change.effect) == ("terraform.unread", "unknown")
    assert (change.resource.type, change.resource.id) == ("Unread", "aws_subnet.main")
    assert change.opaque


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        7,
        [],
        {},
        {"address": "a.b"},
        {"address": "a.b", "type": "a"},
        {"address": "a.b", "type": "a", "change": {}},
        {"address": "a.b", "type": "a", "change": {"actions": ["delete"], "before": "text"}},
        {"address": 7, "type": "a", "change": {"actions": ["no-op"]}},
        {"address": "a.b", "type": "a", "mode": "other", "change": {"actions": ["no-op"]}},
    ],
)
def test_a_malformed_entry_is_one_unread_change(malformed: object) -> None:
    found = reading(json.dumps(document(malformed, entry("aws_subnet", ["no-op"]))))
    assert [change.action for change in found.changes] == ["terraform.unread", "terraform.no_op"]
    assert found.changes[0].selector == "unknown"


def test_data_and_no_op_entries_are_changes_that_read() -> None:
    assert effect("aws_ami", ["read"], mode="data") == "read none reversible"
    assert effect("aws_db_instance", ["no-op"], {}, {}) == "read none reversible"


def test_a_data_source_that_runs_a_program_executes() -> None:
    change = only("external", ["read"], mode="data")
    assert change.effect == "execute"
    assert change.opaque


# Deletions.


def test_deleting_what_holds_data_loses_it() -> None:
    assert effect("aws_db_instance", ["delete"], {}) == "delete_data all irreversible"


@pytest.mark.parametrize("actions", [["delete", "create"], ["create", "delete"]])
def test_replacing_what_holds_data_loses_it(actions: list[str]) -> None:
    assert effect("aws_db_instance", actions, {}, {}) == "delete_data all irreversible"


def test_a_final_snapshot_leaves_a_way_back() -> None:
    kept = {"skip_final_snapshot": False, "final_snapshot_identifier": "last"}
    assert effect("aws_db_instance", ["delete"], kept) == "delete_data all recoverable"
    lost = {"skip_final_snapshot": True}
    assert effect("aws_db_instance", ["delete"], lost) == "delete_data all irreversible"


def test_a_final_snapshot_that_is_not_known_leaves_none() -> None:
    hidden = {"before_sensitive": {"skip_final_snapshot": True}}
    kept = {"skip_final_snapshot": False}
    assert effect("aws_db_instance", ["delete"], kept, change=hidden).endswith("irreversible")


@pytest.mark.parametrize(
    ("resource_type", "expected"),
    [
        ("aws_ebs_snapshot", "delete_recovery"),
        ("aws_backup_vault", "delete_recovery"),
        ("google_compute_snapshot", "delete_recovery"),
        ("azurerm_recovery_services_vault", "delete_recovery"),
        ("aws_cloudtrail", "delete_audit"),
        ("aws_cloudwatch_log_group", "delete_audit"),
        ("aws_flow_log", "delete_audit"),
        ("google_project_iam_audit_config", "delete_audit"),
        ("azurerm_monitor_diagnostic_setting", "delete_audit"),
        ("aws_backup_plan", "disarm"),
        ("aws_s3_bucket_versioning", "disarm"),
        ("azurerm_management_lock", "disarm"),
        ("google_resource_manager_lien", "disarm"),
        ("google_storage_bucket", "delete_data"),
        ("azurerm_resource_group", "delete_data"),
        ("kubernetes_namespace_v1", "delete_data"),
        ("aws_iam_role", "update"),
        ("aws_security_group", "update"),
        ("null_resource", "update"),
    ],
)
def test_a_deletion_loses_what_the_type_holds(resource_type: str, expected: str) -> None:
    assert only(resource_type, ["delete"], {}).effect == expected


@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["forget"]])
def test_losing_what_nobody_knows_is_unknown(actions: list[str]) -> None:
    change = only("acme_thing", actions, {}, {})
    assert (change.effect, change.selector, change.reversibility) == ("unknown",) * 3
    assert change.opaque == "the resource type `acme_thing` is not in the taxonomy"
    assert change.resource.criticality == Risk.HIGH


def test_what_nobody_knows_may_be_created_changed_and_read() -> None:
    assert effect("acme_thing", ["create"], None, {}) == "create one reversible"
    assert effect("acme_thing", ["update"], {}, {}) == "update one unknown"
    assert effect("acme_thing", ["no-op"], {}, {}) == "read none reversible"


def test_a_type_of_that_name_from_another_provider_is_another_type() -> None:
    assert effect("aws_subnet", ["delete"], {}, provider_name=AWS).startswith("update")
    other = "registry.terraform.io/acme/aws"
    assert effect("aws_subnet", ["delete"], {}, provider_name=other).startswith("unknown")


@pytest.mark.parametrize("resource_type", ["aws_db_instance", "aws_ebs_snapshot", "aws_cloudtrail"])
def test_to_forget_what_holds_something_disarms(resource_type: str) -> None:
    assert effect(resource_type, ["forget"], {}) == "disarm all reversible"
    assert effect(resource_type, ["create", "forget"], {}, {}) == "disarm all reversible"


def test_a_deposed_object_is_a_change_of_its_own() -> None:
    found = reading(
        json.dumps(
            document(
                entry("aws_ebs_volume", ["no-op"], {}, {}),
                entry("aws_ebs_volume", ["delete"], {}, deposed="6f3a0d1e"),
            )
        )
    )
    assert [change.effect for change in found.changes] == ["read", "delete_data"]
    assert "deposed as 6f3a0d1e" in found.changes[1].summary


# Updates that disarm.


@pytest.mark.parametrize(
    ("resource_type", "before", "after"),
    [
        ("aws_db_instance", {"deletion_protection": True}, {"deletion_protection": False}),
        ("aws_db_instance", {"deletion_protection": True}, {"deletion_protection": None}),
        ("aws_db_instance", {"deletion_protection": True}, {}),
        ("aws_db_instance", {"skip_final_snapshot": False}, {"skip_final_snapshot": True}),
        ("aws_db_instance", {"backup_retention_period": 7}, {"backup_retention_period": 0}),
        ("aws_db_instance", {"backup_retention_period": 7}, {"backup_retention_period": 3}),
        (
            "aws_db_instance",
            {"delete_automated_backups": False},
            {"delete_automated_backups": True},
        ),
        ("aws_s3_bucket", {"force_destroy": False}, {"force_destroy": True}),
        (
            "aws_s3_bucket",
            {"versioning": [{"enabled": True}]},
            {"versioning": [{"enabled": False}]},
        ),
        ("aws_s3_bucket", {"versioning": [{"enabled": True}]}, {"versioning": []}),
        (
            "aws_s3_bucket_versioning",
            {"versioning_configuration": [{"status": "Enabled"}]},
            {"versioning_configuration": [{"status": "Suspended"}]},
        ),
        ("aws_kms_key", {"deletion_window_in_days": 30}, {"deletion_window_in_days": 7}),
        ("aws_kms_key", {"enable_key_rotation": True}, {"enable_key_rotation": False}),
        (
            "aws_secretsmanager_secret",
            {"recovery_window_in_days": 30},
            {"recovery_window_in_days": 0},
        ),
        (
            "aws_dynamodb_table",
            {"point_in_time_recovery": [{"enabled": True}]},
            {"point_in_time_recovery": [{"enabled": False}]},
        ),
        ("aws_cloudtrail", {"enable_logging": True}, {"enable_logging": False}),
        ("aws_cloudwatch_log_group", {"retention_in_days": 365}, {"retention_in_days": 1}),
        ("aws_cloudwatch_log_group", {"retention_in_days": 0}, {"retention_in_days": 365}),
        (
            "google_sql_database_instance",
            {"settings": [{"backup_configuration": [{"enabled": True}]}]},
            {"settings": [{"backup_configuration": [{"enabled": False}]}]},
        ),
        ("google_storage_bucket", {"retention_policy": [{"is_locked": True}]}, {}),
        (
            "google_storage_bucket",
            {"retention_policy": [{"retention_period": "86400"}]},
            {"retention_policy": [{"retention_period": "60"}]},
        ),
        ("google_storage_bucket", {}, {"lifecycle_rule": [{"action": [{"type": "Delete"}]}]}),
        ("google_project", {"deletion_policy": "PREVENT"}, {"deletion_policy": "DELETE"}),
        (
            "azurerm_key_vault",
            {"purge_protection_enabled": True},
            {"purge_protection_enabled": False},
        ),
        (
            "azurerm_key_vault",
            {"soft_delete_retention_days": 90},
            {"soft_delete_retention_days": 7},
        ),
        ("azurerm_management_lock", {"lock_level": "CanNotDelete"}, {"lock_level": "ReadOnly"}),
        ("acme_database", {"deletion_protection": True}, {"deletion_protection": False}),
    ],
)
def test_an_update_that_takes_a_guard_away_disarms(
    resource_type: str, before: object, after: object
) -> None:
    assert update(resource_type, before, after) == "disarm"
    assert update(resource_type, before, before) == "update"


@pytest.mark.parametrize(
    ("resource_type", "before", "after"),
    [
        ("aws_db_instance", {"deletion_protection": False}, {"deletion_protection": True}),
        ("aws_db_instance", {"backup_retention_period": 3}, {"backup_retention_period": 7}),
        ("aws_s3_bucket", {"force_destroy": True}, {"force_destroy": False}),
        ("aws_cloudwatch_log_group", {"retention_in_days": 7}, {"retention_in_days": 0}),
        ("aws_kms_key", {"deletion_window_in_days": 7}, {"deletion_window_in_days": 30}),
    ],
)
def test_an_update_that_adds_a_guard_does_not_disarm(
    resource_type: str, before: object, after: object
) -> None:
    assert update(resource_type, before, after) == "update"


def test_a_guard_that_is_known_only_after_apply_does_not_stand() -> None:
    protected, unknown = {"deletion_protection": True}, {"deletion_protection": True}
    change = only("aws_db_instance", ["update"], protected, {}, unknown)
    assert change.effect == "disarm"
    assert change.unknown_until_apply == ("deletion_protection",)
    whole_block = {"versioning": True}
    before = {"versioning": [{"enabled": True}]}
    assert update("aws_s3_bucket", before, {}, whole_block) == "disarm"


def test_a_guard_that_never_stood_cannot_fall() -> None:
    unprotected, unknown = {"deletion_protection": False}, {"deletion_protection": True}
    assert update("aws_db_instance", unprotected, {}, unknown) == "update"


def test_creating_what_configures_another_resource_may_disarm_it() -> None:
    suspended = {"versioning_configuration": [{"status": "Suspended"}]}
    assert only("aws_s3_bucket_versioning", ["create"], None, suspended).effect == "disarm"
    enabled = {"versioning_configuration": [{"status": "Enabled"}]}
    assert only("aws_s3_bucket_versioning", ["create"], None, enabled).effect == "create"


def test_the_summary_says_which_guard_falls() -> None:
    change = only(
        "aws_db_instance",
        ["update"],
        {"backup_retention_period": 7},
        {"backup_retention_period": 0},
    )
    assert change.summary == "updates aws_db_instance.main; `backup_retention_period` 7 → 0"


def test_a_standing_guard_protects() -> None:
    assert only("aws_db_instance", ["no-op"], {"deletion_protection": True}, {}).resource.protected
    assert not only("aws_db_instance", ["no-op"], {"iops": 1}, {}).resource.protected


# Grants.


def policy(**statement: object) -> dict[str, str]:
    return {"policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}


@pytest.mark.parametrize(
    ("resource_type", "after"),
    [
        ("aws_iam_policy", policy(Effect="Allow", Action="*", Resource="*")),
        ("aws_iam_policy", policy(Effect="Allow", Action=["s3:Get*", "iam:*"], Resource=["*"])),
        ("aws_iam_policy", policy(Effect="Allow", Action="iam:PassRole", Resource="*")),
        ("aws_iam_policy", policy(Effect="Allow", NotAction="iam:*", Resource="*")),
        ("aws_iam_policy", {"policy": "not a policy"}),
        ("aws_s3_bucket_policy", policy(Effect="Allow", Action="s3:GetObject", Principal="*")),
        (
            "aws_iam_role_policy_attachment",
            {"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
        ("google_project_iam_member", {"role": "roles/owner", "member": "user:a@example.com"}),
        ("google_storage_bucket_iam_member", {"role": "roles/viewer", "member": "allUsers"}),
        (
            "google_project_iam_policy",
            {"policy_data": json.dumps({"bindings": [{"role": "roles/owner", "members": []}]})},
        ),
        (
            "azurerm_role_assignment",
            {
                "role_definition_name": "Contributor",
                "scope": "/subscriptions/00000000-0000-0000-0000-000000000000",
            },
        ),
        ("azurerm_role_assignment", {"role_definition_name": "Owner", "scope": "/a/b"}),
        ("kubernetes_cluster_role_binding_v1", {"role_ref": [{"name": "cluster-admin"}]}),
        ("postgresql_role", {"superuser": True}),
    ],
)
def test_a_broad_grant_escalates(resource_type: str, after: object) -> None:
    assert only(resource_type, ["create"], None, after).effect == "escalate"
    assert update(resource_type, {"other": 1}, after) == "escalate"


@pytest.mark.parametrize(
    ("resource_type", "after"),
    [
        ("aws_iam_policy", policy(Effect="Allow", Action="s3:GetObject", Resource="*")),
        ("aws_iam_policy", policy(Effect="Allow", Action="s3:*", Resource="arn:aws:s3:::one/*")),
        ("aws_iam_policy", policy(Effect="Deny", Action="*", Resource="*")),
        ("google_project_iam_member", {"role": "roles/viewer", "member": "user:a@example.com"}),
        (
            "azurerm_role_assignment",
            {
                "role_definition_name": "Contributor",
                "scope": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/one",
            },
        ),
        ("kubernetes_cluster_role_v1", {"rule": [{"verbs": ["get"], "resources": ["pods"]}]}),
    ],
)
def test_a_narrow_grant_is_an_update(resource_type: str, after: object) -> None:
    assert only(resource_type, ["create"], None, after).effect == "update"


def test_a_grant_that_is_known_only_after_apply_may_be_broad() -> None:
    change = only("aws_iam_policy", ["create"], None, {}, {"policy": True})
    assert change.effect == "escalate"
    assert "known only after apply" in change.summary


def test_what_the_provider_fills_in_grants_nothing() -> None:
    made = entry("aws_kms_key", ["create"], None, {}, {"policy": True})
    configured = {"address": "aws_kms_key.main", "expressions": {"description": {}}}
    configuration = {"root_module": {"resources": [configured]}}
    found = reading(json.dumps(document(made, configuration=configuration)))
    assert found.changes[0].effect == "create"


def test_new_tags_on_an_administrator_do_not_escalate() -> None:
    powers = policy(Effect="Allow", Action="*", Resource="*")
    assert update("aws_iam_policy", powers, {**powers, "tags": {"a": "b"}}) == "update"


def test_losing_an_explicit_deny_disarms() -> None:
    denial = policy(Effect="Deny", Action="s3:DeleteObject", Principal="*", Resource="*")
    assert update("aws_s3_bucket_policy", denial, {"policy": None}) == "disarm"
    assert only("aws_s3_bucket_policy", ["delete"], denial).effect == "disarm"


# What runs.


def test_a_provisioner_executes_and_is_opaque() -> None:
    configured = {"address": "null_resource.main", "provisioners": [{"type": "local-exec"}]}
    module = {"module": {"resources": [configured]}}
    made = entry("null_resource", ["create"], None, {})
    made["address"] = 'module.one["a.b"].null_resource.main[0]'
    configuration = {"root_module": {"module_calls": {"one": module}}}
    (change,) = reading(json.dumps(document(made, configuration=configuration))).changes
    assert (change.effect, change.selector) == ("execute", "unknown")
    assert change.opaque == "what the provisioner `local-exec` runs is not read here"


def test_an_action_without_a_resource_change_is_a_change() -> None:
    invocation = {
        "address": "action.aws_s3_empty_bucket.now",
        "type": "aws_s3_empty_bucket",
        "name": "now",
        "lifecycle_action_trigger": {"triggering_resource_address": "aws_s3_bucket.main"},
    }
    other = {"address": "action.acme_run.now", "type": "acme_run", "config_unknown": {"a": True}}
    (known, unknown) = reading(json.dumps(document(action_invocations=[invocation, other]))).changes
    assert (known.action, known.effect, known.opaque) == ("terraform.invoke", "delete_data", None)
    assert known.summary.endswith("triggered by aws_s3_bucket.main")
    assert (unknown.action, unknown.effect) == ("terraform.invoke", "execute")
    assert unknown.opaque == "the action type `acme_run` is not in the taxonomy"
    assert unknown.unknown_until_apply == ("a",)


def test_what_is_deferred_is_opaque_with_its_reason() -> None:
    found = reading(
        json.dumps(
            document(
                deferred_changes=[
                    {
                        "reason": "instance_count_unknown",
                        "resource_change": entry("aws_db_instance", ["create"]),
                    },
                    7,
                ],
                deferred_action_invocations=[
                    {
                        "reason": "deferred_prereq",
                        "action_invocation": {"address": "action.a.b", "type": "a"},
                    }
                ],
            )
        )
    )
    deferred, odd, invocation = found.changes
    assert deferred.opaque == "the change is deferred: instance_count_unknown"
    assert deferred.resource.id == "aws_db_instance.main"
    assert odd.action == "terraform.unread"
    assert invocation.opaque == "the action is deferred: deferred_prereq"


# Circumstances.


def test_the_summary_tells_the_circumstances() -> None:
    change = only(
        "aws_subnet",
        ["delete", "create"],
        {},
        {},
        previous_address="aws_subnet.old",
        action_reason="replace_because_tainted",
        change={"importing": {"id": "x"}, "replace_paths": [["cidr_block"], ["a", 0]]},
    )
    assert change.summary == (
        "replaces aws_subnet.main, deleting it first; made again from the configuration; "
        "moved from aws_subnet.old; imported; because it is tainted; forced by `cidr_block`, `a.0`"
    )


def test_drift_is_a_note_and_not_a_change() -> None:
    drifted = entry("aws_subnet", ["update"], {}, {})
    found = reading(json.dumps(document(entry("aws_subnet", ["no-op"]), resource_drift=[drifted])))
    (change,) = found.changes
    assert change.summary.endswith("it was changed outside Terraform")


def test_output_changes_are_no_changes() -> None:
    changed = {"secret": {"actions": ["create"], "after": "x", "after_sensitive": True}}
    assert reading(json.dumps(document(output_changes=changed))).changes == ()


def test_sensitive_values_are_never_shown() -> None:
    secret = {"name": "hunter2", "backup_retention_period": 24681357}
    hidden = {"name": True, "backup_retention_period": True}
    change = only(
        "aws_db_instance",
        ["update"],
        secret,
        {"name": "hunter2", "backup_retention_period": 0},
        change={"before_sensitive": hidden, "after_sensitive": hidden},
    )
    assert change.effect == "disarm"
    assert "hunter2" not in change.model_dump_json()
    assert "24681357" not in change.model_dump_json()


def test_the_name_is_the_one_people_know() -> None:
    assert only("aws_s3_bucket", ["delete"], {"bucket": "invoices"}).resource.name == "invoices"
    assert only("aws_s3_bucket", ["delete"], {}).resource.name == "main"


def test_unknown_paths_are_sorted_and_bounded() -> None:
    unknown = {"b": {"c": [False, True]}, "a": True, "many": {str(n): True for n in range(99)}}
    change = only("acme_thing", ["create"], None, {}, unknown)
    assert change.unknown_until_apply[:3] == ("a", "b.c.1", "many.0")
    assert len(change.unknown_until_apply) == 50


def test_what_does_not_print_is_escaped() -> None:
    made = entry("aws_subnet", ["delete"], {})
    made["address"] = "aws_subnet.a\n\x1b[2Kcreate\ud800\u202e"
    (change,) = reading(json.dumps(document(made))).changes
    assert change.resource.id == "aws_subnet.a\\n\\x1b[2Kcreate\\ud800\\u202e"
    assert change.summary.isprintable()


def test_every_reading_can_be_hashed() -> None:
    made = entry("aws_subnet", ["delete"], {"name": "\ud800"})
    made["address"] = "\ud800"
    found = reading(json.dumps(document(made, terraform_version="\ud800")))
    plan = Plan(
        author={"type": "Agent", "id": "a"},  # type: ignore[arg-type]  # pydantic builds it.
        environment="test",
        artifacts=(found.artifact,),
        changes=found.changes,
    )
    assert len(plan.digest) == 64


# Places.


def test_a_change_stands_at_the_address_of_its_entry() -> None:
    text = (
        '{"format_version": "1.2", "note": "\\"address\\": \\"aws_subnet.main\\" 𝄞",\n'
        ' "resource_changes": [\n'
        '  {"name": "𝄞", "address": "aws_subnet.𝄞", "type": "aws_subnet",'
        ' "change": {"actions": ["delete"]}}]}'
    )
    (change,) = reading(text).changes
    place = change.source
    assert (place.line, place.column, place.text) == (3, 17, "aws_subnet.𝄞: delete")
    assert text.splitlines()[2][place.column - 1 :].startswith('"address"')


def test_places_are_right_on_one_line() -> None:
    text = json.dumps(document(entry("aws_subnet", ["no-op"]), entry("aws_vpc", ["no-op"])))
    for change in reading(text).changes:
        assert change.source.line == 1
        start = change.source.column - 1
        assert text[start:].startswith(f'"address": "{change.resource.id}"')


# Bad input.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1 this is not JSON: expecting value"),
        ('{"format_version":\n  oops}', "2:3 this is not JSON: expecting value"),
        ('{"resource_changes": [', "1:23 this is not JSON: expecting value"),
        ("[]", "1:1 a plan is a JSON object; is this the output of `terraform show -json`?"),
        ('{"𝄞": NaN}', "1:7 `NaN` is not a JSON number"),
        ('{"a": -Infinity}', "1:7 `-Infinity` is not a JSON number"),
        ('{"a": 1e999}', "1:7 the number `1e999` is out of range"),
        ('{"a": ' + "9" * 5000 + "}", "1:7 a number has more than 1000 digits"),
        ("[" * 10_000, "1:1 the JSON is nested more than 256 levels deep"),
        ('{"a":' * 10_000, "1:1 the JSON is nested more than 256 levels deep"),
        ("[" * 300 + "]" * 300, "1:1 the JSON is nested more than 256 levels deep"),
        ('{"resource_changes": []}\n{}', "2:1 more text follows the end of the JSON value"),
        (
            "PK\x03\x04\x14\x00",
            "1:1 this is a binary plan file: run `terraform show -json` on it first",
        ),
        ("\ufeff{\x00", "1:1 the file is binary or UTF-16 text; a plan is JSON in UTF-8"),
    ],
)
def test_what_is_not_json_is_a_problem_at_its_place(text: str, expected: str) -> None:
    assert problem(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"format_version": "1.0", "values": {}}, "this is a state, not a plan"),
        ({"version": 4, "serial": 1, "resources": []}, "this is a state, not a plan"),
        ({"format_version": "1.0", "root_module": {}}, "this is a configuration, not a plan"),
        ({"format_version": "1.0", "configuration": {}}, "this is a configuration, not a plan"),
        ({"@level": "info", "type": "version"}, "this is the log of `terraform plan -json`"),
        ({"format_version": "1.0", "provider_schemas": {}}, "this is a list of provider schemas"),
        ({"name": "left-pad"}, "this is JSON but not a plan, it has no `resource_changes`"),
    ],
)
def test_another_document_is_a_problem_that_says_what_it_is(value: object, expected: str) -> None:
    assert problem(json.dumps(value)).removeprefix("1:1 ").startswith(expected)


def test_a_log_of_many_lines_is_named_too() -> None:
    assert "log of `terraform plan -json`" in problem('{"@level":"info"}\n{"@level":"info"}')


@pytest.mark.parametrize(
    "wrapped",
    [
        "[command]/home/runner/terraform-bin show -json plan\n{}",
        "[command]/home/runner/terraform-bin show -json plan\n{}\n::debug::stdout: {}",
        '{"format_version": "1.2", "resource_changes": []}\n::debug::Terraform exited with code 0.',
        '{"format_version": "1.2", "resource_changes": []}\n\n::set-output name=stdout::{}\n',
    ],
)
def test_the_wrapper_of_setup_terraform_is_named_with_its_remedy(wrapped: str) -> None:
    assert "set `terraform_wrapper: false`" in problem(wrapped)


def test_a_file_that_is_too_large_is_not_read() -> None:
    assert "is larger than" in problem(" " * (MAX_ARTIFACT_BYTES + 1))


def test_a_plan_with_too_many_changes_is_not_read() -> None:
    assert "more than 50000 entries" in problem(json.dumps(document(*[7] * 50_001)))


def test_a_key_that_stands_twice_is_a_problem_beside_the_changes() -> None:
    text = '{"format_version": "1.2",\n "resource_changes": [{"a": 1, "\\u0061": 2}]}'
    found = reading(text)
    (twice,) = found.problems
    assert (twice.line, twice.column) == (2, 32)
    assert twice.message.startswith("the key `a` stands twice in one object")
    assert len(found.changes) == 1


def test_a_plan_without_changes_is_a_plan() -> None:
    value = {"format_version": "1.2", "planned_values": {"root_module": {}}, "configuration": {}}
    found = reading(json.dumps(value))
    assert (found.changes, found.problems) == ((), ())


@pytest.mark.parametrize("version", ["2.0", "0.3", "1", "", "1.2.3", "one", None, 1.2, "9" * 5000])
def test_an_unknown_format_version_is_a_problem_and_no_changes(version: object) -> None:
    value = document(entry("aws_subnet", ["no-op"])) | {"format_version": version}
    assert "format version" in problem(json.dumps(value))


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.1", "1.2", "1.7"])
def test_known_and_later_minor_versions_are_read(version: str) -> None:
    found = reading(
        json.dumps(document(entry("aws_subnet", ["no-op"])) | {"format_version": version})
    )
    assert (len(found.changes), found.problems) == (1, ())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"errored": True}, "the plan is incomplete: planning failed"),
        ({"errored": "false"}, "the plan is incomplete: planning failed"),
        ({"complete": False}, "the plan is incomplete: applying it would leave changes undone"),
        ({"deferred_changes": {}}, "`deferred_changes` is not a list"),
        ({"surprise_changes": []}, "`surprise_changes` is unknown and may hold changes"),
        (
            {
                "planned_values": {
                    "root_module": {
                        "child_modules": [
                            {"resources": [{"address": "module.a.x.y", "mode": "managed"}]}
                        ]
                    }
                }
            },
            "`module.a.x.y` is planned but has no change: entries were removed",
        ),
    ],
)
def test_an_incomplete_plan_has_a_problem_and_its_changes(
    more: dict[str, object], expected: str
) -> None:
    found = reading(json.dumps(document(entry("aws_subnet", ["no-op"]), **more)))
    (only_problem,) = found.problems
    assert only_problem.message.startswith(expected)
    assert len(found.changes) == 1


def test_a_plan_inside_another_document_is_read_with_a_problem() -> None:
    text = json.dumps({"input": {"plan": document(entry("aws_subnet", ["no-op"]))}}, indent=1)
    found = reading(text)
    (only_problem,) = found.problems
    assert only_problem.message == "this is not a plan but has one inside, at `input.plan`"
    (change,) = found.changes
    line = text.splitlines()[change.source.line - 1]
    assert line[change.source.column - 1 :].startswith('"address"')


# Damage.

WHOLE = json.dumps(
    document(
        entry("aws_db_instance", ["delete"], {"deletion_protection": True, "name": "𝄞"}),
        entry("aws_s3_bucket", ["update"], {"force_destroy": False}, {"force_destroy": True}),
        entry("aws_iam_role", ["create"], None, {"name": "deploy"}, {"arn": True}),
        entry("aws_ami", ["read"], mode="data"),
        terraform_version="1.14.2",
        planned_values={
            "root_module": {
                "resources": [
                    {"address": "aws_s3_bucket.main", "mode": "managed"},
                    {"address": "aws_iam_role.main", "mode": "managed"},
                ]
            }
        },
        action_invocations=[{"address": "action.a.b", "type": "a", "name": "b"}],
        configuration={"root_module": {}},
    ),
    ensure_ascii=False,
    indent=1,
)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(WHOLE.encode()) - 1), st.integers(0, 255))
def test_a_flipped_byte_never_loses_a_change_silently(index: int, byte: int) -> None:
    damaged = bytearray(WHOLE.encode())
    damaged[index] = byte
    found = reading(damaged.decode("utf-8", "surrogateescape"))
    assert found.problems or len(found.changes) == 5


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(WHOLE) - 1))
def test_a_truncated_plan_has_a_problem(length: int) -> None:
    assert reading(WHOLE[:length]).problems


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["address", "type", "mode", "change", "actions", "before", "after", "after_unknown"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(JSON, max_size=4), st.lists(JSON, max_size=3), JSON, JSON)
def test_whatever_an_entry_holds_is_one_change(
    entries: list[object], invocations: list[object], configuration: object, values: object
) -> None:
    made = entry("aws_s3_bucket", ["update"], {"policy": values}, {"versioning": values})
    value = document(
        made,
        *entries,
        action_invocations=invocations,
        deferred_changes=invocations,
        deferred_action_invocations=invocations,
        resource_drift=invocations,
        configuration={"root_module": configuration},
        planned_values=configuration,
    )
    assert len(reading(json.dumps(value)).changes) == 1 + len(entries) + 3 * len(invocations)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"values": ["a: {b: 1}\nc: 2", "a: {b: 3}"]}, {"a.b": [3], "c": [2]}),
        ({"values": ["a: {b: 1}", "a: null"]}, {"a": []}),
        ({"values": ["a: {b: 1}"], "set": [{"name": "a.b", "value": "2"}]}, {"a.b": ["2"]}),
        ({"values": ["a: 1"], "set": [{"name": "x\\.y", "value": "2"}]}, {"a": [1], "x.y": ["2"]}),
        ({"values": None}, {}),
        ({"values": [5]}, "the values of the chart are no text"),
        ({"values": ["a: ["]}, "the values of the chart could not be read"),
        ({"values": ["- a"]}, "the values of the chart could not be read"),
    ],
)
def test_later_values_of_a_chart_stand_over_earlier_ones(resource: Any, expected: Any) -> None:
    assert chart_settings(resource) == expected
