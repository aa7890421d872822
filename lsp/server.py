"""The language server: wires each message of the protocol to the function that answers it."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from ..version import __version__
from .features import (
    calls,
    completion,
    fixes,
    formatting,
    hints,
    hover,
    lenses,
    navigation,
    outline,
    rename,
    signature,
    structure,
    tokens,
)
from .features import claims as claim_features
from .features import diagnostics as diagnostic_features
from .proofs import Proofs, can_prove
from .protocol import Server
from .running import evaluate_beside
from .session import PoliciesOf, Session, no_policies
from .settings import SECTION, read_settings
from .text import Unit
from .view import View

logger = logging.getLogger(__name__)

QUIET_SECONDS = 0.005
"""How long the server waits for more of a burst of edits before it checks them."""
CHECKED_AT_ONCE = 1
"""Policy sets that are checked before other messages are read."""


class RequestFailed(JsonRpcException):
    CODE = types.LSPErrorCodes.RequestFailed.value
    MESSAGE = "request failed"


class InterlockServer(Server):
    """The state of one connection beside its session."""

    def __init__(self, policies_of: PoliciesOf = no_policies) -> None:
        super().__init__("interlock", __version__)
        self.session = Session(policies_of=policies_of)
        self.pulls = False
        """Whether the client asks for diagnostics itself, so that none are pushed."""
        self.published: dict[str, tuple[list[types.Diagnostic], int | None]] = {}
        self.timer: asyncio.TimerHandle | None = None
        self.tokens: dict[str, tuple[str, list[int]]] = {}
        self.checking: asyncio.Task[None] | None = None
        self.can_prove = can_prove()
        self.proofs = Proofs(self.proved)
        if self.can_prove:
            self.session.claims_of = self.proofs.states

    def view(self, uri: str) -> View | None:
        return self.session.view(uri)

    def changed(self) -> None:
        """Something was edited: its diagnostics follow as soon as the burst ends."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(QUIET_SECONDS, self.report)

    def report(self) -> None:
        """Brings every reported file up to date, the open ones first and the rest in the background."""
        self.timer = None
        for file in sorted(self.session.workspace.open):
            self.publish(file)
            view = self.session.view_of(file)
            if view is not None:
                self.prove(view)
        if self.checking is None or self.checking.done():
            self.checking = asyncio.get_running_loop().create_task(self.report_closed())

    def prove(self, view: View, *, now: bool = False) -> None:
        """Has the claims of a policy set proved that are not known, where that is wanted."""
        if self.can_prove and (now or self.session.settings.prove_on_change):
            self.proofs.update(view.analysis, self.session.settings.proof_seconds, now=now)

    def proved(self) -> None:
        """A claim has a new state."""
        for file in sorted(self.session.workspace.open):
            self.publish(file)
        if self.pulls:
            self.refresh_diagnostics()
        self.refresh_lenses()

    async def report_closed(self) -> None:
        """The files that are not open, one after the other, with other messages between them."""
        if self.session.settings.workspace_diagnostics:
            for file in self.session.files_to_report():
                if file not in self.session.workspace.open:
                    self.publish(file)
                    await asyncio.sleep(0)
        for file in list(self.published):
            if file not in self.session.files_to_report():
                self.clear(file)

    def publish(self, file: str) -> None:
        view = self.session.view_of(file)
        if view is None:
            self.clear(file)
            return
        found = self.session.diagnostics(view)
        version = view.document.version
        before = self.published.get(file)
        if before == (found, version) or (before is None and not found and version is None):
            return
        self.published[file] = found, version
        if self.pulls:
            if (
                before is not None
                and before[0] != found
                and file not in self.session.workspace.open
            ):
                self.refresh_diagnostics()
            return
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(self.session.workspace.uri_of(file), found, version)
        )

    def clear(self, file: str) -> None:
        if self.published.pop(file, ([], None))[0] and not self.pulls:
            uri = self.session.workspace.uri_of(file)
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def stop_pushing(self) -> None:
        """The client asks for diagnostics itself: what was pushed goes away, so that nothing is shown twice."""
        if not self.pulls:
            for file, (found, _) in self.published.items():
                if found:
                    uri = self.session.workspace.uri_of(file)
                    self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
            self.pulls = True

    def refresh_diagnostics(self) -> None:
        workspace = self.client_capabilities.workspace
        diagnostics = workspace.diagnostics if workspace is not None else None
        if diagnostics is not None and diagnostics.refresh_support:
            self.workspace_diagnostic_refresh(None)

    def refresh_lenses(self) -> None:
        workspace = self.client_capabilities.workspace
        if workspace is None:
            return
        if workspace.code_lens is not None and workspace.code_lens.refresh_support:
            self.workspace_code_lens_refresh(None)
        if workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)

    def supports_snippets(self) -> bool:
        document = self.client_capabilities.text_document
        item = document.completion.completion_item if document and document.completion else None
        return bool(item is not None and item.snippet_support)

    def supports_progress(self) -> bool:
        window = self.client_capabilities.window
        return bool(window is not None and window.work_done_progress)


