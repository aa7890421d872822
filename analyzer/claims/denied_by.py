"""`denied by RULE`. Proved iff that `forbid` applies to every request in the claim's scope.

It speaks about stores that describe every entity that is read; where the `forbid` reads one that nobody described, the
request is denied, but not by that rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import Broken, Replayed

SENTENCE = "denied by"
REFUTED = "is not denied by that rule"


def broken(claim: Broken) -> int:
    return -claim.outcomes.rules[claim.rule].applies


def is_broken(replayed: Replayed) -> bool:
    return replayed.rule not in replayed.decision.rules
