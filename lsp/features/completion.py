"""Completion: what fits the place of the cursor, first by its type, in text that may be broken."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lsprotocol.types import (
    CompletionItem,
    CompletionItemKind,
    InsertTextFormat,
    Position,
    TextEdit,
)

from ...lang import syntax
from ...lang.functions import FUNCTIONS, Form, Function
from ...lang.names import resolve_type, silent
from ...lang.typesystem import (
    ACTION,
    BOOL,
    PRIMITIVES,
    EntityType,
    EnumType,
    Optional,
    RecordField,
    SetOf,
    Type,
    is_subtype,
    present,
)
from ..holes import Anything, EntityId, FieldName, Hole, Import, Member, Name, hole_at
from ..members import attributes_of
from ..occurrences import occurrences
from ..symbols import Kind
from ..view import View
from .imports import import_edit

SNIPPETS = {
    "permit": "permit ${1:name} {\n  principal ${2:Type}\n  action    ${3:action}\n  when      $0\n}",
    "forbid": "forbid ${1:name} {\n  action    ${2:action}\n  when      $0\n  because   \"${3:why}\"\n}",
    "require": "require ${1:name} {\n  action    ${2:action}\n  need      $0\n            \"${3:what is needed}\"\n}",
    "prove": "prove ${1:name} {\n  action    ${2:action}\n  when      $0\n  never permitted\n}",
    "test": "test ${1:name} {\n  principal ${2:Type}::\"${3:id}\"\n  action    ${4:action}\n"
    "  resource  ${5:Type}::\"${6:id}\"\n  expect    ${0:deny}\n}",
    "entity": "entity ${1:Name} {\n  $0\n}",
    "enum": "enum ${1:Name} { $0 }",
    "type": "type ${1:Name} = $0",
    "define": "define ${1:name}(${2:value}: ${3:Type}) -> ${4:Bool} =\n  $0",
    "action": "action ${1:name} {\n  principal ${2:Type}\n  resource  ${3:Type}\n}",
    "use": "use $0",
}  # fmt: skip
"""What a word at the beginning of a declaration is written out to."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A proposal. `rank` orders: what fits the expected type comes first."""

    label: str
    kind: CompletionItemKind
    rank: int = 5
    detail: str = ""
    doc: str = ""
    snippet: str = ""
    text: str = ""
    edits: tuple[TextEdit, ...] = ()


def completion(view: View, position: Position, *, snippets: bool = True) -> list[CompletionItem]:
    """Every proposal for the word at a position, best first."""
    offset = view.offset(position)
    hole = hole_at(view, offset)
    if hole is None:
        return []
    edit_range = view.range_between(hole.start, offset)
    found: dict[tuple[str, CompletionItemKind], _Item] = {}
    for item in _items(view, hole):
        known = found.setdefault((item.label, item.kind), item)
        if item.rank < known.rank:
            found[item.label, item.kind] = item
    result = []
    for item in sorted(found.values(), key=lambda item: (item.rank, item.label)):
        is_snippet = bool(item.snippet) and snippets
        text = item.snippet if is_snippet else item.text or item.label
        result.append(
            CompletionItem(
                item.label,
                kind=item.kind,
                detail=item.detail or None,
                documentation=item.doc or None,
                sort_text=f"{item.rank}{item.label}",
                filter_text=item.label,
                insert_text_format=InsertTextFormat.Snippet
                if is_snippet
                else InsertTextFormat.PlainText,
                text_edit=TextEdit(edit_range, text),
                additional_text_edits=list(item.edits) or None,
            )
        )
    return result


def _items(view: View, hole: Hole) -> Iterator[_Item]:
    place = hole.place
    match place:
        case Anything():
            yield from _values(view, place)
        case Member():
            yield from _members(view, place)
        case Name("type", dotted):
            yield from _types(view, dotted)
        case Name("entity type", dotted):
            yield from _types(view, dotted, entities_only=True)
        case Name("abstract", dotted):
            yield from _types(view, dotted, entities_only=True, abstract_only=True)
        case Name("action", dotted):
            yield from _actions(view, dotted)
        case Name("group"):
            yield from _groups(view)
        case Name("rule" | "forbid" as kind):
            yield from _rules(view, forbids_only=kind == "forbid")
        case Name("module", dotted):
            yield from _modules(view, dotted)
        case Import(module, given):
            yield from _exports(view, module, given)
        case FieldName(record, given):
            for item in record.fields:
                if item.name not in given:
                    yield _Item(
                        item.name,
                        CompletionItemKind.Field,
                        2 if item.optional else 1,
                        str(item.type) + ("?" if item.optional else ""),
                        getattr(item, "doc", ""),
                        text=f"{item.name}: ",
                    )
        case EntityId(type):
            yield from _entity_ids(view, type)
        case _:
            pass
    dotted = place.dotted if isinstance(place, Anything | Name) else ""
    if not dotted and not isinstance(place, Member | EntityId | Import | FieldName):
        yield from _words(view, hole)


