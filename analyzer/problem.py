"""A question for a solver: clauses, with what they leave to algebra (texts) and to arithmetic (sums), and no terms."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from ..compiler.backends.smt.circuit import Clause
from ..compiler.backends.smt.encoder import Encoder
from ..compiler.backends.smt.theory import axioms
from ..compiler.backends.smt.values import AtMost, Glob, Linear, Place, Same
from .globs import Pattern, lemmas, normal


@dataclass(frozen=True, slots=True)
class Sum:
    """`literal` says whether weighted numbers and literals add up to at most `limit`."""

    literal: int
    numbers: tuple[tuple[int, int], ...]
    """`(number, weight)`; numbers count from 0."""
    literals: tuple[tuple[int, int], ...]
    limit: int


@dataclass(frozen=True, slots=True)
class Problem:
    """`texts` has, for each text that is open, which literal says that it matches which pattern.

    `equal` has `(literal, text, text)` for each pair that is compared; these texts have numbers of their own.
    """

    variables: int
    clauses: tuple[Clause, ...]
    lemmas: tuple[Clause, ...]
    """What the algebra of globs says about pairs of patterns; clauses like the others."""
    texts: tuple[tuple[tuple[int, Pattern], ...], ...]
    equal: tuple[tuple[int, int, int], ...]
    sums: tuple[Sum, ...]

    @property
    def is_propositional(self) -> bool:
        return not self.sums


@dataclass(frozen=True, slots=True)
class Posed:
    """A problem, and which of its numbers is which place."""

    problem: Problem
    numbers: tuple[Place, ...]
    meanings: Mapping[int, Hashable]
    """Which literal is which question."""


def pose(encoder: Encoder, roots: Iterable[int]) -> Posed:
    """Everything that bears on the roots, and on whether sets have slots for their elements."""
    circuit = encoder.circuit
    theory = axioms(encoder)
    roots = [*roots, *encoder.within_slots]
    needed = circuit.cone([*roots, *(literal for clause in theory for literal in clause)])
    by_text: dict[Place, dict[Pattern, int]] = defaultdict(dict)
    sums: list[tuple[int, Linear]] = []
    limits: list[tuple[int, AtMost]] = []
    equal: list[tuple[int, int, int]] = []
    compared: dict[Place, int] = {}
    clauses: list[Clause] = []
    for variable in sorted(needed):
        match circuit.meanings.get(variable):
            case Glob(place, pattern):
                same = by_text[place].setdefault(normal(pattern), variable)
                if same != variable:
                    clauses += [(-same, variable), (same, -variable)]
            case Linear() as linear:
                sums.append((variable, linear))
            case AtMost() as limit:
                limits.append((variable, limit))
            case Same(left, right):
                one, other = (compared.setdefault(side, len(compared)) for side in (left, right))
                equal.append((variable, one, other))
            case _:
                pass
    texts = []
    algebra: list[Clause] = []
    for place, literals in by_text.items():
        found = lemmas(literals)
        for pattern in found.patterns[len(literals) :]:
            literals[pattern] = circuit.atom(Glob(place, pattern))
        numbered = [literals[pattern] for pattern in found.patterns]
        algebra += [
            tuple(numbered[item - 1] if item > 0 else -numbered[-item - 1] for item in clause)
            for clause in found.clauses
        ]
        texts.append(tuple((literal, pattern) for pattern, literal in literals.items()))
    numbers: dict[Place, int] = {}
    posed = [_sum(literal, linear.terms, linear.limit, numbers) for literal, linear in sums]
    posed += [
        _sum(literal, ((item.place, 1),), item.limit, numbers)
        for literal, item in limits
        if item.place in numbers
    ]
    clauses += theory
    clauses += circuit.clauses(needed)
    # Literals inside sums have clauses of their own.
    inner = [abs(literal) for item in posed for literal, _ in item.literals]
    clauses += circuit.clauses(circuit.cone(inner, set(needed)))
    problem = Problem(
        len(circuit), tuple(clauses), tuple(algebra), tuple(texts), tuple(equal), tuple(posed)
    )
    return Posed(problem, tuple(numbers), circuit.meanings)


def _sum(
    literal: int,
    terms: tuple[tuple[Place | int, int], ...],
    limit: int,
    numbers: dict[Place, int],
) -> Sum:
    places = tuple(
        (numbers.setdefault(item, len(numbers)), weight)
        for item, weight in terms
        if isinstance(item, Place)
    )
    literals = tuple((item, weight) for item, weight in terms if isinstance(item, int))
    return Sum(literal, places, literals, limit)
