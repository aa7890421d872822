"""Edits: renaming, quick fixes and layout."""

from lsprotocol import types

from ..connection import InterlockServer, RequestFailed, breathe
from ..features import claims as claim_features
from ..features import diagnostics as diagnostic_features
from ..features import fixes, formatting, rename
from ..view import View


def register(server: InterlockServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def on_prepare_rename(
        ls: InterlockServer, params: types.PrepareRenameParams
    ) -> types.PrepareRenamePlaceholder | None:
        view = ls.view(params.text_document.uri)
        if view is None:
            return None
        found = rename.prepare_rename(view, params.position)
        if isinstance(found, rename.Refusal):
            raise RequestFailed(found.message)
        span, name = found
        return types.PrepareRenamePlaceholder(view.range(span), name)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def on_rename(
        ls: InterlockServer, params: types.RenameParams
    ) -> types.WorkspaceEdit | None:
        await breathe()
        view = ls.view(params.text_document.uri)
        if view is None:
            return None
        found = rename.rename(view, params.position, params.new_name)
        if isinstance(found, rename.Refusal):
            raise RequestFailed(found.message)
        return _workspace_edit(view, found)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(
            [
                types.CodeActionKind.QuickFix,
                types.CodeActionKind.SourceFixAll,
                types.CodeActionKind.Refactor,
            ]
        ),
    )
    def on_code_action(
        ls: InterlockServer, params: types.CodeActionParams
    ) -> list[types.CodeAction]:
        view = ls.view(params.text_document.uri)
        return _actions(ls, view, params) if view is not None else []

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def on_formatting(
        ls: InterlockServer, params: types.DocumentFormattingParams
    ) -> list[types.TextEdit]:
        view = ls.view(params.text_document.uri)
        return formatting.format_document(view) if view is not None else []

    @server.feature(types.TEXT_DOCUMENT_RANGE_FORMATTING)
    def on_range_formatting(
        ls: InterlockServer, params: types.DocumentRangeFormattingParams
    ) -> list[types.TextEdit]:
        view = ls.view(params.text_document.uri)
        return formatting.format_range(view, params.range) if view is not None else []

    @server.feature(
        types.TEXT_DOCUMENT_ON_TYPE_FORMATTING,
        types.DocumentOnTypeFormattingOptions(first_trigger_character="}"),
    )
    def on_type_formatting(
        ls: InterlockServer, params: types.DocumentOnTypeFormattingParams
    ) -> list[types.TextEdit]:
        view = ls.view(params.text_document.uri)
        return formatting.format_on_type(view, params.position) if view is not None else []


def _workspace_edit(view: View, edits: dict[str, list[types.TextEdit]]) -> types.WorkspaceEdit:
    return types.WorkspaceEdit(changes={view.uri_of(file): found for file, found in edits.items()})


def _actions(
    ls: InterlockServer, view: View, params: types.CodeActionParams
) -> list[types.CodeAction]:
    wanted = [str(getattr(kind, "value", kind)) for kind in params.context.only or ()]

    def is_wanted(kind: types.CodeActionKind) -> bool:
        return not wanted or any(
            kind.value == one or kind.value.startswith(one + ".") for one in wanted
        )

    found: list[types.CodeAction] = []
    if is_wanted(types.CodeActionKind.QuickFix):
        claims = ls.session.claims_of(view.analysis)
        saved = claim_features.save_as_test(view, claims, view.offset(params.range.start))
        for fix in (*fixes.fixes(view, params.range), *saved):
            problem = fix.problem
            found.append(
                types.CodeAction(
                    fix.title,
                    types.CodeActionKind.QuickFix,
                    [diagnostic_features.diagnostic(view, problem)]
                    if problem is not None
                    else None,
                    is_preferred=fix.is_preferred or None,
                    edit=_workspace_edit(view, fix.edits),
                )
            )
    if wanted and is_wanted(types.CodeActionKind.SourceFixAll):
        edits = fixes.fix_all(view)
        if edits:
            found.append(
                types.CodeAction(
                    "Remove what is not needed",
                    types.CodeActionKind.SourceFixAll,
                    edit=_workspace_edit(view, {view.file: edits}),
                )
            )
    return found
