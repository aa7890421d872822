"""`always denied`. Proved iff every request in the claim's scope, for which its conditions hold, is denied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lang.syntax import Outcome

if TYPE_CHECKING:
    from . import Broken, Replayed

SENTENCE = "always denied"
REFUTED = "is not denied"


def broken(claim: Broken) -> int:
    return -claim.outcomes.deny


def is_broken(replayed: Replayed) -> bool:
    return replayed.decision.outcome is not Outcome.DENY
