"""The words, marks and shapes of a report, one table each: fates, harms, decisions, kinds."""

from datetime import UTC, datetime
from typing import NamedTuple


class Word(NamedTuple):
    """What becomes of an asset: the mark is what tells fates apart where there is no colour."""

    mark: str
    short: str
    long: str


FATES: dict[str, Word] = {
    "lost": Word("✕", "lost for good", "holds data, goes, and nothing outside brings it back"),
    "undecided": Word("?", "not known", "could not be read or is not in the graph; counts as lost"),
    "returns": Word("↺", "comes back", "a way back outside the radius restores it"),
    "recreated": Word("+", "made again", "comes back from its definition, without data of its own"),
    "kept": Word("○", "stays", "is changed, orphaned or disabled, but stays"),
}

HARMS: dict[str, str] = {
    "destroyed": "destroyed",
    "changed": "changed",
    "orphaned": "orphaned",
    "disabled": "disabled",
    "unknown": "not known",
}

DOES: dict[str, str] = {
    "destroys": "destroys",
    "changes": "changes",
    "orphans": "orphans",
    "disables": "disables",
    "refuses": "refuses",
    "none": "leaves",
}

DECISIONS: dict[str, Word] = {
    "deny": Word("✕", "denied", "This plan is denied."),
    "hold": Word("…", "on hold", "This plan waits for what is still open."),
    "permit": Word("✓", "permitted", "This plan is permitted."),
}

SHAPES: dict[str, str] = {
    "table": "rectangle",
    "code": "tag",
    "part": "cut-rectangle",
    "store": "barrel",
    "recovery": "hexagon",
    "work": "octagon",
    "other": "round-rectangle",
}
"""Families of kinds and the shape each has in the graph."""

FAMILY_WORDS: dict[str, str] = {
    "table": "table",
    "code": "view, code",
    "part": "part, index",
    "store": "store, schema",
    "recovery": "way back",
    "work": "workload",
    "other": "other",
}

_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("recovery", ("snapshot", "backup", "recovery", "replica")),
    ("part", ("index", "constraint", "sequence", "policy", "version", "attachment", "grant")),
    ("code", ("view", "function", "procedure", "trigger", "rule", "type", "configmap", "secret")),
    (
        "store",
        (
            *("database", "schema", "bucket", "volume", "disk", "db_instance", "cluster"),
            *("namespace", "filesystem", "dynamodb", "storage", "catalog"),
        ),
    ),
    ("table", ("table", "partition", "collection", "topic", "queue")),
    (
        "work",
        (
            *("service", "deployment", "pod", "statefulset", "daemonset", "job", "ingress"),
            *("instance", "lambda", "machine", "container"),
        ),
    ),
)


def family(kind: str, recovery: bool) -> str:
    """Which shape an asset has; unknown kinds are `other`."""
    if recovery:
        return "recovery"
    words = kind.lower().rpartition(".")[2]
    return next((name for name, parts in _FAMILIES if any(p in words for p in parts)), "other")


def number(value: int | float) -> str:
    """A number with thin spaces between thousands, which no locale reads as a decimal mark."""
    text = f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else f"{value:,}"
    return text.replace(",", "\u202f")


def plural(count: int, noun: str) -> str:
    return f"{number(count)} {noun}" + ("" if count == 1 else "s")


def length(seconds: int) -> str:
    """A time in its largest unit that fits."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            value = f"{seconds / size:.3g}"
            return f"{value} {unit.removesuffix('s') if value == '1' else unit}"
    return f"{seconds} s"


def size(count: int) -> str:
    """Bytes in the unit that a person would choose."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.3g} {unit}"


def moment(text: str | None) -> str:
    """A time of the document for people, in UTC; what is no time stays as it is."""
    if text is None:
        return "at an unknown time"
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return text
    return f"{at:%Y-%m-%d %H:%M} UTC"
