"""Statements by their shape: the forms of a taxonomy, and tokens that fit one of them.

A form is words in capitals, `A|B` for either, `[…]` for what may be absent, `…` for anything,
`{name}` for a name, `{names}` for several, `{string}`, `{value}` for one token, `{group}` for parentheses,
`{backup}` for the path of a backup file on the server, `{nul}` for one where nothing is kept, `{primary}` for the
name of a primary key in MySQL, `<…>` for one or more with commas between.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .tokens import Kind, Token, Tokens


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it is written: its parts without their quotes."""

    parts: tuple[str, ...]
    at: int


Captures = dict[str, tuple[Name, ...]]


@dataclass(frozen=True, slots=True)
class _Words:
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Slot:
    kind: str


@dataclass(frozen=True, slots=True)
class _Maybe:
    inner: tuple["_Element", ...]


@dataclass(frozen=True, slots=True)
class _Several:
    inner: tuple["_Element", ...]


@dataclass(frozen=True, slots=True)
class _Rest:
    pass


_Element = _Words | _Slot | _Maybe | _Several | _Rest
Form = tuple[_Element, ...]

MAX_SKIPPED = 400
"""The most tokens that `…` passes over when more of the form follows."""
_SLOTS = frozenset({"name", "names", "on", "string", "value", "group", "backup", "nul", "primary"})


def form(text: str) -> Form:
    """The form that a taxonomy writes; a mistake in it is a `ValueError`."""
    symbols = text.replace("[", " [ ").replace("]", " ] ").split()
    elements, rest = _elements(symbols)
    if rest:
        raise ValueError(f"unbalanced brackets in the form {text}")
    return elements


def first_words(elements: Form) -> frozenset[str]:
    """The words that a statement of the form begins with."""
    match elements[0]:
        case _Words(words):
            return words
        case _:
            raise ValueError("a form begins with a word")


def _elements(symbols: list[str]) -> tuple[Form, list[str]]:
    found: list[_Element] = []
    while symbols:
        symbol, *symbols = symbols
        if symbol in _CLOSING.values():
            return tuple(found), [symbol, *symbols]
        if symbol in _CLOSING:
            inner, symbols = _elements(symbols)
            if symbols[:1] != [_CLOSING[symbol]]:
                raise ValueError("a bracket is not closed")
            found.append(_Maybe(inner) if symbol == "[" else _Several(inner))
            symbols = symbols[1:]
        elif symbol == "…":
            found.append(_Rest())
        elif symbol.startswith("{"):
            kind = symbol.strip("{}")
            if kind not in _SLOTS:
                raise ValueError(f"unknown slot {symbol}")
            found.append(_Slot(kind))
        else:
            found.append(_Words(frozenset(symbol.split("|"))))
    return tuple(found), []


_CLOSING = {"[": "]", "<": ">"}


def match(elements: Form, tokens: Tokens) -> Captures | None:
    """What the slots stand for where all of the tokens fit the form."""
    for end, captures in _match(elements, 0, tokens, 0, {}):
        if end == len(tokens):
            return captures
    return None


def match_start(elements: Form, tokens: Tokens) -> tuple[int, Captures] | None:
    """The longest beginning of the tokens that fits the form."""
    return max(_match(elements, 0, tokens, 0, {}), key=lambda found: found[0], default=None)


def _match(
    elements: Form, number: int, tokens: Tokens, at: int, captures: Captures
) -> Iterator[tuple[int, Captures]]:
    if number == len(elements):
        yield at, captures
        return
    element = elements[number]
    match element:
        case _Words(words):
            if at < len(tokens) and _fits(tokens[at], words):
                yield from _match(elements, number + 1, tokens, at + 1, captures)
        case _Maybe(inner):
            yield from _match(inner + elements[number + 1 :], 0, tokens, at, captures)
            yield from _match(elements, number + 1, tokens, at, captures)
        case _Several(inner):
            for end, noted in _match(inner, 0, tokens, at, captures):
                if end < len(tokens) and tokens[end].is_symbol(","):
                    yield from _match(elements, number, tokens, end + 1, noted)
                yield from _match(elements, number + 1, tokens, end, noted)
        case _Rest():
            if number + 1 == len(elements):
                yield len(tokens), captures
                return
            for skipped in range(min(len(tokens) - at, MAX_SKIPPED) + 1):
                yield from _match(elements, number + 1, tokens, at + skipped, captures)
        case _Slot(kind):
            for end, names in _slot(kind, tokens, at):
                noted = {**captures, kind: captures.get(kind, ()) + names} if names else captures
                yield from _match(elements, number + 1, tokens, end, noted)


