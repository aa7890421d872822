"""What the check of a declaration asks of the rest of its policy set; a new answer has it checked again.

`Recorder` hands the checker tables that note every question; `Difference` says which answers another policy set
gives otherwise. Types are compared with the places they were declared at, which hover and renaming read from them.
"""

from collections.abc import Hashable, ItemsView, Iterator, KeysView, ValuesView
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ..lang import syntax
from ..lang.names import Names, Scope
from ..lang.schema import ActionDeclaration, EntityDeclaration, Schema
from ..lang.source import Span
from ..lang.typesystem import EntityType, Optional, RecordOf, SetOf

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Table = tuple[str, str]
"""A table of the policy set: its name, and for what a module sees, the name of the module."""
Question = tuple[str, Any]
"""`value` of a key, whether it is `there`, the `keys`, or `all` that a table holds."""
Reads = dict[Table, set[Question]]


@dataclass
class Recorder:
    """The names of a policy set as the checker sees them; every question goes into `reads`."""

    names: Names
    reads: Reads = field(default_factory=dict)
    recorded: Names = field(init=False)

    def __post_init__(self) -> None:
        names, schema = self.names, self.names.schema
        recorded = Schema(
            self._table("enums", schema.enums),
            self._table("entities", schema.entities),
            self._table("actions", schema.actions),
            self._table("groups", schema.groups),
        )
        vars(recorded)["ancestors"] = self._table("ancestors", schema.ancestors)
        vars(recorded)["called"] = self._table("called", schema.called)
        vars(recorded)["concrete"] = schema.concrete
        self.recorded = Names(
            names.modules,
            {name: self._scope(name, scope) for name, scope in names.scopes.items()},
            recorded,
            self._table("rules", names.rules),
            self._table("types", names.types),
            self._table("hidden", names.hidden),
        )

    def scope(self, module: str) -> tuple[Scope, set[Span]]:
        """What a module sees, and the set into which the check puts the places of the `use`s it needed."""
        used: set[Span] = set()
        return replace(self.recorded.scopes[module], used=used), used

    def note(self, table: Table, kind: str, key: Any = None) -> None:
        questions = self.reads.get(table)
        if questions is None:
            questions = self.reads[table] = set()
        questions.add((kind, key))

    def _scope(self, module: str, scope: Scope) -> Scope:
        return Scope(
            scope.module,
            self._table("symbols", scope.symbols, module),
            scope.incomplete,
            _Words(self, ("broken", module), scope.broken),
            scope.uses,
            self._table("imports", scope.imports, module),
        )

    def _table(self, name: str, content: Any, module: str = "") -> Any:
        return _Table(self, (name, module), content)


class Difference:
    """Which questions another policy set answers otherwise than the one before."""

    def __init__(self, before: Names, after: Names) -> None:
        self.before, self.after = before, after
        self.known: dict[tuple[Table, Question], bool] = {}
        self.modules: dict[str, bool] = {}
        self.everywhere = before.schema.concrete != after.schema.concrete
        self.tables = frozenset(filter(self._table_differs, _tables(before)))
        """The tables about which some question has another answer; most edits change few."""

    def concerns(self, module: str, reads: Reads) -> bool:
        """Whether what a declaration of a module has read is no longer so."""
        if self.everywhere or self._module_differs(module):
            return True
        return any(
            self._differs(table, question)
            for table in self.tables.intersection(reads)
            for question in reads[table]
        )

    def _module_differs(self, name: str) -> bool:
        if name not in self.modules:
            before, after = self.before.scopes.get(name), self.after.scopes.get(name)
            self.modules[name] = (
                before is None
                or after is None
                or before.incomplete != after.incomplete
                or before.uses != after.uses
            )
        return self.modules[name]

    def _table_differs(self, table: Table) -> bool:
        before, after = _content(self.before, table), _content(self.after, table)
        if isinstance(before, set):
            return bool(before != after)
        return _answer_differs(table[0], before, after, "all", None)

    def _differs(self, table: Table, question: Question) -> bool:
        known = self.known.get((table, question))
        if known is None:
            before, after = _content(self.before, table), _content(self.after, table)
            known = _answer_differs(table[0], before, after, *question)
            self.known[table, question] = known
        return known


_SCHEMA = ("enums", "entities", "actions", "groups", "ancestors", "called")
_NAMES = ("rules", "types", "hidden")
_SCOPE = ("symbols", "imports", "broken")


