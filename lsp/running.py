"""Running what a policy set says: its tests, and the request that lies beside it."""

import os
from pathlib import Path
from typing import Any

from ..compiler import ir
from ..compiler.decision import Outcome
from ..compiler.documents import MAX_DOCUMENT_BYTES, Misfit, decode
from ..compiler.entities import Entities
from ..compiler.judge import decide_document
from ..compiler.testing import run_tests
from ..compiler.wire import read_entities
from .analysis import Analysis
from .claims import TestState

_WORDS = {Outcome.PERMIT: "permitted", Outcome.HOLD: "held", Outcome.DENY: "denied"}


def test_states(analysis: Analysis) -> dict[str, dict[str, TestState]]:
    """Every test of a policy set, run: by file, then by name."""
    found: dict[str, dict[str, TestState]] = {}
    if analysis.sound:
        for result in run_tests(*analysis.whole()):
            name, file = result.test.name, result.test.span.file
            state = TestState(name, result.failure, str(result.decision.outcome))
            found.setdefault(file, {})[name] = state
    return found


def evaluate_beside(analysis: Analysis, file: str) -> str:
    """The decision about the nearest `request.json`, with the entities of the nearest `entities.json`, as text."""
    _, policies = analysis.whole()
    if not analysis.sound:
        return "the policies do not compile, so every request is denied"
    found = _nearest(file, "request.json")
    if found is None:
        return "there is no request.json in the folder of the policy, or above it"
    try:
        document = _read(found)
        entities = _entities(policies, _nearest(file, "entities.json"))
    except (OSError, Misfit, UnicodeDecodeError) as problem:
        return f"{found.name} or entities.json cannot be read: {problem}"
    documents = document if isinstance(document, list) else [document]
    return "\n".join(_told(policies, one, entities) for one in documents[:100])


def _told(policies: ir.PolicySet, document: Any, entities: Entities) -> str:
    decision = decide_document(policies, document, entities)
    by = f" by {', '.join(decision.rules)}" if decision.rules else ""
    lines = [f"{_WORDS[decision.outcome]}{by}"]
    lines += [f"because {reason.because}" for reason in decision.reasons if reason.because]
    lines += [f"needs {need.message}" for need in decision.needs]
    lines += [problem.message for problem in decision.problems]
    return "; ".join(lines)


def _entities(policies: ir.PolicySet, path: Path | None) -> Entities:
    return read_entities(policies.schema, _read(path) if path is not None else [])


def _nearest(file: str, name: str) -> Path | None:
    if not os.path.isabs(file):  # noqa: PTH117
        return None
    for folder in list(Path(file).parents)[:8]:
        if (folder / name).is_file():
            return folder / name
    return None


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        data = file.read(MAX_DOCUMENT_BYTES + 1)
    return decode(data.decode("utf-8-sig"))
