"""Limits of the prover, as the commands tell them: by name, with the rule that reaches them, and never as success."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from interlock.cli import cli
from interlock.compiler.backends.smt import circuit

FLAGS = "abcdefghij"
TERMS = [f"(if resource.{flag} then {2**n} else {1000 * 3**n})" for n, flag in enumerate(FLAGS)]
POLICY = f"""entity Agent
entity Table {{ rows: Int, {", ".join(f"{flag}: Bool" for flag in FLAGS)} }}
action drop, read {{ principal Agent resource Table }}

permit small {{ when resource.rows < 5 }}
permit scored {{ when {" + ".join(TERMS)} < resource.rows }}
forbid large {{ when resource.rows > 10 }}
forbid larger {{ when resource.rows > 20 }}

prove none_large {{ when resource.rows > 15 never permitted }}
"""
ALTERNATIVES = "more than 256 alternatives"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    assert "please report" not in result.output
    return result


def write(text: str = POLICY, name: str = "policy.ilk") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


# A value with too many alternatives


def test_a_rule_with_too_many_alternatives_is_named_and_the_others_are_compared(
    folder: Path,
) -> None:
    result = run("check", "--deep", write(), "--format", "json")
    assert result.exit_code == 6
    told = {(item["code"], item["line"]): item for item in json.loads(result.stdout)["diagnostics"]}
    assert told.keys() == {("not-decided", 6), ("shadowed-rule", 8)}
    assert ALTERNATIVES in told["not-decided", 6]["message"]


def test_without_such_a_rule_everything_is_decided(folder: Path) -> None:
    simple = "\n".join(line for line in POLICY.splitlines() if "scored" not in line)
    result = run("check", "--deep", write(simple))
    assert result.exit_code == 0
    assert "not-decided" not in result.output


def test_whether_an_involved_claim_is_vacuous_is_not_decided(folder: Path) -> None:
    claim = f"prove involved {{ when {' + '.join(TERMS)} > 7 never permitted }}\n"
    simple = "\n".join(line for line in POLICY.splitlines() if "scored" not in line)
    result = run("check", "--deep", write(f"{simple}\n{claim}"))
    assert result.exit_code == 6
    assert "whether `involved` is about any request is not decided: `involved` (policy.ilk:10)" in (
        result.stderr
    )
    assert ALTERNATIVES in result.stderr


def test_a_claim_about_such_a_rule_is_undecided_by_name(folder: Path) -> None:
    result = run("prove", write())
    assert result.exit_code == 6
    assert "unknown  none_large" in result.stdout
    assert ALTERNATIVES in result.stdout


def test_coverage_and_repairs_do_without_such_a_rule(folder: Path) -> None:
    large = "prove no_small { when resource.rows == 3 and resource.a never permitted }\n"
    only_read = POLICY.replace("scored {", "scored { action read").replace(
        "prove none_large {", "prove none_large { action drop"
    )
    result = run("prove", "--coverage", "--repair", write(f"{only_read}{large}"), "--timeout", "30")
    assert result.exit_code in (5, 6)
    assert "weakening edit" in result.stdout


def test_a_comparison_of_such_a_rule_is_undecided_and_names_it_once(folder: Path) -> None:
    write(POLICY.replace("> 10", "> 11"), "new.ilk")
    result = run("diff", write(), "new.ilk")
    assert result.exit_code == 6
    doubts = [line for line in result.stdout.splitlines() if line.startswith("undecided")]
    assert doubts == [
        "undecided  `scored` (new.ilk:6) is too involved: a value has more than 256 alternatives"
    ]


# Formulas that are too large, and solvers that take too long


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that these rules reach together, and none of them alone."""
    monkeypatch.setattr(circuit, "MAX_STEPS", 40)


SIMPLE = POLICY.replace(" + ".join(TERMS), "3")


@pytest.mark.parametrize(
    "arguments",
    [("check", "--deep", "policy.ilk"), ("prove", "policy.ilk"), ("diff", "policy.ilk", "new.ilk"),
     ("prove", "--coverage", "--repair", "--jobs", "1", "policy.ilk")],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_formulas_that_are_too_large_together_are_undecided(
    folder: Path, few_steps: None, arguments: tuple[str, ...]
) -> None:
    write(SIMPLE)
    write(SIMPLE.replace("> 10", "> 11"), "new.ilk")
    result = run(*arguments)
    assert result.exit_code == 6
    assert "more than 40 steps" in result.output
    assert "too involved" in result.output


SUMS = " and ".join(f"resource.rows + {n} * resource.rows != {n + 7}" for n in range(1, 60))


@pytest.mark.parametrize(
    "arguments",
    [("check", "--deep"), ("prove",), ("prove", "--coverage"), ("prove", "--repair")],
    ids=" ".join,
)
def test_a_solver_that_takes_too_long_is_undecided(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    write(POLICY.replace(" + ".join(TERMS) + " < resource.rows", SUMS))
    result = run(*arguments, "policy.ilk", "--timeout", "0.01")
    assert result.exit_code == 6
    assert "the time limit of 0.01 s was reached" in result.output


def test_a_solver_that_dies_is_undecided(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlock.cli.deep.all_findings", lambda _: os._exit(9))
    result = run("check", "--deep", write(SIMPLE))
    assert result.exit_code == 6
    assert "ended without an answer" in result.output
