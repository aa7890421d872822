"""Statements about rows: what they read, and what they add, change and delete."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ....model import Effect, Reversibility, Selector
from ...words import words
from ..changes import Finding, asset, unread
from ..renames import in_its_place
from ..selector.reach import (
    DARK,
    EVERY,
    NOTHING,
    ONCE,
    PART,
    Calling,
    Reach,
    Target,
    at_most,
    times,
)
from ..selector.subselects import limit_of
from ..selector.where import where
from ..tree import Node, ast, enums, nodes
from ..written import rows_added, rows_changed, rows_merged, weighed
from . import taxonomy
from .facts import emptied_by_cascade
from .names import database, name_parts
from .script import DIALECT, Place, Script, TableFacts, source_tables

WRITES = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def query(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    """A query and the writes hidden in it; a read only when there are none."""
    writes = [one for one in nodes(node) if isinstance(one, WRITES)]
    for write in writes:
        is_itself = write is node
        at = place.start if is_itself else place.at(write.relation.location)
        yield from _write(script, write, at)
    if isinstance(node, ast.SelectStmt):
        into = next((one for one in nodes(node) if isinstance(one, ast.IntoClause)), None)
        if into is not None:
            yield created_table(script, into.rel, place, "creates")
            script.create(into.rel, TableFacts(is_new=True))
        elif not writes:
            yield read_finding(script, node, place)


def read_finding(script: Script, node: Node, place: Place) -> Finding:
    tables = source_tables(node)
    if not tables:
        return Finding(
            "sql.read", database(), Effect.READ, "reads no table", place.start, Selector.NONE
        )
    resource = script.table(tables[0])
    more = f" and {len(tables) - 1} more" if len(tables) > 1 else ""
    selector = Selector.SOME
    if isinstance(node, ast.SelectStmt) and len(tables) == 1 and node.limitCount is None:
        target = _target(script, tables[0], (), frozenset(), {})
        selector = where(node.whereClause, replace(target, rounds=ONCE)).selector
    return Finding(
        "sql.read",
        resource,
        Effect.READ,
        f"reads `{resource.id}`{more}",
        place.start,
        selector,
        opaque=next(
            (doubt for table in tables if (doubt := script.doubt_about(table)) is not None), None
        ),
    )


def _write(script: Script, node: Any, at: int) -> Iterator[Finding]:
    match node:
        case ast.InsertStmt():
            yield _insert(script, node, at)
        case ast.UpdateStmt():
            reach = _reach(
                script,
                node.relation,
                node.whereClause,
                node.fromClause or (),
                queries=_named_queries(node),
            )
            yield _rows_finding(script, "sql.update", node.relation, reach, at)
        case ast.DeleteStmt():
            reach = _reach(
                script,
                node.relation,
                node.whereClause,
                node.usingClause or (),
                queries=_named_queries(node),
            )
            yield _rows_finding(script, "sql.delete", node.relation, reach, at)
        case ast.MergeStmt():
            yield _merge(script, node, at)


def _named_queries(node: Node) -> dict[str, Node]:
    """The common table expressions of a statement."""
    ctes = node.withClause.ctes if node.withClause is not None else ()
    return {cte.ctename: cte.ctequery for cte in ctes}


def _reach(
    script: Script,
    relation: Node,
    condition: Node | None,
    beside: tuple[Node, ...],
    variables: frozenset[str] | None = None,
    queries: Mapping[str, Node] | None = None,
) -> Reach:
    return where(condition, _target(script, relation, beside, variables, queries or {}))


def _target(
    script: Script,
    relation: Node,
    beside: tuple[Node, ...],
    variables: frozenset[str] | None,
    named: Mapping[str, Node],
) -> Target:
    facts = script.facts(relation)
    ids = set(script.table_ids(relation))
    name = relation.alias.aliasname if relation.alias is not None else relation.relname

    def is_same_table(other: Node) -> bool:
        if not other.schemaname and other.relname in named:
            return False
        return bool(ids & set(script.table_ids(other)))

    def columns_of(other: Node) -> frozenset[str] | None:
        if not other.schemaname and other.relname in named:
            return None
        known = script.facts(other)
        return known.columns if known.is_complete else None

    queries = dict(named)
    same_names = set()
    for other in nodes(beside):
        if isinstance(other, ast.RangeSubselect) and other.alias is not None:
            queries[other.alias.aliasname] = other.subquery
        elif isinstance(other, ast.RangeVar):
            alias = other.alias.aliasname if other.alias is not None else other.relname
            if not other.schemaname and other.relname in named:
                queries[alias] = named[other.relname]
            elif is_same_table(other):
                same_names.add(alias)
    return Target(
        names=frozenset({name}),
        is_same_table=is_same_table,
        calling=lambda call: _calling(script, call),
        keys=facts.keys,
        keys_are_complete=facts.is_complete,
        not_null=facts.not_null,
        columns=facts.columns if facts.is_complete else None,
        table=relation.relname,
        queries=queries,
        same_names=frozenset(same_names),
        is_joined=bool(beside),
        variables=script.variables if variables is None else variables,
        columns_of=columns_of,
        rounds=script.rounds,
    )


def _rows_finding(script: Script, action: str, relation: Node, reach: Reach, at: int) -> Finding:
    finding = rows_changed(action, script.table(relation), reach, at)
    return _sure(script, relation, finding)


def _sure(script: Script, relation: Node, finding: Finding) -> Finding:
    """The finding on a table, unread where it is not sure which one that is."""
    return softened(script, relation, replace(finding, opaque=script.doubt_about(relation)))


def softened(script: Script, relation: Node, finding: Finding) -> Finding:
    """The finding by whose table it is: the system's own, the script's own, or older."""
    is_system = script.schema_of(relation)[0] in _SYSTEM_SCHEMAS
    return weighed(finding, is_system=is_system, is_new=script.is_new(relation))


# The rows of pg_cron are statements that run by themselves.
_SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_toast", "cron"})


def _insert(script: Script, node: Node, at: int) -> Finding:
    query = node.selectStmt
    conflict = node.onConflictClause
    updates = conflict is not None and conflict.action == enums.OnConflictAction.ONCONFLICT_UPDATE
    rows: int | None = None
    if query is None:
        rows = 1
    elif isinstance(query, ast.SelectStmt) and query.valuesLists:
        rows = len(query.valuesLists)
    elif isinstance(query, ast.SelectStmt) and _is_one_row(query):
        rows = 1
    if rows is not None:
        rows = times(script.rounds, at_most(rows)).rows
    resource = script.table(node.relation)
    is_exact = conflict is None and script.rounds == ONCE
    finding = rows_added(resource, at, rows=rows, is_exact=is_exact, updates=updates)
    return _sure(script, node.relation, finding)


def _is_one_row(query: Node) -> bool:
    """`SELECT 1, 2` without a table or a function that returns rows."""
    return (
        not query.fromClause
        and query.op == enums.SetOperation.SETOP_NONE
        and not any(isinstance(one, ast.FuncCall) for one in nodes(query))
        and query.whereClause is None
    )


def rounds_of(script: Script, node: Node) -> Reach:
    """How often what stands in a statement runs: for each row that its widest part reads or changes."""
    return _widest(script, nodes(node))


def rows_given(script: Script, query: Node) -> Reach:
    """How many rows a query gives to a loop."""
    asked = {
        id(within)
        for link in nodes(query)
        if isinstance(link, ast.SubLink)
        for within in nodes(link.subselect)
    }
    return _widest(script, (one for one in nodes(query) if id(one) not in asked))


def _widest(script: Script, parts: Iterable[Node]) -> Reach:
    found = [ONCE]
    for one in parts:
        match one:
            case ast.SelectStmt():
                found.append(_rows_of(script, one))
            case ast.UpdateStmt():
                beside = one.fromClause or ()
                found.append(_selected(script, (one.relation, *beside), one.whereClause))
            case ast.DeleteStmt():
                beside = one.usingClause or ()
                found.append(_selected(script, (one.relation, *beside), one.whereClause))
            case ast.MergeStmt():
                found.append(DARK)
    return max(found, key=lambda reach: (list(Selector).index(reach.selector), reach.rows or 0))


def _rows_of(script: Script, query: Node) -> Reach:
    """How many rows a query gives; those of its arms count by themselves."""
    limit = limit_of(query)
    if limit is not None and 0 <= limit < _MOST:
        return at_most(int(limit))
    if query.valuesLists:
        return at_most(len(query.valuesLists))
    if query.op != enums.SetOperation.SETOP_NONE:
        return PART
    if query.fromClause:
        return _selected(script, query.fromClause, query.whereClause)
    gives_rows = any(
        isinstance(one, ast.FuncCall) and name_parts(one.funcname)[-1] in _GIVING_ROWS
        for one in nodes(query.targetList)
    )
    return DARK if gives_rows else ONCE


_MOST = 10**9
# More than one row for one call, and none of a table.
_GIVING_ROWS = words(
    "unnest generate_series generate_subscripts regexp_split_to_table regexp_matches string_to_table "
    "json_array_elements json_array_elements_text json_each json_each_text json_object_keys "
    "jsonb_array_elements jsonb_array_elements_text jsonb_each jsonb_each_text jsonb_object_keys "
    "jsonb_path_query json_populate_recordset jsonb_populate_recordset"
)


def _selected(script: Script, sources: tuple[Node, ...], condition: Node | None) -> Reach:
    """How many rows a WHERE lets through, of several tables when it says something about one of them."""
    tables = [one for one in nodes(sources) if isinstance(one, ast.RangeVar)]
    is_alone = len(sources) == 1 and isinstance(sources[0], ast.RangeVar)
    if is_alone:
        target = _target(script, tables[0], (), None, {})
        return where(condition, replace(target, rounds=ONCE))
    if not tables:
        series = [one for one in nodes(sources) if isinstance(one, ast.FuncCall)]
        return DARK if series else ONCE
    if condition is None:
        return EVERY
    reaches = []
    for table in tables:
        beside = tuple(one for one in tables if one is not table)
        target = _target(script, table, beside, None, {})
        reaches.append(where(condition, replace(target, rounds=ONCE)))
    if NOTHING in reaches:
        return NOTHING
    narrow = (Selector.ONE, Selector.SOME)
    return PART if any(reach.selector in narrow for reach in reaches) else DARK


def _merge(script: Script, node: Node, at: int) -> Finding:
    command = enums.CmdType
    clauses = node.mergeWhenClauses or ()
    kinds = {clause.commandType for clause in clauses}
    target = _target(script, node.relation, (node.sourceRelation,), None, _named_queries(node))
    unmatched = enums.MergeMatchKind.MERGE_WHEN_NOT_MATCHED_BY_SOURCE
    changing = (command.CMD_DELETE, command.CMD_UPDATE)
    finding = rows_merged(
        script.table(node.relation),
        where(node.joinCondition, target),
        at,
        deletes=command.CMD_DELETE in kinds,
        updates=command.CMD_UPDATE in kinds,
        unmatched=any(
            clause.matchKind == unmatched and clause.commandType in changing for clause in clauses
        ),
    )
    return _sure(script, node.relation, finding)


def truncate(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    cascades = node.behavior == enums.DropBehavior.DROP_CASCADE
    operation = "TRUNCATE CASCADE" if cascades else "TRUNCATE"
    for relation in node.relations:
        resource = script.table(relation)
        finding = Finding(
            "sql.truncate",
            resource,
            Effect.DELETE_DATA,
            f"empties `{resource.id}`",
            place.start,
            Selector.ALL,
            Reversibility.IRREVERSIBLE,
            opaque=script.doubt_about(relation),
            operation=operation,
        )
        yield softened(script, relation, finding)
    if cascades and not all(script.is_new(relation) for relation in node.relations):
        targets = [script.table(relation).id for relation in node.relations]
        along = emptied_by_cascade(script, targets)
        if along is not None:
            for id in along:
                yield Finding(
                    "sql.truncate",
                    asset("Table", DIALECT, "table", id),
                    Effect.DELETE_DATA,
                    f"empties `{id}` too, which references what is truncated",
                    place.start,
                    Selector.ALL,
                    Reversibility.IRREVERSIBLE,
                )
            return
        names = ", ".join(f"`{id}`" for id in targets)
        reason = f"TRUNCATE … CASCADE also empties every table that references {names}"
        yield replace(
            unread(DIALECT, reason, place.start),
            action="sql.truncate",
            effect=Effect.DELETE_DATA,
            reversibility=Reversibility.IRREVERSIBLE,
            resource=asset("Unread", DIALECT, "table", f"references of {names}"),
            operation=operation,
        )


def copy_rows(script: Script, node: Node, place: Place) -> Iterator[Finding]:
    if node.relation is not None:
        resource = script.table(node.relation)
        doubt = script.doubt_about(node.relation)
    else:
        inner = list(query(script, node.query, place))
        resource = inner[0].resource if inner else database()
        doubt = None
        yield from inner
    if node.is_program:
        yield Finding(
            "sql.run_program",
            asset("Routine", DIALECT, "program", node.filename or "", node.filename),
            Effect.EXECUTE,
            f"runs the program `{node.filename}` on the server",
            place.start,
            Selector.UNKNOWN,
            Reversibility.UNKNOWN,
        )
    if node.is_from:
        finding = Finding(
            "sql.copy_in",
            resource,
            Effect.CREATE,
            f"loads rows into `{resource.id}`",
            place.start,
            Selector.SOME,
            opaque=doubt,
        )
        yield softened(script, node.relation, finding)
    elif node.filename is not None and not node.is_program:
        yield Finding(
            "sql.copy_out",
            resource,
            Effect.EXECUTE,
            f"writes `{resource.id}` to the server's file `{node.filename}`",
            place.start,
            Selector.ALL,
            Reversibility.IRREVERSIBLE,
            opaque=doubt,
        )
    else:
        summary = f"copies `{resource.id}` out"
        yield Finding(
            "sql.copy_out",
            resource,
            Effect.READ,
            summary,
            place.start,
            Selector.ALL,
            opaque=doubt,
        )


def created_table(
    script: Script, relation: Node, place: Place, verb: str, type: str = "Table"
) -> Finding:
    resource = script.table(relation, type, "table" if type == "Table" else "view")
    finding = Finding("sql.create", resource, Effect.CREATE, f"{verb} `{resource.id}`", place.start)
    if type == "Table" and any(map(script.renames.is_free, script.table_ids(relation))):
        return in_its_place(finding)
    return softened(script, relation, finding)


def _calling(script: Script, call: Node) -> Calling:
    """Whether a function in a condition gives the same answer for the same row."""
    table = taxonomy.functions()
    parts = name_parts(call.funcname)
    name = parts[-1]
    is_builtin = parts[-2] == "pg_catalog" if len(parts) > 1 else not script.hides_builtins
    if name in script.routines or not is_builtin:
        return Calling.UNKNOWN
    if name in table.harmless:
        return Calling.STEADY
    return Calling.VOLATILE if name in table.volatile else Calling.UNKNOWN
