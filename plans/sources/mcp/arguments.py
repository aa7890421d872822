"""What the arguments of a tool call carry: SQL, shell lines, requests and paths, read as what they are."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ...model import Change, Effect, Risk, Selector
from ...taxonomy.mcp import Content, Server, Tool
from ...taxonomy.shell import Act
from ...taxonomy.shell import shipped as shell_tables
from .. import Options
from ..shell.files import judge_path
from ..shell.syntax import Origin
from ..shell.words import literal
from ..web.http import Meaning, judge_graphql, judge_request
from ..words import words
from .json import Value
from .report import change

MAX_TEXTS = 1_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the tool, the server as the client names it, and the arguments."""

    tool: str
    server: str | None
    arguments: Value | None
    value: Value
    place: int
    """The byte at which it stands."""
    doubt: str | None = None
    is_reading: bool = False


def carried(call: Call, server: Server, tool: Tool, origin: Origin, text: str) -> Iterator[Change]:
    """What the arguments of a tool in the tables do."""
    members = call.arguments.members if call.arguments is not None else {}
    request: dict[Content, Value] = {}
    for name, content in tool.carries.items():
        for value in _at(members, name):
            match content:
                case Content.URL | Content.METHOD | Content.BODY:
                    request[content] = value
                case Content.ARGV if isinstance(value.plain, list):
                    yield from _argv(call, value, origin, text)
                case _:
                    if len(value.elements) > MAX_TEXTS:
                        reason = f"the argument `{name[:60]}` holds more than {MAX_TEXTS} texts"
                        yield _unread(call, value, reason, origin, text)
                    for one in _texts(value):
                        yield from _content(call, one, content, server.dialect, origin, text)
    if Content.URL in request:
        yield from _request(call, request, origin, text)


def _at(members: Mapping[str, Value], name: str) -> list[Value]:
    """The argument, or all that stands at a path through objects and lists; what is not there is not given."""
    first, *steps = name.split(".")
    found = [members[first]] if first in members else []
    for step in steps:
        inside = [each for one in found for each in (one.elements or (one,))]
        found = [one.members[step] for one in inside if step in one.members]
    return found


def harmful(call: Call, tool: Tool) -> str | None:
    """The word of `harms` that an argument holds, or an escape that may hide one."""
    if not tool.harms or call.arguments is None:
        return None
    stack = [call.arguments]
    while stack:
        one = stack.pop()
        stack += [*one.members.values(), *one.elements]
        texts = [*one.members, one.plain] if isinstance(one.plain, str) else [*one.members]
        for text in texts:
            if "\\u" in text:
                return "\\u"
            if found := next((word for word in tool.harms if word in text), None):
                return found
    return None


def suspected(
    call: Call, origin: Origin, text: str, known: frozenset[str] = frozenset()
) -> Iterator[Change]:
    """What the arguments of a tool of no table would do, if it does what they look like.

    Only what is worse than a read is told; the tool itself is opaque in any case.
    """
    if call.arguments is None:
        return
    for name, one in _named_texts(call.arguments):
        looks = None if name in known else _looks_like(name, one.plain)
        if looks is not None:
            found = list(_content(call, one, looks, "postgres", origin, text))
            yield from (each for each in found if each.effect is not Effect.READ)


def _texts(value: Value) -> Iterator[Value]:
    """Every text in an argument; one that is no text is left to say so."""
    if value.elements:
        for element in value.elements[:MAX_TEXTS]:
            yield from _texts(element)
    else:
        yield value


def _named_texts(value: Value, name: str = "") -> Iterator[tuple[str, Value]]:
    stack = [(name, value)]
    count = 0
    while stack and count < MAX_TEXTS:
        key, one = stack.pop()
        stack.extend(reversed(list(one.members.items())))
        stack.extend((key, element) for element in reversed(one.elements))
        if isinstance(one.plain, str):
            count += 1
            yield key, one


_SQL = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*(select|insert|update|delete|drop|truncate|alter|create|grant|revoke|merge|with|copy"
    r"|call|do|vacuum|reindex|explain|replace|set|begin|exec|execute)\b",
    re.I,
)
_SQL_NAMES = words("sql query statement stmt queries statements sqlstatement migration")
_SHELL_NAMES = words("command cmd shell script commandline cli_command bash line")


def _looks_like(name: str, text: str) -> Content | None:
    """What an argument seems to carry, by its name and by how it begins."""
    plain = re.sub(r"[^a-z_]", "", name.lower())
    if re.match(r"\s*(mutation|subscription)\b[^{]{0,200}\{", text):
        return Content.GRAPHQL
    if (plain in _SQL_NAMES or plain.endswith("sql")) and _SQL.match(text):
        return Content.SQL
    if plain in _SHELL_NAMES:
        return Content.SHELL
    return None