def _words(view: View, hole: Hole) -> Iterator[_Item]:
    """The words of the language; at the beginning of a declaration, written out."""
    boolean = isinstance(hole.place, Anything) and hole.place.expected == BOOL
    for word in hole.words:
        rank = 3 if not isinstance(hole.place, Anything) else 6
        if word in ("true", "false") and boolean:
            rank = 4
        elif word in ("principal", "action", "resource", "context") and hole.place is not None:
            continue
        snippet = SNIPPETS.get(word, "") if hole.begins else ""
        yield _Item(word, CompletionItemKind.Keyword, rank, snippet=snippet)


# Values


def _values(view: View, place: Anything) -> Iterator[_Item]:
    expected = place.expected
    schema = view.analysis.names.schema
    if place.dotted:
        enum = schema.enums.get(place.dotted.rpartition(".")[2])
        if enum is not None:
            yield from _enum_members(view, enum, 1)
        yield from _actions(view, place.dotted)
        return
    for name, type in place.variables.items():
        yield _Item(name, CompletionItemKind.Variable, _rank(type, expected, 2), str(type))
    if isinstance(wanted := present(expected) if expected else None, EnumType):
        yield from _enum_members(view, wanted, 1)
    if expected == ACTION or (isinstance(expected, SetOf) and expected.element == ACTION):
        yield from _actions(view, "")
        yield from _groups(view)
    yield from _defines(view, expected)
    for function in FUNCTIONS:
        if function.form is Form.FUNCTION:
            result = function.signatures[0].result.type
            yield _function(function, _rank(result, expected, 5))
    if isinstance(wanted, EntityType):
        for name in sorted(wanted.types):
            yield _Item(
                f'{name}::"…"', CompletionItemKind.Reference, 2, "entity", snippet=f'{name}::"$1"',
                text=f'{name}::""',
            )  # fmt: skip
    if expected is None:
        for name, enum in schema.enums.items():
            yield _Item(name, CompletionItemKind.Enum, 7, "enum", text=f"{enum.name}")


def _rank(type: Type | None, expected: Type | None, base: int) -> int:
    """Lower where the type is the one that is expected, or one from which a dot may lead there."""
    if expected is None or type is None:
        return base
    return base - 1 if is_subtype(present(type), present(expected)) else base + 1


def _enum_members(view: View, enum: EnumType, rank: int) -> Iterator[_Item]:
    docs: dict[str, str] = {}
    for entry in view.analysis.entries.values():
        item = entry.declaration
        if isinstance(item, syntax.Enum) and item.name == enum.name:
            docs = {member.name: member.doc for member in item.members}
    for member in enum.members:
        yield _Item(member, CompletionItemKind.EnumMember, rank, enum.name, docs.get(member, ""))


def _defines(view: View, expected: Type | None) -> Iterator[_Item]:
    names, scope = view.analysis.names, view.scope
    for entry in view.analysis.entries.values():
        item = entry.declaration
        if not isinstance(item, syntax.Define) or scope is None:
            continue
        result = resolve_type(names, names.scopes[entry.module], item.result, silent)
        visible = any(symbol.declaration is item for symbol in scope.symbols.get(item.name, ()))
        edit = None if visible else import_edit(view, entry.module, item.name)
        if not visible and edit is None:
            continue
        inside = ", ".join(
            f"${{{number}:{one.name}}}" for number, one in enumerate(item.parameters, 1)
        )
        yield _Item(
            item.name,
            CompletionItemKind.Function,
            _rank(result, expected, 4) + (0 if visible else 3),
            signature_of(item),
            item.doc,
            snippet=f"{item.name}({inside})",
            edits=(edit,) if edit is not None else (),
        )


def signature_of(item: syntax.Define) -> str:
    parameters = ", ".join(
        f"{one.name}: {' '.join(one.type.span.text.split())}" for one in item.parameters
    )
    return f"{item.name}({parameters}) -> {' '.join(item.result.span.text.split())}"


def _function(function: Function, rank: int) -> _Item:
    return _Item(
        function.name,
        CompletionItemKind.Function,
        rank,
        function.example,
        function.doc,
        snippet=f'{function.name}("$1")',
    )


# After the dot


