"""Writes of T-SQL through a common table expression, which change the table that it reads."""

from typing import Any

from sqlglot import exp

from .conditions import is_plain_limit

MAX_STEPS = 20
_CLAUSES = frozenset({"kind", "hint", "expressions", "from_", "where", "limit", "order"})


def written_through(tree: Any) -> Any:
    """The same write without the expression in between, or the tree as it is where that is not plain.

    A column that the expression computes becomes a call of a function nobody knows, which decides nothing.
    """
    for _ in range(MAX_STEPS):
        inner = _read_by(tree)
        if inner is None:
            return tree
        merged = _merged(tree, inner)
        if merged is None:
            return tree
        tree = merged
    return tree


def _read_by(tree: Any) -> Any:
    """The query of the expression that is the one table of the write."""
    target, clause = tree.this, tree.args.get("with_")
    if clause is None or not isinstance(target, exp.Table) or target.db:
        return None
    if any(tree.args.get(name) for name in ("from_", "using", "tables")) or target.args.get(
        "joins"
    ):
        return None
    named = [cte for cte in clause.expressions if cte.alias.lower() == target.name.lower()]
    if len(named) != 1 or named[0].args["alias"].args.get("columns"):
        return None
    query = named[0].this
    if not isinstance(query, exp.Select):
        return None
    if any(value and name not in _CLAUSES for name, value in query.args.items()):
        return None
    return query


def _merged(tree: Any, query: Any) -> Any:
    source = query.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table) or source.this.args.get("joins"):
        return None
    limit = query.args.get("limit")
    if limit is not None and (tree.args.get("limit") or not is_plain_limit(limit)):
        return None
    columns = _columns(query)
    if columns is None:
        return None
    table = source.this.copy()
    names = {table.alias_or_name.lower()}
    merged = tree.copy()
    target = merged.this
    target_names = {target.alias_or_name.lower()}
    merged.set("this", table)
    where = merged.args.get("where")
    arms = []
    if query.args.get("where") is not None:
        arms.append(_plain(query.args["where"].this.copy(), names, {}))
    if where is not None:
        arms.append(_plain(where.this.copy(), target_names, columns))
    if arms:
        merged.set("where", exp.Where(this=exp.and_(*arms, wrap=True)))
    if limit is not None:
        merged.set("limit", limit.copy())
    return merged


def _columns(query: Any) -> dict[str, Any] | None:
    """What each name means that the query gives to something else than a column of that name."""
    found: dict[str, Any] = {}
    for one in query.expressions:
        if isinstance(one, (exp.Star, exp.Column)) and not isinstance(one, exp.Alias):
            continue
        if not isinstance(one, exp.Alias):
            return None
        value = one.this
        found[one.alias.lower()] = value if isinstance(value, exp.Column) else None
    return found


def _plain(condition: Any, names: set[str], columns: dict[str, Any]) -> Any:
    """The condition on the table itself, without the names that stood for it."""

    def changed(node: Any) -> Any:
        if not isinstance(node, exp.Column) or (node.table and node.table.lower() not in names):
            return node
        if node.name.lower() in columns:
            value = columns[node.name.lower()]
            if value is None:
                return exp.Anonymous(this=f"computed_{node.name}")
            return exp.column(value.this.copy())
        return exp.column(node.this.copy())

    # A sub-select has tables of its own, among which a bare name may be another's.
    return condition if condition.find(exp.Select) else condition.transform(changed)
