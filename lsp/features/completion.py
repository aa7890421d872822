"""Completion: what fits the place of the cursor, first by its type, in text that may be broken."""

from collections.abc import Container, Iterable, Iterator
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
    EntityType,
    EnumType,
    Optional,
    RecordField,
    RecordOf,
    SetOf,
    Type,
    is_subtype,
    present,
)
from ..exports import Export, exports, unread
from ..holes import (
    Anything,
    Entity,
    EntityId,
    FieldName,
    Hole,
    Import,
    Member,
    Name,
    RuleName,
    hole_at,
)
from ..members import attributes_of
from ..occurrences import occurrences
from ..symbols import Kind, declared
from ..view import View
from .fix_guards import default_of
from .imports import import_edit, use_edit
from .ranking import (
    CLAUSE_WORDS,
    DECLARATIONS,
    OPERATORS,
    REQUEST,
    TYPES,
    VALUES,
    Rank,
    order_in,
    wanted_clauses,
)

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
    """A proposal; `order` is its place among those of the same rank."""

    label: str
    kind: CompletionItemKind
    rank: Rank
    order: int = 0
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
        if _key(item) < _key(known):
            found[item.label, item.kind] = item
    result = []
    for item in sorted(found.values(), key=_key):
        is_snippet = bool(item.snippet) and snippets
        text = item.snippet if is_snippet else item.text or item.label
        result.append(
            CompletionItem(
                item.label,
                kind=item.kind,
                detail=item.detail or None,
                documentation=item.doc or None,
                sort_text=f"{item.rank:d}{item.order:02}{item.label}",
                filter_text=item.label,
                insert_text_format=InsertTextFormat.Snippet
                if is_snippet
                else InsertTextFormat.PlainText,
                text_edit=TextEdit(edit_range, text),
                additional_text_edits=list(item.edits) or None,
            )
        )
    return result


def _key(item: _Item) -> tuple[Rank, int, str]:
    return item.rank, item.order, item.label


def _items(view: View, hole: Hole) -> Iterator[_Item]:
    place = hole.place
    match place:
        case Anything():
            yield from _values(view, hole, place)
        case Member():
            yield from _members(view, place)
        case Name("type", dotted):
            yield from _types(view, hole, dotted)
        case Name("entity type", dotted):
            yield from _types(view, hole, dotted, entities_only=True, likely=place.likely)
        case Name("abstract", dotted):
            yield from _types(view, hole, dotted, entities_only=True, abstract_only=True)
        case Name("action" | "one action" as kind, dotted):
            yield from _actions(view, hole, dotted, groups=kind == "action")
        case Name("group"):
            yield from _groups(view, hole)
        case RuleName(effects):
            yield from _rules(view, effects)
        case Name("module", dotted):
            yield from _modules(view, dotted)
        case Entity(types):
            yield from _entities(view, types, Rank.ANSWER)
        case Import(module, given):
            for export in exports(view, module):
                if export.is_imported and export.name not in given:
                    yield _exported(export, Rank.ANSWER)
        case FieldName(record, given):
            for item in record.fields:
                if item.name not in given:
                    yield _Item(
                        item.name,
                        CompletionItemKind.Field,
                        Rank.FITS if item.optional else Rank.ANSWER,
                        detail=str(item.type) + ("?" if item.optional else ""),
                        doc=getattr(item, "doc", ""),
                        text=f"{item.name}: ",
                    )
        case EntityId(type):
            yield from _entity_ids(view, type)
        case _:
            pass
    dotted = place.dotted if isinstance(place, Anything | Name) else ""
    is_named = isinstance(place, Member | Entity | EntityId | Import | FieldName)
    if not dotted and not is_named and place != Name("new"):
        yield from _words(view, hole)