def _members(view: View, place: Member) -> Iterator[_Item]:
    schema = view.analysis.names.schema
    base = present(place.base)
    for item in attributes_of(schema, base):
        if place.optional_only and not item.optional:
            continue
        yield _attribute(item, place.expected)
    if isinstance(base, SetOf) and not place.optional_only:
        for function in FUNCTIONS:
            if function.form is Form.METHOD:
                yield _Item(
                    function.name,
                    CompletionItemKind.Method,
                    3,
                    function.example,
                    function.doc,
                    snippet=f"{function.name}(${{1:x}} => $0)",
                )
            elif function.form is Form.PROPERTY:
                yield _Item(function.name, CompletionItemKind.Property, 2, "Int", function.doc)


def _attribute(item: RecordField, expected: Type | None) -> _Item:
    type = Optional(item.type) if item.optional else item.type
    return _Item(
        item.name,
        CompletionItemKind.Field,
        _rank(item.type, expected, 2),
        str(type),
        getattr(item, "doc", ""),
    )


# Names


def _types(
    view: View, dotted: str, *, entities_only: bool = False, abstract_only: bool = False
) -> Iterator[_Item]:
    names, scope = view.analysis.names, view.scope
    if scope is None:
        return
    if not entities_only and not dotted:
        for name in PRIMITIVES:
            yield _Item(name, CompletionItemKind.Class, 2, "built-in type")
    for entry in view.analysis.entries.values():
        item = entry.declaration
        match item:
            case syntax.Entity(name):
                if abstract_only and not item.abstract:
                    continue
                kind, detail = CompletionItemKind.Class, "entity"
            case syntax.Enum(name):
                kind, detail = CompletionItemKind.Enum, "enum"
            case syntax.TypeAlias(name):
                kind, detail = CompletionItemKind.Struct, "type"
                found = names.types.get(id(item))
                if entities_only and not isinstance(found, EntityType):
                    continue
            case _:
                continue
        if entities_only and isinstance(item, syntax.Enum):
            continue
        if dotted:
            if entry.module == dotted:
                yield _Item(name, kind, 1, detail, item.doc)
            continue
        visible = any(symbol.declaration is item for symbol in scope.symbols.get(name, ()))
        edit = None if visible else import_edit(view, entry.module, name)
        if visible or edit is not None:
            yield _Item(
                name, kind, 1 if visible else 7, detail, item.doc, edits=(edit,) if edit else ()
            )


def _actions(view: View, dotted: str) -> Iterator[_Item]:
    schema = view.analysis.names.schema
    for name, action in schema.actions.items():
        label = name.removeprefix(dotted + ".") if dotted else name
        if dotted and label == name:
            continue
        yield _Item(label, CompletionItemKind.Event, 2, "action", action.doc)
    if not dotted:
        yield from _groups(view)


def _groups(view: View) -> Iterator[_Item]:
    for name, members in view.analysis.names.schema.groups.items():
        yield _Item(name, CompletionItemKind.Event, 1, f"group of {len(members)} actions")


def _rules(view: View, *, forbids_only: bool) -> Iterator[_Item]:
    for name, rule in view.analysis.names.rules.items():
        if not forbids_only or rule.effect is syntax.Effect.FORBID:
            yield _Item(name, CompletionItemKind.Constant, 2, str(rule.effect), rule.doc)


def _modules(view: View, dotted: str) -> Iterator[_Item]:
    for name in view.modules():
        label = name.removeprefix(dotted + ".") if dotted else name
        if dotted and label == name:
            continue
        yield _Item(label, CompletionItemKind.Module, 1, "module")


def _exports(view: View, module: str, given: Iterable[str]) -> Iterator[_Item]:
    scope = view.analysis.names.scopes.get(module)
    for name, symbols in scope.symbols.items() if scope is not None else ():
        if name not in given and any(symbol.module == module for symbol in symbols):
            doc = symbols[0].declaration.doc
            yield _Item(name, CompletionItemKind.Class, 1, module, doc)


def _entity_ids(view: View, type: str) -> Iterator[_Item]:
    """The entities of a type that the policy set names."""
    found: dict[str, None] = {}
    for entry in view.analysis.entries.values():
        if type in entry.declaration.span.fragment.text:
            for one in occurrences(view.analysis, entry):
                for symbol in one.symbols:
                    if symbol.kind is Kind.ENTITY_ID:
                        found[symbol.name] = None
    short = type.rpartition(".")[2]
    for name in found:
        kind, _, quoted = name.partition("::")
        if kind == short and quoted != '""':
            yield _Item(quoted[1:-1], CompletionItemKind.Reference, 1, kind)
