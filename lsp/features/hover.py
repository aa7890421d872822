"""What a name is: how it is declared, its documentation, its type here, and which rules and claims use it."""

from itertools import pairwise

from lsprotocol.types import Hover, MarkupContent, MarkupKind, Position

from ...lang import syntax
from ...lang.functions import Form, Function, function_named
from ...lang.render import safe
from ...lang.source import Span
from ...lang.syntax import walk
from ..analysis import Entry
from ..claims import NO_CLAIMS, Claims
from ..occurrences import declaring, uses
from ..symbols import BUILT_IN, Kind, Occurrence, Symbol
from ..view import View
from .claims import claim_text
from .completion import signature_of
from .navigation import type_at

MAX_USERS = 8
MAX_ATTRIBUTES = 20
_PRIMITIVE_DOCS = {
    "Bool": "`true` or `false`.",
    "Int": "A whole number of any size.",
    "Decimal": "A number with at most four places, exact.",
    "String": "A text.",
    "Instant": 'A moment, to the nanosecond: `instant("2026-01-01T00:00:00Z")`.',
    "Duration": "A length of time, such as `30d` or `1h30m`.",
    "IpRange": 'An address or a block of them: `ip("10.0.0.0/8")`.',
}
_VARIABLE_DOCS = {
    "principal": "Who asks.",
    "action": "What is asked for.",
    "resource": "What it is asked for on.",
    "context": "What the request says beside.",
}


def hover(view: View, position: Position, claims: Claims = NO_CLAIMS) -> Hover | None:
    offset = view.offset(position)
    found = view.entry_at(offset)
    if found is None:
        return None
    entry, local = found
    occurrence = view.occurrence_at(position)
    if occurrence is None:
        operator = _operator_at(entry.reading.declaration, entry.reading.offset(local))
        if operator is None:
            return None
        function, span = operator[0], entry.reading.span(operator[1])
        return _hover(view, span, [_code(f"{function.form} {function.name}"), *_about(function)])
    paragraphs = _paragraphs(view, position, occurrence)
    symbol = occurrence.symbols[0]
    if symbol.kind is Kind.CLAIM and symbol.name in claims:
        paragraphs.append(_fenced(claim_text(view, claims[symbol.name]), "text"))
    if symbol.kind is Kind.RULE:
        paragraphs += _stopped_nothing(view, symbol, claims)
    return _hover(view, occurrence.span, paragraphs)


def _stopped_nothing(view: View, symbol: Symbol, claims: Claims) -> list[str]:
    """Why a guard does not stop the counterexamples to claims."""
    fragments = {id(span.fragment) for _, span in declaring(view.analysis, symbol)}
    return [
        _text(f"In the counterexample to `{state.name}` {note}.")
        for state in claims.values()
        for note, span in state.notes
        if state.counterexample and id(span.fragment) in fragments
    ]


def _hover(view: View, span: Span, paragraphs: list[str]) -> Hover:
    text = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
    return Hover(MarkupContent(MarkupKind.Markdown, text), view.range(span))


def _paragraphs(view: View, position: Position, occurrence: Occurrence) -> list[str]:
    symbol = occurrence.symbols[0]
    match symbol.kind:
        case Kind.PRIMITIVE:
            return [_code(f"type {symbol.name}"), _PRIMITIVE_DOCS.get(symbol.name, "")]
        case Kind.FUNCTION | Kind.METHOD:
            function = function_named(symbol.name, Form.FUNCTION, Form.METHOD, Form.PROPERTY)
            return [] if function is None else [_code(function.example), *_about(function)]
        case Kind.VARIABLE:
            type = type_at(view, position)
            text = f"{symbol.name}: {type}" if type is not None else symbol.name
            return [_code(text), _VARIABLE_DOCS.get(symbol.name, "")]
        case Kind.ENTITY_ID:
            return [_code(symbol.name), _users(view, occurrence)]
        case Kind.PARAMETER | Kind.ELEMENT:
            type = type_at(view, position)
            return [_code(f"{symbol.name}: {type}" if type is not None else symbol.name)]
        case Kind.ATTRIBUTE:
            return _attribute(view, position, occurrence)
        case _:
            declared = declaring(view.analysis, symbol)
            if not declared:
                return [_code(f"{symbol.kind} {symbol.name}")]
            entry, _ = declared[0]
            return [*_declaration(view, entry, symbol), _users(view, occurrence)]


def _declaration(view: View, entry: Entry, symbol: Symbol) -> list[str]:
    item = entry.declaration
    schema = view.analysis.names.schema
    head, more = f"{symbol.kind} {symbol.name}", ""
    doc = item.doc
    match item:
        case syntax.Entity(name):
            abstract = "abstract " if item.abstract else ""
            extends = f" extends {item.extends.name}" if item.extends is not None else ""
            inside = " | ".join(parent.name for parent in item.parents)
            head = f"{abstract}entity {name}{extends}{' in ' + inside if inside else ''}"
            declaration = schema.entities.get(name)
            if declaration is not None:
                shown = list(declaration.attributes.values())[:MAX_ATTRIBUTES]
                more = "\n".join(f"* `{attribute}`" for attribute in shown)
                if declaration.abstract and declaration.concrete:
                    types = ", ".join(f"`{one}`" for one in sorted(declaration.concrete))
                    more += f"\n\nStands for {types}."
        case syntax.Enum(name) if symbol.kind is Kind.MEMBER:
            head = f"{name}.{symbol.name}"
            doc = next((one.doc for one in item.members if one.name == symbol.name), "")
        case syntax.Enum(name):
            members = ", ".join(member.name for member in item.members)
            head = f"enum {name}{' ordered' if item.ordered else ''} {{ {members} }}"
        case syntax.TypeAlias(name):
            head = f"type {name} = {view.analysis.names.types.get(id(item), '?')}"
        case syntax.Define():
            head = f"define {signature_of(item)}"
        case syntax.Action():
            action = schema.actions.get(symbol.name)
            if action is not None:
                principals = " | ".join(reference.name for reference in item.principals)
                resources = " | ".join(reference.name for reference in item.resources)
                head = f"action {action.name} {{ principal {principals}  resource {resources} }}"
                groups = ", ".join(f"`{group}`" for group in sorted(action.groups))
                more = f"In {groups}." if groups else ""
        case syntax.ActionGroup():
            names = sorted(schema.groups.get(symbol.name, ()))
            head = f"action group {symbol.name}"
            more = "Actions: " + ", ".join(f"`{name}`" for name in names) if names else ""
        case syntax.Rule():
            head = f"{item.effect} {item.name}"
            for clause in item.clauses:
                if isinstance(clause, syntax.Because | syntax.Instead):
                    more += f"\n\n{' '.join(clause.span.text.split())}"
        case syntax.Module(name):
            head = f"module {name}"
        case _:
            pass
    return [_code(head), _text(doc), _text(more.strip())]


