"""`interlock filter`: the `WHERE` clause of the resources that would be permitted."""

import sys
from typing import Any

import click

from ..compiler.backends.sql.filter import DIALECTS, Refused, Table, filter_for
from ..compiler.backends.sql.tables import Layout
from ..compiler.decision import Request
from ..compiler.entities import NO_ENTITIES, Entities
from ..compiler.ir import PolicySet
from ..compiler.wire import MAX_DOCUMENT_BYTES, Misfit, decode, read_entities, read_request
from ..lang.diagnostics import did_you_mean
from ..lang.parser import parse_expression
from ..lang.render import safe
from ..lang.source import Fragment
from ..lang.syntax import EntityReference, Outcome
from .common import (
    Exit,
    format_option,
    load_policies,
    place_document,
    policy_option,
    print_json,
    read_file,
    stop,
)


@click.command()
@policy_option
@click.option("--principal", required=True, metavar='TYPE::"ID"', help="Who asks.")
@click.option("--action", required=True, metavar="NAME", help="What for.")
@click.option("--resource-type", required=True, metavar="TYPE", help="What the rows are.")
@click.option("--dialect", required=True, type=click.Choice(DIALECTS), help="Of which database.")
@click.option(
    "--entities",
    metavar="FILE",
    help="All entities but the rows, as a JSON list of uid, attrs and parents.",
)
@click.option("--context", metavar="FILE", help="The context of the request, as a JSON object.")
@click.option("--id-column", default="id", show_default=True, help="The column of the id.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="ATTRIBUTE=COLUMN",
    help="The column of an attribute `a.b`, where it is not `a_b`; nothing after `=` if there is none. May repeat.",
)
@click.option(
    "--ancestors",
    metavar="TABLE",
    help="A table of type, id, ancestor_type and ancestor_id: what the rows are in, at any distance.",
)
@click.option(
    "--outcome",
    type=click.Choice([str(outcome) for outcome in Outcome]),
    default=str(Outcome.PERMIT),
    show_default=True,
    help="Which rows.",
)
@format_option
def command(
    policy: tuple[str, ...],
    principal: str,
    action: str,
    resource_type: str,
    dialect: str,
    entities: str | None,
    context: str | None,
    id_column: str,
    columns: tuple[str, ...],
    ancestors: str | None,
    outcome: str,
    format: str,
) -> None:
    """Print the SQL condition on the rows of a table that are permitted.

    A rule that SQL cannot express exactly is an error with its place, and then there is no condition.
    """
    _, policies = load_policies(policy)
    request = _request(policies, principal, action, resource_type, context)
    table = Table(id_column, _columns(policies, resource_type, columns), ancestors)
    found = filter_for(
        policies,
        request.principal,
        request.action,
        request.context,
        _entities(policies, request, entities),
        resource_type,
        table,
        dialect,
        Outcome(outcome),
    )
    where = None if isinstance(found, list) else found.sql(dialect=dialect)
    refused = found if isinstance(found, list) else []
    if format == "json":
        print_json(
            {
                "where": where,
                "refused": [_refused_document(item) for item in refused],
                "dialect": dialect,
                "policy_digest": policies.digest,
            }
        )
    elif where is not None:
        click.echo(safe(where) if sys.stdout.isatty() else where)
    else:
        for item in refused:
            click.echo(f"error: {safe(str(item.span))}: `{item.rule}`: {item.reason}", err=True)
    raise SystemExit(int(Exit.INVALID if where is None else Exit.OK))


def _refused_document(refused: Refused) -> dict[str, Any]:
    return {"rule": refused.rule, "reason": refused.reason, **place_document(refused.span)}


def _request(
    policies: PolicySet, principal: str, action: str, resource_type: str, context: str | None
) -> Request:
    """The request about any resource of a type, or the end of the run with what does not fit."""
    reference, _ = parse_expression(Fragment("--principal", principal))
    if not isinstance(reference, EntityReference):
        stop(Exit.USAGE, f'--principal: `{safe(principal)}` is not written as `User::"ann"`')
    document = {
        "principal": {"type": reference.type, "id": reference.id},
        "action": {"type": "Action", "id": action},
        "resource": {"type": resource_type, "id": ""},
        "context": _read(context) if context is not None else {},
    }
    try:
        return read_request(policies.schema, document)
    except Misfit as misfit:
        stop(Exit.USAGE if context is None else Exit.INVALID, safe(str(misfit)))


def _entities(policies: PolicySet, request: Request, path: str | None) -> Entities:
    entities = NO_ENTITIES
    if path is not None:
        try:
            entities = read_entities(policies.schema, _read(path))
        except Misfit as misfit:
            stop(Exit.INVALID, f"{path}: {misfit}")
    if request.principal not in entities.known:
        stop(Exit.INVALID, f"--entities: {safe(entities.why_missing(request.principal))}")
    return entities


def _columns(
    policies: PolicySet, resource_type: str, assignments: tuple[str, ...]
) -> dict[str, str | None]:
    known = {".".join(path) for path, _ in Layout(policies.schema, resource_type, Table()).leaves()}
    columns: dict[str, str | None] = {}
    for assignment in assignments:
        attribute, equals, name = assignment.partition("=")
        if not equals:
            stop(Exit.USAGE, f"--column: `{safe(assignment)}` is not written as `a.b=a_b`")
        if attribute not in known:
            close = did_you_mean(attribute, known) or "no column can be named for it"
            message = f"`{resource_type}` has no attribute `{safe(attribute)}`; {close}"
            stop(Exit.USAGE, f"--column: {message}")
        columns[attribute] = name or None
    return columns


def _read(path: str) -> Any:
    try:
        return decode(read_file(path, MAX_DOCUMENT_BYTES))
    except Misfit as misfit:
        stop(Exit.INVALID, f"{path}: {misfit}")
