"""The values of a Helm chart inside a Terraform resource: a table from dotted paths to what stands there."""

from collections.abc import Iterator
from typing import Any

from ..kubernetes.yaml import documents
from .values import flattened

CHART_VALUES = ("values", "set", "set_sensitive")
Settings = dict[str, list[Any]]
"""Paths and the one value at each, or none where it is null."""


def chart_settings(value: Any) -> Settings | str:
    """What `values` and `set` say together, the later over the earlier, or why that cannot be read."""
    fields = value if isinstance(value, dict) else {}
    settings: Settings = {}
    for written in flattened([fields.get("values")]):
        if not isinstance(written, str | None):
            return "the values of the chart are no text"
        for document in documents(written or ""):
            if document.fault is not None or not isinstance(document.value, dict | None):
                return "the values of the chart could not be read"
            settings = _over(settings, dict(_leaves(document.value or {})))
    by_path = [each for key in CHART_VALUES[1:] for each in flattened([fields.get(key)])]
    return _over(
        settings,
        {
            name.replace("\\.", "."): [each.get("value")]
            for each in by_path
            if isinstance(each, dict) and isinstance(name := each.get("name"), str)
        },
    )


def _leaves(value: dict[Any, Any]) -> Iterator[tuple[str, list[Any]]]:
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        path, current = stack.pop()
        if isinstance(current, dict) and current:
            stack += [
                (f"{path}.{key}" if path else str(key), each) for key, each in current.items()
            ]
        elif path:
            yield path, [] if current is None else [current]


def _over(settings: Settings, later: Settings) -> Settings:
    """What stands at a path takes the place of all that stood below it."""
    kept = {path: each for path, each in settings.items() if not _above(path) & later.keys()}
    return {**kept, **later}


def _above(path: str) -> set[str]:
    steps = path.split(".")
    return {".".join(steps[:count]) for count in range(1, len(steps))}
