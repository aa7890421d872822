"""What a PostgreSQL script has established so far: tables, keys, routines, search path."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ....model import Asset
from ..changes import Finding, asset, joined_name
from ..renames import Renames
from ..selector.reach import ONCE, Reach
from ..tree import Node, ast, enums, nodes

DIALECT = "postgres"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement stands: `text` is its own, `start` its offset in the artifact.

    A node's location counts within `text`, which is the artifact's own only where `is_exact`.
    """

    text: str
    start: int
    is_exact: bool = True

    def at(self, location: int | None) -> int:
        if not self.is_exact or location is None or location < 0:
            return self.start
        return self.start + min(location, len(self.text))


@dataclass(frozen=True, slots=True)
class TableFacts:
    """`is_new` when this script made the table, so that nothing older is lost with it."""

    is_new: bool = False
    is_complete: bool = False
    """Whether the keys and columns below are all there are."""
    columns: frozenset[str] = frozenset()
    not_null: frozenset[str] = frozenset()
    keys: frozenset[frozenset[str]] = frozenset()
    drops_on_commit: bool = False


UNKNOWN_TABLE = TableFacts()


@dataclass(frozen=True, slots=True)
class Routine:
    """A routine as the script defined it; what it does is read when it is called."""

    definition: Node
    text: str


Reader = Callable[["Script", Node, Place], list[Finding]]


