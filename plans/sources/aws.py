"""AWS API calls, as an SDK is given them or as CloudTrail records them: each becomes a change, none is dropped.

A CloudTrail record is read as the wish to make that call. A call that failed changed nothing then, but the
error says nothing about the next attempt, so it is judged as if it went through; only the error that AWS gives
to a dry run makes it one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..model import Change, Effect, Position, Reading, Reversibility, Risk, Selector
from ..taxonomy import terraform
from ..taxonomy.cloud import (
    Action,
    Class,
    Condition,
    Row,
    Service,
    Step,
    Taxonomy,
    Test,
    catalogue,
    shipped,
    spelled,
)
from . import Options, aws_command
from .aws_policy import broad
from .cloud import (
    MAX_TARGETS,
    Target,
    action_names,
    change,
    read_calls,
    shortened,
    unread,
)
from .cloud_rules import (
    Parameters,
    Unreadable,
    everywhere,
    gravest,
    holds,
    judge,
    opaque,
    verdict,
)
from .cloud_sql import sql_changes
from .verdicts import Verdict

ACTION_NAMES = action_names("aws")


def read(file: str, text: str, options: Options) -> Reading:
    """Every call of a document of SDK events or CloudTrail records."""
    own = options.taxonomies.get("aws")
    taxonomy = own if isinstance(own, Taxonomy) else shipped("aws")
    return read_calls("aws", file, text, ("Records", "calls"), partial(_classify, taxonomy))


def classify_call(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    at: Position,
    *,
    region: str | None = None,
    account: str | None = None,
    unresolved: bool = False,
) -> tuple[Change, ...]:
    """What one call does: at least one change. With `unresolved`, more parameters may follow than are known."""
    given = Parameters(parameters, unresolved)
    return tuple(_changes(shipped("aws"), _Call(service, operation, given, region, account), at))


def classify_command(words: Sequence[str | None], at: Position) -> tuple[Change, ...]:
    """What an `aws` command does, from its words after the program; `None` is a word that was not resolved."""
    made = aws_command.call(words)
    if isinstance(made, str):
        shown = " ".join("…" if word is None else word for word in ["aws", *words[:4]])
        return (unread("aws", shown, shown, made, at),)
    given = Parameters(made.parameters, made.unresolved)
    call = _Call(made.service, made.operation, given, made.region, said=made.verdict)
    if made.verdict is not None and made.verdict.effect is Effect.READ:
        name = f"{made.service}:{made.operation}"
        kind = f"aws.{shortened(made.service)}"
        target = Target(name, "", kind, Class.STATELESS, Risk.LOW)
        return (change("aws", name, target, made.verdict, at),)
    return tuple(_changes(shipped("aws"), call, at))


@dataclass(frozen=True, slots=True)
class _Call:
    service: str
    operation: str
    parameters: Parameters
    region: str | None = None
    account: str | None = None
    claims_to_write: bool = False
    was_dry_run: bool = False
    note: str | None = None
    said: Verdict | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """A call that AWS documents: its own name and the action that authorises it."""

    service: Service
    name: str
    action: Action

    @property
    def operation(self) -> str:
        return f"{self.service.prefix}:{self.name}"


# Documents.

_PARAMETER_KEYS = ("parameters", "params", "arguments", "input", "requestParameters")
_EVENT_KEYS = frozenset(
    {*_PARAMETER_KEYS, "service", "operation", "api", "action", "region", "account", "id", "time"}
)
_VERSIONED = re.compile(r"_?\d{4}_?\d{2}_?\d{2}(v\d+)?$")


def _classify(taxonomy: Taxonomy, value: Any, place: str, at: Position) -> Iterator[Change]:
    call = _record(value) if isinstance(value, Mapping) else "the call is not an object"
    if isinstance(call, str):
        yield unread("aws", "", place, call, at)
    else:
        yield from _changes(taxonomy, call, at)


def _record(value: Mapping[str, Any]) -> _Call | str:
    """The call that stands in a record, or why it cannot be read."""
    if "detail" in value and "detail-type" in value and isinstance(value["detail"], Mapping):
        value = value["detail"]
    return _trail(value) if "eventName" in value else _event(value)


def _event(value: Mapping[str, Any]) -> _Call | str:
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
    return _Call(
        service,
        operation,
        Parameters(parameters),
        region if isinstance(region, str) else None,
        str(account) if isinstance(account, str) else None,
    )


def _trail(value: Mapping[str, Any]) -> _Call | str:
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
    return _Call(
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


# Calls.


def _changes(taxonomy: Taxonomy, call: _Call, at: Position) -> Iterator[Change]:
    known = _known(taxonomy, call.service, call.operation)
    if isinstance(known, str):
        name = f"{call.service}:{call.operation}"
        yield unread("aws", name, shortened(name), known, at)
        return
    row = taxonomy.row(known.operation) or taxonomy.row(
        f"{known.service.prefix}:{known.action.name}"
    )
    found, is_a, criticality = _judged(taxonomy, known, row, call)
    if call.said is not None:
        found = call.said
    if call.note is not None:
        found = replace(found, notes=(*found.notes, call.note))
    kind = (row.kind if row else None) or _kind(known)
    targets = _targets(known, row, kind, call)
    rows = _count(row, call) if row else None
    if row is None or not row.sql or found.effect is Effect.READ:
        inner: list[Change] = []
    else:
        inner, found = sql_changes(row, call.parameters, found, at)
    if not targets or len(targets) > MAX_TARGETS:
        name = f"{len(targets)} of {kind}" if targets else ""
        found = replace(found, selector=_wider(found.selector)) if targets else found
        place = f"{known.service.prefix}:{kind.rpartition('.')[2]}"
        target = Target(place, name, kind, is_a, criticality)
        yield change("aws", known.operation, target, found, at, rows=rows or len(targets) or None)
    for id, name in targets[: MAX_TARGETS if len(targets) <= MAX_TARGETS else 0]:
        target = Target(id, name, kind, is_a, criticality)
        yield change("aws", known.operation, target, found, at, rows=rows)
    yield from inner


def _known(taxonomy: Taxonomy, service: str, operation: str) -> _Known | str:
    prefix = _prefix(taxonomy, service)
    documented = catalogue().service(prefix) if prefix else None
    if documented is None:
        return f"AWS documents no service `{shortened(service)}`"
    other = taxonomy.operations.get(f"{documented.prefix}:{spelled(operation)}")
    if other is not None:
        name, _, action_name = other.partition(" ")
        prefix, _, action_name = action_name.rpartition(":")
        home = catalogue().service(prefix or documented.prefix)
        if home is not None and spelled(action_name) in home.actions:
            return _Known(documented, name, home.actions[spelled(action_name)])
    action = documented.actions.get(spelled(operation))
    if action is None:
        return f"AWS documents no action `{shortened(operation)}` of `{documented.prefix}`"
    return _Known(documented, action.name, action)


def _prefix(taxonomy: Taxonomy, service: str) -> str | None:
    name = spelled(service.removesuffix(".amazonaws.com").removesuffix(".amazonaws.com.cn"))
    if name in taxonomy.aliases:
        return taxonomy.aliases[name]
    return catalogue().prefix(name)


def _judged(
    taxonomy: Taxonomy, known: _Known, row: Row | None, call: _Call
) -> tuple[Verdict, Class | None, Risk]:
    step, noun = _verb(taxonomy, known.name)
    nouns = taxonomy.nouns.get((known.service.prefix, spelled(noun))) or taxonomy.nouns.get(
        (known.service.prefix, spelled(_singular(noun)))
    )
    is_a = row.is_a if row else nouns.is_a if nouns else None
    criticality = row.criticality if row else nouns.criticality if nouns else Risk.HIGH
    if call.was_dry_run or _is_dry_run(taxonomy, known, call.parameters):
        note = "a dry run, which changes nothing"
        return (
            Verdict(Effect.READ, Selector.NONE, Reversibility.REVERSIBLE, (note,)),
            is_a,
            criticality,
        )
    rows = [*([row] if row else []), *taxonomy.added_rows(known.operation)]
    verdicts = [
        verdict
        for each in dict.fromkeys(rows)
        for verdict in (judge(each, call.parameters), *_granted(each, call))
    ]
    if row is None:
        plain = _of_name(taxonomy, known, step, is_a)
        # What the shipped tables cannot tell, a user's may; what they can tell, it only tightens.
        verdicts = verdicts if verdicts and plain.opaque is not None else [plain, *verdicts]
    found = gravest(verdicts)
    if found.effect is Effect.READ:
        if call.claims_to_write and known.action.level not in ("Read", "List"):
            found = opaque("CloudTrail says that this call writes")
        return found, is_a, criticality
    is_total = found.selector is Selector.ALL and found.effect in _DELETIONS
    if step is not Step.CREATE and not is_total:
        found = gravest([found, *everywhere(taxonomy.everywhere, call.parameters)])
    return found, is_a, criticality


_DELETIONS = frozenset({Effect.DELETE_DATA, Effect.DELETE_RECOVERY, Effect.DELETE_AUDIT})


def _is_dry_run(taxonomy: Taxonomy, known: _Known, parameters: Parameters) -> bool:
    if known.service.prefix not in taxonomy.names("dry_run"):
        return False
    try:
        return holds(Condition(parameter="DryRun", test=Test.ON), parameters, every=True)
    except Unreadable:
        # A dry run that cannot be told from a real one is a real one.
        return False


def _of_name(taxonomy: Taxonomy, known: _Known, step: Step | None, is_a: Class | None) -> Verdict:
    if known.action.level in ("Read", "List"):
        return _of_read(taxonomy, known)
    return _of_level(taxonomy, known, step, is_a)


def _of_read(taxonomy: Taxonomy, known: _Known) -> Verdict:
    action = f"{known.service.prefix}:{known.action.name}".casefold()
    if action in map(str.casefold, taxonomy.names("credentials")):
        note = "it hands out credentials"
        return Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.REVERSIBLE, (note,))
    if known.action.name.startswith(taxonomy.names("running_verbs")):
        note = "it runs something, though AWS counts it as a read"
        return Verdict(Effect.EXECUTE, Selector.ONE, Reversibility.UNKNOWN, (note,))
    return Verdict(Effect.READ, Selector.SOME, Reversibility.REVERSIBLE)


def _of_level(taxonomy: Taxonomy, known: _Known, step: Step | None, is_a: Class | None) -> Verdict:
    """What no row says, from the access level, the verb and what kind of thing the noun is."""
    action = f"{known.service.prefix}:{known.action.name}".casefold()
    if known.action.level == "Permissions management" or action in map(
        str.casefold, (*taxonomy.names("credentials"), *taxonomy.names("escalation"))
    ):
        return Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.REVERSIBLE)
    if known.action.level == "Tagging":
        return Verdict(Effect.UPDATE, Selector.ONE, Reversibility.REVERSIBLE)
    if step is None or step is Step.READ:
        return opaque(f"the tables do not say what `{known.operation}` does")
    if is_a is not None and step in taxonomy.classes[is_a]:
        return verdict(taxonomy.classes[is_a][step])
    if step in (Step.UPDATE, Step.DISABLE) and any(
        word.casefold() in known.name.casefold() for word in taxonomy.names("guarding_words")
    ):
        return opaque(f"the tables do not say what protection `{known.operation}` takes off")
    match step:
        case Step.CREATE:
            return Verdict(Effect.CREATE, Selector.ONE, Reversibility.REVERSIBLE)
        case Step.UPDATE:
            return Verdict(Effect.UPDATE, Selector.ONE, Reversibility.UNKNOWN)
        case Step.DISABLE:
            return Verdict(Effect.DISARM, Selector.ALL, Reversibility.REVERSIBLE)
        case Step.RUN:
            return Verdict(Effect.EXECUTE, Selector.ONE, Reversibility.UNKNOWN)
        case Step.DELETE:
            note = "nothing is known of what is lost"
            return Verdict(Effect.DELETE_DATA, Selector.ALL, Reversibility.UNKNOWN, (note,))


def _granted(row: Row, call: _Call) -> Iterator[Verdict]:
    escalating = terraform.shipped().patterns.get("escalating_actions", ())
    for path in row.documents:
        try:
            for document in call.parameters.at(path):
                if document is not None and (reason := broad(document, escalating, call.account)):
                    note = f"`{path}` {reason}"
                    yield Verdict(Effect.ESCALATE, Selector.ONE, Reversibility.REVERSIBLE, (note,))
        except (Unreadable, ValueError):
            yield opaque(f"`{path}` is a policy that could not be read")


def _verb(taxonomy: Taxonomy, name: str) -> tuple[Step | None, str]:
    """The step of the longest verb that the name begins with, and the rest of the name."""
    for end in range(len(name), 0, -1):
        if (end == len(name) or name[end].isupper()) and name[:end] in taxonomy.verbs:
            return taxonomy.verbs[name[:end]], name[end:]
    return None, name


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    return noun.removesuffix("s")


# What a call acts on.


def _kind(known: _Known) -> str:
    kinds = known.action.types
    _, noun = _verb(shipped("aws"), known.name)
    return f"aws.{known.service.prefix}.{(kinds[0].rstrip('*') if kinds else noun.casefold()) or 'service'}"


def _count(row: Row, call: _Call) -> int | None:
    if row.counts is None:
        return None
    try:
        found = call.parameters.at(row.counts)
    except Unreadable:
        return None
    if not found or not all(isinstance(each, list) for each in found):
        return None
    return sum(map(len, found))


def _wider(selector: Selector) -> Selector:
    return Selector.SOME if selector in (Selector.NONE, Selector.ONE) else selector


def _targets(known: _Known, row: Row | None, kind: str, call: _Call) -> list[tuple[str, str]]:
    """The ids and names of what the call acts on; none where the parameters do not say."""
    if row is not None and row.target:
        parts = [_named(call.parameters, each.split("|")) for each in row.target]
    else:
        parts = [_named(call.parameters, _candidates(known))]
    if not parts or not parts[0]:
        return []
    if len(parts) == 1:
        return [(_address(known, kind, call, [each]), each) for each in parts[0]]
    values = [each[0] for each in parts if each]
    return [(_address(known, kind, call, values), "/".join(values))]


def _candidates(known: _Known) -> list[str]:
    _, noun = _verb(shipped("aws"), known.name)
    one = _singular(noun)
    names = [
        f"{stem}{ending}"
        for stem in dict.fromkeys((one, noun, _LAST_WORD.sub(r"\1", one)))
        for ending in ("Identifier", "Name", "Id", "Arn", "Ids", "Names", "Identifiers", "Arns", "")
        if stem
    ]
    return [*names, "ResourceArn", "Arn", "Name", "Id", "Identifier"]


def _named(parameters: Parameters, candidates: Sequence[str]) -> list[str]:
    if parameters.hidden is not None:
        return []
    given = {spelled(str(key)): value for key, value in parameters.values.items()}
    for candidate in candidates:
        head, _, rest = candidate.partition(".")
        value = given.get(spelled(head))
        if rest:
            try:
                value = parameters.at(candidate)
            except Unreadable:
                value = None
        values = value if isinstance(value, list) else [value]
        texts = [each for each in values if isinstance(each, str) and each]
        if texts and len(texts) == len(values):
            return list(dict.fromkeys(texts))
    return []


_LAST_WORD = re.compile(r"^.*[a-z0-9]([A-Z][a-z]+)$")
_PLACEHOLDER = re.compile(r"\$\{[A-Za-z0-9]+\}")


def _address(known: _Known, kind: str, call: _Call, values: list[str]) -> str:
    """The ARN where it can be built, else `service:type/name`."""
    if values[0].startswith("arn:"):
        return values[0]
    kind = kind.rpartition(".")[2]
    plain = f"{known.service.prefix}:{kind}/{'/'.join(values)}"
    region = call.region or ""
    china, government = region.startswith("cn-"), region.startswith("us-gov-")
    partition = "aws-cn" if china else "aws-us-gov" if government else "aws"
    fixed = {"${Partition}": partition, "${Region}": call.region, "${Account}": call.account}
    waiting = list(values)
    missing = False

    def filled(match: re.Match[str]) -> str:
        nonlocal missing
        following = waiting.pop(0) if match[0] not in fixed and waiting else None
        value = fixed.get(match[0], following)
        missing = missing or value is None
        return value or ""

    template = known.service.arns.get(kind)
    address = _PLACEHOLDER.sub(filled, template) if template else ""
    return plain if missing or waiting or not address else address
