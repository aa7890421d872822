"""The GitHub Action, the pre-commit hooks and the pipelines in the docs: well formed, and what they run runs."""

import os
import re
import shlex
import shutil
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
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
SCRIPTS = {name: str(step["run"]) for name, step in STEPS.items() if "run" in step}
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


# The action


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_bash_and_takes_what_others_wrote_from_its_environment(name: str) -> None:
    assert "${{" not in SCRIPTS[name]
    assert STEPS[name]["shell"] == "bash"
    checked = subprocess.run(["bash", "-n"], input=SCRIPTS[name], text=True, capture_output=True)
    assert checked.returncode == 0, checked.stderr


def test_every_input_is_used_and_described() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])
    assert all(item["description"] for item in ACTION["inputs"].values())


def test_every_output_of_a_step_that_is_read_is_written() -> None:
    read = re.findall(r"steps\.(\w+)\.outputs\.(\w+)", (ROOT / "action.yml").read_text())
    assert read
    by_id = {step["id"]: step for step in STEPS.values() if "id" in step}
    for step, output in read:
        assert f'"{output}=' in by_id[step]["run"]


def step(name: str, folder: Path, **inputs: str) -> tuple[int, dict[str, str], str]:
    """Runs the script of a step as a runner does: the exit code, its outputs, and what it printed."""
    bin = folder / "bin"
    bin.mkdir(exist_ok=True)
    (bin / "interlock").write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m interlock "$@"\n'
    )
    (bin / "interlock").chmod(0o755)
    output = folder / "output"
    output.write_text("")
    environment = {
        **os.environ,
        "PATH": f"{bin}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "RUNNER_TEMP": str(folder),
        "PATHS": "\npolicies\n",
        **inputs,
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS[name]],
        cwd=folder, env=environment, text=True, capture_output=True, timeout=120,
    )  # fmt: skip
    found = dict(line.split("=", 1) for line in output.read_text().splitlines())
    return done.returncode, found, done.stdout + done.stderr


def test_the_action_passes_good_policies(folder: Path) -> None:
    for name in ("Check", "Test", "Prove"):
        code, outputs, printed = step(name, folder, TIMEOUT="60")
        assert (code, outputs.get("code")) == (0, "0"), printed
    assert "1 proved" in (folder / "summary").read_text()
    assert (folder / "interlock.sarif").stat().st_size > 0
    assert step("Verdict", folder, CODES="0 0 0 ")[0] == 0


def test_the_action_fails_on_a_refuted_claim_and_annotates_it(folder: Path) -> None:
    (folder / "policies" / "tables.ilk").write_text(POLICY.replace(">= 1000 never", "> 5 never"))
    code, outputs, printed = step("Prove", folder, TIMEOUT="60")
    assert (code, outputs["code"]) == (0, "5")
    assert "::error file=policies/tables.ilk,line=7," in printed
    assert step("Verdict", folder, CODES="0 0 5 ")[0] == 5


def test_the_action_compares_with_the_base(folder: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(folder)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    (folder / "policies" / "tables.ilk").write_text(POLICY.replace("< 1000", "< 2000"))
    subprocess.run([*git, "commit", "-q", "-a", "-m", "two"], check=True, capture_output=True)
    _, outputs, printed = step("Compare", folder, BASE="HEAD~1", FAIL_ON="gained")
    assert outputs["code"] == "5", printed
    assert "1 gained" in (folder / "interlock-diff.md").read_text()


COMMENTS = """#!/bin/sh
printf '%s\\n' "$*" >> "$RUNNER_TEMP/calls"
case "$*" in *--paginate*) echo "$KNOWN" ;; esac
"""


@pytest.mark.parametrize(("known", "call"), [("", "issues/7/comments -F"), ("42", "PATCH")])
def test_the_action_keeps_one_comment(folder: Path, known: str, call: str) -> None:
    (folder / "bin").mkdir()
    (folder / "bin" / "gh").write_text(COMMENTS)
    (folder / "bin" / "gh").chmod(0o755)
    (folder / "interlock-proofs.md").write_text("the proofs\n")
    (folder / "interlock-diff.md").write_text("x" * 70_000)
    code, _, printed = step("Comment", folder, KNOWN=known, NUMBER="7", GITHUB_REPOSITORY="o/r")
    assert code == 0, printed
    said = (folder / "calls").read_text().splitlines()[-1]
    assert call in said
    assert said.endswith(f"-F body=@{folder}/interlock-comment.md")
    body = (folder / "interlock-comment.md").read_text()
    assert body.startswith("<!-- interlock -->\n")
    assert "the proofs" in body
    assert "The rest is in the summary of this run." in body
    assert len(body) < 65_536


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
