"""The words of `az` as management operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .words import Words, taken_apart


@dataclass(frozen=True, slots=True)
class Call:
    operation: str
    parameters: Mapping[str, Any]
    resource: str
    unresolved: bool


_SWITCHES = frozenset(
    {
        "yes",
        "overwrite-existing",
        "public-fqdn",
        "y",
        "no-wait",
        "force",
        "verbose",
        "debug",
        "only-show-errors",
        "help",
        "h",
    }
)
_VERBS = {
    "delete": "delete",
    "show": "read",
    "list": "read",
    "exists": "read",
    "create": "write",
    "update": "write",
    "set": "write",
    "add": "write",
}
# Without other options, what it asks for is what the one who is logged in may do.
_AS_USER = frozenset(
    {
        "g",
        "resource-group",
        "n",
        "name",
        "subscription",
        "overwrite-existing",
        "context",
        "only-show-errors",
    }
    | {"output", "o", "public-fqdn", "format"}
)
_NAMES = ("name", "n", "vault-name", "server", "account-name", "resource-group", "g")


def calls(words: Sequence[str | None], commands: Mapping[str, str]) -> tuple[Call, ...] | str:
    """One operation for each resource it names, or why the command cannot be read."""
    found = taken_apart(words, switches=_SWITCHES)
    made: list[Call] = []
    for resource in _resources(found):
        call = _call(found, resource, commands)
        if isinstance(call, str):
            return call
        made.append(call)
    return tuple(made)


def _resources(found: Words) -> list[str]:
    """The resources by their ids, of which `--ids` takes many, or the one that other options name."""
    ids = found.options.get("ids", ())
    # The words after the first stand alone, since other options take one.
    given = [*(ids if isinstance(ids, list) else [ids]), *found.plain] if ids else []
    named = [each for each in given if isinstance(each, str) and each.startswith("/")]
    return named or [next((text for each in _NAMES if (text := found.text(each))), "")]


def _call(found: Words, resource: str, commands: Mapping[str, str]) -> Call | str:
    plain = tuple(word for word in found.plain if word is None or not word.startswith("/"))
    if not plain or plain[0] is None:
        return "the command names no group"
    if plain[0] in ("version", "help", "find", "feedback") or {"help", "h"} & set(found.options):
        return Call("az/help/read", {}, "", False)
    for length in range(min(len(plain), 6), 0, -1):
        group = plain[:length]
        if any(word is None for word in group):
            continue
        command = " ".join(word or "" for word in group)
        named = commands.get(command)
        if named is None:
            continue
        if set(found.options) <= _AS_USER and not found.unresolved:
            named = commands.get(f"{command} --user", named)
        if named.endswith(("/action", "/delete", "/read", "/write")):
            return Call(named, found.options, resource, found.unresolved)
        verb = plain[length] if len(plain) > length else None
        if verb is None:
            return "the verb of the command could not be resolved"
        if verb.startswith(("list", "show", "get")):
            return Call(f"{named}/read", {}, resource, False)
        if verb not in _VERBS:
            return f"the verb `{verb}` of `az {' '.join(word or '' for word in group)}` is not in the tables"
        # What the options of an update say stands under other names in the operation's body.
        is_update = verb in ("update", "set", "add")
        return Call(
            f"{named}/{_VERBS[verb]}", found.options, resource, found.unresolved or is_update
        )
    if any(word in ("list", "show") for word in plain[1:4]) and None not in plain:
        return Call(f"{plain[0]}/{plain[1]}/read", {}, resource, False)
    return f"`az {' '.join(word or '…' for word in plain[:4])}` is not in the tables"
