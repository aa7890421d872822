"""How many rows of its target a WHERE lets through: none, one, some, all, or nobody can tell.

`all` is for a condition that holds for every row, `some` for a plain restriction somebody wrote
about the target's own columns; whatever is neither, a trick or too clever, is `unknown`.
The conditions are PostgreSQL's nodes; `dialects/conditions.py` gives those of other dialects the same form.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ...words import words
from ..tree import Node, ast, enums, nodes
from .columns import (
    SYSTEM_COLUMNS,
    Column,
    columns_in,
    fields_of,
    fixed_column,
    is_simple,
    own_column,
    own_columns,
)
from .constants import (
    ABSENT,
    MIRRORED,
    as_boolean,
    as_text,
    compared,
    constant_of,
    is_null_constant,
    number_of,
    operator_of,
)
from .cover import may_cover_everything
from .reach import DARK, EVERY, NOTHING, ONCE, PART, Calling, Reach, Target, at_most, times
from .subselects import in_sub_select, picking, scalar_sub_select, sub_select


def where(condition: Node | None, target: Target) -> Reach:
    """How much of the target the condition reaches, in all of its rounds."""
    if condition is None:
        return EVERY
    target = _without_columns_among_variables(condition, target)
    once = replace(target, rounds=ONCE)
    reach = _reach(condition, once, _MAX_DEPTH)
    if target.rounds == ONCE:
        return reach
    again = times(target.rounds, reach)
    if not _chooses_the_same(condition, target):
        return again
    same = _reach(condition, replace(once, counts_limits=False), _MAX_DEPTH)
    return again if same.rows is None and again.rows is not None else same


def _without_columns_among_variables(condition: Node, target: Target) -> Target:
    """Where `users.id` is a column, a bare `id` may be it too, whatever variable has that name."""
    if not target.variables:
        return target
    columns = {
        fields[-1]
        for one in nodes(condition)
        if isinstance(one, ast.ColumnRef)
        and len(fields := fields_of(one)) > 1
        and fields[-2] in target.names - target.variables
    }
    return replace(target, variables=target.variables - columns) if columns else target


def _chooses_the_same(condition: Node, target: Target) -> bool:
    """Whether every round chooses among the same rows, as long as no LIMIT counts them."""
    found = list(nodes(condition))
    has_query = any(isinstance(one, ast.SubLink) for one in found)
    for one in found:
        match one:
            case ast.ParamRef() | ast.CurrentOfExpr():
                return False
            case ast.SubLink(subLinkType=enums.SubLinkType.EXPR_SUBLINK):
                return False
            case ast.FuncCall() if target.calling(one) != Calling.STEADY:
                return False
            case ast.ColumnRef():
                if fields_of(one)[0] in target.variables - target.names:
                    return False
                if not has_query and not target.is_joined and own_column(one, target) is None:
                    return False
    return True


_BIG = 2**31 - 1
_MAX_DEPTH = 60


def _reach(node: Node, target: Target, depth: int) -> Reach:
    if depth <= 0:
        return DARK
    match node:
        case ast.BoolExpr(boolop=enums.BoolExprType.AND_EXPR):
            return _all_of(node.args, target, depth)
        case ast.BoolExpr(boolop=enums.BoolExprType.OR_EXPR):
            return _any_of(node.args, target, depth)
        case ast.BoolExpr():
            return _not(node.args[0], target, depth)
        case ast.CurrentOfExpr():
            return at_most(1)
        case ast.NullTest():
            return _null_test(node, target)
        case ast.BooleanTest():
            return _boolean_test(node, target, depth)
        case ast.SubLink():
            return sub_select(node, target, depth, where)
        case ast.A_Expr():
            return _expression(node, target, depth)
        case ast.ColumnRef():
            return PART if own_column(node, target) is not None else DARK
        case _:
            return _constant_condition(constant_of(node))


def _constant_condition(value: object) -> Reach:
    if value is ABSENT:
        return DARK
    return EVERY if as_boolean(value) is True else NOTHING


def _all_of(arms: Iterable[Node], target: Target, depth: int) -> Reach:
    arms = tuple(arms)
    reaches = [_reach(arm, target, depth - 1) for arm in arms]
    if NOTHING in reaches:
        return NOTHING
    bounded = [reach.rows for reach in reaches if reach.rows is not None]
    if bounded:
        return at_most(min(bounded))
    fixed = frozenset(column for arm in arms if (column := fixed_column(arm, target)) is not None)
    if any(key <= fixed for key in target.keys if key):
        return at_most(1)
    if PART in reaches:
        return PART
    return DARK if DARK in reaches else EVERY


def _any_of(arms: Iterable[Node], target: Target, depth: int) -> Reach:
    arms = tuple(arms)
    reaches = [_reach(arm, target, depth - 1) for arm in arms]
    if EVERY in reaches:
        return EVERY
    if DARK in reaches:
        return DARK
    live = [(arm, reach) for arm, reach in zip(arms, reaches, strict=True) if reach != NOTHING]
    if not live:
        return NOTHING
    if may_cover_everything([arm for arm, _ in live], target):
        return DARK
    total = 0
    for _, reach in live:
        if reach.rows is None:
            return PART
        total += reach.rows
    return at_most(total)


def _not(arm: Node, target: Target, depth: int) -> Reach:
    match arm:
        case ast.BoolExpr(boolop=enums.BoolExprType.NOT_EXPR):
            return _reach(arm.args[0], target, depth - 1)
        case ast.BoolExpr():
            other = (
                enums.BoolExprType.OR_EXPR
                if arm.boolop == enums.BoolExprType.AND_EXPR
                else enums.BoolExprType.AND_EXPR
            )
            negated = tuple(
                ast.BoolExpr(boolop=enums.BoolExprType.NOT_EXPR, args=(one,)) for one in arm.args
            )
            return _reach(ast.BoolExpr(boolop=other, args=negated), target, depth - 1)
        case ast.NullTest():
            return _reach(_negated_null_test(arm), target, depth - 1)
        case ast.A_Expr():
            negated_expression = _negated(arm)
            if negated_expression is not None:
                return _reach(negated_expression, target, depth - 1)
    reach = _reach(arm, target, depth - 1)
    if reach == EVERY:
        return NOTHING
    if reach == NOTHING:
        value = constant_of(arm)
        return NOTHING if value is None else EVERY if value is False else DARK
    # All but one or a few rows by key is nearly everything.
    return PART if reach == PART else DARK


def _negated_null_test(test: Node) -> Node:
    kind = enums.NullTestType
    other = kind.IS_NOT_NULL if test.nulltesttype == kind.IS_NULL else kind.IS_NULL
    return ast.NullTest(arg=test.arg, nulltesttype=other)


_OPPOSITES = {
    "=": "<>",
    "<>": "=",
    "!=": "=",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
    "~~": "!~~",
    "!~~": "~~",
    "~~*": "!~~*",
    "!~~*": "~~*",
    "~": "!~",
    "!~": "~",
    "~*": "!~*",
    "!~*": "~*",
}


def _negated(expression: Node) -> Node | None:
    kind = enums.A_Expr_Kind
    flipped = {
        kind.AEXPR_DISTINCT: kind.AEXPR_NOT_DISTINCT,
        kind.AEXPR_NOT_DISTINCT: kind.AEXPR_DISTINCT,
        kind.AEXPR_BETWEEN: kind.AEXPR_NOT_BETWEEN,
        kind.AEXPR_NOT_BETWEEN: kind.AEXPR_BETWEEN,
    }
    if expression.kind in flipped:
        return _copy(expression, flipped[expression.kind], expression.name)
    name = operator_of(expression)
    simple = (kind.AEXPR_OP, kind.AEXPR_IN, kind.AEXPR_LIKE, kind.AEXPR_ILIKE)
    if expression.kind in simple and name in _OPPOSITES:
        return _copy(expression, expression.kind, (ast.String(sval=_OPPOSITES[name]),))
    return None


def _copy(expression: Node, kind: Any, name: Any) -> Node:
    return ast.A_Expr(kind=kind, name=name, lexpr=expression.lexpr, rexpr=expression.rexpr)


def _null_test(test: Node, target: Target) -> Reach:
    wants_null = test.nulltesttype == enums.NullTestType.IS_NULL
    constant = constant_of(test.arg)
    if constant is not ABSENT:
        return EVERY if (constant is None) == wants_null else NOTHING
    if not isinstance(test.arg, ast.ColumnRef):
        return PART if wants_null and is_simple(test.arg, target) else DARK
    column = own_column(test.arg, target)
    if column is None:
        return DARK
    if target.is_never_null(column):
        return NOTHING if wants_null else EVERY
    if wants_null:
        return PART
    return PART if target.columns is not None and column in target.columns else DARK


def _boolean_test(test: Node, target: Target, depth: int) -> Reach:
    kind = enums.BoolTestType
    reach = _reach(test.arg, target, depth - 1)
    match test.booltesttype:
        case kind.IS_TRUE:
            return reach
        case kind.IS_FALSE:
            return _not(test.arg, target, depth - 1)
        case kind.IS_UNKNOWN | kind.IS_NOT_UNKNOWN:
            test_kind = enums.NullTestType
            is_null = test.booltesttype == kind.IS_UNKNOWN
            which = test_kind.IS_NULL if is_null else test_kind.IS_NOT_NULL
            return _null_test(ast.NullTest(arg=test.arg, nulltesttype=which), target)
        case _:
            return PART if isinstance(test.arg, ast.ColumnRef) and reach == PART else DARK


def _expression(node: Node, target: Target, depth: int) -> Reach:
    kind = enums.A_Expr_Kind
    match node.kind:
        case kind.AEXPR_OP:
            return _comparison(node, target, depth)
        case kind.AEXPR_DISTINCT | kind.AEXPR_NOT_DISTINCT:
            if node.lexpr == node.rexpr:
                return EVERY if node.kind == kind.AEXPR_NOT_DISTINCT else NOTHING
            if is_null_constant(node.rexpr):
                test = enums.NullTestType
                is_null = node.kind == kind.AEXPR_NOT_DISTINCT
                which = test.IS_NULL if is_null else test.IS_NOT_NULL
                return _null_test(ast.NullTest(arg=node.lexpr, nulltesttype=which), target)
            name = "=" if node.kind == kind.AEXPR_NOT_DISTINCT else "<>"
            return _comparison(_copy(node, kind.AEXPR_OP, (ast.String(sval=name),)), target, depth)
        case kind.AEXPR_IN:
            return _in_list(node, target)
        case kind.AEXPR_OP_ANY:
            return _any_array(node, target, depth)
        case kind.AEXPR_OP_ALL:
            return _all_array(node, target)
        case kind.AEXPR_LIKE | kind.AEXPR_ILIKE:
            return _like(node, target)
        case kind.AEXPR_SIMILAR:
            return _similar(node, target)
        case kind.AEXPR_BETWEEN | kind.AEXPR_BETWEEN_SYM:
            low, high = node.rexpr
            return (
                _all_of(
                    (_compare(node.lexpr, ">=", low), _compare(node.lexpr, "<=", high)),
                    target,
                    depth,
                )
                if not _is_whole_range(low, high)
                else DARK
            )
        case kind.AEXPR_NOT_BETWEEN | kind.AEXPR_NOT_BETWEEN_SYM:
            low, high = node.rexpr
            return _any_of(
                (_compare(node.lexpr, "<", low), _compare(node.lexpr, ">", high)), target, depth
            )
        case _:
            return DARK


def _compare(left: Node, operator: str, right: Node) -> Node:
    return ast.A_Expr(
        kind=enums.A_Expr_Kind.AEXPR_OP,
        name=(ast.String(sval=operator),),
        lexpr=left,
        rexpr=right,
    )


def _is_whole_range(low: Node, high: Node) -> bool:
    lowest, highest = number_of(constant_of(low)), number_of(constant_of(high))
    return lowest is not None and highest is not None and lowest <= 1 and highest >= _BIG


# They restrict, if what stands on their right says anything at all.
_SEARCHING = words("@> <@ && ? ?| ?& @@ @? << >> &< &> -|- ^@ ~ ~* ~~ ~~* % <% %> @@@")
_SEARCHING_NOT = words("!~ !~* !~~ !~~*")


def _comparison(node: Node, target: Target, depth: int) -> Reach:
    operator = operator_of(node)
    left, right = node.lexpr, node.rexpr
    if left is None or right is None:
        return DARK
    if isinstance(left, ast.RowExpr) and isinstance(right, ast.RowExpr):
        return _row_comparison(left, operator, right, target, depth)
    left_value, right_value = constant_of(left), constant_of(right)
    if left_value is not ABSENT and right_value is not ABSENT:
        return _constant_condition(compared(left_value, operator, right_value))
    if left_value is None or right_value is None:
        # `= NULL` is never true, unless `transform_null_equals` makes it IS NULL.
        return PART if operator == "=" else DARK
    if left == right:
        return _compared_with_itself(left, operator, target)
    if not columns_in(left, target) and columns_in(right, target):
        if operator not in MIRRORED:
            return DARK
        left, right, operator = right, left, MIRRORED[operator]
        right_value = left_value
    if isinstance(right, ast.SubLink):
        return scalar_sub_select(left, operator, right, target)
    if not is_simple(left, target) or not is_simple(right, target):
        return DARK
    left_columns, right_columns = columns_in(left, target), columns_in(right, target)
    if right_columns:
        return _between_columns(left, operator, right, target)
    if not left_columns or (len(left_columns) > 1 and len(set(left_columns)) < len(left_columns)):
        return DARK
    own = [column for column in left_columns if column.is_targets]
    if not own:
        return DARK
    if right_value is ABSENT:
        return _compared_with_parameter(left, operator, own[0], target)
    return _compared_with_constant(left, operator, right_value, own[0], target)


def _compared_with_itself(left: Node, operator: str, target: Target) -> Reach:
    if not columns_in(left, target) or not is_simple(left, target):
        return DARK
    if operator in ("=", ">=", "<="):
        return EVERY
    return NOTHING if operator in ("<>", "!=", "<", ">") else DARK


def _between_columns(left: Node, operator: str, right: Node, target: Target) -> Reach:
    """Two columns: of the target, or joining it with another table."""
    first, second = columns_in(left, target), columns_in(right, target)
    names = [column.name for column in (*first, *second)]
    if any(column.is_targets for column in first) == any(c.is_targets for c in second):
        if not any(column.is_targets for column in first):
            return DARK
        return DARK if len(set(names)) < len(names) else PART
    theirs = second if any(column.is_targets for column in first) else first
    if operator == "=" and isinstance(left, ast.ColumnRef) and isinstance(right, ast.ColumnRef):
        mine, other = (left, right) if first[0].is_targets else (right, left)
        if theirs[0].qualifier in target.of_row:
            return at_most(1) if target.is_key(fields_of(mine)[-1]) else PART
        joined = target.queries.get(theirs[0].qualifier)
        if joined is not None and isinstance(joined, ast.SelectStmt) and joined.valuesLists:
            is_key = target.is_key(fields_of(mine)[-1])
            return at_most(len(joined.valuesLists)) if is_key else PART
        if joined is not None:
            picked = picking(joined, fields_of(other)[-1])
            rest = {one: other for one, other in target.queries.items() if other is not joined}
            alone = replace(target, queries=rest)
            return DARK if picked is None else in_sub_select(mine, picked, alone, _MAX_DEPTH, where)
    if any(column.qualifier in target.same_names for column in theirs):
        same = {column.name for column in first} & {column.name for column in second}
        return DARK if same and operator in ("=", "<=", ">=") else PART
    return PART if operator in MIRRORED else DARK


def _compared_with_parameter(left: Node, operator: str, column: "Column", target: Target) -> Reach:
    is_key = isinstance(left, ast.ColumnRef) and target.is_key(column.name)
    if operator == "=":
        return at_most(1) if is_key else PART
    if operator in ("<>", "!="):
        return DARK if is_key else PART
    return PART if operator in MIRRORED else DARK


def _compared_with_constant(
    left: Node, operator: str, value: object, column: "Column", target: Target
) -> Reach:
    is_bare = isinstance(left, (ast.ColumnRef, ast.TypeCast))
    is_key = target.is_key(column.name)
    if column.name in SYSTEM_COLUMNS:
        return DARK
    if operator in _SEARCHING or operator in _SEARCHING_NOT:
        return _searched(operator, value)
    if operator not in MIRRORED:
        return DARK
    if operator == "=":
        if is_key and isinstance(left, ast.ColumnRef):
            return at_most(1)
        return DARK if not is_bare and as_text(value).strip() in ("", "0") else PART
    if operator in ("<>", "!="):
        return DARK if is_key or value == "" else PART
    number = number_of(value)
    if number is not None:
        upwards = operator in (">", ">=")
        if upwards and (
            number < 0 or (number <= 1 and is_key) or (number == 0 and operator == ">=")
        ):
            return DARK
        return DARK if not upwards and number >= _BIG else PART
    return DARK if _is_extreme(as_text(value), operator) else PART


def _is_extreme(text: str, operator: str) -> bool:
    """A date or a text at the end of its range, which keeps everything on one side."""
    text = text.strip().lower()
    if not text or text in ("infinity", "-infinity", "epoch"):
        return True
    year = re.match(r"(\d{4,})-", text)
    if year is None:
        return False
    number = int(year.group(1)[:9])
    return number <= 1980 if operator in (">", ">=") else number >= 2100


def _searched(operator: str, value: object) -> Reach:
    text = as_text(value)
    if operator in ("~~", "~~*", "!~~", "!~~*"):
        return _pattern(text, negated=operator.startswith("!"))
    if operator in ("~", "~*", "!~", "!~*"):
        if not re.search(r"\w", text):
            return DARK
        try:
            matches_nothing_much = re.search(text, "") is not None
        except (re.error, RecursionError, OverflowError):
            return DARK
        return DARK if matches_nothing_much else PART
    return PART if re.search(r"\w", text) else DARK


def _pattern(pattern: str, *, negated: bool) -> Reach:
    if pattern and not pattern.strip("%"):
        return NOTHING if negated else EVERY
    if not re.search(r"[^%_\\]", pattern):
        return DARK
    return PART


def _like(node: Node, target: Target) -> Reach:
    pattern = constant_of(node.rexpr)
    if pattern is None:
        return NOTHING
    text = constant_of(node.lexpr)
    if text is not ABSENT and pattern is not ABSENT:
        return _pattern(as_text(pattern), negated=False) if pattern == "%" else DARK
    if not is_simple(node.lexpr, target) or not own_columns(node.lexpr, target):
        return DARK
    if pattern is ABSENT:
        # A pattern that only the caller knows may be `%`.
        return DARK
    return _pattern(as_text(pattern), negated=operator_of(node).startswith("!"))


def _similar(node: Node, target: Target) -> Reach:
    if not own_columns(node.lexpr, target):
        return DARK
    right = node.rexpr
    pattern = constant_of(right.args[0]) if isinstance(right, ast.FuncCall) else ABSENT
    if pattern is ABSENT or pattern is None:
        return DARK
    reach = _pattern(as_text(pattern), negated=operator_of(node).startswith("!"))
    return reach if reach != PART or re.fullmatch(r"[\w%_ ]+", as_text(pattern)) else DARK


def _in_list(node: Node, target: Target) -> Reach:
    negated = operator_of(node) == "<>"
    items = tuple(node.rexpr)
    left_value = constant_of(node.lexpr)
    values = [constant_of(item) for item in items]
    if left_value is not ABSENT:
        if ABSENT in values:
            return DARK
        equal = [as_boolean(compared(left_value, "=", value)) for value in values]
        if True in equal:
            return NOTHING if negated else EVERY
        return DARK if None in equal else EVERY if negated else NOTHING
    if isinstance(node.lexpr, ast.RowExpr):
        return _row_in(node.lexpr, items, target) if not negated else DARK
    own = own_columns(node.lexpr, target)
    if not own or not is_simple(node.lexpr, target) or own[0].name in SYSTEM_COLUMNS:
        return DARK
    if any(columns_in(item, target) or not is_simple(item, target) for item in items):
        return DARK
    is_key = target.is_key(own[0].name)
    if negated:
        if None in values:
            return NOTHING
        return DARK if is_key else PART
    distinct = [value for value in values if value is not None]
    if not distinct:
        return NOTHING
    if is_key and isinstance(node.lexpr, ast.ColumnRef):
        known = {as_text(value) for value in distinct if value is not ABSENT}
        return at_most(len(known) + distinct.count(ABSENT))
    return PART


def _row_in(row: Node, items: tuple[Node, ...], target: Target) -> Reach:
    names = [own_column(part, target) for part in row.args if isinstance(part, ast.ColumnRef)]
    if len(names) != len(row.args) or None in names:
        return DARK
    for item in items:
        if not isinstance(item, ast.RowExpr) or any(columns_in(part, target) for part in item.args):
            return DARK
        if any(not is_simple(part, target) for part in item.args):
            return DARK
    fixed = frozenset(name for name in names if name is not None)
    is_key = any(target.is_key(name) for name in fixed) or any(key <= fixed for key in target.keys)
    return at_most(len(items)) if is_key else PART


def _row_comparison(left: Node, operator: str, right: Node, target: Target, depth: int) -> Reach:
    if operator != "=" or len(left.args) != len(right.args):
        return DARK
    pairs = zip(left.args, right.args, strict=True)
    return _all_of(tuple(_compare(one, "=", other) for one, other in pairs), target, depth)


def _any_array(node: Node, target: Target, depth: int) -> Reach:
    if operator_of(node) != "=":
        return DARK
    left, right = node.lexpr, node.rexpr
    while isinstance(right, ast.TypeCast):
        right = right.arg
    if isinstance(right, ast.SubLink) and right.subLinkType == enums.SubLinkType.ARRAY_SUBLINK:
        link = ast.SubLink(
            subLinkType=enums.SubLinkType.ANY_SUBLINK, testexpr=left, subselect=right.subselect
        )
        return sub_select(link, target, depth, where)
    own = own_columns(left, target)
    if own and isinstance(right, ast.A_ArrayExpr):
        return _in_list(
            ast.A_Expr(
                kind=enums.A_Expr_Kind.AEXPR_IN,
                name=(ast.String(sval="="),),
                lexpr=left,
                rexpr=right.elements or (ast.A_Const(isnull=True),),
            ),
            target,
        )
    if not own:
        # `5 = ANY (tags)`: the array is the column.
        return PART if constant_of(left) is not ABSENT and own_columns(right, target) else DARK
    if not is_simple(left, target) or columns_in(right, target) or not is_simple(right, target):
        return DARK
    return PART


def _all_array(node: Node, target: Target) -> Reach:
    if operator_of(node) != "<>" or not isinstance(node.rexpr, ast.A_ArrayExpr):
        return DARK
    return (
        _in_list(
            ast.A_Expr(
                kind=enums.A_Expr_Kind.AEXPR_IN,
                name=(ast.String(sval="<>"),),
                lexpr=node.lexpr,
                rexpr=node.rexpr.elements or (ast.A_Const(isnull=True),),
            ),
            target,
        )
        if node.rexpr.elements
        else DARK
    )
