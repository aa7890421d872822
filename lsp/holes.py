"""The place of the cursor in text that is being written: what may stand there, and what the checker knows of it.

The word at the cursor becomes a name that nobody chose, the declaration is completed until it can be read, and the
checker tells what it expects where that name stands.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..lang import syntax
from ..lang.checked import Checked
from ..lang.declared_tests import DETERMINED_BY
from ..lang.facts import Facts
from ..lang.grammar_state import state_after
from ..lang.lookups import Seen
from ..lang.parser import parse_fragment
from ..lang.schema import Schema
from ..lang.source import Fragment
from ..lang.syntax import walk
from ..lang.typesystem import IP_RANGE, EntityType, RecordOf, Type, entity_type, present
from .members import attributes_named, joined
from .repair import without_slips
from .view import View

HOLE = "ilk_hole"
_WORD_BEFORE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z|\Z")
_WORD_AFTER = re.compile(r"[A-Za-z0-9_]*")
_TEXT = re.compile(r'"(?:[^"\\\r\n]|\\[^\r\n])*"?|//[^\r\n]*')
_OPEN_HOLE = re.compile(r'(?<!\\)\{[^{}"]*\Z')
_ENTITY_TEXT = re.compile(r'([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)::"([^"\\\r\n]*)\Z')


@dataclass(frozen=True, slots=True)
class Anything:
    """An expression from what is in sight; `wanted` are the types of which one fits, none where any does."""

    wanted: tuple[Type, ...]
    variables: dict[str, Type]
    facts: Facts
    dotted: str = ""
    """What stands before the dot where that may be the beginning of a longer name."""
    is_written: bool = False
    """Whether a value is rather written out than read, as in a test or after `??`."""


@dataclass(frozen=True, slots=True)
class Member:
    """What stands after the dot of a value."""

    base: Type
    expected: Type | None
    optional_only: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """A name of one kind: `type`, `entity type`, `action`, `group`, `module` or `new`, which is free."""

    kind: str
    dotted: str = ""
    likely: frozenset[str] = frozenset()
    """The entity types that are asked for there."""


@dataclass(frozen=True, slots=True)
class RuleName:
    """A rule with one of these effects."""

    effects: tuple[syntax.Effect, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity of one of these types, written out."""

    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Import:
    """A name that a module declares."""

    module: str
    given: frozenset[str]


@dataclass(frozen=True, slots=True)
class FieldName:
    """A field of a record that is not given yet."""

    record: RecordOf
    given: frozenset[str]


@dataclass(frozen=True, slots=True)
class EntityId:
    """The inside of `Type::"…"`."""

    type: str


Place = Anything | Member | Name | RuleName | Entity | Import | FieldName | EntityId


@dataclass(frozen=True, slots=True)
class Hole:
    """The word from `start` to `end`, of which `typed` stands before the cursor."""

    start: int
    end: int
    typed: str
    words: tuple[str, ...]
    """The words of the language that may stand here."""
    place: Place | None
    declaration: syntax.Declaration | None = None
    begins: bool = False
    """Whether a declaration may begin here."""
    ends: bool = False
    """Whether a block may end here, so that a clause may begin."""
    at_line_start: bool = False
    """Whether nothing stands before it on its line."""


def hole_at(view: View, offset: int) -> Hole | None:
    """The place at an offset of a file; `None` inside comments and texts."""
    part = view.part_at(offset)
    source = view.source
    begin = part.fragment.offset if part is not None else offset
    end = begin + len(part.fragment.text) if part is not None else offset
    before, after = source[begin:offset], source[offset:end]
    inside = _inside_text(before)
    if inside is not None:
        if inside.startswith("//"):
            return None
        entity = _ENTITY_TEXT.search(before)
        if entity is not None:
            stop = offset + len(re.split(r'["\r\n]', after, maxsplit=1)[0])
            return Hole(offset - len(entity[2]), stop, entity[2], (), EntityId(entity[1]))
        opened = _OPEN_HOLE.search(inside)
        if opened is None:
            return None
        head = before[: len(before) - len(inside)]
        return _in_message(view, head, inside[opened.start() + 1 :], offset, after)
    typed = _WORD_BEFORE.search(before)
    word = typed[0] if typed is not None else ""
    rest = _WORD_AFTER.match(after)
    stop = offset + (rest.end() if rest is not None else 0)
    if before.endswith(f"@{word}"):
        return None
    state = state_after(without_slips(before[: len(before) - len(word)])[0])
    words = tuple(state.words())
    head = state.text.strip()
    begins = not head or _at_line_start(source, offset - len(word)) or head.startswith(("///", "@"))
    if begins:
        words = tuple(dict.fromkeys((*state_after("").words(), *words)))
    line = source[: offset - len(word)].replace("\r", "\n").rpartition("\n")[2]
    ends, is_first = state.takes("RBRACE"), not line.strip()
    named, put = state.after("NAME", HOLE), HOLE
    if named is None:
        put = f'{HOLE}::""'
        named = state.after("ENTITY", put)
    if named is None:
        return Hole(offset - len(word), stop, word, words, None, None, begins, ends, is_first)
    texts = [before[: len(before) - len(word)] + put + source[stop:end]]
    completion = named.completion(HOLE + "_")
    if completion is not None:
        texts.append(named.text + completion)
    declaration, place = _place(view, texts)
    return Hole(offset - len(word), stop, word, words, place, declaration, begins, ends, is_first)


