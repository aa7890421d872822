"""The words of the `aws` command line as API calls, with `aws s3` as the calls it makes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model import Effect, Reversibility, Selector
from ..verdicts import Verdict
from .rules import UNRESOLVED, parsed
from .words import Words, taken_apart


@dataclass(frozen=True, slots=True)
class Call:
    """The call that a command makes."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str | None
    unresolved: bool
    verdict: Verdict | None = None
    """What the command itself says, where it stands for more than one call."""


_GLOBAL = frozenset(
    {
        "ca-bundle",
        "cli-auto-prompt",
        "cli-binary-format",
        "cli-connect-timeout",
        "cli-read-timeout",
        "color",
        "debug",
        "endpoint-url",
        "no-cli-auto-prompt",
        "no-cli-pager",
        "no-paginate",
        "no-sign-request",
        "no-verify-ssl",
        "output",
        "profile",
        "query",
        "region",
        "version",
    }
)
_SWITCHES = frozenset(
    {"debug", "no-cli-pager", "no-paginate", "no-sign-request", "no-verify-ssl"}
    | {"dryrun", "recursive", "delete", "force", "quiet", "only-show-errors", "dry-run"}
)
_READS = Verdict(Effect.READ, Selector.NONE, Reversibility.REVERSIBLE)
_LOCAL = frozenset({("eks", "update-kubeconfig"), ("ecr", "get-login-password"), ("logs", "tail")})
# The word after the options is the file that the answer goes to.
_INTO_FILE = frozenset(
    {("lambda", "invoke"), ("s3api", "get-object"), ("glacier", "get-job-output")}
)


def call(words: Sequence[str | None]) -> Call | str:
    """The call, or why the command cannot be read."""
    start = _after_globals(words)
    head, rest = words[:start], words[start:]
    if not rest and any(word in ("--version", "help") for word in head):
        return Call("aws", "help", {}, None, False, _READS)
    if "help" in rest[:3]:
        return Call("aws", "help", {}, None, False, _READS)
    if len(rest) < 2 or rest[0] is None or rest[1] is None or rest[1].startswith("-"):
        return "the command names no service and operation that could be read"
    service, operation = rest[0], rest[1]
    has_file = (service, operation) in _INTO_FILE
    found = taken_apart(rest[2:], switches=_SWITCHES, many=service != "s3" and not has_file)
    region = found.text("region") or taken_apart(head).text("region")
    parameters = {name: value for name, value in found.options.items() if name not in _GLOBAL}
    if (
        "generate-cli-skeleton" in parameters
        and parameters["generate-cli-skeleton"] is not UNRESOLVED
    ):
        return Call(service, operation, {}, region, False, _READS)
    if service == "s3":
        return _s3(operation, found.plain, found, region)
    if operation == "wait" or (service, operation) in _LOCAL:
        return Call(service, operation, {}, region, False, _READS)
    for name in ("cli-input-json", "cli-input-yaml"):
        if name in parameters:
            document = parsed(parameters.pop(name))
            if not isinstance(document, Mapping):
                return Call(service, operation, parameters, region, True)
            parameters = {**document, **parameters}
    if service == "ec2":
        parameters = _as_permission(parameters)
    return Call(
        service, operation, parameters, region, found.unresolved or len(found.plain) > has_file
    )


def _as_permission(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`--protocol tcp --port 20-25 --cidr 0.0.0.0/0`, which the API does not have, as its parameters."""
    written = dict(parameters)
    if "cidr" in written:
        written["CidrIp"] = written.pop("cidr")
        written["IpProtocol"] = written.pop("protocol", "-1")
        first, _, last = str(written.pop("port", "")).partition("-")
        if first.isdecimal():
            written["FromPort"], written["ToPort"] = int(first), int(last or first)
    return written


def _after_globals(words: Sequence[str | None]) -> int:
    """Where the service stands: after the options that every command takes."""
    index = 0
    while index < len(words):
        word = words[index]
        if word is None or not word.startswith("-"):
            break
        name = word.lstrip("-")
        takes_value = "=" not in name and name not in _SWITCHES and name != "version"
        index += 2 if takes_value else 1
    return min(index, len(words))


def _s3(verb: str, paths: Sequence[str | None], found: Words, region: str | None) -> Call | str:
    if any(path is None for path in paths) or found.unresolved or not paths:
        if verb in ("ls", "presign"):
            return Call("s3", verb, {}, region, False, _READS)
        return "the paths of the command could not be resolved"
    named = [path for path in paths if path is not None]
    recursive, narrowed = "recursive" in found.options, "exclude" in found.options
    if found.options.get("dryrun") is True or verb in ("ls", "presign"):
        return Call("s3", verb, {"Bucket": _bucket(named[0])[0]}, region, False, _READS)
    bucket, key = _bucket(named[0])
    into, into_key = _bucket(named[-1])
    match verb:
        case "mb":
            return Call("s3", "CreateBucket", {"Bucket": bucket}, region, False)
        case "rb":
            return Call("s3", "DeleteBucket", {"Bucket": bucket}, region, False)
        case "rm" if not recursive:
            return Call("s3", "DeleteObject", {"Bucket": bucket, "Key": key}, region, False)
        case "rm":
            reach = Selector.SOME if key or narrowed else Selector.ALL
            return _deletion(bucket, reach, "every object under a prefix", region)
        case "mv" if named[0].startswith("s3://"):
            reach = Selector.ONE if not recursive else Selector.SOME if key else Selector.ALL
            return _deletion(bucket, reach, "the objects are moved away", region)
        case "sync" if found.options.get("delete") is True and named[-1].startswith("s3://"):
            reach = Selector.SOME if into_key else Selector.ALL
            return _deletion(into, reach, "`--delete` removes what the source lacks", region)
        case "cp" | "sync" | "mv" if named[-1].startswith("s3://"):
            verdict = Verdict(
                Effect.UPDATE,
                Selector.SOME if recursive or verb == "sync" else Selector.ONE,
                Reversibility.UNKNOWN,
            )
            acl = {"ACL": found.options["acl"]} if "acl" in found.options else {}
            parameters = {"Bucket": into, "Key": into_key, **acl}
            return Call("s3", "PutObject", parameters, region, False, None if acl else verdict)
        case "cp" | "sync":
            return Call("s3", "GetObject", {"Bucket": bucket, "Key": key}, region, False)
        case _:
            return f"`aws s3 {verb}` is not read here"


def _deletion(bucket: str, reach: Selector, why: str, region: str | None) -> Call:
    verdict = Verdict(Effect.DELETE_DATA, reach, Reversibility.UNKNOWN, (why,))
    return Call("s3", "DeleteObjects", {"Bucket": bucket}, region, False, verdict)


def _bucket(path: str) -> tuple[str, str]:
    bucket, _, key = path.removeprefix("s3://").partition("/")
    return bucket, key
