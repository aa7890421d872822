"""`interlock gate`: artifacts, a policy set and evidence become one decision, explained line by line."""

import re
from datetime import timedelta
from typing import Any

import click

from ..compiler.decision import Outcome
from ..gate.gate import Result, Verdict
from ..gate.gate import gate as decide_plan
from ..lang.render import BOLD, DIM, RED, paint, safe
from ..lang.values import quote
from ..plans.blast_document import document as radius_document
from ..plans.model import Change, Evidence, Identity, Plan, Risk, risk_of, risk_of_change
from ..plans.requests import is_production
from ..plans.sources import Options
from .artifacts import read_plan, summary
from .blast_command import graph_option, max_age_option, write_report
from .common import (
    EXIT_OF,
    Exit,
    format_option,
    open_policies,
    plural,
    policy_option,
    print_json,
    progress,
    read_file,
    stop,
    use_color,
)
from .database import database_option, facts_option, with_facts
from .decisions import decision_document, explanation, outcome_word
from .graph_command import open_graph
from .plan_command import as_option, before_option, dialect_option, require_files

AUTHOR = re.compile(r'(Agent|Human|Service)::"((?:[^"\\]|\\.)+)"')
MAX_EVIDENCE_BYTES = 1024 * 1024


@click.command()
@click.argument("files", nargs=-1)
@policy_option
@click.option(
    "--author",
    default='Agent::"unknown"',
    show_default=True,
    metavar='TYPE::"ID"',
    help="Who asks: an Agent, a Human or a Service.",
)
@click.option(
    "--environment",
    default="production",
    show_default=True,
    help="Where the plan would be applied.",
)
@click.option("--frozen", is_flag=True, help="Nothing may change in the environment now.")
@click.option(
    "--evidence",
    metavar="FILE",
    help="Approvals, credential, dry run, way back and legal holds, as JSON.",
)
@as_option
@before_option
@dialect_option
@database_option
@facts_option
@graph_option
@max_age_option
@click.option("--html", metavar="FILE", help="Also write a report as one HTML page; needs --graph.")
@format_option
def command(
    files: tuple[str, ...],
    policy: tuple[str, ...],
    author: str,
    environment: str,
    frozen: bool,
    evidence: str | None,
    kind: str | None,
    before: tuple[str, ...],
    dialect: str,
    database: str | None,
    facts: str | None,
    graph: str | None,
    max_age: float,
    html: str | None,
    format: str,
) -> None:
    """Decide plans: SQL scripts, Terraform plans, Kubernetes manifests and requests.

    Nothing is executed. The plan is read, every change is decided, and the worst decision is the answer.
    """
    require_files(files, before)
    if html is not None and graph is None:
        stop(Exit.USAGE, "--html draws the blast radius, which needs --graph")
    identity = _author(author)
    shown = _evidence(evidence)
    policies = open_policies(policy)
    options = with_facts(Options(dialect), database, facts, files)
    plan = read_plan(files, kind, options, identity, environment, before)
    count = len(plan.changes) + 1
    verdict = decide_plan(
        policies,
        plan,
        shown,
        frozen=frozen,
        graph=None if graph is None else open_graph(graph),
        max_age=timedelta(hours=max_age),
        progress=lambda items: progress(items, count, "deciding"),
    )
    if html is not None and verdict.radius is not None:
        decided = verdict_document(verdict)
        # The report has the plan beside it already.
        page = radius_document(verdict.radius, {**decided, "plan": None})
        write_report(html, page, files)
    if format == "json":
        print_json(verdict_document(verdict))
    else:
        _print(verdict, use_color())
    raise SystemExit(int(EXIT_OF[verdict.outcome]))


def _author(text: str) -> Identity:
    match = AUTHOR.fullmatch(text)
    if match is None:
        stop(Exit.USAGE, f'--author is Agent::"id", Human::"id" or Service::"id", not {text}')
    return Identity(type=match[1], id=re.sub(r"\\(.)", r"\1", match[2]))


def _evidence(path: str | None) -> Evidence:
    if path is None:
        return Evidence()
    from pydantic import ValidationError

    try:
        return Evidence.model_validate_json(read_file(path, MAX_EVIDENCE_BYTES))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        stop(Exit.INVALID, f"{path}: {place}: {first['msg'].lower()}")


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """The JSON of a gated plan; `interlock schema gate` prints its schema."""
    return {
        "decision": str(verdict.outcome),
        "plan": verdict.plan.model_dump(mode="json"),
        "results": [_result(verdict.plan, result) for result in verdict.results],
        "problems": [problem.model_dump(mode="json") for problem in verdict.plan.problems],
        "policy_digest": verdict.policy_digest,
        "decided_at": verdict.decided_at.isoformat(),
    }


