"""The claims: one file each, whose docstring says what a proof means; one row each in `CLAIMS`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from ...compiler.backends.smt.circuit import FALSE, Circuit
from ...compiler.backends.smt.encoder import Outcomes
from ...compiler.decision import Decision
from ...lang import syntax
from . import (
    always_denied,
    always_exists,
    always_permitted,
    denied_by,
    held_unless,
    never_fails,
    never_permitted,
    permitted_only_if,
)


@dataclass(frozen=True, slots=True)
class Broken:
    """What a claim's formula may use: the decision, and what the claim says beside it."""

    circuit: Circuit
    outcomes: Outcomes
    holds: int
    """Whether the expression of the claim holds."""
    rule: str
    """The rule that the claim names."""
    loses: int = FALSE
    """The request, carried out, takes away what must always exist."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the reference evaluator says about the request of a counterexample."""

    decision: Decision
    holds: bool
    rule: str
    loses: bool = False


# Each has `broken(Broken) -> literal`, `is_broken(Replayed) -> bool`, `SENTENCE` and `REFUTED`.
CLAIMS: Mapping[type[syntax.Node], ModuleType] = {
    syntax.NeverPermitted: never_permitted,
    syntax.AlwaysDenied: always_denied,
    syntax.AlwaysPermitted: always_permitted,
    syntax.PermittedOnlyIf: permitted_only_if,
    syntax.HeldUnless: held_unless,
    syntax.DeniedBy: denied_by,
    syntax.NeverFails: never_fails,
    syntax.AlwaysExists: always_exists,
}
