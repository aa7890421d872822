"""From the parameters of a cloud call to an effect: what a row of the tables says, and what it cannot read."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, assert_never

from ...model import Effect, Reversibility, Selector
from ...taxonomy.cloud import Case, Condition, Outcome, Row, Test, spelled
from ..verdicts import Verdict, worst


class Unreadable(Exception):
    """A parameter that a rule needs has a shape the rule cannot read."""

    def __init__(self, parameter: str) -> None:
        super().__init__(parameter)
        self.reason = f"the parameter `{parameter[:80]}` decides, and it could not be read"


UNRESOLVED = object()
"""The value of a parameter that is decided elsewhere, as a shell variable or a file."""


def opaque(reason: str) -> Verdict:
    return Verdict(Effect.UNKNOWN, Selector.UNKNOWN, Reversibility.UNKNOWN, (), reason)


def verdict(outcome: Outcome, *notes: str) -> Verdict:
    return Verdict(
        outcome.effect,
        outcome.selector,
        outcome.reversibility,
        tuple(note for note in notes if note),
    )


def gravest(verdicts: list[Verdict]) -> Verdict:
    """The most severe, and of those with one effect the one that reaches most and can be undone least."""
    selectors, ways_back = list(Selector), list(Reversibility)
    return worst(
        sorted(
            verdicts,
            key=lambda each: (
                selectors.index(each.selector),
                ways_back.index(each.reversibility),
            ),
            reverse=True,
        )
    )


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one call; a name counts without case and dashes, as every tool spells it in its own way."""

    values: Mapping[str, Any]
    unresolved: bool = False
    """There are more than could be resolved, as after an unknown word of a command line."""
    hidden: str | None = None
    """Why the parameters are not there to be read at all."""

    def at(self, path: str) -> list[Any]:
        """Everything that stands at the path, through objects and lists; nothing when it is not given."""
        if self.hidden is not None:
            raise Unreadable(path)
        current: list[Any] = [self.values]
        for step in path.split("."):
            children: list[Any] = []
            for each in _elements(current):
                each = parsed(each)
                if each is None:
                    continue
                if each is UNRESOLVED or not isinstance(each, Mapping):
                    raise Unreadable(path)
                children += _children(each, step)
            current = children
        if not current and self.unresolved:
            raise Unreadable(path)
        return current

    def texts(self, path: str) -> list[str]:
        """The texts and numbers at the path."""
        return [
            text for each in _elements(self.at(path)) if (text := _scalar(each, path)) is not None
        ]


def judge(row: Row, parameters: Parameters) -> Verdict:
    """The worst of what the row says of a call with these parameters."""
    try:
        verdicts = [_basic(row, parameters), *on_top(row.also, parameters)]
    except Unreadable as unreadable:
        return replace(opaque(unreadable.reason), notes=(row.why,) if row.why else ())
    found = gravest(verdicts)
    if row.opaque is None:
        return found
    return Verdict(
        found.effect, found.selector, found.reversibility, found.notes, found.opaque or row.opaque
    )


def everywhere(cases: tuple[Case, ...], parameters: Parameters) -> list[Verdict]:
    """What plain parameter names mean in a call of any kind; one that cannot be read is opaque."""
    if parameters.hidden is not None:
        return [opaque(parameters.hidden)]
    verdicts: list[Verdict] = []
    for case in cases:
        try:
            verdicts += on_top((case,), parameters)
        except Unreadable as unreadable:
            verdicts.append(opaque(unreadable.reason))
    return verdicts


def _basic(row: Row, parameters: Parameters) -> Verdict:
    for case in row.cases:
        if all(holds(condition, parameters, every=True) for condition in case.when):
            return verdict(case.does, case.why)
    return verdict(row.does, row.why)


def on_top(cases: tuple[Case, ...], parameters: Parameters) -> list[Verdict]:
    """What each case says whose conditions hold; raises `Unreadable` where that cannot be told."""
    return [
        verdict(case.does, case.why)
        for case in cases
        if all(holds(condition, parameters) for condition in case.when)
    ]


_ON = frozenset({"true", "enabled", "enable", "on", "yes", "1"})
_OFF = frozenset({"false", "disabled", "disable", "off", "no", "0"})


