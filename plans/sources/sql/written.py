"""What a change of rows is in a plan, whichever parser saw it."""

from dataclasses import replace

from ...model import Asset, Effect, Reversibility, RowBasis, Selector
from .changes import Finding
from .selector.reach import ONCE, Reach, times

_VERBS = {"sql.update": "updates", "sql.delete": "deletes from"}


def rows_changed(action: str, resource: Asset, reach: Reach, at: int) -> Finding:
    """An UPDATE or DELETE that reaches so much."""
    none = reach.selector == Selector.NONE
    rows = 0 if none else reach.rows
    basis = RowBasis.EXACT if none else None if rows is None else RowBasis.UPPER_BOUND
    return Finding(
        action,
        resource,
        Effect.UPDATE if action == "sql.update" else Effect.DELETE_DATA,
        f"{_VERBS[action]} {_amount(reach)} `{resource.id}`",
        at,
        reach.selector,
        Reversibility.REVERSIBLE if none else _way_back(reach),
        rows=rows,
        row_basis=basis,
    )


def _way_back(reach: Reach) -> Reversibility:
    wide = reach.selector in (Selector.ALL, Selector.UNKNOWN)
    return Reversibility.IRREVERSIBLE if wide else Reversibility.RECOVERABLE


def _amount(reach: Reach) -> str:
    match reach.selector:
        case Selector.NONE:
            return "no row of"
        case Selector.ONE:
            return "one row of"
        case Selector.SOME:
            return "some rows of" if reach.rows is None else f"at most {reach.rows} rows of"
        case Selector.ALL:
            return "every row of"
        case _:
            return "an unknown part of"


def rows_added(
    resource: Asset,
    at: int,
    *,
    rows: int | None = None,
    is_exact: bool = True,
    updates: bool = False,
    replaces: bool = False,
    overwrites: bool = False,
) -> Finding:
    """An INSERT, with what becomes of the rows that conflict or were there."""
    amount = "rows" if rows is None else "one row" if rows == 1 else f"{rows} rows"
    basis = None if rows is None else RowBasis.EXACT if is_exact else RowBasis.UPPER_BOUND
    finding = Finding(
        "sql.insert",
        resource,
        Effect.CREATE,
        f"inserts {amount} into `{resource.id}`",
        at,
        Selector.ONE if rows == 1 else Selector.SOME,
        rows=rows,
        row_basis=basis,
    )
    if overwrites:
        return replace(
            finding,
            effect=Effect.DELETE_DATA,
            selector=Selector.ALL,
            reversibility=Reversibility.IRREVERSIBLE,
            summary=f"{finding.summary}, in the place of every row there",
            rows=None,
            row_basis=None,
        )
    if replaces:
        # Without a bound, the rows that conflict may be all of them.
        effect, what = Effect.DELETE_DATA, "deleting"
    elif updates:
        effect, what = Effect.UPDATE, "updating"
    else:
        return finding
    return replace(
        finding,
        effect=effect,
        reversibility=Reversibility.RECOVERABLE,
        summary=f"{finding.summary}, {what} those that conflict",
    )


def rows_merged(
    resource: Asset, reach: Reach, at: int, *, deletes: bool, updates: bool, unmatched: bool
) -> Finding:
    """A MERGE by the worst of its branches; `unmatched` where one changes rows that no source row matches."""
    if unmatched or reach.selector == Selector.NONE:
        # Which rows no source row matches is the source's to say; an empty source matches none.
        reach = Reach(Selector.UNKNOWN)
    effect, verb = Effect.CREATE, "inserts into"
    if deletes:
        effect, verb = Effect.DELETE_DATA, "deletes from"
    elif updates:
        effect, verb = Effect.UPDATE, "updates"
    adds = effect == Effect.CREATE
    return Finding(
        "sql.merge",
        resource,
        effect,
        f"merges: {verb} `{resource.id}`",
        at,
        Selector.SOME if adds else reach.selector,
        Reversibility.REVERSIBLE if adds else _way_back(reach),
    )


def repeated(finding: Finding, rounds: Reach) -> Finding:
    """A change of one thing that each round of a loop makes to another."""
    if rounds == ONCE or finding.selector != Selector.ONE or finding.effect == Effect.READ:
        return finding
    reach = times(rounds, ONCE)
    basis = None if reach.rows is None else RowBasis.UPPER_BOUND
    return replace(finding, selector=reach.selector, rows=reach.rows, row_basis=basis)


def weighed(finding: Finding, *, is_system: bool, is_new: bool) -> Finding:
    """The script's own table holds nothing older; the system's own tables hold everything."""
    if is_system and finding.effect != Effect.READ:
        return replace(
            finding,
            effect=Effect.ESCALATE,
            reversibility=Reversibility.IRREVERSIBLE,
            summary=f"{finding.summary}, which is a system catalog",
        )
    if is_new and finding.effect in (Effect.DELETE_DATA, Effect.UPDATE):
        return replace(
            finding,
            effect=Effect.UPDATE,
            selector=min(finding.selector, Selector.ONE, key=_LEAST.index),
            reversibility=Reversibility.REVERSIBLE,
            summary=f"{finding.summary}, which this script made",
        )
    return finding


_LEAST = list(Selector)


def matters(finding: Finding) -> bool:
    """Whether it is more than a read that was understood."""
    return finding.effect != Effect.READ or finding.opaque is not None
