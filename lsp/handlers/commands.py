"""What lenses and menus run: tests, the request beside a policy, proofs."""

from typing import Any

from lsprotocol import types

from ..connection import InterlockServer
from ..features import claims as claim_features
from ..features import diagnostics as diagnostic_features
from ..features import lenses
from ..running import evaluate_beside


def register(server: InterlockServer) -> None:
    _commands(server)
    _claim_commands(server)


def _commands(server: InterlockServer) -> None:
    @server.command(lenses.RUN_TEST)
    def run_test(ls: InterlockServer, uri: str, name: str = "") -> dict[str, Any]:
        """Runs the tests of the policy set; tells of one of the file, or of all without a name."""
        view = ls.view(uri)
        states = ls.session.run_tests(view) if view is not None else {}
        shown = [
            state
            for file, of_file in states.items()
            for state in of_file.values()
            if not name or (view is not None and file == view.file and state.name == name)
        ]
        failed = [state for state in shown if state.failure is not None]
        if not shown:
            message = "there is no such test, or the policies do not compile"
        elif failed:
            message = "; ".join(f"{state.name}: {state.failure}" for state in failed)
        else:
            message = f"{len(shown)} passed"
        _tell(ls, message, failed=bool(failed) or not shown)
        ls.changed()
        ls.refresh_soon()
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
        ls.prove(view.analysis, now=True)
        ls.show_proofs()
        return {"message": "proving"}

    @server.command(lenses.SHOW_COUNTEREXAMPLE)
    def show_counterexample(ls: InterlockServer, uri: str, name: str) -> dict[str, Any]:
        view = ls.view(uri)
        state = ls.session.claims_of(view.analysis).get(name) if view is not None else None
        if view is None or state is None or not state.counterexample:
            return {"message": "there is no counterexample"}
        message = claim_features.claim_text(view, state)
        _tell(ls, message)
        return {"message": message, "test": state.test}


def _tell(ls: InterlockServer, message: str, *, failed: bool = False) -> None:
    kind = types.MessageType.Warning if failed else types.MessageType.Info
    ls.window_show_message(types.ShowMessageParams(kind, diagnostic_features.safe_lines(message)))
