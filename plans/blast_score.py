"""What losing an asset weighs: its data, criticality and environment, times how far it is from coming back."""

import math
from dataclasses import dataclass
from enum import StrEnum

from .graph import Resource, WayBack
from .model import Risk
from .requests import is_production


class Fate(StrEnum):
    """What becomes of it: `recreated` comes back from its definition, `undecided` is not known and counts as lost."""

    LOST = "lost"
    UNDECIDED = "undecided"
    RETURNS = "returns"
    RECREATED = "recreated"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Score:
    """The parts of an asset's score, which multiply to its points."""

    data: float
    criticality: float
    environment: float
    irreversibility: float

    @property
    def points(self) -> float:
        return self.data * self.criticality * self.environment * self.irreversibility


CRITICALITY = {Risk.LOW: 1.0, Risk.MEDIUM: 2.0, Risk.HIGH: 4.0, Risk.CRITICAL: 8.0}
PRODUCTION, ELSEWHERE = 1.0, 0.25
IRREVERSIBILITY = {
    Fate.LOST: 1.0,
    Fate.UNDECIDED: 1.0,
    Fate.RETURNS: 0.3,
    Fate.KEPT: 0.2,
    Fate.RECREATED: 0.1,
}
UNTESTED = 0.5
"""The irreversibility of what returns by a way that was never tested, or in a time nobody knows."""
UNKNOWN_DATA = 7.0
"""The weight of data whose amount is not known: that of a million rows, or of a gigabyte."""


def score_of(
    resource: Resource, environment: str, fate: Fate, way: WayBack | None, rows: int | None
) -> Score:
    irreversibility = IRREVERSIBILITY[fate]
    if fate is Fate.RETURNS and (way is None or way.within is None or way.tested_at is None):
        irreversibility = UNTESTED
    return Score(
        data=_data(resource, rows),
        criticality=CRITICALITY[resource.criticality],
        environment=PRODUCTION if is_production(resource.environment or environment) else ELSEWHERE,
        irreversibility=irreversibility,
    )


def _data(resource: Resource, rows: int | None) -> float:
    """1 for what holds nothing, and one more for every power of ten of rows or kilobytes."""
    if not (resource.stateful or resource.recovery):
        return 1.0
    amounts = []
    if rows is not None:
        amounts.append(1 + math.log10(1 + rows))
    if resource.bytes is not None and (rows is None or rows == resource.rows):
        amounts.append(1 + math.log10(1 + resource.bytes / 1000))
    return max(amounts, default=UNKNOWN_DATA)
