"""What an AWS call is called and acts on: the documented action, the names in its parameters, their ARNs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...taxonomy.cloud import Action, Row, Service, Step, Taxonomy, catalogue, shipped, spelled
from .aws_records import Call
from .calls import shortened
from .rules import Parameters, Unreadable


@dataclass(frozen=True, slots=True)
class Known:
    """A call that AWS documents: its own name and the action that authorises it."""

    service: Service
    name: str
    action: Action

    @property
    def operation(self) -> str:
        return f"{self.service.prefix}:{self.name}"


def known_call(taxonomy: Taxonomy, service: str, operation: str) -> Known | str:
    """The documented call that is meant, or why there is none."""
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
            return Known(documented, name, home.actions[spelled(action_name)])
    action = documented.actions.get(spelled(operation))
    if action is None:
        return f"AWS documents no action `{shortened(operation)}` of `{documented.prefix}`"
    return Known(documented, action.name, action)


def targets_of(known: Known, row: Row | None, kind: str, call: Call) -> list[tuple[str, str]]:
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


def kind_of(known: Known) -> str:
    """The type of what it acts on, as AWS documents it, else by its name."""
    kinds = known.action.types
    _, noun = verb_of(shipped("aws"), known.name)
    return f"aws.{known.service.prefix}.{(kinds[0].rstrip('*') if kinds else noun.casefold()) or 'service'}"


def count_of(row: Row, call: Call) -> int | None:
    """How many things the call reaches, where the row knows which parameter lists them."""
    if row.counts is None:
        return None
    try:
        found = call.parameters.at(row.counts)
    except Unreadable:
        return None
    if not found or not all(isinstance(each, list) for each in found):
        return None
    return sum(map(len, found))


def verb_of(taxonomy: Taxonomy, name: str) -> tuple[Step | None, str]:
    """The step of the longest verb that the name begins with, and the rest of the name."""
    for end in range(len(name), 0, -1):
        if (end == len(name) or name[end].isupper()) and name[:end] in taxonomy.verbs:
            return taxonomy.verbs[name[:end]], name[end:]
    return None, name


def singular(noun: str) -> str:
    """Close enough to find a noun in the tables."""
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    return noun.removesuffix("s")


def _prefix(taxonomy: Taxonomy, service: str) -> str | None:
    name = spelled(service.removesuffix(".amazonaws.com").removesuffix(".amazonaws.com.cn"))
    if name in taxonomy.aliases:
        return taxonomy.aliases[name]
    return catalogue().prefix(name)


def _candidates(known: Known) -> list[str]:
    _, noun = verb_of(shipped("aws"), known.name)
    one = singular(noun)
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


def _address(known: Known, kind: str, call: Call, values: list[str]) -> str:
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
