"""Checked syntax to the intermediate representation, its meaning, and its back ends."""

from ..lang.checked import Checked
from ..lang.diagnostics import Code, Diagnostic, has_errors
from . import ir
from .ir_text import digest_of
from .lower import lower
from .passes import run_passes


def compile_policies(checked: Checked) -> tuple[ir.PolicySet, list[Diagnostic]]:
    """The policy set of what was checked, with the problems that only show once definitions are written out.

    A set in which anything is wrong has no rules, so that it denies everything: without one `forbid` it could permit.
    """
    if not checked.sound:
        return ir.PolicySet(checked.schema, (), digest_of(checked.schema, ())), []
    lowered, problems = lower(checked)
    if has_errors(problems):
        lowered = []
    rules = tuple(run_passes(rule) for rule in lowered)
    declared = {item.rule.name: item for item in checked.rules}
    for rule in rules:
        item = declared[rule.id]
        if item.environments and _never_holds(rule.condition):
            message = f"`{rule.id}` can never apply: its condition is always false"
            problems.append(Diagnostic(Code.NEVER_APPLIES, message, item.rule.name_span))
    return ir.PolicySet(checked.schema, rules, digest_of(checked.schema, rules)), problems


def _never_holds(condition: ir.Term) -> bool:
    last = condition.operands[-1] if isinstance(condition, ir.And) else condition
    return last == ir.FALSE