@dataclass(slots=True)
class Script:
    """The one mutable thing while a script is read, in the order its statements run."""

    read: "Reader"
    """Reads one statement; what holds statements opens them with it."""
    path: tuple[str, ...] = ("public",)
    """Schemas in which an unqualified name may be; more than one when that is not known."""
    path_after_transaction: tuple[str, ...] = ("public",)
    is_in_transaction: bool = False
    tables: dict[str, TableFacts] = field(default_factory=dict)
    temporary: set[str] = field(default_factory=set)
    maybe_temporary: set[str] = field(default_factory=set)
    """Temporary tables of bodies, which may not have run."""
    views: set[str] = field(default_factory=set)
    renames: Renames = field(default_factory=Renames)
    attached: dict[str, list[Node]] = field(default_factory=dict)
    """By table or view: defaults, checks, queries and triggers that run when it is used."""
    operators: set[str] = field(default_factory=set)
    """Operators that this script defines."""
    temporary_comes_first: bool = True
    """False once the search path may name `pg_temp` after other schemas."""
    hides_builtins: bool = False
    """Whether the search path puts other schemas before the system's own."""
    routines: dict[str, list[Routine]] = field(default_factory=dict)
    uncertain_routines: set[str] = field(default_factory=set)
    """Names of routines that a body may have made or replaced."""
    prepared: dict[str, tuple[Node, Place]] = field(default_factory=dict)
    transactions: set[str] = field(default_factory=set)
    opened: set[tuple[int, Reach]] = field(default_factory=set)
    """Routines opened for the current statement, with how often they run; each is read once so."""
    calling: tuple[int, ...] = ()
    """The routines whose bodies are being read."""
    steps: int = 0
    """How many steps of bodies were followed in the whole script."""
    depth: int = 0
    """How many bodies the current statement stands in; only at 0 is it sure to run."""
    variables: frozenset[str] = frozenset()
    """Names that are variables of the bodies being read, and no columns."""
    rounds: Reach = ONCE
    """How often the statement being read runs: in a loop, or called for each of many rows."""
    known: dict[str, Any] = field(default_factory=dict)
    """Tables by id, as a live database has them."""
    steady: frozenset[str] = frozenset()
    """Functions in C of a live database that change nothing."""
    plain_backslashes: bool = True
    """False once `standard_conforming_strings` may be off."""

    # --- names

    def schema_of(self, relation: Node) -> tuple[str, ...]:
        name = relation.relname
        if relation.schemaname:
            return (relation.schemaname,)
        if relation.relpersistence == "t":
            return ("pg_temp",)
        if name in self.temporary:
            return ("pg_temp",) if self.temporary_comes_first else (*self.path, "pg_temp")
        if name in self.maybe_temporary:
            return ("pg_temp", *self.path)
        if name.startswith("pg_") and not any(
            joined_name((schema, name)) in self.tables for schema in self.path
        ):
            return ("pg_catalog",)
        return self.path

    def table_ids(self, relation: Node) -> tuple[str, ...]:
        """The ids a relation may have; one where it is known."""
        ids = tuple(joined_name((schema, relation.relname)) for schema in self.schema_of(relation))
        known = [id for id in ids if id in self.tables]
        # The script's own table in the first schema of the path is what the name finds.
        return (known[0],) if known and known[0] == ids[0] else ids

    def table(self, relation: Node, type: str = "Table", kind: str = "table") -> Asset:
        id = self.table_ids(relation)[0]
        if type == "Table" and id in self.views:
            type, kind = "View", "view"
        return asset(type, DIALECT, kind, id, relation.relname)

    def doubt_about(self, relation: Node) -> str | None:
        """Why it is not sure which table is meant, if it is not."""
        ids = self.table_ids(relation)
        if len(ids) == 1:
            return None
        return f"the search path leaves open which table is meant: {_or(ids)}"

    def facts(self, relation: Node) -> TableFacts:
        ids = self.table_ids(relation)
        return self.tables.get(ids[0], UNKNOWN_TABLE) if len(ids) == 1 else UNKNOWN_TABLE

    def is_new(self, relation: Node) -> bool:
        facts = self.facts(relation)
        return facts.is_new and (not facts.drops_on_commit or self.is_in_transaction)

    def qualified(self, parts: list[str]) -> str:
        """The id of an object that is no table, in the first schema of the path."""
        if len(parts) > 1:
            return joined_name(parts[-2:])
        return joined_name((self.path[0], *parts)) if parts else ""

    # --- what statements establish

    def create(self, relation: Node, facts: TableFacts) -> None:
        """Notes a new table; inside a body it may not run, and IF NOT EXISTS may find another."""
        ids = self.table_ids(relation)
        if self.depth > 0:
            if relation.relpersistence == "t":
                self.maybe_temporary.add(relation.relname)
            self.tables.pop(ids[0], None)
            return
        if relation.relpersistence == "t":
            self.temporary.add(relation.relname)
        elif not self.is_in_transaction:
            # A client that goes on after an error would then act on a table that was there before.
            facts = replace(facts, is_new=False)
        self.tables[ids[0]] = facts

    def update(self, relation: Node, facts: TableFacts) -> None:
        """Notes what ALTER TABLE or a unique index establishes, when it is sure to run."""
        ids = self.table_ids(relation)
        if len(ids) == 1 and self.depth == 0:
            self.tables[ids[0]] = facts

    def no_longer_new(self, relation: Node) -> None:
        for id in self.table_ids(relation):
            if id in self.tables:
                self.tables[id] = replace(self.tables[id], is_new=False)

    def forget(self, relation: Node) -> None:
        for id in self.table_ids(relation):
            self.tables.pop(id, None)
            self.views.discard(id)
        if not relation.schemaname:
            self.temporary.discard(relation.relname)

    def rename(
        self, relation: Node, *, name: str | None, schema: str | None, is_view: bool = False
    ) -> bool:
        """Notes where a table or view now is; whether a table takes another one's name."""
        ids = self.table_ids(relation)
        is_older = not self.is_new(relation)
        facts = self.facts(relation)
        old_schema = self.schema_of(relation)[0]
        self.forget(relation)
        new = joined_name((schema or old_schema, name or relation.relname))
        if len(ids) == 1 and facts != UNKNOWN_TABLE and self.depth == 0:
            self.tables[new] = facts
        else:
            self.tables.pop(new, None)
        if old_schema == "pg_temp":
            self.temporary.add(name or relation.relname)
        if is_view:
            return False
        if is_older:
            return self.renames.rename(joined_name((old_schema, relation.relname)), new)
        return self.renames.is_free(new)

    def set_path(self, path: tuple[str, ...], *, is_local: bool) -> None:
        if (is_local and not self.is_in_transaction) or self.depth > 0:
            # Outside a transaction SET LOCAL does nothing, but a tool may have opened one.
            path = tuple(dict.fromkeys((*path, *self.path)))
        if not is_local:
            self.path_after_transaction = path
        self.path = path

    def begin(self) -> None:
        self.is_in_transaction = True
        self.path_after_transaction = self.path

    def commit(self) -> None:
        self.is_in_transaction = False
        self.path = self.path_after_transaction
        for id, facts in tuple(self.tables.items()):
            if facts.drops_on_commit:
                self.tables.pop(id)
                self.temporary.discard(id.partition(".")[2])
            elif not id.startswith("pg_temp."):
                self.tables[id] = replace(facts, is_new=False)

    def roll_back(self, *, ends: bool) -> None:
        """Nothing made since may be left, and what stands there may be older than the script."""
        self.tables.clear()
        self.views.clear()
        self.temporary.clear()
        self.routines.clear()
        self.attached.clear()
        self.path = tuple(dict.fromkeys((*self.path, *self.path_after_transaction, "public")))
        if ends:
            self.is_in_transaction = False
            self.path_after_transaction = self.path


