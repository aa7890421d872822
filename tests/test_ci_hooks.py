"""The pre-commit hooks, run by pre-commit in a repository with policies: good ones pass, bad ones do not."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
POLICY = """module tables

entity Agent
entity Table { rows: Int }

action drop {
  principal Agent
  resource  Table
}

permit small_tables {
  when      resource.rows < 1000
}

prove large_tables_stay {
  when      resource.rows >= 1000
  never permitted
}

test a_small_table_may_go {
  principal Agent::"bot"
  action    drop
  resource  Table::"t" { rows: 1 }
  expect    permit
}
"""
WRONG = {
    "interlock-check": (("resource.rows < 1000", "resource.rws < 1000"), "has no attribute `rws`"),
    "interlock-fmt": (("entity Agent", "entity   Agent"), "files were modified by this hook"),
    "interlock-prove": (("rows >= 1000", "rows > 5"), "refuted  large_tables_stay"),
    "interlock-test": (("expect    permit", "expect    deny"), "1 test, 1 failed"),
}


@dataclass(frozen=True)
class Project:
    """A repository that uses the hooks of this one."""

    program: str
    folder: Path
    home: Path

    def git(self, *words: str) -> str:
        return git(self.folder, *words)

    def write(self, text: str) -> None:
        (self.folder / "policies").mkdir(exist_ok=True)
        (self.folder / "policies" / "tables.ilk").write_text(text)
        self.git("add", "--all")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command of pre-commit, with the environments that it installed before."""
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment |= {"PRE_COMMIT_HOME": str(self.home), "PRE_COMMIT_COLOR": "never"}
        return subprocess.run(
            [self.program, *words],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=900,
        )  # fmt: skip


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout.strip()


def as_it_is(folder: Path) -> str:
    """A repository with the files of this checkout as they are now, in one commit."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        source, place = ROOT / name, folder / name
        if source.is_symlink() or source.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place, follow_symlinks=False)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "as it is")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose hooks are installed; pre-commit does that once, with the libraries it asks the index for."""
    if os.environ.get("INTERLOCK_TESTS") == "quick":
        pytest.skip("installing the hooks takes a minute")
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    program = shutil.which("pre-commit", path=beside)
    if program is None:
        pytest.skip("pre-commit is not installed")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path_factory.mktemp("hooks")
    (folder / "interlock").mkdir()
    (folder / "project").mkdir()
    revision = as_it_is(folder / "interlock")
    found = Project(program, folder / "project", folder / "home")
    found.git("init", "--quiet")
    used = [{"id": hook["id"]} for hook in HOOKS]
    repository = {"repo": str(folder / "interlock"), "rev": revision, "hooks": used}
    (found.folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [repository]}))
    installed = found.run("install-hooks")
    if installed.returncode and "Could not find a version" in installed.stdout:
        pytest.skip(f"the libraries cannot be installed here: {installed.stdout[-300:]}")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    yield found
    shutil.rmtree(folder, ignore_errors=True)


def test_good_policies_pass_every_hook(project: Project) -> None:
    project.write(POLICY)
    done = project.run("run", "--all-files")
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [line.split(".")[0] for line in done.stdout.splitlines() if line.endswith("Passed")]
    assert sorted(passed) == sorted(str(hook["name"]) for hook in HOOKS)


@pytest.mark.parametrize("name", WRONG)
def test_a_hook_stops_what_it_is_there_for(project: Project, name: str) -> None:
    edit, told = WRONG[name]
    project.write(POLICY.replace(*edit))
    done = project.run("run", name, "--all-files")
    assert done.returncode == 1, done.stdout + done.stderr
    assert told in done.stdout
    if name == "interlock-fmt":
        assert (project.folder / "policies" / "tables.ilk").read_text() == POLICY


def test_a_commit_without_policies_runs_no_hook(project: Project) -> None:
    (project.folder / "README.md").write_text("words\n")
    done = project.run("run", "--files", "README.md")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("(no files to check)Skipped") == len(HOOKS)


def test_a_commit_of_one_file_reads_the_policies_as_a_whole(project: Project) -> None:
    """A rule in one file, and the claim that it breaks in another that does not change."""
    project.write(POLICY)
    project.git("commit", "--quiet", "--no-verify", "--message", "one")
    more = project.folder / "policies" / "more.ilk"
    more.write_text(
        "module more\n\nuse tables\n\npermit large_tables {\n  when      resource.rows > 5000\n}\n"
    )
    project.git("add", "--all")
    done = project.run("run")
    assert done.returncode == 1
    assert "refuted  large_tables_stay" in done.stdout
    more.unlink()
    project.git("add", "--all")
