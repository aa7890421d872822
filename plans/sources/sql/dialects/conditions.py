"""Conditions and sub-selects of sqlglot's trees in the nodes that `selector/where.py` decides.

Those nodes are PostgreSQL's; a part whose meaning could differ there becomes a node nobody decides.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlglot import exp

from ...words import words
from ..selector.constants import constant_of, number_of
from ..tree import Node, ast, enums

# Where a bare number or column is a condition, zero is false.
_NUMERIC_TRUTH = frozenset({"mysql", "sqlite", "tsql"})
_OPERATORS: dict[Any, str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARITHMETIC: dict[Any, str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.DPipe: "||",
    exp.BitwiseAnd: "&",
    exp.BitwiseOr: "|",
    exp.BitwiseXor: "#",
}
_PARAMETERS = (exp.Placeholder, exp.Parameter, exp.SessionParameter)
_NOW = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.CurrentDatetime)


def undecided() -> Node:
    """A node that is neither a constant nor a plain restriction."""
    return ast.CaseExpr()


def condition(tree: Any, dialect: str) -> Node:
    """What stands after WHERE or ON, in a place where it is true or not."""
    match tree:
        case exp.Paren():
            return condition(tree.this, dialect)
        case exp.And() | exp.Or():
            kind = enums.BoolExprType
            which = kind.AND_EXPR if isinstance(tree, exp.And) else kind.OR_EXPR
            arms = tuple(condition(arm, dialect) for arm in tree.flatten())
            return ast.BoolExpr(boolop=which, args=arms)
        case exp.Not():
            if dialect in _NUMERIC_TRUTH and isinstance(_bare(tree.this), exp.Column):
                # Text that is no number counts as zero.
                return undecided()
            kind = enums.BoolExprType
            return ast.BoolExpr(boolop=kind.NOT_EXPR, args=(condition(tree.this, dialect),))
        case exp.Boolean() | exp.Null():
            return value(tree, dialect)
        case exp.Literal():
            number = None if tree.is_string else _number(tree)
            if number is None or dialect not in _NUMERIC_TRUTH:
                return undecided()
            return ast.A_Const(val=ast.Boolean(boolval=number != 0))
        case exp.Column():
            if dialect in _NUMERIC_TRUTH:
                zero = ast.A_Const(val=ast.Integer(ival=0))
                return _operation(value(tree, dialect), "<>", zero)
            return value(tree, dialect)
        case exp.EQ() | exp.NEQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
            return _comparison(tree, dialect)
        case exp.NullSafeEQ() | exp.NullSafeNEQ():
            return _null_safe(tree, dialect)
        case exp.Is():
            return _is(tree, dialect)
        case exp.In():
            return _in(tree, dialect)
        case exp.Between():
            if _texts_only(tree):
                return undecided()
            return ast.A_Expr(
                kind=enums.A_Expr_Kind.AEXPR_BETWEEN,
                name=(ast.String(sval="BETWEEN"),),
                lexpr=value(tree.this, dialect),
                rexpr=(value(tree.args["low"], dialect), value(tree.args["high"], dialect)),
            )
        case exp.Like() | exp.ILike():
            return _like(tree, dialect)
        case exp.RegexpLike() if not tree.args.get("flag"):
            return _operation(value(tree.this, dialect), "~", value(tree.expression, dialect))
        case exp.Exists():
            return ast.SubLink(
                subLinkType=enums.SubLinkType.EXISTS_SUBLINK, subselect=query(tree.this, dialect)
            )
        case _:
            return undecided()


def value(tree: Any, dialect: str) -> Node:
    """What stands beside an operator."""
    match tree:
        case exp.Paren():
            return value(tree.this, dialect)
        case exp.Column() if isinstance(tree.this, exp.Star):
            return undecided()
        case exp.Column():
            parts = tuple(ast.String(sval=part.name.lower()) for part in tree.parts)
            return ast.ColumnRef(fields=parts)
        case exp.Literal():
            if tree.is_string:
                return ast.A_Const(val=ast.String(sval=tree.this))
            return ast.A_Const(val=ast.Float(fval=tree.this))
        case exp.National():
            return ast.A_Const(val=ast.String(sval=tree.name))
        case exp.Boolean():
            return ast.A_Const(val=ast.Boolean(boolval=bool(tree.this)))
        case exp.Null():
            return ast.A_Const(isnull=True)
        case exp.Neg():
            return ast.A_Expr(
                kind=enums.A_Expr_Kind.AEXPR_OP,
                name=(ast.String(sval="-"),),
                rexpr=value(tree.this, dialect),
            )
        case exp.Cast():
            kind = tree.to.this.name.lower() if isinstance(tree.to, exp.DataType) else ""
            names = (ast.String(sval=_TYPES.get(kind, "other")),)
            return ast.TypeCast(
                arg=value(tree.this, dialect), typeName=ast.TypeName(names=names, typemod=-1)
            )
        case exp.Interval():
            return ast.A_Const(val=ast.String(sval="interval"))
        case exp.Tuple():
            return ast.RowExpr(args=tuple(value(part, dialect) for part in tree.expressions))
        case exp.Subquery() | exp.Select():
            return ast.SubLink(
                subLinkType=enums.SubLinkType.EXPR_SUBLINK, subselect=query(tree, dialect)
            )
        case exp.Coalesce():
            parts = tuple(value(part, dialect) for part in (tree.this, *tree.expressions))
            return ast.CoalesceExpr(args=parts)
        case exp.JSONExtract() | exp.JSONExtractScalar():
            return _operation(
                value(tree.this, dialect), "->>", ast.A_Const(val=ast.String(sval="path"))
            )
        case exp.Case() | exp.If() | exp.Xor():
            return undecided()
        case _ if isinstance(tree, _PARAMETERS):
            return ast.ParamRef(number=1)
        case _ if isinstance(tree, _NOW):
            return ast.SQLValueFunction()
        case _ if type(tree) in _ARITHMETIC:
            left, right = value(tree.this, dialect), value(tree.expression, dialect)
            return _operation(left, _ARITHMETIC[type(tree)], right)
        case exp.Predicate() | exp.Connector() | exp.Not():
            return condition(tree, dialect)
        case exp.Func():
            arguments = tuple(value(part, dialect) for part in tree.iter_expressions())
            return ast.FuncCall(funcname=(ast.String(sval=function_name(tree)),), args=arguments)
        case exp.Var():
            return ast.A_Const(val=ast.String(sval=tree.name))
        case exp.DataType():
            return ast.TypeName(names=(ast.String(sval="other"),), typemod=-1)
        case _:
            return undecided()


_TYPES = {
    "int": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "tinyint": "int2",
    "decimal": "numeric",
    "double": "float8",
    "float": "float8",
    "text": "text",
    "varchar": "text",
    "nvarchar": "text",
    "char": "text",
    "date": "date",
    "datetime": "timestamp",
    "datetime2": "timestamp",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
}


def function_name(call: Any) -> str:
    """The name of a called function, in lower case and without its schema."""
    if isinstance(call, (exp.Anonymous, exp.AnonymousAggFunc)):
        return str(call.name).lower()
    return str(call.sql_name()).lower()


def _operation(left: Node, operator: str, right: Node) -> Node:
    return ast.A_Expr(
        kind=enums.A_Expr_Kind.AEXPR_OP,
        name=(ast.String(sval=operator),),
        lexpr=left,
        rexpr=right,
    )


def _bare(tree: Any) -> Any:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree


def _texts_only(tree: Any) -> bool:
    """Whether texts are compared with each other, which other collations than PostgreSQL's decide."""
    return tree.find(exp.Column, exp.Select) is None and any(
        literal.is_string for literal in tree.find_all(exp.Literal)
    )


