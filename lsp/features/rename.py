"""A new name for a declaration, everywhere at once; a name that cannot be taken is refused with the reason."""

import re
from dataclasses import dataclass

from lsprotocol.types import Position, TextEdit

from ...lang import syntax
from ...lang.fragments import DECLARATION_KEYWORDS
from ...lang.functions import Form, function_named
from ...lang.source import Span
from ...lang.spelling import article, with_article
from ...lang.typesystem import PRIMITIVES
from ..occurrences import declaring, occurrences
from ..symbols import BUILT_IN, Kind, Occurrence, Symbol, declared
from ..view import View

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_DOTTED = frozenset({Kind.ENTITY, Kind.ACTION, Kind.GROUP})
_A = {Kind.ENTITY_ID: "an entity", Kind.MODULE: "a module"}
_WORLDWIDE = frozenset({Kind.ENUM, Kind.ENTITY, Kind.ACTION, Kind.GROUP, Kind.RULE, Kind.CLAIM})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is renamed, in one sentence."""

    message: str


def prepare_rename(view: View, position: Position) -> tuple[Span, str] | Refusal:
    """What a rename at a position would replace: its place and the name that it has."""
    found = view.occurrence_at(position)
    if found is None:
        return Refusal("there is no name here")
    symbol = found.symbols[0]
    if symbol.kind in BUILT_IN:
        return Refusal(f"`{symbol.name}` is a word of the language")
    if symbol.kind in _A:
        return Refusal(f"the name of {_A[symbol.kind]} is not this policy's to change")
    for one in found.symbols:
        declared_in = declaring(view.analysis, one)
        for entry, _ in declared_in:
            if not view.is_editable(entry.file):
                return Refusal(f"`{one.name}` is declared in a bundled module")
        is_inside = one.kind in (Kind.PARAMETER, Kind.ELEMENT)
        if not is_inside and all(entry.is_broken for entry, _ in declared_in):
            return Refusal(
                f"the declaration of `{one.name}` cannot be read, so its uses are not known"
            )
    text = found.span.text
    name = symbol.name if text == symbol.name else _last(symbol.name)
    return Span(found.span.fragment, found.span.end - len(name), found.span.end), name


def rename(view: View, position: Position, new: str) -> dict[str, list[TextEdit]] | Refusal:
    """The edits of each file."""
    prepared = prepare_rename(view, position)
    if isinstance(prepared, Refusal):
        return prepared
    _, old = prepared
    found = view.occurrence_at(position)
    assert found is not None
    symbols = _all_together(view, found)
    first = found.symbols[0]
    # Where the last part of a dotted name is renamed, what stands before it stays.
    new_whole = first.name.removesuffix(old) + new if old != first.name else new
    if new == old:
        return {}
    refusal = _refusal(view, first, new_whole, symbols)
    if refusal is not None:
        return refusal
    edits: dict[str, list[TextEdit]] = {}
    for entry, one in view.uses(symbols):
        edits.setdefault(entry.file, []).append(
            view.edit(one.span, _replaced(one.span.text, first.name, new_whole))
        )
    return edits


def _replaced(text: str, old: str, new: str) -> str:
    """The new text of a place: the whole name, one with its module before it, or its last part."""
    if text == old:
        return new
    if text.endswith("." + old):
        return text[: -len(old)] + new
    return _last(new)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _all_together(view: View, found: Occurrence) -> set[Symbol]:
    """What must be renamed with it: attributes that one place reads on several types have one name."""
    symbols = set(found.symbols)
    growing = True
    while growing:
        growing = False
        for _, one in view.uses(symbols):
            if not symbols.issuperset(one.symbols):
                symbols.update(one.symbols)
                growing = True
    return symbols


def _refusal(view: View, symbol: Symbol, new: str, symbols: set[Symbol]) -> Refusal | None:
    pattern = _PATH if symbol.kind in _DOTTED else _NAME
    if not pattern.fullmatch(new):
        return Refusal(f"`{new}` is not a name")
    if new in syntax.RESERVED or new in DECLARATION_KEYWORDS:
        return Refusal(f"`{new}` is a word of the language")
    types = (Kind.ENTITY, Kind.ENUM, Kind.ALIAS)
    if symbol.kind in types and (new in PRIMITIVES or new == "Action"):
        return Refusal(f"`{new}` is a type of the language")
    if symbol.kind is Kind.DEFINE and function_named(new, Form.FUNCTION):
        return Refusal(f"`{new}` is a function of the language")
    for analysis in view.sets_with(symbol):
        for entry in analysis.entries.values():
            for other, _ in declared(entry.declaration, entry.module):
                if other.name == new and other not in symbols and _clash(symbol, other):
                    return Refusal(f"there is already {article(other.kind)} {other.kind} `{new}`")
    for one in symbols:
        if one.place is not None and _clashes_inside(view, one, new):
            return Refusal(f"there is already {with_article(new)} beside it")
    return None


def _clash(symbol: Symbol, other: Symbol) -> bool:
    """Whether two things may not have one name."""
    if symbol.kind is Kind.MEMBER or other.kind is Kind.MEMBER:
        return symbol.kind is other.kind and symbol.owner == other.owner
    kinds = {symbol.kind, other.kind}
    if kinds <= {Kind.ACTION, Kind.GROUP}:
        return True
    if kinds <= {Kind.ENUM, Kind.ENTITY, Kind.ALIAS, Kind.DEFINE}:
        return True
    return len(kinds) == 1 and symbol.kind in _WORLDWIDE | {Kind.TEST}


def _clashes_inside(view: View, symbol: Symbol, new: str) -> bool:
    """Whether the declaration around a field, a parameter or an element has the new name already.

    An attribute is also beside what an entity inherits, and beside what each that extends it declares.
    """
    for analysis in view.sets_with(symbol):
        for entity in analysis.names.schema.entities.values():
            own = any(one.span == symbol.place for one in entity.attributes.values())
            if own and new in entity.attributes:
                return True
    for entry, _ in declaring(view.analysis, symbol):
        for one in occurrences(view.analysis, entry):
            is_beside = one.declares or symbol.kind is not Kind.ATTRIBUTE
            if is_beside and any(
                other.name == new and other.kind is symbol.kind for other in one.symbols
            ):
                return True
    return False
