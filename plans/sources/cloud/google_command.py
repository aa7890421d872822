"""The words of `gcloud`, `gsutil` and `bq` as method calls."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .words import Words, taken_apart


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    parameters: Mapping[str, Any]
    resource: str
    unresolved: bool


_SWITCHES = frozenset(
    {
        "quiet",
        "q",
        "async",
        "verbose",
        "versioning",
        "recursive",
        "r",
        "f",
        "force",
        "a",
        "all",
        "d",
        "dry_run",
        "dry-run",
    }
    | {
        "nouse_legacy_sql",
        "delete-unmatched-destination-objects",
        "deletion-protection",
        "all-versions",
    }
    | {"delete-all-versions", "m", "table", "t", "model", "routine", "h", "help"}
)
_GROUPS = re.compile(
    r"(?!(add|remove|set|update|delete|create|reset|clear|detach|attach)-)[a-z-]+s"
)
"""Groups of commands are nouns in the plural, which their verbs are not, save a few that end in their objects."""
_VERBS = {"describe": "get", "list": "list", "versions": "list"}


def calls(
    words: Sequence[str | None], program: str, commands: Mapping[str, str]
) -> tuple[Call, ...] | str:
    """One call for each thing that the command names, or why it cannot be read."""
    found = taken_apart(words, switches=_SWITCHES)
    match program:
        case "gsutil":
            made = _storage(found, found.plain)
        case "bq":
            made = _bigquery(found)
        case _:
            made = _gcloud(found, commands)
    return (made,) if isinstance(made, Call) else made


def _gcloud(found: Words, commands: Mapping[str, str]) -> Call | tuple[Call, ...] | str:
    plain = [word for word in found.plain if word not in ("alpha", "beta", "preview")]
    if not plain or plain[0] is None:
        return "the command names no group"
    if True in (found.options.get("help"), found.options.get("h")):
        return Call("gcloud.help.get", {}, "", False)
    if plain[0] in ("info", "version", "help", "topic", "cheat-sheet"):
        return Call("gcloud.help.get", {}, "", False)
    if (
        plain[0] == "storage"
        and plain[1:2]
        and plain[1] not in ("buckets", "objects", "managed-folders")
    ):
        return _storage(found, plain[1:])
    for length in range(min(len(plain) - 1, 5), 0, -1):
        group, verb = plain[:length], plain[length]
        if any(word is None for word in group):
            continue
        resources = commands.get(" ".join(word or "" for word in group))
        if resources is None or (resources.endswith(".-") and _read_verb(plain) is not None):
            continue
        if verb is None:
            return "the verb of the command could not be resolved"
        names = plain[length + 1 :] or [None]
        if verb.endswith("iam-policy"):
            # The word after the name is the file of the policy.
            names = names[:1]
        return tuple(_named(resources, verb, name, found) for name in names)
    verb = _read_verb(plain)
    if verb is not None and plain[0] not in ("auth", "config"):
        return Call(f"{plain[0]}.-.{_VERBS[verb]}", {}, "", False)
    return f"`gcloud {' '.join(word or '…' for word in plain[:4])}` is not in the tables"


def _read_verb(plain: Sequence[str | None]) -> str | None:
    """The verb of `PRODUCT GROUPS list` and `PRODUCT GROUPS describe NAME`, where no other word can be the verb."""
    words = [word for word in plain if word is not None]
    at = len(words) - (1 if words[-1] == "list" else 2)
    if len(words) < len(plain) or at < 1 or words[at] not in ("list", "describe"):
        return None
    return words[at] if all(map(_GROUPS.fullmatch, words[1:at])) else None


def _named(resources: str, verb: str, name: str | None, found: Words) -> Call:
    options = dict(found.options)
    if verb in ("add-iam-policy-binding", "set-iam-policy", "remove-iam-policy-binding"):
        role, member = options.get("role"), options.get("member")
        if verb == "add-iam-policy-binding" and isinstance(role, str) and isinstance(member, str):
            options = {"policy": {"bindings": [{"role": role, "members": [member]}]}}
        return Call(f"{resources}.{_camel(verb)}", options, name or "", found.unresolved)
    for given, is_on in (("versioning", True), ("no-versioning", False)):
        if given in options:
            del options[given]
            options["versioning"] = {"enabled": is_on}
    options["name"] = name
    return Call(f"{resources}.{_VERBS.get(verb, _camel(verb))}", options, "", found.unresolved)


def _camel(verb: str) -> str:
    head, *rest = verb.split("-")
    return head + "".join(each.capitalize() for each in rest)


def _storage(found: Words, plain: Sequence[str | None]) -> Call | tuple[Call, ...] | str:
    """`gcloud storage` and `gsutil` speak of buckets and objects by their addresses."""
    if not plain or plain[0] is None:
        return "the command names no verb"
    verb, paths = plain[0], plain[1:]
    if verb in (
        "ls",
        "cat",
        "du",
        "stat",
        "hash",
        "version",
        "help",
        "diff",
        "signurl",
        "sign-url",
    ):
        return Call("storage.objects.list", {}, "", False)
    if not paths or any(path is None for path in paths):
        return "the paths of the command could not be resolved"
    last, first = paths[-1] or "", paths[0] or ""
    recursive = bool({"r", "R", "recursive", "a", "all-versions"} & set(found.options))
    bucket, _, key = first.removeprefix("gs://").partition("/")
    buckets = dict.fromkeys((path or "").removeprefix("gs://").partition("/")[0] for path in paths)
    match verb:
        case "rb":
            return tuple(
                Call("storage.buckets.delete", {"bucket": each}, "", False) for each in buckets
            )
        case "mb":
            return Call("storage.buckets.insert", {"bucket": bucket}, "", False)
        case "rm" if len(paths) == 1 and key and not recursive and not set("*?[") & set(key):
            return Call("storage.objects.delete", {"bucket": bucket, "object": key}, "", False)
        case "rm":
            return tuple(
                Call("storage.objects.deleteMany", {"bucket": each}, "", False) for each in buckets
            )
        case "rsync" if {"d", "delete-unmatched-destination-objects"} & set(found.options):
            return Call(
                "storage.objects.deleteMany", {"bucket": last.removeprefix("gs://")}, "", False
            )
        case "mv" if first.startswith("gs://"):
            return Call("storage.objects.deleteMany", {"bucket": bucket}, "", False)
        case "cp" | "rsync" | "mv" if last.startswith("gs://"):
            return Call("storage.objects.insert", {"bucket": last.removeprefix("gs://")}, "", False)
        case "cp" | "rsync":
            return Call("storage.objects.get", {"bucket": bucket}, "", False)
        case _:
            return f"the storage command `{verb}` is not in the tables"


def _bigquery(found: Words) -> Call | str:
    plain = found.plain
    if not plain or plain[0] is None:
        return "the command names no verb"
    match plain[0]:
        case "ls" | "show" | "head" | "version" | "help" | "wait":
            return Call("bigquery.tables.get", {}, "", False)
        case "query" if found.options.get("dry_run") is True:
            return Call("bigquery.tables.get", {}, "", False)
        case "query" if len(plain) == 2 and plain[1] is not None:
            return Call("bigquery.jobs.query", {"query": plain[1]}, "", found.unresolved)
        case "rm" if len(plain) == 2 and plain[1] is not None:
            whole = {"r", "d", "dataset", "recursive"} & set(found.options) or "." not in plain[1]
            noun = "datasets" if whole else "tables"
            return Call(f"bigquery.{noun}.delete", {"name": plain[1]}, "", False)
        case "mk":
            return Call("bigquery.tables.insert", {"name": plain[-1]}, "", False)
        case verb:
            return f"`bq {verb}` is not read here"
