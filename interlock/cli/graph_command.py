"""`interlock graph`: builds the resource graph from databases, definitions, states and manifests, and shows it."""

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ..lang.render import BOLD, GREEN, RED, YELLOW, paint, safe
from ..plans.graph import (
    MAX_GRAPH_BYTES,
    Edge,
    Fragment,
    Graph,
    Resource,
    WayBack,
    build,
    difference,
    document_of,
    dump,
    load,
    utc,
)
from ..plans.sources import MAX_ARTIFACT_BYTES
from .common import Exit, format_option, plural, print_json, read_file, stop, use_color

MAX_FILES = 10_000
DEFAULT_GRAPH = ".interlock/graph.json"


@click.group()
def command() -> None:
    """Build, show and compare the resource graph."""


@command.command("build")
@click.option(
    "--ddl", multiple=True, metavar="[DATABASE=]FILE", help="A schema in SQL. May repeat."
)
@click.option(
    "--dialect", default="postgres", show_default=True, help="The dialect of the schemas."
)
@click.option("--database", multiple=True, metavar="URL", help="A PostgreSQL database, only read.")
@click.option("--terraform", multiple=True, metavar="[NAME=]FILE", help="A state or plan as JSON.")
@click.option(
    "--kubernetes", multiple=True, metavar="[NAME=]PATH", help="Manifests: a file or a folder."
)
@click.option("--assets", multiple=True, metavar="FILE", help="YAML of what no tool knows.")
@click.option(
    "--output", default=DEFAULT_GRAPH, show_default=True, help="Where it goes; - is here."
)
def build_command(
    ddl: tuple[str, ...],
    dialect: str,
    database: tuple[str, ...],
    terraform: tuple[str, ...],
    kubernetes: tuple[str, ...],
    assets: tuple[str, ...],
    output: str,
) -> None:
    """Build a graph of everything named, joined where the sources speak of the same thing.

    What cannot be read is listed and makes the exit code 3; the graph of the rest is written.
    """
    if not (ddl or database or terraform or kubernetes or assets):
        stop(Exit.USAGE, "nothing to build from: give --database, --ddl, --terraform, …")
    fragments: list[Fragment] = [database_fragment(url) for url in database]
    fragments += _ddl(ddl, dialect)
    if terraform:
        from ..plans.graph_builders import terraform as of_terraform

        for name, paths in _named(terraform, "terraform").items():
            fragments.append(of_terraform.build(_texts(paths), name))
    if kubernetes:
        from ..plans.graph_builders import kubernetes as of_kubernetes

        for name, paths in _named(kubernetes, "cluster").items():
            fragments.append(of_kubernetes.build(_texts(_manifests(paths)), name))
    for file in assets:
        from ..plans.graph_builders import assets as of_assets

        fragments.append(of_assets.build(file, read_file(file, MAX_ARTIFACT_BYTES), fragments))
    graph = build(fragments, datetime.now(UTC))
    _write(output, dump(graph))
    color = use_color()
    if output != "-":
        click.echo(f"{safe(output)}: {counted(graph)}")
    for problem in graph.problems:
        click.echo(f"{paint('cannot read', BOLD, RED, color=color)}: {safe(problem)}", err=True)
    raise SystemExit(int(Exit.INVALID if graph.problems else Exit.OK))


@command.command("show")
@click.argument("graph", default=DEFAULT_GRAPH)
@format_option
def show_command(graph: str, format: str) -> None:
    """Show what a graph holds, how old it is, and what waits to be joined."""
    found = open_graph(graph)
    if format == "json":
        print_json(document_of(found))
        return
    color = use_color()
    click.echo(f"{paint(counted(found), BOLD, color=color)}  {safe(age_words(found))}")
    for origin in found.sources:
        click.echo(f"  from {safe(origin.kind)} {safe(origin.name)}")
    kinds = Counter(each.kind for each in found.resources.values())
    for kind, number in kinds.most_common():
        click.echo(f"  {number:8,}  {safe(kind)}")
    for link in found.links:
        name = found.resources[link.source].name if link.source in found.resources else link.source
        label = paint("waits", YELLOW, color=color)
        click.echo(f"  {label}: {safe(name)} for what offers `{safe(link.identifier)}`")
    for problem in found.problems:
        click.echo(f"  {paint('not read', RED, color=color)}: {safe(problem)}")