def _attribute(view: View, position: Position, occurrence: Occurrence) -> list[str]:
    schema = view.analysis.names.schema
    owners, doc, type = [], "", None
    places = {symbol.place for symbol in occurrence.symbols}
    for entity in schema.entities.values():
        item = entity.attributes.get(occurrence.symbols[0].name)
        if item is not None and item.span in places:
            owners.append(entity.name)
            doc, type = item.doc or doc, f"{item.type}{'?' if item.optional else ''}"
    for symbol in occurrence.symbols:
        for entry, _ in declaring(view.analysis, symbol):
            for node in _fields(entry.declaration):
                if node.name_span == symbol.place:
                    doc = doc or node.doc
                    type = type or " ".join(node.type.span.text.split())
                    if isinstance(entry.declaration, syntax.TypeAlias):
                        owners.append(entry.declaration.name)
                    elif isinstance(entry.declaration, syntax.Action):
                        owners.append("context")
    here = type_at(view, position)
    line = f"{occurrence.symbols[0].name}: {type or here or '?'}"
    if here is not None and type is not None and str(here) != type and type == f"{here}?":
        line += "  // known to be there"
    names = list(dict.fromkeys(owners))
    of = ", ".join(f"`{name}`" for name in names[:6]) + (", …" if len(names) > 6 else "")
    return [_code(line), _text(doc), f"Of {of}." if of else "", _users(view, occurrence)]


def _fields(item: object) -> list[syntax.Field]:
    return [node for node in walk(item) if isinstance(node, syntax.Field)]


def _users(view: View, occurrence: Occurrence) -> str:
    """The rules, claims and tests that say the name."""
    if any(symbol.kind in BUILT_IN for symbol in occurrence.symbols):
        return ""
    found: dict[str, dict[str, None]] = {}
    for entry, one in uses(view.analysis, occurrence.symbols):
        item = entry.declaration
        if one.declares:
            continue
        match item:
            case syntax.Rule(name=name):
                found.setdefault("rule", {})[name] = None
            case syntax.Prove(name):
                found.setdefault("claim", {})[name] = None
            case syntax.Test(name):
                found.setdefault("test", {})[name] = None
            case _:
                pass
    parts = []
    for kind, names in found.items():
        listed = ", ".join(f"`{name}`" for name in list(names)[:MAX_USERS])
        more = f" and {len(names) - MAX_USERS} more" if len(names) > MAX_USERS else ""
        parts.append(f"{len(names)} {kind}{'' if len(names) == 1 else 's'}: {listed}{more}")
    return "Used by " + "; ".join(parts) + "." if parts else ""


def _about(function: Function) -> list[str]:
    return [function.doc, f"For example `{function.example}`."]


def _operator_at(item: syntax.Declaration, offset: int) -> tuple[Function, Span] | None:
    """The operator that an offset of a declaration is in: a word or a mark between two operands."""
    for node in walk(item):
        match node:
            case syntax.Binary(name, left, right):
                gap = (left.span.end, right.span.start)
            case syntax.Has(base) | syntax.Is(base) | syntax.Like(base):
                name = type(node).__name__.lower()
                gap = (base.span.end, node.span.end)
            case syntax.And(operands) | syntax.Or(operands):
                name = type(node).__name__.lower()
                gap = next(
                    (
                        (one.span.end, other.span.start)
                        for one, other in pairwise(operands)
                        if one.span.end <= offset <= other.span.start
                    ),
                    (0, 0),
                )
            case syntax.Unary(name, operand):
                gap = (node.span.start, operand.span.start)
            case _:
                continue
        text = node.span.fragment.text
        start = text.find(name, gap[0], gap[1])
        if start >= 0 and start <= offset <= start + len(name):
            forms = (Form.INFIX, Form.SPECIAL, Form.PREFIX)
            if isinstance(node, syntax.Unary):
                forms = (Form.PREFIX, Form.SPECIAL, Form.INFIX)
            function = function_named(name, *forms)
            if function is not None:
                return function, Span(node.span.fragment, start, start + len(name))
    return None


def _code(text: str) -> str:
    return _fenced(text, "ilk")


def _fenced(text: str, language: str) -> str:
    """A fenced block, which no text can end."""
    body = _text(text)
    fence = "```"
    while fence in body:
        fence += "`"
    return f"{fence}{language}\n{body}\n{fence}"


def _text(text: str) -> str:
    return "\n".join(safe(line) for line in text.split("\n"))
