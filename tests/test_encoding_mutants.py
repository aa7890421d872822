"""A wrong encoding does not go unnoticed: for each of these mistakes, an example on which the evaluator contradicts it.

A mistake that finds too much gives a counterexample that does not reproduce. One that finds too little proves a claim
that a request breaks, which the encoding without the mistake has found.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from interlock.analyzer.goals import goals_of
from interlock.analyzer.prove import Proof, Verdict, is_broken, prove_goal
from interlock.analyzer.witness import Vocabulary
from interlock.compiler import compile_policies
from interlock.compiler.backends.smt.circuit import FALSE, TRUE
from interlock.compiler.backends.smt.encoder import Encoder
from interlock.compiler.backends.smt.theory import _Theory
from interlock.compiler.backends.smt.values import Base, Number, Place, SetValue
from interlock.compiler.reference import decide
from interlock.lang.loader import load_texts
from interlock.lang.typesystem import RecordOf

CONTRADICTED = ("the evaluator does not reproduce", "no text fits")
"""What is said of a model that no request has: it was replayed, or no values could be found for it."""

SCHEMA = """/// What the examples speak about.
module mutants

enum Risk ordered { low, medium, high }

entity Team in Team
entity Person in Team { name: String }
entity Asset in Team { name: String, risk: Risk, team: Team }

type Limit = { rows: Int, hours: Int }

action use {
  principal Person
  resource  Asset
  context   {
    rows: Int,
    ticket: String?,
    tags: Set<String>,
    approvals: Set<{ approver: Person, rows: Int }>,
    asked: Limit,
    granted: Limit,
  }
}
"""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`wrong` replaces a method; `permit` is the one rule, and `claim` is about it."""

    name: str
    owner: type[Any]
    method: str
    wrong: Callable[..., Any]
    permit: str
    claim: str
    verdict: Verdict
    """The right one."""


_sum_at_most = Encoder._sum_at_most
_less = Encoder._less
_count = Encoder._count
_needed_slots = Encoder.needed_slots


def one_less(encoder: Encoder, total: Number, limit: int) -> int:
    is_upper = any(weight > 0 for _, weight in total.terms)
    return _sum_at_most(encoder, total, limit - is_upper)


def always_there(encoder: Encoder, base: Base, name: str) -> int:
    return TRUE


def only_equal(encoder: Encoder, below: Place, above: Place) -> int:
    return encoder.same(below, above)


def with_repeats(encoder: Encoder, whole: SetValue) -> object:
    return whole.elements


def some_field(encoder: Encoder, left: Place, right: Place) -> int:
    assert isinstance(left.type, RecordOf)
    names = [field.name for field in left.type.fields]
    values = [(encoder.read(left, name)[1], encoder.read(right, name)[1]) for name in names]
    return encoder.circuit.any_of(
        encoder._ask(one, other, encoder.equal) for one, other in values if one and other
    )


def flipped(encoder: Encoder, left: Base, right: Base) -> int:
    return _less(encoder, right, left)


def one_slot_too_few(encoder: Encoder) -> dict[str, int]:
    return {path: count - 1 for path, count in _needed_slots(encoder).items()}


def only_slots(encoder: Encoder, whole: SetValue) -> object:
    return _count(encoder, replace(whole, more=FALSE))


def nothing(theory: _Theory) -> None:
    """No axiom."""


MUTANTS = (
    Mutant(
        "at most is one less",
        Encoder,
        "_sum_at_most",
        one_less,
        "context.rows >= 10 and context.rows <= 10",
        "never permitted",
        Verdict.REFUTED,
    ),
    Mutant(
        "an optional value is always there",
        Encoder,
        "_present",
        always_there,
        "context.rows >= 10",
        "permitted only if context has ticket",
        Verdict.REFUTED,
    ),
    Mutant(
        "what is in a group is the group",
        Encoder,
        "inside",
        only_equal,
        'resource in Team::"top" and resource.team != Team::"top"',
        "never permitted",
        Verdict.REFUTED,
    ),
    Mutant(
        "being in a group has no axioms",
        _Theory,
        "hierarchy",
        nothing,
        'resource in resource.team and resource.team in Team::"top"',
        'permitted only if resource in Team::"top"',
        Verdict.PROVED,
    ),
    Mutant(
        "values are counted as often as they come",
        Encoder,
        "_once",
        with_repeats,
        "context.approvals.distinct(a => a.approver).size >= 2",
        "permitted only if context.approvals.any(a => a.approver != principal)",
        Verdict.PROVED,
    ),
    Mutant(
        "records are equal where one field is",
        Encoder,
        "_equal_records",
        some_field,
        "context.asked == context.granted",
        "permitted only if context.asked.rows == context.granted.rows",
        Verdict.PROVED,
    ),
    Mutant(
        "less is greater",
        Encoder,
        "_less",
        flipped,
        "resource.risk < medium",
        "permitted only if resource.risk == low",
        Verdict.PROVED,
    ),
    Mutant(
        "equal texts match different globs",
        _Theory,
        "texts",
        nothing,
        'principal.name == resource.name and principal.name like "prod-*"',
        'permitted only if resource.name like "prod*"',
        Verdict.PROVED,
    ),
    Mutant(
        "a set has one slot too few",
        Encoder,
        "needed_slots",
        one_slot_too_few,
        "context.approvals.size >= 3",
        "never permitted",
        Verdict.REFUTED,
    ),
    Mutant(
        "a set has no more elements than slots",
        Encoder,
        "_count",
        only_slots,
        "context.tags.size >= 20",
        "never permitted",
        Verdict.UNKNOWN,
    ),
    Mutant(
        "elements of a set are equal",
        _Theory,
        "sets",
        nothing,
        'context.tags.size >= 2 and context.tags.all(tag => tag == "one")',
        "never permitted",
        Verdict.PROVED,
    ),
    Mutant(
        "a number is at most ten and not at most twenty",
        _Theory,
        "numbers",
        nothing,
        "context.rows <= 10",
        "permitted only if context.rows <= 20",
        Verdict.PROVED,
    ),
    Mutant(
        "a place has several tags",
        _Theory,
        "tags",
        nothing,
        "resource.risk == low",
        "permitted only if resource.risk != high",
        Verdict.PROVED,
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_wrong_encoding_is_caught(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        f"{SCHEMA}\npermit some {{ action use  when {mutant.permit} }}\n"
        f"prove it {{ action use  {mutant.claim} }}\n"
    )
    checked, problems = load_texts({"mutants.ilk": text})
    policies, more = compile_policies(checked)
    goals, even_more = goals_of(checked)
    assert not [*problems, *more, *even_more]

    def proved() -> Proof:
        return prove_goal(policies, goals[0], Vocabulary())

    right = proved()
    assert right.verdict is mutant.verdict, right.why
    monkeypatch.setattr(mutant.owner, mutant.method, mutant.wrong)
    wrong = proved()
    if mutant.verdict is Verdict.PROVED:
        assert wrong.verdict is Verdict.UNKNOWN
        assert any(words in wrong.why for words in CONTRADICTED)
    else:
        assert wrong.verdict is Verdict.PROVED
    if mutant.verdict is Verdict.REFUTED:
        found = right.counterexample
        assert found is not None
        decision = decide(policies, found.request, found.entities)
        assert is_broken(goals[0], found.request, found.entities, decision)
