"""What no claim protects: every edit that makes a rule weaker, tried on every proved claim.

All edits of a question share one encoding, in which a selector for each takes the edited rule in place of the rule.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..compiler import ir
from ..compiler.backends.smt.circuit import TRUE, CircuitTooLargeError
from ..compiler.backends.smt.encoder import Encoder, Outcomes, RuleFormulas, encode
from ..compiler.entities import NO_ENTITIES, Entities
from ..lang.schema import Environment
from ..lang.source import Span
from .goals import breaks, groups_of, rules_for, slice_of
from .problem import pose
from .prove import Proof, Verdict
from .solver import Engine, Model, Session, Undecided, search
from .telling import said
from .weaken import How, Weakening, weakenings


@dataclass(frozen=True, slots=True)
class Unproved:
    """An edit that makes the policies weaker and that no proved claim is known to notice."""

    rule: str
    span: Span
    edit: How
    why: str = ""
    """What leaves open whether a claim notices it; nothing where none does."""

    @property
    def message(self) -> str:
        return (
            str(self.edit)
            if self.edit is How.DELETED
            else f"{self.edit} by leaving out {said(self.span)}"
        )


@dataclass(frozen=True, slots=True)
class Coverage:
    """The edits by which more is permitted or held, and those of them that no claim notices."""

    tried: int
    unproved: tuple[Unproved, ...]
    undecided: tuple[Unproved, ...]
    noticed: dict[str, tuple[str, ...]]
    """Rule → the claims that notice that it becomes weaker."""

    @property
    def noticed_edits(self) -> int:
        return self.tried - len(self.unproved) - len(self.undecided)


def coverage(
    policies: ir.PolicySet,
    proofs: Iterable[Proof],
    engine: Engine = Engine.AUTO,
    inventory: Entities = NO_ENTITIES,
) -> Coverage:
    """Leaves one thing out of one rule at a time; an edit after which nothing more is let through is none."""
    edits = [edit for rule in policies.rules for edit in weakenings(rule)]
    weaker = _Answers()
    for group in groups_of(policies.schema, policies.schema.environments()):
        rules = rules_for(policies.rules, group)
        known = {rule.id for rule in rules}
        asked = [edit for edit in edits if edit.rule.id in known]
        weaker.take(_answers(policies, group, rules, asked, _lets_through, engine, inventory))
    edits = [edit for edit in edits if weaker.of(edit) is not False]
    noticed: dict[str, dict[str, None]] = defaultdict(dict)
    broken = _Answers()
    for proof in proofs:
        goal = proof.goal
        if proof.verdict is not Verdict.PROVED:
            continue

        def question(encoder: Encoder, _: Outcomes, after: Outcomes) -> tuple[int, ...]:
            return breaks(encoder, after, goal)  # noqa: B023  # asked before the next claim

        for group in groups_of(policies.schema, goal.environments):
            rules = slice_of(policies, goal, group)
            known = {rule.id for rule in rules}
            asked = [edit for edit in edits if edit.rule.id in known]
            answers = list(_answers(policies, group, rules, asked, question, engine, inventory))
            broken.take(answers)
            for edit, answer in answers:
                if answer is True:
                    noticed[edit.rule.id][goal.name] = None
    unproved: list[Unproved] = []
    undecided: list[Unproved] = []
    for edit in edits:
        answer = broken.of(edit)
        if answer is not True:
            why = next((item for item in (weaker.of(edit), answer) if isinstance(item, str)), "")
            found = Unproved(edit.rule.id, edit.span, edit.how, why)
            (undecided if why else unproved).append(found)
    return Coverage(
        len(edits),
        tuple(unproved),
        tuple(undecided),
        {rule: tuple(claims) for rule, claims in noticed.items()},
    )


_Answer = bool | str
"""Whether there is such a request, or why that is not known."""


class _Answers:
    """Of each edit what was found in any group: a request before a doubt, and a doubt before nothing."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], _Answer] = {}

    def take(self, answers: Iterable[tuple[Weakening, _Answer]]) -> None:
        for edit, answer in answers:
            if answer is True or not self.of(edit):
                self._found[edit.rule.id, edit.path] = answer

    def of(self, edit: Weakening) -> _Answer:
        return self._found.get((edit.rule.id, edit.path), False)