def _tables(names: Names) -> list[Table]:
    """Every table of a policy set."""
    inside = [(name, module) for module in names.scopes for name in _SCOPE]
    return [*((name, "") for name in (*_SCHEMA, *_NAMES)), *inside]


def _content(names: Names, table: Table) -> Any:
    name, module = table
    if name in _SCHEMA:
        return getattr(names.schema, name)
    if name in _NAMES:
        return getattr(names, name)
    scope = names.scopes.get(module)
    return getattr(scope, name) if scope is not None else {}


def _answer_differs(table: str, before: Any, after: Any, kind: str, key: Any) -> bool:
    match kind:
        case "there":
            return (key in before) != (key in after)
        case "keys":
            return list(before) != list(after)
        case "value":
            there = key in before
            if there != (key in after):
                return True
            return there and not _same(table, before[key], after[key])
        case _:
            return list(before) != list(after) or not all(
                _same(table, before[item], after[item]) for item in before
            )


def _same(table: str, before: Any, after: Any) -> bool:
    match table:
        case "symbols":
            return len(before) == len(after) and all(
                one.module == other.module and one.declaration is other.declaration
                for one, other in zip(before, after, strict=True)
            )
        case "rules":
            return _effect(before) is _effect(after)
        case "entities" | "actions" | "types":
            return same(before, after)
        case _:
            return bool(before == after)


def _effect(rule: syntax.Rule) -> syntax.Effect:
    return rule.effect


def same(before: object, after: object) -> bool:
    """Whether two types or declarations say the same and were declared at the same places."""
    match before, after:
        case EntityDeclaration(), EntityDeclaration():
            return (
                before.span == after.span
                and before == after
                and before.doc == after.doc
                and all(
                    _same_field(one, after.attributes[name])
                    for name, one in before.attributes.items()
                )
            )
        case ActionDeclaration(), ActionDeclaration():
            return (
                before.span == after.span
                and before == after
                and before.doc == after.doc
                and same(before.context, after.context)
            )
        case RecordOf(fields), RecordOf(others):
            return len(fields) == len(others) and all(
                _same_field(one, other) for one, other in zip(fields, others, strict=True)
            )
        case SetOf(one), SetOf(other):
            return same(one, other)
        case Optional(one), Optional(other):
            return same(one, other)
        case EntityType(), EntityType():
            return before == after and before.name == after.name
        case _:
            return before == after


def _same_field(before: Any, after: Any) -> bool:
    return (
        before.name == after.name
        and before.optional == after.optional
        and getattr(before, "span", None) == getattr(after, "span", None)
        and getattr(before, "doc", None) == getattr(after, "doc", None)
        and same(before.type, after.type)
    )


class _Table(dict[K, V], Generic[K, V]):
    """A table that notes what is asked of it; it holds nothing itself."""

    __slots__ = ("content", "recorder", "table")

    def __init__(self, recorder: Recorder, table: Table, content: Any) -> None:
        super().__init__()
        self.recorder, self.table, self.content = recorder, table, content

    def _note(self, kind: str, key: Any = None) -> None:
        self.recorder.note(self.table, kind, key)

    def __getitem__(self, key: K) -> V:
        self._note("value", key)
        value: V = self.content[key]
        return value

    def get(self, key: Any, default: Any = None) -> Any:
        self._note("value", key)
        return self.content.get(key, default)

    def __contains__(self, key: object) -> bool:
        self._note("there", key)
        return key in self.content

    def __iter__(self) -> Iterator[K]:
        self._note("keys")
        return iter(self.content)

    def __len__(self) -> int:
        self._note("keys")
        return len(self.content)

    def keys(self) -> KeysView[K]:  # type: ignore[override]
        self._note("keys")
        keys: KeysView[K] = self.content.keys()
        return keys

    def values(self) -> ValuesView[V]:  # type: ignore[override]
        self._note("all")
        values: ValuesView[V] = self.content.values()
        return values

    def items(self) -> ItemsView[K, V]:  # type: ignore[override]
        self._note("all")
        items: ItemsView[K, V] = self.content.items()
        return items


class _Words(set[str]):
    """A set of words of which it notes which are asked for; it holds nothing itself."""

    def __init__(self, recorder: Recorder, table: Table, content: set[str]) -> None:
        super().__init__()
        self.recorder, self.table, self.content = recorder, table, content

    def __contains__(self, word: object) -> bool:
        self.recorder.note(self.table, "there", word)
        return word in self.content
