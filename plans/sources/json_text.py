"""JSON text to values and places; what two readers could read differently is a fault."""

import json
import math
import re
from dataclasses import dataclass, field, replace
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed leaves it out.
from typing import Any

MAX_DEPTH = 256
MAX_PARTS = 50_000


@dataclass(frozen=True, slots=True)
class Part:
    """One element of a listed array and its place: of its `address`, else of its start."""

    value: Any
    offset: int


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON value; of an object also where its keys stand, and the parts of listed arrays."""

    value: Any
    keys: dict[str, int] = field(default_factory=dict)
    parts: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    ambiguous: "Fault | None" = None
    """A key that stands twice in one object: read here is the last, elsewhere maybe the first."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the text is not JSON that every reader reads alike."""

    message: str
    offset: int


def decode(text: str, listed: frozenset[str], path: tuple[str, ...] = ()) -> Document | Fault:
    """The object under `path` in the one JSON value that is the whole text."""
    reader = _Reader(text, listed)
    start = 1 if text.startswith("\ufeff") else 0
    try:
        document, end = reader.document(start, path)
        if end != len(text):
            return Fault("more text follows the end of the JSON value", end)
    except json.JSONDecodeError as error:
        return Fault(f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]}", error.pos)
    except RecursionError:
        return Fault(_TOO_DEEP, start)
    except _TooMany as too_many:
        return Fault(too_many.message, too_many.offset)
    except _Refused as refused:
        return Fault(refused.message, _first_place(refused.token, text))
    if _is_too_deep(document.value):
        return Fault(_TOO_DEEP, start)
    if reader.twice is None:
        return document
    message = (
        f"the key `{reader.twice[:80]}` stands twice in one object: readers disagree which counts"
    )
    return replace(document, ambiguous=Fault(message, _second_place(reader.twice, text)))


class Lines:
    """From offsets to lines and columns, both counted from 1, columns in code points.

    Offsets mostly come in growing order, so each question goes on where the last one ended.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._offset = 0
        self._line = 1
        self._start = 0

    def at(self, offset: int) -> tuple[int, int]:
        if offset < self._offset:
            self._offset, self._line, self._start = 0, 1, 0
        self._line += self._text.count("\n", self._offset, offset)
        self._start = self._text.rfind("\n", self._offset, offset) + 1 or self._start
        self._offset = offset
        return self._line, offset - self._start + 1


_TOO_DEEP = f"the JSON is nested more than {MAX_DEPTH} levels deep"
_SPACE = re.compile(r"[ \t\n\r]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:]|NaN|-?Infinity|-?\d[\d.eE+-]*')


class _Refused(Exception):
    """A token that is not JSON; the decoder hands it over without its place."""

    def __init__(self, message: str, token: str) -> None:
        super().__init__(message)
        self.message = message
        self.token = token


class _TooMany(Exception):
    """More entries than anybody plans."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def _constant(token: str) -> Any:
    raise _Refused(f"`{token}` is not a JSON number", token)


def _integer(token: str) -> int:
    if len(token) > 1000:
        raise _Refused("a number has more than 1000 digits", token)
    return int(token)


def _float(token: str) -> float:
    number = float(token)
    if math.isinf(number):
        raise _Refused(f"the number `{token[:40]}` is out of range", token)
    return number


class _Reader:
    """Reads the outermost objects member by member, for their places, and all below at once."""

    def __init__(self, text: str, listed: frozenset[str]) -> None:
        self.text = text
        self.listed = listed
        self.twice: str | None = None
        self.found = Document({})
        self.scan = json.JSONDecoder(
            object_pairs_hook=self.object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        ).scan_once  # type: ignore[attr-defined]  # typeshed leaves it out.

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs) and self.twice is None:
            keys = [key for key, _ in pairs]
            self.twice = next(key for key in keys if keys.count(key) > 1)
        return value

    def document(self, start: int, path: tuple[str, ...]) -> tuple[Document, int]:
        start = self.skip(start)
        if not self.text.startswith("{", start):
            value, end = self.value(start)
            return Document(value), end
        value, keys, parts, end = self.members(start, path)
        if not path:
            return Document(value, keys, parts), end
        return self.found, end

    def members(
        self, start: int, path: tuple[str, ...] = (), listed: bool = True
    ) -> tuple[dict[str, Any], dict[str, int], dict[str, tuple[Part, ...]], int]:
        pairs: list[tuple[str, Any]] = []
        keys: dict[str, int] = {}
        parts: dict[str, tuple[Part, ...]] = {}
        index = self.skip(start + 1)
        if self.text.startswith("}", index):
            return {}, keys, parts, self.skip(index + 1)
        while True:
            if not self.text.startswith('"', index):
                raise self.error("Expecting property name enclosed in double quotes", index)
            key, after = scanstring(self.text, index + 1, True)
            keys[key] = index
            after = self.skip(after)
            if not self.text.startswith(":", after):
                raise self.error("Expecting ':' delimiter", after)
            after = self.skip(after + 1)
            if path and key == path[0] and self.text.startswith("{", after):
                inner, inner_keys, inner_parts, index = self.members(after, path[1:])
                if len(path) == 1:
                    self.found = Document(inner, inner_keys, inner_parts)
                pairs.append((key, inner))
            elif listed and not path and key in self.listed and self.text.startswith("[", after):
                parts[key], index = self.elements(after)
                pairs.append((key, [part.value for part in parts[key]]))
            else:
                value, index = self.value(after)
                pairs.append((key, value))
            if self.text.startswith("}", index):
                return self.object(pairs), keys, parts, self.skip(index + 1)
            if not self.text.startswith(",", index):
                raise self.error("Expecting ',' delimiter", index)
            index = self.skip(index + 1)

    def elements(self, start: int) -> tuple[tuple[Part, ...], int]:
        parts: list[Part] = []
        index = self.skip(start + 1)
        if self.text.startswith("]", index):
            return (), self.skip(index + 1)
        while True:
            if len(parts) == MAX_PARTS:
                raise _TooMany(f"a list of changes has more than {MAX_PARTS} entries", start)
            if self.text.startswith("{", index):
                value, keys, _, after = self.members(index, listed=False)
                parts.append(Part(value, keys.get("address", index)))
            else:
                value, after = self.value(index)
                parts.append(Part(value, index))
            if self.text.startswith("]", after):
                return tuple(parts), self.skip(after + 1)
            if not self.text.startswith(",", after):
                raise self.error("Expecting ',' delimiter", after)
            index = self.skip(after + 1)

    def value(self, start: int) -> tuple[Any, int]:
        try:
            value, end = self.scan(self.text, start)
        except StopIteration as stop:
            raise self.error("Expecting value", stop.value) from None
        return value, self.skip(end)

    def skip(self, index: int) -> int:
        match = _SPACE.match(self.text, index)
        return match.end() if match else index

    def error(self, message: str, offset: int) -> json.JSONDecodeError:
        return json.JSONDecodeError(message, self.text, offset)


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _first_place(token: str, text: str) -> int:
    return next((match.start() for match in _TOKEN.finditer(text) if match.group() == token), 0)


def _second_place(key: str, text: str) -> int:
    """Where the key stands again in an object that has it already."""
    objects: list[set[str]] = []
    last = 0
    for match in _TOKEN.finditer(text):
        match match.group():
            case "{" | "[":
                objects.append(set())
            case "}" | "]":
                objects.pop()
            case ":":
                found, _ = scanstring(text, last + 1, True)
                if found == key and found in objects[-1]:
                    return last
                objects[-1].add(found)
            case _:
                last = match.start()
    return 0
