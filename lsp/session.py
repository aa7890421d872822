"""One client's project: its files, its settings, and what tests and claims came to. Gives each feature its view."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lsprotocol.types import (
    Diagnostic,
    TextDocumentContentChangeEvent,
    TextDocumentContentChangePartial,
)

from .analysis import Analysis
from .claims import ClaimState, TestState
from .features.claims import claim_diagnostics, test_diagnostics
from .features.diagnostics import diagnostics
from .running import test_states
from .settings import Settings
from .text import Unit
from .view import View
from .workspace import Workspace

PoliciesOf = Callable[[Path], Sequence[str]]
"""The policies that the configuration of a folder names."""


def no_policies(folder: Path) -> Sequence[str]:
    return ()


@dataclass
class Session:
    unit: Unit = Unit.UTF16
    settings: Settings = field(default_factory=Settings)
    workspace: Workspace = field(default_factory=Workspace)
    policies_of: PoliciesOf = no_policies
    tests: dict[str, tuple[int, dict[str, dict[str, TestState]]]] = field(default_factory=dict)
    """By the first file of the policy set: the revision whose tests were run, and what came of those of each file."""
    claims_of: Callable[[Analysis], dict[str, ClaimState]] = lambda analysis: {}

    def view(self, uri: str) -> View | None:
        """The file as it is now; `None` where there is no such file."""
        file = self.workspace.file_of(uri)
        return self.view_of(file)

    def view_of(self, file: str) -> View | None:
        analysis = self.workspace.analysis(file)
        document = analysis.documents.get(file)
        if document is None:
            return None
        return View(
            analysis,
            document,
            self.unit,
            self.workspace.uri_of,
            self.workspace.module_names,
            self.workspace.modules_with,
            self.workspace.is_editable,
            self.workspace.shown,
            lambda name: self.workspace.document_of_module(name, file),
            lambda: (self.workspace.analysis(files[0]) for files in self.workspace.sets()),
            self.workspace.documents,
        )

    def edit(
        self, uri: str, version: int, changes: Iterable[TextDocumentContentChangeEvent]
    ) -> None:
        """What an editor did to an open file, change after change."""
        document = self.workspace.documents.get(self.workspace.file_of(uri))
        if document is None:
            return
        for change in changes:
            if isinstance(change, TextDocumentContentChangePartial):
                start, end = change.range.start, change.range.end
                document.edit(
                    document.text.offset(start.line, start.character, self.unit),
                    document.text.offset(end.line, end.character, self.unit),
                    change.text,
                )
            else:
                document.set_source(change.text)
        document.version = version
        self.workspace.changed(document)

    def configure(self, settings: Settings) -> None:
        """Takes settings, and what the configuration files of the folders say where they are silent."""
        self.settings = settings
        groups = [list(group) for group in settings.policies]
        if not groups:
            found = [self.policies_of(folder) for folder in self.workspace.folders]
            groups = [list(paths) for paths in found if paths]
        folder = next(iter(self.workspace.folders), None)
        self.workspace.set_groups(
            [str(folder / path) if folder is not None else path for path in group]
            for group in groups
        )

    def diagnostics(self, view: View) -> list[Diagnostic]:
        """Everything there is to say about a file."""
        return [
            *diagnostics(view),
            *test_diagnostics(view, self.test_results(view)),
            *claim_diagnostics(view, self.claims_of(view.analysis)),
        ]

    def run_tests(self, view: View) -> dict[str, dict[str, TestState]]:
        """Runs every test of the policy set that a file is in."""
        states = test_states(view.analysis)
        self.tests[self._key(view.analysis)] = view.analysis.revision, states
        return states

    def test_results(self, view: View) -> dict[str, TestState]:
        """The tests of a file that were run since the policy set last changed."""
        revision, states = self.tests.get(self._key(view.analysis), (-1, {}))
        return states.get(view.file, {}) if revision == view.analysis.revision else {}

    def _key(self, analysis: Analysis) -> str:
        return next(iter(analysis.documents), "")

    def files_to_report(self) -> list[str]:
        """The files whose problems are pushed: those that are open, and the rest of the project if it is wanted."""
        if not self.settings.workspace_diagnostics:
            return sorted(self.workspace.open)
        return self.workspace.files()
