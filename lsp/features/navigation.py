"""From a name to what it stands for, to its type, and to every other place that says it."""

from lsprotocol.types import DocumentHighlight, DocumentHighlightKind, Location, Position

from ...lang.typesystem import EntityType, EnumType, Optional, RecordOf, SetOf, Type
from ..occurrences import declared_at, occurrences
from ..symbols import BUILT_IN, Kind, Symbol
from ..view import View


def definition(view: View, position: Position) -> list[Location]:
    """Where the name at a position is declared."""
    found = view.occurrence_at(position)
    if found is None:
        return []
    spans = [span for symbol in found.symbols for span in declared_at(view.analysis, symbol)]
    return [view.location(span) for span in dict.fromkeys(spans)]


def type_definition(view: View, position: Position) -> list[Location]:
    """Where the type of the value at a position is declared."""
    type = type_at(view, position)
    spans = [span for symbol in _symbols_of(type) for span in declared_at(view.analysis, symbol)]
    return [view.location(span) for span in dict.fromkeys(spans)]


def references(view: View, position: Position, *, declaration: bool = True) -> list[Location]:
    """Every place of the project that names what the name at a position stands for."""
    found = view.occurrence_at(position)
    if found is None or any(symbol.kind in BUILT_IN for symbol in found.symbols):
        return []
    return [
        view.location(one.span)
        for _, one in view.uses(found.symbols)
        if declaration or not one.declares
    ]


def highlights(view: View, position: Position) -> list[DocumentHighlight]:
    """The same name elsewhere in the file."""
    found = view.occurrence_at(position)
    if found is None:
        return []
    result = []
    wanted = set(found.symbols)
    for entry in view.entries():
        for one in occurrences(view.analysis, entry):
            if not wanted.isdisjoint(one.symbols):
                kind = DocumentHighlightKind.Write if one.declares else DocumentHighlightKind.Read
                result.append(DocumentHighlight(view.range(one.span), kind))
    return result


def type_at(view: View, position: Position) -> Type | None:
    """The type of the smallest expression, or of what is declared, at a position."""
    found = view.entry_at(view.offset(position))
    if found is None:
        return None
    entry, local = found
    offset = entry.reading.offset(local)
    occurrence = view.occurrence_at(position)
    touching = [one for one in entry.types if one[0] <= offset <= one[1]]
    if touching:
        return min(touching, key=lambda one: one[1] - one[0])[2]
    return type_of_symbol(view, occurrence.symbols[0]) if occurrence is not None else None


def type_of_symbol(view: View, symbol: Symbol) -> Type | None:
    """The type of a value that a symbol names, as far as the schema says it."""
    names = view.analysis.names
    match symbol.kind:
        case Kind.MEMBER | Kind.ENUM:
            return names.schema.enums.get(symbol.owner or symbol.name)
        case Kind.ENTITY:
            entity = names.schema.entities.get(symbol.name)
            return EntityType(entity.concrete, symbol.name) if entity is not None else None
        case Kind.ATTRIBUTE:
            tables = [entity.attributes.values() for entity in names.schema.entities.values()]
            records = [action.context for action in names.schema.actions.values()]
            records += [type for type in names.types.values() if isinstance(type, RecordOf)]
            for item in (
                *(one for table in tables for one in table),
                *(one for record in records for one in record.fields),
            ):
                if getattr(item, "span", None) == symbol.place:
                    return Optional(item.type) if item.optional else item.type
            return None
        case _:
            return None


def _symbols_of(type: Type | None) -> list[Symbol]:
    """The declarations that a type is made of, without what sets and options add."""
    match type:
        case EntityType(types, name):
            if " | " in name:
                return [Symbol(Kind.ENTITY, one) for one in sorted(types)]
            return [Symbol(Kind.ENTITY, name)]
        case EnumType(name):
            return [Symbol(Kind.ENUM, name)]
        case SetOf(inner) | Optional(inner):
            return _symbols_of(inner)
        case RecordOf(fields):
            places = [getattr(item, "span", None) for item in fields[:1]]
            return [
                Symbol(Kind.ATTRIBUTE, fields[0].name, place=place) for place in places if place
            ]
        case _:
            return []
