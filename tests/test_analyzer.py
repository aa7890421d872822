"""What the analyzer says: verdicts, why, what nobody claims, what does nothing, what changed, what would help."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from interlock.analyzer import proof_store
from interlock.analyzer.coverage import coverage
from interlock.analyzer.diff import compare
from interlock.analyzer.findings import Kind, findings
from interlock.analyzer.goals import goals_of
from interlock.analyzer.proof_store import ProofStore
from interlock.analyzer.prove import Proof, Verdict, prove_goal
from interlock.analyzer.repair import repairs
from interlock.analyzer.run import prove_all
from interlock.analyzer.solver import Answer, Session
from interlock.analyzer.telling import guards, said
from interlock.analyzer.telling import test_source as source_of_test
from interlock.analyzer.vocabulary import vocabulary_of
from interlock.analyzer.why import explain
from interlock.compiler import compile_policies
from interlock.compiler.ir import PolicySet
from interlock.compiler.testing import run_tests
from interlock.compiler.wire import read_entities
from interlock.lang.checked import Checked
from interlock.lang.diagnostics import has_errors
from interlock.lang.loader import load_texts
from interlock.lang.syntax import Outcome

SHOP = """
module shop
enum Level ordered { low, high }
entity Team
entity User in Team { level: Level, tags: Set<String>, boss: User? }
type Approval = { by: User, note: String? }
entity File in Folder { name: String, owner: User, size: Int, approvals: Set<Approval> }
entity Folder in Folder
action read, delete { principal User  resource File  context { ip: IpRange, at: Instant } }
"""


def compiled(text: str) -> tuple[Checked, PolicySet]:
    checked, problems = load_texts({"shop.ilk": SHOP + text})
    policies, more = compile_policies(checked)
    assert not has_errors(problems + more), problems + more
    return checked, policies


def proofs(text: str) -> tuple[Checked, PolicySet, list[Proof]]:
    checked, policies = compiled(text)
    goals, problems = goals_of(checked)
    assert not problems
    vocabulary = vocabulary_of(checked)
    return checked, policies, [prove_goal(policies, goal, vocabulary) for goal in goals]


def verdict(text: str) -> Verdict:
    (proof,) = proofs(text)[2]
    assert "please report" not in proof.why
    return proof.verdict


PROVED, REFUTED, VACUOUS, UNKNOWN = (
    Verdict.PROVED,
    Verdict.REFUTED,
    Verdict.VACUOUS,
    Verdict.UNKNOWN,
)


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        # Globs.
        (
            'permit a { when resource.name like "tmp/*" }  prove p { unless resource.name like "t*" never permitted }',
            PROVED,
        ),
        (
            'permit a { when resource.name like "tmp/*" }  prove p { unless resource.name like "*/log" never permitted }',
            REFUTED,
        ),
        (
            'permit a { when resource.name like "a*" and resource.name like "*b" and resource.name != "ab" } prove p { unless resource.name like "a*b" never permitted }',
            PROVED,
        ),
        (
            'permit a { when resource.name like "*a*" and resource.name like "*b*" } prove p { unless resource.name like "*a*b*" or resource.name like "*b*a*" never permitted }',
            PROVED,
        ),
        # Numbers, alone and together.
        (
            "permit a { when resource.size > 10 }  prove p { when resource.size < 11 never permitted }",
            PROVED,
        ),
        (
            "permit a { when resource.size > 10 }  prove p { when resource.size < 12 never permitted }",
            REFUTED,
        ),
        (
            "permit a { when resource.size * 2 > 20 }  prove p { permitted only if resource.size > 10 }",
            PROVED,
        ),
        (
            'permit a { when context.at > instant("2026-01-01T00:00:00Z") + 1h } prove p { when context.at < instant("2026-01-01T00:30:00Z") never permitted }',
            PROVED,
        ),
        # Addresses: a block is inside, outside or beside.
        (
            'permit a { when context.ip in ip("10.0.0.0/8") } prove p { when context.ip in ip("10.1.0.0/16") never permitted }',
            REFUTED,
        ),
        (
            'permit a { when context.ip in ip("10.0.0.0/8") } prove p { when context.ip in ip("11.0.0.0/8") never permitted }',
            PROVED,
        ),
        (
            'permit a { when context.ip in ip("10.0.0.0/31") unless context.ip in ip("10.0.0.0/32") or context.ip in ip("10.0.0.1/32") or context.ip == ip("10.0.0.0/31") } prove p { never permitted }',
            PROVED,
        ),
        # Hierarchy: transitive, reflexive, without cycles.
        (
            'permit a { resource in Folder::"a" } prove p { resource in Folder::"b" when Folder::"b" in Folder::"a" always permitted }',
            PROVED,
        ),
        (
            'permit a { resource in Folder::"a" } prove p { resource in Folder::"b" always permitted }',
            REFUTED,
        ),
        (
            'permit a { when Folder::"a" in Folder::"b" and Folder::"b" in Folder::"a" } prove p { never permitted }',
            PROVED,
        ),
        # Entities that are equal have equal attributes.
        (
            "permit a { when principal == resource.owner and principal.level == low } prove p { permitted only if resource.owner.level == low }",
            PROVED,
        ),
        (
            "permit a { when principal.level == low } prove p { permitted only if resource.owner.level == low }",
            REFUTED,
        ),
        (
            'permit a { when principal == User::"x" and resource.owner == User::"x" } prove p { permitted only if principal.level == resource.owner.level }',
            PROVED,
        ),
        # Optional attributes.
        (
            "permit a { when principal has boss and principal.boss.level == high } prove p { permitted only if principal has boss }",
            PROVED,
        ),
        (
            "permit a { when (principal.boss ?? principal).level == high } prove p { unless principal has boss permitted only if principal.level == high }",
            PROVED,
        ),
        # Sets, quantifiers, quorums.
        (
            'permit a { when principal.tags contains "x" } prove p { permitted only if principal.tags.size > 0 }',
            PROVED,
        ),
        (
            "permit a { when resource.approvals.size >= 2 } prove p { permitted only if resource.approvals.distinct(a => a.by).size >= 2 }",
            REFUTED,
        ),
        (
            "permit a { when resource.approvals.distinct(a => a.by).size >= 3 } prove p { permitted only if resource.approvals.any(a => a.by != resource.owner) }",
            PROVED,
        ),
        (
            "permit a { when resource.approvals.all(a => a.by.level == high) and resource.approvals.size > 0 } prove p { permitted only if resource.approvals.any(a => a.by.level == high) }",
            PROVED,
        ),
        (
            'permit a { when principal.tags subset_of {"x", "y"} } prove p { permitted only if principal.tags.size <= 2 }',
            PROVED,
        ),
        (
            'permit a { when principal.tags subset_of {"x", "y"} } prove p { permitted only if principal.tags.size <= 1 }',
            REFUTED,
        ),
        (
            "permit a { when resource.approvals.count(a => a.by.level == high) == 2 } prove p { permitted only if resource.approvals.size >= 2 }",
            PROVED,
        ),
        ("permit a { when principal.tags.size >= 2 } prove p { never permitted }", REFUTED),
        # Decisions.
        ("permit a {} forbid f { action delete } prove p { action delete denied by f }", PROVED),
        (
            "permit a {} forbid f { action delete when principal.level == low } prove p { action delete denied by f }",
            REFUTED,
        ),
        (
            'permit a {} require r { need principal.level == high "h" } prove p { held unless principal.level == high }',
            PROVED,
        ),
        (
            'permit a {} require r { need principal.level == high "h" } prove p { when principal.level == low always denied }',
            REFUTED,
        ),
        ("permit a {} prove p { never fails }", PROVED),
        (
            "permit a {} prove p { when principal.level == low and principal.level == high never permitted }",
            VACUOUS,
        ),
    ],
)
def test_verdicts(policies: str, expected: Verdict) -> None:
    assert verdict(policies) is expected


JOINED = """
module joined
enum Only ordered { one }
entity User { only: Only? }
entity A { r: { x: Int } }
entity B { r: { x: Int? } }
entity Backup { healthy: Bool, twin: Backup? }
entity P { boss: User, crew: Set<User>, card: { by: User, at: Int } }
entity Q { boss: A, crew: Set<A>, card: { by: A | User, at: Int? } }
action read { principal User resource A | B context { t: A } }
action visit { principal P | Q resource User context { from: IpRange, home: IpRange, office: IpRange } }
entity Voter { votes: Set<{ by: Voter, weight: Int }>, card: { by: User?, at: Int? } }
action meet { principal Voter resource Voter }
action pair { principal P | Q resource P | Q }
action disarm { principal User resource Backup context { other: Backup } effects { resource.healthy = false } }
"""


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        (
            "permit p { action read when resource.r has x }"
            "prove p1 { action read resource A always permitted }",
            PROVED,
        ),
        (
            "permit p { action read when not (resource.r has x) or resource.r.x < 5 }"
            "prove p1 { action read when resource == context.t permitted only if context.t.r.x < 5 }",
            PROVED,
        ),
        (
            "permit p { action read when not (resource.r has x) or resource.r.x < 5 }"
            "prove p1 { action read permitted only if resource.r has x }",
            REFUTED,
        ),
        (
            "permit p { action disarm when context.other.healthy and context.other != resource }"
            "prove p1 { for any sequence of permitted actions always exists b: Backup where b.healthy }",
            PROVED,
        ),
        (
            "permit p { action disarm when resource has twin and resource.twin.healthy and resource.twin != resource }"
            "prove p1 { for any sequence of permitted actions always exists b: Backup where b.healthy }",
            PROVED,
        ),
        (
            # An optional one that is absent is no other.
            "permit p { action disarm when not (resource has twin) or resource.twin != resource }"
            "prove p1 { for any sequence of permitted actions always exists b: Backup where b.healthy }",
            REFUTED,
        ),
        (
            "permit p { action disarm when context.other.healthy }"
            "prove p1 { for any sequence of permitted actions always exists b: Backup where b.healthy }",
            REFUTED,
        ),
        (
            # What a type declares more narrowly than another, it has so.
            "permit p { action visit when principal.boss is User }"
            "prove p1 { action visit permitted only if principal is P }",
            PROVED,
        ),
        (
            "permit p { action visit when principal.crew.any(one => one is User) }"
            "prove p1 { action visit permitted only if principal is P }",
            PROVED,
        ),
        (
            "permit p { action visit when principal.card.by is A }"
            "prove p1 { action visit permitted only if principal is Q }",
            PROVED,
        ),
        (
            "permit p { action visit when not (principal.card has at) }"
            "prove p1 { action visit permitted only if principal is Q }",
            PROVED,
        ),
        (
            # However many elements there are.
            "permit p { action pair when principal == resource }"
            "prove p1 { action pair permitted only if principal.crew == resource.crew }",
            PROVED,
        ),
        (
            # Blocks of addresses that are both open.
            'permit p { action visit when context.from in context.home and context.home in ip("10.0.0.0/8") }'
            'prove p1 { action visit permitted only if context.from in ip("10.0.0.0/8") }',
            PROVED,
        ),
        (
            "permit p { action visit when context.from in context.home and context.home == context.office }"
            "prove p1 { action visit permitted only if context.from in context.office }",
            PROVED,
        ),
        (
            'permit p { action visit when ip("10.0.0.1") in context.home }'
            'prove p1 { action visit when context.home in ip("11.0.0.0/8") never permitted }',
            PROVED,
        ),
        (
            "permit p { action visit when context.from in context.home }"
            "prove p1 { action visit permitted only if context.from in context.office }",
            REFUTED,
        ),
        (
            # What is asked of an entity under one name is shown under all of its names.
            "permit p { action meet when principal.votes.any(v => v.weight > 1) and principal.card has at } "
            "forbid f { action meet unless resource.votes.any(v => v.by == principal) and resource.card has by }"
            "prove p1 { action meet when principal == resource never permitted }",
            REFUTED,
        ),
        (
            # An enum of one member is that member.
            "permit p { action read when principal has only and principal.only == one }"
            "prove p1 { action read when principal has only always permitted }",
            PROVED,
        ),
    ],
)
def test_verdicts_about_several_types_and_several_entities(
    policies: str, expected: Verdict
) -> None:
    checked, problems = load_texts({"joined.ilk": JOINED + policies})
    compiled_policies, more = compile_policies(checked)
    assert not has_errors(problems + more), problems + more
    (goal,) = goals_of(checked)[0]
    assert prove_goal(compiled_policies, goal, vocabulary_of(checked)).verdict is expected


def test_a_counterexample_has_only_what_matters() -> None:
    checked, policies, (proof,) = proofs(
        'permit a { when resource.size > 100 unless resource.name like "x*" }'
        "prove p { never permitted }"
    )
    found = proof.counterexample
    assert found is not None
    assert set(found.entities.known[found.request.resource].attributes) == {"size", "name"}
    assert not found.request.context
    assert found.decision.outcome is Outcome.PERMIT
    assert not guards(checked, policies, found)


def test_names_come_from_the_policies_own_tests() -> None:
    _, _, proof_list = proofs(
        "permit a {}  prove p { never permitted }"
        'test t { principal User::"ada" action read resource File::"q3" expect permit by a }'
    )
    found = proof_list[0].counterexample
    assert found is not None
    assert (found.request.principal.id, found.request.resource.id) == ("ada", "q3")


def test_a_guard_says_why_it_did_not_apply() -> None:
    checked, policies, (proof,) = proofs(
        "permit a {} forbid f { action delete when principal.level == low }"
        "prove p { action delete never permitted }"
    )
    assert proof.counterexample is not None
    (guard,) = guards(checked, policies, proof.counterexample)
    assert guard.message == "`principal.level == low` does not hold"


def test_a_saved_counterexample_is_a_test_that_passes() -> None:
    text = (
        'permit a { when resource.approvals.size >= 2 and context.ip in ip("10.0.0.0/8") } '
        'prove p { when context.at > instant("2026-01-01T00:00:00Z") '
        "permitted only if resource.approvals.distinct(a => a.by).size >= 2 }"
    )
    checked, _, (proof,) = proofs(text)
    saved = source_of_test(checked, proof)
    body = saved[saved.index("\ntest ") :]
    again, policies = compiled(text + body)
    (result,) = run_tests(again, policies)
    assert result.failure is None, saved


def test_a_proof_names_what_it_rests_on() -> None:
    _, policies, (proof,) = proofs(
        "permit a {} forbid f { action delete unless principal.level == high }"
        'forbid g { when resource.name == "x" }'
        "prove p { action delete when principal.level == low never permitted }"
    )
    told = explain(policies, proof)
    assert {item.rule for item in told.because} == {"f"}
    assert any(item.span.text == "unless principal.level == high" for item in told.because)


def test_coverage_names_guards_that_no_claim_protects() -> None:
    _, policies, found = proofs(
        "permit a {} forbid f { action delete } forbid g { when principal.level == low }"
        "prove p { action delete never permitted }"
    )
    told = coverage(policies, found)
    assert [(edit.rule, edit.edit) for edit in told.unproved] == [("g", "deleted")]
    assert told.noticed["f"] == ("p",)


@pytest.mark.parametrize(
    ("rules", "unproved"),
    [
        # Conditions that share the text of a definition are parts of their own.
        (
            'define low_one(u: User) -> Bool = u.level == low and not (u.tags contains "x")'
            "permit a { when low_one(principal) when low_one(resource.owner) }"
            "prove p { permitted only if principal.level == low }",
            [
                'widened by leaving out `not (u.tags contains "x")` of `low_one(principal)`',
                "widened by leaving out `u.level == low` of `low_one(resource.owner)`",
                'widened by leaving out `not (u.tags contains "x")` of `low_one(resource.owner)`',
            ],
        ),
        (
            "permit a {} require r { need resource.size > 3 need principal.level == high and resource.size < 9 }"
            "prove p { permitted only if resource.size > 3 and principal.level == high }",
            ["eased by leaving out `resource.size < 9`"],
        ),
        (
            "permit a {} forbid f { when resource.size > 3 or principal.level == low }"
            "prove p { when resource.size > 5 never permitted }",
            ["narrowed by leaving out `principal.level == low`"],
        ),
        (
            "permit a {} forbid f { unless resource.size > 3 and principal.level == low }"
            "prove p { permitted only if resource.size > 3 }",
            ["narrowed by leaving out `principal.level == low`"],
        ),
        # Without the first condition nothing more is permitted: what follows could not be read.
        (
            "permit a { when principal has boss and principal.boss.level == high }"
            "prove p { permitted only if principal has boss and principal.boss.level == high }",
            [],
        ),
        (
            "permit a { when (resource.size > 3 and principal.level == low) or resource.size < 2 }"
            "prove p { permitted only if principal.level == low or resource.size < 2 }",
            ["widened by leaving out `resource.size > 3`"],
        ),
    ],
)
def test_whatever_can_be_left_out_of_a_rule_is_tried_alone(rules: str, unproved: list[str]) -> None:
    _, policies, found = proofs(rules)
    assert all(proof.verdict is PROVED for proof in found)
    told = coverage(policies, found)
    assert [edit.message for edit in told.unproved] == unproved
    assert not told.undecided


def test_coverage_takes_an_inventory_as_given() -> None:
    checked, policies = compiled(
        'permit a {} forbid f { when principal == User::"root" and User::"root".level == high }'
        "forbid g { when resource.size > 3 }"
        'prove p { when principal == User::"root" never permitted }'
    )
    (goal,), _ = goals_of(checked)
    inventory = read_entities(policies.schema, INVENTORY)
    proof = prove_goal(policies, goal, vocabulary_of(checked, inventory), inventory=inventory)
    assert proof.verdict is PROVED
    told = coverage(policies, [proof], inventory=inventory)
    assert [edit.rule for edit in told.unproved] == ["g"]
    assert told.noticed == {"f": ("p",)}


def test_an_edit_that_cannot_be_decided_is_listed() -> None:
    _, policies, found = proofs(
        "permit a {} forbid many { action read when resource.approvals.size >= 17 } forbid f { action delete }"
        "prove p { action delete never permitted }"
    )
    told = coverage(policies, found)
    (edit,) = told.undecided
    assert (edit.rule, str(edit.edit)) == ("many", "deleted")
    assert edit.why == "resource.approvals has at most 16 elements"
    assert not told.unproved
    assert told.noticed == {"f": ("p",)}


def test_a_proof_tells_apart_what_is_written_once_and_used_twice() -> None:
    _, policies, (proof,) = proofs(
        "define old_low(u: User) -> Bool = u.level == low and u.tags.size > 3 "
        "permit a { when old_low(principal) when old_low(resource.owner) }"
        "prove p { permitted only if principal.level == low and resource.owner.level == low }"
    )
    told = explain(policies, proof)
    assert [said(item.span, "") for item in told.because] == [
        "u.level == low of old_low(principal)",
        "u.level == low of old_low(resource.owner)",
    ]


def test_rules_that_do_nothing_are_found_jointly() -> None:
    _, policies = compiled(
        "permit low { when principal.level == low } permit high { when principal.level == high }"
        "permit all { when resource.size > 1 } forbid f { action delete }"
        "permit never { when resource.size > 3 and resource.size < 2 }"
        "permit lost { action delete when resource.size > 7 }"
    )
    told = {item.rule.id: item for item in findings(policies)}
    assert told["all"].kind is Kind.SHADOWED
    assert told["all"].cover == ("high", "low")
    assert told["never"].kind is Kind.NEVER_APPLIES
    assert told["lost"].kind is Kind.OVERRIDDEN and told["lost"].cover == ("f",)
    assert not told.keys() & {"low", "high", "f"}


def test_a_need_that_nothing_meets_is_found() -> None:
    _, policies = compiled(
        'permit a {} require r { need resource.size > 3 and resource.size < 2 "x" }'
    )
    (finding,) = findings(policies)
    assert finding.kind is Kind.UNSATISFIABLE_NEED


def test_a_difference_is_told_by_region_with_a_request_each() -> None:
    checked, before = compiled("permit a { when resource.size < 10 } forbid f { action delete }")
    _, after = compiled("permit a { when resource.size < 20 }")
    found = compare(before, after, vocabulary_of(checked))
    assert not found.doubts
    told = {(str(r.before), str(r.after), r.rules_before, r.rules_after) for r in found.regions}
    assert told == {
        ("deny", "permit", (), ("a",)),
        ("deny", "permit", ("f",), ("a",)),
    }
    assert not found.is_no_more_permissive
    assert compare(after, before, vocabulary_of(checked)).is_no_more_permissive
    assert compare(after, after, vocabulary_of(checked)).is_equivalent


def test_a_repair_is_proved_and_tried_on_the_tests() -> None:
    checked, policies, (proof,) = proofs(
        "permit a {} forbid f { action delete when principal.level == low }"
        "prove p { action delete never permitted }"
    )
    best = repairs(checked, policies, proof)[0]
    assert best.message == "leave `principal.level == low` out of `f`, so that it applies here too"
    assert not best.breaks


def test_a_repair_takes_an_inventory_as_given() -> None:
    checked, policies = compiled(
        "permit a {}"
        'forbid f { when principal == User::"root" and User::"root".level == high and resource.size > 3 }'
        'prove p { when principal == User::"root" never permitted }'
    )
    (goal,), _ = goals_of(checked)
    inventory = read_entities(policies.schema, INVENTORY)
    proof = prove_goal(policies, goal, vocabulary_of(checked, inventory), inventory=inventory)
    best = repairs(checked, policies, proof, inventory=inventory)[0]
    assert best.message == "leave `resource.size > 3` out of `f`, so that it applies here too"


def test_a_repair_leaves_out_one_use_of_a_definition() -> None:
    checked, policies, (proof,) = proofs(
        "define low_one(u: User) -> Bool = u.level == low "
        "permit a {} forbid f { when low_one(principal) when low_one(resource.owner) }"
        "prove p { when principal.level == low never permitted }"
    )
    best = repairs(checked, policies, proof)[0]
    assert best.message == "leave `low_one(resource.owner)` out of `f`, so that it applies here too"


def test_a_claim_that_runs_out_of_time_is_undecided() -> None:
    checked, policies = compiled("permit a {} prove p { never permitted }")
    goals, _ = goals_of(checked)
    (proof,) = prove_all(checked, policies, goals, timeout=0.000_001)
    assert proof.verdict is UNKNOWN
    assert "time limit" in proof.why


GUARDED = (
    'permit a { when resource.name like "tmp/*" and principal == resource.owner }'
    'prove p { unless resource.name like "t*" and principal.level == resource.owner.level never permitted }'
)


def stored(tmp_path: Path) -> tuple[ProofStore, Checked, PolicySet]:
    store = ProofStore(tmp_path)
    checked, policies = compiled(GUARDED)
    goals, _ = goals_of(checked)
    (proof,) = prove_all(checked, policies, goals, store=store)
    assert proof.verdict is PROVED
    assert len(proof.certificates) == 1
    return store, checked, policies


def test_an_unchanged_claim_is_checked_and_not_solved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, checked, policies = stored(tmp_path)
    goals, _ = goals_of(checked)
    solved = explain(policies, prove_goal(policies, goals[0], vocabulary_of(checked)))
    asked = count_solving(monkeypatch)
    proof = prove_goal(policies, goals[0], vocabulary_of(checked), store=store)
    proof = explain(policies, proof, store=store)
    assert proof.verdict is PROVED
    assert proof.because == solved.because != ()
    assert not asked


@pytest.mark.parametrize(
    "change",
    [("tmp/*", "tmp/a*"), ("permit a", "permit b")],
    ids=["another condition", "another name"],
)
def test_what_changed_is_solved_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str]
) -> None:
    store, _, _ = stored(tmp_path)
    checked, policies = compiled(GUARDED.replace(*change))
    goals, _ = goals_of(checked)
    asked = count_solving(monkeypatch)
    proof = prove_goal(policies, goals[0], vocabulary_of(checked), store=store)
    assert explain(policies, proof, store=store).because[0].rule in {"a", "b"}
    assert asked


@pytest.mark.parametrize("forgery", [None, [], {}, "honest", {"request": 1, "entities": 2}])
def test_a_forged_request_makes_no_claim_speak(tmp_path: Path, forgery: object) -> None:
    """A claim about no request is vacuous, whatever the store says."""
    store, _, _ = stored(tmp_path)
    request = store.read_request("p") if forgery == "honest" else json.dumps(forgery)
    assert request is not None
    checked, policies = compiled(
        GUARDED.replace("p {", "p { when resource.size > 3 and resource.size < 2")
    )
    store.write_told("p", "", request, [])
    (goal,), _ = goals_of(checked)
    proof = prove_goal(policies, goal, vocabulary_of(checked), store=store)
    assert proof.verdict is VACUOUS


def test_a_kept_request_is_replayed_with_what_is_known(tmp_path: Path) -> None:
    text = 'permit a {} forbid f {} prove p { when User::"root".level == low never permitted }'
    checked, policies = compiled(text)
    goals, _ = goals_of(checked)
    store = ProofStore(tmp_path)
    (proof,) = prove_all(checked, policies, goals, store=store)
    assert proof.verdict is PROVED
    inventory = read_entities(policies.schema, INVENTORY)
    (proof,) = prove_all(checked, policies, goals, store=store, inventory=inventory)
    assert proof.verdict is VACUOUS


def count_solving(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A list that grows with each question to a solver."""
    asked: list[object] = []
    original = Session.solve

    def solve(self: Session, assumptions: Sequence[int] = ()) -> Answer:
        asked.append(assumptions)
        return original(self, assumptions)

    monkeypatch.setattr(Session, "solve", solve)
    return asked


