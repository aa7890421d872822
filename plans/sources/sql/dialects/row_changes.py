"""UPDATE and DELETE in sqlglot's trees: which of their tables they change, and how far."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlglot import exp

from ....model import Selector
from ..changes import Finding, unread
from ..selector.reach import Reach, at_most, times
from ..selector.where import where
from ..tree import Node, ast
from ..written import rows_changed
from .conditions import condition, conjunction, sources
from .session import Session
from .targets import named_queries, softened, strange_clauses, table_parts, target_of
from .through import written_through


def updated(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    tree = _own(session, tree)
    yield from strange_clauses(session, tree, _ROW_CLAUSES, at)
    joins = tree.this.args.get("joins") or () if isinstance(tree.this, exp.Table) else ()
    named = named_queries(session, tree)
    sources_found = _sources(session, tree, joins)
    if sources_found is None:
        yield unread(session.name, "which tables stand beside the target is not plain", at)
        return
    tables, conditions = sources_found
    own = tree.args.get("where")
    if own is not None:
        conditions.append(condition(own.this, session.name))
    changed = _changed_tables(tree, tables, is_joined=len(tables) > 1)
    if changed is None:
        yield unread(session.name, "which of its tables it updates is not plain", at)
        return
    for table in changed:
        yield from _reached(
            session, "sql.update", table, tables, conditions, named, tree.args.get("limit"), at
        )


def deleted(session: Session, tree: Any, at: int) -> Iterator[Finding]:
    tree = _own(session, tree)
    yield from strange_clauses(session, tree, _ROW_CLAUSES, at)
    named = named_queries(session, tree)
    listed: Sequence[Any] = tree.args.get("tables") or ()
    base: Any = tree.this
    own = tree.args.get("where")
    if base is None and len(listed) == 1:
        base, listed = listed[0], ()
    using = tree.args.get("using") or ()
    if session.name == "mysql" and using and isinstance(base, exp.Table):
        # `DELETE FROM a, b USING a JOIN b` names its targets first.
        listed = (base, *(join.this for join in base.args.get("joins") or ()))
        first, *others = using
        joins = [*(first.args.get("joins") or ()), *(exp.Join(this=other) for other in others)]
        first = first.copy()
        first.set("joins", None)
        tables, conditions = sources(first, joins, session.name)
        trees = [first, *(join.this for join in joins)]
    elif isinstance(base, exp.Table):
        joins = [*(base.args.get("joins") or ()), *(exp.Join(this=other.copy()) for other in using)]
        alone = base.copy()
        alone.set("joins", None)
        tables, conditions = sources(alone, joins, session.name)
        trees = [alone, *(join.this for join in joins)]
    else:
        yield unread(session.name, "which table it deletes from is not plain", at)
        return
    if own is not None:
        conditions.append(condition(own.this, session.name))
    targets = [_resolved(one, trees) for one in listed] if listed else [trees[0]]
    for target in targets:
        if not isinstance(target, exp.Table):
            yield unread(session.name, "which table it deletes from is not plain", at)
            continue
        yield from _reached(
            session, "sql.delete", target, tables, conditions, named, tree.args.get("limit"), at
        )


def _own(session: Session, tree: Any) -> Any:
    """The write as one on a table; SQL Server writes through a common table expression."""
    return written_through(tree) if session.name == "tsql" else tree


_ROW_CLAUSES = frozenset(
    {
        "this",
        "expressions",
        "where",
        "with",
        "from",
        "using",
        "tables",
        "limit",
        "order",
        "returning",
        "joins",
    }
)


def _resolved(named: Any, trees: list[Any]) -> Any:
    """The table that a name in a list of targets stands for."""
    name = table_parts(named)[-1].lower() if isinstance(named, exp.Table) else ""
    for tree in trees:
        if isinstance(tree, exp.Table) and (tree.alias or table_parts(tree)[-1]).lower() == name:
            return tree
    return next(
        (
            tree
            for tree in trees
            if isinstance(tree, exp.Table) and table_parts(tree)[-1].lower() == name
        ),
        None,
    )


def _sources(
    session: Session, tree: exp.Update, joins: Iterable[Any]
) -> tuple[tuple[Node, ...], list[Node]] | None:
    if not isinstance(tree.this, exp.Table):
        return None
    alone = tree.this.copy()
    alone.set("joins", None)
    tables, conditions = sources(alone, joins, session.name)
    source = tree.args.get("from_")
    if source is None:
        return tables, conditions
    beside, more = sources(source.this, (), session.name)
    target = alone.name.lower()
    names = {
        (node.alias.aliasname if node.alias is not None else node.relname.lower())
        for node in beside
        if isinstance(node, ast.RangeVar)
    }
    if session.name == "tsql" and target in names:
        # `UPDATE u … FROM users u` names its target by the alias.
        tables = ()
    return (*tables, *beside), [*conditions, *more]


def _changed_tables(
    tree: exp.Update, tables: tuple[Node, ...], *, is_joined: bool
) -> list[Any] | None:
    first = tree.this
    source = tree.args.get("from_")
    candidates = [first, *(join.this for join in first.args.get("joins") or ())]
    if source is not None:
        named = [source.this, *(join.this for join in source.this.args.get("joins") or ())]
        aliased = _resolved(first, named)
        return [aliased if isinstance(aliased, exp.Table) and aliased.alias else first]
    if not is_joined:
        return [first]
    found: list[Any] = []
    for assignment in tree.expressions:
        column = assignment.this
        if not isinstance(column, exp.Column) or not column.table:
            return None
        table = _resolved(exp.Table(this=exp.to_identifier(column.table)), candidates)
        if not isinstance(table, exp.Table):
            return None
        if table not in found:
            found.append(table)
    return found


def _reached(
    session: Session,
    action: str,
    table: Any,
    tables: tuple[Node, ...],
    conditions: list[Node],
    named: Mapping[str, Node],
    limit: Any,
    at: int,
) -> Iterator[Finding]:
    parts = table_parts(table)
    if not all(parts) or not isinstance(table.this, (exp.Identifier, exp.Parameter)):
        yield unread(session.name, "which table it changes is not plain", at)
        return
    own_alias = (table.alias or parts[-1]).lower()
    beside = tuple(node for node in tables if _alias_of(node) != own_alias)
    inner = named.get(parts[-1].lower()) if len(parts) == 1 else None
    if inner is not None:
        yield unread(session.name, "it changes a table through a common table expression", at)
        return
    reach = where(conjunction(conditions), target_of(session, table, beside, named))
    bound = _bound(limit)
    if bound is not None and reach.selector != Selector.NONE:
        reach = bounded(session, reach, bound)
    yield rows_finding(session, action, parts, reach, at)


def bounded(session: Session, reach: Reach, bound: int) -> Reach:
    """What is reached where no round changes more rows than a LIMIT or TOP says."""
    if bound == 0:
        return Reach(Selector.NONE)
    most = times(session.rounds, at_most(bound))
    if most.rows is None or (reach.rows is not None and reach.rows <= most.rows):
        return reach
    return most


def _alias_of(node: Node) -> str:
    if isinstance(node, ast.RangeVar):
        return str(node.alias.aliasname if node.alias is not None else node.relname.lower())
    return ""


def _bound(limit: Any) -> int | None:
    if not isinstance(limit, exp.Limit) or not isinstance(limit.expression, exp.Literal):
        return None
    text = limit.expression.this
    return (
        int(text) if text.isdecimal() and len(text) < 12 and not limit.args.get("offset") else None
    )


def rows_finding(
    session: Session, action: str, parts: tuple[str, ...], reach: Reach, at: int
) -> Finding:
    """An UPDATE or DELETE of one table, by whose table it is."""
    return softened(session, parts, rows_changed(action, session.table(parts), reach, at))
