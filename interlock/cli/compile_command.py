"""`interlock compile`: policies as one Python file that a gateway can carry, without dependencies."""

from pathlib import Path

import click

from ..compiler.backends.python.program import generate
from ..compiler.backends.python.vendor import vendor
from .common import Exit, load_policies, plural, stop


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--output",
    "-o",
    required=True,
    metavar="FILE",
    help="The file to write; `-` for standard output.",
)
def command(paths: tuple[str, ...], output: str) -> None:
    """Compile policies to one Python file without dependencies.

    The file decides and explains as the policies do: `python FILE [ENTITIES.json] < request.json`.
    """
    _, policies = load_policies(paths)
    text = vendor(policies, generate(policies))
    if output == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        stop(Exit.USAGE, f"{output}: cannot be written: {error.strerror}")
    click.echo(
        f"{output}: {plural(len(policies.rules), 'rule')}, policy set {policies.digest[:12]}"
    )
