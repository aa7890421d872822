"""What is known at a place of an expression, since a guard stands before it."""

from collections.abc import Sequence

from . import syntax
from .typesystem import EntityType
from .values import quote

Path = tuple[str, ...]
Fact = tuple[Path, EntityType | None]
"""A path whose value is there, or (with a type) whose entity is of that type."""
Facts = frozenset[Fact]
NOTHING: Facts = frozenset()
IMPOSSIBLE: Fact = ((), None)
"""Known where the guards contradict each other, so that no request comes there."""


def path_of(expression: syntax.Expression) -> Path | None:
    """`resource.hold.active` as a path; `None` for what is not a variable or an entity and its attributes."""
    match expression:
        case syntax.RequestVariable(name) | syntax.Name(name):
            return (name,)
        case syntax.EntityReference(type, id):
            return (f"{type}::{quote(id)}",)
        case syntax.Access(base, name):
            above = path_of(base)
            return (*above, name) if above else None
        case _:
            return None


def in_either(found: Sequence[Facts]) -> Facts:
    """What is known where one of several conditions holds; one that never holds tells nothing less."""
    possible = [facts for facts in found if IMPOSSIBLE not in facts]
    return frozenset.intersection(*possible) if possible else found[0]
