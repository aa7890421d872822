"""`interlock diff`: what is gained and lost between two policy sets, given as paths or as git revisions."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from interlock.cli import cli
from interlock.cli.revisions import revision_named
from interlock.cli.schema_command import SCHEMAS

SCHEMA = """
entity Agent
entity Human
entity Table { rows: Int, audited: Bool }
action drop, read { principal Agent | Human resource Table }
"""
NARROW = (
    SCHEMA
    + """
permit reads { action read }
permit small_tables { action drop when resource.rows < 100 }
"""
)
WIDE = NARROW.replace("< 100", "< 1000")
GUARDED = NARROW + "forbid audited_tables { action drop when resource.audited }\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def diff(before: str, after: str, *options: str) -> Result:
    Path("old.ilk").write_text(before, encoding="utf-8")
    Path("new.ilk").write_text(after, encoding="utf-8")
    return run("diff", "old.ilk", "new.ilk", *options)


# Paths


def test_equal_policies_change_nothing(folder: Path) -> None:
    result = diff(NARROW, NARROW.replace("rows < 100", "rows <= 99"))
    assert result.exit_code == 0
    assert result.stdout.endswith("nothing changes; 4 kinds of request compared\n")


def test_what_is_gained_is_refused_and_shown_with_a_request(folder: Path) -> None:
    result = diff(NARROW, WIDE)
    assert result.exit_code == 5
    told = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert told[1].startswith("gained deny → permit ")
    assert any(line.startswith("before denied") for line in told)
    assert "after permitted by small_tables (new.ilk:8)" in told
    assert any(line.startswith("in 2 of 4 kinds of request: Agent drop Table") for line in told)
    assert told[-1] == "1 gained; 4 kinds of request compared"


def test_what_is_lost_is_shown_and_passes(folder: Path) -> None:
    result = diff(WIDE, GUARDED)
    assert result.exit_code == 0
    assert "lost  permit → deny" in result.stdout
    assert "gained" not in result.stdout


@pytest.mark.parametrize(
    ("after", "fail_on", "code"),
    [
        (WIDE, "gained", 5),
        (WIDE, "changed", 5),
        (WIDE, "never", 0),
        (GUARDED, "gained", 0),
        (GUARDED, "changed", 5),
        (GUARDED, "never", 0),
        (NARROW, "changed", 0),
    ],
)
def test_what_fails_can_be_chosen(folder: Path, after: str, fail_on: str, code: int) -> None:
    assert diff(NARROW, after, "--fail-on", fail_on).exit_code == code


def test_an_example_in_json_decides_as_it_says(folder: Path) -> None:
    document = json.loads(diff(NARROW, WIDE, "--format", "json").stdout)
    assert (document["gained"], document["changed"], document["doubts"]) == (True, True, [])
    (region,) = document["regions"]
    assert (region["change"], len(region["environments"])) == ("gained", 2)
    Path("request.json").write_text(json.dumps(region["example"]["request"]))
    Path("entities.json").write_text(json.dumps(region["example"]["entities"]))
    for side, policy in (("before", "old.ilk"), ("after", "new.ilk")):
        again = run(
            "eval", "--policy", policy, "--entities", "entities.json",
            "--request", "request.json", "--format", "json",
        )  # fmt: skip
        assert json.loads(again.stdout)["decision"] == region[side]["decision"]


@pytest.mark.parametrize(
    ("before", "after"),
    [(NARROW, WIDE), (WIDE, GUARDED), (NARROW, NARROW), (NARROW, GUARDED.replace("read", "see")),
     (NARROW, NARROW.replace("audited: Bool", "audited: String") + "permit a {}\n")],
)  # fmt: skip
def test_json_fits_its_schema(folder: Path, before: str, after: str) -> None:
    document = json.loads(diff(before, after, "--format", "json").stdout)
    Draft202012Validator(SCHEMAS["diff"]()).validate(document)
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMAS["diff"]()).validate({**document, "doubts": [1]})


def test_a_new_action_that_is_permitted_is_gained(folder: Path) -> None:
    after = (
        NARROW.replace("action drop, read", "action drop, read, wipe")
        + "permit wipes { action wipe }\n"
    )
    result = diff(NARROW, after)
    assert result.exit_code == 5
    assert "2 kinds of request new" in result.stdout
    assert "permitted by  wipes (new.ilk:9)" in result.stdout
    assert result.stdout.endswith(
        "new kinds of request are permitted; 4 kinds of request compared\n"
    )


def test_a_new_action_that_nothing_permits_is_not_gained(folder: Path) -> None:
    after = NARROW.replace("action drop, read", "action drop, read, wipe")
    assert diff(NARROW, after).exit_code == 0
    assert diff(NARROW, after, "--fail-on", "changed").exit_code == 5
    assert "2 kinds of request no longer there" in diff(after, NARROW).stdout


def test_an_attribute_of_another_type_is_a_doubt(folder: Path) -> None:
    result = diff(GUARDED, NARROW.replace("audited: Bool", "audited: String"))
    assert "`Table.audited` has another type than before" in result.stdout
    assert "not decided in full" in result.stdout
    assert result.exit_code in (5, 6)


def test_a_comparison_that_takes_too_long_is_undecided(folder: Path) -> None:
    sums = " and ".join(f"resource.rows + {n} * resource.rows != {n + 7}" for n in range(1, 60))
    result = diff(NARROW, NARROW.replace("resource.rows < 100", sums), "--timeout", "0.01")
    assert result.exit_code == 6
    assert "the time limit of 0.01 s was reached" in result.stdout


def test_markdown_has_policy_text_only_as_code(folder: Path) -> None:
    name = "_x_ @everyone.ilk"
    Path(name).write_text(WIDE)
    Path("old.ilk").write_text(NARROW)
    text = run("diff", "old.ilk", name, "--format", "markdown").stdout
    assert "| **permitted, was denied** | <code>small&#95;tables</code> changed (" in text
    assert "exactly<br><code>resource&#46;rows &#62;&#61; 100</code><br>" in text
    assert "@everyone" not in text
    assert text.count("<details>") == text.count("</details>") == 1


def test_policies_that_do_not_compile_are_named_by_side(folder: Path) -> None:
    result = diff(NARROW, "permit { }")
    assert result.exit_code == 3
    assert "in new.ilk:" in result.output


def test_bundled_packs_are_paths(folder: Path) -> None:
    result = run("diff", "production_guardrails", "production_guardrails")
    assert result.exit_code == 0


@pytest.mark.parametrize("arguments", [["a.ilk"], ["a.ilk", "a.ilk", "a.ilk"], ["main"], ["a..b"]])
def test_a_side_too_few_or_too_many_is_wrong_use(folder: Path, arguments: list[str]) -> None:
    Path("a.ilk").write_text(NARROW)
    assert run("diff", *arguments).exit_code == 2


# Git revisions


def git(*words: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *words], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def commit(text: str, path: str = "policies/a.ilk") -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "--message", "a step")
    return git("rev-parse", "HEAD")


@pytest.fixture
def repository(folder: Path) -> Path:
    """A repository whose `main` is narrow, and whose checked out `topic` is wide."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    git("init", "--quiet", "--initial-branch", "main")
    commit(NARROW)
    git("switch", "--quiet", "--create", "topic")
    commit(WIDE)
    return folder


