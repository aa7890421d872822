"""Schemas: a world of entities, types and actions, small enough that rules and requests meet in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from interlock.lang import syntax
from interlock.lang.diagnostics import Code, Diagnostic, Severity
from interlock.lang.loader import load_texts
from interlock.lang.printer import print_declarations
from interlock.lang.schema import Schema
from interlock.lang.typesystem import (
    EntityType,
    EnumType,
    Optional,
    Primitive,
    RecordOf,
    SetOf,
    Type,
)

from .common import PRIMITIVE_TYPES


@dataclass(frozen=True)
class World:
    """A schema as it is written and as it was read."""

    declarations: tuple[syntax.Declaration, ...]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text)

    @property
    def text(self) -> str:
        return print_declarations(self.declarations)

    @property
    def schema(self) -> Schema:
        return _schema(self.text)


@lru_cache(64)
def _schema(text: str) -> Schema:
    checked, problems = load_texts({"world.ilk": text})
    assert not errors(problems), (text, list(map(str, problems)))
    return checked.schema


def errors(problems: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The errors but the one that a policy set without rules gets, which compiles and denies everything."""
    return [
        problem
        for problem in problems
        if problem.severity is Severity.ERROR and problem.code is not Code.NO_RULES
    ]


ENUMS = {"Level": ("low", "middle", "high"), "Color": ("red", "green", "low")}
ABSTRACT = {"Actor": ("User", "Bot"), "Asset": ("File", "Disk")}
CONCRETE = ("User", "Bot", "File", "Disk", "Folder")
INHERITED_FIELDS = ("owner", "when")
OWN_FIELDS = ("a", "b", "c", "tags")
CONTEXT_FIELDS = ("now", "n", "items")
GROUPS = ("risky", "edit")
ACTIONS = ("read", "write", "drop")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Enums, entities with a hierarchy and abstract ones, an alias, and actions in groups with contexts."""
    items: list[syntax.Declaration] = []
    for name, members in ENUMS.items():
        count = draw(st.integers(1, len(members)))
        chosen = tuple(syntax.EnumMember(member) for member in members[:count])
        items.append(syntax.Enum(name, name == "Level" or draw(st.booleans()), chosen))
    above: dict[str, str] = {}
    for name, below in ABSTRACT.items():
        if draw(st.booleans()):
            above[below[0]] = name
            if draw(st.booleans()):
                above[below[1]] = name
    types = (*sorted(set(above.values())), *CONCRETE)
    alias = syntax.TypeAlias("Item", _record(draw, OWN_FIELDS[:2], _leaf_types(types), 1))
    items.append(alias)
    known = _field_types(types)
    for name in types:
        abstract = name in ABSTRACT
        fields = _record(draw, INHERITED_FIELDS if abstract else OWN_FIELDS, known, 0).fields
        parents = draw(some_of(types, 0, 2))
        extends = syntax.Reference(above[name]) if name in above else None
        items.append(
            syntax.Entity(name, abstract, extends, tuple(map(syntax.Reference, parents)), fields)
        )
    items.append(syntax.ActionGroup((syntax.Reference("risky"),), ()))
    inside = (syntax.Reference("risky"),) if draw(st.booleans()) else ()
    items.append(syntax.ActionGroup((syntax.Reference("edit"),), inside))
    for names in draw(st.sampled_from(((ACTIONS,), (ACTIONS[:1], ACTIONS[1:])))):
        items.append(
            syntax.Action(
                tuple(map(syntax.Reference, names)),
                tuple(map(syntax.Reference, draw(some_of(GROUPS, 0, 1)))),
                tuple(map(syntax.Reference, draw(some_of(types, 1, 2)))),
                tuple(map(syntax.Reference, draw(some_of(types, 1, 3)))),
                _record(draw, CONTEXT_FIELDS, known, 1),
            )
        )
    return World(tuple(items))


def some_of(names: Sequence[str], least: int, most: int) -> st.SearchStrategy[list[str]]:
    return _some_of(tuple(names), least, most)


@lru_cache(256)
def _some_of(names: tuple[str, ...], least: int, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=least, max_size=most, unique=True)


def _record(
    draw: st.DrawFn,
    names: Sequence[str],
    types: st.SearchStrategy[syntax.TypeExpression],
    least: int,
) -> syntax.RecordType:
    fields = []
    for name in draw(some_of(names, least, len(names))):
        type = draw(types)
        fields.append(
            syntax.Field(name, syntax.OptionalType(type) if draw(st.booleans()) else type)
        )
    return syntax.RecordType(tuple(fields))


@lru_cache(256)
def _leaf_types(types: tuple[str, ...]) -> st.SearchStrategy[syntax.TypeExpression]:
    primitives = [syntax.TypeName(type.name) for type in PRIMITIVE_TYPES]
    names = [syntax.TypeName(name) for name in (*ENUMS, *types)]
    union = syntax.UnionType((syntax.TypeName("User"), syntax.TypeName("Folder")))
    return st.sampled_from([*primitives, *names, union])


@lru_cache(256)
def _field_types(types: tuple[str, ...]) -> st.SearchStrategy[syntax.TypeExpression]:
    return st.one_of(_leaf_types(types), _nested_types(types))


@lru_cache(256)
def _nested_types(types: tuple[str, ...]) -> st.SearchStrategy[syntax.TypeExpression]:
    leaf = _leaf_types(types)
    item = st.just(syntax.TypeName("Item"))
    record = st.builds(
        lambda a, b: syntax.RecordType(
            (syntax.Field("a", a), syntax.Field("b", syntax.OptionalType(b)))
        ),
        leaf,
        leaf,
    )
    sets = st.builds(syntax.SetType, st.one_of(leaf, item, record))
    return st.one_of(item, record, sets, sets, st.builds(syntax.SetType, sets))


def type_expression(type: Type) -> syntax.TypeExpression:
    """A type as a policy writes it."""
    match type:
        case Primitive(name) | EnumType(name):
            return syntax.TypeName(name)
        case EntityType(types):
            names = tuple(map(syntax.TypeName, sorted(types)))
            return names[0] if len(names) == 1 else syntax.UnionType(names)
        case SetOf(element):
            return syntax.SetType(type_expression(element))
        case Optional(inner):
            return syntax.OptionalType(type_expression(inner))
        case RecordOf(fields):
            return syntax.RecordType(
                tuple(
                    syntax.Field(
                        item.name,
                        type_expression(Optional(item.type) if item.optional else item.type),
                    )
                    for item in fields
                )
            )
