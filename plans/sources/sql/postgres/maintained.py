"""PostgreSQL statements that neither define nor change rows: transactions, prepared statements, EXPLAIN, upkeep."""

from collections.abc import Iterator
from dataclasses import replace

from ....model import Effect, Reversibility, Selector
from ..changes import Finding, asset, unread
from ..tree import Node, enums
from .called import calls
from .names import (
    FALSE_WORDS,
    database,
    is_false,
    name_parts,
    named_object,
    setting_text,
)
from .rows import query, read_finding
from .script import DIALECT, Place, Script


def call(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    found = list(calls(script, node, place))
    yield from found
    if not found:
        parts = name_parts(node.funccall.funcname)
        resource = asset("Routine", DIALECT, "routine", script.qualified(parts), parts[-1])
        summary = f"calls `{resource.id}`, which only reads"
        yield Finding("sql.call", resource, Effect.READ, summary, place.start)


def prepare(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    script.prepared[node.name] = (node.query, place)
    resource = asset("DatabaseObject", DIALECT, "prepared_statement", node.name)
    summary = f"prepares `{node.name}`"
    yield Finding("sql.transaction", resource, Effect.READ, summary, place.start)


def execute(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    prepared = script.prepared.get(node.name)
    if prepared is None:
        reason = f"`{node.name}` was prepared outside this script"
        yield unread(DIALECT, reason, place.start)
        return
    query, where_prepared = prepared
    yield from script.read(script, query, Place(where_prepared.text, place.start, False))


def deallocate(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    if node.name is None:
        script.prepared.clear()
    else:
        script.prepared.pop(node.name, None)
    resource = asset("DatabaseObject", DIALECT, "prepared_statement", node.name or "*")
    yield Finding(
        "sql.transaction", resource, Effect.READ, "forgets a prepared statement", place.start
    )


def explain(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    """EXPLAIN ANALYZE runs its statement; without it, planning may still call functions."""
    analyzes = False
    for option in node.options or ():
        if option.defname.lower() == "analyze":
            analyzes = option.arg is None or setting_text((option.arg,)) not in FALSE_WORDS
    if analyzes:
        yield from script.read(script, node.query, place)
        return
    finding = read_finding(script, node.query, place)
    yield replace(finding, summary=f"explains, {finding.summary}", opaque=finding.opaque)
    for one in calls(script, node.query, place):
        if one.opaque is not None:
            yield one


def declare_cursor(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    yield from query(script, node.query, place)


def transaction(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    kind = enums.TransactionStmtKind
    opaque = None
    match node.kind:
        case kind.TRANS_STMT_BEGIN | kind.TRANS_STMT_START:
            script.begin()
        case kind.TRANS_STMT_COMMIT:
            script.commit()
        case kind.TRANS_STMT_PREPARE:
            script.transactions.add(node.gid)
            script.roll_back(ends=True)
        case kind.TRANS_STMT_ROLLBACK:
            script.roll_back(ends=True)
        case kind.TRANS_STMT_ROLLBACK_TO:
            script.roll_back(ends=False)
        case kind.TRANS_STMT_COMMIT_PREPARED:
            if node.gid not in script.transactions:
                opaque = f"commits `{node.gid}`, which was prepared outside this script"
        case kind.TRANS_STMT_ROLLBACK_PREPARED:
            if node.gid not in script.transactions:
                opaque = f"gives up `{node.gid}`, which was prepared outside this script"
        case _:
            pass
    words = node.kind.name.removeprefix("TRANS_STMT_").lower().replace("_", " ")
    finding = Finding(
        "sql.transaction", database(), Effect.READ, f"transaction: {words}", place.start
    )
    if opaque is not None:
        finding = replace(
            finding,
            effect=Effect.UNKNOWN,
            selector=Selector.UNKNOWN,
            reversibility=Reversibility.UNKNOWN,
            opaque=opaque,
        )
    yield finding


def vacuum(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    words = "vacuums" if node.is_vacuumcmd else "analyzes"
    # A full one keeps everybody else out while it writes the table anew.
    rewrites = any(
        option.defname == "full" and not is_false(option.arg) for option in node.options or ()
    )
    relations = [one.relation for one in node.rels or () if one.relation is not None]
    targets = [script.table(one) for one in relations] or [database()]
    for target in targets:
        yield Finding(
            "sql.maintain",
            target,
            Effect.UPDATE,
            f"{words} `{target.id}`",
            place.start,
            Selector.ALL if rewrites else Selector.ONE,
        )


def cluster(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    """Like a full VACUUM it keeps everybody else out while it writes the table anew."""
    target = script.table(node.relation) if node.relation is not None else database()
    summary = f"rewrites `{target.id}` in the order of an index"
    yield Finding("sql.maintain", target, Effect.UPDATE, summary, place.start, Selector.ALL)


def reindex(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    kind = node.kind.name.removeprefix("REINDEX_OBJECT_").lower()
    if node.relation is not None and kind == "table":
        resource = script.table(node.relation)
    elif node.relation is not None:
        resource = named_object(script, "index", node.relation)
    else:
        type = "Schema" if kind == "schema" else "Database"
        resource = asset(type, DIALECT, type.lower(), node.name or "current")
    yield Finding(
        "sql.maintain",
        resource,
        Effect.UPDATE,
        f"rebuilds the indexes of `{resource.id}`",
        place.start,
        Selector.ALL,
    )
