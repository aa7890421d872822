"""Start, settings, folders and files on the disk, and the first check of a project."""

import asyncio
import logging
import os

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from ..connection import InterlockServer
from ..settings import SECTION, read_settings
from ..text import Unit
from . import documents

logger = logging.getLogger(__name__)
MANY_SETS = 20
"""From how many policy sets on their first check shows its progress."""
CLIENT_SECONDS = 3.0
"""How often the server looks whether its client is there."""


def register(server: InterlockServer) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(ls: InterlockServer, params: types.InitializeParams) -> None:
        encoding = ls.workspace.position_encoding
        ls.session.unit = Unit(str(getattr(encoding, "value", encoding)))
        folders = [folder.uri for folder in params.workspace_folders or ()]
        if not folders and params.root_uri:
            folders = [params.root_uri]
        for uri in folders:
            ls.session.workspace.add_folder(uri)
        ls.session.configure(read_settings(params.initialization_options))
        if ls.can_refresh_diagnostics():
            documents.register_pulling(ls)

    @server.feature(types.INITIALIZED)
    async def initialized(ls: InterlockServer, params: types.InitializedParams) -> None:
        _end_with_client(ls)
        await _read_configuration(ls)
        ls.tell_problems()
        await _watch_files(ls)
        await _check_project(ls)

    @server.feature(types.SHUTDOWN)
    async def shutdown(ls: InterlockServer, params: None) -> None:
        await ls.proofs.close()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(
        ls: InterlockServer, params: types.DidChangeConfigurationParams
    ) -> None:
        if params.settings:
            ls.session.configure(read_settings(params.settings))
        await _read_configuration(ls)
        ls.tell_problems()
        ls.changed()
        ls.refresh_soon()

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def did_change_folders(
        ls: InterlockServer, params: types.DidChangeWorkspaceFoldersParams
    ) -> None:
        for folder in params.event.removed:
            ls.session.workspace.remove_folder(folder.uri)
        for folder in params.event.added:
            ls.session.workspace.add_folder(folder.uri)
        ls.session.configure(ls.session.settings)
        ls.tell_problems()
        ls.changed()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(
        ls: InterlockServer, params: types.DidChangeWatchedFilesParams
    ) -> None:
        for change in params.changes:
            ls.session.workspace.reload(ls.session.workspace.file_of(change.uri))
        ls.session.configure(ls.session.settings)
        ls.tell_problems()
        ls.changed()


def _end_with_client(ls: InterlockServer) -> None:
    """Ends the server with the process that the client says it is, also where the client leaves the input open."""
    process = ls.process_id
    # A client that is elsewhere, as behind a container, has a number that means nothing here.
    if process and os.name == "posix" and _is_running(process):
        ls.watching = asyncio.get_running_loop().create_task(_outlive(ls, process))


async def _outlive(ls: InterlockServer, process: int) -> None:
    while _is_running(process):
        await asyncio.sleep(CLIENT_SECONDS)
    await ls.proofs.close()
    # A thread waits for the input, and would be waited for.
    os._exit(1)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


async def _read_configuration(ls: InterlockServer) -> None:
    workspace = ls.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return
    item = types.ConfigurationItem(section=SECTION)
    try:
        found = await ls.workspace_configuration_async(types.ConfigurationParams([item]))
    except JsonRpcException as problem:
        logger.warning("the client has no configuration: %s", problem)
        return
    if found and found[0]:
        ls.session.configure(read_settings(found[0]))


async def _watch_files(ls: InterlockServer) -> None:
    workspace = ls.client_capabilities.workspace
    watched = workspace.did_change_watched_files if workspace is not None else None
    if watched is None or not watched.dynamic_registration:
        return
    patterns = ("**/*.ilk", "**/.interlock/config.yaml", "**/pyproject.toml")
    watchers = [types.FileSystemWatcher(pattern) for pattern in patterns]
    # Of a folder that is deleted, a client may tell nothing but that.
    watchers.append(types.FileSystemWatcher("**", types.WatchKind.Delete))
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
    registration = types.Registration(
        "interlock.files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options
    )
    try:
        await ls.client_register_capability_async(types.RegistrationParams([registration]))
    except JsonRpcException as problem:
        logger.warning("the client does not watch files: %s", problem)


async def _check_project(ls: InterlockServer) -> None:
    """Checks every policy set once; where there are many, with progress that the client shows and may cancel."""
    sets = ls.session.workspace.sets() if ls.session.settings.workspace_diagnostics else []
    token = "interlock.check"  # noqa: S105
    shown = len(sets) >= MANY_SETS and ls.supports_progress()
    if shown:
        await ls.work_done_progress.create_async(token)
        begin = types.WorkDoneProgressBegin("Checking policies", cancellable=True, percentage=0)
        ls.work_done_progress.begin(token, begin)
    for number, files in enumerate(sets, 1):
        if shown and ls.work_done_progress.tokens[token].cancelled():
            break
        for file in files:
            ls.publish(file)
        await asyncio.sleep(0)
        if shown:
            report = types.WorkDoneProgressReport(
                message=f"{number} of {len(sets)}", percentage=100 * number // len(sets)
            )
            ls.work_done_progress.report(token, report)
    if shown:
        ls.work_done_progress.end(token, types.WorkDoneProgressEnd())
    ls.report_rest()
