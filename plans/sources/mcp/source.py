"""MCP tool calls: every call is a change; what a server says of its own tools may tighten and never loosens.

A call counts as a read only where a table says so of this tool of the server that the client names. A
`readOnlyHint` is the server's own word and no evidence; neither is a name or a description. A table row with a
`sha256` counts only while the tool's definition has that digest. Arguments that carry SQL, a shell line, a request
or a path are read as what they carry, and a tool of no table is opaque whatever its arguments are.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, assert_never

import rfc8785

from ...model import (
    Artifact,
    Change,
    Effect,
    Problem,
    Reading,
    Reversibility,
    Risk,
    Selector,
    numbered,
)
from ...taxonomy.mcp import Server, Taxonomy, Tool, shipped
from .. import MAX_ARTIFACT_BYTES, Options
from ..cloud.rules import Parameters, Unreadable, holds
from ..shell.syntax import Lines, Origin
from ..verdicts import severity
from ..web.http import judge_name
from ..words import words
from .arguments import Call, carried, harmful, suspected
from .json import Fault, Value, read_json
from .report import ACTION_NAMES, change

__all__ = ["ACTION_NAMES", "MAX_CALLS", "read"]

MAX_CALLS = 10_000
MAX_MESSAGE_BYTES = min(MAX_ARTIFACT_BYTES, 8 * 1024 * 1024)


def read(file: str, text: str, options: Options) -> Reading:
    """The changes of a `tools/call` request, a stream or list of messages, or `{tools, calls}`."""
    encoded = text.encode("utf-8", "surrogatepass")
    artifact = Artifact(kind="mcp", file=file, sha256=hashlib.sha256(encoded).hexdigest())
    lines = Lines(file, text.encode("utf-8", "replace"))

    def refused(message: str, at: int = 0) -> Reading:
        where = lines.position(len(text[:at].encode("utf-8", "replace")), "")
        problem = Problem(message=message, file=file, line=where.line, column=where.column)
        return Reading(artifact=artifact, changes=(), problems=(problem,))

    if len(encoded) > MAX_MESSAGE_BYTES:
        return refused(f"the messages are larger than {MAX_MESSAGE_BYTES} bytes")
    values = read_json(text)
    if isinstance(values, Fault):
        return refused(values.message, values.at)
    taxonomy = options.taxonomies.get("mcp")
    reader = _Reader(taxonomy if isinstance(taxonomy, Taxonomy) else shipped(), text, Origin(lines))
    for value in values:
        reader.collect(value, None)
    if len(reader.calls) > MAX_CALLS:
        return refused(f"there are more than {MAX_CALLS} calls")
    changes = [change for call in reader.calls for change in reader.changes(call)]
    problems = tuple(refused(fault.message, fault.at).problems[0] for fault in reader.faults[:100])
    if not changes and not problems:
        return refused("it holds no call of a tool")
    return Reading(artifact=artifact, changes=numbered(changes), problems=problems)


_READING_METHODS = words(
    "initialize ping tools/list resources/list resources/read resources/templates/list "
    "resources/subscribe resources/unsubscribe prompts/list prompts/get completion/complete "
    "logging/setLevel roots/list"
)


class _Shape(Enum):
    """What one object of a text is; it is one of them, or it is a fault."""

    REQUEST = auto()
    RESPONSE = auto()
    DOCUMENT = auto()
    CALL = auto()


_SIGNS = {
    "method": _Shape.REQUEST,
    "result": _Shape.RESPONSE,
    "error": _Shape.RESPONSE,
    "calls": _Shape.DOCUMENT,
    "tools": _Shape.DOCUMENT,
    "name": _Shape.CALL,
}
_KEYS = {
    _Shape.REQUEST: words("jsonrpc id method params server"),
    _Shape.RESPONSE: words("jsonrpc id result error server"),
    _Shape.DOCUMENT: words("tools calls server"),
    _Shape.CALL: words("name arguments id server _meta"),
}
"""All that an object of each shape may have, since what is not read could be another call."""
_PARAMETERS = words("name arguments task _meta")


@dataclass(slots=True)
class _Reader:
    """The calls of one text, and the definitions of the tools they name."""

    taxonomy: Taxonomy
    text: str
    origin: Origin
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    tools: dict[tuple[str | None, str], list[Any]] = field(default_factory=dict)

    def collect(self, value: Value, server: str | None) -> None:
        """A message, a list of them, or an object with `tools` and `calls`."""
        if isinstance(value.plain, list):
            for element in value.elements:
                self.collect(element, server)
            return
        members = value.members
        shapes = {shape: key for key, shape in _SIGNS.items() if key in members}
        if len(shapes) != 1:
            one_of = " and ".join(f"`{key}`" for key in shapes.values())
            message = f"{one_of} in one object: which of them counts is not known"
            self.fault(message if shapes else "it is no message of the protocol", value)
            return
        (shape,) = shapes
        if shape is not _Shape.CALL and (stray := members.keys() - _KEYS[shape]):
            self.fault(
                f"beside `{shapes[shape]}` stands `{_first(stray)}`, which is not read", value
            )
        if (named := members.get("server")) is not None:
            if not isinstance(named.plain, str):
                self.fault("`server` is no name", named)
                return
            server = named.plain
        match shape:
            case _Shape.REQUEST:
                self.request(value, server)
            case _Shape.RESPONSE:
                result = members.get("result")
                if result is not None and "tools" in result.members:
                    self.definitions(result.members["tools"], server)
            case _Shape.DOCUMENT:
                if "tools" in members:
                    self.definitions(members["tools"], server)
                for call in self.listed("calls", members.get("calls")):
                    self.collect(call, server)
            case _Shape.CALL:
                self.call(value, value, _KEYS[shape], server)
            case _:
                assert_never(shape)

    def request(self, value: Value, server: str | None) -> None:
        method = value.members["method"].plain
        parameters = value.members.get("params")
        if method == "tools/call" and parameters is not None:
            self.call(value, parameters, _PARAMETERS, server)
        elif isinstance(method, str) and (
            method in _READING_METHODS or method.startswith("notifications/")
        ):
            self.calls.append(Call(method, server, None, value, self.place(value), is_reading=True))
        else:
            shown = method if isinstance(method, str) else "?"
            reason = f"what the request `{shown[:100]}` does is not known"
            self.calls.append(Call(shown, server, None, value, self.place(value), reason))

    def call(
        self, value: Value, parameters: Value, keys: frozenset[str], server: str | None
    ) -> None:
        name = parameters.members.get("name")
        arguments = parameters.members.get("arguments")
        place = self.place(value)
        if name is None or not isinstance(name.plain, str) or not name.plain:
            self.calls.append(Call("?", server, None, value, place, "it names no tool"))
            return
        server, tool = _prefixed(server, name.plain)
        doubt = None
        if arguments is not None and not isinstance(arguments.plain, dict | None):
            doubt = "its arguments are no object"
        if stray := parameters.members.keys() - keys:
            doubt = f"beside its name stands `{_first(stray)}`, which is not read"
        self.calls.append(Call(tool, server, arguments, value, place, doubt))

    def definitions(self, tools: Value, server: str | None) -> None:
        for tool in self.listed("tools", tools):
            name = tool.members.get("name")
            if name is None or not isinstance(name.plain, str):
                self.fault("a tool has no name", tool)
                continue
            self.tools.setdefault(_prefixed(server, name.plain), []).append(tool.plain)

    def listed(self, key: str, value: Value | None) -> tuple[Value, ...]:
        if value is not None and not isinstance(value.plain, list):
            self.fault(f"`{key}` is no list", value)
        return value.elements if value is not None else ()

    def fault(self, message: str, value: Value) -> None:
        self.faults.append(Fault(message, value.at))

    def place(self, value: Value) -> int:
        return len(self.text[: value.at].encode("utf-8", "replace"))

    # --- one call

    def changes(self, call: Call) -> Iterator[Change]:
        """What a call does: by its row, by its arguments, by its hints; the worst of each counts."""
        excerpt = self.text[call.value.at : call.value.end][:2000]
        if call.is_reading:
            yield change(
                self.origin, call, excerpt, effect=Effect.READ, why="it reads by the protocol"
            )
            return
        definition, doubt = self.definition(call)
        rows = self.taxonomy.tools.get((call.server or "", call.tool), ())
        doubts = (call.doubt, doubt, *(_pinned(tool, definition) for _, tool in rows))
        doubt = next((each for each in doubts if each is not None), None)
        if doubt is not None or not rows:
            yield self.unclassified(call, doubt, definition, excerpt)
            yield from suspected(call, self.origin, self.text)
            return
        found: list[Change] = []
        for server, tool in rows:
            told = list(self.classified(call, server, tool, definition, excerpt))
            # A second row adds only what it accuses of beyond the first.
            found += [each for each in told if not any(_covers(one, each) for one in found)]
        yield from found

    def classified(
        self, call: Call, server: Server, tool: Tool, definition: Any, excerpt: str
    ) -> Iterator[Change]:
        inner = list(carried(call, server, tool, self.origin, self.text))
        if tool.carries:
            # What a server does with an argument that its row does not name is not known.
            inner += suspected(call, self.origin, self.text, frozenset(tool.carries))
        tightened, why = _hinted(definition)
        effect = tool.effect
        if effect is not None or not inner:
            tool = _in_case(tool, call)
            effect = tool.effect or Effect.UNKNOWN
            opaque = tool.opaque
            if effect is Effect.UNKNOWN and opaque is None:
                opaque = "the argument that says what it does is missing"
            selector = tool.selector
            if (word := harmful(call, tool)) is not None:
                opaque = f"`{word}` in its arguments makes it do more than `{call.tool[:60]}` says"
            if tightened is not None and severity(tightened) > severity(effect):
                is_write = effect in (Effect.CREATE, Effect.UPDATE)
                opaque = None if is_write else f"a table says that it reads, and {why}"
                effect, selector = tightened, Selector.ALL if is_write else Selector.UNKNOWN
            yield change(
                self.origin, call, excerpt, effect=effect, selector=selector, opaque=opaque,
                reversibility=tool.reversibility, criticality=tool.criticality,
                why=tool.why or why, target=_target(call, tool),
            )  # fmt: skip
        yield from inner

    def unclassified(self, call: Call, doubt: str | None, definition: Any, excerpt: str) -> Change:
        """A tool of no table: accused by its name and its hints, acquitted by nothing."""
        meaning = judge_name(call.tool, "the tool")
        tightened, _ = _hinted(definition)
        effect = meaning.effect
        if tightened is not None and effect is not Effect.UNKNOWN:
            effect = max(effect, tightened, key=severity)
        for _, tool in self.taxonomy.by_name.get(call.tool, ()):
            # Another server's tool of the same name accuses, too.
            if tool.effect is not None and effect is not Effect.UNKNOWN:
                effect = max(effect, tool.effect, key=severity)
        return change(
            self.origin, call, excerpt, effect=effect, selector=Selector.UNKNOWN,
            criticality=Risk.HIGH, why=meaning.why, opaque=doubt or meaning.opaque,
        )  # fmt: skip

    def definition(self, call: Call) -> tuple[Any, str | None]:
        """The tool's definition where it is shown, and whether there are two."""
        places = dict.fromkeys((call.server, None))
        found = [each for server in places for each in self.tools.get((server, call.tool), ())]
        if any(each != found[0] for each in found):
            return found[0], "the tool is defined twice, and differently"
        return (found[0] if found else None), None


