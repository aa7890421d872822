"""Sub-selects in a condition: what IN, EXISTS and a comparison with one row let through."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from ...words import words
from ..tree import Node, ast, enums, nodes
from .columns import SYSTEM_COLUMNS, columns_in, conjuncts, fields_of, own_columns
from .constants import ABSENT, MIRRORED, constant_of, names_of, number_of, operator_of
from .reach import DARK, EVERY, NOTHING, PART, Reach, Target, at_most

Where = Callable[[Node | None, Target], Reach]
"""How much of a target a condition reaches, which a sub-select asks about its own WHERE."""


def sub_select(link: Node, target: Target, depth: int, where: Where) -> Reach:
    kind = enums.SubLinkType
    query = link.subselect
    if not isinstance(query, ast.SelectStmt) or query.op != enums.SetOperation.SETOP_NONE:
        return PART if _is_plain_union(link, target) else DARK
    if query.withClause is not None:
        return DARK
    match link.subLinkType:
        case kind.EXISTS_SUBLINK:
            return _exists(query, target, depth)
        case kind.ANY_SUBLINK if link.operName is None or names_of(link.operName)[-1] == "=":
            return in_sub_select(link.testexpr, query, target, depth, where)
        case _:
            return DARK


def _is_plain_union(link: Node, target: Target) -> bool:
    """`x IN (SELECT … UNION SELECT …)` restricts when no arm reads the target."""
    if link.subLinkType != enums.SubLinkType.ANY_SUBLINK or not own_columns(link.testexpr, target):
        return False
    tables = [node for node in nodes(link.subselect) if isinstance(node, ast.RangeVar)]
    return (
        bool(tables)
        and not any(target.is_same_table(table) for table in tables)
        and not any(
            isinstance(node, ast.ColumnRef) and _mentions_target(node, target)
            for node in nodes(link.subselect)
        )
    )


def _exists(query: Node, target: Target, depth: int) -> Reach:
    if not query.fromClause:
        return EVERY if query.whereClause is None and query.valuesLists is None else DARK
    inner = _inner_target(query, target)
    if inner is None or query.havingClause is not None or query.groupClause:
        return DARK
    if _is_aggregate_only(query):
        return EVERY
    conditions = conjuncts(query.whereClause)
    correlated = [condition for condition in conditions if _refers_outside(condition, target)]
    if not correlated:
        return DARK
    if not _reads_target(query, target):
        return PART
    # The target compared with itself: only something beyond `same column = same column` restricts.
    same = [condition for condition in correlated if _is_self_equality(condition)]
    return PART if len(correlated) > len(same) else DARK


def _is_aggregate_only(query: Node) -> bool:
    """`EXISTS (SELECT count(*) FROM …)` is a row even where there is none."""
    values = [item.val for item in query.targetList or () if isinstance(item, ast.ResTarget)]
    return any(
        isinstance(value, ast.FuncCall) and names_of(value.funcname)[-1] in _AGGREGATES
        for value in values
    )


_AGGREGATES = words("count sum min max avg array_agg string_agg bool_and bool_or every")


def in_sub_select(tested: Node, query: Node, target: Target, depth: int, where: Where) -> Reach:
    own = own_columns(tested, target)
    if not own or not isinstance(tested, ast.ColumnRef) or own[0].name in SYSTEM_COLUMNS:
        return DARK
    column = own[0].name
    is_key = target.is_key(column)
    is_limited = query.limitCount is not None and target.counts_limits
    limit = limit_of(query) if is_limited else None
    if limit is not None and limit == limit.to_integral_value() and 0 <= limit < 10**12:
        bound: Reach | None = at_most(int(limit)) if is_key and limit else None
        if limit == 0:
            return NOTHING
    else:
        bound = None
    if query.valuesLists:
        if any(columns_in(value, target) for row in query.valuesLists for value in row):
            return DARK
        return at_most(len(query.valuesLists)) if is_key else PART
    if _refers_outside(query, target):
        return DARK
    if _is_of_the_row(query, target):
        return at_most(1) if is_key else PART
    if not query.fromClause:
        if is_key and _is_one_value(query):
            return at_most(1)
        return PART if not columns_in(query, target) else DARK
    named = _named_query(query, target)
    if named is not None:
        reach = in_sub_select(tested, named, _without(target, query), depth - 1, where)
        return bound if bound is not None and reach in (EVERY, DARK, PART) else reach
    selected = _selected_column(query)
    if _reads_target(query, target):
        if bound is not None:
            return bound
        if is_limited or query.groupClause or query.havingClause:
            return DARK if is_limited else PART
        if len(query.fromClause) > 1 or not isinstance(query.fromClause[0], ast.RangeVar):
            return DARK
        inner = _inner_target(query, target)
        if inner is None:
            return DARK
        reach = where(query.whereClause, inner) if depth > 1 else DARK
        if selected is not None and selected[-1] == column:
            return reach if is_key or reach.rows is None else PART
        return reach if reach in (NOTHING, PART) else DARK
    if bound is not None:
        return bound
    if selected is not None and len(selected) == 1 and selected[0] == column:
        # Where the other table has no such column, the name means the target's: every row.
        return PART if _is_a_column_there(column, query, target) else DARK
    return PART


def limit_of(query: Node) -> Decimal | None:
    """How many rows a query gives at the most, where it says; with ties there may be more."""
    if query.limitCount is None or query.limitOption == enums.LimitOption.LIMIT_OPTION_WITH_TIES:
        return None
    return number_of(constant_of(query.limitCount))


def _is_one_value(query: Node) -> bool:
    """`SELECT 5`: one row, unlike a function that gives several."""
    items = list(query.targetList or ())
    if len(items) != 1 or query.groupClause or query.limitCount is not None:
        return False
    value = items[0].val
    return isinstance(value, ast.ParamRef) or constant_of(value) is not ABSENT


def _is_of_the_row(query: Node, target: Target) -> bool:
    """Whether it reads nothing but the row for which a trigger runs."""
    tables = list(query.fromClause or ())
    return (
        len(tables) == 1
        and isinstance(tables[0], ast.RangeVar)
        and not tables[0].schemaname
        and tables[0].relname.lower() in target.of_row
    )


def _is_a_column_there(column: str, query: Node, target: Target) -> bool:
    """Whether a bare column of a sub-select is one of its own tables'."""
    if target.columns is not None and column not in target.columns:
        return True
    tables = [item for item in query.fromClause or () if isinstance(item, ast.RangeVar)]
    return any(column in (target.columns_of(table) or ()) for table in tables)