def _words(view: View, hole: Hole) -> Iterator[_Item]:
    """The words of the language; at the beginning of a declaration, written out."""
    entry = view.entry_at(hole.start)
    clauses = wanted_clauses(entry[0].reading.declaration) if entry and hole.ends else None
    starts_clause = hole.at_line_start or "and" not in hole.words
    place = hole.place
    for word in hole.words:
        if word in TYPES:
            continue
        rank, order = Rank.GOES_ON, order_in(OPERATORS, word)
        if hole.begins and word in DECLARATIONS:
            rank, order = Rank.MAKES, order_in(DECLARATIONS, word)
        elif isinstance(place, Anything):
            if word not in VALUES:
                continue
            is_bool = BOOL in map(present, place.wanted)
            if word in ("true", "false") and is_bool and place.is_written:
                rank = Rank.ANSWER
            elif word != "if" and place.wanted and not is_bool:
                rank = Rank.UNLIKELY
            order = order_in(VALUES, word)
        elif clauses is not None and word in CLAUSE_WORDS:
            if word not in clauses:
                continue
            rank = Rank.ANSWER if starts_clause else Rank.UNLIKELY
            order = order_in(clauses, word)
        snippet = SNIPPETS.get(word, "") if hole.begins else ""
        yield _Item(word, CompletionItemKind.Keyword, rank, order, snippet=snippet)


# Values


def _values(view: View, hole: Hole, place: Anything) -> Iterator[_Item]:
    schema = view.analysis.names.schema
    if place.dotted:
        enum = schema.enums.get(place.dotted.rpartition(".")[2])
        if enum is not None:
            yield from _enum_members(view, enum)
        yield from _actions(view, None, place.dotted)
        return
    for name, type in place.variables.items():
        order = order_in(REQUEST, name) + 1 if name in REQUEST else 0
        rank = _rank(type, place.wanted, Rank.LEADS)
        yield _Item(name, CompletionItemKind.Variable, rank, order, str(type))
    for wanted in map(present, place.wanted):
        inner = wanted.element if isinstance(wanted, SetOf) else wanted
        if isinstance(wanted, EnumType):
            yield from _enum_members(view, wanted)
        if inner == ACTION:
            yield from _actions(view, None, "")
        if isinstance(wanted, EntityType):
            yield from _entities(view, wanted.types, Rank.MAKES)
        plainest = default_of(wanted) if place.is_written else None
        if plainest is not None and wanted != BOOL and not isinstance(wanted, EnumType):
            yield _Item(plainest, CompletionItemKind.Value, Rank.ANSWER, 1, str(wanted))
    # A test gives values, and asks nothing.
    if not isinstance(hole.declaration, syntax.Test):
        yield from _defines(view, place)
    for function in FUNCTIONS:
        if function.form is Form.FUNCTION:
            result = function.signatures[0].result.type
            yield _function(function, _rank(result, place.wanted, Rank.UNLIKELY))
    if not place.wanted:
        for name, enum in schema.enums.items():
            yield _Item(name, CompletionItemKind.Enum, Rank.UNLIKELY, detail="enum", text=enum.name)


def _rank(type: Type | None, wanted: tuple[Type, ...], otherwise: Rank) -> Rank:
    """The rank of something of a type; `otherwise` where nothing is known of what is needed."""
    if type is None or not wanted:
        return otherwise
    if any(is_subtype(present(type), present(one)) for one in wanted):
        return Rank.FITS
    # A comparison makes a condition of any value, and a dot leads on from some.
    leads = BOOL in map(present, wanted) or isinstance(present(type), EntityType | RecordOf | SetOf)
    return otherwise if leads or otherwise is Rank.UNLIKELY else Rank.OTHER


def _entities(view: View, types: Iterable[str], rank: Rank) -> Iterator[_Item]:
    """An entity of each type, to be named."""
    scope, schema = view.scope, view.analysis.names.schema
    for name in types:
        edit = None
        if scope is not None and name not in scope.symbols:
            modules = view.analysis.names.hidden.get(name, ())
            edit = next((import_edit(view, module, name) for module in modules), None)
        yield _Item(
            f'{name}::"…"',
            CompletionItemKind.Reference,
            rank if edit is None else Rank.ELSEWHERE,
            _distance(view, schema.entities[name].span.file),
            "entity",
            snippet=f'{name}::"$1"',
            text=f'{name}::""',
            edits=(edit,) if edit is not None else (),
        )


