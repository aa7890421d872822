"""One connection: its session, what it was told, and when it is told more."""

import asyncio
import gc

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from interlock.version import __version__

from .analysis import Analysis
from .claims import ClaimState
from .features import diagnostics
from .occurrences import occurrences
from .progress import ProofProgress
from .proofs import Proofs, can_prove
from .protocol import Server
from .session import PoliciesOf, Session, no_policies
from .view import View

QUIET_SECONDS = 0.005
"""How long the server waits for more of a burst of edits before it checks them."""
BREATH_SECONDS = 0.002
WARM_SECONDS = 0.05
WARM_STEP = 4
"""Declarations that are read ahead between two looks at the client's messages."""
SHOW_SECONDS = 0.05
"""How long the server waits for more verdicts before it shows them."""
COLLECT_EVERY = 300
"""Reports after which memory is collected once nothing is typed; `server.py` puts it off while something is."""


async def breathe() -> None:
    """Has the messages that wait be read first: perhaps nobody wants the answer any more."""
    await asyncio.sleep(BREATH_SECONDS)


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
        self.published: dict[str, tuple[list[types.Diagnostic], int | None, str]] = {}
        """What was last said of each file, of which version, and by which URI."""
        self.told: set[str] = set()
        """The messages that were shown once."""
        self.showing: asyncio.TimerHandle | None = None
        self.refreshing: asyncio.TimerHandle | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.early: dict[str, list[types.DidChangeTextDocumentParams]] = {}
        """Edits of documents that are not open yet."""
        self.tokens: dict[str, tuple[str, list[int]]] = {}
        self.checking: asyncio.Task[None] | None = None
        self.reports = 0
        """How often files were brought up to date since memory was last collected."""
        self.is_outdated = False
        """Whether something was edited since the files that are not open were last gone through."""
        self.warming: asyncio.Task[None] | None = None
        self.watching: asyncio.Task[None] | None = None
        """The look after the client's process."""
        self.can_prove = can_prove()
        self.proofs = Proofs(self.proved)
        self.proof_progress = ProofProgress(self.proofs, lambda: self.work_done_progress)
        if self.can_prove:
            self.session.claims_of = self.claims_of

    def view(self, uri: str) -> View | None:
        return self.session.view(uri)

    def claims_of(self, analysis: Analysis) -> dict[str, ClaimState]:
        """The state of every claim of a policy set; what is about to be proved is on its way already."""
        if self.timer is not None and self.session.workspace.is_set_of_open_file(analysis):
            self.prove(analysis)
        if self.showing is not None:
            # Whoever asks is told no verdict before the diagnostics are.
            self.show_proofs()
        return self.proofs.states(analysis)

    async def bring_up_to_date(self) -> None:
        """Reads every policy set of the project, for what asks about all of them."""
        workspace = self.session.workspace
        for files in workspace.sets():
            workspace.analysis_of(files)
            await asyncio.sleep(0)
        # What was edited in between; the rest is known.
        for files in workspace.sets():
            workspace.analysis_of(files)

    def edit_of(self, edit: types.WorkspaceEdit) -> types.WorkspaceEdit:
        """An edit with the versions that it is for, where the client takes them."""
        workspace = self.client_capabilities.workspace
        wanted = workspace.workspace_edit if workspace is not None else None
        if edit.changes is None or wanted is None or not wanted.document_changes:
            return edit
        return types.WorkspaceEdit(
            document_changes=[
                types.TextDocumentEdit(
                    types.OptionalVersionedTextDocumentIdentifier(uri, self._version(uri)), edits
                )
                for uri, edits in edit.changes.items()
            ]
        )

    def _version(self, uri: str) -> int | None:
        workspace = self.session.workspace
        document = workspace.documents.get(workspace.file_of(uri))
        return document.version if document is not None else None

    def changed(self) -> None:
        """Something was edited: its diagnostics follow as soon as the burst ends."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(QUIET_SECONDS, self.report)

    def report(self) -> None:
        """Brings every reported file up to date, the open ones first and the rest in the background."""
        self.timer = None
        self.reports += 1
        views = [self.session.view_of(file) for file in sorted(self.session.workspace.open)]
        # What is proved is known before anything is said of it, so that every place says the same.
        for view in views:
            if view is not None:
                self.prove(view.analysis)
        for file in sorted(self.session.workspace.open):
            self.publish(file)
        if self.warming is None or self.warming.done():
            self.warming = asyncio.get_running_loop().create_task(self.warm())
        self.report_rest()

    def report_rest(self) -> None:
        """Has what is not open gone through in the background, after what is being gone through."""
        self.is_outdated = True
        if self.checking is None or self.checking.done():
            self.checking = asyncio.get_running_loop().create_task(self.report_closed())

    async def warm(self) -> None:
        """Reads ahead what names stand for, in small steps, also while something is typed: no hover waits for it."""
        await asyncio.sleep(WARM_SECONDS)
        while not await self._is_warm():
            pass
        if self.reports >= COLLECT_EVERY:
            self.reports = 0
            gc.collect()

    async def _is_warm(self) -> bool:
        """Whether everything was read ahead before anything else was edited."""
        for file in sorted(self.session.workspace.open):
            view = self.session.view_of(file)
            if view is None:
                continue
            revision = view.analysis.revision
            for number, entry in enumerate(view.entries()):
                if number % WARM_STEP == 0:
                    await asyncio.sleep(0)
                if view.analysis.revision != revision:
                    return False
                occurrences(view.analysis, entry)
        return True

    def prove(self, analysis: Analysis, *, now: bool = False, aside: bool = False) -> None:
        """Has the claims of a policy set proved that are not known, where that is wanted."""
        if self.can_prove and (now or self.session.settings.prove_on_change):
            before = self.proofs.waiting()
            seconds = self.session.settings.proof_seconds
            self.proofs.update(analysis, seconds, now=now, aside=aside)
            if self.proofs.waiting() != before:
                self.refresh_soon()
            if self.supports_progress():
                self.proof_progress.follow()

    def proved(self) -> None:
        """A claim has a new state, which is shown with those that follow at once."""
        if self.showing is None:
            loop = asyncio.get_running_loop()
            self.showing = loop.call_later(SHOW_SECONDS, self.show_proofs)

    def show_proofs(self) -> None:
        if self.showing is not None:
            self.showing.cancel()
            self.showing = None
        proved = [one for one in self.session.workspace.analyses() if self.proofs.holds(one)]
        files = {file for analysis in proved for file in analysis.documents}
        for file in self.session.files_to_report():
            if file in files or file in self.session.workspace.open:
                self.publish(file)
        self.refresh_soon()

    async def report_closed(self) -> None:
        """The files that are not open, one after the other, with other messages between them."""
        workspace = self.session.workspace
        while self.is_outdated:
            self.is_outdated = False
            if self.session.settings.workspace_diagnostics:
                shown = {workspace.set_of(file) for file in workspace.open}
                for files in workspace.sets():
                    await asyncio.sleep(0)
                    analysis = workspace.analysis_of(files)
                    if files not in shown and (
                        workspace.is_reading_open_file(files) or self.proofs.holds(analysis)
                    ):
                        self.prove(analysis, aside=True)
            wanted = self.session.files_to_report()
            for file in wanted:
                self.publish(file, is_late=True)
                await asyncio.sleep(0)
            for file in list(self.published.keys() - set(wanted)):
                self.clear(file)
            self.proofs.end_others(workspace.analyses())

    def publish(self, file: str, *, is_late: bool = False) -> None:
        """Says what is wrong in a file; `is_late` where a client that pulls may have asked already."""
        view = self.session.view_of(file)
        if view is None:
            self.clear(file)
            return
        found = self.session.diagnostics(view)
        version, uri = view.document.version, view.uri_of(file)
        before = self.published.get(file)
        if before == (found, version, uri) or (before is None and not found and version is None):
            return
        self.published[file] = found, version, uri
        if self.pulls:
            is_new = before is None or before[0] != found
            if is_new and (is_late or file not in self.session.workspace.open):
                self.refresh_soon()
            return
        if before is not None and before[0] and before[2] != uri:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(before[2], []))
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    def clear(self, file: str) -> None:
        found, _, uri = self.published.pop(file, ([], None, ""))
        if found and self.pulls:
            self.refresh_soon()
        elif found:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def stop_pushing(self) -> None:
        """The client asks for diagnostics itself: what was pushed goes away, so that nothing is shown twice."""
        if not self.pulls:
            for found, _, uri in self.published.values():
                if found:
                    self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
            self.pulls = True

    def can_refresh_diagnostics(self) -> bool:
        """Whether the client can be told to ask for diagnostics again."""
        workspace = self.client_capabilities.workspace
        diagnostics = workspace.diagnostics if workspace is not None else None
        return bool(diagnostics is not None and diagnostics.refresh_support)

    def refresh_soon(self) -> None:
        """Has the client ask again for what it shows, once for all that is new in a moment."""
        if self.refreshing is None:
            loop = asyncio.get_running_loop()
            self.refreshing = loop.call_later(SHOW_SECONDS, self.refresh)

    def refresh(self) -> None:
        self.refreshing = None
        if self.pulls and self.can_refresh_diagnostics():
            self.workspace_diagnostic_refresh(None)
        workspace = self.client_capabilities.workspace
        if workspace is None:
            return
        if workspace.code_lens is not None and workspace.code_lens.refresh_support:
            self.workspace_code_lens_refresh(None)
        if workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)

    def tell_problems(self) -> None:
        """Shows what is wrong with the configuration, once."""
        for problem in self.session.configuration_problems:
            if problem not in self.told:
                self.told.add(problem)
                kind = types.MessageType.Warning
                message = diagnostics.safe_lines(problem)
                self.window_show_message(types.ShowMessageParams(kind, message))

    def supports_snippets(self) -> bool:
        document = self.client_capabilities.text_document
        item = document.completion.completion_item if document and document.completion else None
        return bool(item is not None and item.snippet_support)

    def supports_progress(self) -> bool:
        window = self.client_capabilities.window
        return bool(window is not None and window.work_done_progress)
