"""JSON with the place of every value inside, since arguments are texts of other languages with places of their own."""

import json
import re
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed leaves it out.
from typing import Any

MAX_DEPTH = 64
MAX_VALUES = 500_000


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON value; `members` and `elements` are those of an object and an array, with their places."""

    plain: Any
    at: int
    end: int
    members: "dict[str, Value]" = field(default_factory=dict)
    elements: "tuple[Value, ...]" = ()

    @property
    def exact_at(self) -> int | None:
        """Where the text of a string stands letter by letter."""
        is_plain = isinstance(self.plain, str) and self.end - self.at - 2 == len(self.plain)
        return self.at + 1 if is_plain else None


@dataclass(frozen=True, slots=True)
class Fault:
    message: str
    at: int


def read_json(text: str) -> list[Value] | Fault:
    """The values of a text, one after the other, as a stream of messages has them."""
    reader = _Reader(text)
    values: list[Value] = []
    at = reader.blank(1 if text.startswith("\ufeff") else 0)
    try:
        while at < len(text):
            value = reader.value(at, 0)
            values.append(value)
            at = reader.blank(value.end)
    except _Unreadable as unreadable:
        return Fault(unreadable.message, unreadable.at)
    return values


class _Unreadable(Exception):
    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


_BLANK = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None}


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.count = 0

    def blank(self, at: int) -> int:
        found = _BLANK.match(self.text, at)
        return found.end() if found else at

    def value(self, at: int, depth: int) -> Value:
        self.count += 1
        if self.count > MAX_VALUES:
            raise _Unreadable(f"it holds more than {MAX_VALUES} values", at)
        if depth > MAX_DEPTH:
            raise _Unreadable(f"it is nested more than {MAX_DEPTH} levels deep", at)
        letter = self.text[at : at + 1]
        if letter == "{":
            return self.object(at, depth)
        if letter == "[":
            return self.array(at, depth)
        if letter == '"':
            return self.string(at)
        for word, plain in _WORDS.items():
            if self.text.startswith(word, at):
                return Value(plain, at, at + len(word))
        found = _NUMBER.match(self.text, at)
        if found is None or len(found[0]) > 100:
            raise _Unreadable("this is not JSON", at)
        return Value(json.loads(found[0]), at, found.end())

    def string(self, at: int) -> Value:
        try:
            plain, end = scanstring(self.text, at + 1, True)
        except json.JSONDecodeError as error:
            raise _Unreadable("this is not JSON: a string does not end", error.pos) from error
        return Value(plain, at, end)

    def object(self, start: int, depth: int) -> Value:
        members: dict[str, Value] = {}
        at = self.blank(start + 1)
        while self.text[at : at + 1] != "}":
            if members:
                at = self.expect(",", at)
            if self.text[at : at + 1] != '"':
                raise _Unreadable("this is not JSON: a key is missing", at)
            key = self.string(at)
            if key.plain in members:
                raise _Unreadable("a key stands twice in one object", at)
            member = self.value(self.expect(":", self.blank(key.end)), depth + 1)
            members[key.plain] = member
            at = self.blank(member.end)
        plain = {name: member.plain for name, member in members.items()}
        return Value(plain, start, at + 1, members=members)

    def array(self, start: int, depth: int) -> Value:
        elements: list[Value] = []
        at = self.blank(start + 1)
        while self.text[at : at + 1] != "]":
            if elements:
                at = self.expect(",", at)
            element = self.value(at, depth + 1)
            elements.append(element)
            at = self.blank(element.end)
        plain = [element.plain for element in elements]
        return Value(plain, start, at + 1, elements=tuple(elements))

    def expect(self, letter: str, at: int) -> int:
        if self.text[at : at + 1] != letter:
            raise _Unreadable(f"this is not JSON: `{letter}` is missing", at)
        return self.blank(at + 1)
