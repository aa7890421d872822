"""Every way to make a rule weaker by leaving one thing out of it: the rule, a need, a condition, an alternative."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from ..compiler import ir
from ..lang.source import Span
from ..lang.syntax import Effect


class How(StrEnum):
    """What an edit does to a rule."""

    DELETED = "deleted"
    WIDENED = "widened"
    """A permit applies to more."""
    NARROWED = "narrowed"
    """A forbid or a require applies to less."""
    EASED = "eased"
    """A require asks for less."""


@dataclass(frozen=True, slots=True)
class Weakening:
    """An edit of one rule. `path` says where in the rule the part is that it leaves out."""

    rule: ir.Rule
    how: How
    path: str
    span: Span
    edited: ir.Rule | None
    """The rule without the part; nothing where the rule itself is left out."""


def weakenings(rule: ir.Rule) -> Iterator[Weakening]:
    """One thing left out at a time. Whether a decision changes with it is for a solver to say."""
    is_permit = rule.effect is Effect.PERMIT
    if not is_permit:
        yield Weakening(rule, How.DELETED, "", rule.span, None)
    for path, part, changed in _without(rule.condition, is_permit, "condition"):
        how = How.WIDENED if is_permit else How.NARROWED
        yield Weakening(rule, how, path, part.span, replace(rule, condition=changed))
    if is_permit and not isinstance(rule.condition, ir.And) and rule.condition != ir.TRUE:
        everything = replace(rule, condition=ir.TRUE)
        yield Weakening(rule, How.WIDENED, "condition", rule.condition.span, everything)
    for number, need in enumerate(rule.needs):
        path, others = f"need.{number}", (rule.needs[:number], rule.needs[number + 1 :])
        if len(rule.needs) > 1:
            fewer = replace(rule, needs=(*others[0], *others[1]))
            yield Weakening(rule, How.EASED, path, need.span, fewer)
        for inner, part, changed in _without(need.condition, True, path):
            eased = (*others[0], replace(need, condition=changed), *others[1])
            yield Weakening(rule, How.EASED, inner, part.span, replace(rule, needs=eased))


_Edit = tuple[str, ir.Term, ir.Term]
"""The path of what is left out, itself, and the condition without it."""


def _without(term: ir.Term, more: bool, path: str) -> Iterator[_Edit]:
    """Each way to leave an operand out so that the condition holds more often, or less often unless `more`."""
    match term:
        case ir.And(operands) | ir.Or(operands):
            for number, operand in enumerate(operands):
                here = f"{path}.{number}"
                before, after = operands[:number], operands[number + 1 :]
                if isinstance(term, ir.And) is more:
                    rest = (*before, *after)
                    kept = rest[0] if len(rest) == 1 else replace(term, operands=rest)
                    yield here, operand, kept
                for inner, part, changed in _without(operand, more, here):
                    yield inner, part, replace(term, operands=(*before, changed, *after))
        case ir.Not(operand):
            for inner, part, changed in _without(operand, not more, f"{path}.not"):
                yield inner, part, replace(term, operand=changed)
        case ir.If(_, then, otherwise):
            for inner, part, changed in _without(then, more, f"{path}.then"):
                yield inner, part, replace(term, then=changed)
            for inner, part, changed in _without(otherwise, more, f"{path}.else"):
                yield inner, part, replace(term, otherwise=changed)
        case ir.Any(_, _, body) | ir.All(_, _, body):
            for inner, part, changed in _without(body, more, f"{path}.each"):
                yield inner, part, replace(term, body=changed)
        case _:
            return
