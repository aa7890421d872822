"""Fields of objects, and whether a guard on one of them falls between two states."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...taxonomy.kubernetes import ANY_DEPTH, Guard, Loss


def at(value: Any, path: tuple[str, ...]) -> list[Any]:
    """What stands at a path, going through every list on the way; nothing where the path ends early."""
    current = [value]
    for step in path:
        if step == ANY_DEPTH:
            current = list(_all_mappings(current))
            continue
        current = [
            each[step]
            for each in _flat(current)
            if isinstance(each, dict) and each.get(step) is not None
        ]
    return _flat(current)


def _all_mappings(values: list[Any]) -> Iterator[Any]:
    """Every mapping in the values, those in others too."""
    left = [*values]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield value
            left += value.values()
        elif isinstance(value, list):
            left += value


def field(value: Any, *path: str) -> Any:
    """The one value at a path of mappings, or `None`."""
    for step in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


def falls(guard: Guard, before: Any, after: Any) -> bool:
    """Whether the guard stood before and does not after."""
    old, new = at(before, guard.path), at(after, guard.path)
    if guard.lost_when is Loss.CHANGED:
        # An empty selector selects as much as none.
        old, new = ([each for each in values if each != {}] for values in (old, new))
    if guard.absent is not None:
        old, new = old or [guard.absent], new or [guard.absent]
    one, other = field(before, *guard.path), field(after, *guard.path)
    if isinstance(one, dict) and guard.lost_when in _OF_MAPPINGS:
        return _falls_in_mapping(guard.lost_when, one, other if isinstance(other, dict) else {})
    match guard.lost_when:
        case Loss.TURNED_OFF:
            return _count_on(new) < _count_on(old)
        case Loss.TURNED_ON:
            return _count_on(new) > _count_on(old)
        case Loss.LOWERED:
            return bool(old) and _is_lower(new, old)
        case Loss.RAISED:
            return bool(new) and (not old or _is_lower(old, new))
        case Loss.REMOVED:
            return not _identities(old) <= _identities(new)
        case Loss.GONE:
            return bool(old) and not new
        case Loss.ADDED:
            return not _identities(new) <= _identities(old) | set(guard.values)
        case Loss.BECOMES:
            return _count_of(guard, new) > _count_of(guard, old)
        case Loss.LEAVES:
            return _count_of(guard, new) < _count_of(guard, old)
        case Loss.CHANGED:
            return bool(old) and sorted(map(canonical, old)) != sorted(map(canonical, new))
        case Loss.KEY_LOST:
            return False


def may_have_fallen(guard: Guard, after: Any) -> bool:
    """Whether the guard is down after a change, where what stood before is not known.

    Only what the object says itself counts: a field that it leaves out may well stay as it is.
    """
    new = at(after, guard.path)
    match guard.lost_when:
        case Loss.TURNED_ON:
            return _count_on(new) > 0
        case Loss.TURNED_OFF:
            return _count_on(new) < len(new)
        case Loss.BECOMES:
            return _count_of(guard, new) > 0
        case Loss.LEAVES:
            return bool(new) and _count_of(guard, new) < len(new)
        case Loss.LOWERED:
            return any(_number(each) == 0 for each in new)
        case Loss.ADDED | Loss.RAISED | Loss.REMOVED | Loss.GONE | Loss.CHANGED | Loss.KEY_LOST:
            return False


def stands(guard: Guard, value: Any) -> bool:
    """Whether the guard protects an object now, as far as its values tell."""
    values = at(value, guard.path)
    match guard.lost_when:
        case Loss.LEAVES:
            return _count_of(guard, values) > 0
        case Loss.TURNED_OFF:
            return _count_on(values) > 0
        case Loss.REMOVED | Loss.GONE:
            return bool(values)
        case (
            Loss.TURNED_ON
            | Loss.LOWERED
            | Loss.RAISED
            | Loss.ADDED
            | Loss.BECOMES
            | Loss.CHANGED
            | Loss.KEY_LOST
        ):
            return False


def word(value: Any) -> str:
    """A scalar as manifests write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, default=str)


# Kubernetes' reader takes `y` for true, other readers for a letter.
_ON = frozenset({"true", "yes", "on", "1", "y"})
_QUANTITY = re.compile(r"([-+]?\d{1,30}(?:\.\d{1,30})?)(?:e(\d{1,2}))?(%|[numkMGTPE]|[KMGTPE]i)?")
_DURATION = re.compile(r"(?:\d{1,12}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|m|h|d|w|y))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w|y)")
_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600,
    "d": 86400, "w": 604800, "y": 31536000,
}  # fmt: skip
_SUFFIX = {
    "": 1, "%": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "P": 1e15, "E": 1e18, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50,
    "Ei": 2**60,
}  # fmt: skip


def _flat(values: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for each in values:
        flat += each if isinstance(each, list) else [each]
    return flat


def _count_on(values: list[Any]) -> int:
    return sum(word(each).lower() in _ON for each in values)


def _count_of(guard: Guard, values: list[Any]) -> int:
    return sum(word(each) in guard.values for each in values)


_OF_MAPPINGS = frozenset({Loss.REMOVED, Loss.LOWERED, Loss.RAISED, Loss.KEY_LOST})


def _falls_in_mapping(loss: Loss, old: dict[str, Any], new: dict[str, Any]) -> bool:
    """How a mapping falls: as a whole, by a key, or by what stands under one."""
    match loss:
        case Loss.REMOVED:
            return not new
        case Loss.LOWERED:
            return any(_is_lower([new[key]] if key in new else [], [old[key]]) for key in old)
        case Loss.RAISED:
            return any(key not in new or _is_lower([old[key]], [new[key]]) for key in old)
        case _:
            return not old.keys() <= new.keys()


def _identities(values: list[Any]) -> set[str]:
    """Elements by their name where they have one, else by all they say."""
    return {
        each["name"]
        if isinstance(each, dict) and isinstance(each.get("name"), str)
        else each
        if isinstance(each, str)
        else canonical(each)
        for each in values
    }


def _is_lower(low: list[Any], high: list[Any]) -> bool:
    """Whether a number is smaller than the one in its place, or the two cannot be compared and differ."""
    if len(low) < len(high):
        return True
    return any(_is_lower_value(*pair) for pair in zip(low, high, strict=False))


def _is_lower_value(low: Any, high: Any) -> bool:
    one, other = _number(low), _number(high)
    units = {word(each).endswith("%") for each in (low, high)}
    if one is None or other is None or len(units) > 1:
        return canonical(low) != canonical(high)
    return one < other


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    text = word(value)
    if match := _QUANTITY.fullmatch(text):
        return float(match[1]) * 10.0 ** int(match[2] or 0) * _SUFFIX[match[3] or ""]
    if _DURATION.fullmatch(text):
        return sum(float(count) * _SECONDS[unit] for count, unit in _DURATION_PART.findall(text))
    return None
