"""How many rows of its target a WHERE lets through: none, one, some, all, or nobody can tell.

`all` is for a condition that holds for every row, `some` for a plain restriction somebody wrote
about the target's own columns; whatever is neither, a trick or too clever, is `unknown`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from typing import Any

from ..model import Selector
from .sql_changes import words
from .sql_tree import Node, ast, enums, nodes


@dataclass(frozen=True, slots=True)
class Reach:
    """`rows` is an upper bound where one is known."""

    selector: Selector
    rows: int | None = None


EVERY = Reach(Selector.ALL)
NOTHING = Reach(Selector.NONE)
PART = Reach(Selector.SOME)
DARK = Reach(Selector.UNKNOWN)


def at_most(rows: int) -> Reach:
    return Reach(Selector.ONE if rows == 1 else Selector.SOME, rows)


class Calling(Enum):
    """What a function does to a condition it stands in."""

    STEADY = "steady"
    VOLATILE = "volatile"
    UNKNOWN = "unknown"


def _nobody_knows(table: Node) -> frozenset[str] | None:
    return None


@dataclass(frozen=True, slots=True)
class Target:
    """The table that a WHERE chooses rows of, and what is known about it."""

    names: frozenset[str]
    """How its columns may be qualified."""
    is_same_table: Callable[[Node], bool]
    calling: Callable[[Node], Calling]
    keys: frozenset[frozenset[str]] = frozenset()
    """Sets of columns that tell one row from the others."""
    keys_are_complete: bool = False
    """False when a column may be a key by its name alone."""
    not_null: frozenset[str] = frozenset()
    columns: frozenset[str] | None = None
    """All columns, where they are known; then the ones not in `not_null` may be null."""
    table: str = ""
    queries: Mapping[str, Node] = field(default_factory=dict)
    """Sub-selects by name: common table expressions and those that stand beside the target."""
    same_names: frozenset[str] = frozenset()
    """Other names under which the same table stands beside the target."""
    is_joined: bool = False
    """Whether other tables stand beside it, so that a bare column may be theirs."""
    variables: frozenset[str] = frozenset()
    """Names that are parameters and not columns."""
    columns_of: Callable[[Node], frozenset[str] | None] = _nobody_knows
    """All columns of another table, where they are known."""

    def is_key(self, column: str) -> bool:
        if column == "ctid" or frozenset({column}) in self.keys:
            return True
        return not self.keys_are_complete and _is_key_by_name(column, self.table)

    def is_never_null(self, column: str) -> bool:
        if column == "ctid" or column in self.not_null:
            return True
        # A unique column may be null; a key by its name is taken for the primary key.
        return not self.keys_are_complete and _is_key_by_name(column, self.table)


def where(condition: Node | None, target: Target) -> Reach:
    """How much of the target the condition reaches."""
    if condition is None:
        return EVERY
    return _reach(condition, target, _MAX_DEPTH)


_MAX_DEPTH = 60
_BIG = 2**31 - 1
_ABSENT = object()


def _is_key_by_name(column: str, table: str) -> bool:
    if column in ("id", "uuid", "guid", "pk", "_id"):
        return True
    table = table.lower()
    singular = {table, table.removesuffix("s"), table.removesuffix("es")}
    if table.endswith("ies"):
        singular.add(table.removesuffix("ies") + "y")
    return bool(table) and column.lower() in {f"{name}_id" for name in singular if name}


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
            return _sub_select(node, target, depth)
        case ast.A_Expr():
            return _expression(node, target, depth)
        case ast.ColumnRef():
            return PART if _column(node, target) is not None else DARK
        case _:
            return _constant_condition(_constant(node))


def _constant_condition(value: object) -> Reach:
    if value is _ABSENT:
        return DARK
    return EVERY if _as_boolean(value) is True else NOTHING


def _all_of(arms: Iterable[Node], target: Target, depth: int) -> Reach:
    arms = tuple(arms)
    reaches = [_reach(arm, target, depth - 1) for arm in arms]
    if NOTHING in reaches:
        return NOTHING
    bounded = [reach.rows for reach in reaches if reach.rows is not None]
    if bounded:
        return at_most(min(bounded))
    fixed = frozenset(column for arm in arms if (column := _fixed_column(arm, target)) is not None)
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
    if _may_cover_everything([arm for arm, _ in live], target):
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
        value = _constant(arm)
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
    name = _operator(expression)
    simple = (kind.AEXPR_OP, kind.AEXPR_IN, kind.AEXPR_LIKE, kind.AEXPR_ILIKE)
    if expression.kind in simple and name in _OPPOSITES:
        return _copy(expression, expression.kind, (ast.String(sval=_OPPOSITES[name]),))
    return None


def _copy(expression: Node, kind: Any, name: Any) -> Node:
    return ast.A_Expr(kind=kind, name=name, lexpr=expression.lexpr, rexpr=expression.rexpr)


def _null_test(test: Node, target: Target) -> Reach:
    wants_null = test.nulltesttype == enums.NullTestType.IS_NULL
    constant = _constant(test.arg)
    if constant is not _ABSENT:
        return EVERY if (constant is None) == wants_null else NOTHING
    if not isinstance(test.arg, ast.ColumnRef):
        return PART if wants_null and _is_simple(test.arg, target) else DARK
    column = _column(test.arg, target)
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
            if _is_null(node.rexpr):
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
    lowest, highest = _number(_constant(low)), _number(_constant(high))
    return lowest is not None and highest is not None and lowest <= 1 and highest >= _BIG


_MIRRORED = {"=": "=", "<>": "<>", "!=": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
# They restrict, if what stands on their right says anything at all.
_SEARCHING = words("@> <@ && ? ?| ?& @@ @? << >> &< &> -|- ^@ ~ ~* ~~ ~~* % <% %> @@@")
_SEARCHING_NOT = words("!~ !~* !~~ !~~*")


def _comparison(node: Node, target: Target, depth: int) -> Reach:
    operator = _operator(node)
    left, right = node.lexpr, node.rexpr
    if left is None or right is None:
        return DARK
    if isinstance(left, ast.RowExpr) and isinstance(right, ast.RowExpr):
        return _row_comparison(left, operator, right, target, depth)
    left_value, right_value = _constant(left), _constant(right)
    if left_value is not _ABSENT and right_value is not _ABSENT:
        return _constant_condition(_compared(left_value, operator, right_value))
    if left_value is None or right_value is None:
        # `= NULL` is never true, unless `transform_null_equals` makes it IS NULL.
        return PART if operator == "=" else DARK
    if left == right:
        return _compared_with_itself(left, operator, target)
    if not _columns(left, target) and _columns(right, target):
        if operator not in _MIRRORED:
            return DARK
        left, right, operator = right, left, _MIRRORED[operator]
        right_value = left_value
    if isinstance(right, ast.SubLink):
        return _scalar_sub_select(left, operator, right, target)
    if not _is_simple(left, target) or not _is_simple(right, target):
        return DARK
    left_columns, right_columns = _columns(left, target), _columns(right, target)
    if right_columns:
        return _between_columns(left, operator, right, target)
    if not left_columns or (len(left_columns) > 1 and len(set(left_columns)) < len(left_columns)):
        return DARK
    own = [column for column in left_columns if column.is_targets]
    if not own:
        return DARK
    if right_value is _ABSENT:
        return _compared_with_parameter(left, operator, own[0], target)
    return _compared_with_constant(left, operator, right_value, own[0], target)


def _compared_with_itself(left: Node, operator: str, target: Target) -> Reach:
    if not _columns(left, target) or not _is_simple(left, target):
        return DARK
    if operator in ("=", ">=", "<="):
        return EVERY
    return NOTHING if operator in ("<>", "!=", "<", ">") else DARK


def _between_columns(left: Node, operator: str, right: Node, target: Target) -> Reach:
    """Two columns: of the target, or joining it with another table."""
    first, second = _columns(left, target), _columns(right, target)
    names = [column.name for column in (*first, *second)]
    if any(column.is_targets for column in first) == any(c.is_targets for c in second):
        if not any(column.is_targets for column in first):
            return DARK
        return DARK if len(set(names)) < len(names) else PART
    theirs = second if any(column.is_targets for column in first) else first
    if operator == "=" and isinstance(left, ast.ColumnRef) and isinstance(right, ast.ColumnRef):
        mine, other = (left, right) if first[0].is_targets else (right, left)
        joined = target.queries.get(theirs[0].qualifier)
        if joined is not None and isinstance(joined, ast.SelectStmt) and joined.valuesLists:
            is_key = target.is_key(_fields(mine)[-1])
            return at_most(len(joined.valuesLists)) if is_key else PART
        if joined is not None:
            picked = _picking(joined, _fields(other)[-1])
            rest = {one: other for one, other in target.queries.items() if other is not joined}
            alone = replace(target, queries=rest)
            return DARK if picked is None else _in_sub_select(mine, picked, alone, _MAX_DEPTH)
    if any(column.qualifier in target.same_names for column in theirs):
        same = {column.name for column in first} & {column.name for column in second}
        return DARK if same and operator in ("=", "<=", ">=") else PART
    return PART if operator in _MIRRORED else DARK


def _compared_with_parameter(left: Node, operator: str, column: "_Column", target: Target) -> Reach:
    is_key = isinstance(left, ast.ColumnRef) and target.is_key(column.name)
    if operator == "=":
        return at_most(1) if is_key else PART
    if operator in ("<>", "!="):
        return DARK if is_key else PART
    return PART if operator in _MIRRORED else DARK


def _compared_with_constant(
    left: Node, operator: str, value: object, column: "_Column", target: Target
) -> Reach:
    is_bare = isinstance(left, (ast.ColumnRef, ast.TypeCast))
    is_key = target.is_key(column.name)
    if column.name in _SYSTEM_COLUMNS:
        return DARK
    if operator in _SEARCHING or operator in _SEARCHING_NOT:
        return _searched(operator, value)
    if operator not in _MIRRORED:
        return DARK
    if operator == "=":
        if is_key and isinstance(left, ast.ColumnRef):
            return at_most(1)
        return DARK if not is_bare and _as_text(value).strip() in ("", "0") else PART
    if operator in ("<>", "!="):
        return DARK if is_key or value == "" else PART
    number = _number(value)
    if number is not None:
        upwards = operator in (">", ">=")
        if upwards and (
            number < 0 or (number <= 1 and is_key) or (number == 0 and operator == ">=")
        ):
            return DARK
        return DARK if not upwards and number >= _BIG else PART
    return DARK if _is_extreme(_as_text(value), operator) else PART


_SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "xmax", "cmin", "cmax"})


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
    text = _as_text(value)
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
    pattern = _constant(node.rexpr)
    if pattern is None:
        return NOTHING
    text = _constant(node.lexpr)
    if text is not _ABSENT and pattern is not _ABSENT:
        return _pattern(_as_text(pattern), negated=False) if pattern == "%" else DARK
    if not _is_simple(node.lexpr, target) or not _own_columns(node.lexpr, target):
        return DARK
    if pattern is _ABSENT:
        # A pattern that only the caller knows may be `%`.
        return DARK
    return _pattern(_as_text(pattern), negated=_operator(node).startswith("!"))


def _similar(node: Node, target: Target) -> Reach:
    if not _own_columns(node.lexpr, target):
        return DARK
    right = node.rexpr
    pattern = _constant(right.args[0]) if isinstance(right, ast.FuncCall) else _ABSENT
    if pattern is _ABSENT or pattern is None:
        return DARK
    reach = _pattern(_as_text(pattern), negated=_operator(node).startswith("!"))
    return reach if reach != PART or re.fullmatch(r"[\w%_ ]+", _as_text(pattern)) else DARK


def _in_list(node: Node, target: Target) -> Reach:
    negated = _operator(node) == "<>"
    items = tuple(node.rexpr)
    left_value = _constant(node.lexpr)
    values = [_constant(item) for item in items]
    if left_value is not _ABSENT:
        if _ABSENT in values:
            return DARK
        equal = [_as_boolean(_compared(left_value, "=", value)) for value in values]
        if True in equal:
            return NOTHING if negated else EVERY
        return DARK if None in equal else EVERY if negated else NOTHING
    if isinstance(node.lexpr, ast.RowExpr):
        return _row_in(node.lexpr, items, target) if not negated else DARK
    own = _own_columns(node.lexpr, target)
    if not own or not _is_simple(node.lexpr, target) or own[0].name in _SYSTEM_COLUMNS:
        return DARK
    if any(_columns(item, target) or not _is_simple(item, target) for item in items):
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
        known = {_as_text(value) for value in distinct if value is not _ABSENT}
        return at_most(len(known) + distinct.count(_ABSENT))
    return PART


def _row_in(row: Node, items: tuple[Node, ...], target: Target) -> Reach:
    names = [_column(part, target) for part in row.args if isinstance(part, ast.ColumnRef)]
    if len(names) != len(row.args) or None in names:
        return DARK
    for item in items:
        if not isinstance(item, ast.RowExpr) or any(_columns(part, target) for part in item.args):
            return DARK
        if any(not _is_simple(part, target) for part in item.args):
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
    if _operator(node) != "=":
        return DARK
    left, right = node.lexpr, node.rexpr
    while isinstance(right, ast.TypeCast):
        right = right.arg
    if isinstance(right, ast.SubLink) and right.subLinkType == enums.SubLinkType.ARRAY_SUBLINK:
        link = ast.SubLink(
            subLinkType=enums.SubLinkType.ANY_SUBLINK, testexpr=left, subselect=right.subselect
        )
        return _sub_select(link, target, depth)
    own = _own_columns(left, target)
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
        return PART if _constant(left) is not _ABSENT and _own_columns(right, target) else DARK
    if not _is_simple(left, target) or _columns(right, target) or not _is_simple(right, target):
        return DARK
    return PART


def _all_array(node: Node, target: Target) -> Reach:
    if _operator(node) != "<>" or not isinstance(node.rexpr, ast.A_ArrayExpr):
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


# --- sub-selects


def _sub_select(link: Node, target: Target, depth: int) -> Reach:
    kind = enums.SubLinkType
    query = link.subselect
    if not isinstance(query, ast.SelectStmt) or query.op != enums.SetOperation.SETOP_NONE:
        return PART if _is_plain_union(link, target) else DARK
    if query.withClause is not None:
        return DARK
    match link.subLinkType:
        case kind.EXISTS_SUBLINK:
            return _exists(query, target, depth)
        case kind.ANY_SUBLINK if link.operName is None or _names(link.operName)[-1] == "=":
            return _in_sub_select(link.testexpr, query, target, depth)
        case _:
            return DARK


def _is_plain_union(link: Node, target: Target) -> bool:
    """`x IN (SELECT … UNION SELECT …)` restricts when no arm reads the target."""
    if link.subLinkType != enums.SubLinkType.ANY_SUBLINK or not _own_columns(link.testexpr, target):
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
    conditions = _conjuncts(query.whereClause)
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
        isinstance(value, ast.FuncCall) and _names(value.funcname)[-1] in _AGGREGATES
        for value in values
    )


_AGGREGATES = words("count sum min max avg array_agg string_agg bool_and bool_or every")


def _in_sub_select(tested: Node, query: Node, target: Target, depth: int) -> Reach:
    own = _own_columns(tested, target)
    if not own or not isinstance(tested, ast.ColumnRef) or own[0].name in _SYSTEM_COLUMNS:
        return DARK
    column = own[0].name
    is_key = target.is_key(column)
    limit = _number(_constant(query.limitCount)) if query.limitCount is not None else None
    if limit is not None and limit == limit.to_integral_value() and 0 <= limit < 10**12:
        bound: Reach | None = at_most(int(limit)) if is_key and limit else None
        if limit == 0:
            return NOTHING
    else:
        bound = None
    if query.valuesLists:
        if any(_columns(value, target) for row in query.valuesLists for value in row):
            return DARK
        return at_most(len(query.valuesLists)) if is_key else PART
    if _refers_outside(query, target):
        return DARK
    if not query.fromClause:
        return PART if not _columns(query, target) else DARK
    named = _named_query(query, target)
    if named is not None:
        reach = _in_sub_select(tested, named, _without(target, query), depth - 1)
        return bound if bound is not None and reach in (EVERY, DARK, PART) else reach
    selected = _selected_column(query)
    if _reads_target(query, target):
        if bound is not None:
            return bound
        if query.limitCount is not None or query.groupClause or query.havingClause:
            return DARK if query.limitCount is not None else PART
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
    return _picking(named, selected[-1])


def _without(target: Target, query: Node) -> Target:
    """The target as a sub-select written before sees it, which ends recursion."""
    name = query.fromClause[0].relname
    rest = {one: other for one, other in target.queries.items() if one != name}
    return replace(target, queries=rest)


def _picking(query: Node, column: str) -> Node | None:
    """The sub-select reduced to its output `column`; `None` when that is not plain."""
    if not isinstance(query, ast.SelectStmt) or query.op != enums.SetOperation.SETOP_NONE:
        return None
    if query.withClause is not None or query.valuesLists:
        return None
    for item in query.targetList or ():
        value = item.val
        name = item.name or (_fields(value)[-1] if isinstance(value, ast.ColumnRef) else None)
        if name == column:
            return ast.SelectStmt(
                targetList=(item,),
                fromClause=query.fromClause,
                whereClause=query.whereClause,
                groupClause=query.groupClause,
                havingClause=query.havingClause,
                limitCount=query.limitCount,
                op=query.op,
            )
    return None


def _scalar_sub_select(left: Node, operator: str, link: Node, target: Target) -> Reach:
    own = _own_columns(left, target)
    query = link.subselect
    if (
        link.subLinkType != enums.SubLinkType.EXPR_SUBLINK
        or not own
        or operator not in _MIRRORED
        or operator in ("<>", "!=")
        or not isinstance(query, ast.SelectStmt)
        or query.op != enums.SetOperation.SETOP_NONE
        or not query.fromClause
        or own[0].name in _SYSTEM_COLUMNS
    ):
        return DARK
    if _refers_outside(query, target):
        return DARK
    is_self_contained = all(
        len(_fields(node)) > 1 for node in nodes(query) if isinstance(node, ast.ColumnRef)
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
        and len(fields := _fields(column)) > 1
        and fields[-2] in names
        for column in nodes(node)
    )


def _mentions_target(column: Node, target: Target) -> bool:
    fields = _fields(column)
    return len(fields) > 1 and fields[-2] in target.names


def _is_self_equality(condition: Node) -> bool:
    return (
        isinstance(condition, ast.A_Expr)
        and _operator(condition) == "="
        and isinstance(condition.lexpr, ast.ColumnRef)
        and isinstance(condition.rexpr, ast.ColumnRef)
        and _fields(condition.lexpr)[-1] == _fields(condition.rexpr)[-1]
    )


def _selected_column(query: Node) -> list[str] | None:
    items = list(query.targetList or ())
    if len(items) != 1 or not isinstance(items[0], ast.ResTarget):
        return None
    value = items[0].val
    return _fields(value) if isinstance(value, ast.ColumnRef) else None


def _conjuncts(condition: Node | None) -> list[Node]:
    if condition is None:
        return []
    if isinstance(condition, ast.BoolExpr) and condition.boolop == enums.BoolExprType.AND_EXPR:
        return list(condition.args)
    return [condition]


# --- arms of an OR that together leave nothing out


class _Side(Enum):
    BELOW = "below"
    ABOVE = "above"
    EQUAL = "equal"
    OTHER = "other"
    NULL = "null"
    NOT_NULL = "not null"


@dataclass(frozen=True, slots=True)
class _Leaf:
    column: str
    side: _Side
    value: object


def _may_cover_everything(arms: list[Node], target: Target) -> bool:
    if len(arms) < 2:
        return False
    leaves = [_leaves(arm, target) for arm in arms]
    by_column: dict[str, list[_Leaf]] = {}
    for arm in leaves:
        for leaf in arm:
            if leaf is not None:
                by_column.setdefault(leaf.column, []).append(leaf)
    covered = {column for column, found in by_column.items() if _complement(found)}
    return bool(covered) and any(
        all(leaf is not None and leaf.column in covered for leaf in arm) for arm in leaves
    )


def _leaves(arm: Node, target: Target) -> list[_Leaf | None]:
    """What one arm says about columns; both ends of a range make one bounded leaf."""
    found = [_leaf(part, target) for part in _conjuncts(arm)]
    sides: dict[str, set[_Side]] = {}
    for leaf in found:
        if leaf is not None:
            sides.setdefault(leaf.column, set()).add(leaf.side)
    bounded = {column for column, seen in sides.items() if {_Side.BELOW, _Side.ABOVE} <= seen}
    return [
        replace(leaf, side=_Side.EQUAL) if leaf is not None and leaf.column in bounded else leaf
        for leaf in found
    ]


def _complement(leaves: list[_Leaf]) -> bool:
    """Whether one of them may hold wherever the others do not."""
    sides = [leaf.side for leaf in leaves]
    if len(leaves) < 2:
        return False
    if _Side.NOT_NULL in sides:
        return True
    if _Side.OTHER in sides:
        return len(leaves) - sides.count(_Side.NULL) > 1
    highest = [_number(leaf.value) for leaf in leaves if leaf.side == _Side.BELOW]
    lowest = [_number(leaf.value) for leaf in leaves if leaf.side == _Side.ABOVE]
    if not highest or not lowest:
        return False
    known_highest = [number for number in highest if number is not None]
    known_lowest = [number for number in lowest if number is not None]
    if len(known_highest) < len(highest) or len(known_lowest) < len(lowest):
        return True
    return max(known_highest) >= min(known_lowest)


def _leaf(node: Node, target: Target) -> _Leaf | None:
    if isinstance(node, ast.BoolExpr) and node.boolop == enums.BoolExprType.NOT_EXPR:
        inner = _leaf(node.args[0], target)
        if inner is None:
            return None
        opposite = {
            _Side.BELOW: _Side.ABOVE,
            _Side.ABOVE: _Side.BELOW,
            _Side.EQUAL: _Side.OTHER,
            _Side.OTHER: _Side.EQUAL,
            _Side.NULL: _Side.NOT_NULL,
            _Side.NOT_NULL: _Side.NULL,
        }
        return replace(inner, side=opposite[inner.side])
    if isinstance(node, ast.NullTest):
        side = _Side.NULL if node.nulltesttype == enums.NullTestType.IS_NULL else _Side.NOT_NULL
        return _leaf_of(node.arg, side, None, target)
    if isinstance(node, ast.BooleanTest):
        kind = enums.BoolTestType
        side = _Side.EQUAL if node.booltesttype == kind.IS_TRUE else _Side.OTHER
        return _leaf_of(node.arg, side, None, target)
    if isinstance(node, ast.ColumnRef):
        return _leaf_of(node, _Side.EQUAL, None, target)
    if not isinstance(node, ast.A_Expr):
        return None
    operator = _operator(node)
    left, right = node.lexpr, node.rexpr
    if isinstance(left, ast.Node) and not _columns(left, target) and operator in _MIRRORED:
        left, right, operator = right, left, _MIRRORED[operator]
    if not isinstance(left, ast.Node):
        return None
    value = _constant(right) if isinstance(right, ast.Node) else None
    match operator:
        case "<" | "<=":
            return _leaf_of(left, _Side.BELOW, value, target)
        case ">" | ">=":
            return _leaf_of(left, _Side.ABOVE, value, target)
        case "=" | "~~" | "~~*" | "~" | "~*" | "BETWEEN" | "BETWEEN SYMMETRIC":
            return _leaf_of(left, _Side.EQUAL, value, target)
        case _:
            return _leaf_of(left, _Side.OTHER, value, target)


def _leaf_of(node: Node, side: _Side, value: object, target: Target) -> _Leaf | None:
    columns = _columns(node, target)
    return _Leaf(columns[0].name, side, value) if columns else None


# --- columns and simple expressions


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    is_targets: bool
    qualifier: str = ""


def _columns(node: Node | None, target: Target) -> list[_Column]:
    if node is None:
        return []
    found = []
    for one in nodes(node):
        if isinstance(one, ast.ColumnRef):
            fields = _fields(one)
            if len(fields) == 1 and fields[0] in target.variables:
                continue
            if len(fields) > 1 and fields[0] in target.variables - target.names:
                continue
            name = _column(one, target)
            qualifier = fields[-2] if len(fields) > 1 else ""
            found.append(_Column(name or fields[-1], name is not None, qualifier))
    return found


def _own_columns(node: Node | None, target: Target) -> list[_Column]:
    columns = _columns(node, target)
    return columns if len(columns) == 1 and columns[0].is_targets else []


def _column(node: Node, target: Target) -> str | None:
    """The name of the target's column, `None` when it may be something else."""
    fields = _fields(node)
    name = fields[-1]
    if not name or (len(fields) == 1 and (name in target.variables or name in target.names)):
        return None
    if len(fields) == 1:
        return None if target.is_joined else name
    return name if fields[-2] in target.names else None


