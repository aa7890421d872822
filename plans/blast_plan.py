"""A plan with its blast radius, in the vocabulary: what policies ask as `plan.blast` and `resource.blast`."""

from collections import Counter
from collections.abc import Iterable

from .blast import Radius, Reached, total
from .blast_score import Fate
from .blast_spread import Harm
from .model import (
    Asset,
    AssetBlast,
    Blast,
    Change,
    Effect,
    Lost,
    Plan,
    Reversibility,
    Selector,
)

MAX_LOST = 1000


def with_radius(radius: Radius) -> Plan:
    """The plan with what it reaches, and with one more change for each that takes ways back along."""
    plan = radius.plan
    by_change = of_changes(radius)
    by_asset: dict[tuple[str, str], AssetBlast] = {}
    for change in plan.changes:
        blast = by_change.get(change.id)
        if blast is not None:
            name = (change.resource.type, change.resource.id)
            known = by_asset.get(name)
            by_asset[name] = blast if known is None else _worse(known, blast)

    def marked(change: Change) -> Change:
        blast = by_asset.get((change.resource.type, change.resource.id))
        if blast is None:
            return change
        resource: Asset = change.resource.model_copy(update={"blast": blast})
        return change.model_copy(update={"resource": resource})

    changes = [marked(change) for change in (*plan.changes, *recovery_changes(radius))]
    return plan.model_copy(update={"changes": tuple(changes), "blast": of_plan(radius)})


def of_plan(radius: Radius) -> Blast:
    reached = radius.reached
    losses = [each for each in reached if _loses_data(each)]
    # What nothing brings back is named first, so that a question about it is answered even where not all are named.
    losses.sort(key=lambda each: not each.is_without_recovery)
    return Blast(
        **_counts(reached, radius.at_most, len(radius.unmapped)).model_dump(),
        stale=radius.is_stale,
        age=radius.age,
        back_within=radius.back_within,
        rows=sum(each.rows_lost or 0 for each in reached),
        lost=tuple(
            Lost(
                asset=f"{each.resource.type}::{each.resource.id}",
                kind=each.resource.kind,
                criticality=each.resource.criticality,
                recovery=not each.is_without_recovery,
                rows=each.rows_lost,
            )
            for each in losses[:MAX_LOST]
        ),
    )


def of_changes(radius: Radius) -> dict[str, AssetBlast]:
    """The radius of each change through which something can be lost, by its id."""
    unmapped = Counter(each.change.id for each in radius.unmapped)
    # Changes of one asset reach the same, so that each radius is counted once.
    counted: dict[tuple[frozenset[str], int, int], AssetBlast] = {}
    found = {}
    for id, own in radius.of_change.items():
        if own.event is None:
            continue
        shape = (own.reached, own.at_most, unmapped[id])
        if shape not in counted:
            reached = [radius.by_key[key] for key in own.reached]
            counted[shape] = _counts(reached, own.at_most, unmapped[id])
        found[id] = counted[shape]
    return found


def recovery_changes(radius: Radius) -> list[Change]:
    """For each change that takes along the last way back of something: that it does."""
    if not radius.recovery:
        return []
    by_id = {change.id: change for change in radius.plan.changes}
    number = len(radius.plan.changes)
    changes = []
    for id, change in by_id.items():
        lost = [each for each in radius.recovery if id in each.changes]
        if not lost:
            continue
        number += 1
        graph = radius.graph.resources
        ways = list(dict.fromkeys(graph[way.recovery].name for each in lost for way in each.ways))
        names = [each.resource.name for each in lost]
        changes.append(
            change.model_copy(
                update={
                    "id": str(number),
                    "effect": Effect.DELETE_RECOVERY,
                    "selector": Selector.ALL,
                    "reversibility": Reversibility.IRREVERSIBLE,
                    "rows": None,
                    "row_basis": None,
                    "summary": f"takes along {_some(ways)}, the last way back of {_some(names)}",
                }
            )
        )
    return changes


def _some(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"


def _loses_data(each: Reached) -> bool:
    return (each.resource.stateful or each.resource.recovery) and each.fate in (
        Fate.LOST,
        Fate.RETURNS,
        Fate.UNDECIDED,
    )


def _counts(reached: Iterable[Reached], at_most: int, unmapped: int) -> AssetBlast:
    every = list(reached)
    return AssetBlast(
        assets=len(every),
        at_most=max(at_most, len(every)),
        destroyed=sum(each.harm is Harm.DESTROYED for each in every),
        lost_for_good=sum(each.fate is Fate.LOST for each in every),
        without_recovery=sum(each.is_without_recovery for each in every),
        unmapped=unmapped,
        score=total(every),
    )


def _worse(one: AssetBlast, other: AssetBlast) -> AssetBlast:
    values = {
        name: max(getattr(one, name), getattr(other, name)) for name in type(one).model_fields
    }
    return AssetBlast(**values)
