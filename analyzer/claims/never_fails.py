"""`never fails`. Proved iff no rule fails to be read on a request in the claim's scope over described entities.

A failing rule denies in Interlock and is skipped in Cedar, where this is how a guard fails open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import Broken, Replayed

SENTENCE = "never fails"
REFUTED = "makes a rule fail"


def broken(claim: Broken) -> int:
    return claim.outcomes.fails


def is_broken(replayed: Replayed) -> bool:
    return bool(replayed.decision.problems)
