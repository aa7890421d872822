"""How the changes between two policy sets are printed: as text, JSON, or Markdown for a pull request."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..analyzer.diff import Difference, Region
from ..analyzer.prove import Counterexample
from ..analyzer.telling import situation_lines
from ..compiler.decision import Decision
from ..compiler.ir import PolicySet
from ..lang.checked import Checked
from ..lang.render import BOLD, GREEN, RED, YELLOW, paint, safe
from ..lang.schema import Environment, Schema
from ..lang.syntax import Outcome
from .common import place_document, plural, use_color
from .markdown import MAX_LETTERS, code, code_block
from .proof_reports.json_report import situation_document
from .proof_reports.story import Line, decided, place, said, short, situation

_NAMED = 4
"""The most kinds of request that are named; the others are counted."""

_DOUBTS = 5
_FACTS = 6
_RULES = 3
_LETTERS = 160
"""The most letters of an example in a table."""

_DECIDED = {Outcome.PERMIT: "permitted", Outcome.HOLD: "held", Outcome.DENY: "denied"}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two policy sets, and what to call it."""

    name: str
    checked: Checked
    policies: PolicySet


@dataclass(frozen=True, slots=True)
class Changes:
    """What changes from one policy set to the other; `doubts` says what could not be compared."""

    before: Side
    after: Side
    difference: Difference
    new_permitted: Counterexample | None
    """A permitted request of a kind that was not there before."""
    doubts: tuple[str, ...]

    @property
    def is_gained(self) -> bool:
        """Whether some request is permitted or held that was not before."""
        gains = any(region.is_gain for region in self.difference.regions)
        return gains or self.new_permitted is not None

    @property
    def is_changed(self) -> bool:
        found = self.difference
        return bool(found.regions or found.only_before or found.only_after)

    def summary(self, more: str = "gained", less: str = "lost") -> str:
        """How many regions are more permissive and how many less, in these words, of how much that was compared."""
        gained = sum(region.is_gain for region in self.difference.regions)
        lost = len(self.difference.regions) - gained
        counts = [f"{gained} {more}"] * bool(gained) + [f"{lost} {less}"] * bool(lost)
        if self.new_permitted is not None:
            counts.append("new kinds of request are permitted")
        if self.doubts:
            counts.append("not decided in full")
        elif not self.is_changed:
            return f"nothing changes; {self._compared} compared"
        told = ", ".join(counts) or "no decision changes"
        return f"{told}; {self._compared} compared"

    @property
    def _compared(self) -> str:
        return plural(self.difference.possible, "kind") + " of request"


def text(changes: Changes) -> str:
    color = use_color()
    lines = [f"{safe(changes.before.name)} → {safe(changes.after.name)}"]
    for region in changes.difference.regions:
        tint = RED if region.is_gain else GREEN
        lines.append(f"{paint(_word(region), BOLD, tint, color=color)}  {_title(region)}")
        lines += [line.text for line in _story(changes, region)]
        lines.append("")
    for title, body in _kinds_of_one_side(changes):
        lines += [paint(title, BOLD, color=color), *(line.text for line in body), ""]
    for doubt in _few(changes.doubts):
        lines.append(f"{paint('undecided', BOLD, YELLOW, color=color)}  {safe(doubt)}")
    lines.append(changes.summary())
    return "\n".join(lines)


def markdown(changes: Changes) -> str:
    """A table of the regions, what is gained first, then each folded, as far as it fits into a comment."""
    before, after = code(changes.before.name), code(changes.after.name)
    told = changes.summary("more permissive", "stricter")
    lines = [f"**Policy changes: {told}** · {before} → {after}", ""]
    regions = changes.difference.regions
    if regions:
        lines += ["| now | rule | where | smallest request | share |", "|---|---|---|---|---|"]
    room = MAX_LETTERS // 2
    for count, region in enumerate(regions):
        row = _row(changes, region)
        room -= len(row) + 1
        if room < 0:
            lines += [
                "",
                f"and {plural(len(regions) - count, 'more change')}, which do not fit here",
            ]
            break
        lines.append(row)
    lines.append("")
    lines += [f"- undecided: {code(doubt)}" for doubt in _few(changes.doubts)]
    lines += [""] * bool(changes.doubts)
    folded = [
        (f"{_now(region)}: {_causes(region, '; ')}", list(_story(changes, region)))
        for region in regions
    ]
    folded += [(code(title), body) for title, body in _kinds_of_one_side(changes)]
    room = MAX_LETTERS - sum(len(line) + 1 for line in lines)
    for count, (title, body) in enumerate(folded):
        block = (
            f"<details>\n<summary>{title}</summary>\n\n"
            f"{code_block(line.text for line in body)}\n\n</details>\n"
        )
        room -= len(block) + 1
        if room < 200:
            lines.append(f"and {len(folded) - count:,} more, which do not fit here")
            break
        lines.append(block)
    return "\n".join(lines).rstrip("\n")


def json_text(changes: Changes) -> str:
    return json.dumps(document(changes), indent=2, ensure_ascii=False)


def document(changes: Changes) -> dict[str, Any]:
    found, new, schema = changes.difference, changes.new_permitted, changes.after.policies.schema
    return {
        "before": _side(changes.before),
        "after": _side(changes.after),
        "kinds_of_request": found.possible,
        "regions": [_region(schema, region) for region in found.regions],
        "only_before": [_kind(item) for item in found.only_before],
        "only_after": [_kind(item) for item in found.only_after],
        "newly_permitted": None if new is None else situation_document(schema, new),
        "gained": changes.is_gained,
        "changed": changes.is_changed,
        "doubts": list(changes.doubts),
    }


