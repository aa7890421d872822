"""The passes over the intermediate representation, in order. Each keeps every decision and every failure."""

from collections.abc import Callable

from ..ir import Rule
from .fold_constants import fold_constants

Pass = Callable[[Rule], Rule]

PASSES: tuple[Pass, ...] = (fold_constants,)


def run_passes(rule: Rule) -> Rule:
    for step in PASSES:
        rule = step(rule)
    return rule
