"""The GitHub Action, run as a runner runs it: what a pull request sees, and what fails it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from github_runner import Ran, condition, evaluate, filled, pairs, run_action
from jsonschema import Draft4Validator, FormatChecker

ROOT = Path(__file__).parent.parent
SARIF = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0-rtm.5.json").read_text())
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
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
WIDER = POLICY.replace("< 1000", "< 2000").replace(">= 1000", ">= 2000")
REFUTED = POLICY.replace("rows < 1000", "rows < 2000")

# What GitHub's own programs are here: a Python that installs this checkout, and `gh`, which notes what it is told.
PYTHON = """#!/bin/bash
set -e
if [ "$1 $2" = "-m venv" ]; then
  mkdir -p "$3/bin"
  cp "$0" "$3/bin/python"
elif [ "$1 $2 $3" = "-m pip install" ]; then
  [ "${@: -1}" = "$GITHUB_ACTION_PATH[prove]" ]
  printf '#!/bin/sh\\nexec %s -m interlock "$@"\\n' PROGRAM > "$(dirname "$0")/interlock"
  chmod +x "$(dirname "$0")/interlock"
else
  exit 64
fi
""".replace("PROGRAM", shlex.quote(sys.executable))
GH = """#!/bin/bash
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in *--paginate*) echo "$KNOWN" ;; esac
"""


@dataclass
class Job:
    """A checkout with a pull request from `base` to `HEAD`, and the programs of a runner."""

    folder: Path
    event: Mapping[str, Any] = field(default_factory=dict)

    def use(self, known: str = "", **inputs: str) -> Ran:
        temporary = self.folder / "temporary"
        shutil.rmtree(temporary, ignore_errors=True)
        bin = self.folder / "bin"
        for path in (temporary, bin):
            path.mkdir(exist_ok=True)
        for name, text in (("python", PYTHON), ("gh", GH)):
            (bin / name).write_text(text)
            (bin / name).chmod(0o755)
        github = {"repository": "o/r", "token": "secret", "event": self.event}

        def uses(name: str, given: Mapping[str, str]) -> Mapping[str, str]:
            if name.startswith("actions/setup-python@"):
                assert given["update-environment"] == "false"
                return {"python-path": str(bin / "python")}
            assert name.startswith("github/codeql-action/upload-sarif@")
            document = json.loads(Path(given["sarif_file"]).read_text())
            Draft4Validator(SARIF, format_checker=FormatChecker()).validate(document)
            return {}

        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")},
            "PATH": f"{bin}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "CALLS": str(temporary / "calls"),
            "KNOWN": known,
        }
        given = {
            "paths": "policies",
            **{key.replace("_", "-"): value for key, value in inputs.items()},
        }
        return run_action(
            ROOT, self.folder / "checkout", temporary,
            inputs=given, github=github, uses=uses, environment=environment,
        )  # fmt: skip

    @property
    def sarif(self) -> dict[str, Any]:
        (path,) = (self.folder / "temporary").glob("interlock.*/interlock.sarif")
        (run,) = json.loads(path.read_text())["runs"]
        return dict(run)

    @property
    def comments(self) -> list[str]:
        """What `gh` was told."""
        calls = self.folder / "temporary" / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def git(self, *words: str) -> str:
        identity = (
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "commit.gpgsign=false",
        )
        done = subprocess.run(
            ["git", "-C", str(self.folder / "checkout"), *identity, *words],
            check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str]) -> str:
        for name, text in files.items():
            path = self.folder / "checkout" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a step")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A checkout without a commit, and no pull request."""
    if shutil.which("git") is None or shutil.which("bash") is None:
        pytest.skip("git or bash is not installed")
    (tmp_path / "checkout").mkdir()
    found = Job(tmp_path)
    found.git("init", "--quiet", "--initial-branch", "main")
    return found


def pull_request(job: Job, before: str, after: str, *, fork: bool = False) -> Job:
    """From one text of the policies to another."""
    name = "policies/tables.ilk"
    base = job.commit({name: before})
    job.git("switch", "--quiet", "--create", "topic")
    job.commit({name: after, "README.md": "changed"})
    head = {"repo": {"full_name": "somebody/r" if fork else "o/r"}}
    job.event = {"pull_request": {"base": {"sha": base}, "head": head, "number": 7}}
    return job


def test_good_policies_that_stay_as_they_are_pass(job: Job) -> None:
    ran = pull_request(job, POLICY, POLICY + "\n// a word\n").use()
    assert ran.succeeded, ran.printed
    assert list(ran.exit_codes) == [
        "Install",
        "Check",
        "Test",
        "Prove",
        "Compare",
        "Comment",
        "Verdict",
    ]
    assert ran.outputs["verdict"] == "0"
    assert ran.annotations == []
    assert "1 claim: 1 proved" in ran.summary
    assert "nothing changes; 1 kind of request compared" in ran.summary
    assert [result["kind"] for result in job.sarif["results"]] == ["pass"]
    assert [name.partition("@")[0] for name, _ in ran.used] == [
        "actions/setup-python", "github/codeql-action/upload-sarif",
    ]  # fmt: skip
    assert ran.used[1][1]["sarif_file"] == ran.outputs["sarif"]


