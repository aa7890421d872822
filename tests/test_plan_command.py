"""`interlock plan` and what it shares with the gate: several files, folders, a state before, own tables, Markdown."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from interlock.cli import cli
from interlock.cli.markdown import MAX_LETTERS, code, plan_markdown
from interlock.plans.model import (
    Artifact,
    Asset,
    Change,
    Effect,
    Identity,
    Plan,
    Position,
    Problem,
    Reversibility,
    Selector,
    numbered,
)

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\ndata: {a: b}\n"
LEDGER = "apiVersion: acme.example/v1\nkind: Ledger\nmetadata: {name: books, namespace: shop}\n"
ROW = "{kinds: [acme.example/Ledger], is_a: stateful, criticality: high, source: acme.example}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli, list(arguments), input=given)


def plan(*arguments: str, given: str | None = None) -> tuple[int, dict[str, Any]]:
    result = run("plan", *arguments, "--format", "json", given=given)
    return result.exit_code, json.loads(result.stdout)


def actions(document: dict[str, Any]) -> list[str]:
    return [change["action"] for change in document["changes"]]


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yaml", ".yaml").replace("_sql", ".sql")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


# Files


def test_several_files_are_one_plan_whatever_they_are(folder: Path) -> None:
    write(folder, a_yaml=NAMESPACE, b_sql="DELETE FROM orders;", c_yaml=CONFIG)
    code, document = plan("a.yaml", "b.sql", "c.yaml")
    assert code == 0
    assert actions(document) == ["kubernetes.apply", "sql.delete", "kubernetes.apply"]
    assert [change["id"] for change in document["changes"]] == ["1", "2", "3"]
    assert [artifact["file"] for artifact in document["artifacts"]] == ["a.yaml", "b.sql", "c.yaml"]


def test_standard_input_is_a_file(folder: Path) -> None:
    code, document = plan("-", given=NAMESPACE)
    assert (code, actions(document)) == (0, ["kubernetes.apply"])
    assert run("plan", "-", "-", given=NAMESPACE).exit_code == 2
    assert run("plan", "-", "--as", "sql", given="SELECT 1").exit_code == 0


def test_a_folder_is_the_artifacts_in_it_and_below(folder: Path) -> None:
    write(folder, d__a_yaml=NAMESPACE, d__deep__b_yaml=CONFIG, d__deep__readme="not an artifact")
    assert actions(plan("d")[1]) == ["kubernetes.apply"] * 2
    (folder / "empty").mkdir()
    assert run("plan", "empty").exit_code == 2


def test_what_nobody_knows_is_said(folder: Path) -> None:
    write(folder, notes="hello")
    result = run("plan", "notes")
    assert result.exit_code == 2
    assert "--as" in result.output
    assert run("plan").exit_code == 2
    assert run("plan", "nowhere.yaml").exit_code == 2


# A state before


def test_what_is_only_before_is_deleted(folder: Path) -> None:
    write(folder, old__a_yaml=NAMESPACE, old__b_yaml=CONFIG, new__c_yaml=CONFIG.replace("b}", "c}"))
    document = plan("new", "--before", "old")[1]
    assert sorted(actions(document)) == ["kubernetes.delete", "kubernetes.update"]
    assert actions(plan("--before", "old")[1]) == ["kubernetes.delete"] * 2


def test_the_gate_compares_as_well(folder: Path) -> None:
    write(folder, old_yaml=NAMESPACE)
    both = ("old.yaml", "--before", "old.yaml")
    policies = ("--policy", "production_guardrails", "--policy", "std.kubernetes")
    assert run("gate", *both, *policies).exit_code == 0
    assert run("gate", "--before", "old.yaml", *policies).exit_code == 1
    assert run("gate", *policies).exit_code == 2


def test_only_what_has_a_state_can_be_compared(folder: Path) -> None:
    write(folder, a_yaml=NAMESPACE, b_sql="SELECT 1")
    assert run("plan", "a.yaml", "--before", "b.sql").exit_code == 2
    assert run("plan", "b.sql", "--before", "a.yaml").exit_code == 2


# Own tables


def test_own_tables_are_found_and_are_part_of_the_plan(folder: Path) -> None:
    write(folder, old_yaml=LEDGER)
    (folder / "deep").mkdir()
    unknown = plan("--before", "old.yaml")[1]
    assert unknown["changes"][0]["effect"] == "unknown"
    table = folder / ".interlock" / "taxonomy" / "kubernetes-acme.yaml"
    table.parent.mkdir(parents=True)
    table.write_text(f"resources: [{ROW}]\n")
    known = plan("--before", "old.yaml")[1]
    assert known["changes"][0]["effect"] == "delete_data"
    assert known["artifacts"][-1]["kind"] == "taxonomy"
    table.write_text(f"resources: [{ROW}] # a word more\n")
    assert plan("--before", "old.yaml")[1]["digest"] != known["digest"]
    assert "1 file," in run("plan", "--before", "old.yaml").stdout


def test_own_tables_count_from_folders_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, deep__old_yaml=LEDGER)
    table = folder / ".interlock" / "taxonomy" / "kubernetes.yaml"
    table.parent.mkdir(parents=True)
    table.write_text(f"resources: [{ROW}]\n")
    monkeypatch.chdir(folder / "deep")
    assert plan("--before", "old.yaml")[1]["changes"][0]["effect"] == "delete_data"


def test_own_tables_hold_for_terraform(folder: Path) -> None:
    change = {
        "address": "acme_thing.x",
        "type": "acme_thing",
        "mode": "managed",
        "name": "x",
        "change": {"actions": ["delete"], "before": {}, "after": None},
    }
    text = json.dumps({"format_version": "1.2", "resource_changes": [change]})
    (folder / "x.json").write_text(text)
    assert plan("x.json")[1]["changes"][0]["effect"] == "unknown"
    table = folder / ".interlock" / "taxonomy" / "terraform.yaml"
    table.parent.mkdir(parents=True)
    row = "{types: [acme_thing], is_a: recovery, criticality: high, source: acme.example}"
    table.write_text(f"resources: [{row}]\n")
    assert plan("x.json")[1]["changes"][0]["effect"] == "delete_recovery"


def test_a_mistake_in_an_own_table_is_a_problem_of_the_plan_at_its_line(folder: Path) -> None:
    write(folder, old_yaml=NAMESPACE)
    table = folder / ".interlock" / "taxonomy" / "kubernetes.yaml"
    table.parent.mkdir(parents=True)
    table.write_text(f"resources:\n  - {ROW}\n  - {ROW.replace('stateful', 'immortal')}\n")
    code, document = plan("old.yaml")
    assert code == 3
    (problem,) = document["problems"]
    assert problem["file"].endswith("kubernetes.yaml")
    assert problem["line"] == 3


# Markdown


def change(summary: str, effect: Effect = Effect.DELETE_DATA, opaque: str | None = None) -> Change:
    return Change(
        id="",
        action="kubernetes.delete",
        resource=Asset(type="KubernetesResource", id="x", name="x", kind="v1.Pod", stateful=True),
        effect=effect,
        selector=Selector.ONE,
        reversibility=Reversibility.UNKNOWN,
        opaque=opaque,
        summary=summary,
        source=Position(file="a|b.yaml", line=1, column=1),
    )


def plan_of(*changes: Change, problems: tuple[Problem, ...] = ()) -> Plan:
    return Plan(
        author=Identity(type="Service", id="x"),
        environment="production",
        artifacts=(Artifact(kind="kubernetes", file="a|b.yaml", sha256="0"),),
        changes=numbered(changes),
        problems=problems,
    )


def rows(text: str) -> list[list[str]]:
    """The cells of each row of each table."""
    return [
        [cell.strip() for cell in line[1:-1].split("|")]
        for line in text.split("\n")
        if line.startswith("| ")
    ]


def test_harmful_changes_come_first_and_the_others_are_folded() -> None:
    text = plan_markdown(plan_of(change("makes a", Effect.CREATE), change("drops b")))
    assert text.index("drops b") < text.index("<details>") < text.index("makes a")
    assert "risk medium" in text


def test_a_large_plan_fits_into_a_comment_and_says_what_is_left_out() -> None:
    text = plan_markdown(plan_of(*(change(f"drops {'x' * 150} {n}") for n in range(2000))))
    assert len(text) < 65_536
    shown = len(rows(text)) - 1
    assert f"and {2000 - shown:,} more" in text
    assert shown > 100
    assert MAX_LETTERS < 65_536


def test_what_could_not_be_read_says_why() -> None:
    text = plan_markdown(
        plan_of(
            change("does x", Effect.UNKNOWN, opaque="it is <b>dynamic</b>"),
            problems=(Problem(message="a | b", file="c.yaml", line=3),),
        )
    )
    assert "not read: <code>it is &#60;b&#62;dynamic" in text
    assert "cannot read <code>c&#46;yaml&#58;3</code>: <code>a &#124; b</code>" in text


@pytest.mark.parametrize(
    "text",
    ["@everyone", "#1", "a | b", "\\| x", "`x` ``y``", "<img src=x onerror=y>", "[a](http://x)",
     "</code>", "a\nb\r\n# c", "&lt;"],
)  # fmt: skip
def test_text_from_artifacts_is_nothing_but_text(text: str) -> None:
    assert_inert(code(text), text)


@given(st.text(max_size=60))
def test_no_text_escapes_its_cell(text: str) -> None:
    shown = plan_markdown(plan_of(change(text or "x")))
    _, row = rows(shown)
    assert len(row) == 5
    assert_inert(row[3], text or "x")


def assert_inert(shown: str, text: str) -> None:
    inner = shown.removeprefix("<code>").removesuffix("</code>")
    bare = re.sub(r"&#\d+;", "", inner)
    assert not re.search(r"[^\w ]", "".join(each for each in bare if each.isascii()))
    assert "_" not in bare
    back = re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), inner)
    if text.isprintable():
        assert back.strip() == text.strip()
