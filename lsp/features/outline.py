"""The declarations of a file as a tree, and those of the whole project by name."""

from lsprotocol.types import DocumentSymbol, Location, SymbolKind, WorkspaceSymbol

from ...lang import syntax
from ...lang.source import Span
from ..analysis import Analysis
from ..documents import Part
from ..view import View

MAX_SYMBOLS = 500


def document_symbols(view: View) -> list[DocumentSymbol]:
    found: list[DocumentSymbol] = []
    for part in view.document.parts:
        found += _symbols(view, part)
    return found


def workspace_symbols(view: View, query: str) -> list[WorkspaceSymbol]:
    """The declarations of every file of a policy set whose name has the letters of the query in order."""
    found: list[WorkspaceSymbol] = []
    for file, document in view.analysis.documents.items():
        for part in document.parts:
            for name, kind, span, _ in _declared(part.declaration):
                if len(found) < MAX_SYMBOLS and _matches(query.lower(), name.lower()):
                    place = Location(view.uri_of(file), view.range(span))
                    found.append(
                        WorkspaceSymbol(
                            place, name, kind, container_name=_module(view.analysis, file)
                        )
                    )
    return found


def _matches(query: str, name: str) -> bool:
    letters = iter(name)
    return all(letter in letters for letter in query)


def _module(analysis: Analysis, file: str) -> str | None:
    return next(
        (
            module.name
            for module in analysis.names.modules.values()
            if module.file == file and not module.name.startswith("<")
        ),
        None,
    )


def _symbols(view: View, part: Part) -> list[DocumentSymbol]:
    whole = view.range(part.declaration.span)
    return [
        DocumentSymbol(
            name, kind, whole, view.range(span), detail=detail,
            children=_children(view, part.declaration),
        )
        for name, kind, span, detail in _declared(part.declaration)
    ]  # fmt: skip


def _declared(item: syntax.Declaration) -> list[tuple[str, SymbolKind, Span, str]]:
    """Name, kind, place of the name and a word about each thing that is declared."""
    match item:
        case syntax.Module(name):
            return [(name, SymbolKind.Module, item.name_span, "module")]
        case syntax.Enum(name):
            return [(name, SymbolKind.Enum, item.name_span, "enum")]
        case syntax.Entity(name):
            return [(name, SymbolKind.Class, item.name_span, "entity")]
        case syntax.TypeAlias(name):
            return [(name, SymbolKind.Struct, item.name_span, "type")]
        case syntax.Define(name):
            return [(name, SymbolKind.Function, item.name_span, "define")]
        case syntax.Rule(effect, name):
            return [(name, SymbolKind.Constant, item.name_span, str(effect))]
        case syntax.Prove(name):
            return [(name, SymbolKind.Boolean, item.name_span, "prove")]
        case syntax.Test(name):
            return [(name, SymbolKind.Method, item.name_span, "test")]
        case syntax.Action(names):
            return [(one.name, SymbolKind.Event, one.span, "action") for one in names]
        case syntax.ActionGroup(names):
            return [(one.name, SymbolKind.Namespace, one.span, "action group") for one in names]
        case syntax.Broken(keyword, names) if names:
            text = item.span.fragment.text
            start = max(0, text.find(names[0]))
            span = Span(item.span.fragment, start, start + len(names[0]))
            return [(names[0], SymbolKind.Null, span, f"{keyword} (cannot be read)")]
        case _:
            return []


def _children(view: View, item: syntax.Declaration) -> list[DocumentSymbol] | None:
    match item:
        case syntax.Enum():
            return [
                DocumentSymbol(
                    one.name, SymbolKind.EnumMember, view.range(one.span), view.range(one.span)
                )
                for one in item.members
            ]
        case syntax.Entity(fields=fields) | syntax.TypeAlias(type=syntax.RecordType(fields)):
            return [
                DocumentSymbol(
                    one.name,
                    SymbolKind.Field,
                    view.range(one.span),
                    view.range(one.name_span),
                    detail=" ".join(one.type.span.text.split()),
                )
                for one in fields
            ]
        case _:
            return None
