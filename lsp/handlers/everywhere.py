"""What is asked of the whole project: symbols by name, and what is wrong in every file."""

import asyncio

from lsprotocol import types

from ..connection import InterlockServer
from ..features import outline
from .documents import result_id


def register(server: InterlockServer) -> None:
    @server.feature(types.WORKSPACE_SYMBOL)
    async def on_workspace_symbols(
        ls: InterlockServer, params: types.WorkspaceSymbolParams
    ) -> list[types.WorkspaceSymbol]:
        found: dict[tuple[str, str, int], types.WorkspaceSymbol] = {}
        for files in ls.session.workspace.sets():
            await asyncio.sleep(0)
            analysis = ls.session.workspace.analysis_of(files)
            view = ls.session.view_in(analysis, files[0])
            for symbol in outline.workspace_symbols(view, params.query) if view is not None else ():
                place = symbol.location
                line = place.range.start.line if isinstance(place, types.Location) else 0
                found[symbol.name, place.uri, line] = symbol
        return list(found.values())

    @server.feature(types.WORKSPACE_DIAGNOSTIC)
    async def workspace_diagnostic(
        ls: InterlockServer, params: types.WorkspaceDiagnosticParams
    ) -> types.WorkspaceDiagnosticReport:
        ls.stop_pushing()
        before = {item.uri: item.value for item in params.previous_result_ids}
        items: list[types.WorkspaceDocumentDiagnosticReport] = []
        files = ls.session.files_to_report()
        for file in files:
            await asyncio.sleep(0)
            view = ls.session.view_of(file)
            if view is None:
                continue
            found, uri = ls.session.diagnostics(view), view.uri_of(file)
            ls.published[file] = found, view.document.version, uri
            items.append(_report(uri, found, view.document.version, before.pop(uri, None)))
        # What is there no more is said to have nothing wrong in it.
        gone = {uri: value for uri, value in before.items() if value != result_id([])}
        items += [_report(uri, [], None, value) for uri, value in gone.items()]
        return types.WorkspaceDiagnosticReport(items)


def _report(
    uri: str, found: list[types.Diagnostic], version: int | None, before: str | None
) -> types.WorkspaceDocumentDiagnosticReport:
    result = result_id(found)
    if before == result:
        return types.WorkspaceUnchangedDocumentDiagnosticReport(
            uri=uri, result_id=result, version=version
        )
    return types.WorkspaceFullDocumentDiagnosticReport(
        uri=uri, items=found, result_id=result, version=version
    )
