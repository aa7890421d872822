"""An agent in production: no dangerous Terraform change passes, every benign sibling does; `-s` shows the table."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terraform_cases import (
    BENIGN_CREATIONS,
    BENIGN_UPDATES,
    DANGEROUS_CREATIONS,
    DANGEROUS_UPDATES,
    LOST,
    REMADE,
    Row,
)

import interlock
from interlock.compiler.decision import Outcome
from interlock.gate.gate import Verdict, gate
from interlock.plans.model import Evidence, Identity, Plan, numbered
from interlock.plans.sources import Options
from interlock.plans.sources.terraform.source import read
from interlock.policies import Policies

Json = dict[str, Any]

PROVIDERS = {
    "aiven": "aiven/aiven",
    "azuread": "hashicorp/azuread",
    "azapi": "azure/azapi",
    "cloudflare": "cloudflare/cloudflare",
    "confluent": "confluentinc/confluent",
    "databricks": "databricks/databricks",
    "datadog": "datadog/datadog",
    "digitalocean": "digitalocean/digitalocean",
    "elasticstack": "elastic/elasticstack",
    "github": "integrations/github",
    "gitlab": "gitlabhq/gitlab",
    "hcloud": "hetznercloud/hcloud",
    "kafka": "mongey/kafka",
    "kubectl": "gavinbunney/kubectl",
    "linode": "linode/linode",
    "mongodbatlas": "mongodb/mongodbatlas",
    "mysql": "petoju/mysql",
    "oci": "oracle/oci",
    "okta": "okta/okta",
    "openstack": "terraform-provider-openstack/openstack",
    "postgresql": "cyrilgdn/postgresql",
    "shell": "scottwinkler/shell",
    "snowflake": "snowflakedb/snowflake",
}


def entry(kind: str, actions: str, before: Any, after: Any, unknown: Any = None) -> Json:
    prefix = kind.partition("_")[0]
    return {
        "address": f"{kind}.main",
        "mode": "managed",
        "type": kind,
        "name": "main",
        "provider_name": f"registry.terraform.io/{PROVIDERS.get(prefix, f'hashicorp/{prefix}')}",
        "change": {
            "actions": actions.split("/"),
            "before": before,
            "after": after,
            "after_unknown": unknown or {},
        },
    }


def document(*entries: object, **more: object) -> Json:
    return {"format_version": "1.2", "resource_changes": list(entries), **more}


def row_document(row: Row) -> Json:
    kind, before, after, *unknown = row
    actions = "create" if before is None else "update"
    return document(entry(kind, actions, before, after, *unknown))


@pytest.fixture(scope="module")
def policies() -> Policies:
    return interlock.load("production_guardrails", cache=False)


def gated(policies: Policies, plan_document: Json) -> Verdict:
    found = read("plan.json", json.dumps(plan_document), Options())
    plan = Plan(
        author=Identity(type="Agent", id="bot"),
        environment="production",
        artifacts=(found.artifact,),
        changes=numbered(found.changes),
        problems=found.problems,
    )
    return gate(policies, plan, Evidence(dry_run=True))


def is_permitted(policies: Policies, plan_document: Json) -> bool:
    """Whether every change passes; what the plan as a whole needs is the same for every source."""
    verdict = gated(policies, plan_document)
    outcomes = [each.decision.outcome for each in verdict.results if each.change is not None]
    return not verdict.plan.problems and all(each is Outcome.PERMIT for each in outcomes)


DELETIONS = ("delete", "delete/create", "create/delete")
DANGEROUS: list[Json] = [
    *map(row_document, (*DANGEROUS_UPDATES, *DANGEROUS_CREATIONS)),
    *(document(entry(each, how, {"name": "a"}, None)) for each in LOST for how in DELETIONS),
]
BENIGN: list[Json] = [
    *map(row_document, (*BENIGN_UPDATES, *BENIGN_CREATIONS)),
    *(document(entry(each, how, {"name": "a"}, None)) for each in REMADE for how in DELETIONS),
]


def test_no_dangerous_change_is_permitted_and_no_benign_one_is_stopped(policies: Policies) -> None:
    missed = [each for each in DANGEROUS if is_permitted(policies, each)]
    alarms = [each for each in BENIGN if not is_permitted(policies, each)]
    effects = Counter(
        str(change.effect) for each in DANGEROUS for change in gated(policies, each).plan.changes
    )
    print(
        f"\nterraform: {len(DANGEROUS)} dangerous, {len(missed)} missed; "
        f"{len(BENIGN)} benign, {len(alarms)} false alarms; {dict(effects)}"
    )
    assert (missed, alarms) == ([], [])


SUBNET = entry("aws_subnet", "no-op", {}, {})
DATABASE = entry("aws_db_instance", "delete", {"a": 1}, None)
ROLE_BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "a"},
    "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"kind": "ServiceAccount", "name": "x"}],
}
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "shop"}}
CLAIM = {**SERVICE, "kind": "PersistentVolumeClaim"}


def provisioned(kind: str, actions: str, before: Any, after: Any) -> Json:
    resource = {"address": f"{kind}.main", "provisioners": [{"type": "local-exec"}]}
    configuration = {"root_module": {"resources": [resource]}}
    return document(entry(kind, actions, before, after), configuration=configuration)


def state(*addresses: str) -> Json:
    resources = [{"address": each, "mode": "managed"} for each in addresses]
    return {"values": {"root_module": {"resources": resources}}}


STRANGE: dict[str, Json] = {
    "a certificate that goes before the new one comes": document(
        entry("aws_acm_certificate", "delete/create", {"domain_name": "a"}, {"domain_name": "a"})
    ),
    "a policy for everyone from a provider that no table knows": document(
        {
            **entry(
                "aws_s3_bucket_policy",
                "create",
                None,
                {
                    "policy": '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*"}]}'
                },
            ),
            "provider_name": "example.com/mirror/storage",
        }
    ),
    "planning failed": document(SUBNET, errored=True),
    "incomplete": document(SUBNET, complete=False),
    "a newer format": document(SUBNET) | {"format_version": "2.0"},
    "a list nobody knows": document(SUBNET, surprise=[]),
    "forgotten": document(entry("aws_db_instance", "forget", {"a": 1}, None)),
    "made and forgotten": document(entry("aws_db_instance", "create/forget", {"a": 1}, {"a": 1})),
    "deposed": document(entry("aws_instance", "delete", {"a": 1}, None) | {"deposed": "abcd1234"}),
    "deferred": document(
        SUBNET, deferred_changes=[{"reason": "absent_prereq", "resource_change": SUBNET}]
    ),
    "an action that empties a bucket": document(
        SUBNET,
        action_invocations=[
            {"address": "action.aws_s3_empty_bucket.a", "type": "aws_s3_empty_bucket"}
        ],
    ),
    "an action nobody knows": document(
        action_invocations=[{"address": "action.acme_wipe.a", "type": "acme_wipe"}]
    ),
    "moved and deleted": document(DATABASE | {"previous_address": "aws_db_instance.old"}),
    "imported and disarmed": document(
        entry("aws_db_instance", "update", {"deletion_protection": True}, {})
    ),
    "an unknown list of actions": document(entry("aws_subnet", "delete/update", {}, {})),
    "actions in capitals": document(entry("aws_subnet", "DELETE", {}, {})),
    "nothing to do, with other values": document(
        entry("aws_db_instance", "no-op", {"deletion_protection": True}, {})
    ),
    "a creation of what exists": document(
        entry("aws_db_instance", "create", {"deletion_protection": True}, {})
    ),
    "a managed resource that is only read, and gone": document(
        entry("aws_db_instance", "read", {"deletion_protection": True}, None)
    ),
    "a data source that is deleted": document(DATABASE | {"mode": "data"}),
    "an ephemeral resource": document(SUBNET | {"mode": "ephemeral"}),
    "a data source that runs a program": document(
        entry("external", "read", None, {}) | {"mode": "data"}
    ),
    "an address of another type": document(DATABASE | {"type": "null_resource"}),
    "another type in a key of the address": document(
        DATABASE
        | {"type": "null_resource", "address": 'module.a["x.null_resource.y"].aws_db_instance.main'}
    ),
    "a provider of the same name": document(
        entry("null_resource", "delete", {}, None) | {"provider_name": "evil.example/evil/null"}
    ),
    "a provisioner": provisioned("null_resource", "create", None, {}),
    "a provisioner of what is replaced": provisioned("terraform_data", "delete/create", {}, {}),
    "one address twice": document(SUBNET, entry("aws_subnet", "DELETE", {}, None)),
    "an entry that is nothing": document(None),
    "an entry that was removed": document(
        SUBNET, prior_state=state("aws_subnet.main", "aws_db_instance.gone")
    ),
    "an object that binds a role": document(
        entry("kubernetes_manifest", "create", None, {"manifest": ROLE_BINDING})
    ),
    "an object of text that binds a role": document(
        entry("kubectl_manifest", "create", None, {"yaml_body": json.dumps(ROLE_BINDING)})
    ),
    "an object with data": document(
        entry("kubernetes_manifest", "delete", {"manifest": CLAIM}, None)
    ),
    "an object replaced": document(
        entry("kubernetes_manifest", "delete/create", {"manifest": CLAIM}, {"manifest": CLAIM})
    ),
    "an object that is not shown": document(entry("kubernetes_manifest", "delete", {"a": 1}, None)),
    "an object that is not known yet": document(
        entry("kubernetes_manifest", "create", None, {}, {"manifest": True})
    ),
    "a script": document(entry("shell_script", "create", None, {"a": 1})),
    "any statement": document(entry("snowflake_execute", "create", None, {"execute": "DROP …"})),
    "any request to Azure": document(entry("azapi_resource_action", "create", None, {"a": 1})),
}
USUAL: dict[str, Json] = {
    "a certificate for one more name": document(
        entry("aws_acm_certificate", "create/delete", {"domain_name": "a"}, {"domain_name": "a"})
    ),
    "nothing": document(),
    "an output": document(output_changes={"a": {"actions": ["update"], "before": 1, "after": 2}}),
    "moved": document(
        entry("aws_db_instance", "no-op", {"a": 1}, {"a": 1})
        | {"previous_address": "aws_db_instance.old"}
    ),
    "drift": document(SUBNET, resource_drift=[DATABASE]),
    "all that stands has its entry": document(SUBNET, prior_state=state("aws_subnet.main")),
    "an object without data": document(
        entry("kubernetes_manifest", "delete", {"manifest": SERVICE}, None)
    ),
    "an object made": document(entry("kubernetes_manifest", "create", None, {"manifest": CLAIM})),
    "an object that stays": document(
        entry("kubernetes_manifest", "update", {"manifest": CLAIM}, {"manifest": CLAIM})
    ),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_plan_does_not_pass(policies: Policies, name: str) -> None:
    assert not is_permitted(policies, STRANGE[name])


@pytest.mark.parametrize("name", USUAL)
def test_a_usual_plan_passes(policies: Policies, name: str) -> None:
    assert is_permitted(policies, USUAL[name])


def test_what_is_sensitive_in_an_object_is_not_told() -> None:
    before = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db-hunter2"}}
    made = entry("kubernetes_manifest", "delete", {"manifest": before}, None)
    told = read("plan.json", json.dumps(document(made)), Options())
    assert "hunter2" in told.changes[0].summary
    made["change"]["before_sensitive"] = {"manifest": {"metadata": {"name": True}}}
    (change,) = read("plan.json", json.dumps(document(made)), Options()).changes
    assert change.effect == told.changes[0].effect
    assert "hunter2" not in change.model_dump_json()


OPEN = {"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (OPEN, "opens port 22 to everyone (`0.0.0.0/0`)"),
        (OPEN | {"from_port": 0, "to_port": 0, "protocol": "-1"}, "opens every port to everyone"),
        (OPEN | {"cidr_blocks": ["::/0"]}, "opens port 22 to everyone (`::/0`)"),
        (OPEN | {"cidr_blocks": ["0.0.0.0/1"]}, "opens port 22 to everyone (`0.0.0.0/1`)"),
        (OPEN | {"from_port": 443, "to_port": 443}, None),
        (OPEN | {"from_port": 80, "to_port": 443}, "opens port 80-443 to everyone"),
        (OPEN | {"cidr_blocks": ["10.0.0.0/8"]}, None),
        (OPEN | {"protocol": "icmp"}, None),
        (OPEN | {"cidr_blocks": ["fc00::/7"]}, None),
    ],
)
def test_a_door_is_open_when_everyone_comes_through_to_more_than_public_ports(
    rule: Json, says: str | None
) -> None:
    made = entry("aws_security_group", "create", None, {"ingress": [rule]})
    (change,) = read("plan.json", json.dumps(document(made)), Options()).changes
    assert change.effect == ("create" if says is None else "escalate")
    assert says is None or says in change.summary


def test_a_door_that_is_open_already_is_not_opened() -> None:
    before, after = {"ingress": [OPEN]}, {"ingress": [OPEN], "description": "more"}
    made = entry("aws_security_group", "update", before, after)
    (change,) = read("plan.json", json.dumps(document(made)), Options()).changes
    assert change.effect == "update"


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["0.0.0.0/0", "-1", "22-", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ingress", "cidr_blocks", "from_port", "protocol", "allow", "rule"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["aws_security_group", "google_compute_firewall", "hcloud_firewall"]),
    st.dictionaries(st.sampled_from(["ingress", "allow", "rule", "source_ranges"]), ODD),
    ODD,
)
def test_whatever_stands_in_a_door_is_read(kind: str, after: Json, unknown: object) -> None:
    made = entry(kind, "update", {}, after)
    made["change"]["after_unknown"] = unknown
    (change,) = read("plan.json", json.dumps(document(made)), Options()).changes
    assert change.effect in ("update", "escalate", "disarm")