def create_server(policies_of: PoliciesOf = no_policies) -> InterlockServer:
    server = InterlockServer(policies_of)
    for register in (
        _lifecycle,
        _documents,
        _diagnostics,
        _reading,
        _navigation,
        _writing,
        _shape,
        _commands,
        _claim_commands,
    ):
        register(server)
    return server


# Start and settings


def _lifecycle(server: InterlockServer) -> None:
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

    @server.feature(types.INITIALIZED)
    async def initialized(ls: InterlockServer, params: types.InitializedParams) -> None:
        await _read_configuration(ls)
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
        ls.changed()
        ls.refresh_lenses()

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def did_change_folders(
        ls: InterlockServer, params: types.DidChangeWorkspaceFoldersParams
    ) -> None:
        for folder in params.event.removed:
            ls.session.workspace.remove_folder(folder.uri)
        for folder in params.event.added:
            ls.session.workspace.add_folder(folder.uri)
        ls.session.configure(ls.session.settings)
        ls.changed()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(
        ls: InterlockServer, params: types.DidChangeWatchedFilesParams
    ) -> None:
        for change in params.changes:
            ls.session.workspace.reload(ls.session.workspace.file_of(change.uri))
        ls.session.configure(ls.session.settings)
        ls.changed()


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
    options = types.DidChangeWatchedFilesRegistrationOptions(
        [types.FileSystemWatcher(pattern) for pattern in patterns]
    )
    registration = types.Registration(
        "interlock.files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options
    )
    try:
        await ls.client_register_capability_async(types.RegistrationParams([registration]))
    except JsonRpcException as problem:
        logger.warning("the client does not watch files: %s", problem)


async def _check_project(ls: InterlockServer) -> None:
    """Checks every policy set once, with progress that the client shows and may cancel."""
    sets = ls.session.workspace.sets() if ls.session.settings.workspace_diagnostics else []
    token = "interlock.check"  # noqa: S105
    shown = len(sets) > CHECKED_AT_ONCE and ls.supports_progress()
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


# Documents


def _documents(server: InterlockServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(ls: InterlockServer, params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        ls.session.workspace.open_file(document.uri, document.text, document.version)
        ls.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(ls: InterlockServer, params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        ls.session.edit(document.uri, document.version, params.content_changes)
        ls.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(ls: InterlockServer, params: types.DidCloseTextDocumentParams) -> None:
        workspace = ls.session.workspace
        workspace.close_file(params.text_document.uri)
        ls.tokens.pop(params.text_document.uri, None)
        ls.changed()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(ls: InterlockServer, params: types.DidSaveTextDocumentParams) -> None:
        ls.changed()


def _diagnostics(server: InterlockServer) -> None:
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
        result = _result_id(found)
        if view is not None:
            ls.published[view.file] = found, view.document.version
        if result == params.previous_result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result)
        return types.RelatedFullDocumentDiagnosticReport(items=found, result_id=result)

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
            result, version = _result_id(found), view.document.version
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


def _result_id(found: Sequence[types.Diagnostic]) -> str:
    return f"{len(found)}-{hash(repr(found)) & 0xFFFFFFFFFFFF:x}"


# Features


def _reading(server: InterlockServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def on_hover(ls: InterlockServer, params: types.HoverParams) -> types.Hover | None:
        view = ls.view(params.text_document.uri)
        if view is None:
            return None
        return hover.hover(view, params.position, ls.session.claims_of(view.analysis))

    @server.feature(
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        types.SignatureHelpOptions(trigger_characters=["(", ","]),
    )
    def on_signature(
        ls: InterlockServer, params: types.SignatureHelpParams
    ) -> types.SignatureHelp | None:
        view = ls.view(params.text_document.uri)
        return signature.signature_help(view, params.position) if view is not None else None

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=[".", '"', "{", "(", ":"]),
    )
    def on_completion(
        ls: InterlockServer, params: types.CompletionParams
    ) -> types.CompletionList | None:
        view = ls.view(params.text_document.uri)
        if view is None:
            return None
        items = completion.completion(view, params.position, snippets=ls.supports_snippets())
        return types.CompletionList(is_incomplete=False, items=items)

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def on_hints(ls: InterlockServer, params: types.InlayHintParams) -> list[types.InlayHint]:
        view = ls.view(params.text_document.uri)
        if view is None or not ls.session.settings.inlay_hints:
            return []
        claims = claim_features.claim_hints(view, ls.session.claims_of(view.analysis))
        return [*hints.inlay_hints(view, params.range), *claims]

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=False))
    def on_lenses(ls: InterlockServer, params: types.CodeLensParams) -> list[types.CodeLens]:
        view = ls.view(params.text_document.uri)
        if view is None or not ls.session.settings.code_lenses:
            return []
        tests = ls.session.test_results(view.analysis)
        claims = ls.session.claims_of(view.analysis)
        return lenses.code_lenses(view, tests, claims, can_prove=ls.can_prove)

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, tokens.LEGEND)
    async def on_tokens(
        ls: InterlockServer, params: types.SemanticTokensParams
    ) -> types.SemanticTokens | None:
        await asyncio.sleep(0)
        view = ls.view(params.text_document.uri)
        return _keep_tokens(ls, params.text_document.uri, view) if view is not None else None

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA, tokens.LEGEND)
    async def on_tokens_delta(
        ls: InterlockServer, params: types.SemanticTokensDeltaParams
    ) -> types.SemanticTokens | types.SemanticTokensDelta | None:
        await asyncio.sleep(0)
        uri = params.text_document.uri
        view = ls.view(uri)
        if view is None:
            return None
        before = ls.tokens.get(uri)
        after = _keep_tokens(ls, uri, view)
        if before is None or before[0] != params.previous_result_id:
            return after
        found = tokens.delta(before[1], after.data)
        found.result_id = after.result_id
        return found

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, tokens.LEGEND)
    def on_tokens_range(
        ls: InterlockServer, params: types.SemanticTokensRangeParams
    ) -> types.SemanticTokens | None:
        view = ls.view(params.text_document.uri)
        return tokens.semantic_tokens_range(view, params.range) if view is not None else None


