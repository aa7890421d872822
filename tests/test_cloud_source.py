"""Cloud calls in every form they come in: each call is a change, and what cannot be read says so."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from cloud_cases import BENIGN, DANGEROUS
from hypothesis import given
from hypothesis import strategies as st

from interlock.plans.model import (
    Change,
    Effect,
    Position,
    Reading,
    Reversibility,
    Selector,
)
from interlock.plans.sources import Options, source_named
from interlock.plans.sources.cloud import aws, azure, google
from interlock.plans.sources.cloud import calls as cloud_calls

AT = Position(file="f", line=1, column=1)
CLOUDS = ("aws", "google", "azure")


def read(kind: str, document: Any) -> Reading:
    source = source_named(kind)
    assert source is not None
    text = document if isinstance(document, str) else json.dumps(document)
    return source.read("calls.json", text, Options())


def call(service: str, operation: str, /, **parameters: Any) -> Change:
    (change,) = aws.classify_call(service, operation, parameters, AT)
    return change


def command(line: str, kind: str = "aws") -> tuple[Change, ...]:
    """`$X` is a word that was not resolved."""
    words = [None if word.startswith("$") else word for word in line.split()]
    modules = {"aws": aws, "google": google, "azure": azure}
    return tuple(modules[kind].classify_command(words, AT))


# Documents.

EVENT = {"service": "ec2", "operation": "DescribeInstances"}
RECORD = {
    "eventSource": "rds.amazonaws.com",
    "eventName": "DeleteDBInstance",
    "awsRegion": "eu-west-1",
    "recipientAccountId": "123456789012",
    "readOnly": False,
    "requestParameters": {"dBInstanceIdentifier": "prod", "skipFinalSnapshot": True},
}


@pytest.mark.parametrize(
    "document",
    [
        [EVENT, EVENT, EVENT],
        {"calls": [EVENT, EVENT, EVENT]},
        "\n".join([json.dumps(EVENT)] * 3),
        "\ufeff" + "\r\n\n".join([json.dumps(EVENT)] * 3) + "\n",
    ],
)
def test_calls_come_as_a_list_as_an_object_and_as_lines(document: Any) -> None:
    reading = read("aws", document)
    assert [change.effect for change in reading.changes] == [Effect.READ] * 3
    assert not reading.problems
    assert [change.id for change in reading.changes] == ["1", "2", "3"]


def test_a_change_stands_where_its_call_does() -> None:
    reading = read("aws", f"[\n  {json.dumps(EVENT)},\n  {json.dumps(EVENT)}\n]")
    assert [(each.source.line, each.source.column) for each in reading.changes] == [(2, 3), (3, 3)]
    lines = read("aws", f"{json.dumps(EVENT)}\n  {json.dumps(EVENT)}")
    assert [(each.source.line, each.source.column) for each in lines.changes] == [(1, 1), (2, 3)]


def test_a_cloudtrail_record_is_the_call_it_records() -> None:
    (change,) = read("aws", {"Records": [RECORD]}).changes
    assert change.operation == "rds:DeleteDBInstance"
    assert change.effect is Effect.DELETE_RECOVERY
    assert change.resource.id == "arn:aws:rds:eu-west-1:123456789012:db:prod"


def test_a_call_that_failed_is_judged_as_if_it_went_through() -> None:
    (change,) = read("aws", {**RECORD, "errorCode": "AccessDenied"}).changes
    assert change.effect is Effect.DELETE_RECOVERY
    assert "failed then with AccessDenied" in change.summary


def test_the_error_of_a_dry_run_makes_it_one() -> None:
    record = {
        **RECORD,
        "eventSource": "ec2.amazonaws.com",
        "eventName": "TerminateInstances",
        "errorCode": "Client.DryRunOperation",
        "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-1"}]}},
    }
    (change,) = read("aws", record).changes
    assert change.effect is Effect.READ
    assert change.resource.name == "i-1"


def test_parameters_that_a_record_leaves_out_are_opaque_where_they_decide() -> None:
    (change,) = read("aws", {**RECORD, "requestParameters": None}).changes
    assert change.effect is Effect.UNKNOWN
    assert change.opaque is not None


@pytest.mark.parametrize(
    ("event_name", "operation"),
    [
        ("DeleteFunction20150331", "lambda:DeleteFunction"),
        ("UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode"),
    ],
)
def test_versions_in_event_names_do_not_hide_the_operation(event_name: str, operation: str) -> None:
    record = {**RECORD, "eventSource": "lambda.amazonaws.com", "eventName": event_name}
    (change,) = read("aws", record).changes
    assert change.operation == operation


@pytest.mark.parametrize(
    "event",
    [
        {"service": "rds", "operation": "DeleteDBInstance", "paramters": {}},
        {"service": "rds", "operation": "ModifyDBInstance", "parameters": [1]},
        {"service": "rds", "operation": "ModifyDBInstance", "parameters": {}, "params": {}},
        {"service": "rds"},
        {"service": "rds", "operation": 3},
        {"operation": "DescribeDBInstances"},
        {"api": "rds:DescribeDBInstances", "service": "s3"},
        {"eventSource": "s3", "eventName": "ListBuckets", "service": "s3", "operation": "x"},
        "rds:DeleteDBInstance",
        None,
        17,
    ],
)
def test_an_event_that_is_not_understood_is_opaque(event: Any) -> None:
    (change,) = read("aws", [event]).changes
    assert change.action == "aws.unread"
    assert change.opaque is not None


@pytest.mark.parametrize(
    ("kind", "entry", "operation"),
    [
        (
            "google",
            {
                "protoPayload": {
                    "serviceName": "cloudsql.googleapis.com",
                    "methodName": "cloudsql.instances.delete",
                    "resourceName": "projects/p/instances/prod",
                    "request": {"instance": "prod"},
                }
            },
            "sql.instances.delete",
        ),
        (
            "google",
            {
                "protoPayload": {
                    "serviceName": "cloudkms.googleapis.com",
                    "methodName": "DestroyCryptoKeyVersion",
                    "status": {"code": 7},
                    "request": {"name": "k/1"},
                }
            },
            "cloudkms.cryptoKeyVersions.destroy",
        ),
        (
            "azure",
            {
                "operationName": {"value": "Microsoft.Authorization/locks/delete"},
                "resourceId": "/subscriptions/s/locks/l",
                "status": {"value": "Succeeded"},
                "caller": "x",
            },
            "Microsoft.Authorization/locks/delete",
        ),
    ],
)
def test_audit_logs_are_the_calls_they_record(kind: str, entry: Any, operation: str) -> None:
    (change,) = read(kind, entry).changes
    assert change.operation == operation
    assert change.effect in (Effect.DISARM, Effect.DELETE_RECOVERY)
    assert change.opaque is None


@pytest.mark.parametrize(
    ("method", "service", "name"),
    [
        ("v1.compute.disks.delete", "compute.googleapis.com", "compute.disks.delete"),
        ("beta.compute.disks.delete", "", "compute.disks.delete"),
        ("DeleteProject", "cloudresourcemanager.googleapis.com", "resourcemanager.projects.delete"),
        ("google.logging.v2.ConfigServiceV2.DeleteSink", "", "logging.sinks.delete"),
        ("tableservice.delete", "bigquery.googleapis.com", "bigquery.tables.delete"),
        ("instances.delete", "sqladmin.googleapis.com", "sql.instances.delete"),
    ],
)
def test_a_google_method_has_one_name_in_every_spelling(
    method: str, service: str, name: str
) -> None:
    (change,) = google.classify_call(method, {}, AT, service=service)
    assert change.operation == name


# Parameters.


@pytest.mark.parametrize(
    "parameters",
    [
        {"DBInstanceIdentifier": "p", "DeletionProtection": False},
        {"db_instance_identifier": "p", "deletion_protection": False},
        {"db-instance-identifier": "p", "no-deletion-protection": True},
        {"dBInstanceIdentifier": "p", "deletionProtection": "false"},
    ],
)
def test_a_parameter_counts_in_every_spelling(parameters: Mapping[str, Any]) -> None:
    (change,) = aws.classify_call("rds", "modify-db-instance", parameters, AT)
    assert change.effect is Effect.DISARM
    assert change.resource.name == "p"


@pytest.mark.parametrize("value", [{"Ref": "X"}, ["maybe"], "maybe", 3, 10**400])
def test_a_value_that_decides_and_cannot_be_read_is_opaque(value: Any) -> None:
    assert call("rds", "ModifyDBInstance", DeletionProtection=value).opaque is not None
    versioning = call("s3", "PutBucketVersioning", Bucket="b", VersioningConfiguration=value)
    assert versioning.effect in (Effect.UNKNOWN, Effect.DISARM)


def test_parameters_decide_what_a_deletion_loses() -> None:
    kept = call("rds", "DeleteDBInstance", DBInstanceIdentifier="p", FinalDBSnapshotIdentifier="f")
    assert (kept.effect, kept.reversibility) == (Effect.DELETE_DATA, Reversibility.RECOVERABLE)
    lost = call("rds", "DeleteDBInstance", DBInstanceIdentifier="p", SkipFinalSnapshot=True)
    assert (lost.effect, lost.reversibility) == (Effect.DELETE_RECOVERY, Reversibility.IRREVERSIBLE)
    both = call("rds", "DeleteDBInstance", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    assert (both.effect, both.reversibility) == (Effect.DELETE_DATA, Reversibility.RECOVERABLE)


def test_of_two_values_for_one_parameter_the_worse_counts() -> None:
    parameters = {
        "Bucket": "b",
        "VersioningConfiguration": {"Status": "Enabled", "status": "Suspended"},
    }
    (change,) = aws.classify_call("s3", "PutBucketVersioning", parameters, AT)
    assert change.effect is Effect.DISARM
    labels = {"deletionProtection": False, "x": {"deletionProtection": True}}
    (change,) = google.classify_call("compute.instances.setDeletionProtection", labels, AT)
    assert change.effect is Effect.DISARM


def test_only_services_that_know_dry_runs_have_them() -> None:
    assert call("ec2", "DeleteVolume", VolumeId="v", DryRun=True).effect is Effect.READ
    assert (
        call("rds", "DeleteDBSnapshot", DBSnapshotIdentifier="s", DryRun=True).effect
        is Effect.DELETE_RECOVERY
    )
    assert call("ec2", "DeleteVolume", VolumeId="v", DryRun="maybe").effect is Effect.DELETE_DATA
    twice = {"VolumeId": "v", "DryRun": True, "dry_run": False}
    (change,) = aws.classify_call("ec2", "DeleteVolume", twice, AT)
    assert change.effect is Effect.DELETE_DATA


POLICY = (
    '{"Statement":[{"Effect":"Allow",%s"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}'
)


@pytest.mark.parametrize(
    ("document", "effect"),
    [
        (POLICY % "", Effect.UPDATE),
        (POLICY % '"Principal":"*",', Effect.ESCALATE),
        (POLICY % '"Principal":{"AWS":"999999999999"},', Effect.ESCALATE),
        (POLICY % '"NotPrincipal":{"AWS":"1"},', Effect.ESCALATE),
        (POLICY % '"Effect":"Deny",', Effect.UNKNOWN),
        (POLICY % '"Resource":7,', Effect.UNKNOWN),
        ("file://policy.json", Effect.UNKNOWN),
        ("{", Effect.UNKNOWN),
        (None, Effect.ESCALATE),
    ],
)
def test_a_policy_document_is_read(document: str | None, effect: Effect) -> None:
    assert call("s3", "PutBucketPolicy", Bucket="b", Policy=document).effect is effect


def test_every_target_is_a_change_of_its_own() -> None:
    changes = aws.classify_call("ec2", "TerminateInstances", {"InstanceIds": ["i-1", "i-2"]}, AT)
    assert [change.resource.name for change in changes] == ["i-1", "i-2"]
    many = [f"i-{number}" for number in range(cloud_calls.MAX_TARGETS + 1)]
    (change,) = aws.classify_call("ec2", "TerminateInstances", {"InstanceIds": many}, AT)
    assert change.rows == len(many)
    assert change.selector is Selector.ALL


def test_objects_are_counted() -> None:
    keys = [{"Key": str(number)} for number in range(7)]
    change = call("s3", "DeleteObjects", Bucket="b", Delete={"Objects": keys})
    assert (change.rows, change.selector) == (7, Selector.SOME)


def test_sql_in_a_call_is_read_as_sql() -> None:
    parameters = {"resourceArn": "arn:aws:rds:x", "sql": "DELETE FROM users"}
    carrier, inner = aws.classify_call("rds-data", "ExecuteStatement", parameters, AT)
    assert carrier.effect is Effect.READ
    assert (inner.action, inner.effect, inner.selector) == (
        "sql.delete",
        Effect.DELETE_DATA,
        Selector.ALL,
    )
    assert inner.source == AT


def test_sql_that_two_engines_read_differently_is_opaque() -> None:
    sql = "SELECT 1 /*!50000 ; DROP TABLE users */"
    assert call("rds-data", "ExecuteStatement", resourceArn="a", sql=sql).opaque is not None


# Command lines.


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("rds delete-db-instance --db-instance-identifier p --skip-final-snapshot", Effect.DELETE_RECOVERY),
        ("--region eu-west-1 --debug rds describe-db-instances", Effect.READ),
        ("s3 ls s3://b", Effect.READ),
        ("s3 rm s3://b --recursive", Effect.DELETE_DATA),
        ("s3 rm s3://b --recursive --dryrun", Effect.READ),
        ("s3 sync . s3://b --delete", Effect.DELETE_DATA),
        ("s3 cp a s3://b/k", Effect.UPDATE),
        ("s3 cp a s3://b/k --acl public-read", Effect.ESCALATE),
        ("s3 rb s3://b --force", Effect.DELETE_DATA),
        ("s3api put-bucket-versioning --bucket b --versioning-configuration Status=Suspended", Effect.DISARM),
        ("s3api put-bucket-versioning --bucket b --versioning-configuration Status=Enabled", Effect.UPDATE),
        ("s3api put-bucket-versioning --bucket b --versioning-configuration file://v.json", Effect.UNKNOWN),
        ("rds modify-db-instance --db-instance-identifier p $X", Effect.UNKNOWN),
        ("rds modify-db-instance --db-instance-identifier p --no-deletion-protection", Effect.DISARM),
        ("rds wait db-instance-available", Effect.READ),
        ("$X", Effect.UNKNOWN),
        ("", Effect.UNKNOWN),
        ("ec2 $X", Effect.UNKNOWN),
        ("ec2 terminate-instances --instance-ids $X", Effect.DELETE_DATA),
        ("ec2 terminate-instances --instance-ids i-1 --dry-run", Effect.READ),
        ("ec2 terminate-instances --instance-ids i-1 --no-dry-run", Effect.DELETE_DATA),
        ('rds modify-db-instance --cli-input-json {"DeletionProtection":false}', Effect.DISARM),
        ("rds modify-db-instance --cli-input-json file://x.json", Effect.UNKNOWN),
    ],
)  # fmt: skip
def test_aws_commands(line: str, effect: Effect) -> None:
    assert [change.effect for change in command(line)] == [effect], line


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("memorystore instances delete rsvp --location=asia-south1", Effect.DELETE_DATA),
        ("beta sql backups delete 12 --instance x --quiet", Effect.DELETE_RECOVERY),
        ("sql instances patch p --no-backup", Effect.DISARM),
        ("sql instances patch p --tier=db-f1-micro", Effect.UPDATE),
        ("sql instances list", Effect.READ),
        ("projects delete p", Effect.DELETE_DATA),
        ("storage rm -r gs://b", Effect.DELETE_DATA),
        ("storage buckets update gs://b --no-versioning", Effect.DISARM),
        ("projects add-iam-policy-binding p --member=user:x --role=roles/owner", Effect.ESCALATE),
        ("projects set-iam-policy p policy.json", Effect.UNKNOWN),
        ("logging sinks delete s", Effect.DELETE_AUDIT),
        ("compute instances $X i", Effect.UNKNOWN),
        ("nimbus clouds disperse", Effect.UNKNOWN),
        ("", Effect.UNKNOWN),
    ],
)
def test_gcloud_commands(line: str, effect: Effect) -> None:
    assert [change.effect for change in command(line, "google")] == [effect], line


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("group delete -n prod --yes", Effect.DELETE_DATA),
        ("sql db delete -n d -s s -g g --yes", Effect.DELETE_DATA),
        ("sql db show -n d -s s -g g", Effect.READ),
        ("keyvault purge --name v", Effect.DELETE_RECOVERY),
        ("lock delete --name l", Effect.DISARM),
        ("vm restart -n x -g g", Effect.UPDATE),
        ("storage account update -n x --allow-blob-public-access true", Effect.UNKNOWN),
        ("role assignment create --role Owner --assignee x", Effect.ESCALATE),
        ("resource delete --ids /x", Effect.UNKNOWN),
        ("account get-access-token", Effect.UNKNOWN),
        ("$X", Effect.UNKNOWN),
    ],
)
def test_az_commands(line: str, effect: Effect) -> None:
    assert [change.effect for change in command(line, "azure")] == [effect], line


# Limits.


@pytest.mark.parametrize("kind", CLOUDS)
def test_too_large_a_document_is_a_problem(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_calls, "MAX_ARTIFACT_BYTES", 100)
    reading = read(kind, "[" + " " * 200 + "]")
    assert not reading.changes and len(reading.problems) == 1


@pytest.mark.parametrize("kind", CLOUDS)
def test_too_many_calls_are_a_problem(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_calls, "MAX_CALLS", 3)
    reading = read(kind, [{}] * 5)
    assert len(reading.changes) == 3 and reading.problems


@pytest.mark.parametrize("kind", CLOUDS)
@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "17", '"x"', "{", "[1,", "[" * 5000, "[1]]", "nope", '{"a": NaN}'),
        *('{"a":1}{"b":2}', '{"Records": 3, "value": 3, "entries": 3}', '[{"a":1}], "x": [2]'),
    ],
)
def test_what_is_not_a_document_of_calls_is_a_problem(kind: str, text: str) -> None:
    reading = read(kind, text)
    assert reading.problems or all(change.opaque for change in reading.changes)
    assert reading.problems or reading.changes


def test_a_key_that_stands_twice_is_a_problem() -> None:
    assert read(
        "aws", '{"service":"s3","operation":"ListBuckets","operation":"DeleteBucket"}'
    ).problems
    assert read("aws", '[{"service":"s3","service":"ec2","operation":"x"}]').problems


def test_a_call_beside_a_list_of_calls_is_a_problem() -> None:
    assert read("aws", {"Records": [], "service": "rds", "operation": "DeleteDBInstance"}).problems


def test_text_of_a_call_cannot_break_a_line_of_output() -> None:
    (change,) = aws.classify_call("s3", "DeleteBucket", {"Bucket": "b\n\x1b[31mok\r"}, AT)
    for text in (change.summary, change.resource.name, change.resource.id):
        assert text.isprintable()


# Properties.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
KNOWN = {kind: [*DANGEROUS[kind], *BENIGN[kind]] for kind in CLOUDS}


def mutated(kind: str) -> st.SearchStrategy[Any]:
    """A known call in which some value was replaced by any JSON."""

    def replaced(pair: tuple[Mapping[str, Any], Sequence[int], Any]) -> Any:
        original, path, value = pair
        document: Any = json.loads(json.dumps(original))
        place = document
        for step in path:
            if not isinstance(place, dict) or not place:
                break
            key = sorted(place)[step % len(place)]
            if step % 3 == 0 or not isinstance(place[key], dict):
                place[key] = value
                break
            place = place[key]
        return document

    steps = st.lists(st.integers(0, 30), min_size=1, max_size=4)
    return st.tuples(st.sampled_from(KNOWN[kind]), steps, JSON).map(replaced)


@pytest.mark.parametrize("kind", CLOUDS)
def test_every_element_of_any_list_becomes_a_change(kind: str) -> None:
    @given(st.lists(JSON | mutated(kind), max_size=5))
    def check(calls: list[Any]) -> None:
        reading = read(kind, calls)
        places = {change.source.text for change in reading.changes}
        assert {f"[{index}]" for index in range(len(calls))} <= places or reading.problems

    check()


@pytest.mark.parametrize("kind", CLOUDS)
def test_any_text_is_read_without_raising(kind: str) -> None:
    @given(st.text(max_size=200) | mutated(kind).map(json.dumps))
    def check(text: str) -> None:
        reading = read(kind, text)
        assert reading.changes or reading.problems or text.strip().startswith("[")

    check()


@pytest.mark.parametrize("kind", CLOUDS)
def test_a_truncated_document_is_a_problem(kind: str) -> None:
    text = json.dumps(KNOWN[kind][:3], indent=1)
    for end in range(1, len(text)):
        assert read(kind, text[:end]).problems, text[:end]


@pytest.mark.parametrize("kind", CLOUDS)
def test_any_words_are_read_without_raising(kind: str) -> None:
    vocabulary = [
        *("s3", "rm", "sync", "rds", "delete-db-instance", "--recursive", "--delete", "sql", "db", "instances"),
        *("delete", "group", "storage", "-", "--", "--x=", "a=b,c", "{", "[", "file://x", "", "s3://b", "gs://b/k"),
    ]  # fmt: skip
    word = st.none() | st.sampled_from(vocabulary) | st.text(max_size=8)

    @given(st.lists(word, max_size=8))
    def check(words: list[str | None]) -> None:
        modules = {"aws": aws, "google": google, "azure": azure}
        assert modules[kind].classify_command(words, AT)

    check()


@given(st.sampled_from(KNOWN["aws"]), st.sampled_from([{"Ref": "x"}, ["x", {}], "maybe"]))
def test_an_unreadable_parameter_never_makes_a_call_harmless(event: Any, value: Any) -> None:
    """What is dangerous stays so, or becomes opaque, when a value is replaced by what is not one."""
    if event not in DANGEROUS["aws"]:
        return
    before = read("aws", event).changes
    for name in event["parameters"]:
        parameters = {**event["parameters"], name: value}
        after = read("aws", {**event, "parameters": parameters}).changes
        if all(change.effect in (Effect.READ, Effect.CREATE) for change in after):
            assert all(change.effect in (Effect.READ, Effect.CREATE) for change in before)