def _fields(node: Node) -> list[str]:
    """The parts of a column's name; a star is an empty part."""
    return [part.sval if isinstance(part, ast.String) else "" for part in node.fields]


def _fixed_column(arm: Node, target: Target) -> str | None:
    """The column that `column = value` fixes."""
    if not isinstance(arm, ast.A_Expr) or _operator(arm) != "=":
        return None
    if arm.kind != enums.A_Expr_Kind.AEXPR_OP:
        return None
    for one, other in ((arm.lexpr, arm.rexpr), (arm.rexpr, arm.lexpr)):
        if isinstance(one, ast.ColumnRef) and not _columns(other, target):
            return _column(one, target) if _is_simple(other, target) else None
    return None


_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "||", "->", "->>", "#>", "#>>"})


def _is_simple(node: Node | None, target: Target) -> bool:
    """Columns, constants, parameters, steady functions, and arithmetic that keeps the column."""
    if node is None:
        return False
    for one in nodes(node):
        match one:
            case ast.A_Expr():
                operator = _operator(one)
                if one.kind != enums.A_Expr_Kind.AEXPR_OP or operator not in _ARITHMETIC:
                    return False
                factor = _number(_constant(one.rexpr))
                other_factor = _number(_constant(one.lexpr))
                if operator == "*" and 0 in (factor, other_factor):
                    return False
                if operator == "%" and (factor is None or abs(factor) <= 1):
                    return False
                scales = operator in ("*", "/") and bool(_columns(one.lexpr, target))
                if scales and (factor is None or abs(factor) > 1000):
                    return False
            case ast.FuncCall():
                if target.calling(one) != Calling.STEADY:
                    return False
            case (
                ast.ColumnRef()
                | ast.A_Const()
                | ast.Integer()
                | ast.Float()
                | ast.String()
                | ast.Boolean()
                | ast.BitString()
                | ast.ParamRef()
                | ast.TypeCast()
                | ast.TypeName()
                | ast.CoalesceExpr()
                | ast.SQLValueFunction()
                | ast.CollateClause()
                | ast.A_Indirection()
                | ast.A_Indices()
                | ast.A_ArrayExpr()
            ):
                pass
            case _:
                return False
    return True


