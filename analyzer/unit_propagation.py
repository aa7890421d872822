"""What follows from clauses by unit propagation alone, and from which of them: a solver's proof with its reasons."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .globs import Clause


@dataclass(frozen=True, slots=True)
class Step:
    """A clause that follows from the clauses with these numbers."""

    number: int
    clause: Clause
    reasons: tuple[int, ...]


def with_reasons(clauses: Sequence[Clause], proof: Iterable[str]) -> list[Step]:
    """The steps of a proof in DRUP that learn something, with the clauses that each follows from.

    Clauses have their place in `clauses` as numbers, and steps go on from there. Raises `ValueError` where the proof
    is none. Deletions are left out: what was true stays so.
    """
    trace = _Trace()
    for clause in clauses:
        trace.add(clause)
    steps: list[Step] = []
    for line in (*proof, "0"):
        if line.startswith("d"):
            continue
        clause = tuple(map(int, line.split()[:-1]))
        if any(-literal in clause for literal in clause):
            continue
        reasons = trace.reasons(clause)
        steps.append(Step(trace.add(clause), clause, reasons))
        if not clause:
            break
    return steps


def needed_steps(steps: Sequence[Step]) -> list[Step]:
    """Those that the last one rests on."""
    needed = {steps[-1].number}
    found: list[Step] = []
    for step in reversed(steps):
        if step.number in needed:
            needed.update(step.reasons)
            found.append(step)
    return found[::-1]


class _Trace:
    """Clauses with what follows from them by unit propagation, and from which of them. Watches follow the first two."""

    def __init__(self) -> None:
        self._clauses: list[list[int]] = []
        self._watched: defaultdict[int, list[int]] = defaultdict(list)
        self._value: defaultdict[int, int] = defaultdict(int)
        """Literal → 1 where it is true, -1 where it is false."""
        self._trail: list[int] = []
        self._because: dict[int, int | None] = {}
        """Literal that is true → the clause that made it so; none for an assumption."""
        self._conflict: int | None = None

    def add(self, clause: Clause) -> int:
        """Its number."""
        number = len(self._clauses)
        literals = sorted(dict.fromkeys(clause), key=lambda literal: self._value[literal] < 0)
        self._clauses.append(literals)
        for literal in literals[:2]:
            self._watched[literal].append(number)
        if self._conflict is None:
            if not literals or self._value[literals[0]] < 0:
                self._conflict = number
            elif not self._value[literals[0]] and all(
                self._value[item] < 0 for item in literals[1:2]
            ):
                self._set(literals[0], number)
                self._conflict = self._propagate(len(self._trail) - 1)
        return number

    def reasons(self, clause: Clause) -> tuple[int, ...]:
        """Where the literals of `clause` are false, these clauses leave one literal each, and the last one none."""
        start = len(self._trail)
        conflict = self._conflict
        for literal in clause:
            if self._value[literal] > 0 and conflict is None:
                conflict = self._because[literal]
            elif not self._value[literal]:
                self._set(-literal, None)
        if conflict is None:
            conflict = self._propagate(start)
        if conflict is None:
            raise ValueError(f"does not follow by unit propagation: {clause}")
        found = self._leading_to(conflict)
        for literal in self._trail[start:]:
            self._value[literal] = self._value[-literal] = 0
            del self._because[literal]
        del self._trail[start:]
        return found

    def _leading_to(self, conflict: int) -> tuple[int, ...]:
        needed = set(map(abs, self._clauses[conflict]))
        found = [conflict]
        for literal in reversed(self._trail):
            because = self._because[literal]
            if abs(literal) in needed and because is not None and because != conflict:
                found.append(because)
                needed.update(map(abs, self._clauses[because]))
        return tuple(reversed(found))

    def _set(self, literal: int, because: int | None) -> None:
        self._value[literal], self._value[-literal] = 1, -1
        self._trail.append(literal)
        self._because[literal] = because

    def _propagate(self, at: int) -> int | None:
        """Sets what clauses with one literal left force; the clause that has none left."""
        value, watched = self._value, self._watched
        while at < len(self._trail):
            false = -self._trail[at]
            at += 1
            watching = watched[false]
            kept = watched[false] = []
            for position, number in enumerate(watching):
                clause = self._clauses[number]
                if clause[0] == false and len(clause) > 1:
                    clause[0], clause[1] = clause[1], false
                first = clause[0]
                if first != false and value[first] > 0:
                    kept.append(number)
                    continue
                for place in range(2, len(clause)):
                    if value[clause[place]] >= 0:
                        clause[1], clause[place] = clause[place], false
                        watched[clause[1]].append(number)
                        break
                else:
                    kept.append(number)
                    if value[first] < 0:
                        kept += watching[position + 1 :]
                        return number
                    self._set(first, number)
        return None
