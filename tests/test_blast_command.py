"""`interlock graph`, `interlock blast` and the gate with a graph, as a shell sees them."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from interlock.cli import cli
from interlock.cli.schema_command import SCHEMAS

SCHEMA = """
CREATE TABLE customer (id int PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customer ON DELETE CASCADE);
CREATE TABLE alone (id int PRIMARY KEY);
"""
BACKED = """
assets: [{id: vault, recovery: true}]
ways_back: [{recovery: vault, restores: 'Database::shop', within: 90m, tested_at: 2026-02-20, why: nightly}]
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schema.sql").write_text(SCHEMA)
    (tmp_path / "backed.yaml").write_text(BACKED)
    (tmp_path / "m.sql").write_text("DELETE FROM customer;\n")
    (tmp_path / "gone.sql").write_text("DROP TABLE gone;\n")
    (tmp_path / "read.sql").write_text("SELECT 1;\n")
    return tmp_path


def build(*arguments: str) -> Result:
    return run("graph", "build", "--ddl", "shop=schema.sql", *arguments, "--output", "g.json")


def blast(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = run("blast", *arguments, "--graph", "g.json", "--format", "json")
    return result.exit_code, json.loads(result.stdout)


def test_a_graph_is_built_shown_and_compared(folder: Path) -> None:
    assert build().output.startswith("g.json: 9 assets")
    assert "postgres.table" in run("graph", "show", "g.json").output
    assert run("graph", "diff", "g.json", "g.json").output == "no difference\n"
    (folder / "schema.sql").write_text(SCHEMA + "CREATE TABLE more (id int);")
    run("graph", "build", "--ddl", "shop=schema.sql", "--output", "new.json")
    result = run("graph", "diff", "g.json", "new.json")
    assert result.exit_code == 1
    assert "+ postgres.table public.more" in result.output


def test_a_graph_goes_where_others_look_for_it(folder: Path) -> None:
    run("graph", "build", "--ddl", "schema.sql")
    assert (folder / ".interlock" / "graph.json").is_file()


def test_two_workspaces_with_one_address_are_two_things(folder: Path) -> None:
    for name in ("one", "two"):
        values = {"root_module": {"resources": [entry(name)]}}
        (folder / f"{name}.json").write_text(json.dumps({"values": values}))
    named = ["--terraform", "one=one.json", "--terraform", "two=two.json"]
    assert run("graph", "build", *named, "--output", "g.json").output.startswith("g.json: 2 assets")
    both = ["--terraform", "one.json", "--terraform", "two.json"]
    assert run("graph", "build", *both, "--output", "g.json").output.startswith("g.json: 1 asset,")


def entry(name: str) -> dict[str, Any]:
    address = "aws_db_instance.main"
    values = {"identifier": name}
    return {"address": address, "mode": "managed", "type": "aws_db_instance", "values": values}


def test_manifests_are_read_from_folders(folder: Path) -> None:
    (folder / "k" / "deep").mkdir(parents=True)
    (folder / "k" / "deep" / "a.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: n}\n"
    )
    result = run("graph", "build", "--kubernetes", "k", "--output", "g.json")
    assert result.output.startswith("g.json: 2 assets")


def test_what_cannot_be_read_is_said_and_the_rest_is_built(folder: Path) -> None:
    (folder / "schema.sql").write_text(SCHEMA + "CREATE TABEL more ();")
    result = build()
    assert result.exit_code == 3
    assert "schema.sql:5" in result.output
    assert (folder / "g.json").is_file()


def test_a_loss_for_good_has_its_exit_code(folder: Path) -> None:
    build()
    code, document = blast("m.sql")
    assert code == 1
    assert document["summary"]["lost_for_good"] == 2
    assert blast("read.sql")[0] == 0


def test_what_comes_back_is_no_loss(folder: Path) -> None:
    build("--assets", "backed.yaml")
    code, document = blast("m.sql")
    assert code == 0
    assert document["summary"]["back_within"] == 5400
    assert "comes back from vault within 1.5 h" in run("blast", "m.sql", "--graph", "g.json").output


def test_what_is_not_in_the_graph_is_said(folder: Path) -> None:
    build()
    code, document = blast("gone.sql")
    assert code == 1
    assert [each["id"] for each in document["unmapped"]] == ["public.gone"]
    assert "at most 8 assets" in run("blast", "gone.sql", "--graph", "g.json").output


def test_a_drawing_is_xml_and_a_flowchart_a_flowchart(folder: Path) -> None:
    build()
    drawing = run("blast", "m.sql", "--graph", "g.json", "--format", "svg").output
    assert ElementTree.fromstring(drawing).tag.endswith("svg")  # noqa: S314  (drawn here)
    chart = run("blast", "m.sql", "--graph", "g.json", "--format", "mermaid").output
    assert chart.startswith("flowchart LR\n")


def test_without_a_graph_there_is_no_radius(folder: Path) -> None:
    result = run("blast", "m.sql")
    assert result.exit_code == 2
    assert "give --graph FILE, --database URL or both" in result.output


def test_a_graph_that_is_none_is_refused(folder: Path) -> None:
    (folder / "g.json").write_text("{}")
    result = run("blast", "m.sql", "--graph", "g.json")
    assert result.exit_code == 3
    assert "g.json: version: field required" in result.output


def test_a_stale_graph_is_stale_in_the_document(folder: Path) -> None:
    build()
    document = json.loads((folder / "g.json").read_text())
    document["built_at"] = "2026-01-01T00:00:00Z"
    (folder / "g.json").write_text(json.dumps(document))
    assert blast("m.sql")[1]["graph"]["stale"] is True
    assert "note: the graph is stale" in run("blast", "m.sql", "--graph", "g.json").output


# The gate

POLICY = """
module p
use std.change
use std.sql
permit any { action change }
permit plans { action apply }
forbid wide {
  action    apply
  resource  Plan
  when      resource has blast and resource.blast.assets > 1
  because   "{resource.blast.assets} assets go with it"
}
"""


def gate(folder: Path, *arguments: str) -> Result:
    (folder / "p.ilk").write_text(POLICY)
    return run("gate", "m.sql", "--policy", "p.ilk", *arguments)


def test_the_gate_says_that_nobody_knows_the_radius(folder: Path) -> None:
    result = gate(folder)
    assert result.exit_code == 0
    assert "not known: no resource graph was given (--graph)" in result.output


def test_the_gate_decides_by_the_radius(folder: Path) -> None:
    build()
    result = gate(folder, "--graph", "g.json")
    assert result.exit_code == 1
    assert "2 assets go with it" in result.output
    assert "2 assets, 2 lost for good, 2 without recovery" in result.output


def test_the_plan_of_a_verdict_has_its_radius(folder: Path) -> None:
    import jsonschema

    build()
    document = json.loads(gate(folder, "--graph", "g.json", "--format", "json").stdout)
    jsonschema.validate(document, SCHEMAS["gate"]())
    assert document["plan"]["blast"]["assets"] == 2
    assert document["plan"]["changes"][0]["resource"]["blast"]["lost_for_good"] == 2
