"""A resource as a plan shows it, before and after, and what stands at a path through its blocks and lists."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Values:
    """One resource as a plan shows it; the mirrors `unknown` and `sensitive_…` mark with `true`."""

    before: Any
    after: Any
    unknown: Any = None
    sensitive_before: Any = None
    sensitive_after: Any = None
    configured: Collection[str] | None = None
    """The attributes that the configuration sets, where the plan shows it."""

    @property
    def known(self) -> Any:
        """What the resource is now, or what it will be when it is new."""
        return self.after if self.before is None else self.before

    @property
    def differ(self) -> bool:
        """Whether the plan shows something now that it does not show afterwards."""
        return self.before is not None and self.before != self.after


def leaves_true(value: Any) -> Iterator[str]:
    """The dotted paths of all that a mirror marks."""
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        path, current = stack.pop()
        match current:
            case True:
                yield path or "*"
            case dict():
                stack += [(f"{path}.{key}" if path else key, each) for key, each in current.items()]
            case list():
                stack += [
                    (f"{path}.{index}" if path else str(index), each)
                    for index, each in enumerate(current)
                ]


def is_marked(mirror: Any, attribute: str) -> bool:
    """Whether the mirror marks something at the path, above it or below it."""
    found: list[Any] = []
    current, rest = [mirror], attribute
    while rest:
        current = flattened(current)
        if any(each is True for each in current):
            return True
        current, whole, rest = _below(current, rest)
        found += whole
    return any(True for each in (*found, *current) for _ in leaves_true(each))


def leaves(value: Any, attribute: str) -> list[Any]:
    """All values at a path, through blocks and lists alike; what is null is not set."""
    found: list[Any] = []
    current, rest = [value], attribute
    while rest and current:
        current, whole, rest = _below(flattened(current), rest)
        found += whole
    return [each for each in flattened([*found, *current]) if each is not None]


def _below(values: list[Any], path: str) -> tuple[list[Any], list[Any], str]:
    """What stands under the first step of a path, and what stands under all of it, with the path that is left.

    The keys of a map may hold dots, as `retention.ms`.
    """
    step, _, rest = path.partition(".")
    maps = [each for each in values if isinstance(each, dict)]
    whole = [each[path] for each in maps if path in each] if rest else []
    return [each[step] for each in maps if step in each], whole, rest


def flattened(values: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        flat += flattened(value) if isinstance(value, list) else [value]
    return flat


def text(value: Any) -> str:
    return value.casefold() if isinstance(value, str) else canonical(value)


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
