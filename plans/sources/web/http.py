"""HTTP requests, as `curl` sends them and tools name them: method, address and body decide what they change."""

import json
import re
from dataclasses import dataclass, replace

from ...model import Effect, Reversibility, Risk, Selector
from ...taxonomy.mcp import shipped
from ..verdicts import severity
from .graphql import operations
from .hosts import metadata_of

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
MAX_BODY_LETTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a request or a name is taken to do."""

    effect: Effect
    why: str
    selector: Selector = Selector.ONE
    reversibility: Reversibility = Reversibility.REVERSIBLE
    criticality: Risk = Risk.MEDIUM
    opaque: str | None = None
    operation: str | None = None


def unknown(reason: str, operation: str | None = None) -> Meaning:
    return Meaning(
        Effect.UNKNOWN,
        reason,
        Selector.UNKNOWN,
        Reversibility.UNKNOWN,
        Risk.HIGH,
        reason,
        operation,
    )


READ = Meaning(Effect.READ, "it reads", Selector.NONE)


def judge_request(method: str, address: str, body: str | None, doubt: str | None) -> list[Meaning]:
    """What a request does. `doubt` says why `body` is not known, where it is not."""
    method = method.upper()
    # What stands before a colon and a number is a host.
    scheme = re.match(r"([a-z][a-z0-9+.-]*):(?!\d)", address.strip().lower())
    if scheme is not None and scheme[1] not in ("http", "https", "ftp", "ftps", "file"):
        return [unknown(f"what `{scheme[1][:20]}` sends is not read here", method)]
    if (metadata := metadata_of(address)) is not None:
        return [
            Meaning(
                Effect.ESCALATE, metadata.why, criticality=Risk.CRITICAL, operation=method[:200]
            )
        ]
    if method == "DELETE":
        why = f"it deletes `{address[:100]}`"
        return [_lost(f"DELETE {_path_of(address)}", why)]
    is_graphql = "graphql" in address.lower() or address.rstrip("/").endswith(("/gql", "/query"))
    if doubt is not None:
        return [unknown(doubt, method)]
    if body is not None and (queries := _queries(body)) is not None:
        return [meaning for query in queries for meaning in judge_graphql(query)]
    if is_graphql and (body or "query=" in address):
        return [unknown("its GraphQL cannot be found", f"{method} {_path_of(address)}")]
    if method in READING_METHODS:
        return [READ]
    if method == "POST" and any(re.fullmatch(one, _path_of(address)) for one in shipped().reads):
        return [READ]
    if method in ("PUT", "PATCH", "POST") or re.fullmatch(r"[A-Z]{3,20}", method):
        why = f"what {method} does at `{address[:100]}` is not known"
        return [unknown(why, f"{method} {_path_of(address)}"[:200])]
    return [unknown("its method is not known")]


def judge_graphql(text: str) -> list[Meaning]:
    """What every operation of a document does; all of them, since any may be chosen."""
    found = operations(text)
    if isinstance(found, str):
        return [unknown(found, "GraphQL")]
    meanings: list[Meaning] = []
    for operation in found:
        if operation.kind != "mutation":
            meanings.append(READ)
            continue
        meanings += [judge_name(field, "the mutation") for field in operation.fields]
        if not operation.fields:
            meanings.append(unknown("its mutation has no field", "mutation"))
    return meanings


def _queries(body: str) -> list[str] | None:
    """The GraphQL texts of a JSON body; `None` when it is none."""
    if len(body) > MAX_BODY_LETTERS:
        return None
    if re.match(r"\s*(mutation|query|subscription)\b", body):
        return [body]
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    batch = document if isinstance(document, list) else [document]
    found = [one.get("query") for one in batch if isinstance(one, dict)]
    texts = [one for one in found if isinstance(one, str)]
    return texts if texts and len(texts) == len(batch) and all(map(_is_graphql, texts)) else None


def _is_graphql(text: str) -> bool:
    return "{" in text


def _path_of(address: str) -> str:
    return re.sub(r"^([a-z]+://)?[^/]*", "", address.partition("?")[0]) or "/"


# --- names of mutations and tools

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words_of(name: str) -> tuple[str, ...]:
    """The words of `deleteRepo`, `delete_repo`, `delete-repo`."""
    return tuple(word.lower() for word in _WORD.findall(name)[:40])


def judge_name(name: str, what: str) -> Meaning:
    """What a name says of itself. It may accuse, and never acquits: more may happen than it says."""
    taxonomy = shipped()
    words = words_of(name)
    accused = [taxonomy.verbs[word] for word in words if word in taxonomy.verbs]
    effect = max(accused, key=severity, default=Effect.UNKNOWN)
    reason = f"no table says what {what} `{name[:100]}` does"
    if effect is Effect.DELETE_DATA:
        return replace(_lost(name, f"{what} `{name[:100]}` deletes by its name"), opaque=reason)
    if effect is Effect.UNKNOWN:
        return unknown(reason, name[:200])
    why = f"{what} `{name[:100]}` says so by its name"
    return Meaning(
        effect, why, Selector.UNKNOWN, Reversibility.UNKNOWN, Risk.HIGH, reason, name[:200]
    )


def _lost(operation: str, why: str) -> Meaning:
    nouns = shipped().nouns
    named = [nouns[word] for word in words_of(operation) if word in nouns]
    effect = max(named, key=severity, default=Effect.DELETE_DATA)
    return Meaning(
        effect, why, Selector.ALL, Reversibility.IRREVERSIBLE, Risk.HIGH, operation=operation[:200]
    )
