"""Files on the command line to one plan: each is read by its source, and what cannot be read stays a problem."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..plans.model import Artifact, Change, Identity, Plan, Problem, Reading, numbered
from ..plans.sources import MAX_ARTIFACT_BYTES, SOURCES, Options, Source, detect, source_named
from ..plans.taxonomy.tables import MAX_TABLE_LETTERS, taxonomies
from .common import Exit, plural, progress, read_file, stop

KINDS = [source.kind for source in SOURCES]
MAX_FILES = 10_000
TABLE = "taxonomy"
"""The kind of an artifact that is a user's table: no change stands in it, but it decides what changes mean."""


def read_plan(
    files: Sequence[str],
    kind: str | None,
    options: Options,
    author: Identity,
    environment: str,
    before: Sequence[str] = (),
) -> Plan:
    """One plan of all files, with the user's tables; `before` is the state from which they lead."""
    tables, own, problems = _own_tables(Path.cwd())
    options = replace(options, taxonomies=own)
    readings = _read_all(_texts(files), _texts(before), kind, options)
    changes: list[Change] = []
    for reading in readings:
        changes += reading.changes
        problems += reading.problems
    return Plan(
        author=author,
        environment=environment,
        artifacts=(*(reading.artifact for reading in readings), *tables),
        changes=numbered(changes),
        problems=tuple(problems),
    )


def summary(plan: Plan) -> str:
    files = [artifact for artifact in plan.artifacts if artifact.kind != TABLE]
    return f"{plural(len(files), 'file')}, {plural(len(plan.changes), 'change')}"


_SUFFIXES = frozenset({".json", ".sh", ".sql", ".yaml", ".yml"})
"""What is read from a folder; everything else has to be named."""

_Text = tuple[str, str]


def _read_all(
    files: list[_Text], before: list[_Text], kind: str | None, options: Options
) -> list[Reading]:
    """The readings in the order of the files, those of the state before first."""
    sources = [_source(*text, kind) for text in files]
    if before:
        return list(_comparing(files, sources, before, kind).read_together(files, options, before))
    together = {
        kind: iter(_named(kind).read_together(_of_kind(files, sources, kind), options))
        for kind in {source.kind for source in sources if source.compares}
    }
    pairs = list(zip(files, sources, strict=True))
    return [
        next(together[source.kind]) if source.compares else source.read(file, text, options)
        for (file, text), source in progress(pairs, len(pairs), "reading")
    ]


def _comparing(
    files: list[_Text], sources: list[Source], before: list[_Text], kind: str | None
) -> Source:
    """The one source of all files on both sides."""
    source = _source(*before[0], kind)
    if not source.compares:
        able = ", ".join(each.kind for each in SOURCES if each.compares)
        stop(Exit.USAGE, f"{before[0][0]}: is {source.kind}; only {able} can be compared")
    others = [(file, each) for (file, _), each in zip(files, sources, strict=True)]
    others += [(file, _source(file, text, kind)) for file, text in before]
    for file, other in others:
        if other is not source:
            stop(Exit.USAGE, f"{file}: is {other.kind}, and --before is {source.kind}")
    return source


def _of_kind(files: list[_Text], sources: list[Source], kind: str) -> list[_Text]:
    return [text for text, source in zip(files, sources, strict=True) if source.kind == kind]


def _named(kind: str) -> Source:
    source = source_named(kind)
    assert source is not None, kind
    return source


def _source(file: str, text: str, kind: str | None) -> Source:
    source = source_named(kind) if kind else detect(file, text)
    if source is None:
        kinds = ", ".join(KINDS)
        stop(Exit.USAGE, f"{file}: cannot tell what this is; say it with --as ({kinds})")
    return source


def _texts(files: Sequence[str]) -> list[_Text]:
    """Files and what stands in them; a folder stands for the artifacts in it and below."""
    found: list[str] = []
    for file in files:
        found += _inside(file) if file != "-" and Path(file).is_dir() else [file]
        if len(found) > MAX_FILES:
            stop(Exit.INVALID, f"{file}: there are more than {MAX_FILES:,} files")
    return [(file, read_file(file, MAX_ARTIFACT_BYTES)) for file in found]


def _inside(folder: str) -> list[str]:
    found = sorted(
        str(path)
        for path in Path(folder).rglob("*")
        if path.suffix in _SUFFIXES and (path.is_file() or path.is_symlink())
    )
    if not found:
        stop(
            Exit.USAGE, f"{folder}: there is no {', '.join(sorted(_SUFFIXES))} file in this folder"
        )
    return found


def _own_tables(
    folder: Path,
) -> tuple[list[Artifact], dict[str, object], list[Problem]]:
    """The tables of the nearest `.interlock/taxonomy`, from a folder upwards."""
    for place in (folder, *folder.parents):
        tables = place / ".interlock" / "taxonomy"
        if tables.is_dir():
            texts = [
                (str(path), read_file(str(path), 4 * MAX_TABLE_LETTERS))
                for path in sorted(tables.iterdir())
                if path.suffix in (".yaml", ".yml")
            ]
            own, problems = taxonomies(texts)
            artifacts = [
                Artifact(
                    kind=TABLE,
                    file=Path(file).name,
                    sha256=hashlib.sha256(text.encode("utf-8")).hexdigest(),
                )
                for file, text in texts
            ]
            return artifacts, dict(own), list(problems)
    return [], {}, []
