"""Queries in sqlglot's trees: what they read, and the changes of rows that they are."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlglot import exp

from ....model import Effect, Selector
from ..changes import Finding, asset, unread
from ..selector.reach import ONCE
from ..selector.where import where
from .calls import calls
from .conditions import condition
from .forms import Name
from .row_changes import deleted, updated
from .row_inserts import inserted, inserted_into_several, merged
from .session import Session
from .targets import table_parts, target_of

WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.MultitableInserts)


_QUERIES = (exp.Select, exp.SetOperation, exp.Values, exp.Subquery)


def findings(session: Session, tree: Any, at: int) -> list[Finding]:
    """What a query or a change of rows does, with the functions it calls."""
    found = list(_statement(session, tree, at))
    found += calls(session, tree, at)
    if session.views:
        found += _viewed(session, tree, at)
    return found


def _viewed(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    """What the functions do in the views of this script that a statement reads."""
    for key in dict.fromkeys(session.key(table_parts(table)) for table in tree.find_all(exp.Table)):
        for one in session.views.get(key, ()):
            yield replace(one, at=at, summary=f"{one.summary} (in the view `{key}`)")


def _statement(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    writes = [node for node in tree.walk() if isinstance(node, WRITES) and not _is_branch(node)]
    if len(writes) > (1 if isinstance(tree, WRITES) else 0):
        hidden = next(node for node in writes if node is not tree)
        if isinstance(tree, exp.MultitableInserts):
            yield from inserted_into_several(session, tree, at)
            return
        yield unread(session.name, f"it holds another write, {hidden.key.upper()}", at)
    match tree:
        case exp.Insert():
            yield from inserted(session, tree, at)
        case exp.Update():
            yield from updated(session, tree, at)
        case exp.Delete():
            yield from deleted(session, tree, at)
        case exp.Merge():
            yield from merged(session, tree, at)
        case exp.MultitableInserts():
            yield from inserted_into_several(session, tree, at)
        case _ if isinstance(tree, _QUERIES):
            yield from _read(session, tree, at)
        case _:
            yield unread(session.name, f"`{tree.key.upper()}` statements are not classified", at)


def _is_branch(node: Any) -> bool:
    """Whether it is what a MERGE does when a row matches or does not."""
    return isinstance(node.parent, exp.When)


def _read(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    into = tree.args.get("into")
    if into is not None:
        yield from _into(session, into, at)
        return
    local = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    tables = [table for table in tree.find_all(exp.Table) if _is_stored(table, local)]
    if not tables:
        resource = asset("Database", session.name, "database", "current", "current database")
        yield Finding("sql.read", resource, Effect.READ, "reads no table", at, Selector.NONE)
        return
    resource = session.table(table_parts(tables[0]))
    more = f" and {len(tables) - 1} more" if len(tables) > 1 else ""
    selector = Selector.SOME
    if isinstance(tree, exp.Select) and len(tables) == 1 and not tree.args.get("limit"):
        own = tree.args.get("where")
        target = target_of(session, tables[0], (), {})
        source = tree.args.get("from_")
        if source is not None and source.this is tables[0] and not tree.args.get("joins"):
            found = None if own is None else condition(own.this, session.name)
            selector = where(found, replace(target, rounds=ONCE)).selector
    yield Finding("sql.read", resource, Effect.READ, f"reads `{resource.id}`{more}", at, selector)


def _into(session: Session, into: Any, at: int) -> Iterator[Finding]:
    target = into.this
    if session.name == "tsql" and isinstance(target, exp.Table):
        name = Name(table_parts(target), at)
        resource = session.thing("Table", "table", name)
        new = is_temporary(session, target)
        yield Finding("sql.create", resource, Effect.CREATE, f"creates `{resource.id}`", at)
        session.create(
            name.parts, replace(session.facts(name.parts), is_new=True), is_temporary=new
        )
        return
    yield unread(session.name, "where SELECT … INTO puts its rows is not followed", at)


def is_temporary(session: Session, table: Any) -> bool:
    return session.name == "tsql" and session.is_temporary_name(table_parts(table)[-1])


def _is_stored(table: Any, local: set[str]) -> bool:
    # A name of four parts, which T-SQL finds on another server, ends in a pair.
    last = table.this.expression if isinstance(table.this, exp.Dot) else table.this
    if not isinstance(last, exp.Identifier):
        return False
    return bool(table.db) or table.name.lower() not in local
