"""`interlock blast`: what else is lost if this runs, with the path to each asset, what comes back and from where."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from ..lang.render import BOLD, DIM, GREEN, RED, YELLOW, paint, safe
from ..plans.blast import Radius, radius
from ..plans.blast_document import document, summary
from ..plans.blast_picture import length, mermaid, svg, tree
from ..plans.blast_score import Fate
from ..plans.graph import Graph, build
from ..plans.model import Identity, Plan
from ..plans.sources import Options
from ..report import render
from .artifacts import read_plan
from .common import Exit, plural, print_json, stop, use_color
from .graph_command import age_words, counted, database_fragment, open_graph
from .plan_command import as_option, dialect_option

graph_option = click.option(
    "--graph", metavar="FILE", help="The resource graph that `interlock graph build` wrote."
)
max_age_option = click.option(
    "--max-age",
    default=24.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Hours after which a graph is stale.",
)


@click.command()
@click.argument("files", nargs=-1, required=True)
@graph_option
@click.option(
    "--database", metavar="URL", help="A PostgreSQL database to build the graph from now."
)
@click.option("--environment", default="production", show_default=True, help="Where it would run.")
@max_age_option
@as_option
@dialect_option
@click.option(
    "--format",
    type=click.Choice(["text", "json", "mermaid", "svg"]),
    default="text",
    show_default=True,
    help="How to print.",
)
@click.option("--html", metavar="FILE", help="Also write a report as one HTML page.")
def command(
    files: tuple[str, ...],
    graph: str | None,
    database: str | None,
    environment: str,
    max_age: float,
    kind: str | None,
    dialect: str,
    format: str,
    html: str | None,
) -> None:
    """Show what else is lost if FILES run.

    Nothing is executed. The exit code is 1 where data is lost for good, or may be, else 0.
    """
    found_graph = graph_for(graph, database)
    author = Identity(type="Service", id="interlock")
    plan = read_plan(files, kind, Options(dialect), author, environment)
    found = radius(plan, found_graph, datetime.now(UTC), timedelta(hours=max_age))
    if html is not None:
        write_report(html, document(found), files)
    match format:
        case "json":
            print_json(document(found))
        case "mermaid":
            click.echo(mermaid(found), nl=False)
        case "svg":
            click.echo(svg(found), nl=False)
        case _:
            print_radius(found, use_color())
    raise SystemExit(int(_exit_code(plan, found)))


def _exit_code(plan: Plan, found: Radius) -> Exit:
    if plan.problems:
        return Exit.INVALID
    lost = any(each.fate is Fate.LOST or each.is_without_recovery for each in found.reached)
    return Exit.DENIED if lost else Exit.OK


def graph_for(path: str | None, database: str | None) -> Graph:
    """The graph of a file, of a database, or of both together."""
    if path is None and database is None:
        stop(Exit.USAGE, "give --graph FILE, --database URL or both")
    known = None if path is None else open_graph(path)
    if database is None and known is not None:
        return known
    fresh = database_fragment(database or "")
    if known is None:
        return build([fresh], datetime.now(UTC))
    # What the file says of the same database is older than what the database says.
    sources = {each.source for each in fresh.resources}
    return build([_without(known, sources), fresh], known.built_at)


def _without(graph: Graph, sources: set[str]) -> Any:
    from ..plans.graph import Fragment, Origin

    kept = [each for each in graph.resources.values() if each.source not in sources]
    gone = {key for key, each in graph.resources.items() if each.source in sources}
    fragment = Fragment(graph.sources[0] if graph.sources else Origin("graph", "file"), kept)
    # Between the two, only what joins them is kept.
    fragment.edges = [
        edge for edge in graph.edges() if not (edge.source in gone and edge.target in gone)
    ]
    fragment.ways_back = list(graph.all_ways_back())
    fragment.links = list(graph.links)
    return fragment


def write_report(path: str, found: dict[str, Any], files: tuple[str, ...]) -> None:
    """Writes the radius as one HTML page."""
    page = render(found, f"Blast radius of {', '.join(files)}")
    try:
        Path(path).write_text(page, encoding="utf-8")
    except OSError as error:
        stop(Exit.USAGE, f"{path}: cannot be written: {error.strerror}")


# For people

_TINTS = {
    Fate.LOST: (BOLD, RED),
    Fate.UNDECIDED: (BOLD, RED),
    Fate.RETURNS: (YELLOW,),
    Fate.RECREATED: (GREEN,),
    Fate.KEPT: (DIM,),
}


def print_radius(found: Radius, color: bool) -> None:
    numbers = summary(found)
    head = plural(numbers["assets"], "asset")
    lost = f"{numbers['lost_for_good']:,} lost for good"
    click.echo(
        f"{paint(head, BOLD, color=color)} reached, "
        f"{paint(lost, BOLD, RED, color=color) if numbers['lost_for_good'] else lost}, "
        f"{numbers['returning']:,} come back, {numbers['without_recovery']:,} without recovery; "
        f"score {numbers['score']:,}"
    )
    if numbers["at_most"] > numbers["assets"]:
        click.echo(
            f"  at most {plural(numbers['at_most'], 'asset')}, since not everything is mapped"
        )
    if numbers["rows"] or numbers["rows_unknown"]:
        unknown = f", and those of {numbers['rows_unknown']:,} assets that are not known"
        click.echo(
            f"  {plural(numbers['rows'], 'row')}{unknown if numbers['rows_unknown'] else ''}"
        )
    if numbers["back_within"] is not None:
        click.echo(f"  what comes back is there within {length(numbers['back_within'])}")
    click.echo("")
    for line in tree(found):
        indent = "  " + "  " * min(line.depth, 40)
        if line.reached is None:
            click.echo(f"{indent}{line.text}")
            continue
        mark = "" if line.depth == 0 else "└ "
        text = paint(safe(line.text), *_TINTS[line.reached.fate], color=color)
        click.echo(f"{indent}{mark}{text}")
        click.echo(f"{indent}  {paint('because', DIM, color=color)} {safe(line.reached.because)}")
    for refusal in found.refusals[:20]:
        word = "refuses" if refusal.is_certain else "may refuse"
        label = paint(f"the database {word} change {refusal.change}", YELLOW, color=color)
        name = found.graph.resources[refusal.edge.target].id
        click.echo(f"\n  {label}\n    {safe(name)}: {safe(refusal.edge.why)}")
    if len(found.refusals) > 20:
        click.echo(f"    and {len(found.refusals) - 20:,} more")
    for each in found.recovery[:10]:
        ways = ", ".join(found.graph.resources[way.recovery].name for way in each.ways)
        label = paint("no way back is left", BOLD, RED, color=color)
        click.echo(f"\n  {label}  {safe(each.resource.id)}\n    {safe(ways)}: gone with it")
    if len(found.recovery) > 10:
        click.echo(f"    and {len(found.recovery) - 10:,} more")
    for edge, _ in found.stopped[:10]:
        name = found.graph.resources[edge.target].name
        click.echo(f"\n  {paint('stays', GREEN, color=color)}  {safe(name)}\n    {safe(edge.why)}")
    click.echo("")
    for note in found.notes:
        click.echo(paint(f"note: {safe(note)}", DIM, color=color))
    graph = found.graph
    click.echo(paint(f"graph of {counted(graph)}, {age_words(graph)}", DIM, color=color))
