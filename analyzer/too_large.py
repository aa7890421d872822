"""Rules too involved to be encoded, each with the limit that it reaches; what is asked of them is undecided."""

from collections.abc import Iterable, Sequence

from ..compiler import ir
from ..compiler.backends.smt.circuit import CircuitTooLargeError
from ..compiler.backends.smt.encoder import Encoder, encode
from ..lang.schema import Environment, Schema

MAX_TOLD = 5


def too_large(
    schema: Schema, group: Sequence[Environment], rules: Iterable[ir.Rule]
) -> list[tuple[ir.Rule, str]]:
    """The rules that cannot be encoded even alone, with the limit that each reaches."""
    found = []
    for rule in rules:

        def build(encoder: Encoder, rule: ir.Rule = rule) -> None:
            encoder.decide((rule,))

        try:
            encode(schema, group, build, Encoder)
        except CircuitTooLargeError as reached:
            found.append((rule, str(reached)))
    return found


def told(found: Sequence[tuple[ir.Rule, str]], reached: CircuitTooLargeError) -> list[str]:
    """One sentence for each rule with its place, or one for all where only their sum is too large."""
    if not found:
        return [f"the rules together are too involved: {reached}"]
    lines = [
        f"`{rule.id}` ({rule.span.file}:{rule.span.line}) is too involved: {why}"
        for rule, why in found[:MAX_TOLD]
    ]
    more = len(found) - MAX_TOLD
    return [*lines, f"{more:,} more rules are too involved"] if more > 0 else lines
