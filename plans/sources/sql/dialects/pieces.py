"""Tokens of a script into statements: at its delimiters, at GO lines, and never inside the body of a routine."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...words import words
from .tokens import Kind, Token, Tokens, tokens


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement, or one batch of T-SQL, without the delimiter that ends it; `GO 5` runs it five times."""

    tokens: Tokens
    times: int = 1

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end


def pieces(text: str, dialect: str) -> Iterator[Piece]:
    """The statements of a script in order; every token is in exactly one, or is a delimiter."""
    for chunk, times in _chunks(text, dialect):
        if dialect == "tsql":
            yield Piece(chunk, times)
        else:
            yield from map(Piece, statements(chunk, dialect))


def _chunks(text: str, dialect: str) -> Iterator[tuple[Tokens, int]]:
    """What a client sends at once, with how often: batches of T-SQL, and what DELIMITER of MySQL divides."""
    delimiter = ";"
    at = 0
    while at < len(text):
        chunk: list[Token] = []
        times = 1
        resume = len(text)
        for token in tokens(text, dialect, at):
            if dialect == "tsql" and _holds_go(token):
                reason = "a line GO in a quotation, where some clients end the batch"
                token = replace(token, kind=Kind.BROKEN, value=reason)
            if dialect == "tsql" and token.is_word("GO") and _fills_its_line(text, token):
                resume = _line_end(text, token.end)
                count = text[token.end : resume].strip()
                times = int(count[:9]) if count else 1
                break
            if dialect == "mysql" and token.is_word("DELIMITER") and _begins_its_line(text, token):
                resume = _line_end(text, token.end)
                delimiter = (text[token.end : resume].split() or [";"])[0]
                break
            close = _delimiter_in(text, token, delimiter)
            if close >= 0:
                if close > token.start:
                    word = text[token.start : close]
                    chunk.append(replace(token, value=word.upper(), text=word, end=close))
                resume = close + len(delimiter)
                break
            chunk.append(token)
        if chunk:
            yield chunk, times
        at = resume


_GO_LINE = re.compile(r"^[ \t]*GO[ \t]*\d*[ \t]*$", re.IGNORECASE | re.MULTILINE)


def _holds_go(token: Token) -> bool:
    is_quoted = token.kind in (Kind.STRING, Kind.NAME)
    return is_quoted and _GO_LINE.search(token.text) is not None


def _delimiter_in(text: str, token: Token, delimiter: str) -> int:
    """Where a changed delimiter stands in a token or begins with it, or -1."""
    if delimiter == ";" or token.kind in (Kind.STRING, Kind.NAME):
        return -1
    return text.find(delimiter, token.start, token.end + len(delimiter) - 1)


def _line_end(text: str, at: int) -> int:
    newline = text.find("\n", at)
    return len(text) if newline < 0 else newline


def _begins_its_line(text: str, token: Token) -> bool:
    return not text[text.rfind("\n", 0, token.start) + 1 : token.start].strip()


def _fills_its_line(text: str, token: Token) -> bool:
    rest = text[token.end : _line_end(text, token.end)].strip()
    return _begins_its_line(text, token) and (not rest or rest.isdecimal())


def statements(chunk: Tokens, dialect: str) -> Iterator[Tokens]:
    """The chunk at its semicolons; those in the body of a routine are a part of it."""
    one: list[Token] = []
    depth = 0
    for number, token in enumerate(chunk):
        if token.is_symbol(";") and depth == 0:
            if one:
                yield one
            one = []
            continue
        one.append(token)
        if token.kind == Kind.WORD and token.value in _BLOCK_WORDS and is_routine(one):
            depth += _block_step(chunk, number, depth)
    if one:
        yield one


def is_whole(routine: Tokens) -> bool:
    """Whether every block of a routine's definition is closed."""
    depth = 0
    for number, token in enumerate(routine):
        if token.kind == Kind.WORD and token.value in _BLOCK_WORDS:
            depth += _block_step(routine, number, depth)
    return depth == 0


_BLOCK_WORDS = frozenset({"BEGIN", "CASE", "END"})
_ROUTINES = words("PROCEDURE FUNCTION TRIGGER EVENT TASK")
_PLAIN_ENDS = words("IF LOOP WHILE REPEAT FOR")


def _block_step(chunk: Tokens, number: int, depth: int) -> int:
    token = chunk[number]
    before = chunk[number - 1] if number > 0 else None
    after = chunk[number + 1] if number + 1 < len(chunk) else None
    if token.value == "BEGIN":
        return 1
    if token.value == "CASE":
        closes = before is not None and before.is_word("END")
        return 1 if depth > 0 and not closes else 0
    closes_loop = after is not None and after.is_word(*_PLAIN_ENDS)
    return -1 if depth > 0 and not closes_loop else 0


def is_routine(one: Tokens) -> bool:
    """Whether it defines a routine, whose body may hold statements."""
    if not one or not one[0].is_word("CREATE", "ALTER"):
        return False
    for token in one[1:_HEAD]:
        if token.is_word(*_ROUTINES):
            return True
        if token.is_word("TABLE", "VIEW", "INDEX", "USER", "ROLE", "DATABASE", "SCHEMA", "AS"):
            return False
    return False


_HEAD = 16
