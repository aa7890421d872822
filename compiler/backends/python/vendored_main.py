"""The end of a vendored file: decisions as JSON documents, and the command line."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from ...documents import Misfit, decode, why_missing
from .runtime import Answer, Asked, Entities, Missing, ask, entities_of

ENVIRONMENTS: dict[str, Any] = globals().get("ENVIRONMENTS", {})
FILL: dict[tuple[str, int], Any] = globals().get("FILL", {})
WORLD: Any = globals().get("WORLD")
RULES: tuple[Any, ...] = globals().get("RULES", ())
NEEDS: tuple[Any, ...] = globals().get("NEEDS", ())
SITES: tuple[Any, ...] = globals().get("SITES", ())
POLICY_DIGEST: str = globals().get("POLICY_DIGEST", "")
EXIT_CODES = {"permit": 0, "deny": 1, "hold": 4}


def read_store(documents: Any) -> Entities:
    """A store of `[{"uid", "attrs", "parents"}, …]`."""
    return entities_of(WORLD, documents)


def decide(document: Any, entities: Entities) -> dict[str, Any]:
    """The decision about a request, as `interlock eval --format json` prints it."""
    asked = ask(WORLD, entities, document)
    if not isinstance(asked, Asked):
        digest = asked.request.digest if asked.request is not None else ""
        problems = [
            {"message": message, "rule": None, "source": None} for message in asked.problems
        ]
        return _decision("deny", [], [], problems, digest)
    said = asked.said
    function = ENVIRONMENTS[said.action[1]][said.principal[0]][said.resource[0]][0]
    answer: Answer = function(*asked.arguments)
    reasons = [
        {
            "rule": RULES[number][0],
            "effect": RULES[number][1],
            "because": _message(("because", number), asked),
            "instead": _message(("instead", number), asked),
            "source": _source(RULES[number][2]),
        }
        for number in answer.rules
    ]
    needs = [
        {
            "rule": RULES[NEEDS[place][0]][0],
            "message": _message(("need", place), asked),
            "source": _source(NEEDS[place][1]),
        }
        for place in answer.needs
    ]
    problems = [_problem(number, missing, entities) for number, missing in answer.failures]
    return _decision(answer.outcome, reasons, needs, problems, said.digest)


def _problem(number: int, missing: Missing, entities: Entities) -> dict[str, Any]:
    message = why_missing(missing.uid, entities.wrong)
    return {"message": message, "rule": RULES[number][0], "source": _source(SITES[missing.site])}


def _decision(
    outcome: str,
    reasons: list[dict[str, Any]],
    needs: list[dict[str, Any]],
    problems: list[dict[str, Any]],
    request_digest: str,
) -> dict[str, Any]:
    identity = hashlib.sha256(f"{POLICY_DIGEST}\n{request_digest}".encode()).hexdigest()[:32]
    return {
        "decision": outcome,
        "rules": [reason["rule"] for reason in reasons],
        "reasons": reasons,
        "needs": needs,
        "problems": problems,
        "policy_digest": POLICY_DIGEST,
        "request_digest": request_digest,
        "id": identity,
    }


def _message(key: tuple[str, int], asked: Asked) -> str | None:
    message = FILL.get(key)
    if callable(message):
        return str(message(*asked.arguments))
    return message


def _source(place: tuple[str, int, int]) -> dict[str, Any]:
    return {"file": place[0], "line": place[1], "column": place[2]}


def main() -> int:
    """Decides what stands on standard input, over the entities of the file that is named."""
    try:
        text = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else b"[]"
        entities = read_store(decode(text))
        documents = decode(sys.stdin.buffer.read())
    except (OSError, Misfit) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 3
    several = documents if isinstance(documents, list) else [documents]
    decisions = [decide(document, entities) for document in several]
    shown = decisions if isinstance(documents, list) else decisions[0]
    print(json.dumps(shown, indent=2, ensure_ascii=False))
    return max((EXIT_CODES[item["decision"]] for item in decisions), key=(0, 4, 1).index, default=1)


if __name__ == "__main__":
    sys.exit(main())