def _at_line_start(source: str, offset: int) -> bool:
    """Whether a declaration may begin here, even if the one before could go on."""
    return offset == 0 or source[offset - 1] in "\r\n"


def _in_message(view: View, head: str, expression: str, offset: int, after: str) -> Hole | None:
    """A hole of a message, read as a condition of its own in a rule with the same scope."""
    word_match = _WORD_BEFORE.search(expression)
    word = word_match[0] if word_match is not None else ""
    rest = _WORD_AFTER.match(after)
    stop = offset + (rest.end() if rest is not None else 0)
    clause = re.search(r"\b(because|instead|need)\b[^\r\n]*\Z|\Z", head)
    outside = head[: clause.start()] if clause is not None else head
    text = f"{outside} unless {expression[: len(expression) - len(word)]}"
    named = state_after(text).after("NAME", HOLE)
    completion = named.completion(HOLE + "_") if named is not None else None
    if named is None or completion is None:
        return None
    declaration, place = _place(view, [named.text + completion])
    if isinstance(place, Anything):
        place = Anything((), place.variables, place.facts, place.dotted)
    if isinstance(place, Member):
        place = Member(place.base, None)
    return Hole(offset - len(word), stop, word, (), place, declaration)


def _inside_text(before: str) -> str | None:
    """The string or comment that is open at the end of a text."""
    last = None
    for match in _TEXT.finditer(before):
        last = match
    if last is None or last.end() != len(before):
        return None
    found = last[0]
    if found.startswith("//"):
        return found
    closed = (
        len(found) > 1 and found.endswith('"') and not re.search(r'(?<!\\)(?:\\\\)*\\"\Z', found)
    )
    return None if closed else found


def _place(view: View, texts: list[str]) -> tuple[syntax.Declaration | None, Place | None]:
    scope = view.scope
    for text in texts:
        declaration, _ = parse_fragment(Fragment(view.file, text))
        if isinstance(declaration, syntax.Broken) or scope is None:
            continue
        found: list[Seen] = []
        checked, _ = view.analysis.check_alone(declaration, scope.module.name, found.append)
        return declaration, _place_in(declaration, checked, found)
    return None, None


def _place_in(declaration: syntax.Declaration, checked: Checked, seen: list[Seen]) -> Place | None:
    """Where the hole is in a declaration that was read."""
    schema = checked.schema
    by_node: dict[int, list[Seen]] = {}
    for one in seen:
        by_node.setdefault(id(one.node), []).append(one)

    def type_of(node: syntax.Expression) -> Type | None:
        return joined(one.type for one in by_node.get(id(node), ()))

    def expected(node: syntax.Expression) -> Type | None:
        return next((one.expected for one in by_node.get(id(node), ()) if one.expected), None)

    for node in walk(declaration):
        match node:
            case syntax.Name(name) if name == HOLE:
                found = by_node.get(id(node), [])
                variables = dict(found[0].variables) if found else {}
                facts = found[0].facts if found else frozenset()
                wanted = expected(node)
                around = _operator_around(declaration, node)
                is_written = isinstance(declaration, syntax.Test) or (
                    around is not None and around.operator == "??"
                )
                types = (wanted,) if wanted is not None else ()
                if around is not None and around.operator == "in":
                    types = (*_containers(schema, type_of(around.left)), *types)
                return Anything(types, variables, facts, is_written=is_written)
            case syntax.Access(base, name) if name == HOLE:
                type = type_of(base)
                dotted = "".join(base.span.text.split())
                if type is None or str(type) == "?":
                    variables = dict(seen[0].variables) if seen else {}
                    wanted = expected(node)
                    types = (wanted,) if wanted is not None else ()
                    return Anything(types, variables, frozenset(), dotted)
                return Member(type, expected(node))
            case syntax.Has(base, path) if HOLE in path:
                return _member_of_path(schema, type_of(base), path)
            case syntax.Is(base, name) if HOLE in name:
                return Name("entity type", _before_hole(name), _entities(type_of(base)))
            case syntax.Field(name) | syntax.Parameter(name) if name == HOLE:
                return Name("new")
            case syntax.FieldValue(name) if name == HOLE:
                return _field_place(declaration, node, checked.tables.types)
            case syntax.TypeName(name) if HOLE in name:
                return Name("type", _before_hole(name))
            case syntax.Scope(role, references) if _named_hole(references):
                likely = _admitted(schema, declaration, role)
                return Name("entity type", _before_hole(_named_hole(references)), likely)
            case syntax.Scope(role) if _is_hole(node.ancestors):
                named = {reference.name for reference in node.types}
                inside = named or _admitted(schema, declaration, role)
                return Entity(_parents(schema, inside))
            case syntax.Given(role, entity, parents):
                if _is_hole([entity]):
                    fitting = _admitted(schema, declaration, role)
                    return Entity(schema.concrete if role == "given" else fitting)
                if _is_hole(parents):
                    return Entity(_parents(schema, {entity.type}))
            case syntax.ActionScope(names) if _named_hole(names):
                return Name("action", _before_hole(_named_hole(names)))
            case syntax.TestAction(reference) if HOLE in reference.name:
                return Name("one action", _before_hole(reference.name))
            case syntax.Expect(outcome, rules) if _named_hole(rules):
                return RuleName(DETERMINED_BY[outcome])
            case syntax.DeniedBy(reference) if HOLE in reference.name:
                return RuleName((syntax.Effect.FORBID,))
            case syntax.Use(module, names):
                if HOLE in module:
                    return Name("module", _before_hole(module))
                if _named_hole(names):
                    return Import(module, frozenset(item.name for item in names))
            case syntax.Entity(extends=extends, parents=parents):
                if extends is not None and HOLE in extends.name:
                    return Name("abstract", _before_hole(extends.name))
                if _named_hole(parents):
                    return Name("entity type", _before_hole(_named_hole(parents)))
            case syntax.Action(groups=groups, principals=principals, resources=resources):
                if _named_hole(groups):
                    return Name("group", _before_hole(_named_hole(groups)))
                for references, role in ((principals, "principal"), (resources, "resource")):
                    if _named_hole(references):
                        likely = _admitted(schema, None, role)
                        return Name("entity type", _before_hole(_named_hole(references)), likely)
            case syntax.ActionGroup(groups=groups) if _named_hole(groups):
                return Name("group", _before_hole(_named_hole(groups)))
            case _:
                pass
    return None


