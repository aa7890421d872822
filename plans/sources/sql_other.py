"""Scripts of other dialects through sqlglot: the plain statements; all else is unread."""

import re
from collections.abc import Iterator
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.simplify import simplify

from ..model import Effect, Reversibility, RowBasis, Selector
from . import sql_split
from .sql_changes import Finding, asset, joined_name, unread
from .sql_split import Kind, Lexis, Piece, split
from .sql_sqlglot import Complaint, parse

MAX_NESTING = 200

_LEXIS: dict[str, Lexis] = {
    "mysql": sql_split.MYSQL,
    "sqlite": sql_split.SQLITE,
    "snowflake": sql_split.SNOWFLAKE,
    "tsql": sql_split.TSQL,
    "bigquery": sql_split.BIGQUERY,
}
# A comment that MySQL or MariaDB runs.
_EXECUTABLE_COMMENT = re.compile(r"/\*M?!")


def read_other(text: str, dialect: str) -> Iterator[tuple[Finding, int]]:
    """Every finding with the offset at which its statement ends."""
    if dialect == "mysql":
        for comment in _EXECUTABLE_COMMENT.finditer(text):
            reason = "MySQL runs what stands in this comment"
            yield unread(dialect, reason, comment.start()), comment.start() + 40
    for piece in split(text, _LEXIS[dialect]):
        for finding in _piece(piece, dialect):
            yield finding, piece.end


def _piece(piece: Piece, dialect: str) -> list[Finding]:
    at = piece.start
    if piece.kind != Kind.STATEMENT:
        return [unread(dialect, "this is no statement", at)]
    if dialect == "mysql" and _EXECUTABLE_COMMENT.search(piece.text):
        return [unread(dialect, "a comment in the statement is run", at)]
    if "\x00" in piece.text or piece.nesting > MAX_NESTING:
        return [unread(dialect, "the statement is nested too deeply or holds a NUL character", at)]
    if "delimiter" in piece.words:
        return [unread(dialect, "a changed DELIMITER decides where statements end", at)]
    trees = parse(piece.text, dialect)
    if isinstance(trees, Complaint):
        return [unread(dialect, f"the parser says: {trees.message}", at)]
    if len(trees) != 1 or trees[0] is None:
        return [unread(dialect, "the parser does not see one statement here", at)]
    return _statement(trees[0], piece, dialect)


def _statement(tree: Any, piece: Piece, dialect: str) -> list[Finding]:
    at = piece.start
    if any(isinstance(node, exp.Command) for node in tree.walk()):
        return [unread(dialect, "the parser leaves a part of it as text", at)]
    writes = [node for node in tree.walk() if isinstance(node, _WRITES)]
    match tree:
        case exp.Select() | exp.Union() | exp.Except() | exp.Intersect():
            if writes or tree.find(exp.Into) is not None or tree.find(exp.Anonymous) is not None:
                return [unread(dialect, "it reads and may write as well", at)]
            return [_read(tree, dialect, at)]
        case exp.Insert() if [*writes] == [tree] and not tree.args.get("overwrite"):
            return [_insert(tree, dialect, at)]
        case exp.Update() if [*writes] == [tree]:
            return _rows(tree, "sql.update", dialect, at)
        case exp.Delete() if [*writes] == [tree]:
            return _rows(tree, "sql.delete", dialect, at)
        case exp.TruncateTable():
            return [_emptied(one, dialect, at) for one in tree.expressions]
        case exp.Drop() if writes == [tree]:
            return _drop(tree, dialect, at)
        case exp.Create() if not writes and not tree.args.get("replace"):
            return _create(tree, dialect, at)
        case exp.Alter():
            return _alter(tree, dialect, at)
        case _:
            return [unread(dialect, f"`{tree.key.upper()}` statements are not classified", at)]


_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Drop, exp.TruncateTable, exp.Copy)


