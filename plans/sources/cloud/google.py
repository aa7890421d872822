"""Google Cloud calls, by method and body or as Cloud Audit Logs record them: each becomes a change.

A method has one name in many spellings: `v1.compute.disks.delete`, `google.logging.v2.ConfigServiceV2.DeleteSink`.
Here each is `service.resources.verb`. As with AWS, a call that failed is judged as if it went through.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from ...model import Change, Effect, Position, Reading, Reversibility, Risk, Selector
from ...taxonomy import terraform
from ...taxonomy.cloud import Class, Row, Taxonomy, shipped
from .. import Options
from ..verdicts import Verdict
from . import google_command
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
from .rules import (
    UNRESOLVED,
    Parameters,
    Unreadable,
    everywhere,
    gravest,
    judge,
    opaque,
    parsed,
)
from .sql import carries_sql, sql_changes

ACTION_NAMES = action_names("google")


def read(file: str, text: str, options: Options) -> Reading:
    """Every call of a document of method calls or of audit log entries."""
    own = options.taxonomies.get("google")
    taxonomy = own if isinstance(own, Taxonomy) else shipped("google")
    return read_calls("google", file, text, ("entries", "calls"), partial(_classify, taxonomy))


def classify_call(
    method: str,
    parameters: Mapping[str, Any],
    at: Position,
    *,
    service: str = "",
    resource: str = "",
    unresolved: bool = False,
) -> tuple[Change, ...]:
    """What one call does: at least one change."""
    given = Parameters(_opened(parameters), unresolved)
    return tuple(_changes(shipped("google"), _Call(method, service, given, resource), at))


def classify_command(
    words: Sequence[str | None], at: Position, *, program: str = "gcloud"
) -> tuple[Change, ...]:
    """What a `gcloud`, `gsutil` or `bq` command does, from its words after the program; `None` is not resolved."""
    made = google_command.calls(words, program, shipped("google").commands)
    if isinstance(made, str):
        shown = " ".join("…" if word is None else word for word in [program, *words[:4]])
        return (unread("google", shown, shown, made, at),)
    return tuple(
        change
        for call in made
        for change in _changes(
            shipped("google"),
            _Call(call.method, "", Parameters(call.parameters, call.unresolved), call.resource),
            at,
        )
    )


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    service: str
    parameters: Parameters
    resource: str = ""
    note: str | None = None


_KEYS = frozenset(
    {
        "method",
        "methodName",
        "service",
        "serviceName",
        "resource",
        "resourceName",
        "parameters",
        "params",
    }
    | {"request", "body", "project", "location", "id", "time"}
)
_VERSION = re.compile(r"^(?:v\d+\w*|alpha|beta|google|cloud)$")
_PASCAL = re.compile(r"^([A-Z][a-z]+)([A-Z]\w*)?$")
_READING = re.compile(r"^(?:get|list|aggregatedlist|batchget|search|testiampermissions)")


def _classify(taxonomy: Taxonomy, value: Any, place: str, at: Position) -> Iterator[Change]:
    yield from classified("google", _record, partial(_changes, taxonomy), value, place, at)


def _record(value: Mapping[str, Any]) -> _Call | str:
    payload = value.get("protoPayload")
    if "method" in value and (payload is not None or "methodName" in value):
        return "the call is named twice"
    if payload is not None:
        return (
            _logged(payload) if isinstance(payload, Mapping) else "`protoPayload` is not an object"
        )
    if "methodName" in value and ("request" in value or "authenticationInfo" in value):
        return _logged(value)
    for key in value:
        if key not in _KEYS:
            return f"the key `{shortened(str(key))}` is not one of a call"
    return _plain(value)


def _plain(value: Mapping[str, Any]) -> _Call | str:
    method = value.get("method", value.get("methodName"))
    service = value.get("service", value.get("serviceName", ""))
    resource = value.get("resource", value.get("resourceName", ""))
    if not isinstance(method, str) or not method:
        return "the call names no method"
    if not isinstance(service, str) or not isinstance(resource, str):
        return "the service or the resource is not a name"
    given = together(value, ("parameters", "params", "request", "body"))
    if isinstance(given, str):
        return given
    return _Call(method, service, Parameters(_opened(given)), resource)


def _logged(payload: Mapping[str, Any]) -> _Call | str:
    method, service = payload.get("methodName"), payload.get("serviceName", "")
    request, resource = payload.get("request"), payload.get("resourceName", "")
    if not isinstance(method, str) or not method or not isinstance(service, str):
        return "the entry names no method"
    if request is not None and not isinstance(request, Mapping):
        return "`request` is not an object"
    status = payload.get("status")
    code = status.get("code") if isinstance(status, Mapping) else None
    return _Call(
        method,
        service,
        Parameters(
            _opened(request or {}),
            hidden="the entry leaves the request out" if request is None else None,
        ),
        resource if isinstance(resource, str) else "",
        note=f"it failed then with status {code}" if isinstance(code, int) and code else None,
    )


_LABELS = frozenset({"labels", "metadata", "annotations", "userLabels"})


def _opened(given: Mapping[str, Any]) -> dict[str, Any]:
    """The request with what stands inside its parts beside it: a body or a resource is named as its method likes."""
    opened: dict[str, Any] = dict(given)
    for key, part in given.items():
        if isinstance(part, Mapping) and key not in _LABELS:
            for name, value in part.items():
                opened[name] = [opened[name], value] if name in opened else value
    return opened


def normal(method: str, service: str, aliases: Mapping[str, str]) -> str | None:
    """`service.resources.verb` in small letters; `None` where the method does not name them."""
    tokens = [token for token in method.replace("/", ".").split(".") if token]
    tokens = [token for token in tokens if not _VERSION.match(token)]
    if not tokens:
        return None
    home = service.removesuffix(".googleapis.com").rpartition(".")[2] or (
        tokens[0] if len(tokens) > 1 else ""
    )
    home = aliases.get(home.casefold(), home.casefold())
    if not home:
        return None
    last = tokens[-1]
    if pascal := _PASCAL.match(last):
        verb, noun = pascal[1], pascal[2] or "-"
        if noun == "IamPolicy" or noun == "IamPermissions":
            return f"{home}.-.{last}".casefold()
        return f"{home}.{_plural(noun)}.{verb}".casefold()
    noun = tokens[-2] if len(tokens) > 1 else "-"
    noun = noun if noun.casefold() not in (home, *aliases) or len(tokens) > 2 else "-"
    if noun.casefold().endswith("service"):
        noun = _plural(noun[: -len("service")])
    return f"{home}.{noun}.{last}".casefold()


def _plural(noun: str) -> str:
    if noun.endswith("s"):
        return noun
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def _changes(taxonomy: Taxonomy, call: _Call, at: Position) -> Iterator[Change]:
    name = normal(call.method, call.service, taxonomy.aliases)
    if name is None:
        reason = "the method names no service, resource and verb"
        yield unread("google", call.method, shortened(call.method), reason, at)
        return
    row = taxonomy.row(name) or next(iter(taxonomy.added_rows(name)), None)
    name = next((each for each in row.calls if each.casefold() == name), name) if row else name
    found = _judged(taxonomy, name, row, call)
    if call.note is not None:
        found = replace(found, notes=(*found.notes, call.note))
    service, noun, _ = name.split(".", 2)
    kind = (row.kind if row else None) or f"google.{service}.{noun}"
    target = Target(
        _address(call, row, service, noun),
        _name(call, row),
        kind,
        row.is_a if row else Class.STATELESS if found.effect is Effect.READ else None,
        row.criticality if row else Risk.HIGH,
    )
    inner: list[Change] = []
    if row is not None and carries_sql(row, found):
        inner, found = sql_changes(row, call.parameters, found, at)
    yield change("google", name, target, found, at)
    yield from inner


def _judged(taxonomy: Taxonomy, name: str, row: Row | None, call: _Call) -> Verdict:
    verb = name.rpartition(".")[2].casefold()
    if row is None:
        if _READING.match(verb):
            return Verdict(Effect.READ, Selector.SOME, Reversibility.REVERSIBLE)
        return opaque(f"the tables do not say what `{shortened(name)}` does")
    verdicts = [
        verdict
        for each in dict.fromkeys((row, *taxonomy.added_rows(name)))
        for verdict in (judge(each, call.parameters), *_granted(each, call))
    ]
    found = gravest(verdicts)
    if found.effect is Effect.READ or row.does.effect is Effect.CREATE:
        return found
    if found.effect is Effect.UPDATE:
        return gravest([found, *everywhere(taxonomy.everywhere, call.parameters)])
    return found


def _granted(row: Row, call: _Call) -> Iterator[Verdict]:
    patterns = terraform.shipped().patterns
    for path in row.documents:
        try:
            policies = [parsed(each) for each in call.parameters.at(path)]
        except Unreadable as unreadable:
            yield opaque(unreadable.reason)
            continue
        for policy in policies or [UNRESOLVED]:
            reason = _broad(policy, patterns)
            if reason is None:
                yield opaque(f"`{path}` is a policy that could not be read")
            elif reason:
                note = f"`{path}` {reason}"
                yield Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.REVERSIBLE, (note,))


def _broad(policy: Any, patterns: Mapping[str, tuple[str, ...]]) -> str | None:
    """What the policy grants broadly, nothing, or `None` where it cannot be read."""
    if policy is UNRESOLVED or not isinstance(policy, Mapping):
        return None
    bindings = policy.get("bindings", [])
    if not isinstance(bindings, list):
        return None
    for binding in bindings:
        if not isinstance(binding, Mapping) or not isinstance(binding.get("role"), str):
            return None
        members = binding.get("members", [])
        if not isinstance(members, list) or not all(isinstance(each, str) for each in members):
            return None
        if _any(binding["role"], patterns.get("google_roles", ())):
            return "grants a role over everything"
        if any(_any(member, patterns.get("google_everyone", ())) for member in members):
            return "allows everyone"
    return ""


def _any(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text.casefold(), pattern.casefold()) for pattern in patterns)


def _address(call: _Call, row: Row | None, service: str, noun: str) -> str:
    if call.resource:
        return f"//{service}.googleapis.com/{call.resource.lstrip('/')}"
    name = _name(call, row)
    return f"{service}:{noun}/{name}" if name else f"{service}:{noun}"


def _name(call: _Call, row: Row | None) -> str:
    wanted = [each for part in (row.target if row else ()) for each in part.split("|")]
    for key in [*wanted, "name", "resourceName", "id"]:
        value = call.parameters.values.get(key)
        if isinstance(value, str) and value:
            return value.rpartition("/")[2] or value
    return call.resource.rpartition("/")[2]