def _operator_around(
    declaration: syntax.Declaration, node: syntax.Expression
) -> syntax.Binary | None:
    """The operator of which a node is the right side."""
    around = (one for one in walk(declaration) if isinstance(one, syntax.Binary))
    return next((one for one in around if one.right is node), None)


def _containers(schema: Schema, type: Type | None) -> list[Type]:
    """What a value can be in, beside a set."""
    if type == IP_RANGE:
        return [IP_RANGE]
    types = _parents(schema, _entities(type))
    return [entity_type(types)] if types else []


def _entities(type: Type | None) -> frozenset[str]:
    inside = present(type) if type is not None else None
    return inside.types if isinstance(inside, EntityType) else frozenset()


def _parents(schema: Schema, types: Iterable[str]) -> frozenset[str]:
    """The types whose entities have entities of one of these types in them, at any depth."""
    concrete = {
        one for name in types if name in schema.entities for one in schema.entities[name].concrete
    }
    above = {parent for name in concrete for parent in schema.entities[name].parents}
    return frozenset(one for name in above for one in schema.ancestors[name])


def _admitted(schema: Schema, item: syntax.Declaration | None, role: str) -> frozenset[str]:
    """The types that the actions which a declaration names take as their principal or resource; else all do."""
    named: set[str] = set()
    clauses = item.clauses if isinstance(item, syntax.Rule | syntax.Prove | syntax.Test) else ()
    for clause in clauses:
        references = clause.names if isinstance(clause, syntax.ActionScope) else ()
        if isinstance(clause, syntax.TestAction):
            references = (clause.action,)
        for reference in references:
            ends = (one for one in schema.actions if f".{one}".endswith(f".{reference.name}"))
            named.update(schema.groups.get(reference.name, ends))
    actions = [one for name, one in schema.actions.items() if not named or name in named]
    return frozenset().union(
        *(one.principals if role == "principal" else one.resources for one in actions)
    )


def _is_hole(references: Iterable[syntax.EntityReference]) -> bool:
    return any(HOLE in one.type for one in references)


def _member_of_path(schema: Schema, type: Type | None, path: tuple[str, ...]) -> Place | None:
    """The step of a `has` at which the hole stands."""
    for step in path[: path.index(HOLE)]:
        if type is None:
            break
        type = joined(item.type for item in attributes_named(schema, [type], step))
    return Member(type, None, optional_only=True) if type is not None else None


def _field_place(
    declaration: syntax.Declaration, node: syntax.FieldValue, types: Mapping[int, Type]
) -> Place | None:
    for record in walk(declaration):
        if isinstance(record, syntax.RecordLiteral) and any(one is node for one in record.fields):
            wanted = types.get(id(record))
            if isinstance(wanted, RecordOf):
                return FieldName(wanted, frozenset(one.name for one in record.fields))
    return None


def _named_hole(references: Iterable[syntax.Reference]) -> str:
    """The name among references that has the hole in it."""
    return next((item.name for item in references if HOLE in item.name), "")


def _before_hole(name: str) -> str:
    """What stands before the last dot of a dotted name."""
    return name.rpartition(".")[0] if name.endswith(HOLE) else ""
