"""`interlock eval`: decides requests that stand in JSON files."""

from typing import Any

import click

from ..compiler.decision import worst
from ..compiler.documents import MAX_DOCUMENT_BYTES, Misfit, decode
from ..compiler.explain import Explanation
from .common import (
    EXIT_OF,
    Exit,
    format_option,
    open_policies,
    policy_option,
    print_json,
    read_file,
    stop,
    use_color,
)
from .decisions import decision_document, explanation, outcome_word


@click.command()
@policy_option
@click.option(
    "--entities", metavar="FILE", help="The entities, as a JSON list of uid, attrs and parents."
)
@click.option(
    "--request",
    metavar="FILE",
    required=True,
    help="One request or a list of them; `-` reads standard input.",
)
@format_option
def command(policy: tuple[str, ...], entities: str | None, request: str, format: str) -> None:
    """Decide requests given as JSON.

    A request is {"principal": {"type", "id"}, "action": {"type", "id"}, "resource": {"type", "id"}, "context": {}}.
    """
    policies = open_policies(policy)
    documents = _read(request)
    try:
        known = policies.entities(_read(entities) if entities is not None else [])
    except ValueError as problem:
        stop(Exit.INVALID, f"{entities}: {problem}")
    several = isinstance(documents, list)
    explained = [
        policies.explain(document, known)
        for document in (documents if isinstance(documents, list) else [documents])
    ]
    decisions = [item.decision for item in explained]
    if format == "json":
        found = [decision_document(decision) for decision in decisions]
        print_json(found if several else found[0])
    else:
        for item in explained:
            _print(item)
    raise SystemExit(int(EXIT_OF[worst([decision.outcome for decision in decisions])]))


def _read(path: str) -> Any:
    try:
        return decode(read_file(path, MAX_DOCUMENT_BYTES))
    except Misfit as misfit:
        stop(Exit.INVALID, f"{path}: {misfit}")


def _print(explained: Explanation) -> None:
    color = use_color()
    decision = explained.decision
    rules = f"  by {', '.join(decision.rules)}" if decision.rules else ""
    click.echo(f"{outcome_word(decision.outcome, color=color)}{rules}")
    for line in explanation(decision, explained.near_misses[:3], color=color):
        click.echo(f"  {line}")
