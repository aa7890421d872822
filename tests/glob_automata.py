"""Globs as automata: a slow and independent judge of what the algebra of globs says."""

from collections.abc import Iterator, Sequence

Pattern = tuple[str, ...]
Places = frozenset[int]


class Automaton:
    """A place for each letter that is still to come; a place in `stars` also takes any letter and stays."""

    def __init__(self, pattern: Pattern) -> None:
        self.letters = "".join(pattern)
        self.end = len(self.letters)
        self.stars: set[int] = set()
        at = 0
        for piece in pattern[:-1]:
            at += len(piece)
            self.stars.add(at)

    def step(self, places: Places, letter: str | None) -> Places:
        """Where one letter leads; `None` is a letter that no pattern mentions.

        Places before the last star that was reached are left out: all they accept goes through it, and it waits.
        """
        stay = places & self.stars
        after = stay | {p + 1 for p in places if p < self.end and self.letters[p] == letter}
        last_star = max(after & self.stars, default=0)
        return frozenset(place for place in after if place >= last_star)

    def next_letters(self, places: Places) -> set[str]:
        return {self.letters[p] for p in places if p < self.end}


class TooManyStatesError(Exception):
    """The product of the automata is larger than the limit, so that nothing is known."""


def example(
    positive: Sequence[Pattern],
    negative: Sequence[Pattern],
    fresh: str = "#",
    limit: int | None = None,
) -> str | None:
    """A text that matches all of `positive` and none of `negative`, by search of the product; `None` if none does.

    At most `limit` states of single automata are visited; a state of the product has one of each.
    """
    machines = [Automaton(pattern) for pattern in (*positive, *negative)]
    wanted = len(positive)
    start = tuple(frozenset({0}) for _ in machines)
    found: dict[tuple[Places, ...], str] = {start: ""}
    waiting = [start]
    while waiting:
        if limit is not None and len(found) * len(machines) > limit:
            raise TooManyStatesError
        state = waiting.pop()
        ends = [machine.end in places for machine, places in zip(machines, state, strict=True)]
        if all(ends[:wanted]) and not any(ends[wanted:]):
            return found[state]
        for letter in _letters(machines, state):
            after = tuple(
                machine.step(places, letter)
                for machine, places in zip(machines, state, strict=True)
            )
            if all(after[:wanted]) and after not in found:
                found[after] = found[state] + (fresh if letter is None else letter)
                waiting.append(after)
    return None


def _letters(machines: Sequence[Automaton], state: Sequence[Places]) -> Iterator[str | None]:
    """Every letter not among these leads where a letter leads that is never mentioned."""
    yield None
    yield from sorted(
        set().union(*(machine.next_letters(p) for machine, p in zip(machines, state, strict=True)))
    )
