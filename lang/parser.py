"""Text to syntax tree, one declaration at a time. Never raises on bad input: a syntax error is a diagnostic."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError
from lark.lexer import PatternStr
from lark.parsers.lalr_analysis import Shift

from . import syntax
from .diagnostics import Code, Diagnostic
from .fragments import fragments, keyword_and_names
from .limits import MAX_FILE_CHARACTERS, MAX_NESTING
from .source import Fragment, Span
from .syntax_errors import syntax_error
from .to_syntax import ToSyntax, Unreadable

GRAMMAR = Path(__file__).parent / "grammar.lark"
STARTS = ["file", "declaration", "expression"]


def parse(file: str, text: str) -> tuple[list[syntax.Declaration], list[Diagnostic]]:
    """Every declaration of a file; one that cannot be read becomes `Broken` and one diagnostic."""
    if len(text) > MAX_FILE_CHARACTERS:
        span = Span(Fragment(file, text[:200]), 0, 0)
        message = f"the file has {len(text):,} characters, and the limit is {MAX_FILE_CHARACTERS:,}"
        return [], [Diagnostic(Code.FILE_TOO_LARGE, message, span, "split it into modules")]
    declarations: list[syntax.Declaration] = []
    found_fragments = list(fragments(file, text))
    head = text[: found_fragments[0].offset] if found_fragments else text
    problems = parse_head(Fragment(file, head))
    for fragment in found_fragments:
        declaration, found = parse_fragment(fragment)
        declarations.append(declaration)
        problems += found
    return declarations, problems


def parse_head(head: Fragment) -> list[Diagnostic]:
    """What is wrong with the text before the first declaration."""
    hidden = _hidden_character(head)
    return [] if hidden is None else [hidden]


def parse_fragment(fragment: Fragment) -> tuple[syntax.Declaration, list[Diagnostic]]:
    """One declaration from its own text."""
    declaration, problems = _parse(fragment, "declaration")
    if isinstance(declaration, syntax.Declaration):
        return declaration, problems
    keyword, names = keyword_and_names(fragment.text)
    return syntax.Broken(keyword, names, span=Span(fragment, 0, len(fragment.text))), problems


def parse_expression(fragment: Fragment) -> tuple[syntax.Expression | None, list[Diagnostic]]:
    """An expression that stands alone, as an editor or a debugger asks for it."""
    expression, problems = _parse(fragment, "expression")
    return expression, problems


def parse_whole(file: str, text: str) -> tuple[list[syntax.Declaration], list[Diagnostic]]:
    """A file in one run of the grammar, without recovery; tests compare it with `parse`."""
    declarations, problems = _parse(Fragment(file, text), "file")
    return declarations or [], problems


def comments(fragment: Fragment) -> list[Span]:
    """The `//` comments of a fragment in order, documentation left out."""
    return [
        Span(fragment, match.start(), match.end())
        for match in _STRING_OR_COMMENT.finditer(fragment.text)
        if match["comment"] is not None
    ]


_STRING_OR_COMMENT = re.compile(
    r'"(?:[^"\\\r\n]|\\[^\r\n])*"?|(?P<doc>///[^\r\n]*)|(?P<comment>//[^\r\n]*)'
)
_BRACKET = re.compile(r'"(?:[^"\\\r\n]|\\[^\r\n])*"?|//[^\r\n]*|[{(]|[})]')
_HIDDEN = re.compile(
    "[\0-\x08\x0b\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
"""Characters that nobody sees, or that show text in another order or on another line than it is read."""


def _parse(fragment: Fragment, start: str) -> tuple[Any, list[Diagnostic]]:
    refused = _hidden_character(fragment) or _brackets_too_deep(fragment)
    if refused is not None:
        return None, [refused]
    lark, to_syntax, lock = _grammar()
    with lock:
        to_syntax.begin(fragment)
        try:
            result = lark.parse(fragment.text, start=start)
        except UnexpectedInput as error:
            return None, [_syntax_error(fragment, error)]
        except VisitError as error:
            if isinstance(error.orig_exc, Unreadable):
                return None, [error.orig_exc.diagnostic]
            raise
        except Unreadable as error:
            return None, [error.diagnostic]
        problems = to_syntax.problems
    deep = _first_too_deep(result)
    if deep is not None:
        return None, [_too_deep(deep.span)]
    return result, problems


class _WholeWords:
    """Lets a name match wherever the parser stands, so that no keyword matches the beginning of a longer word."""

    always_accept = ("NAME",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


@cache
def _grammar() -> tuple[Lark, ToSyntax, RLock]:
    to_syntax = ToSyntax()
    lark = Lark(
        GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        start=STARTS,
        transformer=to_syntax,
        postlex=_WholeWords(),
        keep_all_tokens=True,
        maybe_placeholders=False,
        cache=_private_cache() or False,
    )

    def parse_hole(text: str) -> Any:
        try:
            return lark.parse(text, start="expression")
        except UnexpectedInput:
            return None

    to_syntax.parse_hole = parse_hole
    return lark, to_syntax, RLock()


@dataclass(frozen=True, slots=True)
class Action:
    """What the parser does on one kind of word: goes to a state, or ends `length` parts as a `rule` first."""

    shifts: int | None
    rule: str = ""
    length: int = 0


@dataclass(frozen=True, slots=True)
class Grammar:
    """The tables of the parser for a declaration: state → kind of word or rule → action."""

    states: Mapping[int, Mapping[str, Action]]
    terminals: frozenset[str]
    spoken: Mapping[str, str]
    """Each kind of word that is always written the same → how."""
    start: int
    end: int


@cache
def grammar() -> Grammar:
    lark = _grammar()[0]
    table = lark.parse_interactive("", start="declaration").parser_state.parse_conf.parse_table

    def action(found: tuple[Any, Any]) -> Action:
        kind, target = found
        if kind is Shift:
            return Action(target)
        return Action(None, str(target.origin.name), len(target.expansion))

    return Grammar(
        {
            state: {kind: action(found) for kind, found in actions.items()}
            for state, actions in table.states.items()
        },
        frozenset({*(terminal.name for terminal in lark.terminals), "$END"}),
        {
            terminal.name: terminal.pattern.value
            for terminal in lark.terminals
            if isinstance(terminal.pattern, PatternStr)
        },
        table.start_states["declaration"],
        table.end_states["declaration"],
    )


def _private_cache() -> str | None:
    """A cache file only this user can write, since the parse table in it is unpickled; `None` if there is none."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = (Path(base) if base else Path.home() / ".cache") / "interlock"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except (OSError, RuntimeError):
        return None
    private = status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return str(folder / "grammar.lark.cache") if private else None


