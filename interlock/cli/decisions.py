"""Decisions for people and for programs: the same facts as text and as JSON."""

from typing import Any

from ..compiler.decision import Decision, Outcome
from ..compiler.explain import NearMiss
from ..lang.render import BOLD, DIM, GREEN, RED, YELLOW, paint, safe
from ..lang.source import Span
from .common import place_document

WORDS = {Outcome.PERMIT: "permitted", Outcome.HOLD: "held", Outcome.DENY: "denied"}
TINTS = {Outcome.PERMIT: GREEN, Outcome.HOLD: YELLOW, Outcome.DENY: RED}


def decision_document(decision: Decision) -> dict[str, Any]:
    """The JSON of one decision; `interlock schema decision` prints its schema."""
    return {
        "decision": str(decision.outcome),
        "rules": list(decision.rules),
        "reasons": [
            {
                "rule": reason.rule,
                "effect": str(reason.effect),
                "because": reason.because,
                "instead": reason.instead,
                "source": place_document(reason.span),
            }
            for reason in decision.reasons
        ],
        "needs": [
            {"rule": need.rule, "message": need.message, "source": place_document(need.span)}
            for need in decision.needs
        ],
        "problems": [
            {
                "message": problem.message,
                "rule": problem.rule,
                "source": place_document(problem.span) if problem.span else None,
            }
            for problem in decision.problems
        ],
        "policy_digest": decision.policy_digest,
        "request_digest": decision.request_digest,
        "id": decision.id,
    }


def outcome_word(outcome: Outcome, *, color: bool) -> str:
    return paint(WORDS[outcome].upper(), BOLD, TINTS[outcome], color=color)


def explanation(
    decision: Decision, near_misses: tuple[NearMiss, ...] = (), *, color: bool
) -> list[str]:
    """Why, in lines of `label  text`: the rules, their reasons, what to do instead, what is still needed."""

    def line(label: str, text: str, span: Span | None = None) -> str:
        place = f"  ({span.file}:{span.line})" if span else ""
        shown = paint(label.ljust(10), DIM, color=color)
        return f"{shown} {safe(text)}{paint(safe(place), DIM, color=color)}"

    lines = []
    if decision.outcome is Outcome.DENY:
        for reason in decision.reasons:
            lines.append(line("denied by", reason.rule, reason.span))
            lines += [line("because", reason.because)] if reason.because else []
            lines += [line("instead", reason.instead)] if reason.instead else []
        for problem in decision.problems:
            where = (
                f"{problem.message}; `{problem.rule}` reads it" if problem.rule else problem.message
            )
            lines.append(line("because", where, problem.span))
        if not lines:
            lines.append(line("because", "no rule permits it"))
            for miss in near_misses:
                lines.append(line("closest", miss.rule, miss.span))
                for span in miss.unmet:
                    text = " ".join(span.text.split())
                    condition = text.removeprefix("unless ")
                    label = "  needs" if condition == text else "  excludes"
                    lines.append(line(label, condition, span))
    if decision.outcome is Outcome.HOLD:
        lines += [line("needs", need.message, need.span) for need in decision.needs]
        lines += [
            line("because", f"{reason.because}") for reason in decision.reasons if reason.because
        ]
    return lines