def _table_id(table: Any) -> str | None:
    if isinstance(table, exp.Schema):
        table = table.this
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        return None
    parts = [part.name for part in table.parts]
    return joined_name(parts) if all(parts) else None


def _table_finding(
    table: Any,
    dialect: str,
    at: int,
    action: str,
    effect: Effect,
    words: str,
    selector: Selector,
    reversibility: Reversibility,
    rows: int | None = None,
    basis: RowBasis | None = None,
) -> Finding:
    id = _table_id(table)
    if id is None:
        return unread(dialect, "which table it means is not plain", at)
    resource = asset("Table", dialect, "table", id, id.rpartition(".")[2])
    summary = f"{words} `{id}`"
    return Finding(
        action, resource, effect, summary, at, selector, reversibility, rows=rows, row_basis=basis
    )


def _read(tree: Any, dialect: str, at: int) -> Finding:
    local = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = [table for table in tree.find_all(exp.Table) if table.name not in local]
    ids = [id for table in tables if (id := _table_id(table)) is not None]
    if not ids:
        resource = asset("Database", dialect, "database", "current", "current database")
    else:
        resource = asset("Table", dialect, "table", ids[0], ids[0].rpartition(".")[2])
    return Finding("sql.read", resource, Effect.READ, f"reads `{resource.id}`", at, Selector.SOME)


def _insert(tree: exp.Insert, dialect: str, at: int) -> Finding:
    updates = tree.args.get("conflict") is not None or bool(tree.args.get("alternative"))
    values = tree.expression
    rows = len(values.expressions) if isinstance(values, exp.Values) else None
    basis = None if rows is None else RowBasis.UPPER_BOUND if updates else RowBasis.EXACT
    return _table_finding(
        tree.this,
        dialect,
        at,
        "sql.insert",
        Effect.UPDATE if updates else Effect.CREATE,
        "inserts into",
        Selector.ONE if rows == 1 else Selector.SOME,
        Reversibility.RECOVERABLE if updates else Reversibility.REVERSIBLE,
        rows,
        basis,
    )


def _rows(tree: Any, action: str, dialect: str, at: int) -> list[Finding]:
    """UPDATE and DELETE of one table; joins are not followed here."""
    if tree.args.get("using") or tree.args.get("from_") or tree.args.get("tables"):
        return [unread(dialect, "it changes one table by another, which is not followed", at)]
    if isinstance(tree.this, exp.Table) and tree.this.args.get("joins"):
        return [unread(dialect, "it changes one table by another, which is not followed", at)]
    where = tree.args.get("where")
    selector = Selector.ALL if where is None else _selector(where.this)
    rows = 1 if selector == Selector.ONE else None
    deletes = action == "sql.delete"
    wide = selector in (Selector.ALL, Selector.UNKNOWN)
    return [
        _table_finding(
            tree.this,
            dialect,
            at,
            action,
            Effect.DELETE_DATA if deletes else Effect.UPDATE,
            "deletes from" if deletes else "updates",
            selector,
            Reversibility.IRREVERSIBLE if wide else Reversibility.RECOVERABLE,
            rows,
            None if rows is None else RowBasis.UPPER_BOUND,
        )
    ]


def _selector(condition: Any) -> Selector:
    """A column compared with a constant restricts; everything else is left open."""
    folded = simplify(condition.copy())
    if isinstance(folded, exp.Boolean):
        return Selector.ALL if folded.this else Selector.NONE
    arms = list(folded.flatten()) if isinstance(folded, exp.And) else [folded]
    reaches = [_plain(arm) for arm in arms]
    for reach in (Selector.ONE, Selector.SOME):
        if reach in reaches:
            return reach
    return Selector.UNKNOWN