def _syntax_error(fragment: Fragment, error: UnexpectedInput) -> Diagnostic:
    start = end = 0
    if isinstance(error, UnexpectedCharacters):
        start = error.pos_in_stream or 0
        word = re.compile(r"\w+").match(fragment.text, start)
        end = word.end() if word else start + 1
    elif isinstance(error, UnexpectedToken) and error.token.type != "$END":
        start = error.token.start_pos or 0
        end = error.token.end_pos or start + 1
    parser = getattr(error, "interactive_parser", None)
    accepted: set[str] = parser.accepts() if parser is not None else set()
    terminals = _grammar()[0].terminals
    spoken = {terminal.name: terminal.pattern.value for terminal in terminals}
    return syntax_error(fragment, start, end, accepted, spoken)


def _too_deep(span: Span) -> Diagnostic:
    message = f"this is nested deeper than {MAX_NESTING} levels"
    return Diagnostic(Code.NESTING_TOO_DEEP, message, span, "name a part of it with `define`")


def _hidden_character(fragment: Fragment) -> Diagnostic | None:
    """A character that could show a reviewer something else than what is read."""
    match = _HIDDEN.search(fragment.text)
    if match is None:
        return None
    code = f"{ord(match[0]):x}"
    return Diagnostic(
        Code.HIDDEN_CHARACTER,
        f"the character U+{code.upper():0>4} cannot be seen",
        Span(fragment, match.start(), match.end()),
        f"remove it, or write it as `\\u{{{code}}}` in a string",
    )


def _brackets_too_deep(fragment: Fragment) -> Diagnostic | None:
    """Brackets nested beyond the limit, found before anything is built from them."""
    depth = 0
    for match in _BRACKET.finditer(fragment.text):
        if match[0] in "{(":
            depth += 1
            if depth > MAX_NESTING:
                return _too_deep(Span(fragment, match.start(), match.end()))
        elif match[0] in "})":
            depth -= 1
    return None


def _children(value: object) -> Iterator[object]:
    if isinstance(value, syntax.Node):
        for name in value.__dataclass_fields__:
            child = getattr(value, name)
            if isinstance(child, (syntax.Node, tuple)):
                yield child
    elif isinstance(value, (tuple, list)):
        yield from value


def _first_too_deep(root: object) -> syntax.Node | None:
    """A node below the limit on nesting, found without recursion."""
    stack = [(root, 0)]
    while stack:
        value, depth = stack.pop()
        if isinstance(value, syntax.Node):
            depth += 1
            if depth > MAX_NESTING:
                return value
        stack.extend((child, depth) for child in _children(value))
    return None
