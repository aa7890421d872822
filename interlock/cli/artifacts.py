"""Files on the command line to one plan: each is read by its source, and what cannot be read stays a problem."""

from collections.abc import Sequence

from ..plans.model import Change, Identity, Plan, Problem, Reading, numbered
from ..plans.sources import MAX_ARTIFACT_BYTES, SOURCES, Options, detect, source_named
from .common import Exit, plural, progress, read_file, stop

KINDS = [source.kind for source in SOURCES]


def read_plan(
    files: Sequence[str], kind: str | None, options: Options, author: Identity, environment: str
) -> Plan:
    """One plan of all files."""
    readings = [_read(file, kind, options) for file in progress(files, len(files), "reading")]
    changes: list[Change] = []
    problems: list[Problem] = []
    for reading in readings:
        changes += reading.changes
        problems += reading.problems
    return Plan(
        author=author,
        environment=environment,
        artifacts=tuple(reading.artifact for reading in readings),
        changes=numbered(changes),
        problems=tuple(problems),
    )


def _read(file: str, kind: str | None, options: Options) -> Reading:
    text = read_file(file, MAX_ARTIFACT_BYTES)
    source = source_named(kind) if kind else detect(file, text)
    if source is None:
        kinds = ", ".join(KINDS)
        stop(Exit.USAGE, f"{file}: cannot tell what this is; say it with --as ({kinds})")
    return source.read(file, text, options)


def summary(plan: Plan) -> str:
    return f"{plural(len(plan.artifacts), 'file')}, {plural(len(plan.changes), 'change')}"