def test_a_refuted_claim_fails_is_annotated_and_is_uploaded(job: Job) -> None:
    ran = pull_request(job, POLICY, REFUTED).use()
    assert not ran.succeeded
    assert (ran.outputs["verdict"], ran.exit_codes["Verdict"]) == ("5", 5)
    (annotation,) = ran.annotations
    assert annotation.startswith(
        "::error file=policies/tables.ilk,line=7,endLine=7,col=1,title=refuted"
    )
    (result,) = job.sarif["results"]
    assert (result["level"], len(ran.used)) == ("error", 2)
    assert "**1 claim: 1 refuted**" in ran.summary
    assert "</details>\n\n**Policy changes" in ran.summary
    # Everything is said before it fails.
    assert ran.exit_codes["Compare"] == ran.exit_codes["Comment"] == 0
    assert len(job.comments) == 2


def test_what_is_gained_fails_and_is_commented_with_a_request(job: Job) -> None:
    ran = pull_request(job, POLICY, WIDER).use()
    assert (ran.succeeded, ran.outputs["verdict"]) == (False, "5")
    assert "| **permitted, was denied** | <code>small&#95;tables</code> changed" in ran.summary
    (temporary,) = (job.folder / "temporary").glob("interlock.*")
    body = (temporary / "comment.md").read_text()
    assert body.startswith(
        "<!-- interlock -->\n**Policy changes: 1 more permissive; 1 kind of request compared**"
    )
    assert "**1 claim: 1 proved**" in body
    assert job.comments[-1] == f"api repos/o/r/issues/7/comments -F body=@{temporary}/comment.md"


def test_what_fails_when_policies_are_compared_can_be_chosen(job: Job) -> None:
    pull_request(job, WIDER, POLICY)
    assert job.use(comment="false").outputs["verdict"] == "0"
    assert job.use(comment="false", fail_on="changed").outputs["verdict"] == "5"


def test_one_comment_is_kept(job: Job) -> None:
    pull_request(job, POLICY, POLICY + "\n").use(known="42")
    assert "--method PATCH repos/o/r/issues/comments/42 -F body=@" in job.comments[-1]


def test_a_pull_request_from_a_fork_has_its_summary_only(job: Job) -> None:
    ran = pull_request(job, POLICY, WIDER, fork=True).use()
    assert job.comments == []
    assert "1 more permissive" in ran.summary
    assert ran.outputs["verdict"] == "5"


def test_a_push_compares_nothing_and_comments_nothing(job: Job) -> None:
    job.commit({"policies/tables.ilk": POLICY})
    ran = job.use()
    assert ran.succeeded
    assert list(ran.exit_codes) == ["Install", "Check", "Test", "Prove", "Verdict"]
    assert job.comments == []


def test_a_push_compares_with_the_revision_it_is_given(job: Job) -> None:
    base = job.commit({"policies/tables.ilk": POLICY})
    job.commit({"policies/tables.ilk": WIDER})
    assert job.use(base=base).outputs["verdict"] == "5"
    assert job.use(base="HEAD").outputs["verdict"] == "0"


def test_policies_that_do_not_compile_are_annotated_and_nothing_else_runs(job: Job) -> None:
    ran = pull_request(
        job, POLICY, POLICY.replace("resource.rows < 1000", "resource.rws < 1000")
    ).use()
    assert (ran.succeeded, ran.outputs["verdict"], ran.outputs["sarif"]) == (False, "3", "")
    assert list(ran.exit_codes) == ["Install", "Check", "Verdict"]
    (annotation,) = ran.annotations
    assert annotation.startswith("::error file=policies/tables.ilk,line=6,endLine=6,col=")
    assert "title=error[unknown-attribute]::`Table` has no attribute `rws`%0Ahelp: " in annotation


def test_a_test_that_fails_fails_the_run(job: Job) -> None:
    ran = pull_request(job, POLICY, POLICY.replace("expect    permit", "expect    deny")).use()
    assert ran.outputs["verdict"] == "1"
    assert "1 proved" in ran.summary


def test_what_is_not_decided_fails_the_run_and_yet_is_compared(job: Job) -> None:
    sums = " and ".join(f"resource.rows + {n} * resource.rows != {n + 7}" for n in range(1, 60))
    ran = pull_request(job, POLICY, POLICY.replace("resource.rows < 1000", sums)).use(
        timeout="0.01"
    )
    assert ran.outputs["verdict"] == "6"
    assert "unknown" in ran.summary
    assert "Compare" in ran.exit_codes


