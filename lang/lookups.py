"""What a name, a member and an attribute mean at their place in an expression."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import syntax
from .diagnostics import Code, Diagnostic, did_you_mean
from .expression_errors import instead_of_type, listed, not_closed, shortened
from .facts import Facts, Path, path_of
from .functions import Form, names_of
from .meanings import Actions, Bound, Constant, ReadAttribute, Reading, Tables
from .names import (
    Kind,
    Names,
    Report,
    Scope,
    find_actions,
    find_entity,
    find_symbol,
    find_type,
    is_excused,
    silent,
    suggestion,
    unknown_action,
)
from .source import Span
from .spelling import with_article
from .typesystem import (
    ACTION,
    INT,
    UNKNOWN,
    EntityType,
    EnumType,
    Optional,
    RecordField,
    RecordOf,
    SetOf,
    Type,
    entity_type,
    join,
    present,
)
from .values import EntityId, EnumValue


@dataclass(frozen=True, slots=True)
class Seen:
    """An expression as it was read once: in which kinds of request, and what its place asked for."""

    node: syntax.Expression
    type: Type
    facts: Facts
    expected: Type | None
    variables: Mapping[str, Type]


Watch = Callable[[Seen], None]


@dataclass(slots=True)
class Lookups:
    """What is in sight in one environment. `variables` are the names in sight with their types."""

    names: Names
    scope: Scope
    tables: Tables
    report: Report
    variables: dict[str, Type]
    skips: bool = False
    """Whether what no request reaches is left unread; otherwise its guards are taken to say nothing."""
    closed: bool = False
    """Whether there is no world to read: a test gives values."""
    watch: Watch | None = None

    def _request_variable(self, node: syntax.RequestVariable, name: str, facts: Facts) -> Type:
        if name not in self.variables:
            message = f"`{name}` is not known here"
            help_line = "a `define` sees only its parameters: pass it as one"
            if self.closed:
                help_line = "give the value itself"
            self.report(Diagnostic(Code.UNKNOWN_NAME, message, node.span, help_line))
            return UNKNOWN
        return self.narrowed(path_of(node), self.variables[name], facts)

    def narrowed(self, path: Path | None, type: Type, facts: Facts) -> Type:
        """The type of what stands at the path, as far as guards tell more than its declaration."""
        if isinstance(type, Optional) and (path, None) in facts:
            type = type.type
        if isinstance(type, EntityType):
            types = type.types
            for known, narrower in facts:
                if known == path and narrower is not None:
                    types &= narrower.types
            if types and types != type.types:
                return entity_type(types)
        return type

    def _name(self, node: syntax.Name, facts: Facts, expected: Type | None) -> Type:
        if node.name in self.variables:
            self.tables.meanings[id(node)] = Bound()
            return self.narrowed(path_of(node), self.variables[node.name], facts)
        if expected is not None:
            wanted = present(expected)
            if isinstance(wanted, EnumType):
                return self._member(node, wanted, node.name, node.span)
            if wanted == ACTION:
                return self._action(node, node.name, node.span)
            if wanted == UNKNOWN:
                return UNKNOWN
        if not is_excused(self.scope, node.name):
            self.report(self._unknown_name(node.name, node.span))
        return UNKNOWN

    def _member(self, node: syntax.Expression, enum: EnumType, name: str, span: Span) -> Type:
        if name not in enum.members:
            message = f"`{enum.name}` has no member `{name}`"
            help_line = did_you_mean(name, enum.members) or "its members are " + ", ".join(
                f"`{member}`" for member in enum.members
            )
            self.report(Diagnostic(Code.UNKNOWN_MEMBER, message, span, help_line))
            return enum
        value = EnumValue(enum.name, name, enum.members.index(name))
        self.tables.meanings[id(node)] = Constant(value)
        return enum

    def _action(self, node: syntax.Expression, name: str, span: Span) -> Type:
        actions = find_actions(self.names, name)
        if actions is None:
            if not is_excused(self.scope, name):
                self.report(unknown_action(self.names, syntax.Reference(name, span=span)))
            return ACTION
        self.tables.meanings[id(node)] = Actions(actions)
        return ACTION

    def _unknown_name(self, name: str, span: Span) -> Diagnostic:
        # Of what is declared, only an enum begins a value, and only before the dot of a member.
        has_member = span.fragment.text[span.end :].lstrip().startswith(".")
        enums = [enum for enum in self.names.schema.enums.values() if name in enum.members]
        visible = [enum.name for enum in enums if enum.name in self.scope.symbols]
        help_line: str | None
        if visible:
            help_line = f"write `{visible[0]}.{name}`"
        else:
            help_line = (
                instead_of_type(self.scope, name)
                or did_you_mean(name, self.variables)
                or (suggestion(self.names, self.scope, name, Kind.ENUM) if has_member else None)
            )
        return Diagnostic(Code.UNKNOWN_NAME, f"there is no `{name}` here", span, help_line)

    def _entity_reference(self, node: syntax.EntityReference) -> Type:
        entity = reference_id(self.names, self.scope, node, self.report)
        if entity is None:
            return UNKNOWN
        self.tables.meanings[id(node)] = Constant(entity)
        return entity_type({entity.type})

    def _enum_before(self, node: syntax.Access) -> EnumType | None:
        """The enum that `Risk`, its alias or `std.change.Risk` names before a member."""
        name = ".".join(path_of(node.base) or ())
        symbol = find_symbol(self.names, self.scope, name, node.base.span, silent)
        if symbol is None or not isinstance(symbol.declaration, syntax.Enum | syntax.TypeAlias):
            return None
        reference = syntax.TypeName(name, span=node.base.span)
        found = find_type(self.names, self.scope, reference, self.report)
        return found if isinstance(found, EnumType) else None

    def _attribute(
        self, node: syntax.Expression, base: Type, name: str, span: Span, facts: Facts
    ) -> Type:
        if base == UNKNOWN:
            return UNKNOWN
        if self.closed and isinstance(base, EntityType):
            self.report(not_closed(node))
            return UNKNOWN
        if isinstance(base, SetOf) and name == "size":
            self.tables.meanings[id(node)] = Reading("size")
            return INT
        found = self.lookup(base, name, span)
        if found is None:
            return UNKNOWN
        self.tables.meanings[id(node)] = ReadAttribute(found.optional)
        type = Optional(found.type) if found.optional else found.type
        return self.narrowed(path_of(node), type, facts)

    def lookup(self, base: Type, name: str, span: Span) -> RecordField | None:
        """The attribute `name` of a value, the same on each type it may have."""
        match base:
            case RecordOf():
                found = base.field(name)
                if found is None:
                    known = {item.name for item in base.fields}
                    message = f"there is no `{name}` in `{shortened(base)}`"
                    help_line = did_you_mean(name, known) or listed(known)
                    self.report(Diagnostic(Code.UNKNOWN_ATTRIBUTE, message, span, help_line))
                return found
            case EntityType(types):
                return self._entity_attribute(types, name, span)
            case _:
                message = f"a value of type `{base}` has no attributes"
                help_line = None
                if isinstance(base, SetOf):
                    methods = names_of(Form.METHOD)
                    help_line = f"a set has `size` and {', '.join(f'`{m}`' for m in methods)}"
                self.report(Diagnostic(Code.UNKNOWN_ATTRIBUTE, message, span, help_line))
                return None

    def _entity_attribute(self, types: frozenset[str], name: str, span: Span) -> RecordField | None:
        schema = self.names.schema
        result: RecordField | None = None
        for type in sorted(types):
            attributes = schema.entities[type].attributes
            found = attributes.get(name)
            if found is None:
                message = f"`{type}` has no attribute `{name}`"
                others = [
                    other for other in sorted(types) if name in schema.entities[other].attributes
                ]
                help_line = (
                    f"ask first whether it is one that has: `is {others[0]}`"
                    if others
                    else did_you_mean(name, set(attributes)) or listed(set(attributes))
                )
                self.report(Diagnostic(Code.UNKNOWN_ATTRIBUTE, message, span, help_line))
                return None
            if result is None:
                result = found
                continue
            common = join(result.type, found.type)
            if common is None:
                message = (
                    f"`{name}` is {with_article(result.type)} on some types"
                    f" and {with_article(found.type)} on `{type}`"
                )
                self.report(Diagnostic(Code.TYPE_MISMATCH, message, span, "ask first with `is`"))
                return None
            result = RecordField(name, common, result.optional or found.optional)
        return result


def reference_id(
    names: Names, scope: Scope, node: syntax.EntityReference, report: Report
) -> EntityId | None:
    """The entity that `Type::"id"` names; an abstract type has none."""
    reference = syntax.Reference(node.type, span=node.name_span)
    type = find_entity(names, scope, reference, report)
    if type is None:
        return None
    declared = names.schema.entities.get(type.name)
    if len(type.types) != 1 or (declared is not None and declared.abstract):
        message = f"`{node.type}` is abstract, so no entity is only {with_article(node.type)}"
        types = ", ".join(f"`{name}`" for name in sorted(type.types))
        help_line = f"name one of its types: {types}" if types else None
        report(Diagnostic(Code.ABSTRACT_ENTITY, message, node.span, help_line))
        return None
    return EntityId(next(iter(type.types)), node.id)


def starts_with_name(node: syntax.Access) -> bool:
    base: syntax.Expression = node
    while isinstance(base, syntax.Access):
        base = base.base
    return isinstance(base, syntax.Name)
