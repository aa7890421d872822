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
            view = ls.session.view_of(files[0])
            for symbol in outline.workspace_symbols(view, params.query) if view is not None else ():
                place = symbol.location
                line = place.range.start.line if isinstance(place, types.Location) else 0
                found[symbol.name, place.uri, line] = symbol
        return list(found.values())

    @server.feature(types.WORKSPACE_DIAGNOSTIC)
    async def workspace_diagnostic(
        ls: InterlockServer, params: types.WorkspaceDiagnosticParams
    ) -> types.WorkspaceDiagnosticReport:
        before = {item.uri: item.value for item in params.previous_result_ids}
        items: list[types.WorkspaceDocumentDiagnosticReport] = []
        for file in ls.session.files_to_report():
            await asyncio.sleep(0)
            view = ls.session.view_of(file)
            if view is None:
                continue
            found, uri = ls.session.diagnostics(view), view.uri_of(file)
            result, version = result_id(found), view.document.version
            if before.get(uri) == result:
                items.append(
                    types.WorkspaceUnchangedDocumentDiagnosticReport(
                        uri=uri, result_id=result, version=version
                    )
                )
            else:
                items.append(
                    types.WorkspaceFullDocumentDiagnosticReport(
                        uri=uri, items=found, result_id=result, version=version
                    )
                )
        return types.WorkspaceDiagnosticReport(items)