def _keep_tokens(ls: InterlockServer, uri: str, view: View) -> types.SemanticTokens:
    found = tokens.semantic_tokens(view)
    number = int(ls.tokens[uri][0]) + 1 if uri in ls.tokens else 1
    found.result_id = str(number)
    ls.tokens[uri] = str(number), list(found.data)
    return found


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
        await asyncio.sleep(0)
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


def _writing(server: InterlockServer) -> None:
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
        await asyncio.sleep(0)
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


# Commands


def _commands(server: InterlockServer) -> None:
    @server.command(lenses.RUN_TEST)
    def run_test(ls: InterlockServer, uri: str, name: str = "") -> dict[str, Any]:
        """Runs the tests of the policy set; tells of one, or of all without a name."""
        view = ls.view(uri)
        states = ls.session.run_tests(view) if view is not None else {}
        shown = [state for state in states.values() if not name or state.name == name]
        failed = [state for state in shown if state.failure is not None]
        if not shown:
            message = "there is no such test, or the policies do not compile"
        elif failed:
            message = "; ".join(f"{state.name}: {state.failure}" for state in failed)
        else:
            message = f"{len(shown)} passed"
        _tell(ls, message, failed=bool(failed) or not shown)
        ls.changed()
        ls.refresh_lenses()
        return {
            "passed": not failed and bool(shown),
            "message": message,
            "tests": [
                {"name": state.name, "passed": state.failure is None, "failure": state.failure}
                for state in shown
            ],
        }

    @server.command(lenses.EVALUATE)
    def evaluate(ls: InterlockServer, uri: str, name: str = "") -> dict[str, Any]:
        """Decides the request that lies beside the policy."""
        view = ls.view(uri)
        if view is None:
            return {"message": "there is no such file"}
        message = evaluate_beside(view.analysis, view.file)
        _tell(ls, message)
        return {"message": message}


def _claim_commands(server: InterlockServer) -> None:
    @server.command(lenses.PROVE)
    def prove(ls: InterlockServer, uri: str, name: str = "") -> dict[str, Any]:
        """Proves a claim again, whatever is known of it, or every claim that is not known."""
        view = ls.view(uri)
        if view is None or not ls.can_prove:
            return {"message": "there is nothing to prove"}
        if name:
            ls.proofs.forget(view.analysis, name)
        ls.prove(view, now=True)
        ls.proved()
        return {"message": "proving"}

    @server.command(lenses.SHOW_COUNTEREXAMPLE)
    def show_counterexample(ls: InterlockServer, uri: str, name: str) -> dict[str, Any]:
        view = ls.view(uri)
        state = ls.session.claims_of(view.analysis).get(name) if view is not None else None
        if state is None or not state.counterexample:
            return {"message": "there is no counterexample"}
        message = claim_features.claim_text(state)
        _tell(ls, message)
        return {"message": message, "test": state.test}


def _tell(ls: InterlockServer, message: str, *, failed: bool = False) -> None:
    kind = types.MessageType.Warning if failed else types.MessageType.Info
    ls.window_show_message(types.ShowMessageParams(kind, diagnostic_features.safe_lines(message)))
