"""SQL inside a cloud call: the SQL source reads it, and its changes stand beside the call's own."""

from dataclasses import replace

from ...model import Change, Effect, Position, Reversibility, Selector
from ...taxonomy.cloud import Row
from .. import Options
from ..verdicts import Verdict
from .rules import Parameters, Unreadable, gravest, on_top, opaque


def carries_sql(row: Row | None, found: Verdict) -> bool:
    """Whether there is SQL to be read; a case of the row may say that this call only reads or adds."""
    return bool(row and row.sql) and found.effect not in (Effect.READ, Effect.CREATE)


def sql_changes(
    row: Row, parameters: Parameters, found: Verdict, at: Position
) -> tuple[list[Change], Verdict]:
    """The changes of every statement, and the verdict on the call itself, which only carries them."""
    changes: list[Change] = []
    try:
        texts = [text for path in row.sql for text in parameters.texts(path)]
    except Unreadable as unreadable:
        return [], opaque(unreadable.reason)
    if not texts:
        return [], opaque("the call names no SQL")
    for text in texts:
        readings = [_read(text, dialect, at) for dialect in row.dialects]
        if any(reading is None for reading in readings):
            return [], opaque("its SQL could not be read")
        first = readings[0] or []
        if any(_said(first) != _said(other or []) for other in readings[1:]):
            return [], opaque(f"its SQL means different things in {' and '.join(row.dialects)}")
        changes += first
    carried = Verdict(
        Effect.READ,
        Selector.SOME,
        Reversibility.REVERSIBLE,
        (*found.notes, "carries the SQL of the next changes"),
    )
    try:
        beside = on_top(row.also, parameters)
    except Unreadable as unreadable:
        return changes, opaque(unreadable.reason)
    return changes, gravest([replace(carried, opaque=found.opaque), *beside])


def _read(text: str, dialect: str, at: Position) -> list[Change] | None:
    from ..sql import source  # The SQL parsers load only when there is SQL.

    reading = source.read(at.file, text, Options(dialect=dialect))
    if reading.problems or not reading.changes:
        return None
    return [change.model_copy(update={"id": "", "source": at}) for change in reading.changes]


def _said(changes: list[Change]) -> list[tuple[str, Effect, Selector, str]]:
    return [(each.action, each.effect, each.selector, each.resource.name) for each in changes]
