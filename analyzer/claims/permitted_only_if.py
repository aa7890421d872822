"""`permitted only if E`. Proved iff E holds for every request in the claim's scope that is permitted.

It speaks about stores that describe every entity that E reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lang.syntax import Outcome

if TYPE_CHECKING:
    from . import Broken, Replayed

SENTENCE = "permitted only if"
REFUTED = "is permitted although the condition does not hold"


def broken(claim: Broken) -> int:
    return claim.circuit.all_of((claim.outcomes.permit, -claim.holds))


def is_broken(replayed: Replayed) -> bool:
    return replayed.decision.outcome is Outcome.PERMIT and not replayed.holds