@pytest.mark.parametrize("revisions", ["main..topic", "main..", "main...HEAD", "HEAD~1..HEAD"])
def test_two_revisions_are_compared(repository: Path, revisions: str) -> None:
    result = run("diff", revisions, "policies")
    assert result.exit_code == 5, result.output
    assert "after         permitted by small_tables (policies/a.ilk:8)" in result.stdout


def test_three_dots_compare_with_where_it_left(repository: Path) -> None:
    git("switch", "--quiet", "main")
    commit(SCHEMA + "permit everything {}\n")
    git("switch", "--quiet", "topic")
    assert "gained" in run("diff", "main...topic", "policies").stdout
    assert "lost" in run("diff", "main..topic", "policies").stdout


def test_one_revision_is_compared_with_the_working_tree(repository: Path) -> None:
    assert run("diff", "HEAD", "policies").exit_code == 0
    Path("policies/a.ilk").write_text(SCHEMA + "permit everything {}\n")
    result = run("diff", "HEAD", "policies")
    assert result.exit_code == 5
    assert "→ working tree" in result.stdout


def test_paths_are_those_of_the_working_directory(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "policies")
    assert run("diff", "main..topic", "a.ilk").exit_code == 5
    assert run("diff", "main..topic", ".").exit_code == 5
    assert run("diff", "main..topic", "../..").exit_code == 2