def _content(
    call: Call, value: Value, content: Content, dialect: str, origin: Origin, text: str
) -> Iterator[Change]:
    if not isinstance(value.plain, str):
        yield _unread(call, value, f"the argument that carries {content} is no text", origin, text)
        return
    at = len(text[: value.at].encode("utf-8", "replace"))
    match content:
        case Content.SQL | Content.SHELL | Content.ARGV:
            yield from _embedded(
                call, value.plain, content, dialect, origin, at, value.exact_at is not None
            )
        case Content.GRAPHQL:
            for meaning in judge_graphql(value.plain):
                yield _meant(call, meaning, value, origin, text)
        case Content.PATH_WRITTEN:
            yield _path(call, value, Act.WRITE, origin, text)
        case Content.PATH_DELETED:
            yield _path(call, value, Act.DELETE, origin, text)
        case Content.PATH_MOVED:
            yield _path(call, value, Act.MOVE, origin, text)
        case Content.PATH_CREATED:
            yield _path(call, value, Act.CREATE, origin, text)
        case Content.URL | Content.METHOD | Content.BODY:
            yield _unread(call, value, "a request is no text", origin, text)


def _argv(call: Call, value: Value, origin: Origin, text: str) -> Iterator[Change]:
    """The words of one command."""
    given = value.plain
    if not given or not all(isinstance(one, str) for one in given):
        yield _unread(
            call, value, "the argument that carries a command is no list of words", origin, text
        )
        return
    at = len(text[: value.at].encode("utf-8", "replace"))
    yield from _embedded(call, shlex.join(given), Content.SHELL, "postgres", origin, at, False)


def _embedded(
    call: Call, inside: str, content: Content, dialect: str, origin: Origin, at: int, is_exact: bool
) -> Iterator[Change]:
    """The changes of a text in another language, at its place in the artifact."""
    from ..shell.clients import moved
    from ..shell.source import read as read_shell
    from ..sql.source import read as read_sql

    read = read_sql if content is Content.SQL else read_shell
    reading = read(origin.lines.file, inside, Options(dialect=dialect))
    inner = origin.within(at + 1, is_exact=is_exact)
    for problem in reading.problems:
        yield change(
            origin, call, inside[:2000], effect=Effect.UNKNOWN, why="cannot be read",
            opaque=problem.message, criticality=Risk.HIGH,
        )  # fmt: skip
    for each in reading.changes:
        yield each.model_copy(update={"source": moved(each.source, inside, inner)})
    if not reading.changes and not reading.problems:
        yield change(origin, call, inside[:2000], effect=Effect.READ, why=f"its {content} is empty")


def _request(
    call: Call, parts: dict[Content, Value], origin: Origin, text: str
) -> Iterator[Change]:
    address = parts[Content.URL]
    if not isinstance(address.plain, str):
        yield _unread(call, address, "its address is no text", origin, text)
        return
    method = parts[Content.METHOD].plain if Content.METHOD in parts else "GET"
    body = parts[Content.BODY].plain if Content.BODY in parts else None
    doubt = None
    if not isinstance(method, str):
        method, doubt = "?", "its method is no text"
    if body is not None and not isinstance(body, str):
        body, doubt = None, "its body is no text"
    for meaning in judge_request(method, address.plain, body, doubt):
        yield _meant(call, meaning, address, origin, text)


def _path(call: Call, value: Value, act: Act, origin: Origin, text: str) -> Change:
    path = replace(literal(value.plain), is_pattern=False)
    full, outcome = judge_path(shell_tables(), act, path, ".", is_tree=False)
    if isinstance(outcome, str):
        return _unread(call, value, outcome, origin, text)
    return change(
        origin, call, text[call.value.at : call.value.end][:2000], effect=outcome.effect,
        why=outcome.why, target=full, selector=outcome.selector,
        reversibility=outcome.reversibility, criticality=outcome.criticality,
    )  # fmt: skip


def _meant(call: Call, meaning: Meaning, value: Value, origin: Origin, text: str) -> Change:
    return change(
        origin, call, text[value.at : value.end][:2000], effect=meaning.effect, why=meaning.why,
        target=meaning.operation or "", selector=meaning.selector,
        reversibility=meaning.reversibility, criticality=meaning.criticality, opaque=meaning.opaque,
    )  # fmt: skip


def _unread(call: Call, value: Value, reason: str, origin: Origin, text: str) -> Change:
    return change(
        origin, call, text[value.at : value.end][:2000], effect=Effect.UNKNOWN, why=reason,
        opaque=reason, selector=Selector.UNKNOWN, criticality=Risk.HIGH,
    )  # fmt: skip