def _plain(arm: Any) -> Selector:
    if isinstance(arm, exp.EQ):
        column, value = arm.this, arm.expression
        if isinstance(value, exp.Column):
            column, value = value, column
        if isinstance(column, exp.Column) and isinstance(value, (exp.Literal, exp.Placeholder)):
            return Selector.ONE if column.name.lower() in ("id", "uuid") else Selector.SOME
    lists_constants = (
        isinstance(arm, exp.In)
        and isinstance(arm.this, exp.Column)
        and bool(arm.expressions)
        and all(isinstance(one, exp.Literal) for one in arm.expressions)
    )
    return Selector.SOME if lists_constants else Selector.UNKNOWN


def _emptied(table: Any, dialect: str, at: int) -> Finding:
    return _table_finding(
        table,
        dialect,
        at,
        "sql.truncate",
        Effect.DELETE_DATA,
        "empties",
        Selector.ALL,
        Reversibility.IRREVERSIBLE,
    )


def _drop(tree: exp.Drop, dialect: str, at: int) -> list[Finding]:
    kind = (tree.args.get("kind") or "").upper()
    targets = tree.args.get("tables") or [tree.this]
    if kind == "TABLE" and targets:
        return [
            _table_finding(
                target,
                dialect,
                at,
                "sql.drop",
                Effect.DELETE_DATA,
                "drops table",
                Selector.ALL,
                Reversibility.IRREVERSIBLE,
            )
            for target in targets
        ]
    types = {"DATABASE": "Database", "SCHEMA": "Schema", "VIEW": "View", "INDEX": "DatabaseObject"}
    if kind not in types or len(targets) != 1:
        return [unread(dialect, f"DROP {kind} is not classified", at)]
    id = _table_id(targets[0]) or targets[0].sql(dialect=dialect)
    holds_data = kind in ("DATABASE", "SCHEMA")
    return [
        Finding(
            "sql.drop",
            asset(types[kind], dialect, kind.lower(), id),
            Effect.DELETE_DATA if holds_data else Effect.UPDATE,
            f"drops {kind.lower()} `{id}`",
            at,
            Selector.ALL if holds_data else Selector.ONE,
            Reversibility.IRREVERSIBLE if holds_data else Reversibility.REVERSIBLE,
        )
    ]


def _create(tree: exp.Create, dialect: str, at: int) -> list[Finding]:
    kind = (tree.args.get("kind") or "").upper()
    types = {"TABLE": "Table", "VIEW": "View", "INDEX": "DatabaseObject", "SCHEMA": "Schema"}
    if kind not in types:
        return [unread(dialect, f"CREATE {kind} is not classified", at)]
    target = tree.this
    if kind == "INDEX":
        target = target.args.get("table") if isinstance(target, exp.Index) else None
    id = _table_id(target)
    if id is None:
        return [unread(dialect, "what it creates is not plain", at)]
    resource = asset(types[kind], dialect, kind.lower(), id, id.rpartition(".")[2])
    return [Finding("sql.create", resource, Effect.CREATE, f"creates {kind.lower()} `{id}`", at)]


def _alter(tree: exp.Alter, dialect: str, at: int) -> list[Finding]:
    if (tree.args.get("kind") or "").upper() != "TABLE" or not tree.args.get("actions"):
        return [unread(dialect, "this ALTER is not classified", at)]
    findings = []
    for action in tree.args["actions"]:
        if isinstance(action, exp.Drop) and (action.args.get("kind") or "").upper() == "COLUMN":
            finding = _table_finding(
                tree.this,
                dialect,
                at,
                "sql.drop",
                Effect.DELETE_DATA,
                f"drops column `{(action.args.get('tables') or [action.this])[0].name}` of",
                Selector.ALL,
                Reversibility.IRREVERSIBLE,
            )
        elif isinstance(action, exp.ColumnDef):
            finding = _table_finding(
                tree.this,
                dialect,
                at,
                "sql.alter",
                Effect.UPDATE,
                f"adds column `{action.name}` to",
                Selector.ONE,
                Reversibility.REVERSIBLE,
            )
        else:
            finding = unread(dialect, "this ALTER subcommand is not classified", at)
        findings.append(finding)
    return findings
