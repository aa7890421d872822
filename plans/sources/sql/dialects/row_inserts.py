"""INSERT and MERGE in sqlglot's trees: what they add, and what becomes of the rows that were there."""

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from ..changes import Finding, unread
from ..selector.reach import ONCE, at_most, times
from ..selector.where import where
from ..written import rows_added, rows_merged
from .conditions import condition, sources
from .session import Session
from .targets import named_queries, softened, strange_clauses, table_parts, target_of


def inserted(session: Session, tree: exp.Insert, at: int) -> Iterator[Finding]:
    yield from strange_clauses(session, tree, _INSERT_CLAUSES, at)
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    columns = tree.this.expressions if isinstance(tree.this, exp.Schema) else ()
    if (
        not isinstance(table, exp.Table)
        or not isinstance(table.this, (exp.Identifier, exp.Parameter))
        or not all(isinstance(column, exp.Identifier) for column in columns)
    ):
        yield unread(session.name, "which table it inserts into is not plain", at)
        return
    conflict = tree.args.get("conflict")
    updates = conflict is not None and bool(conflict.expressions)
    replaces = (tree.args.get("alternative") or "").upper() == "REPLACE"
    values = tree.expression
    rows: int | None = None
    if isinstance(values, exp.Values):
        rows = len(values.expressions)
    elif isinstance(values, exp.Select) and not values.args.get("from_"):
        rows = 1
    parts = table_parts(table)
    is_plain = conflict is None and not tree.args.get("ignore") and not replaces
    finding = rows_added(
        session.table(parts),
        at,
        rows=_in_all(session, rows),
        is_exact=is_plain and session.rounds == ONCE,
        updates=updates,
        replaces=replaces,
        overwrites=bool(tree.args.get("overwrite")),
    )
    yield softened(session, parts, finding)


_INSERT_CLAUSES = frozenset(
    {
        "this",
        "expression",
        "conflict",
        "ignore",
        "alternative",
        "overwrite",
        "with",
        "returning",
        "columns",
        "into",
        "default",
        "is_function",
    }
)


def insert_finding(
    session: Session, parts: tuple[str, ...], at: int, *, rows: int | None = None
) -> Finding:
    """An INSERT of plain rows into one table."""
    is_exact = session.rounds == ONCE
    added = rows_added(session.table(parts), at, rows=_in_all(session, rows), is_exact=is_exact)
    return softened(session, parts, added)


def _in_all(session: Session, rows: int | None) -> int | None:
    """The rows that are added when each round adds so many."""
    return None if rows is None else times(session.rounds, at_most(rows)).rows


def inserted_into_several(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    for one in tree.expressions:
        insert = one.this
        if isinstance(insert, exp.Insert):
            yield from inserted(session, insert, at)
        else:
            yield unread(session.name, "which table it inserts into is not plain", at)
    if tree.args.get("overwrite"):
        yield unread(session.name, "INSERT OVERWRITE of several tables is not followed", at)


def merged(session: Session, tree: exp.Merge, at: int) -> Iterator[Finding]:
    known = frozenset({"this", "using", "on", "whens", "with", "returning"})
    yield from strange_clauses(session, tree, known, at)
    table = tree.this
    if not isinstance(table, exp.Table) or not isinstance(tree.args.get("whens"), exp.Whens):
        yield unread(session.name, "what it merges into is not plain", at)
        return
    named = named_queries(session, tree)
    if not table.db and table.name.lower() in named:
        yield unread(session.name, "it merges into a common table expression", at)
        return
    beside, _ = sources(tree.args["using"], (), session.name)
    target = target_of(session, table, beside, named)
    deletes = updates = by_source = False
    for when in tree.args["whens"].expressions:
        then = when.args.get("then")
        word = then.name.upper() if isinstance(then, exp.Var) else ""
        is_delete = isinstance(then, exp.Delete) or word == "DELETE"
        is_insert = isinstance(then, exp.Insert) or word in ("INSERT", "DO NOTHING")
        if not (is_delete or is_insert or isinstance(then, exp.Update)):
            yield unread(session.name, "a branch of it is not followed", at)
        deletes |= is_delete
        updates |= not is_insert and not is_delete
        if not is_insert and not when.args.get("matched"):
            by_source = True
    reach = where(condition(tree.args["on"], session.name), target)
    parts = table_parts(table)
    finding = rows_merged(
        session.table(parts), reach, at, deletes=deletes, updates=updates, unmatched=by_source
    )
    yield softened(session, parts, finding)
