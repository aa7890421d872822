"""Which definitions a declaration calls, and which declarations call a definition."""

from lsprotocol.types import (
    CallHierarchyIncomingCall,
    CallHierarchyItem,
    CallHierarchyOutgoingCall,
    Position,
    Range,
    SymbolKind,
)

from ...lang import syntax
from ..analysis import Entry
from ..occurrences import declaring, occurrences
from ..symbols import Kind, Symbol, declared
from ..view import View

_KINDS = {
    Kind.DEFINE: SymbolKind.Function,
    Kind.RULE: SymbolKind.Constant,
    Kind.CLAIM: SymbolKind.Boolean,
    Kind.TEST: SymbolKind.Method,
    Kind.ACTION: SymbolKind.Event,
}


def prepare(view: View, position: Position) -> list[CallHierarchyItem]:
    """The definition that is named at a position, or the rule or claim that is declared there."""
    found = view.occurrence_at(position)
    if found is None or found.symbols[0].kind not in _KINDS:
        return []
    return [
        _item(view, entry, found.symbols[0])
        for entry, _ in declaring(view.analysis, found.symbols[0])
    ][:1]


def incoming(view: View, position: Position) -> list[CallHierarchyIncomingCall]:
    found = view.occurrence_at(position)
    if found is None or found.symbols[0].kind is not Kind.DEFINE:
        return []
    calls: dict[int, tuple[Entry, list[Range]]] = {}
    for entry, one in view.uses(found.symbols):
        if not one.declares and not isinstance(entry.declaration, syntax.Use):
            calls.setdefault(id(entry), (entry, []))[1].append(view.range(one.span))
    return [
        CallHierarchyIncomingCall(_item(view, entry, caller), ranges)
        for entry, ranges in calls.values()
        for caller, _ in declared(entry.reading.declaration, entry.module)[:1]
    ]


def outgoing(view: View, position: Position) -> list[CallHierarchyOutgoingCall]:
    found = view.occurrence_at(position)
    if found is None:
        return []
    calls: dict[Symbol, list[Range]] = {}
    for entry, _ in declaring(view.analysis, found.symbols[0])[:1]:
        for one in occurrences(view.analysis, entry):
            for symbol in one.symbols:
                if symbol.kind is Kind.DEFINE and not one.declares:
                    calls.setdefault(symbol, []).append(view.range(one.span))
    return [
        CallHierarchyOutgoingCall(_item(view, entry, symbol), ranges)
        for symbol, ranges in calls.items()
        for entry, _ in declaring(view.analysis, symbol)[:1]
    ]


def _item(view: View, entry: Entry, symbol: Symbol) -> CallHierarchyItem:
    item = entry.declaration
    return CallHierarchyItem(
        symbol.name,
        _KINDS.get(symbol.kind, SymbolKind.Object),
        view.uri_of(entry.file),
        view.range(item.span),
        view.range(item.name_span),
        detail=str(symbol.kind),
    )