def _fits(token: Token, words: frozenset[str]) -> bool:
    if token.kind == Kind.VARIABLE:
        # `@` in a form is a stage of Snowflake.
        return "@" in words and token.value.startswith("@")
    return token.kind in (Kind.WORD, Kind.SYMBOL, Kind.NUMBER) and token.value in words


def _slot(kind: str, tokens: Tokens, at: int) -> Iterator[tuple[int, tuple[Name, ...]]]:
    if at >= len(tokens):
        return
    match kind:
        case "name" | "on":
            found = dotted(tokens, at)
            if found is not None:
                yield found[0], (found[1],)
        case "names":
            names: list[Name] = []
            while (found := dotted(tokens, at)) is not None:
                at = found[0]
                names.append(found[1])
                if at >= len(tokens) or not tokens[at].is_symbol(","):
                    break
                at += 1
            else:
                return
            yield at, tuple(names)
        case "string":
            if tokens[at].kind == Kind.STRING:
                yield at + 1, (Name((tokens[at].value,), tokens[at].start),)
        case "backup" | "nul":
            if tokens[at].kind == Kind.STRING and _place(tokens[at].value) == kind:
                yield at + 1, ()
        case "primary":
            if tokens[at].kind in (Kind.WORD, Kind.NAME) and tokens[at].value.upper() == "PRIMARY":
                yield at + 1, ()
        case "value":
            yield at + 1, (Name((tokens[at].value,), tokens[at].start),)
        case _:
            end = group_end(tokens, at)
            if end is not None:
                yield end, ()


def _place(path: str) -> str:
    """What a path of Windows or Linux names: `backup` for a backup file on the same machine, `nul` for no file."""
    *folders, last = re.split(r"[\\/]", path.strip())
    if re.split(r"[.:]", last)[0].strip().lower() == "nul":
        return "nul"
    is_here = not path.strip().startswith(("\\\\", "//", "\\/", "/\\"))
    # Under another ending it may be a file that something runs.
    is_backup = (
        last.lower().rpartition(".")[2] in _BACKUPS and ":" not in "".join(folders[1:]) + last
    )
    return "backup" if is_here and is_backup else "other"


_BACKUPS = ("bak", "trn", "dif", "diff")


def group_end(tokens: Tokens, at: int) -> int | None:
    """Where the parentheses that open at `at` are closed, one past."""
    if at >= len(tokens) or not tokens[at].is_symbol("("):
        return None
    depth = 0
    for number in range(at, len(tokens)):
        if tokens[number].is_symbol("("):
            depth += 1
        elif tokens[number].is_symbol(")"):
            depth -= 1
            if depth == 0:
                return number + 1
    return None


def at_commas(tokens: Tokens) -> Iterator[list[Token]]:
    """The tokens between the commas that stand outside parentheses."""
    one: list[Token] = []
    depth = 0
    for token in tokens:
        if token.kind == Kind.SYMBOL and token.value in "()":
            depth += 1 if token.value == "(" else -1
        if depth == 0 and token.is_symbol(","):
            yield one
            one = []
        else:
            one.append(token)
    yield one


_NAMED = (Kind.WORD, Kind.NAME, Kind.STRING, Kind.VARIABLE)


def dotted(tokens: Tokens, at: int) -> tuple[int, Name] | None:
    """A name with its qualifiers, as `a.b`, `` `a`.`b` ``, `'user'@'host'`; one past its end."""
    if at >= len(tokens) or tokens[at].kind not in _NAMED:
        return None
    start = tokens[at].start
    parts = [_part(tokens[at])]
    at += 1
    while at + 1 < len(tokens) and tokens[at].is_symbol("."):
        if tokens[at + 1].is_symbol("."):
            # `database..table` of T-SQL and Snowflake leaves the schema out.
            at += 1
            continue
        if tokens[at + 1].kind not in (*_NAMED, Kind.NUMBER) and not tokens[at + 1].is_symbol("*"):
            return None
        parts.append(_part(tokens[at + 1]))
        at += 2
    if (
        at < len(tokens)
        and tokens[at].kind == Kind.VARIABLE
        and tokens[at].start == tokens[at - 1].end
    ):
        # The host of a MySQL user belongs to its name.
        parts[-1] += _part(tokens[at])
        at += 1
    return at, Name(tuple(parts), start)


def _part(token: Token) -> str:
    return token.value if token.kind != Kind.WORD else token.text
