"""What the prover says of claims, one after the other: verdict, counterexample as text and as a test, and why."""

import time
from collections.abc import Iterator
from typing import Any

from ..analyzer.goals import Goal, digest_of_goal, goals_of
from ..analyzer.prove import Proof, Verdict, prove_goal
from ..analyzer.telling import guards, situation_lines, test_source
from ..analyzer.vocabulary import vocabulary_of
from ..analyzer.why import explain
from ..compiler import compile_policies, ir
from ..lang.checked import Checked
from ..lang.fragments import fragments
from ..lang.loader import load_texts
from ..lang.source import Span

MEMORY_BYTES = 4 * 1024**3

Note = tuple[str, str, int, int]
"""What is said, the file, and where in it, in code points."""


def answers(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The claims of `texts`, but for those whose digest is among `known`; each first by its name alone."""
    checked, _ = load_texts(request["texts"])
    policies, _ = compile_policies(checked)
    goals, _ = goals_of(checked, request["claims"])
    vocabulary = vocabulary_of(checked)
    known = set(request["known"])
    for goal in goals:
        digest = digest_of_goal(policies, goal)
        yield {"claim": goal.name, "digest": digest}
        if digest in known:
            continue
        started = time.perf_counter()
        try:
            proof = explain(policies, prove_goal(policies, goal, vocabulary))
        except MemoryError:
            why = f"the memory limit of {MEMORY_BYTES // 1024**3} GiB was reached"
            proof = Proof(goal, Verdict.UNKNOWN, why=why)
        milliseconds = (time.perf_counter() - started) * 1000
        yield {
            **_document(checked, policies, goal, proof),
            "digest": digest,
            "milliseconds": milliseconds,
        }
    yield {"done": True}


def _document(checked: Checked, policies: ir.PolicySet, goal: Goal, proof: Proof) -> dict[str, Any]:
    found = proof.counterexample
    lines: list[str] = []
    notes: list[Note] = []
    test = ""
    if found is not None:
        lines = [f"{role:<10}{text}" for role, text in situation_lines(found)]
        by = f" by {', '.join(found.decision.rules)}" if found.decision.rules else ""
        lines.append(f"{'decision':<10}{found.decision.outcome}{by}")
        notes = [
            (
                f"`{guard.rule}` does not apply because {guard.message}",
                *_place(guard.misses[0].span),
            )
            for guard in guards(checked, policies, found)
        ]
        test = _test(checked, proof)
    elif proof.verdict is Verdict.PROVED:
        notes = [_needed(because.rule, because.span) for because in proof.because]
    return {
        "claim": goal.name,
        "verdict": str(proof.verdict),
        "message": _message(goal, proof),
        "counterexample": lines,
        "notes": notes,
        "test": test,
    }


def _message(goal: Goal, proof: Proof) -> str:
    match proof.verdict:
        case Verdict.PROVED:
            return f"{goal.sentence}, for every request that the schema admits"
        case Verdict.REFUTED:
            return f"this request breaks `{goal.sentence}`"
        case _:
            return proof.why


def _test(checked: Checked, proof: Proof) -> str:
    """The counterexample as a test for the file of the claim, without the `use`s that it needs there."""
    declarations = fragments("", test_source(checked, proof))
    written = next(one.text for one in declarations if one.text.startswith("test "))
    doc = f"/// Breaks the claim `{proof.goal.name}`: when this test fails, the claim may hold."
    return f"{doc}\n{written.strip()}\n"


def _needed(rule: str, span: Span) -> Note:
    return (f"rests on `{rule}`", *_place(span))


def _place(span: Span) -> tuple[str, int, int]:
    offset = span.fragment.offset
    return span.file, offset + span.start, offset + span.end