_Question = Callable[[Encoder, Outcomes, Outcomes], tuple[int, ...]]
"""What has to hold, by what is decided before and after an edit."""


def _lets_through(encoder: Encoder, before: Outcomes, after: Outcomes) -> tuple[int, ...]:
    """More than before is permitted, or held."""
    circuit = encoder.circuit
    permitted = circuit.all_of((after.permit, -before.permit))
    held = circuit.all_of((before.deny, -after.deny))
    return encoder.valid(), circuit.any_of((permitted, held))


@dataclass(frozen=True)
class _Editing(Encoder):
    """Encodes each rule in `edits` as whichever of its versions is selected."""

    edits: dict[str, list[tuple[int, ir.Rule | None]]] = field(default_factory=dict)

    def rule(self, rule: ir.Rule) -> RuleFormulas:
        as_is = super().rule(rule)
        edits = self.edits.get(rule.id)
        if not edits:
            return as_is
        both, any_of = self.circuit.all_of, self.circuit.any_of
        versions = [(both(-selector for selector, _ in edits), as_is)]
        versions += [
            (selector, super(_Editing, self).rule(edited))
            for selector, edited in edits
            if edited is not None
        ]
        return RuleFormulas(
            rule,
            any_of(both((chosen, version.applies)) for chosen, version in versions),
            any_of(both((chosen, version.fails)) for chosen, version in versions),
            tuple(both((chosen, item)) for chosen, version in versions for item in version.unmet),
            any_of(both((chosen, version.needs_fail)) for chosen, version in versions),
        )


def _answers(
    policies: ir.PolicySet,
    group: Sequence[Environment],
    rules: Sequence[ir.Rule],
    edits: Sequence[Weakening],
    question: _Question,
    engine: Engine,
    inventory: Entities,
) -> Iterator[tuple[Weakening, _Answer]]:
    """Whether some request of a group of environments fits the question once a rule is edited, for each edit."""
    if not edits:
        return

    def posed(edits: Sequence[Weakening]) -> tuple[_Editing, tuple[int, ...], list[int]]:
        def build(encoder: _Editing) -> tuple[tuple[int, ...], list[int]]:
            before = encoder.decide(rules)
            selectors = [encoder.circuit.atom(("edit", number)) for number in range(len(edits))]
            for selector, edit in zip(selectors, edits, strict=True):
                encoder.edits.setdefault(edit.rule.id, []).append((selector, edit.edited))
            return question(encoder, before, encoder.decide(rules)), selectors

        encoder, built = encode(policies.schema, group, build, _Editing, inventory)
        return encoder, *built

    def answered(edits: Sequence[Weakening]) -> Iterator[tuple[Weakening, _Answer]]:
        encoder, wanted, selectors = posed(edits)
        session = Session(pose(encoder, (*wanted, TRUE, *selectors)).problem, engine)
        for selector, edit in zip(selectors, edits, strict=True):
            others = [-item for item in selectors if item != selector]
            answer = search(session, encoder, (*wanted, selector, *others))
            yield edit, answer.why if isinstance(answer, Undecided) else isinstance(answer, Model)

    def is_limited_as_it_is() -> bool:
        try:
            return bool(posed(())[0].within_slots)
        except CircuitTooLargeError:
            return True

    def asked(edits: Sequence[Weakening]) -> list[tuple[Weakening, _Answer]]:
        try:
            return list(answered(edits))
        except CircuitTooLargeError as reached:
            return [(edit, f"the conditions are too involved: {reached}") for edit in edits]

    answers = asked(edits)
    doubts = any(isinstance(answer, str) for _, answer in answers)
    # A limit may come from another edit, so that each is asked alone unless the rules as they are have reached it.
    alone = doubts and len(edits) > 1 and not is_limited_as_it_is()
    for edit, answer in answers:
        if isinstance(answer, str) and alone:
            yield from asked([edit])
        else:
            yield edit, answer