def test_comments_and_uploads_can_be_left_out(job: Job) -> None:
    ran = pull_request(job, POLICY, WIDER).use(comment="false", upload_sarif="false")
    assert "Comment" not in ran.exit_codes
    assert len(ran.used) == 1


def test_a_folder_is_one_line_and_several_are_several(job: Job) -> None:
    job.commit(
        {
            "my policies/tables.ilk": POLICY,
            "other/claims.ilk": "module claims\nuse tables\nprove one { action drop always permitted }\n",
        }
    )
    ran = job.use(paths="\n  \nmy policies\nother\n", base="HEAD")
    assert ran.outputs["verdict"] == "5"
    (annotation,) = ran.annotations
    assert annotation.startswith("::error file=other/claims.ilk,")
    assert "nothing changes" in ran.summary


HOSTILE = {
    "commands": """$(touch pwned) `touch pwned` ; touch pwned; "; touch pwned; " '; touch pwned; '
--also=json=pwned
${{ github.token }} && touch pwned""",
    "an option": "--help",
}


@pytest.mark.parametrize("names", [["paths"], ["base", "timeout"], ["fail_on"]], ids=" ".join)
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_input_is_read_as_a_script_or_an_option(job: Job, names: list[str], kind: str) -> None:
    pull_request(job, POLICY, POLICY + "\n")
    ran = job.use(**dict.fromkeys(names, HOSTILE[kind]))
    assert not list(job.folder.rglob("pwned"))
    assert not ran.succeeded
    assert ran.outputs["verdict"] in ("2", "3"), ran.printed
    assert "secret" not in "".join(ran.printed.values())


def test_the_names_of_files_in_a_pull_request_steer_nothing(job: Job) -> None:
    name = "policies/a\n::error::x$(touch pwned).ilk"
    job.commit({name: REFUTED})
    ran = job.use(base="HEAD")
    assert not list(job.folder.rglob("pwned"))
    assert len(ran.annotations) == 1
    assert "\n::error::x" not in "".join(ran.printed.values()) + ran.summary


# How it is written


def test_what_it_uses_of_others_is_pinned_to_a_commit() -> None:
    text = (ROOT / "action.yml").read_text()
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert len(used) == sum("uses" in step for step in ACTION["runs"]["steps"])
    for name, version in used:
        assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", name)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", version)


@pytest.mark.parametrize(
    "step",
    [step for step in ACTION["runs"]["steps"] if "run" in step],
    ids=lambda step: step["name"],
)
def test_a_script_is_bash_and_takes_what_others_wrote_from_its_environment(
    step: dict[str, Any],
) -> None:
    assert "${{" not in step["run"]
    assert step["shell"] == "bash"
    checked = subprocess.run(["bash", "-n"], input=step["run"], text=True, capture_output=True)
    assert checked.returncode == 0, checked.stderr


def test_a_program_that_looks_for_weak_actions_finds_none() -> None:
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    program = shutil.which("zizmor", path=beside)
    if program is None:
        pytest.skip("zizmor is not installed")
    done = subprocess.run(
        [program, "--offline", "--no-progress", "--persona=auditor", str(ROOT / "action.yml")],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_input_is_used_and_described() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])
    assert all(item["description"] for item in ACTION["inputs"].values())


def test_every_output_of_a_step_that_is_read_is_written() -> None:
    read = re.findall(r"steps\.(\w+)\.outputs\.([\w-]+)", (ROOT / "action.yml").read_text())
    assert read
    by_id = {step["id"]: step for step in ACTION["runs"]["steps"] if "id" in step}
    for step, output in read:
        assert "uses" in by_id[step] or f'"{output}=' in by_id[step]["run"]


# The runner


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inputs.a == 'X'", True), ("inputs.a != 'x'", False), ("inputs.none == ''", True),
        ("!inputs.none && inputs.a", "x"), ("inputs.none || 'it''s'", "it's"),
        ("(inputs.a == 'y' || success()) && steps.s.outputs.o-p == '1'", True), ("always()", True),
    ],
)  # fmt: skip
def test_expressions_mean_what_they_mean_to_github(text: str, value: object) -> None:
    context = {"inputs": {"a": "x"}, "steps": {"s": {"outputs": {"o-p": "1"}}}, "succeeded": True}
    assert evaluate(text, context) == value


def test_a_step_runs_after_a_failure_only_if_it_asks() -> None:
    failed = {"succeeded": False, "inputs": {"a": "x"}}
    assert not condition("inputs.a == 'x'", failed)
    assert condition("failure() && inputs.a == 'x'", failed)
    assert filled("a ${{ inputs.a }} ${{inputs.b}}", failed) == "a x "
    assert dict(pairs("a=1=2\nb<<E\nx\ny\nE\n")) == {"a": "1=2", "b": "x\ny"}
    with pytest.raises(ValueError, match="no expression"):
        evaluate("inputs.a ? 1 : 2", failed)
