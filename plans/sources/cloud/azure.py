"""Azure management operations, by name and properties or as the Activity Log records them: each becomes a change.

An operation is named `Provider/types/verb`, in whatever case. As with AWS, one that failed is judged as if it
went through.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ...model import Change, Effect, Position, Reading, Reversibility, Risk, Selector
from ...taxonomy.cloud import Class, Row, Taxonomy, shipped
from .. import Options
from ..verdicts import Verdict
from . import azure_command
from .calls import (
    Target,
    action_names,
    change,
    classified,
    read_calls,
    shortened,
    together,
    unread,
)
from .rules import Parameters, everywhere, gravest, judge, opaque, parsed

ACTION_NAMES = action_names("azure")


def read(file: str, text: str, options: Options) -> Reading:
    """Every operation of a document of operations or of Activity Log events."""
    own = options.taxonomies.get("azure")
    taxonomy = own if isinstance(own, Taxonomy) else shipped("azure")
    return read_calls(
        "azure", file, text, ("value", "records", "calls"), partial(_classify, taxonomy)
    )


def classify_call(
    operation: str,
    parameters: Mapping[str, Any],
    at: Position,
    *,
    resource: str = "",
    unresolved: bool = False,
) -> tuple[Change, ...]:
    """What one operation does: at least one change."""
    given = Parameters(_opened(parameters), unresolved)
    return tuple(_changes(shipped("azure"), _Call(operation, given, resource), at))


def classify_command(words: Sequence[str | None], at: Position) -> tuple[Change, ...]:
    """What an `az` command does, from its words after the program; `None` is a word that was not resolved."""
    made = azure_command.calls(words, shipped("azure").commands)
    if isinstance(made, str):
        shown = " ".join("…" if word is None else word for word in ["az", *words[:4]])
        return (unread("azure", shown, shown, made, at),)
    return tuple(
        change
        for call in made
        for change in _changes(
            shipped("azure"),
            _Call(call.operation, Parameters(call.parameters, call.unresolved), call.resource),
            at,
        )
    )


@dataclass(frozen=True, slots=True)
class _Call:
    operation: str
    parameters: Parameters
    resource: str = ""
    note: str | None = None


_KEYS = frozenset(
    {"operation", "operationName", "resource", "resourceId", "parameters", "properties", "body"}
    | {"id", "time", "subscription"}
)
_LOGGED = (
    "caller",
    "correlationId",
    "eventTimestamp",
    "authorization",
    "category",
    "resourceProviderName",
)
_NAMED = re.compile(r"^[A-Za-z][A-Za-z0-9.]*(?:/[A-Za-z0-9.$*_-]+){1,20}$")


def _classify(taxonomy: Taxonomy, value: Any, place: str, at: Position) -> Iterator[Change]:
    yield from classified("azure", _record, partial(_changes, taxonomy), value, place, at)


def _record(value: Mapping[str, Any]) -> _Call | str:
    if "operationName" in value and "operation" in value:
        return "the operation is named twice"
    name = value.get("operationName", value.get("operation"))
    if isinstance(name, Mapping):
        name = name.get("value")
    if not isinstance(name, str) or not name:
        return "the event names no operation"
    resource = value.get("resourceId", value.get("resource", value.get("resourceUri", "")))
    if not isinstance(resource, str):
        return "the resource is not a name"
    if any(key in value for key in _LOGGED):
        return _logged(value, name, resource)
    for key in value:
        if key not in _KEYS:
            return f"the key `{shortened(str(key))}` is not one of an operation"
    given = together(value, ("parameters", "body", "properties"))
    return given if isinstance(given, str) else _Call(name, Parameters(_opened(given)), resource)


def _logged(value: Mapping[str, Any], name: str, resource: str) -> _Call | str:
    properties = value.get("properties")
    given: Any = properties.get("requestbody") if isinstance(properties, Mapping) else None
    given = parsed(given)
    status = value.get("status", value.get("resultType"))
    status = status.get("value") if isinstance(status, Mapping) else status
    failed = isinstance(status, str) and status.casefold() in ("failed", "failure")
    known = isinstance(given, Mapping)
    return _Call(
        name,
        Parameters(
            _opened(given) if known else {},
            hidden=None if known else "the event leaves the request out",
        ),
        resource,
        note="it failed then" if failed else None,
    )


def _opened(given: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under `properties` beside the rest: bodies have the level, rules do not."""
    opened = {key: value for key, value in given.items() if key != "properties"}
    inner = given.get("properties")
    if inner is not None and not isinstance(inner, Mapping):
        return dict(given)
    for key, value in (inner or {}).items():
        opened[key] = [opened[key], value] if key in opened else value
    return opened


def _changes(taxonomy: Taxonomy, call: _Call, at: Position) -> Iterator[Change]:
    name = call.operation.strip("/")
    if not _NAMED.match(name):
        reason = "the operation is not named as `Provider/types/verb`"
        yield unread("azure", name, shortened(name), reason, at)
        return
    row = taxonomy.row(name) or next(iter(taxonomy.added_rows(name)), None)
    name = (
        next((each for each in row.calls if each.casefold() == name.casefold()), name)
        if row
        else name
    )
    found = _judged(taxonomy, name, row, call)
    if call.note is not None:
        found = replace(found, notes=(*found.notes, call.note))
    home = name.rpartition("/")[0]
    if name.casefold().endswith("/action"):
        home = home.rpartition("/")[0]
    named = call.resource.rstrip("/").rpartition("/")[2]
    target = Target(
        call.resource or home,
        named,
        (row.kind if row else None) or f"azure.{home.casefold()}",
        row.is_a if row else Class.STATELESS if found.effect is Effect.READ else None,
        row.criticality if row else Risk.HIGH,
    )
    yield change("azure", name, target, found, at)


def _judged(taxonomy: Taxonomy, name: str, row: Row | None, call: _Call) -> Verdict:
    if row is None:
        if name.casefold().endswith("/read"):
            return Verdict(Effect.READ, Selector.SOME, Reversibility.REVERSIBLE)
        return opaque(f"the tables do not say what `{shortened(name)}` does")
    rows = dict.fromkeys((row, *taxonomy.added_rows(name)))
    found = gravest([judge(each, call.parameters) for each in rows])
    if found.effect is Effect.UPDATE:
        return gravest([found, *everywhere(taxonomy.everywhere, call.parameters)])
    return found
