"""One client's project: its files, its settings, and what tests and claims came to. Gives each feature its view."""

from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lsprotocol.types import (
    Diagnostic,
    TextDocumentContentChangeEvent,
    TextDocumentContentChangePartial,
)

from ..lang import syntax
from ..lang.diagnostics import Code
from ..lang.source import Span
from .analysis import Analysis
from .claims import ClaimState, Status, TestState
from .features.claims import claim_diagnostics, test_diagnostics
from .features.diagnostics import diagnostic, diagnostics, safe_lines
from .running import test_states
from .settings import Settings
from .text import Unit
from .view import View
from .workspace import Files, Workspace, bundled


class Configured(NamedTuple):
    """The policies that the configuration of a folder names, and what is wrong with it."""

    paths: tuple[str, ...] = ()
    problem: str = ""


PoliciesOf = Callable[[Path], Configured]


def no_policies(folder: Path) -> Configured:
    return Configured()


@dataclass
class Session:
    unit: Unit = Unit.UTF16
    settings: Settings = field(default_factory=Settings)
    workspace: Workspace = field(default_factory=Workspace)
    policies_of: PoliciesOf = no_policies
    configuration_problems: list[str] = field(default_factory=list)
    """What is wrong with the configuration of the folders."""
    tests: MutableMapping[Analysis, tuple[int, dict[str, dict[str, TestState]]]] = field(
        default_factory=WeakKeyDictionary
    )
    """The revision of each policy set whose tests were run, and what came of those of each file."""
    claims_of: Callable[[Analysis], dict[str, ClaimState]] = lambda analysis: {}

    def view(self, uri: str) -> View | None:
        """The file as it is now; `None` where there is no such file."""
        file = self.workspace.file_of(uri)
        return self.view_of(file)

    def view_of(self, file: str) -> View | None:
        """The file as its own policy set has it."""
        return self.view_in(self.workspace.analysis(file), file)

    def view_in(self, analysis: Analysis, file: str) -> View | None:
        """The file as one of the policy sets that read it has it."""
        document = analysis.documents.get(file)
        if document is None:
            return None
        return View(
            analysis,
            document,
            self.unit,
            self.workspace.uri_of,
            partial(self.workspace.module_names, file),
            partial(self.workspace.modules_with, file),
            self.workspace.is_editable,
            self.workspace.shown,
            lambda name: self.workspace.document_of_module(name, file),
            lambda: map(self.workspace.analysis_of, self.workspace.sets()),
            self.workspace.documents.get,
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
        self.configuration_problems = []
        if not groups:
            found = [self.policies_of(folder) for folder in self.workspace.folders]
            groups = [list(one.paths) for one in found if one.paths]
            self.configuration_problems = [one.problem for one in found if one.problem]
        self.workspace.set_groups([self._path(path) for path in group] for group in groups)

    def _path(self, path: str) -> str:
        """Where a path of the settings leads: from the first folder of the project, or to a bundled pack."""
        folder = next(iter(self.workspace.folders), None)
        if folder is None or (path in bundled() and not (folder / path).exists()):
            return path
        return str(folder / path)

    def diagnostics(self, view: View) -> list[Diagnostic]:
        """Everything there is to say about a file: what its own policy set says, then what others that read it add."""
        own = self._claims(view)
        found = [
            *diagnostics(view),
            *test_diagnostics(view, self.test_results(view)),
            *claim_diagnostics(view, own),
        ]
        told = {
            (problem.code, problem.message, problem.span)
            for problem in view.analysis.problems.get(view.file, ())
        }
        for files, analysis in self.workspace.readers(view.file):
            other = self.view_in(analysis, view.file) if analysis is not view.analysis else None
            if other is not None:
                more = self._added(view, other, told, own)
                found += [_as_read_with(one, self._name(files)) for one in more]
        return found

    def _added(
        self, view: View, other: View, told: set[tuple[Code, str, Span]], own: dict[str, ClaimState]
    ) -> list[Diagnostic]:
        """What another policy set says of a file that was not said yet."""
        found = []
        for problem in other.analysis.problems[view.file]:
            key = problem.code, problem.message, problem.span
            # A set that is not up to date may speak of text that is gone.
            if key not in told and view.document.has(problem.span.fragment):
                told.add(key)
                found.append(diagnostic(view, problem))
        declared = {
            part.declaration.name
            for part in view.document.parts
            if isinstance(part.declaration, syntax.Prove)
        }
        if not declared:
            return found
        states: dict[str, ClaimState] = {}
        for name, state in self.claims_of(other.analysis).items():
            known = own.get(name)
            refuted = state.status is Status.REFUTED and name in declared
            if refuted and (known is None or known.status is not Status.REFUTED):
                states[name] = state
        own.update(states)
        return [*found, *claim_diagnostics(other, states)]

    def _claims(self, view: View) -> dict[str, ClaimState]:
        """The states of the claims, but for those that nobody is about to decide again."""
        states = dict(self.claims_of(view.analysis))
        if view.file in self.workspace.open:
            return states
        return {
            name: state
            for name, state in states.items()
            if state.status is not Status.STALE or state.was is not None
        }

    def _name(self, files: Files) -> str:
        """A policy set in words."""
        return self.workspace.name_of(files[0])

    def run_tests(self, view: View) -> dict[str, dict[str, TestState]]:
        """Runs every test of the policy set that a file is in."""
        states = test_states(view.analysis)
        self.tests[view.analysis] = view.analysis.revision, states
        return states

    def test_results(self, view: View) -> dict[str, TestState]:
        """The tests of a file that were run since the policy set last changed."""
        revision, states = self.tests.get(view.analysis, (-1, {}))
        return states.get(view.file, {}) if revision == view.analysis.revision else {}

    def files_to_report(self) -> list[str]:
        """The files whose problems are pushed: those that are open, and the rest of the project if it is wanted."""
        if not self.settings.workspace_diagnostics:
            return sorted(self.workspace.open)
        return self.workspace.files()


def _as_read_with(found: Diagnostic, name: str) -> Diagnostic:
    found.message = safe_lines(f"{found.message}\nread with {name}")
    return found
