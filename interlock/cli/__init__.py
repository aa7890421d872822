"""The command line: one file for each command, loaded when it is asked for."""

from importlib import import_module

import click

from ..version import __version__
from .config import default_map

COMMANDS = {
    "blast": "Show what else is lost if artifacts run.",
    "check": "Check policies: syntax, names and types.",
    "compile": "Compile policies to one Python file.",
    "completions": "Print the completion script of a shell.",
    "diff": "Compare what two policy sets decide, for every request.",
    "eval": "Decide requests given as JSON.",
    "filter": "Print the SQL condition on the rows that are permitted.",
    "fmt": "Format policies.",
    "gate": "Decide plans before they run: SQL, Terraform, Kubernetes, cloud and tool calls, shell.",
    "lsp": "Run the language server for editors.",
    "graph": "Build, show and compare the resource graph.",
    "plan": "Show what artifacts would change.",
    "prove": "Prove the claims of policies, for every request.",
    "schema": "Print the JSON Schema of an output.",
    "test": "Run the tests of policies.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".{cmd_name}_command", __package__)
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "INTERLOCK",
    },
)
@click.version_option(__version__, message="interlock %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Stop automation from destroying production.

    Exit codes: 0 permitted or clean, 1 denied or failed, 2 wrong use, 3 does not compile or cannot be read, 4 held,
    5 refuted, 6 undecided.
    """
    context.default_map = default_map()