def _comparison(tree: Any, dialect: str) -> Node:
    left, right = _bare(tree.this), _bare(tree.expression)
    if isinstance(right, (exp.Any, exp.All)) or isinstance(left, (exp.Any, exp.All)):
        return undecided()
    if _texts_only(tree) and left != right:
        return undecided()
    if any(_misleads(one, other, dialect) for one, other in ((left, right), (right, left))):
        return undecided()
    return _operation(value(left, dialect), _OPERATORS[type(tree)], value(right, dialect))


def _misleads(column: Any, other: Any, dialect: str) -> bool:
    """Whether a comparison with a constant can hold for every row, by the rules of the dialect."""
    if not isinstance(column, exp.Column):
        return False
    if dialect == "mysql":
        # A text that does not begin with a digit equals zero.
        return _is_zero(other)
    if dialect == "sqlite" and isinstance(column.this, exp.Identifier) and column.this.quoted:
        # A quoted name that is no column is a text.
        is_other_text = isinstance(other, exp.Literal) and other.this.lower() != column.name.lower()
        return not column.table and not is_other_text and not isinstance(other, _PARAMETERS)
    return False


def _is_zero(tree: Any) -> bool:
    tree = _bare(tree)
    if isinstance(tree, exp.Boolean):
        return not tree.this
    if isinstance(tree, exp.Neg):
        return _is_zero(tree.this)
    if isinstance(tree, exp.Literal) and not tree.is_string:
        return not _number(tree)
    # Arithmetic on constants may come to zero.
    return isinstance(tree, exp.Binary) and tree.find(exp.Column) is None