def _operator(node: Node) -> str:
    names = _names(node.name)
    return names[-1] if names else ""


def _names(parts: Any) -> list[str]:
    return [part.sval for part in parts or () if isinstance(part, ast.String)]


# --- constants


def _constant(node: Node | None, depth: int = 20) -> object:
    """Its value: `None` for NULL, a bool, a Decimal or a str; `_ABSENT` if it is no constant."""
    if depth == 0:
        return _ABSENT
    match node:
        case ast.A_Const(isnull=True):
            return None
        case ast.A_Const(val=ast.Integer(ival=number)):
            return Decimal(number or 0)
        case ast.A_Const(val=ast.Float(fval=digits)):
            return _decimal(digits)
        case ast.A_Const(val=ast.Boolean(boolval=value)):
            return bool(value)
        case ast.A_Const(val=ast.String(sval=text)):
            return text
        case ast.TypeCast():
            return _cast(_constant(node.arg, depth - 1), node.typeName)
        case ast.BoolExpr():
            return _folded(node, depth)
        case ast.A_Expr(kind=enums.A_Expr_Kind.AEXPR_OP):
            right = _constant(node.rexpr, depth - 1)
            if right is _ABSENT:
                return _ABSENT
            operator = _operator(node)
            if node.lexpr is None:
                number = _number(right)
                return -number if operator == "-" and number is not None else _ABSENT
            left = _constant(node.lexpr, depth - 1)
            if left is _ABSENT:
                return _ABSENT
            if operator in ("+", "-", "*"):
                return _calculated(left, operator, right)
            return _compared(left, operator, right)
        case _:
            return _ABSENT


