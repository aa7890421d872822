"""`held unless E`. Proved iff every request in the claim's scope for which E does not hold is held.

Held is neither permitted nor denied: evidence can still release it. It speaks about stores that describe every entity
that is read; a request about an entity that nobody described is denied, and not held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lang.syntax import Outcome

if TYPE_CHECKING:
    from . import Broken, Replayed

SENTENCE = "held unless"
REFUTED = "is not held although the condition does not hold"


def broken(claim: Broken) -> int:
    return claim.circuit.all_of((-claim.outcomes.hold, -claim.holds))


def is_broken(replayed: Replayed) -> bool:
    return replayed.decision.outcome is not Outcome.HOLD and not replayed.holds