def _named_query(query: Node, target: Target) -> Node | None:
    """What `SELECT x FROM name` selects, when `name` is a sub-select that is written elsewhere."""
    tables = list(query.fromClause or ())
    if len(tables) != 1 or not isinstance(tables[0], ast.RangeVar) or tables[0].schemaname:
        return None
    selected = _selected_column(query)
    named = target.queries.get(tables[0].relname)
    if named is None or selected is None or query.whereClause is not None or query.groupClause:
        return None
    return picking(named, selected[-1])


def _without(target: Target, query: Node) -> Target:
    """The target as a sub-select written before sees it, which ends recursion."""
    name = query.fromClause[0].relname
    rest = {one: other for one, other in target.queries.items() if one != name}
    return replace(target, queries=rest)


def picking(query: Node, column: str) -> Node | None:
    """The sub-select reduced to its output `column`; `None` when that is not plain."""
    if not isinstance(query, ast.SelectStmt) or query.op != enums.SetOperation.SETOP_NONE:
        return None
    if query.withClause is not None or query.valuesLists:
        return None
    for item in query.targetList or ():
        value = item.val
        name = item.name or (fields_of(value)[-1] if isinstance(value, ast.ColumnRef) else None)
        if name == column:
            return ast.SelectStmt(
                targetList=(item,),
                fromClause=query.fromClause,
                whereClause=query.whereClause,
                groupClause=query.groupClause,
                havingClause=query.havingClause,
                limitCount=query.limitCount,
                limitOption=query.limitOption,
                op=query.op,
            )
    return None


