"""What a live PostgreSQL knows about the tables a script names, as plain data that a reading takes in.

The facts sharpen a reading: keys, NOT NULL, rows, foreign keys, and the definitions of functions, triggers and
views, which are read like the script's own. Whoever has a connection collects them; nothing here does.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

from pydantic import Field, ValidationError

from ....model import Effect, Model, Reversibility, RowBasis, Selector
from ..changes import Finding, asset, joined_name, shortened
from .script import DIALECT, Reader, Script, TableFacts

MAX_TABLES = 100_000
KEY = "database"
"""Where the facts stand among the facts of `Options`."""


class OnDelete(StrEnum):
    """What a foreign key does to the rows that refer to a deleted one."""

    NO_ACTION = "no action"
    RESTRICT = "restrict"
    CASCADE = "cascade"
    SET_NULL = "set null"
    SET_DEFAULT = "set default"


class ForeignKey(Model):
    """`table` refers to the table that the key belongs to."""

    schema_name: str
    table: str
    on_delete: OnDelete


class KnownTable(Model):
    """A table or view as the catalog has it; `rows` is the planner's estimate."""

    schema_name: str
    name: str
    is_view: bool = False
    rows: Annotated[int, Field(ge=0)] | None = None
    columns: tuple[str, ...] = ()
    not_null: frozenset[str] = frozenset()
    keys: tuple[frozenset[str], ...] = ()
    referenced_by: tuple[ForeignKey, ...] = ()

    @property
    def id(self) -> str:
        return joined_name((self.schema_name, self.name))


class DatabaseFacts(Model):
    """Everything that is taken from one database; it can be kept as JSON and read again without it."""

    server: str = ""
    path: tuple[str, ...] = ("public",)
    tables: Annotated[tuple[KnownTable, ...], Field(max_length=MAX_TABLES)] = ()
    steady_functions: frozenset[str] = frozenset()
    """Names of functions in C of which none is volatile, so that calling one changes nothing."""
    definitions: tuple[str, ...] = ()
    """CREATE statements of functions, views and triggers, in an order in which they can be read."""
    estimates: Mapping[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """Rows that EXPLAIN expects, by the text of the statement."""


def facts_in(facts: Mapping[str, object]) -> DatabaseFacts | str | None:
    """The facts of a database among others, or why they are none."""
    given = facts.get(KEY)
    if given is None or isinstance(given, DatabaseFacts):
        return given
    try:
        return DatabaseFacts.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return shortened(f"the facts of the database cannot be read at `{where}`: {first['msg']}")


def established(facts: DatabaseFacts, read: Reader) -> Script:
    """A script that begins where the database stands."""
    path = facts.path or ("public",)
    script = Script(read, path=path, path_after_transaction=path)
    script.known = {table.id: table for table in facts.tables}
    script.steady = facts.steady_functions
    for table in facts.tables:
        if table.is_view:
            script.views.add(table.id)
            continue
        script.tables[table.id] = TableFacts(
            is_complete=True,
            columns=frozenset(table.columns),
            not_null=table.not_null,
            keys=frozenset(table.keys),
        )
    return script


def sharpened(
    facts: DatabaseFacts, script: Script, findings: Iterable[Finding], text: str
) -> Iterator[Finding]:
    """The findings of one statement with the rows they reach, and the rows that go along with them."""
    for finding in findings:
        table = script.known.get(finding.resource.id)
        if table is None or finding.resource.type != "Table" or finding.opaque is not None:
            yield finding
            continue
        yield _counted(facts, table, finding, text)
        if finding.effect == Effect.DELETE_DATA and finding.selector != Selector.NONE:
            yield from _taken_along(script, table, finding)


def _counted(facts: DatabaseFacts, table: KnownTable, finding: Finding, text: str) -> Finding:
    if finding.rows is not None:
        return finding
    rows: int | None = None
    if finding.selector == Selector.ALL:
        rows = table.rows
    elif finding.action in _EXPLAINED:
        rows = facts.estimates.get(text)
    if rows is None:
        return finding
    return replace(finding, rows=rows, row_basis=RowBasis.ESTIMATED)


_EXPLAINED = frozenset({"sql.update", "sql.delete"})
_LOSING = frozenset({"sql.delete", "sql.merge"})


def _taken_along(script: Script, table: KnownTable, finding: Finding) -> Iterator[Finding]:
    """The rows that foreign keys delete or change with the rows of a table; DROP and TRUNCATE refuse instead."""
    if finding.action not in _LOSING:
        return
    waiting = [table]
    seen = {table.id}
    while waiting:
        for key in waiting.pop().referenced_by:
            id = joined_name((key.schema_name, key.table))
            if id in seen or key.on_delete in (OnDelete.NO_ACTION, OnDelete.RESTRICT):
                continue
            seen.add(id)
            child = script.known.get(id)
            deletes = key.on_delete == OnDelete.CASCADE
            everything = finding.selector in (Selector.ALL, Selector.UNKNOWN)
            verb = "deletes" if deletes else "changes"
            yield replace(
                finding,
                resource=asset("Table", DIALECT, "table", id, key.table),
                effect=Effect.DELETE_DATA if deletes else Effect.UPDATE,
                summary=f"{verb} the rows of `{id}` that refer to `{table.id}`",
                selector=finding.selector if everything else Selector.SOME,
                reversibility=Reversibility.IRREVERSIBLE
                if everything
                else Reversibility.RECOVERABLE,
                rows=child.rows if child is not None and everything else None,
                row_basis=RowBasis.ESTIMATED
                if child is not None and everything and child.rows is not None
                else None,
            )
            if deletes and child is not None:
                waiting.append(child)


def emptied_by_cascade(script: Script, ids: Iterable[str]) -> list[str] | None:
    """Every table that TRUNCATE … CASCADE of these empties too; `None` where that is not known."""
    reached: list[str] = []
    waiting = list(ids)
    seen = set(waiting)
    while waiting:
        table = script.known.get(waiting.pop())
        if table is None:
            return None
        for key in table.referenced_by:
            id = joined_name((key.schema_name, key.table))
            if id not in seen:
                seen.add(id)
                reached.append(id)
                waiting.append(id)
    return reached
