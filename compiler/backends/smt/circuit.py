"""Boolean circuits: formulas as whole numbers, each equal formula built once, turned into clauses on demand.

A formula is a literal: a variable's number, or its negative for the negation. Variable 1 is true.
Every variable is an atom, whose meaning its maker knows, or the conjunction of other literals.
"""

from collections.abc import Hashable, Iterable, Sequence

TRUE = 1
FALSE = -1

Clause = tuple[int, ...]


MAX_STEPS = 2_000_000
"""The most conjunctions that are formed, whether they turn out to be new or not."""


class CircuitTooLargeError(Exception):
    """A formula outgrew the limit; whoever builds circuits says so to the user."""


class Circuit:
    """Grows only; literals stay valid for as long as the circuit lives."""

    __slots__ = ("_atoms", "_gates", "_parts", "_steps", "meanings")

    def __init__(self) -> None:
        self._atoms: dict[Hashable, int] = {}
        self._gates: dict[tuple[int, ...], int] = {}
        self._steps = 0
        self._parts: list[tuple[int, ...]] = [(), ()]
        """By variable: the literals of its conjunction; nothing for an atom."""
        self.meanings: dict[int, Hashable] = {}
        """Atom → what it stands for."""

    def __len__(self) -> int:
        return len(self._parts) - 1

    def atom(self, meaning: Hashable) -> int:
        """The variable that stands for `meaning`."""
        found = self._atoms.get(meaning)
        if found is None:
            found = self._variable(())
            self._atoms[meaning] = found
            self.meanings[found] = meaning
        return found

    def known(self, meaning: Hashable) -> int | None:
        """The variable of a meaning that some formula mentions already."""
        return self._atoms.get(meaning)

    def all_of(self, literals: Iterable[int]) -> int:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise CircuitTooLargeError(f"more than {MAX_STEPS:,} steps")
        kept: set[int] = set()
        for literal in literals:
            if literal == FALSE or -literal in kept:
                return FALSE
            if literal != TRUE:
                kept.add(literal)
        if len(kept) < 2:
            return kept.pop() if kept else TRUE
        key = tuple(sorted(kept))
        found = self._gates.get(key)
        if found is None:
            found = self._gates[key] = self._variable(key)
        return found

    def any_of(self, literals: Iterable[int]) -> int:
        return -self.all_of([-literal for literal in literals])

    def implies(self, left: int, right: int) -> int:
        return self.any_of((-left, right))

    def choose(self, condition: int, then: int, otherwise: int) -> int:
        if then == otherwise:
            return then
        return self.any_of((self.all_of((condition, then)), self.all_of((-condition, otherwise))))

    def equal(self, left: int, right: int) -> int:
        if left == right:
            return TRUE
        if left == -right:
            return FALSE
        return self.choose(left, right, -right)

    def at_most(self, items: Sequence[tuple[int, int]], limit: int) -> int:
        """Whether the numbers of the literals that hold add up to at most `limit`; items are `(literal, number)`."""
        lowest = [0]
        highest = [0]
        for _, number in reversed(items):
            lowest.append(lowest[-1] + min(number, 0))
            highest.append(highest[-1] + max(number, 0))
        known: dict[tuple[int, int], int] = {}

        def rest(place: int, left: int) -> int:
            remaining = len(items) - place
            if highest[remaining] <= left:
                return TRUE
            if lowest[remaining] > left:
                return FALSE
            found = known.get((place, left))
            if found is None:
                literal, number = items[place]
                found = self.choose(literal, rest(place + 1, left - number), rest(place + 1, left))
                known[place, left] = found
            return found

        return rest(0, limit)

    def is_atom(self, variable: int) -> bool:
        return variable in self.meanings

    def parts(self, variable: int) -> tuple[int, ...]:
        """The literals of which the variable is the conjunction; nothing for an atom."""
        return self._parts[variable]

    def conjuncts(self, literal: int) -> list[int]:
        """Literals that are no conjunctions themselves, and that hold together when this one does."""
        found: list[int] = []
        stack = [literal]
        while stack:
            item = stack.pop()
            parts = self._parts[item] if item > 0 else ()
            if parts:
                stack.extend(reversed(parts))
            else:
                found.append(item)
        return found

    def cone(self, roots: Iterable[int], seen: set[int] | None = None) -> list[int]:
        """The variables that the roots depend on and that are not in `seen` yet, which then has them."""
        visited = set() if seen is None else seen
        found: list[int] = []
        stack = [abs(root) for root in roots]
        while stack:
            variable = stack.pop()
            if variable not in visited:
                visited.add(variable)
                found.append(variable)
                stack.extend(map(abs, self._parts[variable]))
        return found

    def clauses(self, variables: Iterable[int]) -> list[Clause]:
        """What makes each variable equal its conjunction (Tseitin's transformation)."""
        result: list[Clause] = []
        for variable in variables:
            if variable == TRUE:
                result.append((TRUE,))
            parts = self._parts[variable]
            if parts:
                result.extend((-variable, part) for part in parts)
                result.append((variable, *(-part for part in parts)))
        return result

    def _variable(self, parts: tuple[int, ...]) -> int:
        self._parts.append(parts)
        return len(self._parts) - 1