def test_modules_that_are_used_come_from_the_same_revision(repository: Path) -> None:
    commit("module shared\n" + SCHEMA + "permit reads { action read }\n", "shared.ilk")
    one = commit("module a\nuse shared\n")
    commit("module shared\n" + SCHEMA + "permit everything {}\n", "shared.ilk")
    assert run("diff", f"{one}..HEAD", "policies").exit_code == 5
    assert run("diff", f"{one}..{one}", "policies").exit_code == 0


def test_attributes_of_git_hide_no_policy(repository: Path) -> None:
    commit("*.ilk export-ignore\n", ".gitattributes")
    assert run("diff", "main..HEAD", "policies").exit_code == 5


def test_a_policy_that_is_a_link_is_refused(repository: Path) -> None:
    Path("policies/b.ilk").symlink_to("/etc/passwd")
    commit(WIDE)
    result = run("diff", "main..HEAD", "policies")
    assert result.exit_code == 2
    assert "is a link" in result.output


def test_the_first_policies_are_compared_with_none(repository: Path) -> None:
    commit(NARROW, "later/b.ilk")
    result = run("diff", "main..HEAD", "later")
    assert result.exit_code == 5
    assert "new" in result.stdout and "permitted" in result.stdout


def test_the_last_policies_may_go(repository: Path) -> None:
    Path("policies/a.ilk").unlink()
    commit("", "other.txt")
    result = run("diff", "main..HEAD", "policies/a.ilk")
    assert result.exit_code == 0, result.output
    assert run("diff", "main..HEAD", "policies/a.ilk", "--fail-on", "changed").exit_code == 5
    assert run("diff", "main", "policies/a.ilk").exit_code == 0


def test_a_path_that_neither_side_has_is_told(repository: Path) -> None:
    result = run("diff", "main..HEAD", "nowhere", "policies")
    assert result.exit_code == 2
    assert "has policies in `nowhere`" in result.output
    assert run("diff", "main", "nowhere").exit_code == 2


@pytest.mark.parametrize("name", ["nothing", "--upload-pack=x", "-h", "main --help", "a\nb", ""])
def test_a_name_that_is_no_revision_is_named_and_never_an_option(
    repository: Path, name: str
) -> None:
    result = run("diff", "--", name, "policies")
    assert result.exit_code == 2
    assert "revision" in result.output


@given(st.text(max_size=30).map(lambda text: "-" + text))
def test_no_name_that_begins_like_an_option_reaches_git(name: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        revision_named(name)
    assert stopped.value.code == 2


def test_outside_a_repository_that_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    Path("a.ilk").write_text(NARROW)
    result = run("diff", "main", "a.ilk")
    assert result.exit_code == 2
    assert "this is not a git repository" in result.output


def test_without_git_that_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    Path("a.ilk").write_text(NARROW)
    result = run("diff", "main", "a.ilk")
    assert result.exit_code == 2
    assert "git is not installed" in result.output
