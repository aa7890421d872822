"""A GraphQL document to the fields it asks for at the root; what it cannot follow is a fault."""

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_WORDS = 20_000

_WORD = re.compile(
    r'"""(?:\\"""|(?!""").)*"""|"(?:\\.|[^"\\\n])*"|#[^\n]*'
    r"|\.\.\.|[A-Za-z_][A-Za-z0-9_]*|-?\d[\d.eE+-]*|[!$&()*:=@\[\]{}|]|[\s,\ufeff]+",
    re.S,
)


@dataclass(frozen=True, slots=True)
class Operation:
    """`kind` is `query`, `mutation` or `subscription`; `fields` are those at its root."""

    kind: str
    fields: tuple[str, ...]


@lru_cache(maxsize=64)
def operations(text: str) -> tuple[Operation, ...] | str:
    """Every operation of a document, or why it cannot be read."""
    words = _words(text)
    if isinstance(words, str):
        return words
    reader = _Reader(words)
    try:
        return reader.document()
    except _Unreadable as unreadable:
        return unreadable.reason


class _Unreadable(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _words(text: str) -> list[str] | str:
    words = []
    at = 0
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            return "it is not GraphQL"
        at = found.end()
        if not re.match(r"[#\s,\ufeff]", found[0]):
            words.append(found[0])
        if len(words) > MAX_WORDS:
            return f"its GraphQL has more than {MAX_WORDS} words"
    return words


_CLOSING = {"(": ")", "{": "}", "[": "]"}


class _Reader:
    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.at = 0
        self.fragments: dict[str, tuple[str, ...]] = {}

    def document(self) -> tuple[Operation, ...]:
        found: list[tuple[str, tuple[str, ...]]] = []
        while (word := self.peek()) is not None:
            if word == "fragment":
                self.next()
                name = self.next()
                fields = self.root()
                if name in self.fragments:
                    raise _Unreadable("a fragment is defined twice")
                self.fragments[name] = fields
            elif word in ("query", "mutation", "subscription"):
                found.append((self.next(), self.root()))
            elif word == "{":
                found.append(("query", self.root()))
            else:
                raise _Unreadable("it is not GraphQL")
        if not found:
            raise _Unreadable("it holds no GraphQL operation")
        return tuple(Operation(kind, self.resolved(fields, ())) for kind, fields in found)

    def resolved(self, fields: tuple[str, ...], seen: tuple[str, ...]) -> tuple[str, ...]:
        result: list[str] = []
        for name in fields:
            if not name.startswith("..."):
                result.append(name)
                continue
            fragment = name[3:]
            if fragment in seen or fragment not in self.fragments:
                raise _Unreadable(f"the fragment `{fragment[:60]}` is not in the document")
            result += self.resolved(self.fragments[fragment], (*seen, fragment))
        return tuple(result)

    def peek(self) -> str | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def next(self) -> str:
        word = self.peek()
        if word is None:
            raise _Unreadable("its GraphQL ends early")
        self.at += 1
        return word

    def root(self) -> tuple[str, ...]:
        """The names in the next selection set; what stands before it is skipped."""
        while (word := self.peek()) not in ("{", None):
            if word in ("=", ":", "|", "!", "&"):
                raise _Unreadable("it is not GraphQL")
            self.skip()
        return self.selection()

    def selection(self) -> tuple[str, ...]:
        if self.next() != "{":
            raise _Unreadable("its GraphQL selects nothing")
        fields: list[str] = []
        while self.peek() != "}":
            word = self.next()
            if word == "...":
                if self.peek() in ("on", "{", "@"):
                    fields += self.root()
                else:
                    fields.append("..." + self.next())
            elif re.match(r"[A-Za-z_]", word):
                if self.peek() == ":":
                    self.next()
                    word = self.next()
                fields.append(word)
            elif word == "@":
                self.next()
            elif word in _CLOSING:
                self.at -= 1
                self.skip()
            else:
                raise _Unreadable("it is not GraphQL")
        self.next()
        return tuple(fields)

    def skip(self) -> None:
        """One word, or everything in the brackets it opens."""
        expected: list[str] = []
        while True:
            word = self.next()
            if word in _CLOSING:
                expected.append(_CLOSING[word])
            elif word in (")", "}", "]") and (not expected or word != expected.pop()):
                raise _Unreadable("the brackets of its GraphQL do not match")
            if not expected:
                return
