"""What the SQL readers share: the closed lists of actions and asset types, and findings."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from ...model import Asset, Change, Effect, Position, Reversibility, RowBasis, Selector

ACTIONS = {
    "sql.read": "reads rows or settings",
    "sql.insert": "adds rows, or changes them where they conflict",
    "sql.update": "changes rows",
    "sql.delete": "deletes rows",
    "sql.merge": "adds, changes or deletes rows by comparing them with others",
    "sql.truncate": "empties a table",
    "sql.copy_in": "loads rows from a file or the client",
    "sql.copy_out": "writes rows to a file or the client",
    "sql.create": "makes an object",
    "sql.alter": "changes an object",
    "sql.rename": "gives an object another name or schema",
    "sql.drop": "drops an object, or a column or constraint of one",
    "sql.grant": "hands out rights",
    "sql.revoke": "takes rights away",
    "sql.set": "changes a setting of the session, a role, a database or the server",
    "sql.call": "calls a routine or runs a block of code",
    "sql.run_program": "runs code outside the database's own languages",
    "sql.maintain": "maintains storage and statistics",
    "sql.transaction": "controls transactions, cursors, locks and prepared statements",
    "sql.unread": "could not be read",
}

ASSET_TYPES = frozenset(
    {
        "Table",
        "View",
        "Schema",
        "Database",
        "Role",
        "Routine",
        "Setting",
        "DatabaseObject",
        "Unread",
    }
)

# Losing one of these loses data; the others come back from their definition.
STATEFUL_TYPES = frozenset({"Table", "Schema", "Database"})
STATEFUL_KINDS = frozenset({"sequence", "tablespace"})


@dataclass(frozen=True, slots=True)
class Finding:
    """A change without id, file and excerpt; `at` is its offset in the artifact, in code points."""

    action: str
    resource: Asset
    effect: Effect
    summary: str
    at: int
    selector: Selector = Selector.ONE
    reversibility: Reversibility = Reversibility.REVERSIBLE
    rows: int | None = None
    row_basis: RowBasis | None = None
    opaque: str | None = None
    operation: str | None = None
    """The statement with the words that decide how far it goes, such as `DROP TABLE CASCADE`."""


def asset(type: str, dialect: str, kind: str, id: str, name: str | None = None) -> Asset:
    return Asset(
        type=type,
        id=id,
        name=id if name is None else name,
        kind=f"{dialect}.{kind}",
        stateful=type in STATEFUL_TYPES or kind in STATEFUL_KINDS,
    )


def unread(dialect: str, reason: str, at: int) -> Finding:
    """What stands at `at` is not understood, so it may do anything."""
    return Finding(
        action="sql.unread",
        resource=asset("Unread", dialect, "unread", "unread"),
        effect=Effect.UNKNOWN,
        summary=f"cannot be read: {reason}",
        at=at,
        selector=Selector.UNKNOWN,
        reversibility=Reversibility.UNKNOWN,
        opaque=reason,
    )


def shortened(text: str, length: int = 200) -> str:
    """The beginning of a text that may quote all of its input."""
    return text if len(text) <= length else text[: length - 1] + "…"


def joined_name(parts: Iterable[str]) -> str:
    """`schema.name`; a part is quoted only where it would be read as two."""
    return ".".join(
        '"' + part.replace('"', '""') + '"' if "." in part or '"' in part else part
        for part in parts
    )


class Lines:
    """Positions in one text, by offset."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._starts = [0]
        start = text.find("\n")
        while start >= 0:
            self._starts.append(start + 1)
            start = text.find("\n", start + 1)

    def position(self, at: int, end: int) -> Position:
        line = bisect_right(self._starts, at)
        return Position(
            file=self._file,
            line=line,
            column=at - self._starts[line - 1] + 1,
            text=_excerpt(self._text[at : min(end, at + 4 * _EXCERPT)]),
        )


_EXCERPT = 120


def _excerpt(text: str) -> str:
    line = " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
    return shortened(line, _EXCERPT)


def change(finding: Finding, position: Position) -> Change:
    return Change(
        id="0",
        action=finding.action,
        resource=finding.resource,
        effect=finding.effect,
        selector=finding.selector,
        reversibility=finding.reversibility,
        rows=finding.rows,
        row_basis=finding.row_basis,
        opaque=finding.opaque,
        operation=finding.operation,
        summary=finding.summary,
        source=position,
    )
