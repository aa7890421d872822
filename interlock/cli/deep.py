"""What only a proof can say about policies without any claim, as diagnostics: rules that do nothing, empty claims."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..analyzer.findings import Finding, Kind, findings
from ..analyzer.goals import Goal, goals_of, groups_of
from ..analyzer.prove import ask
from ..analyzer.solver import Session, Undecided, Unsatisfiable
from ..analyzer.too_large import told, too_large
from ..analyzer.worker import Done, run
from ..compiler import ir
from ..compiler.backends.smt.circuit import CircuitTooLargeError
from ..lang.checked import Checked
from ..lang.diagnostics import Code, Diagnostic, Note
from ..lang.source import NOWHERE, Span

# The rules of `.ilk` files deny when they fail, so that `FAILS_OPEN` is not found here.
_CODES = {
    Kind.NEVER_APPLIES: Code.NEVER_APPLIES,
    Kind.SHADOWED: Code.SHADOWED_RULE,
    Kind.OVERRIDDEN: Code.OVERRIDDEN_PERMIT,
    Kind.UNSATISFIABLE_NEED: Code.UNSATISFIABLE_NEED,
    Kind.UNDECIDED: Code.NOT_DECIDED,
}
_HELP = {
    Kind.NEVER_APPLIES: "mend its conditions, or delete it",
    Kind.SHADOWED: "delete it, or mend the condition that should set it apart",
    Kind.OVERRIDDEN: "mend its conditions or those of the `forbid`, or delete it",
    Kind.UNSATISFIABLE_NEED: "mend what it needs, or write a `forbid`",
    Kind.UNDECIDED: "nothing is proved of it; split it, or make its conditions simpler",
}
_MORE_TIME = "give it more time with `--timeout`"


def deep_problems(
    checked: Checked, policies: ir.PolicySet, timeout: float, jobs: int
) -> list[Diagnostic]:
    """Every finding and every claim that is about no request. `timeout` is in seconds for each question."""
    goals, problems = goals_of(checked)
    # A question is a goal, or nothing for what is asked of all rules at once.
    questions: list[Goal | None] = [None, *goals]

    def work(goal: Goal | None) -> list[tuple[Kind, str, tuple[str, ...], str]] | bool | str:
        if goal is not None:
            return is_vacuous(policies, goal)
        found = all_findings(policies)
        return [(item.kind, item.rule.id, item.cover, item.why) for item in found]

    rules = {rule.id: rule for rule in policies.rules}
    for position, answer in run(questions, work, timeout=timeout, jobs=jobs):
        goal = questions[position]
        if not isinstance(answer, Done):
            problems.append(_not_decided(goal, rules, answer.why))
        elif isinstance(answer.value, str):
            problems.append(_not_decided(goal, rules, answer.value))
        elif isinstance(answer.value, bool):
            problems += [_vacuous(goal)] if goal is not None and answer.value else []
        else:
            for kind, rule, cover, why in answer.value:
                problems.append(_diagnostic(Finding(kind, rules[rule], cover, why), rules))
    return sorted(problems, key=lambda problem: _place(problem.span))


def all_findings(policies: ir.PolicySet) -> list[Finding]:
    """Every finding; rules that are too involved are undecided, and the others are compared without them.

    What is found of the others then holds with them too: no rule does more because there is one more.
    """
    try:
        return findings(policies)
    except CircuitTooLargeError:
        involved = {}
        for group in groups_of(policies.schema, policies.schema.environments()):
            left = (rule for rule in policies.rules if rule.id not in involved)
            for rule, why in too_large(policies.schema, group, left):
                involved[rule.id] = Finding(Kind.UNDECIDED, rule, why=why)
        if not involved:
            raise
        rest = tuple(rule for rule in policies.rules if rule.id not in involved)
        return [*involved.values(), *findings(replace(policies, rules=rest))]


def is_vacuous(policies: ir.PolicySet, goal: Goal) -> bool | str:
    """Whether no request is in the scope of a claim and fits its conditions, or why that is not known."""
    doubts: list[str] = []
    # No rule bears on the question, but a claim may name one.
    alone = replace(policies, rules=tuple(item for item in policies.rules if item.id == goal.rule))
    for group in groups_of(policies.schema, goal.environments):
        try:
            question = ask(alone, goal, group)
        except CircuitTooLargeError as reached:
            doubts += told(too_large(policies.schema, group, (*alone.rules, goal.claim)), reached)
            continue
        answer = Session(question.posed.problem).solve((question.assumed,))
        if isinstance(answer, Undecided):
            doubts.append(answer.why)
        elif not isinstance(answer, Unsatisfiable):
            return False
    return "; ".join(dict.fromkeys(doubts)) or True


def without_repeats(first: Sequence[Diagnostic], more: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The second problems that the first do not say already of the same rule."""
    said = {(problem.code, problem.span.file, problem.span.line) for problem in first}
    return [
        problem
        for problem in more
        if (problem.code, problem.span.file, problem.span.line) not in said
    ]


def _diagnostic(finding: Finding, rules: Mapping[str, ir.Rule]) -> Diagnostic:
    notes = tuple(_notes(finding, rules))
    rule = finding.rule
    code = _CODES[finding.kind]
    return Diagnostic(code, finding.message, _head(rule.span), _HELP.get(finding.kind), notes)


def _notes(finding: Finding, rules: Mapping[str, ir.Rule]) -> Iterator[Note]:
    for name in finding.cover[:5]:
        yield Note(f"`{name}` is here", _head(rules[name].span))


def _vacuous(goal: Goal) -> Diagnostic:
    message = f"`{goal.name}` is about no request: none is in its scope and fits its conditions"
    return Diagnostic(Code.VACUOUS_CLAIM, message, _head(goal.span), "mend its conditions")


def _not_decided(goal: Goal | None, rules: Mapping[str, ir.Rule], why: str) -> Diagnostic:
    help_line = _MORE_TIME if "time limit" in why else _HELP[Kind.UNDECIDED]
    if goal is not None:
        message = f"whether `{goal.name}` is about any request is not decided: {why}"
        return Diagnostic(Code.NOT_DECIDED, message, _head(goal.span), help_line)
    span = next((rule.span for rule in rules.values()), NOWHERE)
    message = f"whether the rules do nothing is not decided: {why}"
    return Diagnostic(Code.NOT_DECIDED, message, _head(span), help_line)


def _head(span: Span) -> Span:
    """The first line of a declaration, up to its brace."""
    text = span.text.split("{", 1)[0].split("\n", 1)[0].rstrip()
    return Span(span.fragment, span.start, span.start + max(1, len(text)))


def _place(span: Span) -> tuple[str, int, int]:
    return span.file, span.line, span.column
