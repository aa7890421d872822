"""One connection: its session, what it was told, and when it is told more."""

import asyncio
import gc

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from interlock.version import __version__

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
        self.published: dict[str, tuple[list[types.Diagnostic], int | None]] = {}
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
        self.can_prove = can_prove()
        self.proofs = Proofs(self.proved)
        self.proof_progress = ProofProgress(self.proofs, lambda: self.work_done_progress)
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
        self.reports += 1
        for file in sorted(self.session.workspace.open):
            self.publish(file)
            view = self.session.view_of(file)
            if view is not None:
                self.prove(view)
        if self.warming is None or self.warming.done():
            self.warming = asyncio.get_running_loop().create_task(self.warm())
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

    def prove(self, view: View, *, now: bool = False) -> None:
        """Has the claims of a policy set proved that are not known, where that is wanted."""
        if self.can_prove and (now or self.session.settings.prove_on_change):
            self.proofs.update(view.analysis, self.session.settings.proof_seconds, now=now)
            if self.supports_progress():
                self.proof_progress.follow()

    def proved(self) -> None:
        """A claim has a new state."""
        for file in sorted(self.session.workspace.open):
            self.publish(file)
        if self.pulls:
            self.refresh_diagnostics()
        self.refresh_lenses()

    async def report_closed(self) -> None:
        """The files that are not open, one after the other, with other messages between them."""
        while self.is_outdated:
            self.is_outdated = False
            wanted = self.session.files_to_report()
            for file in wanted:
                if file not in self.session.workspace.open:
                    self.publish(file)
                    await asyncio.sleep(0)
            for file in list(self.published.keys() - set(wanted)):
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

    def can_refresh_diagnostics(self) -> bool:
        """Whether the client can be told to ask for diagnostics again."""
        workspace = self.client_capabilities.workspace
        diagnostics = workspace.diagnostics if workspace is not None else None
        return bool(diagnostics is not None and diagnostics.refresh_support)

    def refresh_diagnostics(self) -> None:
        if self.can_refresh_diagnostics():
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
