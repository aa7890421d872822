"""Arms of an OR that together leave nothing out."""

from dataclasses import dataclass, replace
from enum import Enum

from ..tree import Node, ast, enums
from .columns import columns_in, conjuncts
from .constants import MIRRORED, constant_of, number_of, operator_of
from .reach import Target


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


def may_cover_everything(arms: list[Node], target: Target) -> bool:
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
    found = [_leaf(part, target) for part in conjuncts(arm)]
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
    highest = [number_of(leaf.value) for leaf in leaves if leaf.side == _Side.BELOW]
    lowest = [number_of(leaf.value) for leaf in leaves if leaf.side == _Side.ABOVE]
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
    operator = operator_of(node)
    left, right = node.lexpr, node.rexpr
    if isinstance(left, ast.Node) and not columns_in(left, target) and operator in MIRRORED:
        left, right, operator = right, left, MIRRORED[operator]
    if not isinstance(left, ast.Node):
        return None
    value = constant_of(right) if isinstance(right, ast.Node) else None
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
    columns = columns_in(node, target)
    return _Leaf(columns[0].name, side, value) if columns else None