def facts_of(statement: Node, script: Script) -> TableFacts:
    """The columns and keys that a CREATE TABLE declares."""
    columns: set[str] = set()
    not_null: set[str] = set()
    keys: set[frozenset[str]] = set()
    is_complete = not (statement.inhRelations or statement.ofTypename or statement.partbound)
    for element in statement.tableElts or ():
        match element:
            case ast.ColumnDef():
                columns.add(element.colname)
                kinds = {constraint.contype for constraint in element.constraints or ()}
                if kinds & _KEYS:
                    keys.add(frozenset({element.colname}))
                if kinds & _NOT_NULLS:
                    not_null.add(element.colname)
            case ast.Constraint():
                if element.contype in _KEYS and element.keys:
                    names = frozenset(key.sval for key in element.keys)
                    keys.add(names)
                    if element.contype == enums.ConstrType.CONSTR_PRIMARY:
                        not_null |= names
            case _:
                is_complete = False
    if statement.if_not_exists:
        return UNKNOWN_TABLE
    return TableFacts(
        is_new=True,
        is_complete=is_complete,
        columns=frozenset(columns),
        not_null=frozenset(not_null),
        keys=frozenset(keys),
        drops_on_commit=statement.oncommit == enums.OnCommitAction.ONCOMMIT_DROP,
    )


_KEYS = {enums.ConstrType.CONSTR_PRIMARY, enums.ConstrType.CONSTR_UNIQUE}
_NOT_NULLS = {
    enums.ConstrType.CONSTR_PRIMARY,
    enums.ConstrType.CONSTR_NOTNULL,
    enums.ConstrType.CONSTR_IDENTITY,
}


def with_subcommand(facts: TableFacts, command: Node) -> TableFacts:
    """The facts of a table after one subcommand of ALTER TABLE."""
    kind = enums.AlterTableType
    match command.subtype:
        case kind.AT_AddColumn if isinstance(command.def_, ast.ColumnDef):
            columns = facts.columns | {command.def_.colname}
            kinds = {constraint.contype for constraint in command.def_.constraints or ()}
            keys = facts.keys | ({frozenset({command.def_.colname})} if kinds & _KEYS else set())
            return replace(facts, columns=columns, keys=keys)
        case kind.AT_AddConstraint if isinstance(command.def_, ast.Constraint):
            constraint = command.def_
            if constraint.contype not in _KEYS or not constraint.keys:
                return facts
            names = frozenset(key.sval for key in constraint.keys)
            is_primary = constraint.contype == enums.ConstrType.CONSTR_PRIMARY
            not_null = facts.not_null | (names if is_primary else frozenset())
            return replace(facts, keys=facts.keys | {names}, not_null=not_null)
        case kind.AT_SetNotNull:
            return replace(facts, not_null=facts.not_null | {command.name})
        case kind.AT_DropNotNull:
            return replace(facts, not_null=facts.not_null - {command.name})
        case kind.AT_DropColumn:
            gone = command.name
            return replace(
                facts,
                columns=facts.columns - {gone},
                not_null=facts.not_null - {gone},
                keys=frozenset(key for key in facts.keys if gone not in key),
            )
        case kind.AT_DropConstraint:
            # Any of the keys may have been this constraint.
            return replace(facts, keys=frozenset())
        case _:
            return facts


def source_tables(node: Node) -> list[Node]:
    """The tables a query reads, in order, without its own common table expressions."""
    found = list(nodes(node))
    local = {one.ctename for one in found if isinstance(one, ast.CommonTableExpr)}
    return [
        one
        for one in found
        if isinstance(one, ast.RangeVar) and (one.schemaname or one.relname not in local)
    ]


def _or(ids: tuple[str, ...]) -> str:
    return " or ".join(f"`{id}`" for id in ids)