def _folded(node: Node, depth: int) -> object:
    values = [_constant(arm, depth - 1) for arm in node.args]
    if _ABSENT in values:
        return _ABSENT
    booleans = [_as_boolean(value) for value in values]
    match node.boolop:
        case enums.BoolExprType.AND_EXPR:
            return False if False in booleans else None if None in booleans else True
        case enums.BoolExprType.OR_EXPR:
            return True if True in booleans else None if None in booleans else False
        case _:
            return None if booleans[0] is None else not booleans[0]


def _calculated(left: object, operator: str, right: object) -> object:
    one, other = _number(left), _number(right)
    if one is None or other is None:
        return _ABSENT
    match operator:
        case "+":
            return one + other
        case "-":
            return one - other
        case _:
            return one * other


def _cast(value: object, type_name: Node) -> object:
    if value is _ABSENT or value is None or type_name.arrayBounds:
        return value if value is None else _ABSENT
    name = _names(type_name.names)[-1]
    if name == "bool":
        boolean = _as_boolean(value)
        return _ABSENT if boolean is None else boolean
    if name in ("int2", "int4", "int8"):
        number = _number(value)
        whole = number is not None and number == number.to_integral_value()
        return number if whole and number is not None else _ABSENT
    if name in ("numeric", "float4", "float8"):
        number = _number(value)
        return _ABSENT if number is None else number
    if name in ("text", "varchar", "uuid", "date", "timestamp", "timestamptz"):
        return _as_text(value)
    # Other types keep their text, which is all that comparisons here look at.
    return value if isinstance(value, str) else _ABSENT


