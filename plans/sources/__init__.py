"""The sources: one file each, one row each. A source reads an artifact into changes and never raises on bad input."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module

from ..model import Reading

MAX_ARTIFACT_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """What a source may be told beside the artifact itself."""

    dialect: str = "postgres"
    facts: Mapping[str, object] = field(default_factory=dict)


Reader = Callable[[str, str, Options], Reading]
"""`(file, text, options) → Reading`."""


@dataclass(frozen=True, slots=True)
class Source:
    """`kind` names the source on the command line; `looks_like` says whether a file is one of its own."""

    kind: str
    summary: str
    module: str
    looks_like: Callable[[str, str], bool]

    def actions(self) -> frozenset[str]:
        """The names of every action the source can give a change."""
        names: frozenset[str] = import_module(f".{self.module}", __package__).ACTION_NAMES
        return names

    def read(self, file: str, text: str, options: Options) -> Reading:
        reader: Reader = import_module(f".{self.module}", __package__).read
        return reader(file, text, options)


def _is_sql(file: str, text: str) -> bool:
    return file.endswith(".sql")


def _is_terraform(file: str, text: str) -> bool:
    return file.endswith((".json", ".tfplan")) or text.lstrip()[:1] == "{"


SOURCES: tuple[Source, ...] = (
    Source("sql", "SQL scripts and migrations", "sql", _is_sql),
    Source(
        "terraform",
        "`terraform show -json` and `tofu show -json` plans",
        "terraform",
        _is_terraform,
    ),
)


def source_named(kind: str) -> Source | None:
    return next((source for source in SOURCES if source.kind == kind), None)


def detect(file: str, text: str) -> Source | None:
    """The first source that takes the file for one of its own."""
    return next((source for source in SOURCES if source.looks_like(file, text)), None)