def _number(literal: Any) -> Decimal | None:
    """`None` where it is too large to be told, or, as `7E`, no number at all."""
    return number_of(constant_of(ast.A_Const(val=ast.Float(fval=literal.this))))


def _null_safe(tree: Any, dialect: str) -> Node:
    kind = enums.A_Expr_Kind
    same = isinstance(tree, exp.NullSafeEQ)
    if _texts_only(tree) or _misleads(_bare(tree.this), tree.expression, dialect):
        return undecided()
    return ast.A_Expr(
        kind=kind.AEXPR_NOT_DISTINCT if same else kind.AEXPR_DISTINCT,
        name=(ast.String(sval="="),),
        lexpr=value(tree.this, dialect),
        rexpr=value(tree.expression, dialect),
    )


def _is(tree: Any, dialect: str) -> Node:
    right = tree.expression
    if isinstance(right, exp.Null):
        tested = _bare(tree.this)
        if _misleads(tested, None, dialect) and dialect == "sqlite":
            return undecided()
        return ast.NullTest(arg=value(tested, dialect), nulltesttype=enums.NullTestType.IS_NULL)
    if isinstance(right, exp.Boolean):
        if not right.this and dialect in _NUMERIC_TRUTH:
            return undecided()
        kind = enums.BoolTestType
        return ast.BooleanTest(
            arg=condition(tree.this, dialect),
            booltesttype=kind.IS_TRUE if right.this else kind.IS_FALSE,
        )
    return undecided()


def _in(tree: Any, dialect: str) -> Node:
    inner = tree.args.get("query")
    if inner is not None:
        return ast.SubLink(
            subLinkType=enums.SubLinkType.ANY_SUBLINK,
            testexpr=value(tree.this, dialect),
            subselect=query(inner, dialect),
        )
    if not tree.expressions or tree.args.get("unnest") or tree.args.get("field"):
        return undecided()
    if _texts_only(tree) or any(
        _misleads(_bare(tree.this), one, dialect) for one in tree.expressions
    ):
        return undecided()
    return ast.A_Expr(
        kind=enums.A_Expr_Kind.AEXPR_IN,
        name=(ast.String(sval="="),),
        lexpr=value(tree.this, dialect),
        rexpr=tuple(value(one, dialect) for one in tree.expressions),
    )


def _like(tree: Any, dialect: str) -> Node:
    pattern = tree.expression
    if isinstance(pattern, exp.Escape) or _texts_only(tree):
        return undecided()
    if dialect == "tsql" and "[" in pattern.name:
        return undecided()
    quoted = isinstance(tree.this, exp.Column) and isinstance(tree.this.this, exp.Identifier)
    if dialect == "sqlite" and quoted and tree.this.this.quoted and not tree.this.table:
        return undecided()
    return ast.A_Expr(
        kind=enums.A_Expr_Kind.AEXPR_LIKE,
        name=(ast.String(sval="~~"),),
        lexpr=value(tree.this, dialect),
        rexpr=value(pattern, dialect),
    )


# --- sub-selects

# What the nodes of a query can say; all else makes it undecided.
_PLAIN = words("kind hint expressions from_ where joins group having limit distinct order this")


