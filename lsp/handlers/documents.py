"""Files that are opened, edited and closed, and what is wrong in them for a client that asks."""

from collections.abc import Sequence

from lsprotocol import types

from ..connection import InterlockServer
from ..settings import SECTION
from ..workspace import is_policy

MAX_EARLY = 100
"""The most edits that are kept of a document that is not open yet."""


def register(server: InterlockServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(ls: InterlockServer, params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        if ls.session.workspace.open_file(document.uri, document.text, document.version) is None:
            return
        for edit in ls.early.pop(document.uri, ()):
            if edit.text_document.version > document.version:
                _edit(ls, edit)
        ls.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(ls: InterlockServer, params: types.DidChangeTextDocumentParams) -> None:
        workspace = ls.session.workspace
        file = workspace.file_of(params.text_document.uri)
        if file in workspace.open:
            _edit(ls, params)
            ls.changed()
        elif is_policy(file):
            # Helix may tell of a rename across files before it opens the other file, with its old text.
            early = ls.early.setdefault(params.text_document.uri, [])
            early.append(params)
            del early[:-MAX_EARLY]

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(ls: InterlockServer, params: types.DidCloseTextDocumentParams) -> None:
        workspace = ls.session.workspace
        workspace.close_file(params.text_document.uri)
        ls.tokens.pop(params.text_document.uri, None)
        ls.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(ls: InterlockServer, params: types.DidSaveTextDocumentParams) -> None:
        ls.session.workspace.looks_again()
        ls.changed()


def _edit(ls: InterlockServer, params: types.DidChangeTextDocumentParams) -> None:
    document = params.text_document
    ls.session.edit(document.uri, document.version, params.content_changes)


def register_pulling(server: InterlockServer) -> None:
    """For clients that ask again when they are told that a proof has ended; others are better off being told."""
    options = types.DiagnosticOptions(
        inter_file_dependencies=True, workspace_diagnostics=True, identifier=SECTION
    )

    @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)
    def diagnostic(
        ls: InterlockServer, params: types.DocumentDiagnosticParams
    ) -> types.DocumentDiagnosticReport:
        ls.stop_pushing()
        view = ls.view(params.text_document.uri)
        found = ls.session.diagnostics(view) if view is not None else []
        result = result_id(found)
        if view is not None:
            uri = view.uri_of(view.file)
            ls.published[view.file] = found, view.document.version, uri
        if result == params.previous_result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result)
        return types.RelatedFullDocumentDiagnosticReport(items=found, result_id=result)


def result_id(found: Sequence[types.Diagnostic]) -> str:
    """What tells whether a client has these diagnostics already."""
    return f"{len(found)}-{hash(repr(found)) & 0xFFFFFFFFFFFF:x}"