@command.command("diff")
@click.argument("old")
@click.argument("new")
@format_option
def diff_command(old: str, new: str, format: str) -> None:
    """Show what one graph has that another has not; the exit code is 1 where they differ."""
    found = difference(open_graph(old), open_graph(new))
    if format == "json":
        print_json(
            {
                "added": [each.key for each in found.added],
                "removed": [each.key for each in found.removed],
                "changed": [new.key for _, new in found.changed],
                "added_edges": [_edge_document(each) for each in found.added_edges],
                "removed_edges": [_edge_document(each) for each in found.removed_edges],
                "added_ways_back": [_way_document(each) for each in found.added_ways],
                "removed_ways_back": [_way_document(each) for each in found.removed_ways],
            }
        )
    else:
        color = use_color()
        plus, minus = paint("+", GREEN, color=color), paint("-", RED, color=color)
        for resource in found.added:
            click.echo(f"{plus} {_resource_line(resource)}")
        for resource in found.removed:
            click.echo(f"{minus} {_resource_line(resource)}")
        for _, resource in found.changed:
            click.echo(f"{paint('~', YELLOW, color=color)} {_resource_line(resource)}")
        for mark, edges in ((plus, found.added_edges), (minus, found.removed_edges)):
            for edge in edges:
                click.echo(f"{mark} {_edge_line(edge)}")
        for mark, ways in ((plus, found.added_ways), (minus, found.removed_ways)):
            for way in ways:
                click.echo(f"{mark} {safe(way.recovery)} brings back {safe(way.restores)}")
        if not found:
            click.echo("no difference")
    raise SystemExit(int(Exit.DENIED if found else Exit.OK))


# What other commands use


def open_graph(path: str) -> Graph:
    """The graph of a file, or the end of the run with the reason."""
    found = load(read_file(path, MAX_GRAPH_BYTES))
    if isinstance(found, str):
        stop(Exit.INVALID, f"{path}: {found}")
    return found


def database_fragment(url: str) -> Fragment:
    """What a database holds, or the end of the run with the reason."""
    from ..database import DatabaseError, answers
    from ..plans.graph_builders import postgres

    try:
        rows, identifiers = answers(url, postgres.SETTINGS, postgres.QUERIES)
    except DatabaseError as error:
        stop(Exit.USAGE, f"the database cannot be read: {error}")
    return postgres.build(rows, identifiers)


def counted(graph: Graph) -> str:
    return f"{plural(len(graph.resources), 'asset')}, {plural(len(graph.edges()), 'edge')}"


def age_words(graph: Graph) -> str:
    if graph.built_at is None:
        return "built at an unknown time"
    hours = (datetime.now(UTC) - graph.built_at).total_seconds() / 3600
    return f"built {utc(graph.built_at)}, {hours:,.1f} hours ago"


# Files


def _ddl(options: tuple[str, ...], dialect: str) -> list[Fragment]:
    from ..plans.graph_builders import ddl as of_ddl

    named = _named(options, of_ddl.UNNAMED)
    return [of_ddl.build(name, _texts(paths), dialect) for name, paths in named.items()]


def _named(options: tuple[str, ...], unnamed: str) -> dict[str, list[str]]:
    """`NAME=PATH` by name: what is given under one name is one database, one workspace, one cluster."""
    found: dict[str, list[str]] = {}
    for option in options:
        name, equals, path = option.partition("=")
        if not equals or not name or Path(option).exists():
            name, path = unnamed, option
        found.setdefault(name, []).append(path)
    return found


def _texts(paths: list[str]) -> list[tuple[str, str]]:
    return [(path, read_file(path, MAX_ARTIFACT_BYTES)) for path in paths]


def _manifests(paths: list[str]) -> list[str]:
    files: list[str] = []
    for path in paths:
        if not Path(path).is_dir():
            files.append(path)
            continue
        for folder, _, names in os.walk(path):
            files += [
                str(Path(folder) / name)
                for name in names
                if name.endswith((".yaml", ".yml", ".json"))
            ]
        if len(files) > MAX_FILES:
            stop(Exit.INVALID, f"{path}: has more than {MAX_FILES:,} files")
    return sorted(files)


def _write(output: str, text: str) -> None:
    if output == "-":
        click.echo(text, nl=False)
        return
    path = Path(output)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        stop(Exit.USAGE, f"{output}: cannot be written: {error.strerror}")


# Lines


def _resource_line(each: Resource) -> str:
    return f"{safe(each.kind)} {safe(each.id)}"


def _edge_line(each: Edge) -> str:
    on = ", ".join(map(str, each.on))
    return f"{safe(each.source)} {on} {each.does} {safe(each.target)}: {safe(each.why)}"


def _edge_document(each: Edge) -> dict[str, Any]:
    return {
        "source": each.source,
        "target": each.target,
        "on": [str(event) for event in each.on],
        "does": str(each.does),
        "why": each.why,
    }


def _way_document(each: WayBack) -> dict[str, Any]:
    return {"recovery": each.recovery, "restores": each.restores, "why": each.why}
