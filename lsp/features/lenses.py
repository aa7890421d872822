"""Lines above declarations: run a test, evaluate the request beside the policy, prove a claim, and what came of it."""

from lsprotocol.types import CodeLens, Command

from ...lang import syntax
from ...lang.render import safe
from ..claims import Claims, ClaimState, Status, Tests, TestState
from ..view import View

RUN_TEST = "interlock.runTest"
EVALUATE = "interlock.evaluate"
PROVE = "interlock.prove"
SHOW_COUNTEREXAMPLE = "interlock.showCounterexample"
MAX_TITLE = 120


def code_lenses(view: View, tests: Tests, claims: Claims, *, can_prove: bool) -> list[CodeLens]:
    uri = view.uri_of(view.file)
    found = []
    for part in view.document.parts:
        item = part.declaration
        place = view.range(item.name_span)
        commands: list[Command] = []
        match item:
            case syntax.Test(name):
                commands.append(
                    Command(_test_title(tests.get(name)), RUN_TEST, arguments=[uri, name])
                )
            case syntax.Rule(name=name):
                commands.append(Command("Evaluate request.json", EVALUATE, arguments=[uri, name]))
            case syntax.Prove(name) if can_prove:
                state = claims.get(name)
                commands.append(Command(_claim_title(state), PROVE, arguments=[uri, name]))
                if state is not None and state.counterexample:
                    commands.append(
                        Command("Show counterexample", SHOW_COUNTEREXAMPLE, arguments=[uri, name])
                    )
            case _:
                pass
        found += [CodeLens(place, command) for command in commands]
    return found


def _test_title(state: TestState | None) -> str:
    if state is None:
        return "Run test"
    if state.failure is None:
        return f"✓ {state.outcome} · run again"
    return _short(f"✗ {state.failure} · run again")


def _claim_title(state: ClaimState | None) -> str:
    if state is None:
        return "Prove"
    match state.status:
        case Status.PROVED:
            took = f" in {state.milliseconds:,.0f} ms" if state.milliseconds is not None else ""
            return f"✓ proved{took}"
        case Status.RUNNING:
            return "proving …"
        case _:
            mark = "✗ " if state.status is Status.REFUTED else ""
            return _short(f"{mark}{state.status}: {state.message} · prove again")


def _short(text: str) -> str:
    line = safe(" ".join(text.split()))
    return line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1] + "…"
