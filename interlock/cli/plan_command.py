"""`interlock plan`: what artifacts would change, as text, as a table for a pull request, or as the plan itself."""

import click

from ..lang.render import BOLD, DIM, RED, YELLOW, paint, safe
from ..plans.model import Change, Effect, Identity, Plan
from ..plans.sources import Options
from .artifacts import KINDS, read_plan, summary
from .common import Exit, print_json, use_color
from .database import database_option, facts_option, with_facts
from .markdown import plan_markdown

as_option = click.option(
    "--as",
    "kind",
    type=click.Choice(KINDS),
    help="What the files are; told by the file if not given.",
)
dialect_option = click.option(
    "--dialect", default="postgres", show_default=True, help="The dialect of SQL files."
)
before_option = click.option(
    "--before",
    multiple=True,
    metavar="PATH",
    help="Kubernetes manifests as they stand now: what is only there is deleted. May repeat.",
)


@click.command()
@click.argument("files", nargs=-1)
@as_option
@before_option
@dialect_option
@database_option
@facts_option
@click.option(
    "--format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print; markdown is for a comment on a pull request.",
)
def command(
    files: tuple[str, ...],
    kind: str | None,
    before: tuple[str, ...],
    dialect: str,
    database: str | None,
    facts: str | None,
    format: str,
) -> None:
    """Show what artifacts would change.

    FILES, and the files in folders, are read into one plan; `-` reads standard input. Nothing is executed.
    """
    require_files(files, before)
    author = Identity(type="Service", id="interlock")
    options = with_facts(Options(dialect), database, facts, files)
    plan = read_plan(files, kind, options, author, "production", before)
    match format:
        case "json":
            print_json(plan.model_dump(mode="json"))
        case "markdown":
            click.echo(plan_markdown(plan))
        case _:
            _print(plan, use_color())
    raise SystemExit(int(Exit.INVALID if plan.problems else Exit.OK))


def require_files(files: tuple[str, ...], before: tuple[str, ...]) -> None:
    """Ends the run when there is nothing to read: without FILES, all of `--before` is deleted."""
    if not files and not before:
        raise click.UsageError("Missing argument 'FILES...'.")
    if (*files, *before).count("-") > 1:
        raise click.UsageError("standard input (`-`) can be read only once")


def _print(plan: Plan, color: bool) -> None:
    for problem in plan.problems:
        place = f"{problem.file}:{problem.line}:{problem.column}"
        click.echo(
            f"{paint('error', BOLD, RED, color=color)}: {safe(place)}: {safe(problem.message)}",
            err=True,
        )
    click.echo(summary(plan))
    for change in plan.changes:
        click.echo(_line(change, color))
        if change.opaque is not None:
            click.echo(f"      {paint('not read', YELLOW, color=color)}: {safe(change.opaque)}")


def _line(change: Change, color: bool) -> str:
    place = f"{change.source.file}:{change.source.line}"
    reach = f"{change.effect} {change.selector}"
    if change.rows is not None:
        reach += f" ({change.rows:,} rows, {change.row_basis})"
    harmless = change.effect in (Effect.READ, Effect.CREATE, Effect.UPDATE)
    tinted = paint(reach, DIM if harmless else YELLOW, color=color)
    return f"  {safe(place)}  {safe(change.summary)}  {tinted}"