REPORTS: Mapping[str, Callable[[Changes], str]] = {
    "text": text,
    "json": json_text,
    "markdown": markdown,
}


def _few(doubts: Sequence[str]) -> list[str]:
    more = len(doubts) - _DOUBTS
    return [*doubts[:_DOUBTS], f"and {more:,} more like these"] if more > 1 else list(doubts)


def _word(region: Region) -> str:
    return "gained" if region.is_gain else "lost"


def _title(region: Region) -> str:
    return f"{region.before} → {region.after}  {safe(_request(region.example))}"


def _request(found: Counterexample) -> str:
    request = found.request
    return f"{request.principal} {request.action} {request.resource}"


def _story(changes: Changes, region: Region) -> Iterator[Line]:
    yield from situation(region.example)
    yield from _labelled("before", region.decision_before)
    yield from _labelled("after", region.example.decision)
    for cause in region.causes:
        yield from said(cause.edit, f"{safe(cause.rule)} ({place(cause.span)})")
    label = _where(region)
    for fact in _few_facts(region):
        yield from said(label, safe(fact))
        label = ""
    yield from said("in", f"{_share(changes, region)}: {_named(region.environments)}")


def _share(changes: Changes, region: Region) -> str:
    """In how many of the kinds of request that both policy sets know."""
    kinds = plural(changes.difference.possible, "kind")
    least = "" if region.is_counted else "at least "
    return f"{least}{len(region.environments):,} of {kinds} of request"


def _where(region: Region) -> str:
    return "exactly where" if region.facts.is_exact else "only where"


def _few_facts(region: Region) -> list[str]:
    """What holds of every request of the region, as conditions."""
    facts = region.facts.texts
    more = len(facts) - _FACTS
    return [*facts[:_FACTS], f"and {more} more conditions"] if more > 1 else list(facts)


def _labelled(label: str, decision: Decision) -> Iterator[Line]:
    colon = "" if decision.reasons else ":"
    for line in decided(decision):
        head, rest = line.parts
        yield from said(label, f"{head}{colon} {rest}".lstrip(": "))
        label = ""


def _kinds_of_one_side(changes: Changes) -> Iterator[tuple[str, list[Line]]]:
    found, new = changes.difference, changes.new_permitted
    for kinds, what in ((found.only_before, "no longer there"), (found.only_after, "new")):
        if not kinds:
            continue
        body = list(said("", _named(kinds)))
        if kinds is found.only_after and new is not None:
            body += [*said("permitted", safe(_request(new))), *situation(new)]
            body += decided(new.decision)
        yield f"{plural(len(kinds), 'kind')} of request {what}", body


def _named(kinds: Sequence[Environment]) -> str:
    named = ", ".join(str(item) for item in kinds[:_NAMED])
    more = len(kinds) - _NAMED
    return f"{named} and {more:,} more" if more > 0 else named


def _row(changes: Changes, region: Region) -> str:
    cells = (
        f"**{_now(region)}**" if region.is_gain else _now(region),
        _causes(region, "<br>"),
        _where_cell(region),
        code(_smallest(region.example)),
        _share(changes, region),
    )
    return f"| {' | '.join(cells)} |"


def _now(region: Region) -> str:
    """What the requests are now and what they were, by outcome."""
    return f"{_DECIDED[region.after]}, was {_DECIDED[region.before]}"


def _causes(region: Region, separator: str) -> str:
    causes = [
        f"{code(cause.rule)} {cause.edit} ({code(place(cause.span))})"
        for cause in region.causes[:_RULES]
    ]
    more = len(region.causes) - _RULES
    return separator.join([*causes, f"and {more} more"] if more > 0 else causes)


def _where_cell(region: Region) -> str:
    facts = "<br>".join(code(short(fact, _LETTERS)) for fact in _few_facts(region))
    if region.facts.is_exact:
        return f"exactly<br>{facts}" if facts else "all of its kinds of request"
    return f"only<br>{facts}" if facts else "part of its kinds of request"


def _smallest(found: Counterexample) -> str:
    """The request of an example with the attributes that matter, on one line."""
    return short(" ".join(text for _, text in situation_lines(found)[:3]), _LETTERS)


def _side(side: Side) -> dict[str, str]:
    return {"name": side.name, "policy_digest": side.policies.digest}


def _region(schema: Schema, region: Region) -> dict[str, Any]:
    return {
        "change": _word(region),
        "causes": [
            {"rule": cause.rule, "edit": cause.edit, **place_document(cause.span)}
            for cause in region.causes
        ],
        "where": {"conditions": list(region.facts.texts), "exact": region.facts.is_exact},
        "before": _decision(region.decision_before),
        "after": _decision(region.example.decision),
        "environments": [_kind(item) for item in region.environments],
        "counted": region.is_counted,
        "example": situation_document(schema, region.example),
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "decision": str(decision.outcome),
        "rules": [
            {"rule": reason.rule, "because": reason.because, **place_document(reason.span)}
            for reason in decision.reasons
        ],
    }


def _kind(environment: Environment) -> dict[str, str]:
    return {
        "principal": environment.principal,
        "action": environment.action,
        "resource": environment.resource,
    }
