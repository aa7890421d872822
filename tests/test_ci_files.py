"""The pre-commit hooks and the pipelines in the docs: well formed, and what they run runs."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from interlock.cli import COMMANDS

ROOT = Path(__file__).parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
POLICY = """module tables
entity Agent
entity Table { rows: Int }
action drop { principal Agent resource Table }

permit small_tables { when resource.rows < 1000 }
prove large_tables_stay { when resource.rows >= 1000 never permitted }

test a_small_table_may_go {
  principal Agent::"bot"
  action    drop
  resource  Table::"t" { rows: 1 }
  expect    permit
}
"""


def documented(language: str) -> dict[str, str]:
    text = (ROOT / "docs" / "ci.md").read_text()
    return dict(re.findall(rf"^```{language} file=(\S+)\n(.*?)^```$", text, re.M | re.S))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "tables.ilk").write_text(POLICY)
    return tmp_path


# The hooks


def test_there_is_a_hook_for_each_check_of_a_commit() -> None:
    assert {hook["id"] for hook in HOOKS} == {
        "interlock-check", "interlock-fmt", "interlock-prove", "interlock-test",
    }  # fmt: skip


@pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])
def test_a_hook_runs_and_finds_what_is_wrong(hook: dict[str, Any], folder: Path) -> None:
    program, command = hook["entry"].split()
    assert program == "interlock"
    assert command in COMMANDS
    names = hook.get("args", []) or ["policies/tables.ilk"]
    assert (names == ["policies"]) is (hook.get("pass_filenames") is False)
    words = [sys.executable, "-m", "interlock", command, *names]
    good = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)
    assert good.returncode == 0, good.stdout + good.stderr
    policy = folder / "policies" / "tables.ilk"
    wrong = {
        "check": POLICY.replace("resource.rows < 1000", "resource.rws < 1000"),
        "fmt": POLICY.replace("entity Agent", "entity   Agent"),
        "prove": POLICY.replace(">= 1000 never", "> 5 never"),
        "test": POLICY.replace("expect    permit", "expect    deny"),
    }
    policy.write_text(wrong[command])
    bad = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)
    # A hook that changes a file fails by that.
    assert bad.returncode != 0 or policy.read_text() != wrong[command]


def test_the_proving_hook_installs_the_solvers_of_the_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (hook,) = (hook for hook in HOOKS if hook["id"] == "interlock-prove")
    assert sorted(hook["additional_dependencies"]) == sorted(
        project["optional-dependencies"]["prove"]
    )


# What the docs show


def test_the_pipelines_in_the_docs_are_well_formed_and_use_what_exists() -> None:
    shown = {name: yaml.safe_load(text) for name, text in documented("yaml").items()}
    (workflow,) = (item for name, item in shown.items() if "workflows" in name)
    (job,) = workflow["jobs"].values()
    given = next(item["with"] for item in job["steps"] if item["uses"] == "./")
    required = {name for name, item in ACTION["inputs"].items() if item.get("required")}
    assert required <= set(given) <= set(ACTION["inputs"])
    (repository,) = shown[".pre-commit-config.yaml"]["repos"]
    assert {hook["id"] for hook in repository["hooks"]} == {hook["id"] for hook in HOOKS}


def test_the_commands_of_the_gitlab_pipeline_run(folder: Path) -> None:
    (job,) = yaml.safe_load(documented("yaml")[".gitlab-ci.yml"]).values()
    lines = [line for line in job["script"] if line.startswith("interlock ") and "diff" not in line]
    assert len(lines) == 3
    for line in lines:
        words = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert (folder / "claims.xml").exists()