def _compared(left: object, operator: str, right: object) -> object:
    if left is None or right is None:
        return None if operator in _MIRRORED else _ABSENT
    if isinstance(left, bool) or isinstance(right, bool):
        one, other = _as_boolean(left), _as_boolean(right)
        if one is None or other is None or operator not in ("=", "<>", "!="):
            return _ABSENT
        return (one == other) == (operator == "=")
    if isinstance(left, str) and isinstance(right, str):
        # Order depends on a collation, and some types write one value in two ways.
        if left == right:
            return operator in ("=", ">=", "<=") if operator in _MIRRORED else _ABSENT
        plain = re.fullmatch(r"[A-Za-z]+", left) and re.fullmatch(r"[A-Za-z]+", right)
        return operator != "=" if plain and operator in ("=", "<>", "!=") else _ABSENT
    first, second = _number(left), _number(right)
    if first is None or second is None:
        return _ABSENT
    match operator:
        case "=":
            return first == second
        case "<>" | "!=":
            return first != second
        case "<":
            return first < second
        case ">":
            return first > second
        case "<=":
            return first <= second
        case ">=":
            return first >= second
        case _:
            return _ABSENT


def _is_null(node: Node | None) -> bool:
    return node is not None and _constant(node) is None


def _decimal(digits: str) -> object:
    if len(digits) > 60 or not re.fullmatch(r"[+-]?\d*\.?\d*(?:[eE][+-]?\d{1,3})?", digits):
        return _ABSENT
    try:
        return Decimal(digits)
    except ArithmeticError:
        return _ABSENT


def _number(value: object) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,40}(?:\.\d{1,40})?\s*", value):
        return Decimal(value.strip())
    return None


def _as_boolean(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip().lower()
        if text and ("true".startswith(text) or "yes".startswith(text) or text in ("on", "1")):
            return True
        if text and ("false".startswith(text) or "no".startswith(text) or text in ("off", "0")):
            return False
    return None


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