def query(tree: Any, dialect: str) -> Node:
    """A sub-select; with a clause that is not followed it is one nobody decides."""
    while isinstance(tree, (exp.Subquery, exp.Paren)):
        if isinstance(tree, exp.Subquery) and any(
            tree.args.get(name) for name in ("limit", "where", "joins", "with_")
        ):
            return ast.SelectStmt(op=enums.SetOperation.SETOP_NONE, withClause=ast.WithClause())
        tree = tree.this
    none = enums.SetOperation.SETOP_NONE
    if isinstance(tree, exp.Union):
        left, right = query(tree.this, dialect), query(tree.expression, dialect)
        return ast.SelectStmt(op=enums.SetOperation.SETOP_UNION, larg=left, rarg=right)
    if isinstance(tree, exp.Values):
        rows = tuple(
            tuple(value(part, dialect) for part in row.expressions or [row])
            for row in tree.expressions
        )
        return ast.SelectStmt(op=none, valuesLists=rows)
    strange = not isinstance(tree, exp.Select) or any(
        one and name not in _PLAIN for name, one in tree.args.items()
    )
    limit = None if strange else tree.args.get("limit")
    if strange or (limit is not None and not is_plain_limit(limit)):
        return ast.SelectStmt(op=none, withClause=ast.WithClause(), fromClause=_all_tables(tree))
    source = tree.args.get("from_")
    conditions: list[Node] = []
    tables: tuple[Node, ...] = ()
    if source is not None:
        tables, conditions = sources(source.this, tree.args.get("joins") or (), dialect)
    if tree.args.get("where") is not None:
        conditions.append(condition(tree.args["where"].this, dialect))
    having = tree.args.get("having")
    return ast.SelectStmt(
        op=none,
        targetList=tuple(_item(one, dialect) for one in tree.expressions),
        fromClause=tables or None,
        whereClause=conjunction(conditions),
        groupClause=(undecided(),) if tree.args.get("group") else None,
        havingClause=None if having is None else undecided(),
        limitCount=None if limit is None else value(limit.expression, dialect),
    )


def is_plain_limit(limit: Any) -> bool:
    """Whether a LIMIT or TOP says how many rows at the most: no share of them, and no ties beyond."""
    if not isinstance(limit, exp.Limit):
        return False
    options = limit.args.get("limit_options")
    return options is None or not (options.args.get("percent") or options.args.get("with_ties"))


def conjunction(conditions: Iterable[Node]) -> Node | None:
    arms = tuple(conditions)
    if len(arms) > 1:
        return ast.BoolExpr(boolop=enums.BoolExprType.AND_EXPR, args=arms)
    return arms[0] if arms else None


def _item(tree: Any, dialect: str) -> Node:
    if isinstance(tree, exp.Alias):
        return ast.ResTarget(name=tree.alias.lower(), val=value(tree.this, dialect))
    return ast.ResTarget(val=value(tree, dialect))


def _all_tables(tree: Any) -> tuple[Node, ...]:
    return tuple(table_node(table) for table in tree.find_all(exp.Table))


def sources(first: Any, joins: Iterable[Any], dialect: str) -> tuple[tuple[Node, ...], list[Node]]:
    """The tables of a FROM, and the conditions of its inner joins, which restrict like a WHERE."""
    tables = [_source(first, dialect)]
    conditions: list[Node] = []
    inner = list(joins)
    if isinstance(first, exp.Table):
        inner = [*(first.args.get("joins") or ()), *inner]
    for join in inner:
        table = _source(join.this, dialect)
        on = join.args.get("on")
        is_inner = not join.args.get("side") and not join.args.get("method")
        if join.args.get("using"):
            on = None
            tables.append(table)
            conditions.append(undecided())
        elif is_inner:
            tables.append(table)
            if on is not None:
                conditions.append(condition(on, dialect))
        else:
            quals = None if on is None else condition(on, dialect)
            tables.append(ast.JoinExpr(larg=table, quals=quals))
        nested = join.this.args.get("joins") if isinstance(join.this, exp.Table) else None
        if nested:
            more, others = sources(nested[0].this, nested[1:], dialect)
            tables += more
            conditions += others
    return tuple(tables), conditions


def _source(tree: Any, dialect: str) -> Node:
    if isinstance(tree, exp.Subquery):
        alias = ast.Alias(aliasname=tree.alias.lower()) if tree.alias else None
        return ast.RangeSubselect(subquery=query(tree, dialect), alias=alias)
    if isinstance(tree, exp.Values) and tree.alias:
        alias = ast.Alias(aliasname=tree.alias.lower())
        return ast.RangeSubselect(subquery=query(tree, dialect), alias=alias)
    return table_node(tree)


def table_node(tree: Any) -> Node:
    if not isinstance(tree, exp.Table):
        return ast.RangeVar(relname="", inh=True, relpersistence="p")
    parts = [part.name for part in tree.parts]
    alias = ast.Alias(aliasname=tree.alias.lower()) if tree.alias else None
    schema = ".".join(parts[:-1]) or None
    return ast.RangeVar(
        schemaname=schema,
        relname=parts[-1] if parts else "",
        alias=alias,
        inh=True,
        relpersistence="p",
    )