def scalar_sub_select(left: Node, operator: str, link: Node, target: Target) -> Reach:
    own = own_columns(left, target)
    query = link.subselect
    if (
        link.subLinkType != enums.SubLinkType.EXPR_SUBLINK
        or not own
        or operator not in MIRRORED
        or operator in ("<>", "!=")
        or not isinstance(query, ast.SelectStmt)
        or query.op != enums.SetOperation.SETOP_NONE
        or not query.fromClause
        or own[0].name in SYSTEM_COLUMNS
    ):
        return DARK
    if _refers_outside(query, target):
        return DARK
    if operator == "=" and _is_of_the_row(query, target):
        return (
            at_most(1) if isinstance(left, ast.ColumnRef) and target.is_key(own[0].name) else PART
        )
    is_self_contained = all(
        len(fields_of(node)) > 1 for node in nodes(query) if isinstance(node, ast.ColumnRef)
    ) or _reads_target(query, target)
    if operator != "=":
        # A bound taken from the table itself may be its own extreme.
        return DARK if _reads_target(query, target) else PART
    if isinstance(left, ast.ColumnRef) and target.is_key(own[0].name) and is_self_contained:
        return at_most(1)
    selected = _selected_column(query)
    is_theirs = selected != [own[0].name] or _is_a_column_there(own[0].name, query, target)
    return PART if is_self_contained or is_theirs else DARK


def _inner_target(query: Node, target: Target) -> Target | None:
    """The target as the sub-select names it, or as it is when the sub-select reads other tables."""
    tables = [item for item in query.fromClause if isinstance(item, ast.RangeVar)]
    mine = [table for table in tables if target.is_same_table(table)]
    if len(mine) > 1:
        return None
    if not mine:
        return target
    alias = mine[0].alias
    name = alias.aliasname if alias is not None else mine[0].relname
    return replace(target, names=frozenset({name}), is_joined=len(query.fromClause) > 1)


def _reads_target(query: Node, target: Target) -> bool:
    """Whether it reads the target's table, itself or through a sub-select with a name."""
    waiting, seen = [query], set[str]()
    while waiting:
        for node in nodes(waiting.pop()):
            if not isinstance(node, ast.RangeVar):
                continue
            if target.is_same_table(node):
                return True
            if node.relname in target.queries and node.relname not in seen:
                seen.add(node.relname)
                waiting.append(target.queries[node.relname])
    return False


def _refers_outside(node: Node, target: Target) -> bool:
    """Whether a column in a sub-select is qualified as that of the target outside."""
    inner = {
        alias.aliasname if (alias := table.alias) is not None else table.relname
        for table in nodes(node)
        if isinstance(table, ast.RangeVar)
    }
    names = target.names - inner
    return any(
        isinstance(column, ast.ColumnRef)
        and len(fields := fields_of(column)) > 1
        and fields[-2] in names
        for column in nodes(node)
    )


def _mentions_target(column: Node, target: Target) -> bool:
    fields = fields_of(column)
    return len(fields) > 1 and fields[-2] in target.names


def _is_self_equality(condition: Node) -> bool:
    return (
        isinstance(condition, ast.A_Expr)
        and operator_of(condition) == "="
        and isinstance(condition.lexpr, ast.ColumnRef)
        and isinstance(condition.rexpr, ast.ColumnRef)
        and fields_of(condition.lexpr)[-1] == fields_of(condition.rexpr)[-1]
    )


def _selected_column(query: Node) -> list[str] | None:
    items = list(query.targetList or ())
    if len(items) != 1 or not isinstance(items[0], ast.ResTarget):
        return None
    value = items[0].val
    return fields_of(value) if isinstance(value, ast.ColumnRef) else None
