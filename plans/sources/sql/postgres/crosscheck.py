"""A second opinion on which writes a PostgreSQL statement holds.

The second parser is asked only where it could answer differently: when a writing word stands in
the statement that the first parser did not take for a write.
"""

from typing import Any

from ..tree import Node, ast, enums, nodes
from .split import Piece

MAX_CHECKED = 100_000

_KINDS = frozenset({"insert", "update", "delete", "merge", "truncate", "drop", "copy"})


def disagreement(statement: Node, piece: Piece) -> str | None:
    """Why the two readings do not fit; `None` where they do, or the second parser cannot tell."""
    if not isinstance(statement, _WORTH_ASKING) or len(piece.text) > MAX_CHECKED:
        return None
    suspects = _KINDS & piece.words - {_NODES.get(type(statement), "")}
    if not suspects:
        return None
    seen = write_kinds(statement)
    if not suspects - seen:
        return None
    other = second_opinion(piece.text)
    if other is None or other == seen:
        return None
    return f"two parsers disagree about the writes in it: {_listed(seen)} and {_listed(other)}"


# Definitions name writes in ON DELETE CASCADE or BEFORE UPDATE without making any.
_WORTH_ASKING = (
    ast.SelectStmt,
    ast.InsertStmt,
    ast.UpdateStmt,
    ast.DeleteStmt,
    ast.TruncateStmt,
    ast.DropStmt,
    ast.CopyStmt,
    ast.CreateTableAsStmt,
)

_NODES: dict[type[Any], str] = {
    ast.InsertStmt: "insert",
    ast.UpdateStmt: "update",
    ast.DeleteStmt: "delete",
    ast.MergeStmt: "merge",
    ast.TruncateStmt: "truncate",
    ast.CopyStmt: "copy",
    ast.DropStmt: "drop",
}


def write_kinds(statement: Node) -> frozenset[str]:
    """The kinds of writes anywhere in a statement, as PostgreSQL's parser sees it."""
    kinds = {kind for one in nodes(statement) if (kind := _NODES.get(type(one))) is not None}
    if isinstance(statement, ast.AlterTableStmt) and any(
        command.subtype
        in (enums.AlterTableType.AT_DropColumn, enums.AlterTableType.AT_DropConstraint)
        for command in statement.cmds
    ):
        kinds.add("drop")
    return frozenset(kinds)


def second_opinion(sql: str) -> frozenset[str] | None:
    """The kinds of writes as sqlglot sees them; `None` where it has no opinion."""
    # The second parser is slow to load and seldom asked.
    from sqlglot import exp

    from ..dialects.parse import Complaint, parse

    trees = parse(sql, "postgres")
    if isinstance(trees, Complaint):
        return None
    kinds: set[str] = set()
    written: dict[type[Any], str] = {
        exp.Insert: "insert",
        exp.Update: "update",
        exp.Delete: "delete",
        exp.TruncateTable: "truncate",
        exp.Copy: "copy",
        exp.Drop: "drop",
    }
    for tree in trees:
        if tree is None or isinstance(tree, (exp.Condition, exp.Alias)):
            return None
        for node in tree.walk():
            if isinstance(node, (exp.Command, exp.Merge)):
                return None
            kind = written.get(type(node))
            if kind is not None:
                kinds.add(kind)
    return frozenset(kinds)


def _listed(kinds: frozenset[str]) -> str:
    return " and ".join(sorted(kinds)) or "none"