def holds(condition: Condition, parameters: Parameters, *, every: bool = False) -> bool:
    """Whether the condition holds, for one value there or for every; raises `Unreadable` where that cannot be told."""
    path, number = condition.parameter, condition.number or 0
    found = parameters.at(path)
    match condition.test:
        case Test.PRESENT:
            return any(not _is_empty(each) for each in found)
        case Test.ABSENT:
            return all(_is_empty(each) for each in found)
        case Test.EMPTIED:
            return bool(found) and all(_is_empty(each) for each in found)
        case Test.ON:
            return _some(_switches(found, path), every)
        case Test.OFF:
            return _some([not each for each in _switches(found, path)], every)
        case Test.NOT_ON:
            return not any(_switches(found, path))
        case Test.NOT_OFF:
            return all(_switches(found, path))
        case Test.IS | Test.HAS:
            texts = [text for each in _elements(found) if (text := _scalar(each, path)) is not None]
            matching = [any(_matches(text, value) for value in condition.values) for text in texts]
            return _some(matching, every and condition.test is Test.IS)
        case Test.EVERY:
            return _each_says(path, condition.values, parameters)
        case Test.KEYS:
            return any(
                _matches(name, value) for name in _names(found, path) for value in condition.values
            )
        case Test.BELOW:
            return any(each < number for each in _numbers(found, path))
        case Test.AT_LEAST:
            return _some([each >= number for each in _numbers(found, path)], every)
        case _:
            assert_never(condition.test)


def _names(values: list[Any], path: str) -> Iterator[str]:
    for value in _elements(values):
        if value is UNRESOLVED or not isinstance(value, Mapping | None):
            raise Unreadable(path)
        yield from map(str, value or ())


def _each_says(path: str, values: tuple[str, ...], parameters: Parameters) -> bool:
    above, _, last = path.rpartition(".")
    holders = list(_elements(parameters.at(above) if above else [parameters.values]))
    for holder in holders:
        if holder is UNRESOLVED or not isinstance(holder, Mapping):
            raise Unreadable(path)
        texts = [_scalar(each, path) for each in _elements(_children(holder, last))]
        if not texts or not all(
            text is not None and any(_matches(text, value) for value in values) for text in texts
        ):
            return False
    return bool(holders)


def _some(answers: list[bool], every: bool) -> bool:
    return bool(answers) and (all(answers) if every else any(answers))


def _switches(values: list[Any], path: str) -> list[bool]:
    switches: list[bool] = []
    for value in _elements(values):
        text = _scalar(value, path)
        if text is None:
            continue
        if text.casefold() not in _ON | _OFF:
            raise Unreadable(path)
        switches.append(text.casefold() in _ON)
    return switches


def _numbers(values: list[Any], path: str) -> list[float]:
    numbers: list[float] = []
    for value in _elements(values):
        text = _scalar(value, path)
        if text is None:
            continue
        try:
            number = float(text.removesuffix("s") if text[:1].isdigit() else text)
        except ValueError:
            raise Unreadable(path) from None
        if math.isnan(number):
            raise Unreadable(path)
        numbers.append(number)
    return numbers


def _scalar(value: Any, path: str) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 200:
            raise Unreadable(path)
        case int() | float():
            return repr(value)
        case str():
            return value.strip()
        case _:
            raise Unreadable(path)


def _matches(text: str, pattern: str) -> bool:
    return fnmatchcase(text.casefold(), pattern.casefold())


def _is_empty(value: Any) -> bool:
    return value is None or (value is not UNRESOLVED and value in ("", {}, [], ()))


def _elements(values: list[Any]) -> Iterator[Any]:
    """The values with lists opened; a list in text, as a command line has it, is opened too."""
    stack = list(reversed(values))
    while stack:
        value = stack.pop()
        value = parsed(value)
        if isinstance(value, list | tuple):
            stack += reversed(value)
        else:
            yield value


def _children(value: Mapping[str, Any], step: str) -> list[Any]:
    if step == "*":
        return list(value.values())
    wanted = spelled(step)
    children: list[Any] = []
    for key, each in value.items():
        name = str(key)
        if spelled(name) == wanted:
            children.append(each)
        elif name[:3].casefold() in ("no-", "no_") and spelled(name[3:]) == wanted:
            # `--no-deletion-protection` of a command line.
            children.append(False if each in (True, None, "") else UNRESOLVED)
    return children


def parsed(value: Any) -> Any:
    """JSON that stands in a text, as many services and every command line carry it; else the value itself."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return UNRESOLVED


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("readers disagree which of two values for one key counts")
    return value
