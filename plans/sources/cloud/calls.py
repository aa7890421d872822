"""What the cloud sources share: JSON documents, lists and lines of calls, and the changes that calls become."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ...model import (
    Artifact,
    Asset,
    Change,
    Effect,
    Position,
    Problem,
    Reading,
    Reversibility,
    Risk,
    RowBasis,
    Selector,
    numbered,
)
from ...taxonomy.cloud import Class
from .. import MAX_ARTIFACT_BYTES
from ..json_text import Document, Fault, Lines, Part, decode
from ..verdicts import Verdict

MAX_CALLS = 50_000
MAX_TARGETS = 1_000
"""A call with more targets is one change that counts them."""
_MANY_LETTERS = 200

VERBS: Mapping[Effect, str] = {
    Effect.READ: "read",
    Effect.CREATE: "create",
    Effect.UPDATE: "update",
    Effect.DELETE_DATA: "delete",
    Effect.DELETE_RECOVERY: "delete",
    Effect.DELETE_AUDIT: "delete",
    Effect.DISARM: "disarm",
    Effect.ESCALATE: "grant",
    Effect.EXECUTE: "run",
    Effect.UNKNOWN: "unread",
}
"""The action of a change, by what the call does."""


def action_names(cloud: str) -> frozenset[str]:
    return frozenset(f"{cloud}.{verb}" for verb in VERBS.values())


@dataclass(frozen=True, slots=True)
class Target:
    """What a call acts on, as far as it is known."""

    id: str
    name: str
    kind: str
    is_a: Class | None
    criticality: Risk


def change(
    cloud: str,
    operation: str,
    target: Target,
    found: Verdict,
    at: Position,
    *,
    rows: int | None = None,
) -> Change:
    """One call on one target."""
    unread = found.effect is Effect.UNKNOWN or found.opaque is not None
    verb = VERBS[Effect.UNKNOWN if unread else found.effect]
    words = "may do anything to" if unread else _WORDS[found.effect]
    notes = [*found.notes, *([found.opaque] if found.opaque else [])]
    told = f"{operation} {words} {target.name or target.kind}"
    return Change(
        id="",
        action=f"{cloud}.{verb}",
        resource=Asset(
            type=_ENTITIES[cloud] if not unread else "Unread",
            id=shortened(target.id),
            name=shortened(target.name),
            kind=target.kind,
            stateful=target.is_a in (Class.STATEFUL, None),
            recovery=target.is_a is Class.RECOVERY,
            criticality=Risk.CRITICAL if unread else target.criticality,
        ),
        effect=Effect.UNKNOWN if unread else found.effect,
        selector=Selector.UNKNOWN if unread else found.selector,
        reversibility=Reversibility.UNKNOWN if unread else found.reversibility,
        rows=rows,
        row_basis=None if rows is None else RowBasis.EXACT,
        operation=shortened(operation),
        opaque=(found.opaque or "what it does is not known") if unread else None,
        summary=shortened(f"{told}: {', '.join(notes)}" if notes else told),
        source=at,
    )


def unread(cloud: str, operation: str, place: str, reason: str, at: Position) -> Change:
    """A call of which nothing is known but that it stands there."""
    return change(
        cloud,
        operation or "an unnamed call",
        Target(place, place, "unknown", None, Risk.CRITICAL),
        Verdict(Effect.UNKNOWN, Selector.UNKNOWN, Reversibility.UNKNOWN, (), reason),
        at,
    )


_Record = TypeVar("_Record")


def classified(
    cloud: str,
    record: Callable[[Mapping[str, Any]], _Record | str],
    changes: Callable[[_Record, Position], Iterator[Change]],
    value: Any,
    place: str,
    at: Position,
) -> Iterator[Change]:
    """The changes of one item of a document; one that is no call of the cloud is unread."""
    found = record(value) if isinstance(value, Mapping) else "the call is not an object"
    if isinstance(found, str):
        yield unread(cloud, "", place, found, at)
    else:
        yield from changes(found, at)


def together(value: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any] | str:
    """What a call says under several keys, or why it cannot be told."""
    given: dict[str, Any] = {}
    for key in keys:
        part = value.get(key)
        if part is None:
            continue
        if not isinstance(part, Mapping):
            return f"`{key}` is not an object"
        if set(map(str, part)) & set(given):
            return f"`{key}` says again what another part of the call says"
        given.update(part)
    return given


def shortened(text: str) -> str:
    """One line of printable text, of bounded length."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= _MANY_LETTERS else line[: _MANY_LETTERS - 1] + "…"


Classify = Callable[[Any, str, Position], Iterable[Change]]
"""`(one call as JSON, its place in the document, where it stands) → changes`, at least one."""


