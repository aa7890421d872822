"""From a place to other places: declarations, uses, calls, symbols; and the shape of a file."""

import asyncio

from lsprotocol import types

from ..connection import InterlockServer, breathe
from ..features import calls, navigation, outline, structure


def register(server: InterlockServer) -> None:
    _navigation(server)
    _shape(server)


def _navigation(server: InterlockServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def on_definition(ls: InterlockServer, params: types.DefinitionParams) -> list[types.Location]:
        view = ls.view(params.text_document.uri)
        return navigation.definition(view, params.position) if view is not None else []

    @server.feature(types.TEXT_DOCUMENT_TYPE_DEFINITION)
    def on_type_definition(
        ls: InterlockServer, params: types.TypeDefinitionParams
    ) -> list[types.Location]:
        view = ls.view(params.text_document.uri)
        return navigation.type_definition(view, params.position) if view is not None else []

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def on_references(
        ls: InterlockServer, params: types.ReferenceParams
    ) -> list[types.Location]:
        await breathe()
        view = ls.view(params.text_document.uri)
        if view is None:
            return []
        wanted = params.context.include_declaration
        return navigation.references(view, params.position, declaration=wanted)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def on_highlight(
        ls: InterlockServer, params: types.DocumentHighlightParams
    ) -> list[types.DocumentHighlight]:
        view = ls.view(params.text_document.uri)
        return navigation.highlights(view, params.position) if view is not None else []

    @server.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    def on_prepare_calls(
        ls: InterlockServer, params: types.CallHierarchyPrepareParams
    ) -> list[types.CallHierarchyItem]:
        view = ls.view(params.text_document.uri)
        return calls.prepare(view, params.position) if view is not None else []

    @server.feature(types.CALL_HIERARCHY_INCOMING_CALLS)
    def on_incoming(
        ls: InterlockServer, params: types.CallHierarchyIncomingCallsParams
    ) -> list[types.CallHierarchyIncomingCall]:
        view = ls.view(params.item.uri)
        place = params.item.selection_range.start
        return calls.incoming(view, place) if view is not None else []

    @server.feature(types.CALL_HIERARCHY_OUTGOING_CALLS)
    def on_outgoing(
        ls: InterlockServer, params: types.CallHierarchyOutgoingCallsParams
    ) -> list[types.CallHierarchyOutgoingCall]:
        view = ls.view(params.item.uri)
        place = params.item.selection_range.start
        return calls.outgoing(view, place) if view is not None else []

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def on_symbols(
        ls: InterlockServer, params: types.DocumentSymbolParams
    ) -> list[types.DocumentSymbol]:
        view = ls.view(params.text_document.uri)
        return outline.document_symbols(view) if view is not None else []

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


def _shape(server: InterlockServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    def on_folding(
        ls: InterlockServer, params: types.FoldingRangeParams
    ) -> list[types.FoldingRange]:
        view = ls.view(params.text_document.uri)
        return structure.folding_ranges(view) if view is not None else []

    @server.feature(types.TEXT_DOCUMENT_SELECTION_RANGE)
    def on_selection(
        ls: InterlockServer, params: types.SelectionRangeParams
    ) -> list[types.SelectionRange]:
        view = ls.view(params.text_document.uri)
        return structure.selection_ranges(view, params.positions) if view is not None else []

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    def on_links(ls: InterlockServer, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        view = ls.view(params.text_document.uri)
        if view is None:
            return []
        return structure.document_links(view, ls.session.workspace.file_of_module)
