"""One script into statements, psql commands and COPY data, so that no bad piece swallows the rest.

The rules are those of psql's own scanner; no SQL parser is needed, and no text is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from ...words import words

MAX_NESTING = 1000
"""Deeper statements are not given to the parser, which would recurse with them."""


class Kind(Enum):
    STATEMENT = "statement"
    COMMAND = "command"
    """A psql command, from its backslash to the end of its line."""
    DATA = "data"
    """The lines after COPY … FROM stdin, up to their `\\.`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`start` is the first token that is no comment; offsets count code points."""

    kind: Kind
    text: str
    start: int
    end: int
    words: frozenset[str] = frozenset()
    """The unquoted words, in lower case."""
    nesting: int = 0
    """How deep the statement's syntax tree can be, at most."""
    backslash_in_string: bool = False
    sends: bool = False
    """For a psql command, whether it sent the statement before it."""
    rows: int = 0
    """For data, its number of lines."""


def split(text: str) -> Iterator[Piece]:
    """The pieces in order; what lies between them is blank, comments and semicolons."""
    return _Splitter(text).pieces()


_ESCAPED = r"(?>[^'\\]+|\\.|'')*+"
_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<line_comment>--[^\r\n]*)
    | (?P<block_comment>/\*)
    | (?P<escape_string>[eE]')
    | (?P<string>')
    | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$)
    | (?P<identifier>")
    | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
    | (?P<number>\d[\w.]*|\$\d+)
    | (?P<backslash>\\)
    | (?P<end>;)
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<comma>,)
    | (?P<operator>[-+*/<>=~!@%^&|?:]+?(?=--|/\*)|[-+*/<>=~!@%^&|?:]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE_STRING_REST = re.compile(rf"{_ESCAPED}'(?>[ \t\f\v]*[\r\n]\s*'{_ESCAPED}')*+", re.DOTALL)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_DATA_END = re.compile(r"^\\\.[ \t]*\r?$", re.MULTILINE)

# They send the statement before them to the server.
_SENDING = words(
    "g gx gset gexec gdesc crosstabview watch bind bind_named parse close_prepared ; r reset "
    "startpipeline sendpipeline"
)
_CHAINING = words("collate at is isnull notnull not case between")
_JOINING = words("join union except intersect")


@dataclass(slots=True)
class _Level:
    """Depth bookkeeping between one pair of parentheses."""

    deepest: int = 0
    item: int = 0
    joins: int = 0

    def end_item(self) -> None:
        self.deepest = max(self.deepest, self.item)
        self.item = 0

    def depth(self) -> int:
        return max(self.deepest, self.item) + self.joins


@dataclass(slots=True)
class _Open:
    """The statement being read."""

    start: int
    words: set[str] = field(default_factory=set)
    leading: list[str] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=lambda: [_Level()])
    blocks: int = 0
    nesting: int = 0
    backslash_in_string: bool = False
    holes: list[tuple[int, int]] = field(default_factory=list)


class _Splitter:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.open: _Open | None = None

    def pieces(self) -> Iterator[Piece]:
        text = self.text
        while self.at < len(text):
            match = _TOKEN.match(text, self.at)
            if match is None:  # pragma: no cover - `other` takes any character
                raise AssertionError("every character is a token")
            kind = match.lastgroup or ""
            start, end = match.span()
            match kind:
                case "space" | "line_comment":
                    self.at = end
                    continue
                case "block_comment":
                    self.at, deepest = self._comment_end(end)
                    if self.at == len(text) and not text.endswith("*/") and self.open is None:
                        # The parser complains about a comment without an end.
                        self.open = _Open(start)
                    if self.open is not None:
                        # The parser's own scanner takes time quadratic in the depth of comments.
                        self.open.nesting = max(self.open.nesting, deepest)
                    continue
                case "backslash":
                    yield from self._command(start)
                    continue
                case "end":
                    self.at = end
                    if self.open is None:
                        continue
                    if self._inside():
                        self.open.levels[-1].end_item()
                        continue
                    copies = self._copies_stdin()
                    yield self._close(start)
                    if copies:
                        yield from self._data()
                    continue
            if self.open is None:
                self.open = _Open(start)
            self.at = self._token(self.open, kind, start, end)
        if self.open is not None:
            yield self._close(len(text))

    def _token(self, statement: _Open, kind: str, start: int, end: int) -> int:
        """Takes one token in and returns where the next begins."""
        text = self.text
        levels = statement.levels
        match kind:
            case "string":
                return self._string_end(statement, end)
            case "escape_string":
                rest = _ESCAPE_STRING_REST.match(text, end)
                return len(text) if rest is None else rest.end()
            case "dollar":
                close = text.find(text[start:end], end)
                return len(text) if close < 0 else close + end - start
            case "identifier":
                return self._quoted_end('"', end)
            case "word":
                self._word(statement, text[start:end].lower())
            case "open":
                levels.append(_Level())
                statement.nesting = max(statement.nesting, len(levels))
            case "close":
                if len(levels) > 1:
                    inner = levels.pop().depth()
                    levels[-1].item = max(levels[-1].item, inner + 1)
                    statement.nesting = max(statement.nesting, levels[-1].depth())
            case "comma":
                levels[-1].end_item()
            case "operator":
                levels[-1].item += 1
                statement.nesting = max(statement.nesting, levels[-1].depth())
        return end

    def _word(self, statement: _Open, word: str) -> None:
        statement.words.add(word)
        level = statement.levels[-1]
        if word in ("and", "or"):
            level.end_item()
        elif word in _CHAINING:
            level.item += 1
            statement.nesting = max(statement.nesting, level.depth())
        elif word in _JOINING:
            level.joins += 1
            statement.nesting = max(statement.nesting, level.depth())
        if len(statement.leading) < 4:
            statement.leading.append(word)
        # As in psql, BEGIN ATOMIC … END of a routine keeps its semicolons.
        if _defines_routine(statement.leading) and len(statement.levels) == 1:
            if word == "begin":
                statement.blocks += 1
            elif word == "case":
                statement.blocks += statement.blocks > 0
            elif word == "end":
                statement.blocks -= statement.blocks > 0

    def _inside(self) -> bool:
        return self.open is not None and (len(self.open.levels) > 1 or self.open.blocks > 0)

    def _string_end(self, statement: _Open, at: int) -> int:
        close = self._quoted_end("'", at)
        if self.text.find("\\", at, close) >= 0:
            statement.backslash_in_string = True
        return close

    def _quoted_end(self, quote: str, at: int) -> int:
        # A doubled quote reads as two adjacent quotations, which ends at the same place.
        close = self.text.find(quote, at)
        return len(self.text) if close < 0 else close + 1

    def _comment_end(self, at: int) -> tuple[int, int]:
        """Where a comment ends, and how deep comments in it go."""
        depth = deepest = 1
        for edge in _COMMENT_EDGE.finditer(self.text, at):
            depth += 1 if edge.group() == "/*" else -1
            deepest = max(deepest, depth)
            if depth == 0:
                return edge.end(), deepest
        return len(self.text), deepest

    def _close(self, end: int) -> Piece:
        statement = self.open
        if statement is None:
            raise AssertionError("only an open statement is closed")
        self.open = None
        start = statement.start
        text = self.text[start:end].rstrip()
        for hole_start, hole_end in statement.holes:
            # A psql command inside a statement is no part of it; blanks keep the offsets.
            blank = " " * (min(hole_end, start + len(text)) - hole_start)
            text = text[: hole_start - start] + blank + text[hole_end - start :]
        return Piece(
            Kind.STATEMENT,
            text,
            start,
            start + len(text),
            words=frozenset(statement.words),
            nesting=statement.nesting,
            backslash_in_string=statement.backslash_in_string,
        )

    def _command(self, start: int) -> Iterator[Piece]:
        newline = self.text.find("\n", start)
        end = len(self.text) if newline < 0 else newline
        if self.text.startswith("\\;", start):
            end = start + 2
        command = self.text[start:end].rstrip()
        self.at = end
        name = command_name(command)
        sends = self.open is not None and name in _SENDING
        if self.open is not None:
            if sends:
                yield self._close(start)
            else:
                self.open.holes.append((start, end))
        if name == ";":
            return
        yield Piece(Kind.COMMAND, command, start, start + len(command), sends=sends)
        if name == "copy" and re.search(r"\bfrom\s+(?:stdin|pstdin)\b", command, re.IGNORECASE):
            yield from self._data()

    def _copies_stdin(self) -> bool:
        statement = self.open
        return (
            statement is not None
            and statement.leading[:1] == ["copy"]
            and {"from", "stdin"} <= statement.words
        )

    def _data(self) -> Iterator[Piece]:
        """The data lines; none where no `\\.` ends them, as a server then reads statements."""
        newline = self.text.find("\n", self.at)
        if newline < 0 or self.text[self.at : newline].strip():
            return
        close = _DATA_END.search(self.text, newline + 1)
        if close is None:
            return
        data = self.text[newline + 1 : close.start()]
        self.at = close.end()
        yield Piece(Kind.DATA, data, newline + 1, close.start(), rows=data.count("\n"))


def command_name(command: str) -> str:
    """The name of a psql command: `\\copy t from 'x'` is `copy`."""
    match = re.match(r"\\(?:([A-Za-z_]+)|(.))", command, re.DOTALL)
    return "" if match is None else match.group(1) or match.group(2)


def _defines_routine(leading: list[str]) -> bool:
    if leading[:1] != ["create"]:
        return False
    rest = leading[3:] if leading[1:3] == ["or", "replace"] else leading[1:]
    return rest[:1] in (["function"], ["procedure"])
