"""What agents submit, line by line, before the gate in production: the rows of `shell_lines/`.

A `⏎` in a line stands for a new line.
"""

from pathlib import Path

import pytest
from test_shell_gate import decided, pack

import interlock
from interlock.compiler.decision import Outcome
from interlock.policies import Policies

FOLDER = Path(__file__).parent / "shell_lines"


def cases(name: str) -> list[str]:
    rows = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    # A here-document ends with the line after its last one.
    return [row.replace("⏎", "\n") + "\n" * ("⏎" in row) for row in rows]


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Policies:
    return interlock.load(pack(tmp_path_factory.mktemp("pack")), cache=False)


def test_no_dangerous_line_is_permitted(policies: Policies) -> None:
    lines = cases("dangerous")
    missed = [line for line in lines if outcome(policies, line) is Outcome.PERMIT]
    print(f"\n{len(lines)} dangerous lines, {len(missed)} permitted")
    assert missed == []


def test_every_benign_line_is_permitted(policies: Policies) -> None:
    lines = cases("benign")
    alarms = [line for line in lines if outcome(policies, line) is not Outcome.PERMIT]
    print(f"\n{len(lines)} benign lines, {len(alarms)} not permitted")
    assert alarms == []


def test_no_line_stands_twice() -> None:
    lines = [*cases("dangerous"), *cases("benign")]
    assert len(set(lines)) == len(lines)


def outcome(policies: Policies, line: str) -> Outcome:
    return decided(policies, "shell", line).outcome
