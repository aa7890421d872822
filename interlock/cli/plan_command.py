"""`interlock plan`: what artifacts would change, as a table or as the plan itself."""

import click

from ..lang.render import BOLD, DIM, RED, YELLOW, paint, safe
from ..plans.model import Change, Effect, Identity, Plan
from ..plans.sources import Options
from .artifacts import KINDS, read_plan, summary
from .common import Exit, format_option, print_json, use_color

as_option = click.option(
    "--as",
    "kind",
    type=click.Choice(KINDS),
    help="What the files are; told by the file if not given.",
)
dialect_option = click.option(
    "--dialect", default="postgres", show_default=True, help="The dialect of SQL files."
)


@click.command()
@click.argument("files", nargs=-1, required=True)
@as_option
@dialect_option
@format_option
def command(files: tuple[str, ...], kind: str | None, dialect: str, format: str) -> None:
    """Show what artifacts would change.

    FILES are read into one plan; `-` reads standard input. Nothing is executed.
    """
    author = Identity(type="Service", id="interlock")
    plan = read_plan(files, kind, Options(dialect), author, "production")
    if format == "json":
        print_json(plan.model_dump(mode="json"))
    else:
        _print(plan, use_color())
    raise SystemExit(int(Exit.INVALID if plan.problems else Exit.OK))


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
