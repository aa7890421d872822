"""`never permitted`. Proved iff no request in the claim's scope, for which its conditions hold, is permitted.

It may be held: what is held is not carried out, and can still be released by evidence that makes it another request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lang.syntax import Outcome

if TYPE_CHECKING:
    from . import Broken, Replayed

SENTENCE = "never permitted"
REFUTED = "is permitted"


def broken(claim: Broken) -> int:
    return claim.outcomes.permit


def is_broken(replayed: Replayed) -> bool:
    return replayed.decision.outcome is Outcome.PERMIT
