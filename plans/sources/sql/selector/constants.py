"""Constants in a condition: what an expression without columns comes to, by the rules of SQL."""

import re
from decimal import Decimal
from typing import Any

from ..tree import Node, ast, enums

ABSENT = object()
"""The value of an expression that is no constant."""
MIRRORED = {"=": "=", "<>": "<>", "!=": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def constant_of(node: Node | None, depth: int = 20) -> object:
    """Its value: `None` for NULL, a bool, a Decimal or a str; `ABSENT` if it is no constant."""
    if depth == 0:
        return ABSENT
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
            return _cast(constant_of(node.arg, depth - 1), node.typeName)
        case ast.BoolExpr():
            return _folded(node, depth)
        case ast.A_Expr(kind=enums.A_Expr_Kind.AEXPR_OP):
            right = constant_of(node.rexpr, depth - 1)
            if right is ABSENT:
                return ABSENT
            operator = operator_of(node)
            if node.lexpr is None:
                number = number_of(right)
                return -number if operator == "-" and number is not None else ABSENT
            left = constant_of(node.lexpr, depth - 1)
            if left is ABSENT:
                return ABSENT
            if operator in ("+", "-", "*"):
                return _calculated(left, operator, right)
            return compared(left, operator, right)
        case _:
            return ABSENT


def _folded(node: Node, depth: int) -> object:
    values = [constant_of(arm, depth - 1) for arm in node.args]
    if ABSENT in values:
        return ABSENT
    booleans = [as_boolean(value) for value in values]
    match node.boolop:
        case enums.BoolExprType.AND_EXPR:
            return False if False in booleans else None if None in booleans else True
        case enums.BoolExprType.OR_EXPR:
            return True if True in booleans else None if None in booleans else False
        case _:
            return None if booleans[0] is None else not booleans[0]


def _calculated(left: object, operator: str, right: object) -> object:
    one, other = number_of(left), number_of(right)
    if one is None or other is None:
        return ABSENT
    match operator:
        case "+":
            return one + other
        case "-":
            return one - other
        case _:
            return one * other


def _cast(value: object, type_name: Node) -> object:
    if value is ABSENT or value is None or type_name.arrayBounds:
        return value if value is None else ABSENT
    name = names_of(type_name.names)[-1]
    if name == "bool":
        boolean = as_boolean(value)
        return ABSENT if boolean is None else boolean
    if name in ("int2", "int4", "int8"):
        number = number_of(value)
        whole = number is not None and number == number.to_integral_value()
        return number if whole and number is not None else ABSENT
    if name in ("numeric", "float4", "float8"):
        number = number_of(value)
        return ABSENT if number is None else number
    if name in ("text", "varchar", "uuid", "date", "timestamp", "timestamptz"):
        return as_text(value)
    # Other types keep their text, which is all that comparisons here look at.
    return value if isinstance(value, str) else ABSENT


def compared(left: object, operator: str, right: object) -> object:
    if left is None or right is None:
        return None if operator in MIRRORED else ABSENT
    if isinstance(left, bool) or isinstance(right, bool):
        one, other = as_boolean(left), as_boolean(right)
        if one is None or other is None or operator not in ("=", "<>", "!="):
            return ABSENT
        return (one == other) == (operator == "=")
    if isinstance(left, str) and isinstance(right, str):
        # Order depends on a collation, and some types write one value in two ways.
        if left == right:
            return operator in ("=", ">=", "<=") if operator in MIRRORED else ABSENT
        plain = re.fullmatch(r"[A-Za-z]+", left) and re.fullmatch(r"[A-Za-z]+", right)
        return operator != "=" if plain and operator in ("=", "<>", "!=") else ABSENT
    first, second = number_of(left), number_of(right)
    if first is None or second is None:
        return ABSENT
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
            return ABSENT


def is_null_constant(node: Node | None) -> bool:
    return node is not None and constant_of(node) is None


def _decimal(digits: str) -> object:
    if len(digits) > 60 or not re.fullmatch(r"[+-]?\d*\.?\d*(?:[eE][+-]?\d{1,3})?", digits):
        return ABSENT
    try:
        return Decimal(digits)
    except ArithmeticError:
        return ABSENT


def number_of(value: object) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,40}(?:\.\d{1,40})?\s*", value):
        return Decimal(value.strip())
    return None


def as_boolean(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip().lower()
        if text and ("true".startswith(text) or "yes".startswith(text) or text in ("on", "1")):
            return True
        if text and ("false".startswith(text) or "no".startswith(text) or text in ("off", "0")):
            return False
    return None


def as_text(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def operator_of(node: Node) -> str:
    names = names_of(node.name)
    return names[-1] if names else ""


def names_of(parts: Any) -> list[str]:
    return [part.sval for part in parts or () if isinstance(part, ast.String)]
