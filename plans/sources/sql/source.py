"""SQL scripts: every statement is a change, a read, or opaque; none is dropped and none raises."""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...model import Artifact, Change, Problem, Reading, numbered
from .. import MAX_ARTIFACT_BYTES, Options
from .changes import ACTIONS, ASSET_TYPES, Finding, Lines, change

if TYPE_CHECKING:
    from .postgres.facts import DatabaseFacts

__all__ = ["ACTIONS", "ACTION_NAMES", "ASSET_TYPES", "DIALECTS", "MAX_CHANGES", "read"]

ACTION_NAMES = frozenset(ACTIONS)
DIALECTS = ("postgres", "mysql", "sqlite", "snowflake", "tsql", "bigquery")
MAX_CHANGES = 500_000


def read(file: str, text: str, options: Options) -> Reading:
    """The changes of a script in one of `DIALECTS`."""
    encoded = text.encode("utf-8", "surrogatepass")
    artifact = Artifact(kind="sql", file=file, sha256=hashlib.sha256(encoded).hexdigest())
    if options.dialect not in DIALECTS:
        known = ", ".join(DIALECTS)
        return _refused(artifact, f"`{options.dialect}` is no dialect read here; known are {known}")
    if len(encoded) > MAX_ARTIFACT_BYTES:
        return _refused(artifact, f"the script is larger than {MAX_ARTIFACT_BYTES} bytes")
    facts = None
    if options.facts:
        from .postgres.facts import facts_in

        facts = facts_in(options.facts)
    if isinstance(facts, str):
        return _refused(artifact, facts)
    lines = Lines(file, text)
    changes: list[Change] = []
    for finding, end in _findings(text, options.dialect, facts):
        if len(changes) == MAX_CHANGES:
            where = lines.position(finding.at, end)
            problem = Problem(
                message=f"the script makes more than {MAX_CHANGES} changes",
                file=file,
                line=where.line,
                column=where.column,
            )
            return Reading(artifact=artifact, changes=numbered(changes), problems=(problem,))
        changes.append(change(finding, lines.position(finding.at, end)))
    return Reading(artifact=artifact, changes=numbered(changes))


def _findings(
    text: str, dialect: str, facts: "DatabaseFacts | None"
) -> Iterable[tuple[Finding, int]]:
    # The parsers load only when a script is read.
    if dialect == "postgres":
        from .postgres.reader import read_postgres

        return read_postgres(text, facts)
    from .dialects.reader import read_other

    return read_other(text, dialect)


def _refused(artifact: Artifact, message: str) -> Reading:
    return Reading(
        artifact=artifact, changes=(), problems=(Problem(message=message, file=artifact.file),)
    )