def read_calls(
    cloud: str, file: str, text: str, listed: Sequence[str], classify: Classify
) -> Reading:
    """Every call of a document: one object, a list, an object with a list under a key of `listed`, or JSON lines."""
    encoded = text.encode("utf-8", "surrogatepass")
    artifact = Artifact(kind=cloud, file=file, sha256=hashlib.sha256(encoded).hexdigest())
    if len(encoded) > MAX_ARTIFACT_BYTES:
        message = f"the file is larger than {MAX_ARTIFACT_BYTES} bytes"
        return Reading(
            artifact=artifact, changes=(), problems=(Problem(message=message, file=file),)
        )
    lines = Lines(text)
    changes: list[Change] = []
    problems: list[Problem] = []
    for found in _calls(text, listed):
        if isinstance(found, Fault):
            line, column = lines.at(min(max(found.offset, 0), len(text)))
            problems.append(Problem(message=found.message, file=file, line=line, column=column))
            continue
        if len(changes) >= MAX_CALLS:
            line, column = lines.at(found.part.offset)
            message = f"the document makes more than {MAX_CALLS} changes"
            problems.append(Problem(message=message, file=file, line=line, column=column))
            break
        line, column = lines.at(found.part.offset)
        at = Position(file=file, line=line, column=column, text=found.place)
        changes += classify(found.part.value, found.place, at)
    return Reading(artifact=artifact, changes=numbered(changes), problems=tuple(problems))


@dataclass(frozen=True, slots=True)
class _Call:
    part: Part
    place: str


_ENTITIES = {"aws": "AwsResource", "google": "GoogleResource", "azure": "AzureResource"}
_WORDS = {
    Effect.READ: "reads",
    Effect.CREATE: "creates",
    Effect.UPDATE: "changes",
    Effect.DELETE_DATA: "deletes",
    Effect.DELETE_RECOVERY: "deletes a way back of",
    Effect.DELETE_AUDIT: "deletes a record of",
    Effect.DISARM: "takes a protection off",
    Effect.ESCALATE: "changes who may do what on",
    Effect.EXECUTE: "runs code on",
    Effect.UNKNOWN: "may do anything to",
}
_LIST = "calls"
_OF_A_CALL = frozenset(
    {
        "api",
        "eventName",
        "method",
        "methodName",
        "operation",
        "operationName",
        "protoPayload",
        "service",
    }
)


def _calls(text: str, listed: Sequence[str]) -> Iterator[_Call | Fault]:
    start = len(text) - len(text.lstrip("\ufeff \t\r\n"))
    if start == len(text):
        yield Fault("the document is empty", 0)
    elif text[start] == "[":
        yield from _in_list(text, start)
    elif text[start] == "{":
        document = decode(text, frozenset(listed))
        if isinstance(document, Fault):
            first, _, rest = text[start:].partition("\n")
            if rest.strip() and not isinstance(decode(first, frozenset()), Fault):
                yield from _in_lines(text)
            else:
                yield document
            return
        yield from _in_object(document, listed, start)
    else:
        yield Fault("this is neither a call nor a list of calls", start)


def _in_object(document: Document, listed: Sequence[str], start: int) -> Iterator[_Call | Fault]:
    if document.ambiguous is not None:
        yield document.ambiguous
    lists = [key for key in listed if key in document.value]
    if lists and (both := sorted(_OF_A_CALL & set(document.value))):
        yield Fault(
            f"beside `{lists[0]}` stands `{both[0]}`: a call and a list of calls in one", start
        )
    if not lists:
        yield _Call(Part(document.value, start), "call")
    for key in lists:
        if key not in document.parts:
            yield Fault(f"`{key}` is not a list", document.keys.get(key, start))
            continue
        for index, part in enumerate(document.parts[key]):
            yield _Call(part, f"{key}[{index}]")


def _in_list(text: str, start: int) -> Iterator[_Call | Fault]:
    # The reader knows the places of a list's elements where the list stands under a key.
    head = f'{{"{_LIST}":'
    document = decode(f"{head}{text[start:]}}}", frozenset({_LIST}))
    shift = len(head) - start
    if isinstance(document, Fault):
        yield Fault(document.message, min(max(document.offset - shift, 0), len(text)))
        return
    if document.ambiguous is not None:
        yield Fault(document.ambiguous.message, max(document.ambiguous.offset - shift, 0))
    if set(document.value) != {_LIST}:
        yield Fault("more text follows the end of the list", start)
    for index, part in enumerate(document.parts.get(_LIST, ())):
        yield _Call(Part(part.value, part.offset - shift), f"[{index}]")


def _in_lines(text: str) -> Iterator[_Call | Fault]:
    offset = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip("\ufeff \t\r"):
            document = decode(line, frozenset())
            if isinstance(document, Fault):
                yield Fault(document.message, offset + document.offset)
            else:
                if document.ambiguous is not None:
                    yield Fault(document.ambiguous.message, offset + document.ambiguous.offset)
                indent = len(line) - len(line.lstrip("\ufeff \t\r"))
                yield _Call(Part(document.value, offset + indent), f"line {number}")
        offset += len(line) + 1
