"""One proof in plain lines: what was claimed, the request that breaks it and why no guard stops it, or why it holds."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...analyzer.prove import Because, Counterexample, Proof
from ...analyzer.telling import guards, situation_lines
from ...analyzer.telling import said as words
from ...compiler.decision import Decision
from ...lang.render import safe
from ...lang.source import Span
from ...lang.syntax import Outcome
from .report import Report

if TYPE_CHECKING:
    from ...analyzer.repair import Repair

WIDTH = 100
MAX_REPAIRS = 3
_LABEL = 16
"""Columns before the text of a line, with room for `permitted by`."""


@dataclass(frozen=True, slots=True)
class Line:
    """`is_quiet` says that a reader in a hurry may pass over it."""

    text: str
    is_quiet: bool = False

    @property
    def parts(self) -> tuple[str, str]:
        """The label, which may be empty, and the text beside it, without layout."""
        return self.text[:_LABEL].strip(), self.text[_LABEL:].strip()


def story(report: Report, proof: Proof, width: int = WIDTH) -> Iterator[Line]:
    """The lines below the verdict; none where there is nothing to add to it."""
    found = proof.counterexample
    if found is not None:
        yield from said("claimed", safe(proof.goal.sentence), width)
        yield from said("but", safe(broken(proof, found)), width)
        yield from situation(found, width)
        yield from decided(found.decision, width)
        yield from _guards(report, found, width)
    if proof.why:
        yield from said("since", safe(proof.why), width)
    yield from _because(proof.because, width)
    yield from _repairs(report.repairs.get(proof.goal.name, ()), width)


def said(label: str, text: str, width: int = WIDTH, inset: int = 0) -> Iterator[Line]:
    """A label and, beside it, text that goes on below itself."""
    room = max(20, width - _LABEL - inset)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    for number, line in enumerate(lines):
        yield Line(f"  {'' if number else label:<{_LABEL - 2 + inset}}{line}")


def situation(found: Counterexample, width: int = WIDTH) -> Iterator[Line]:
    """The request and what is given beside it, in which every attribute matters."""
    told = ""
    for role, text in situation_lines(found):
        for line in laid_out(safe(text), width - _LABEL):
            yield Line(f"{'':<5}{'' if role == told else role:<{_LABEL - 5}}{line}")
            told = role


def decided(decision: Decision, width: int = WIDTH) -> Iterator[Line]:
    """What is decided, and the rules that decide it with their reasons."""
    if not decision.reasons:
        told = [problem.message for problem in decision.problems] or ["no rule permits it"]
        yield from said(_OUTCOMES[decision.outcome], safe("; ".join(told)), width)
    label = f"{_OUTCOMES[decision.outcome]} by"
    for reason in decision.reasons:
        yield from said(label, f"{safe(reason.rule)} ({place(reason.span)})", width)
        if reason.because:
            yield from said("", safe(reason.because), width, inset=2)
        label = ""
    label = "until"
    for need in decision.needs:
        yield from said(label, f"{safe(need.message)} ({place(need.span)})", width)
        label = ""


_OUTCOMES = {Outcome.PERMIT: "permitted", Outcome.HOLD: "held", Outcome.DENY: "denied"}


def broken(proof: Proof, found: Counterexample) -> str:
    """One sentence on how the request breaks the claim; its text is not made safe yet."""
    request = found.request
    return f"{request.principal} {request.action} {request.resource} {proof.goal.kind.REFUTED}"


def place(span: Span) -> str:
    return f"{safe(span.file)}:{span.line}"


def short(text: str, length: int = 60) -> str:
    """Text of a policy on one line, as much of it as fits."""
    line = safe(" ".join(text.split()))
    return line if len(line) <= length else line[: length - 1] + "…"


def laid_out(text: str, width: int) -> list[str]:
    """A value on one line, or where that is too long with an item of its braces on each line."""
    opened = _opened(text) if len(text) > width else None
    if opened is None:
        return [text]
    head, items, tail = opened
    lines = [head]
    for number, item in enumerate(items, start=1):
        inner = laid_out(item, width - 2)
        comma = "," if number < len(items) else ""
        lines += [*(f"  {line}" for line in inner[:-1]), f"  {inner[-1]}{comma}"]
    return [*lines, tail]


def _opened(text: str) -> tuple[str, list[str], str] | None:
    """The text up to the first brace, what stands in it between commas, and the rest."""
    depth, start, is_string, is_escaped = 0, 0, False, False
    head: str | None = None
    items: list[str] = []
    for index, character in enumerate(text):
        if is_string:
            is_string = is_escaped or character != '"'
            is_escaped = character == "\\" and not is_escaped
            continue
        is_string = character == '"'
        if character == "{":
            depth += 1
            if head is None:
                head, start = text[: index + 1], index + 1
        elif character == "}":
            depth -= 1
        if head is not None and ((character == "," and depth == 1) or depth == 0):
            items.append(text[start:index].strip())
            start = index + 1
            if depth == 0:
                return head, [item for item in items if item], text[index:]
    return None


def _guards(report: Report, found: Counterexample, width: int) -> Iterator[Line]:
    label = "despite"
    for guard in guards(report.checked, report.policies, found):
        yield from said(label, f"{safe(guard.rule)} ({place(guard.span)})", width)
        yield from said("", safe(guard.message), width, inset=2)
        label = ""


def _because(because: Iterable[Because], width: int) -> Iterator[Line]:
    """Each rule that the proof needs, with those of its conditions that it needs."""
    rules: dict[str, list[Because]] = {}
    for item in because:
        rules.setdefault(item.rule, []).append(item)
    label = "because"
    for rule, items in rules.items():
        whole = next((item for item in items if item.whole), items[0])
        yield Line(f"  {label:<{_LABEL - 2}}{safe(rule)} ({place(whole.span)})", is_quiet=True)
        for item in items:
            if not item.whole:
                text = short(words(item.span, ""), max(20, width - _LABEL - 2))
                yield Line(f"{'':<{_LABEL + 2}}{text}", is_quiet=True)
        label = ""


def _repairs(repairs: Sequence["Repair"], width: int) -> Iterator[Line]:
    """Edits after which the claim holds, and what each of them breaks."""
    label = "holds if you"
    for repair in repairs[:MAX_REPAIRS]:
        told = ", ".join(repair.breaks[:MAX_REPAIRS])
        if len(repair.breaks) > MAX_REPAIRS:
            told += f" and {len(repair.breaks) - MAX_REPAIRS} more"
        breaks = f", which breaks {told}" if told else ""
        yield from said(label, f"{safe(repair.message + breaks)} ({place(repair.span)})", width)
        label = ""