def _enum_members(view: View, enum: EnumType) -> Iterator[_Item]:
    docs: dict[str, str] = {}
    for entry in view.analysis.entries.values():
        item = entry.declaration
        if isinstance(item, syntax.Enum) and item.name == enum.name:
            docs = {member.name: member.doc for member in item.members}
    for member in enum.members:
        kind, doc = CompletionItemKind.EnumMember, docs.get(member, "")
        yield _Item(member, kind, Rank.ANSWER, detail=enum.name, doc=doc)


def _defines(view: View, place: Anything) -> Iterator[_Item]:
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
        rank = _rank(result, place.wanted, Rank.MAKES)
        order, rank = (0, Rank.MAKES) if rank is Rank.FITS else (1, rank)
        yield _Item(
            item.name,
            CompletionItemKind.Function,
            rank if visible else Rank.ELSEWHERE,
            order,
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


def _function(function: Function, rank: Rank) -> _Item:
    return _Item(
        function.name,
        CompletionItemKind.Function,
        rank,
        detail=function.example,
        doc=function.doc,
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
                    Rank.MAKES,
                    detail=function.example,
                    doc=function.doc,
                    snippet=f"{function.name}(${{1:x}} => $0)",
                )
            elif function.form is Form.PROPERTY:
                kind = CompletionItemKind.Property
                yield _Item(function.name, kind, Rank.LEADS, detail="Int", doc=function.doc)


def _attribute(item: RecordField, expected: Type | None) -> _Item:
    type = Optional(item.type) if item.optional else item.type
    return _Item(
        item.name,
        CompletionItemKind.Field,
        _rank(item.type, (expected,) if expected is not None else (), Rank.LEADS),
        detail=str(type),
        doc=getattr(item, "doc", ""),
    )


# Names


def _types(
    view: View,
    hole: Hole,
    dotted: str,
    *,
    entities_only: bool = False,
    abstract_only: bool = False,
    likely: frozenset[str] = frozenset(),
) -> Iterator[_Item]:
    """The types in sight, and those that a `use` brings; `likely` are the entity types that are asked for."""
    names, scope = view.analysis.names, view.scope
    if scope is None:
        return
    if not entities_only and not dotted:
        for name in TYPES:
            order = order_in(TYPES, name)
            rank = Rank.ANSWER if order < _COMMON_TYPES else Rank.MAKES
            snippet = "Set<$1>" if name == "Set" else ""
            yield _Item(
                name, CompletionItemKind.Class, rank, order, "built-in type", snippet=snippet
            )
    for entry in view.analysis.entries.values():
        if not isinstance(entry.declaration, syntax.Enum | syntax.Entity | syntax.TypeAlias):
            continue
        for symbol, _ in declared(entry.declaration, entry.module):
            export = Export(entry.module, symbol.kind, symbol.name, entry.declaration)
            type = names.types.get(id(entry.declaration))
            is_entity = symbol.kind is Kind.ENTITY or isinstance(type, EntityType)
            if symbol.kind not in _TYPE_KINDS or (entities_only and not is_entity):
                continue
            if abstract_only and not getattr(entry.declaration, "abstract", False):
                continue
            name = symbol.name
            if dotted:
                if entry.module == dotted:
                    yield _exported(export, Rank.ANSWER)
                continue
            seen = scope.symbols.get(name, ())
            visible = any(one.declaration is entry.declaration for one in seen)
            edit = None if visible else import_edit(view, entry.module, name)
            if visible:
                order = _distance(view, entry.file)
                yield _exported(export, _rank_of_type(export, likely), order=order)
            elif edit is not None:
                rank = Rank.OTHER if name in likely else Rank.ELSEWHERE
                yield _exported(export, rank, edit)
    if not dotted:
        kinds = {Kind.ENTITY} if entities_only else _TYPE_KINDS
        for export in _unread(view, hole, kinds):
            if not abstract_only or getattr(export.declaration, "abstract", False):
                edit = import_edit(view, export.module, export.name)
                yield _exported(export, Rank.ELSEWHERE, edit)


_TYPE_KINDS = frozenset({Kind.ENTITY, Kind.ENUM, Kind.ALIAS})
_COMMON_TYPES = 3


def _rank_of_type(export: Export, likely: frozenset[str]) -> Rank:
    if not likely:
        return Rank.FITS
    if export.name in likely:
        return Rank.ANSWER
    return Rank.UNLIKELY if getattr(export.declaration, "abstract", False) else Rank.OTHER


_KINDS = {
    Kind.ENTITY: (CompletionItemKind.Class, "entity"),
    Kind.ENUM: (CompletionItemKind.Enum, "enum"),
    Kind.ALIAS: (CompletionItemKind.Struct, "type"),
    Kind.DEFINE: (CompletionItemKind.Function, "define"),
    Kind.ACTION: (CompletionItemKind.Event, "action"),
    Kind.GROUP: (CompletionItemKind.Event, "group of actions"),
}


def _exported(export: Export, rank: Rank, edit: TextEdit | None = None, order: int = 0) -> _Item:
    kind, detail = _KINDS[export.kind]
    edits = (edit,) if edit is not None else ()
    detail = f"{detail} of {export.module}" if edits else detail
    doc = export.declaration.doc
    return _Item(export.name, kind, rank, order, detail, doc, edits=edits)


def _unread(view: View, hole: Hole, kinds: Container[Kind]) -> Iterator[Export]:
    """What modules declare that the policy set does not read, once something of its name is typed."""
    typed = hole.typed.lower()
    for export in unread(view) if typed else ():
        name = export.name.lower()
        # An action can be named by its last part.
        if export.kind in kinds and (name.startswith(typed) or f".{typed}" in name):
            yield export


def _actions(view: View, hole: Hole | None, dotted: str, *, groups: bool = True) -> Iterator[_Item]:
    """Those of the file first, then those of the project."""
    for name, action in view.analysis.names.schema.actions.items():
        label = name.removeprefix(dotted + ".") if dotted else name
        if dotted and label == name:
            continue
        order = 2 * _distance(view, action.span.file) + 1
        yield _Item(label, CompletionItemKind.Event, Rank.ANSWER, order, "action", action.doc)
    if not dotted and groups:
        yield from _groups(view, hole)
    if not dotted and hole is not None:
        for export in _unread(view, hole, {Kind.ACTION, Kind.GROUP} if groups else {Kind.ACTION}):
            yield _exported(export, Rank.ELSEWHERE, use_edit(view, export.use))


def _groups(view: View, hole: Hole | None) -> Iterator[_Item]:
    files: dict[str, list[str]] = {}
    for entry in view.analysis.entries.values():
        if isinstance(entry.declaration, syntax.ActionGroup):
            for reference in entry.declaration.names:
                files.setdefault(reference.name, []).append(entry.file)
    for name, members in view.analysis.names.schema.groups.items():
        order = 2 * min((_distance(view, file) for file in files.get(name, ())), default=2)
        detail = f"group of {len(members)} actions"
        yield _Item(name, CompletionItemKind.Event, Rank.ANSWER, order, detail)


def _distance(view: View, file: str) -> int:
    """How far a declaration is from the file: in it, in the project, or bundled."""
    return 0 if file == view.file else 1 if view.is_editable(file) else 2


def _rules(view: View, effects: Container[syntax.Effect]) -> Iterator[_Item]:
    for name, rule in view.analysis.names.rules.items():
        if rule.effect in effects:
            order, detail = _distance(view, rule.span.file), str(rule.effect)
            kind = CompletionItemKind.Constant
            yield _Item(name, kind, Rank.ANSWER, order, detail, doc=rule.doc)


def _modules(view: View, dotted: str) -> Iterator[_Item]:
    for name in view.modules():
        label = name.removeprefix(dotted + ".") if dotted else name
        if dotted and label == name:
            continue
        yield _Item(label, CompletionItemKind.Module, Rank.ANSWER, detail="module")


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
            yield _Item(quoted[1:-1], CompletionItemKind.Reference, Rank.ANSWER, detail=kind)
