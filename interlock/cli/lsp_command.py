"""`interlock lsp`: the language server, on standard input and output or on a port of this machine."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import click

from .common import Exit, stop
from .config import find_config


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


def _policies_of(folder: Path) -> Sequence[str]:
    """The policies that the configuration of a folder names; none where it cannot be read."""
    try:
        found = find_config(folder)
    except click.UsageError:
        return ()
    policy = found[1].get("policy", ()) if found is not None else ()
    paths = [policy] if isinstance(policy, str) else policy
    if found is None or not isinstance(paths, list):
        return ()
    base = found[0].parent.parent if found[0].name == "config.yaml" else found[0].parent
    return [str(base / path) for path in paths if isinstance(path, str) and (base / path).exists()]
