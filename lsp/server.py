"""The language server of one client, with every message wired to its handler."""

import gc

from .connection import InterlockServer
from .handlers import commands, documents, everywhere, lifecycle, requests
from .session import PoliciesOf, no_policies


def create_server(policies_of: PoliciesOf = no_policies) -> InterlockServer:
    """A server that is ready to start; `policies_of` says what the configuration of a folder names."""
    # Syntax trees live long and have no cycles; a full collection walks them all and would be felt while typing.
    gc.set_threshold(20_000, 50, 1_000)
    server = InterlockServer(policies_of)
    for part in (lifecycle, documents, requests, everywhere, commands):
        part.register(server)
    return server
