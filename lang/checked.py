"""A policy set after checking: what each rule and claim speaks about, and the meaning of every expression."""

from dataclasses import dataclass, field

from . import syntax
from .lookups import Watch
from .meanings import Tables
from .names import Names
from .schema import Environment, Schema
from .typesystem import UNKNOWN, Type, parts
from .values import EntityId


@dataclass(frozen=True, slots=True)
class VariableScope:
    """What a scope clause asks of `principal` or `resource`."""

    types: frozenset[str]
    ancestors: tuple[EntityId, ...]
    entities: tuple[EntityId, ...]


@dataclass(frozen=True, slots=True)
class RequestScope:
    """The requests a rule or claim speaks about before its conditions are read."""

    principal: VariableScope
    actions: frozenset[str]
    resource: VariableScope


@dataclass(frozen=True, slots=True)
class CheckedRule:
    rule: syntax.Rule
    scope: RequestScope
    environments: tuple[Environment, ...]


@dataclass(frozen=True, slots=True)
class CheckedProve:
    prove: syntax.Prove
    scope: RequestScope
    environments: tuple[Environment, ...]


@dataclass(slots=True)
class Checked:
    """A policy set that was read and checked; `tables` belong to exactly these declarations."""

    names: Names
    tables: Tables
    rules: list[CheckedRule] = field(default_factory=list)
    proves: list[CheckedProve] = field(default_factory=list)
    tests: list[syntax.Test] = field(default_factory=list)
    sound: bool = False
    """Whether nothing at all is wrong, in any file; only then are the rules compiled."""
    watch: Watch | None = None
    """Who is told of every expression that is read, as an editor asks about one place."""

    @property
    def schema(self) -> Schema:
        return self.names.schema


def has_unknown(checked: Checked) -> bool:
    """Whether something has no type, as only what has a diagnostic may."""
    schema = checked.schema
    found: list[Type] = [*checked.names.types.values(), *checked.tables.types.values()]
    found += [
        attribute.type
        for entity in schema.entities.values()
        for attribute in entity.attributes.values()
    ]
    found += [action.context for action in schema.actions.values()]
    seen: set[int] = set()
    while found:
        type = found.pop()
        if type == UNKNOWN:
            return True
        if id(type) not in seen:
            seen.add(id(type))
            found += parts(type)
    return False
