"""Columns in a condition: whose they are, and whether an expression keeps what they say."""

from dataclasses import dataclass

from ..tree import Node, ast, enums, nodes
from .constants import constant_of, number_of, operator_of
from .reach import Calling, Target

SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "xmax", "cmin", "cmax"})


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    is_targets: bool
    qualifier: str = ""


def columns_in(node: Node | None, target: Target) -> list[Column]:
    if node is None:
        return []
    found = []
    for one in nodes(node):
        if isinstance(one, ast.ColumnRef):
            fields = fields_of(one)
            if len(fields) == 1 and fields[0] in target.variables:
                continue
            if len(fields) > 1 and fields[0] in target.variables - target.names:
                continue
            name = own_column(one, target)
            qualifier = fields[-2] if len(fields) > 1 else ""
            found.append(Column(name or fields[-1], name is not None, qualifier))
    return found


def own_columns(node: Node | None, target: Target) -> list[Column]:
    columns = columns_in(node, target)
    return columns if len(columns) == 1 and columns[0].is_targets else []


def own_column(node: Node, target: Target) -> str | None:
    """The name of the target's column, `None` when it may be something else."""
    fields = fields_of(node)
    name = fields[-1]
    if not name or (len(fields) == 1 and (name in target.variables or name in target.names)):
        return None
    if len(fields) == 1:
        return None if target.is_joined else name
    return name if fields[-2] in target.names else None


def fields_of(node: Node) -> list[str]:
    """The parts of a column's name; a star is an empty part."""
    return [part.sval if isinstance(part, ast.String) else "" for part in node.fields]


def fixed_column(arm: Node, target: Target) -> str | None:
    """The column that `column = value` fixes."""
    if not isinstance(arm, ast.A_Expr) or operator_of(arm) != "=":
        return None
    if arm.kind != enums.A_Expr_Kind.AEXPR_OP:
        return None
    for one, other in ((arm.lexpr, arm.rexpr), (arm.rexpr, arm.lexpr)):
        if isinstance(one, ast.ColumnRef) and not columns_in(other, target):
            return own_column(one, target) if is_simple(other, target) else None
    return None


_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "||", "->", "->>", "#>", "#>>"})


def is_simple(node: Node | None, target: Target) -> bool:
    """Columns, constants, parameters, steady functions, and arithmetic that keeps the column."""
    if node is None:
        return False
    for one in nodes(node):
        match one:
            case ast.A_Expr():
                operator = operator_of(one)
                if one.kind != enums.A_Expr_Kind.AEXPR_OP or operator not in _ARITHMETIC:
                    return False
                factor = number_of(constant_of(one.rexpr))
                other_factor = number_of(constant_of(one.lexpr))
                if operator == "*" and 0 in (factor, other_factor):
                    return False
                if operator == "%" and (factor is None or abs(factor) <= 1):
                    return False
                scales = operator in ("*", "/") and bool(columns_in(one.lexpr, target))
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


def conjuncts(condition: Node | None) -> list[Node]:
    if condition is None:
        return []
    if isinstance(condition, ast.BoolExpr) and condition.boolop == enums.BoolExprType.AND_EXPR:
        return list(condition.args)
    return [condition]
