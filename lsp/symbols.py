"""What a name can stand for, and which names a declaration gives to others."""

from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum

from ..lang import syntax
from ..lang.names import Names, Scope, find_symbol, silent
from ..lang.schema import Schema
from ..lang.source import Span
from ..lang.typesystem import PRIMITIVES


class Kind(StrEnum):
    MODULE = "module"
    ENUM = "enum"
    MEMBER = "member"
    ENTITY = "entity type"
    ALIAS = "type"
    ATTRIBUTE = "attribute"
    ACTION = "action"
    GROUP = "action group"
    DEFINE = "definition"
    PARAMETER = "parameter"
    ELEMENT = "element"
    RULE = "rule"
    CLAIM = "claim"
    TEST = "test"
    ENTITY_ID = "entity"
    PRIMITIVE = "built-in type"
    FUNCTION = "function"
    METHOD = "method"
    VARIABLE = "variable"


BUILT_IN = frozenset({Kind.PRIMITIVE, Kind.FUNCTION, Kind.METHOD, Kind.VARIABLE})


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a name stands for. `owner` is the enum of a member or the module of a definition;
    what has no name of its own in the policy set is known by the place that declares it."""

    kind: Kind
    name: str
    owner: str = ""
    place: Span | None = None

    def __hash__(self) -> int:
        # A policy set is looked through by symbol, and a text knows its hash.
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A stretch of text that names something; an attribute of several types is several symbols."""

    span: Span
    symbols: tuple[Symbol, ...]
    declares: bool = False


def declared(item: syntax.Declaration, module: str) -> list[tuple[Symbol, Span]]:
    """What a declaration declares for others to name, and where."""
    match item:
        case syntax.Module(name):
            symbol = Symbol(Kind.MODULE, name)
        case syntax.Enum(name, members=members):
            inside = [(Symbol(Kind.MEMBER, one.name, name), one.span) for one in members]
            return [(Symbol(Kind.ENUM, name), item.name_span), *inside]
        case syntax.Entity(name):
            symbol = Symbol(Kind.ENTITY, name)
        case syntax.TypeAlias(name):
            symbol = Symbol(Kind.ALIAS, name, module)
        case syntax.Define(name):
            symbol = Symbol(Kind.DEFINE, name, module)
        case syntax.Rule(name=name):
            symbol = Symbol(Kind.RULE, name)
        case syntax.Prove(name):
            symbol = Symbol(Kind.CLAIM, name)
        case syntax.Test(name):
            symbol = Symbol(Kind.TEST, name, module)
        case syntax.Action(names):
            return [(Symbol(Kind.ACTION, one.name), one.span) for one in names]
        case syntax.ActionGroup(names):
            return [(Symbol(Kind.GROUP, one.name), one.span) for one in names]
        case _:
            return []
    return [(symbol, item.name_span)]


def action_symbol(schema: Schema, name: str) -> Symbol | None:
    """The action or group that a name stands for, as `find_actions` reads it."""
    if name in schema.actions:
        return Symbol(Kind.ACTION, name)
    if name in schema.groups:
        return Symbol(Kind.GROUP, name)
    ends = [known for known in schema.actions if known.endswith("." + name)]
    return Symbol(Kind.ACTION, ends[0]) if len(ends) == 1 else None


def type_symbol(names: Names, scope: Scope, name: str, span: Span) -> Symbol | None:
    """The type or definition that a name stands for in a module."""
    if name in PRIMITIVES:
        return Symbol(Kind.PRIMITIVE, name)
    used = scope.used.copy()
    found = find_symbol(names, scope, name, span, silent)
    scope.used = used
    if found is None:
        return None
    return declared(found.declaration, found.module)[0][0]


def fresh(name: str, taken: Container[str]) -> str:
    """A name like another that nothing has yet."""
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found
