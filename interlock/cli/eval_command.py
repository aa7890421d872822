"""`interlock eval`: decides requests that stand in JSON files."""

from typing import Any

import click

from ..compiler.decision import Decision, worst
from ..compiler.entities import NO_ENTITIES
from ..compiler.wire import MAX_DOCUMENT_BYTES, Misfit, decode, read_entities
from ..gate.gate import decide_document
from .common import (
    EXIT_OF,
    Exit,
    format_option,
    load_policies,
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
    _, policies = load_policies(policy)
    documents = _read(request)
    known = NO_ENTITIES
    if entities is not None:
        try:
            known = read_entities(policies.schema, _read(entities))
        except Misfit as misfit:
            stop(Exit.INVALID, f"{entities}: {misfit}")
    several = isinstance(documents, list)
    decisions = [
        decide_document(policies, document, known)
        for document in (documents if isinstance(documents, list) else [documents])
    ]
    if format == "json":
        found = [decision_document(decision) for decision in decisions]
        print_json(found if several else found[0])
    else:
        for decision in decisions:
            _print(decision)
    raise SystemExit(int(EXIT_OF[worst([decision.outcome for decision in decisions])]))


def _read(path: str) -> Any:
    try:
        return decode(read_file(path, MAX_DOCUMENT_BYTES))
    except Misfit as misfit:
        stop(Exit.INVALID, f"{path}: {misfit}")


def _print(decision: Decision) -> None:
    color = use_color()
    rules = f"  by {', '.join(decision.rules)}" if decision.rules else ""
    click.echo(f"{outcome_word(decision.outcome, color=color)}{rules}")
    for line in explanation(decision, color=color):
        click.echo(f"  {line}")
