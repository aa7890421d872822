"""Sets with more elements than are told apart: a proof is for every size, and what is not known is said."""

import pytest
from test_analyzer import compiled, proofs

from interlock.analyzer.diff import compare
from interlock.analyzer.findings import findings
from interlock.analyzer.prove import Verdict
from interlock.analyzer.witness import Vocabulary
from interlock.compiler import compile_policies
from interlock.compiler.backends.smt.places import MAX_SLOTS
from interlock.compiler.ir import PolicySet
from interlock.lang.diagnostics import has_errors
from interlock.lang.loader import load_texts

PROVED, REFUTED, UNKNOWN, VACUOUS = (
    Verdict.PROVED,
    Verdict.REFUTED,
    Verdict.UNKNOWN,
    Verdict.VACUOUS,
)
CROWDS = """
module crowds
entity User
entity Group { members: Set<User> }
entity Room { groups: Set<Group> }
action enter { principal User resource Room }
permit all {}
"""


@pytest.mark.parametrize(
    ("policies", "verdict"),
    [
        ("permit a { when S.size >= 20 } prove p { permitted only if S.size >= 18 }", PROVED),
        ("permit a { when S.size >= 18 } prove p { permitted only if S.size >= 20 }", UNKNOWN),
        ("permit a { when S.size <= 16 } prove p { when S.size >= 17 never permitted }", PROVED),
        ("permit a {} prove p { when S.size >= 20 never permitted }", UNKNOWN),
        (
            "permit a {} prove p { when S.size >= 20 and S.size <= 18 never permitted }",
            VACUOUS,
        ),
        (
            "permit a { when S.sum(x => 1) > 3 } prove p { permitted only if S.size > 3 }",
            PROVED,
        ),
        (
            "permit a { when S.sum(x => 1) > 20 } prove p { permitted only if S.size > 20 }",
            UNKNOWN,
        ),
        (
            "permit a { when S.sum(x => 1) > 3 } prove p { permitted only if S.size > 4 }",
            REFUTED,
        ),
        (
            # What is known of elements that are told apart stays known.
            "permit a { when S.size >= 20 and S.all(x => x.by == principal) }"
            "prove p { permitted only if S.any(x => x.by == principal) }",
            PROVED,
        ),
        (
            "permit a { when S.size >= 20 and S.any(x => x.by == principal) }"
            "prove p { permitted only if S.count(x => x.by == principal) >= 1 }",
            UNKNOWN,
        ),
        (
            "permit a { when S.count(x => x.by == principal) >= 2 and S.size >= 20 }"
            "prove p { permitted only if S.size >= 19 }",
            PROVED,
        ),
        (
            # A rule that adds up makes nothing unknown where it does not apply.
            "permit a { when resource.size > 1 and S.sum(x => 1) > 20 }"
            "permit b { when resource.size < 5 and S.any(x => x.by == principal) }"
            "prove p { when resource.size < 0 permitted only if S.size > 0 }",
            PROVED,
        ),
    ],
)
def test_verdicts_are_for_every_size(policies: str, verdict: Verdict) -> None:
    text = policies.replace("S.", "resource.approvals.")
    (proof,) = proofs(text)[2]
    assert proof.verdict is verdict, proof.why
    if verdict is UNKNOWN:
        assert f"at most {MAX_SLOTS} elements" in proof.why


def crowds(rules: str) -> PolicySet:
    checked, problems = load_texts({"crowds.ilk": CROWDS + rules})
    policies, more = compile_policies(checked)
    assert not has_errors(problems + more)
    return policies


def test_a_difference_in_large_sets_is_a_doubt() -> None:
    everyone = compiled("permit all {}")[1]
    guarded = compiled("permit all {} forbid many { when resource.approvals.size >= 17 }")[1]
    found = compare(guarded, everyone, Vocabulary())
    assert not found.regions or found.regions[0].is_gain
    assert not found.is_equivalent and not found.is_no_more_permissive


def test_a_difference_in_large_inner_sets_is_a_doubt() -> None:
    guarded = crowds("forbid crowd { when resource.groups.any(g => g.members.size >= 5) }")
    found = compare(guarded, crowds(""), Vocabulary())
    assert found.doubts and not found.is_equivalent
    assert compare(guarded, guarded, Vocabulary()).is_equivalent


@pytest.mark.parametrize("size", [5, 17, 30])
def test_no_rule_about_large_sets_is_called_useless(size: int) -> None:
    rules = "permit small { when resource.approvals.size <= N } forbid many { when resource.approvals.size >= N }"
    rules = rules.replace("N", str(size))
    assert not [found for found in findings(compiled(rules)[1]) if found.rule.id == "many"]
    inner = crowds(f"forbid crowd {{ when resource.groups.any(g => g.members.size >= {size}) }}")
    assert findings(inner) == []


def test_what_two_sets_say_alike_of_large_sets_is_no_difference() -> None:
    rules = "permit a { when resource.approvals.sum(x => 1) > 20 and resource.approvals.all(x => x.by == principal) }"
    extra = compiled(rules + "permit b { when resource.size > 3 and resource.size < 2 }")[1]
    assert compare(compiled(rules)[1], extra, Vocabulary()).is_equivalent
