"""A term that reads nothing becomes its value, and a decided `and`, `or`, `if` or `not` becomes what it decides."""

from dataclasses import replace

from .. import ir
from ..entities import NO_ENTITIES
from ..lower import literal
from ..reference import Failed, evaluate
from ..rewrite import parts, rebuild, rebuild_rule


def fold_constants(rule: ir.Rule) -> ir.Rule:
    return rebuild_rule(rule, fold)


def fold(term: ir.Term) -> ir.Term:
    """The term with everything computed that no request can change."""
    term = rebuild(term, fold)
    match term:
        case ir.And(operands):
            return _chain(term, operands, stop=ir.FALSE)
        case ir.Or(operands):
            return _chain(term, operands, stop=ir.TRUE)
        case ir.If(ir.Boolean(test), then, otherwise):
            return then if test else otherwise
        case ir.Not(ir.Not(operand)):
            return replace(operand, span=term.span)
        case _ if not isinstance(term, ir.Literal | ir.SetOf | ir.RecordOf) and _is_closed(term):
            value = evaluate(term, None, NO_ENTITIES)
            return term if isinstance(value, Failed) else literal(value, term.span)
        case _:
            return term


def _chain(term: ir.And | ir.Or, operands: tuple[ir.Term, ...], stop: ir.Boolean) -> ir.Term:
    """Nested chains of the same kind in one, without what decides nothing, and cut after what decides."""
    kept: list[ir.Term] = []
    for operand in operands:
        inner = operand.operands if isinstance(operand, type(term)) else (operand,)
        for item in inner:
            if isinstance(item, ir.Boolean):
                if item == stop:
                    # What stands before may still fail, so only a chain that begins with it is decided.
                    if not kept:
                        return replace(stop, span=term.span)
                    return replace(term, operands=(*kept, item))
                continue
            kept.append(item)
    if not kept:
        return ir.Boolean(not stop.value, span=term.span)
    return kept[0] if len(kept) == 1 else replace(term, operands=tuple(kept))


def _is_closed(term: ir.Term) -> bool:
    """Whether a term is an operator over literals; quantifiers over written sets stay for the solver to read."""
    inner = parts(term)
    return bool(inner) and all(_is_value(part) for part in inner)


def _is_value(term: ir.Term) -> bool:
    match term:
        case ir.SetOf(elements):
            return all(map(_is_value, elements))
        case ir.RecordOf(fields):
            return all(_is_value(item) for _, item in fields)
        case _:
            return isinstance(term, ir.Literal)
