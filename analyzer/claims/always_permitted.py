"""`always permitted`. Proved iff every request in the claim's scope, for which its conditions hold, is permitted.

It speaks about stores that describe every entity that is read; a request about an entity that nobody described
is denied, whatever the policies say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lang.syntax import Outcome

if TYPE_CHECKING:
    from . import Broken, Replayed

SENTENCE = "always permitted"
REFUTED = "is not permitted"


def broken(claim: Broken) -> int:
    return -claim.outcomes.permit


def is_broken(replayed: Replayed) -> bool:
    return replayed.decision.outcome is not Outcome.PERMIT
