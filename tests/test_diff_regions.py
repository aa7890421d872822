"""Regions of change against every request of a small world: what is said of a region holds, and nothing is left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.analyzer.diff import Difference, Edit, Region, compare
from interlock.analyzer.witness import Vocabulary
from interlock.compiler import compile_policies
from interlock.compiler.decision import Decision, Request
from interlock.compiler.entities import Entities
from interlock.compiler.ir import PolicySet
from interlock.compiler.reference import decide
from interlock.compiler.wire import read_entities
from interlock.lang.diagnostics import has_errors
from interlock.lang.loader import load_texts
from interlock.lang.values import EntityId, Record

SCHEMA = """
enum Stage ordered { test, live }
entity Agent
entity Human
entity Zone { stage: Stage }
entity Table { rows: Int, audited: Bool, name: String, zone: Zone, labels: Set<String>, stages: Set<Stage> }
action drop, read { principal Agent | Human resource Table }
"""
ROWS = (0, 5, 9, 10, 11, 19, 20, 99)
NAMES = ("orders", "tmp_x", "tmp_")
LABELS: tuple[list[str], ...] = ([], ["pii"], ["old"], ["old", "pii"])
STAGES: tuple[list[str], ...] = ([], ["live"], ["live", "test"])
NO_SETS: tuple[list[str], ...] = ([],)
TABLES = (
    *product(ROWS, (False, True), NAMES, ("test", "live"), NO_SETS, NO_SETS),
    *product(ROWS[:1], (False, True), NAMES[:1], ("test",), LABELS, STAGES),
)
"""Every set beside every number would make the world too large."""


def compiled(rules: str) -> PolicySet:
    checked, problems = load_texts({"policy.ilk": SCHEMA + rules})
    policies, more = compile_policies(checked)
    assert not has_errors(problems + more), [*map(str, problems + more), rules]
    return policies


@dataclass(frozen=True)
class Asked:
    """A request of the small world, with its store."""

    request: Request
    entities: Entities

    def decision(self, policies: PolicySet) -> Decision:
        return decide(policies, self.request, self.entities)


def world() -> Iterator[Asked]:
    schema = compiled("permit all {}").schema
    kinds = product(("Agent", "Human"), ("drop", "read"), TABLES)
    for principal, action, (rows, audited, name, stage, labels, stages) in kinds:
        table = {
            "rows": rows,
            "audited": audited,
            "name": name,
            "zone": {"type": "Zone", "id": "z"},
            "labels": labels,
            "stages": stages,
        }
        document = [
            {"uid": {"type": "Table", "id": "t"}, "attrs": table},
            {"uid": {"type": "Zone", "id": "z"}, "attrs": {"stage": stage}},
            {"uid": {"type": principal, "id": "p"}},
        ]
        request = Request(EntityId(principal, "p"), action, EntityId("Table", "t"), Record())
        yield Asked(request, read_entities(schema, document))


WORLD = tuple(world())


def said(region: Region) -> PolicySet:
    """A policy set that permits exactly what is said of the requests of a region."""
    rules = []
    for number, kind in enumerate(region.environments):
        scope = f"principal {kind.principal}\naction {kind.action}\nresource {kind.resource}"
        facts = "\n".join(f"when {fact}" for fact in region.facts.texts)
        rules.append(f"permit kind_{number} {{ {scope}\n{facts} }}")
    return compiled("\n".join(rules))


def check_regions(before: str, after: str) -> Difference:
    """Every request that changes is in a region of its outcomes; what is in an exact one changes so."""
    old, new = compiled(before), compiled(after)
    found = compare(old, new, Vocabulary())
    assert not found.doubts
    told = [(region, said(region)) for region in found.regions]
    names = {rule.id for rule in (*old.rules, *new.rules)}
    for region in found.regions:
        assert region.causes and {cause.rule for cause in region.causes} <= names
        changed = (
            decide(old, region.example.request, region.example.entities).outcome,
            region.after,
        )
        assert changed == (region.before, region.example.decision.outcome)
    for asked in WORLD:
        one, other = asked.decision(old).outcome, asked.decision(new).outcome
        homes = []
        for region, says in told:
            is_said = str(asked.decision(says).outcome) == "permit"
            is_changed = (one, other) == (region.before, region.after)
            if is_said and is_changed:
                homes.append(region)
            assert not (is_said and region.facts.is_exact) or is_changed, (asked, region)
        assert homes or one is other, (asked, one, other)
    return found


def shown(found: Difference) -> list[tuple[str, list[str], list[str], bool]]:
    return [
        (
            f"{region.before} {region.after}",
            [f"{cause.rule} {cause.edit}" for cause in region.causes],
            list(region.facts.texts),
            region.facts.is_exact,
        )
        for region in found.regions
    ]


def test_a_wider_limit_is_told_as_the_numbers_between() -> None:
    found = check_regions(
        "permit a { when resource.rows < 10 }", "permit a { when resource.rows < 20 }"
    )
    facts = ["resource.rows >= 10", "resource.rows < 20"]
    assert shown(found) == [("deny permit", ["a changed"], facts, True)]


def test_what_only_other_rules_say_makes_a_region_not_exact() -> None:
    guard = "forbid g { when resource.audited and resource.zone.stage == live }"
    found = check_regions(
        f"permit a {{}} {guard}", f"permit a {{}} {guard} forbid b {{ action drop }}"
    )
    ((change, causes, facts, exact),) = shown(found)
    assert (change, causes, exact) == ("permit deny", ["b added"], False)
    assert facts == []


def test_a_rename_changes_nothing() -> None:
    assert not check_regions("permit a { action read }", "permit b { action read }").regions


def test_a_deleted_guard_is_one_region_however_many_permits_there_are() -> None:
    permits = " ".join(f"permit p{n} {{ when resource.rows == {n} }}" for n in range(20))
    found = check_regions(f"{permits} forbid g {{ when resource.audited }}", permits)
    ((change, causes, facts, _),) = shown(found)
    assert (change, causes) == ("deny permit", ["g deleted"])
    assert "resource.audited" in facts


def test_two_guards_that_were_deleted_are_named_apart() -> None:
    guards = "forbid f { when resource.audited } forbid g { when resource.rows > 10 }"
    found = check_regions(f"permit a {{}} {guards}", "permit a {}")
    assert sorted(causes for _, causes, _, _ in shown(found)) == [["f deleted"], ["g deleted"]]


def test_two_edits_that_change_nothing_alone_are_named_together() -> None:
    same = "forbid f { when resource.audited } forbid g { when resource.audited }"
    found = check_regions(f"permit a {{}} {same}", "permit a {}")
    assert [causes for _, causes, _, _ in shown(found)] == [["f deleted", "g deleted"]]
    one_stays = check_regions(
        f"permit a {{}} {same}", "permit a {} forbid g { when resource.audited }"
    )
    assert not one_stays.regions


def test_a_permit_that_opens_a_hold_is_the_cause_of_it() -> None:
    need = 'require r { need resource.rows == 0 "empty it" }'
    found = check_regions(f"permit a {{ action read }} {need}", f"permit a {{}} {need}")
    assert {(change, *causes) for change, causes, _, _ in shown(found)} == {
        ("deny permit", "a changed"),
        ("deny hold", "a changed"),
    }


def test_the_cause_of_what_is_deleted_stands_in_the_old_policies() -> None:
    found = check_regions("permit a {}\nforbid f { when resource.audited }", "permit a {}")
    (cause,) = found.regions[0].causes
    assert (cause.edit, cause.span.text) == (Edit.DELETED, "forbid f { when resource.audited }")


def test_kinds_of_request_that_were_not_asked_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlock.analyzer.diff.MAX_ENVIRONMENTS", 3)
    (region,) = compare(
        compiled("permit a { action read }"), compiled("permit a {}"), Vocabulary()
    ).regions
    assert not region.is_counted
    assert {item.action for item in region.environments} == {"drop"}


@pytest.mark.parametrize(
    "fact",
    [
        "resource.audited", "not resource.audited", "resource.rows >= 10", "resource.rows <= 9",
        'resource.name == "tmp_x"', 'resource.name like "tmp_*"', 'not resource.name like "tmp_*"',
        "resource.zone.stage == live", "resource.zone.stage == test",
        'resource.labels contains "pii"', 'not resource.labels contains "pii"', 'resource.stages contains live',
    ],
)  # fmt: skip
def test_a_condition_that_is_added_is_told_again(fact: str) -> None:
    found = check_regions(
        "permit a { action read }",
        f"permit a {{ action read }} permit b {{ action drop when {fact} }}",
    )
    ((_, _, facts, exact),) = shown(found)
    assert exact
    checked = said(found.regions[0])
    wanted = compiled(f"permit b {{ action drop when {fact} }}")
    assert facts
    for asked in WORLD:
        assert asked.decision(checked).outcome == asked.decision(wanted).outcome


CONDITIONS = (
    "resource.audited", "not resource.audited", "resource.rows < 10", "resource.rows > 10", "resource.rows < 20",
    'resource.name like "tmp_*"', "resource.zone.stage == live", "resource.rows == 5 or resource.audited",
    'resource.labels contains "pii"', "not (live in resource.stages)",
)  # fmt: skip


@st.composite
def rules(draw: st.DrawFn, name: str) -> str:
    effect = draw(st.sampled_from(["permit", "permit", "forbid", "require"]))
    scope = draw(
        st.sampled_from(["", "action drop", "action read", "principal Agent", "principal Human"])
    )
    chosen = draw(st.lists(st.sampled_from(CONDITIONS), max_size=2))
    when = " ".join(f"when {item}" for item in chosen)
    need = f'need {draw(st.sampled_from(CONDITIONS))} "so"' if effect == "require" else ""
    return f"{effect} {name} {{ {scope} {when} {need} }}"


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, str]:
    """Two policy sets with some rules in common, some on one side, and some that differ."""
    before: list[str] = []
    after: list[str] = []
    for name in "abcd":
        one, other = draw(rules(name)), draw(rules(name))
        before += draw(st.sampled_from([[one], [one], []]))
        after += draw(st.sampled_from([[one], [other], []]))
    return "\n".join(before or ["permit z {}"]), "\n".join(after or ["permit z {}"])


@given(edits())
def test_regions_hold_every_change_and_what_is_said_of_them(policies: tuple[str, str]) -> None:
    check_regions(*policies)


def risky(members: str, rest: str = "permit small { when resource.risk < medium }") -> PolicySet:
    schema = "entity User entity Disk { risk: Risk } action wipe { principal User resource Disk }"
    checked, problems = load_texts(
        {"risk.ilk": f"enum Risk ordered {{ {members} }} {schema} {rest}"}
    )
    policies, more = compile_policies(checked)
    assert not has_errors(problems + more)
    return policies


def test_a_member_before_others_changes_nothing_for_them() -> None:
    old, new = risky("low, medium, high"), risky("none, low, medium, high")
    assert compare(old, new, Vocabulary()).is_equivalent
    wider = risky("none, low, medium, high", "permit small { when resource.risk < high }")
    (region,) = compare(old, wider, Vocabulary()).regions
    assert region.is_gain and region.facts.texts == ("resource.risk == medium",)


@pytest.mark.parametrize("members", ["high, medium, low", "low, high, medium", "low, medium"])
def test_an_enum_in_another_order_is_a_doubt(members: str) -> None:
    found = compare(risky("low, medium, high"), risky(members), Vocabulary())
    assert found.doubts and not found.is_no_more_permissive


def test_an_enum_that_only_the_old_policies_use_has_its_members_where_they_are_now() -> None:
    used = "permit small { when resource.risk < medium }"
    old = risky("low, medium, high", used)
    unused = risky("none, low, medium, high", "permit all {}")
    (region,) = compare(old, unused, Vocabulary()).regions
    example = region.example
    assert decide(old, example.request, example.entities).outcome is region.before
