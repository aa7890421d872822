"""The AWS call that stands in a record: an event as an SDK is given it, or an entry of CloudTrail."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..verdicts import Verdict
from .calls import shortened
from .rules import Parameters


@dataclass(frozen=True, slots=True)
class Call:
    """One call: of which service, with what, and what is said about how it went."""

    service: str
    operation: str
    parameters: Parameters
    region: str | None = None
    account: str | None = None
    claims_to_write: bool = False
    was_dry_run: bool = False
    note: str | None = None
    said: Verdict | None = None


def call_in(value: Mapping[str, Any]) -> Call | str:
    """The call, or why it cannot be read."""
    if "detail" in value and "detail-type" in value and isinstance(value["detail"], Mapping):
        value = value["detail"]
    return _trail(value) if "eventName" in value else _event(value)


def _event(value: Mapping[str, Any]) -> Call | str:
    for key in value:
        if key not in _EVENT_KEYS:
            return f"the key `{shortened(str(key))}` is not one of a call"
    service, operation = value.get("service", ""), value.get("operation", value.get("action", ""))
    if "api" in value:
        if service or operation:
            return "the call is named twice"
        operation = value["api"]
    if not isinstance(service, str) or not isinstance(operation, str) or not operation:
        return "the call names no operation"
    if not service:
        service, colon, operation = operation.replace(".", ":", 1).partition(":")
        if not colon:
            return "the call names no service"
    given = [value[key] for key in _PARAMETER_KEYS if key in value]
    if len(given) > 1:
        return "the parameters are given twice"
    parameters = given[0] if given and given[0] is not None else {}
    if not isinstance(parameters, Mapping):
        return "the parameters are not an object"
    region, account = value.get("region"), value.get("account")
    return Call(
        service,
        operation,
        Parameters(parameters),
        region if isinstance(region, str) else None,
        str(account) if isinstance(account, str) else None,
    )


def _trail(value: Mapping[str, Any]) -> Call | str:
    source, name = value.get("eventSource"), value.get("eventName")
    if not isinstance(source, str) or not isinstance(name, str) or not source or not name:
        return "the record names no service or no operation"
    if {"service", "operation", "api"} & set(value):
        return "the call is named twice"
    given = value.get("requestParameters")
    if given is not None and not isinstance(given, Mapping):
        return "`requestParameters` is not an object"
    hidden = "the record leaves the parameters out" if given is None else None
    error = value.get("errorCode")
    region, account = value.get("awsRegion"), value.get("recipientAccountId")
    return Call(
        source,
        _VERSIONED.sub("", name),
        Parameters(given or {}, hidden=hidden),
        region if isinstance(region, str) else None,
        account if isinstance(account, str) else None,
        claims_to_write=value.get("readOnly") is False,
        was_dry_run=isinstance(error, str) and error.endswith("DryRunOperation"),
        note=f"it failed then with {shortened(error)}"
        if isinstance(error, str) and error
        else None,
    )


_PARAMETER_KEYS = ("parameters", "params", "arguments", "input", "requestParameters")
_EVENT_KEYS = frozenset(
    {*_PARAMETER_KEYS, "service", "operation", "api", "action", "region", "account", "id", "time"}
)
_VERSIONED = re.compile(r"_?\d{4}_?\d{2}_?\d{2}(v\d+)?$")
