"""The Kubernetes tables: every row is complete and sourced, and a user's table tightens, or says that it overrides."""

from collections import Counter

import pytest

from interlock.plans.model import Risk
from interlock.plans.taxonomy import terraform
from interlock.plans.taxonomy.kubernetes import (
    Class,
    Facts,
    Guard,
    Step,
    Table,
    Taxonomy,
    read_table,
    shipped,
    shipped_tables,
)
from interlock.plans.taxonomy.tables import taxonomies


def facts(kind: str, taxonomy: Taxonomy | None = None) -> Facts:
    found = (taxonomy or shipped()).facts(kind)
    assert found is not None
    return found


def table(text: str) -> Table:
    found, problems = read_table("kubernetes.yaml", text)
    assert problems == ()
    assert found is not None
    return found


def on_top(text: str) -> Taxonomy:
    return Taxonomy(shipped().shipped, (table(text),))


ROW = "{kinds: [acme.example/Thing], is_a: stateful, criticality: high, source: acme.example}"


def test_every_class_says_what_every_step_does() -> None:
    for each in Class:
        assert set(shipped().outcomes[each]) == set(Step)


def test_every_row_and_every_shared_guard_has_a_source() -> None:
    for name, each in shipped_tables():
        sources = [row.source for row in each.resources]
        sources += [row.source for row in each.pods] + [row.source for row in each.rights]
        guards: list[Guard] = [*each.everywhere, *each.pod_guards]
        for source in (*sources, *(guard.source for guard in guards)):
            assert source is not None, name
            assert source.startswith("https://"), (name, source)


def test_no_kind_stands_in_two_rows() -> None:
    counted = Counter(
        kind for _, each in shipped_tables() for row in each.resources for kind in row.kinds
    )
    assert [kind for kind, number in counted.items() if number > 1] == []


def test_every_class_of_kinds_in_pods_has_a_row() -> None:
    for pods in shipped().pods:
        for kind in pods.kinds:
            assert shipped().facts(kind) is not None, kind


@pytest.mark.parametrize(
    ("kind", "is_a"),
    [
        ("Namespace", Class.STATEFUL),
        ("PersistentVolumeClaim", Class.STATEFUL),
        ("apps/Deployment", Class.STATELESS),
        ("postgresql.cnpg.io/Cluster", Class.STATEFUL),
        ("postgresql.cnpg.io/ScheduledBackup", Class.RECOVERY),
        ("velero.io/Backup", Class.RECOVERY),
        ("velero.io/DeleteBackupRequest", Class.ORDER),
        ("rds.aws.upbound.io/Instance", Class.STATEFUL),
        ("constraints.gatekeeper.sh/K8sRequiredLabels", Class.PROTECTION),
        ("authorization.k8s.io/SubjectAccessReview", Class.REVIEW),
    ],
)
def test_kinds_are_what_they_are(kind: str, is_a: Class) -> None:
    assert facts(kind).is_a is is_a


def test_a_kind_in_another_group_is_another_kind() -> None:
    assert shipped().facts("acme.example/Secret") is None
    assert shipped().facts("core/Namespace") is None


@pytest.mark.parametrize(
    "mistake",
    [
        ROW.replace("stateful", "immortal"),
        ROW.replace("high", "enormous"),
        ROW.replace(", source: acme.example", ""),
        ROW.replace("[acme.example/Thing]", "[]"),
        ROW.replace("acme.example/Thing", "acme example/Thing"),
        ROW.replace("source:", "sauce:"),
        ROW.replace("}", ", guards: [{path: a, lost_when: eaten}]}"),
        ROW.replace("}", ", guards: [{path: a, lost_when: becomes}]}"),
        ROW.replace("}", ", guards: [{path: a, lost_when: lowered, values: [x]}]}"),
        ROW.replace("}", ", guards: [{path: '', lost_when: lowered}]}"),
    ],
)
def test_a_mistake_in_a_row_is_a_problem_at_its_line(mistake: str) -> None:
    found, problems = read_table("kubernetes.yaml", f"# mine\nresources:\n  - {mistake}\n")
    assert found is None
    assert problems
    assert {problem.line for problem in problems} == {3}
    assert {problem.file for problem in problems} == {"kubernetes.yaml"}


@pytest.mark.parametrize(
    "text",
    ["resources: [", "a: &a [*a]", "resources: " + "[" * 1000, "- 1", "[]]", "resources: 5", "x" * 2_000_000],
)  # fmt: skip
def test_a_file_that_is_no_table_is_a_problem(text: str) -> None:
    found, problems = read_table("kubernetes.yaml", text)
    assert found is None
    assert problems


@pytest.mark.parametrize(
    "text",
    [
        "classes: {stateful: {delete: {effect: read, selector: none, reversibility: reversible}}}",
        "harmless_roles: [cluster-admin]",
    ],
)
def test_some_things_are_not_a_users_to_say(text: str) -> None:
    found, (problem,) = read_table("kubernetes.yaml", text)
    assert found is None
    assert "only the shipped tables" in problem.message


def test_a_user_may_add_a_kind() -> None:
    assert facts("acme.example/Thing", on_top(f"resources: [{ROW}]")).is_a is Class.STATEFUL
    assert shipped().facts("acme.example/Thing") is None


def test_a_user_may_tighten_a_shipped_kind() -> None:
    row = ROW.replace("acme.example/Thing", "ConfigMap").replace("high", "critical")
    tightened = facts("ConfigMap", on_top(f"resources: [{row}]"))
    assert (tightened.is_a, tightened.criticality) == (Class.STATEFUL, Risk.CRITICAL)
    assert set(facts("ConfigMap").guards) <= set(tightened.guards)


def test_a_user_loosens_nothing_by_accident() -> None:
    row = "{kinds: ['*', '*/*'], is_a: stateless, criticality: low, source: acme.example}"
    loose = on_top(f"resources: [{row}]")
    for kind in ("Namespace", "PersistentVolume", "velero.io/Backup", "apps/StatefulSet"):
        assert facts(kind, loose) == facts(kind)


def test_a_user_may_override_when_they_say_so() -> None:
    row = (
        "{kinds: [Secret], is_a: stateless, criticality: low, source: acme.example, override: true}"
    )
    assert facts("Secret", on_top(f"resources: [{row}]")).is_a is Class.STATELESS
    assert facts("Namespace", on_top(f"resources: [{row}]")) == facts("Namespace")


def test_an_overriding_row_of_terraform_does_the_same() -> None:
    row = "types: [aws_subnet], criticality: low, source: acme.example"
    text = f"resources: [{{{row}, is_a: access, override: true}}]"
    found, problems = taxonomies([("terraform_own.yaml", text)])
    assert problems == ()
    taxonomy = found["terraform"]
    assert isinstance(taxonomy, terraform.Taxonomy)
    overridden = taxonomy.facts("aws_subnet", None)
    assert overridden is not None
    assert overridden.is_a is terraform.Class.ACCESS
    untouched = terraform.shipped().facts("aws_db_instance", None)
    assert taxonomy.facts("aws_db_instance", None) == untouched


def test_the_name_of_a_table_says_what_it_is_about() -> None:
    found, (problem,) = taxonomies([("own.yaml", f"resources: [{ROW}]")])
    assert found == {}
    assert "`kubernetes`" in problem.message