def _result(plan: Plan, result: Result) -> dict[str, Any]:
    document = decision_document(result.decision)
    del document["policy_digest"]
    change = result.change
    place = {"file": plan.artifacts[0].file, "line": 1, "column": 1}
    if change is not None:
        place = {
            "file": change.source.file,
            "line": change.source.line,
            "column": change.source.column,
        }
    return {
        "change": change.id if change else None,
        "action": change.action if change else "apply",
        "resource": f"{change.resource.type}::{quote(change.resource.id)}" if change else None,
        **document,
        "source": place,
    }


# For people


def _print(verdict: Verdict, color: bool) -> None:
    plan = verdict.plan
    who = f"{plan.author.type}::{quote(plan.author.id)}"
    where = plan.environment + ("" if is_production(plan.environment) else " (not production)")
    click.echo(
        f"{outcome_word(verdict.outcome, color=color)}  {summary(plan)}, {safe(who)} in {safe(where)}"
    )
    for problem in plan.problems:
        place = f"{problem.file}:{problem.line}:{problem.column}"
        label = paint("cannot read", BOLD, RED, color=color)
        click.echo(f"\n  {label}  {safe(place)}\n    {safe(problem.message)}")
    for result in verdict.results:
        if result.decision.outcome is Outcome.DENY:
            _print_result(plan, result, color)
    held = [result for result in verdict.results if result.decision.outcome is Outcome.HOLD]
    if verdict.outcome is Outcome.DENY and held:
        # What a plan still needs can change with what is mended, so it is only counted here.
        count = sum(len(result.decision.needs) for result in held)
        word = outcome_word(Outcome.HOLD, color=color)
        click.echo(f"\n  {word}  {plural(count, 'need')}, shown once nothing is denied")
    else:
        for result in held:
            _print_result(plan, result, color)
    passed = [
        result.change
        for result in verdict.results
        if result.change and result.decision.outcome is Outcome.PERMIT
    ]
    if passed:
        head = outcome_word(Outcome.PERMIT, color=color)
        if verdict.outcome is not Outcome.PERMIT:
            head = paint("nothing against", DIM, color=color)
        click.echo(f"\n  {head}  {plural(len(passed), 'change')}")
        for change in passed[:5]:
            click.echo(f"    {safe(_place(change))}  {safe(change.summary)}")
        if len(passed) > 5:
            click.echo(f"    and {len(passed) - 5:,} more")
    click.echo("")
    for line in _blast(verdict, color):
        click.echo(line)
    moment = f"{verdict.decided_at:%Y-%m-%d %H:%M:%S} UTC"
    digests = f"policy {verdict.policy_digest[:12]}  plan {plan.digest[:12]}  {moment}"
    click.echo(paint(digests, DIM, color=color))


def _print_result(plan: Plan, result: Result, color: bool) -> None:
    word = outcome_word(result.decision.outcome, color=color)
    change = result.change
    if change is None:
        click.echo(f"\n  {word}  the plan as a whole")
        for line in _risk(plan, color):
            click.echo(f"    {line}")
    else:
        click.echo(
            f"\n  {word}  {paint(safe(_place(change)), BOLD, color=color)}  {safe(change.summary)}"
        )
        for number, line in enumerate(change.source.text.splitlines()[:4]):
            label = str(change.source.line + number)
            click.echo(f"    {paint(label + ' |', DIM, color=color)} {safe(line)}")
        if change.opaque is not None:
            click.echo(f"    {paint('not read  ', DIM, color=color)} {safe(change.opaque)}")
    for line in explanation(result.decision, result.near_misses, color=color):
        click.echo(f"    {line}")


def _risk(plan: Plan, color: bool) -> list[str]:
    """The risk of a plan and the changes that it comes from."""
    risk = risk_of(plan.changes)
    lines = [f"{paint('risk      ', DIM, color=color)} {risk}"]
    carriers = [change for change in plan.changes if risk_of_change(change) is risk]
    if risk is not Risk.LOW:
        lines += [f"           {safe(_place(item))}  {safe(item.summary)}" for item in carriers[:3]]
        if len(carriers) > 3:
            lines.append(f"           and {len(carriers) - 3:,} more")
    return lines


def _blast(verdict: Verdict, color: bool) -> list[str]:
    """The blast radius in one line, or that nobody knows it."""
    blast, label = verdict.plan.blast, paint("radius    ", DIM, color=color)
    if blast is None:
        return [f"{label} not known: no resource graph was given (--graph)"]
    words = [
        plural(blast.assets, "asset"),
        f"{blast.lost_for_good:,} lost for good",
        f"{blast.without_recovery:,} without recovery",
        f"score {blast.score:,}",
    ]
    if blast.unmapped:
        words.append(f"{blast.unmapped:,} not mapped, at most {plural(blast.at_most, 'asset')}")
    if blast.stale:
        words.append("from a stale graph")
    return [f"{label} {', '.join(words)}"]


def _place(change: Change) -> str:
    return f"{change.source.file}:{change.source.line}"
