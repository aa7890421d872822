"""The command line: what good input gets, and that bad input gets a named error, the right code and never a permit."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from interlock.cli import cli
from interlock.cli.schema_command import SCHEMAS

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
GUARDRAILS = "production_guardrails"

POLICY = """
entity Person { age: Int }
entity Door { open: Bool, level: Int? }
action enter { principal Person resource Door context { hour: Int } }
permit adults { action enter when principal.age >= 18 }
forbid at_night { action enter when context.hour < 6 because "{resource.open} 𝄞" }
require escort {
  action enter
  when (resource.level ?? 0) > 3
  need context.hour > 12 "wait until noon"
}
"""
ENTITIES = [
    {"uid": {"type": "Person", "id": "ann"}, "attrs": {"age": 30}},
    {"uid": {"type": "Door", "id": "front"}, "attrs": {"open": True}},
    {"uid": {"type": "Door", "id": "vault"}, "attrs": {"open": False, "level": 9}},
]


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, list(arguments), input=stdin)


def request(door: str = "front", hour: object = 9) -> dict[str, Any]:
    return {
        "principal": {"type": "Person", "id": "ann"},
        "action": {"type": "Action", "id": "enter"},
        "resource": {"type": "Door", "id": door},
        "context": {"hour": hour},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.ilk").write_text(POLICY)
    (tmp_path / "entities.json").write_text(json.dumps(ENTITIES))
    return tmp_path


def evaluate(folder: Path, document: object, *more: str) -> Result:
    (folder / "request.json").write_text(
        document if isinstance(document, str) else json.dumps(document)
    )
    return run(
        "eval", "--policy", str(folder / "policy.ilk"), "--entities", str(folder / "entities.json"),
        "--request", str(folder / "request.json"), *more,
    )  # fmt: skip


def fits(name: str, document: Any) -> None:
    Draft202012Validator(SCHEMAS[name]()).validate(document)


# eval


def test_eval_prints_a_decision_for_each_request(folder: Path) -> None:
    documents = [request(), request(hour=3), request("vault")]
    result = evaluate(folder, documents, "--format", "json")
    decisions = json.loads(result.stdout)
    assert [decision["decision"] for decision in decisions] == ["permit", "deny", "hold"]
    assert decisions[1]["reasons"][0]["because"] == "true 𝄞"
    assert decisions[2]["needs"][0]["message"] == "wait until noon"
    assert result.exit_code == 1
    for decision in decisions:
        fits("decision", decision)
    fits("request", documents[0])
    fits("entities", ENTITIES)


def test_eval_names_what_the_closest_permit_asks_for_and_what_it_excludes(folder: Path) -> None:
    rules = POLICY[: POLICY.index("permit")]
    permit = "permit p { when not resource.open unless context.hour == 9 }\n"
    (folder / "policy.ilk").write_text(rules + permit)
    lines = evaluate(folder, request()).stdout.splitlines()
    assert [line.split("  (")[0].split(maxsplit=1) for line in lines[-2:]] == [
        ["needs", "not resource.open"],
        ["excludes", "context.hour == 9"],
    ]


@pytest.mark.parametrize(
    ("hour", "door", "code"), [(9, "front", 0), (3, "front", 1), (9, "vault", 4)]
)
def test_the_exit_code_is_the_decision(folder: Path, hour: int, door: str, code: int) -> None:
    assert evaluate(folder, request(door, hour)).exit_code == code


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"context": {}}, "context.hour: this is missing"),
        ({"context": {"hour": "9"}}, 'context.hour: a `Int` is needed here, not the text "9"'),
        ({"context": {"hour": True}}, "context.hour: a `Int` is needed here, not `true`"),
        ({"context": {"hour": None}}, "`null` is not a value"),
        ({"context": {"hour": 9, "houre": 9}}, "did you mean `hour`?"),
        ({"action": {"type": "Action", "id": "entre"}}, "did you mean `enter`?"),
        ({"action": {"type": "Verb", "id": "enter"}}, "the type of an action is `Action`"),
        ({"principal": {"type": "Door", "id": "front"}}, "`enter` takes `Person` here"),
        ({"principal": {"type": "Person", "id": "bob"}}, 'Person::"bob" is missing'),
        ({"resource": "front"}, "resource: an object is needed here"),
        ({"extra": 1}, "there is no field `extra`"),
    ],
)
def test_a_request_that_does_not_fit_is_denied_by_name(
    folder: Path, change: dict[str, Any], named: str
) -> None:
    result = evaluate(folder, {**request(), **change}, "--format", "json")
    decision = json.loads(result.stdout)
    assert decision["decision"] == "deny"
    assert named in decision["problems"][0]["message"]
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "this is not JSON"),
        ('{"a": 1, "a": 2}', "the key `a` stands twice"),
        ("[" * 10_000, "nested deeper"),
        ('{"hour": NaN}', "`NaN` is not JSON"),
    ],
)
def test_a_request_that_is_no_document_ends_the_run(folder: Path, text: str, named: str) -> None:
    result = evaluate(folder, text)
    assert result.exit_code == 3
    assert named in result.stderr
    assert "PERMIT" not in result.stdout


def test_an_empty_list_of_requests_permits_nothing(folder: Path) -> None:
    assert evaluate(folder, []).exit_code == 1


def test_an_entity_that_does_not_fit_is_never_read(folder: Path) -> None:
    wrong = [*ENTITIES[:1], {"uid": {"type": "Door", "id": "front"}, "attrs": {"open": "yes"}}]
    (folder / "entities.json").write_text(json.dumps(wrong))
    result = evaluate(folder, request(), "--format", "json")
    assert (
        "does not fit the schema: attrs.open" in json.loads(result.stdout)["problems"][0]["message"]
    )
    assert result.exit_code == 1


# check


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("permit x { when principal.age > }", 3, "syntax-error"),
        ("entity A\naction a { principal A resource A }\npermit x { when 1 }", 3, "type-mismatch"),
        ("use std.chnge\npermit x {}", 3, "did you mean `std.change`?"),
        ("entity A", 3, "no-rules"),
        ("", 3, "no-rules"),
        ("\x00", 3, "hidden-character"),
    ],
)
def test_policies_that_do_not_compile(tmp_path: Path, text: str, code: int, named: str) -> None:
    path = tmp_path / "p.ilk"
    path.write_text(text)
    result = run("check", str(path))
    assert result.exit_code == code
    assert named in result.stderr
    assert "p.ilk" in result.stderr
    document = json.loads(run("check", str(path), "--format", "json").stdout)
    fits("diagnostics", document)
    gated = run("gate", str(EXAMPLES / "0042_expire_sessions_mended.sql"), "--policy", str(path))
    assert gated.exit_code == code
    assert "PERMIT" not in gated.stdout


def test_a_cyclic_import_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.ilk").write_text("module a\nuse b\npermit x {}")
    (tmp_path / "b.ilk").write_text("module b\nuse a")
    result = run("check", str(tmp_path))
    assert result.exit_code == 3
    assert "a → b → a" in result.stderr


def test_a_missing_file_is_wrong_use() -> None:
    for command in (
        ["check"],
        ["test"],
        ["gate", str(EXAMPLES / "orders.tfplan.json"), "--policy"],
    ):
        result = run(*command, "nowhere.ilk")
        assert result.exit_code == 2, command
        assert "there is no file `nowhere.ilk`" in result.stderr


def test_a_file_of_50_megabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.ilk"
    path.write_bytes(b"// " + b"x" * 50_000_000)
    result = run("check", str(path))
    assert result.exit_code == 3
    assert "file-too-large" in result.stderr
    sql = run("gate", str(path), "--as", "sql", "--policy", GUARDRAILS)
    assert sql.exit_code == 3
    assert "which is the limit" in sql.stderr


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.ilk"
    path.write_bytes(b"permit x {}\n\xff\xfe")
    result = run("check", str(path))
    assert result.exit_code == 3
    assert "line 2 is not UTF-8 text" in result.stderr


# fmt


def test_fmt_changes_files_and_check_only_shows(tmp_path: Path) -> None:
    path = tmp_path / "p.ilk"
    path.write_text("permit   x{ }")
    assert run("fmt", "--check", str(path)).exit_code == 1
    assert path.read_text() == "permit   x{ }"
    assert run("fmt", str(path)).exit_code == 0
    assert path.read_text() == "permit x {}\n"
    assert run("fmt", "--check", str(path)).exit_code == 0


def test_fmt_leaves_what_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "p.ilk"
    path.write_text("permit {")
    assert run("fmt", str(path)).exit_code == 3
    assert path.read_text() == "permit {"


def test_fmt_reads_standard_input() -> None:
    assert run("fmt", "-", stdin="permit   x{ }").stdout == "permit x {}\n"


# test


def test_the_bundled_packs_pass_their_tests() -> None:
    result = run("test", GUARDRAILS, "--coverage")
    assert result.exit_code == 0, result.output
    assert "no test for" not in result.output


def test_a_failing_test_says_what_it_got(tmp_path: Path) -> None:
    path = tmp_path / "p.ilk"
    test = (
        'test t { principal Person::"a" { age: 3 } action enter resource Door::"d"'
        " context { hour: 9 } expect permit }"
    )
    path.write_text(POLICY + test)
    result = run("test", str(path))
    assert result.exit_code == 1
    assert "expected permit, got deny" in result.output


def test_a_test_that_leaves_out_what_matters_says_so(tmp_path: Path) -> None:
    path = tmp_path / "p.ilk"
    test = (
        'test t { principal Person::"a" { age: 30 } action enter resource Door::"d" expect permit }'
    )
    path.write_text(POLICY + test)
    assert "`hour` is missing" in run("test", str(path)).output


# plan and gate


def gate(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = run("gate", *arguments, "--policy", GUARDRAILS, "--format", "json")
    document = json.loads(result.stdout)
    fits("gate", document)
    return result.exit_code, document


def test_a_migration_without_filter_is_denied_at_its_line() -> None:
    code, document = gate(str(EXAMPLES / "0042_expire_sessions.sql"))
    assert code == 1
    assert document["decision"] == "deny"
    denied = [item for item in document["results"] if item["decision"] == "deny"]
    assert [item["source"]["line"] for item in denied] == [9]
    assert denied[0]["rules"] == ["wildcard_write"]


def test_the_mended_migration_is_permitted() -> None:
    code, document = gate(str(EXAMPLES / "0042_expire_sessions_mended.sql"))
    assert (code, document["decision"]) == (0, "permit")


def test_a_critical_plan_waits_for_two_people_and_a_tested_way_back(tmp_path: Path) -> None:
    plan = str(EXAMPLES / "orders.tfplan.json")
    author = ["--author", 'Human::"dana"']
    code, document = gate(plan, *author)
    assert (code, document["decision"]) == (4, "hold")
    digest = document["plan"]["digest"]

    def with_approvals(*people: str, of: str = digest) -> int:
        evidence = {
            "approvals": [
                {"approver": person, "at": "2026-03-02T10:00:00Z", "plan": of} for person in people
            ],
            "rollback": {"how": "restore the snapshot", "tested_at": "2026-03-01T04:00:00Z"},
        }
        (tmp_path / "evidence.json").write_text(json.dumps(evidence))
        return gate(plan, *author, "--evidence", str(tmp_path / "evidence.json"))[0]

    assert with_approvals("emil", "fatima") == 0
    assert with_approvals("emil") == 4
    assert with_approvals("emil", "emil") == 4
    assert with_approvals("emil", "dana") == 4
    assert with_approvals("emil", "fatima", of="0" * 64) == 4


def test_an_agent_never_takes_off_a_protection() -> None:
    code, document = gate(str(EXAMPLES / "orders.tfplan.json"), "--author", 'Agent::"bot"')
    assert code == 1
    rules = {rule for item in document["results"] for rule in item["rules"]}
    assert "protection_removed_by_automation" in rules


def test_the_same_plan_may_pass_outside_production() -> None:
    migration = str(EXAMPLES / "0042_expire_sessions.sql")
    assert gate(migration, "--environment", "staging")[0] == 0
    assert gate(migration, "--environment", "anything-else")[0] == 1


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("plan.json", "Terraform will perform the following actions", ""),
        ("plan.json", '{"format_version": "1.2", "resource_changes": [', ""),
        ("plan.json", '{"format_version": "9.0", "resource_changes": []}', "9.0"),
        ("plan.json", "[command]/usr/bin/terraform-bin show -json\n{}", "wrapper"),
        ("plan.json", "[" * 10_000, ""),
        ("a.sql", "DELET FROM x", "syntax error"),
        ("a.sql", "SELECT " + "(" * 10_000 + "1" + ")" * 10_000, ""),
    ],
)
def test_what_cannot_be_read_is_denied_by_name(
    tmp_path: Path, name: str, text: str, named: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    result = run("gate", str(path), "--policy", GUARDRAILS)
    assert result.exit_code == 1
    assert "DENIED" in result.stdout
    assert named in result.output
    assert name in result.output


def test_wrong_flags_are_wrong_use(tmp_path: Path) -> None:
    migration = str(EXAMPLES / "0042_expire_sessions.sql")
    assert run("gate", migration, "--policy", GUARDRAILS, "--author", "bob").exit_code == 2
    assert run("gate", migration).exit_code == 2
    assert run("gate", "nowhere.sql", "--policy", GUARDRAILS).exit_code == 2
    (tmp_path / "e.json").write_text('{"aprovals": []}')
    flags = ["--policy", GUARDRAILS, "--evidence", str(tmp_path / "e.json")]
    assert run("gate", migration, *flags).exit_code == 3


def test_plan_prints_the_plan() -> None:
    result = run("plan", str(EXAMPLES / "0042_expire_sessions.sql"), "--format", "json")
    document = json.loads(result.stdout)
    fits("plan", document)
    assert [change["action"] for change in document["changes"]] == [
        "sql.transaction", "sql.create", "sql.update", "sql.delete", "sql.insert", "sql.transaction",
    ]  # fmt: skip
    assert (
        "deletes from every row" in run("plan", str(EXAMPLES / "0042_expire_sessions.sql")).stdout
    )


def test_text_from_an_artifact_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text('DELETE FROM "a\x1b[2Jb"')
    assert "\x1b[2J" not in run("gate", str(path), "--policy", GUARDRAILS).output


# Settings and the rest


def test_settings_come_from_the_nearest_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".interlock").mkdir()
    (folder / ".interlock" / "config.yaml").write_text("policy: policy.ilk\nformat: json\n")
    (folder / "deep").mkdir()
    (folder / "request.json").write_text(json.dumps(request()))
    monkeypatch.chdir(folder / "deep")
    result = run("eval", "--entities", "../entities.json", "--request", "../request.json")
    assert json.loads(result.stdout)["decision"] == "permit"
    (folder / ".interlock" / "config.yaml").write_text("polcy: policy.ilk\n")
    assert run("eval", "--request", "../request.json").exit_code == 2


def test_the_environment_comes_before_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_EVAL_FORMAT", "json")
    assert json.loads(evaluate(folder, request()).stdout)["decision"] == "permit"


def test_every_command_has_help_and_every_shell_its_completions() -> None:
    listed = run("--help").output
    for command in ("check", "eval", "fmt", "gate", "plan", "test"):
        assert command in listed
        assert run(command, "--help").exit_code == 0
    for shell in ("bash", "zsh", "fish"):
        assert "interlock" in run("completions", shell).output


def test_schemas_are_schemas() -> None:
    for name in SCHEMAS:
        Draft202012Validator.check_schema(json.loads(run("schema", name).output))


def test_the_module_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "interlock", "--version"]
    assert subprocess.run(command, capture_output=True, text=True).stdout.startswith("interlock ")
