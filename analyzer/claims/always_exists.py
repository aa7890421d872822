"""`for any sequence of permitted actions, always exists x: T where E`.

Proved iff no permitted request of the claim's scope, carried out with the effects that its action declares, takes the
last entity for which E holds away. The claim speaks about every store in which there is one to begin with. So the
shortest sequence that breaks it has one action, and if no single action does, no sequence does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lang.syntax import Outcome

if TYPE_CHECKING:
    from . import Broken, Replayed

SENTENCE = "for any sequence of permitted actions always exists"
REFUTED = "is permitted and takes the last one away"


def broken(claim: Broken) -> int:
    return claim.circuit.all_of((claim.outcomes.permit, claim.loses))


def is_broken(replayed: Replayed) -> bool:
    return replayed.decision.outcome is Outcome.PERMIT and replayed.loses
