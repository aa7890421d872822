"""What would take sqlglot too long, or too deep: refused before it is asked."""

from dataclasses import dataclass
from itertools import pairwise

from ...words import words
from .tokens import Kind, Tokens

MAX_NESTING = 200
MAX_OPEN_JOINS = 8
"""Joins without a condition: for each, all that follow are read twice."""


def too_much(tokens: Tokens) -> str | None:
    """Why a statement is not read; `None` where it can be."""
    if _nesting(tokens) > MAX_NESTING:
        return f"it is nested more than {MAX_NESTING} levels deep"
    if _open_joins(tokens) > MAX_OPEN_JOINS:
        return f"more than {MAX_OPEN_JOINS} of its joins have no condition"
    return None


def _nesting(tokens: Tokens) -> int:
    depth = deepest = 0
    for token in tokens:
        if token.kind == Kind.SYMBOL and token.value in "([":
            depth += 1
            deepest = max(deepest, depth)
        elif token.kind == Kind.SYMBOL and token.value in ")]":
            depth -= 1
    return deepest


@dataclass(slots=True)
class _Level:
    """What stands in one pair of brackets."""

    open: int = 0
    """Joins since the last clause that still want a condition."""
    inside: int = 0
    """The most that are open in brackets among these joins."""
    most: int = 0
    """The most in the clauses before."""

    def end_clause(self) -> None:
        self.most = max(self.most, self.open + self.inside)
        self.open = self.inside = 0


def _open_joins(tokens: Tokens) -> int:
    """The most joins without a condition that are read within each other; a condition is the last such join's."""
    levels = [_Level()]
    for before, token in pairwise((tokens[0], *tokens)):
        level = levels[-1]
        if token.is_symbol("("):
            levels.append(_Level())
        elif token.is_symbol(")") and len(levels) > 1:
            level.end_clause()
            levels.pop()
            levels[-1].inside = max(levels[-1].inside, level.most)
        elif token.is_word("JOIN", "STRAIGHT_JOIN") and not before.is_word("CROSS", "NATURAL"):
            level.open += 1
        elif token.is_word("ON", "USING"):
            level.open = max(0, level.open - 1)
        elif token.kind == Kind.WORD and token.value in _CLAUSES:
            level.end_clause()
    for level in levels:
        level.end_clause()
    return sum(level.most for level in levels)


_CLAUSES = words("SELECT WHERE GROUP HAVING ORDER LIMIT UNION SET VALUES WHEN")