def _prefixed(server: str | None, tool: str) -> tuple[str | None, str]:
    """Clients put their own name of the server before a tool's: `mcp__SERVER__TOOL`."""
    parts = tool.split("__", 2)
    is_prefixed = server is None and parts[0] == "mcp" and len(parts) == 3
    return (parts[1], parts[2]) if is_prefixed else (server, tool)


def _first(keys: Iterable[str]) -> str:
    return min(keys)[:60]


def _covers(one: Change, other: Change) -> bool:
    """Whether a change is about the same thing, and at least as strict in every respect."""
    same = (one.resource.type, one.resource.id) == (other.resource.type, other.resource.id)
    return same and all(
        mine >= theirs for mine, theirs in zip(_strictness(one), _strictness(other), strict=True)
    )


def _strictness(change: Change) -> tuple[int, ...]:
    return (
        severity(change.effect),
        list(Selector).index(change.selector),
        list(Reversibility).index(change.reversibility),
        list(Risk).index(change.resource.criticality),
        change.opaque is not None,
    )


def digest_of(definition: Any) -> str | None:
    """SHA-256 of a tool's definition in RFC 8785 form; `None` where it has no such form."""
    try:
        return hashlib.sha256(rfc8785.dumps(definition)).hexdigest()
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return None


def _pinned(tool: Tool, definition: Any) -> str | None:
    if tool.sha256 is None:
        return None
    if definition is None:
        return "the tool's definition is not shown, so that it may have changed"
    if digest_of(definition) != tool.sha256:
        return "the tool changed since it was classified"
    return None


def _hinted(definition: Any) -> tuple[Effect | None, str]:
    """The effect that the server's own hints accuse a tool of."""
    hints = definition.get("annotations") if isinstance(definition, dict) else None
    if not isinstance(hints, dict):
        return None, ""
    if hints.get("destructiveHint") not in (None, False):
        return Effect.DELETE_DATA, "its server says that it destroys"
    if hints.get("readOnlyHint") not in (None, True):
        return Effect.UPDATE, "its server says that it writes"
    return None, ""


def _in_case(tool: Tool, call: Call) -> Tool:
    """The row as it is for these arguments; a condition that cannot be read does not hold."""
    arguments = call.arguments.plain if call.arguments is not None else None
    given = Parameters(arguments if isinstance(arguments, dict) else {})
    for case in tool.cases:
        try:
            if all(holds(condition, given, every=True) for condition in case.when):
                return tool.model_copy(update={**dict(case.does), "why": case.why})
        except Unreadable:
            return tool
    return tool


def _target(call: Call, tool: Tool) -> str:
    arguments = call.arguments.plain if call.arguments is not None else None
    if not isinstance(arguments, dict):
        return ""
    return " ".join(str(arguments[name]) for name in tool.target if name in arguments)
