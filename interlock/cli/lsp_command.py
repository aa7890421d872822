"""`interlock lsp`: the language server, on standard input and output or on a port of this machine."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..lang.loader import bundled
from .common import Exit, stop
from .config import find_config

if TYPE_CHECKING:
    from ..lsp.session import Configured


@click.command()
@click.option("--tcp", type=click.IntRange(0, 65535), metavar="PORT", help="Listen on a TCP port.")
@click.option(
    "--websocket", type=click.IntRange(0, 65535), metavar="PORT", help="Listen on a WebSocket port."
)
def command(tcp: int | None, websocket: int | None) -> None:
    """Run the language server.

    Editors start it and speak with it on standard input and output. A port is opened on the loopback
    interface only; port 0 takes a free one and prints it.
    """
    if tcp is not None and websocket is not None:
        stop(Exit.USAGE, "choose one of --tcp and --websocket")
    if importlib.util.find_spec("pygls") is None:
        stop(Exit.USAGE, "the language server needs pygls: pip install 'interlock[lsp]'")
    if tcp is not None or websocket is not None:
        from ..lsp.transports import serve

        serve(tcp if tcp is not None else websocket or 0, is_websocket=websocket is not None)
        return
    from ..lsp.server import create_server

    create_server(_policies_of).start_io()


def _policies_of(folder: Path) -> "Configured":
    """The policies that the configuration of a folder names, or why it cannot be read."""
    from ..lsp.session import Configured

    try:
        found = find_config(folder)
    except click.UsageError as error:
        return Configured(problem=error.message)
    policy = found[1].get("policy", ()) if found is not None else ()
    paths = [policy] if isinstance(policy, str) else policy
    if found is None:
        return Configured()
    if not isinstance(paths, list | tuple) or not all(isinstance(path, str) for path in paths):
        return Configured(problem=f"{found[0]}: `policy` is a path or a list of paths")
    base = found[0].parent.parent if found[0].name == "config.yaml" else found[0].parent
    places = [str(base / path) if (base / path).exists() else path for path in paths]
    missing = [path for path in places if not Path(path).is_absolute() and path not in bundled()]
    problem = f"{found[0]}: there is no file `{missing[0]}`" if missing else ""
    return Configured(tuple(path for path in places if path not in missing), problem)