@pytest.mark.parametrize(
    "forgery",
    [
        [],
        ["lemma", "step 0 3"],
        ["clause 2", "clause -2", "step 0 3 4"],
        ["clause", "step 0 3"],
        [
            'atom 2 {"glob": ["x", ["a"]]}',
            'atom 3 {"glob": ["x", ["b"]]}',
            "lemma -2 -3",
            "step 0 5",
        ],
        ["step 0 4", "step 0 3"],
        ["step 0"],
    ],
)
def test_a_forged_certificate_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgery: list[str]
) -> None:
    """Whoever can write the folder, and make its keys, can make a proof cheaper, never make one up."""
    monkeypatch.setattr(proof_store, "_key", lambda *_: "0" * 64)
    store, checked, _ = stored(tmp_path)
    _, weaker = compiled(GUARDED.replace("tmp/*", "*"))
    goals, _ = goals_of(checked)
    honest = store.read("p", 0)
    assert honest is not None
    forged = [*honest.splitlines()[:2], *forgery] if forgery else honest.splitlines()
    store.write("p", 0, "\n".join(forged) + "\n")
    proof = prove_goal(weaker, goals[0], vocabulary_of(checked), store=store)
    assert proof.verdict is REFUTED


INVENTORY = [
    {
        "uid": {"type": "User", "id": "root"},
        "attrs": {"level": "high", "tags": ["a", "b", "c", "d"]},
    },
    {"uid": {"type": "Folder", "id": "tmp"}},
    {"uid": {"type": "Folder", "id": "scratch"}, "parents": [{"type": "Folder", "id": "tmp"}]},
]


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ('permit a { when User::"root".level == low } prove p { never permitted }', PROVED),
        ('permit a { when User::"root".level == low } prove p { when principal.level == low never permitted }', PROVED),
        ('permit a { when User::"root".tags.size == 4 } prove p { always permitted }', PROVED),
        ('permit a { when User::"root".tags contains "z" } prove p { when principal.level == low never permitted }', PROVED),
        ('permit a { resource in Folder::"tmp" } prove p { resource in Folder::"scratch" always permitted }', PROVED),
        ('permit a { resource in Folder::"scratch" } prove p { resource in Folder::"tmp" always permitted }', REFUTED),
    ],
)  # fmt: skip
def test_an_inventory_is_taken_as_given(policies: str, expected: Verdict) -> None:
    checked, compiled_policies = compiled(policies)
    (goal,), _ = goals_of(checked)
    inventory = read_entities(compiled_policies.schema, INVENTORY)
    assert not inventory.invalid
    vocabulary = vocabulary_of(checked, inventory)
    proof = prove_goal(compiled_policies, goal, vocabulary, inventory=inventory)
    assert proof.verdict is expected
    assert "please report" not in proof.why
