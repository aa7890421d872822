"""`interlock prove`: its exit codes, what each format says, and that no text of a policy steers a reader of them."""

import json
import os
import re
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator, FormatChecker, ValidationError

from interlock.cli import cli
from interlock.cli.markdown import code_block
from interlock.cli.proof_reports.github_report import command
from interlock.cli.proof_reports.story import laid_out
from interlock.cli.schema_command import SCHEMAS

SCHEMA = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0-rtm.5.json").read_text())
RULES = """module policy
entity Agent
entity Environment { production: Bool }
entity Table { name: String, environment: Environment, rows: Int }
action drop, read { principal Agent resource Table }

permit reads { action read }
permit small_tables { action drop when resource.rows < 1000 }
forbid production_tables { action drop when resource.environment.production and resource.rows > 10 }

test an_agent_drops_a_small_table {
  given Environment::"staging" { production: false }
  principal Agent::"bot"
  action drop
  resource Table::"orders" { name: "orders", environment: Environment::"staging", rows: 20 }
  expect permit
}
"""
HOLDS = "prove large_tables_stay { action drop when resource.rows >= 1000 never permitted }\n"
BREAKS = (
    "prove production_stays { action drop when resource.environment.production never permitted }\n"
)
EMPTY = (
    "prove nothing { action drop when resource.rows > 5 and resource.rows < 5 never permitted }\n"
)
# Each is a sum of its own, and they are many, so that no answer comes within a hundredth of a second.
SUMS = " and ".join(f"resource.rows + {n} * resource.rows != {n + 7}" for n in range(1, 400))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def prove(claims: str, *options: str, name: str = "policy.ilk") -> Result:
    Path(name).write_text(RULES + claims, encoding="utf-8")
    return run("prove", name, "--jobs", "2", *options)


# Exit codes


def test_proved_claims_are_clean(folder: Path) -> None:
    result = prove(HOLDS)
    assert result.exit_code == 0
    assert re.match(r"proved +large_tables_stay  policy\.ilk:18\n", result.stdout)
    assert result.stdout.endswith("1 claim: 1 proved\n")


def test_a_refuted_claim_comes_before_a_vacuous_one(folder: Path) -> None:
    assert prove(EMPTY + BREAKS + HOLDS).exit_code == 5


def test_a_vacuous_claim_is_no_success(folder: Path) -> None:
    result = prove(EMPTY + HOLDS)
    assert result.exit_code == 6
    assert "vacuous  nothing" in result.stdout


def test_a_claim_that_takes_too_long_is_undecided(folder: Path) -> None:
    result = prove(
        f"prove slow {{ action drop when {SUMS} never permitted }}\n", "--timeout", "0.01"
    )
    assert result.exit_code == 6
    assert "unknown  slow" in result.stdout
    assert "time limit of 0.01 s" in result.stdout


def test_no_claims_are_nothing_wrong(folder: Path) -> None:
    result = prove("")
    assert (result.exit_code, result.stdout) == (0, "0 claims\n")


def test_an_unknown_claim_is_named(folder: Path) -> None:
    result = prove(HOLDS, "--claim", "other")
    assert result.exit_code == 2
    assert "there is no claim `other`" in result.output


def test_only_the_named_claims_are_proved(folder: Path) -> None:
    result = prove(HOLDS + BREAKS, "--claim", "large_tables_stay")
    assert result.exit_code == 0
    assert result.stdout.endswith("1 claim: 1 proved\n")


def test_policies_that_do_not_compile_are_not_proved(folder: Path) -> None:
    assert prove("prove bad { denied by no_such_rule }\n").exit_code == 3


# What a person reads


def test_a_counterexample_is_told_with_the_guard_that_misses_it(folder: Path) -> None:
    lines = prove(BREAKS).stdout.splitlines()
    told = [" ".join(line.split()) for line in lines]
    assert "claimed never permitted" in told
    assert 'but Agent::"bot" drop Table::"orders" is permitted' in told
    assert "permitted by small_tables (policy.ilk:8)" in told
    assert "despite production_tables (policy.ilk:9)" in told
    assert "`resource.rows > 10` does not hold" in told
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize(
    ("guard", "told"),
    [
        ("{ principal Robot action read }", "it needs action `read`, and `drop` is not"),
        ("{ because \"x\\n action drop\" action read }", "it needs action `read`, and `drop` is not"),
        ("{ action // drop\n read }", "it needs action `read`, and `drop` is not"),
        ("{ principal Robot }", 'it needs principal `Robot`, and Agent::"bot" is not'),
        (
            '{ action drop resource in Folder::"a" | Folder::"b" }',
            'it needs resource `in Folder::"a" | Folder::"b"`, and Table::"orders" is not',
        ),
        ('{ principal Agent::"x" }', 'it needs principal `Agent::"x"`, and Agent::"bot" is not'),
    ],
)  # fmt: skip
def test_what_the_scope_of_a_guard_asks_for_is_told_as_it_is_written(
    folder: Path, guard: str, told: str
) -> None:
    schema = RULES.replace("entity Agent\n", "entity Agent\nentity Robot\nentity Folder\n")
    schema = schema.replace("entity Table {", "entity Table in Folder {")
    schema = schema.replace("{ principal Agent resource", "{ principal Agent | Robot resource")
    schema = "\n".join(
        f"forbid guard {guard}" if line.startswith("forbid") else line
        for line in schema.splitlines()
    )
    Path("policy.ilk").write_text(f"{schema}\n{BREAKS}")
    lines = run("prove", "policy.ilk", "--jobs", "1").stdout.splitlines()
    said = " ".join(" ".join(line.split()) for line in lines)
    assert told in said


def test_what_a_held_request_waits_for_is_told(folder: Path) -> None:
    held = 'require a_look { action drop need resource.rows == 0 "it is empty" }\n'
    where = "resource.rows == 5 and not resource.environment.production"
    result = prove(f"{held}prove small_ones_go {{ action drop when {where} always permitted }}\n")
    assert result.exit_code == 5
    told = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "held by a_look (policy.ilk:18)" in told
    assert "until it is empty (policy.ilk:18)" in told


def test_why_a_claim_holds_is_told_by_rule(folder: Path) -> None:
    told = [" ".join(line.split()) for line in prove(HOLDS).stdout.splitlines()]
    assert "because small_tables (policy.ilk:8)" in told
    assert "resource.rows < 1000" in told


@given(st.recursive(
    st.sampled_from(["true", "7", '"a, {b"', '"\\"}"', "[]"]),
    lambda inner: st.lists(inner, max_size=4).map(lambda items: "{ " + ", ".join(f"name: {i}" for i in items) + " }"),
), st.integers(1, 80))  # fmt: skip
def test_laying_out_a_value_keeps_its_text(text: str, width: int) -> None:
    lines = laid_out(text, width)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    assert len(text) > width or lines == [text]


def test_policy_text_does_not_steer_a_terminal(folder: Path) -> None:
    name = 'a\x1b[2J\\u{1b}"::error::'
    Path(name.replace("/", "") + ".ilk").write_text(RULES + BREAKS)
    result = run("prove", name + ".ilk")
    assert result.exit_code == 5
    assert "\x1b" not in result.stdout


# JSON


def test_json_has_every_claim_and_a_request_that_eval_reads(folder: Path) -> None:
    result = prove(HOLDS + BREAKS, "--format", "json")
    assert result.exit_code == 5
    holds, breaks = json.loads(result.stdout)["claims"]
    assert (holds["verdict"], holds["counterexample"]) == ("proved", None)
    assert holds["source"] == {"file": "policy.ilk", "line": 18, "column": 1}
    assert {item["rule"] for item in holds["because"]} == {"small_tables"}
    assert (breaks["verdict"], breaks["environments"]) == ("refuted", 1)
    found = breaks["counterexample"]
    Path("request.json").write_text(json.dumps(found["request"]))
    Path("entities.json").write_text(json.dumps(found["entities"]))
    again = run(
        "eval", "--policy", "policy.ilk", "--entities", "entities.json",
        "--request", "request.json", "--format", "json",
    )  # fmt: skip
    assert json.loads(again.stdout)["decision"] == found["decision"] == "permit"


@pytest.mark.parametrize("options", [(), ("--coverage", "--repair")], ids=str)
def test_json_fits_its_schema(folder: Path, options: tuple[str, ...]) -> None:
    held = 'require a_look { action drop need resource.rows == 0 "it is empty" }\n'
    told = 'permit told { action read when resource.name != "" because "it is {resource.name}" }\n'
    waits = "prove waits { action drop held unless resource.rows == 1 }\n"
    result = prove(f"{held}{told}{HOLDS}{BREAKS}{EMPTY}{waits}", "--format", "json", *options)
    document = json.loads(result.stdout)
    verdicts = {item["claim"]: item["verdict"] for item in document["claims"]}
    assert verdicts["large_tables_stay"] == "proved" and verdicts["nothing"] == "vacuous"
    assert verdicts["production_stays"] == "refuted"
    assert ("coverage" in document and "repairs" in document) is bool(options)
    Draft202012Validator(SCHEMAS["prove"]()).validate(document)
    for part in document["claims"]:
        del part["source"]["line"]
        with pytest.raises(ValidationError):
            Draft202012Validator(SCHEMAS["prove"]()).validate(document)
        part["source"]["line"] = 1


# SARIF


def sarif(claims: str, *options: str, name: str = "policy.ilk") -> dict[str, Any]:
    result = prove(claims, "--format", "sarif", *options, name=name)
    document: dict[str, Any] = json.loads(result.stdout)
    Draft4Validator(SCHEMA, format_checker=FormatChecker()).validate(document)
    (found,) = document["runs"]
    return dict(found)


def test_sarif_fits_its_schema_and_has_a_level_for_each_verdict(folder: Path) -> None:
    found = sarif(HOLDS + BREAKS + EMPTY, "--coverage")
    rules = found["tool"]["driver"]["rules"]
    kinds = {}
    for result in found["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        kinds[result["ruleId"]] = (result["kind"], result["level"])
    assert kinds == {
        "claim/proved": ("pass", "none"),
        "claim/refuted": ("fail", "error"),
        "claim/vacuous": ("fail", "warning"),
        "claim/unprotected": ("fail", "note"),
    }


def test_sarif_names_the_deciding_rules_and_the_guards_as_related_places(folder: Path) -> None:
    (result,) = sarif(BREAKS)["results"]
    lines = [
        place["physicalLocation"]["region"]["startLine"] for place in result["relatedLocations"]
    ]
    assert lines == [8, 9]


def test_sarif_counts_columns_in_utf_16(folder: Path) -> None:
    before = "test 𝄞 { }  ".replace("𝄞", "t")
    note = f'permit p {{ action read because "𝄞𝄞" }}  {BREAKS}'
    (result,) = sarif(note)["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    start = note.index("prove")
    assert before and region["startColumn"] == start + 1 + 2
    assert region["endColumn"] == start + len(BREAKS) + 2
    assert found_by_utf16(note, region) == BREAKS.strip()


def found_by_utf16(line: str, region: dict[str, int]) -> str:
    units = line.encode("utf-16-le")
    return units[2 * region["startColumn"] - 2 : 2 * region["endColumn"] - 2].decode("utf-16-le")


def test_a_sarif_result_keeps_its_fingerprint_when_lines_move(folder: Path) -> None:
    (one,), (other,) = sarif(BREAKS)["results"], sarif("\n\n" + BREAKS)["results"]
    assert one["locations"] != other["locations"]
    assert one["partialFingerprints"] == other["partialFingerprints"]


def test_sarif_places_are_relative_references(folder: Path) -> None:
    (folder / "my policies").mkdir()
    (result,) = sarif(BREAKS, name="my policies/a#b.ilk")["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "my%20policies/a%23b.ilk", "uriBaseId": "%SRCROOT%"}


def test_text_in_sarif_is_neither_a_placeholder_nor_a_link(folder: Path) -> None:
    claim = 'prove odd { action drop  permitted only if resource.name != "{0} [a](b)" }\n'
    (result,) = sarif(claim)["results"]
    text = result["message"]["text"]
    assert "{{0}}" in text
    assert "](" not in text
    assert not re.search(r"(?<!\{)\{(?!\{)", text.replace("{{", ""))


# JUnit


def test_junit_has_a_case_for_each_claim(folder: Path) -> None:
    result = prove(HOLDS + BREAKS + EMPTY, "--format", "junit")
    root = ElementTree.fromstring(result.stdout)  # noqa: S314  # it was just written
    assert {key: root.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "3", "failures": "1", "errors": "1",
    }  # fmt: skip
    cases = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert cases == {"large_tables_stay": [], "production_stays": ["failure"], "nothing": ["error"]}
    (failure,) = root.iter("failure")
    assert failure.text is not None
    assert 'but           Agent::"bot" drop Table::"orders" is permitted' in failure.text


def test_junit_is_xml_whatever_the_policy_says(folder: Path) -> None:
    claim = (
        'prove odd { action drop  permitted only if resource.name != "]]></failure>&\\u{7f}" }\n'
    )
    result = prove(claim, "--format", "junit")
    (failure,) = ElementTree.fromstring(result.stdout).iter("failure")  # noqa: S314
    assert failure.text is not None
    assert "]]></failure>&" in failure.text


# GitHub


def test_github_gets_a_command_for_each_claim_that_is_not_proved(folder: Path) -> None:
    lines = prove(HOLDS + BREAKS + EMPTY, "--format", "github").stdout.splitlines()
    error = "::error file=policy.ilk,line=19,endLine=19,col=1,title=refuted%3A production_stays::"
    assert lines[0].startswith(error + 'Agent::"bot" drop Table::"orders" is permitted%0A')
    assert lines[1].startswith("::warning file=policy.ilk,line=20,")
    assert lines[2:] == ["3 claims: 1 proved, 1 refuted, 1 vacuous"]


@given(st.text(), st.text())
def test_no_text_ends_a_github_command_or_begins_another(file: str, message: str) -> None:
    text = command("error", {"file": file, "line": 1, "title": file}, message)
    assert len(text.splitlines()) == 1
    name, properties, _ = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", text).groups()  # type: ignore[union-attr]
    assert name == "error"
    assert [part.split("=")[0] for part in properties.split(",")] == ["file", "line", "title"]


# Markdown


def test_markdown_has_a_table_and_folds_the_counterexample(folder: Path) -> None:
    text = prove(HOLDS + BREAKS, "--format", "markdown").stdout
    head, _, *rows = text.split("\n\n")[1].splitlines()
    assert head == "| verdict | claim | says | where |"
    assert [row.split(" | ")[0] for row in rows] == ["| **refuted**", "| proved"]
    assert text.count("<details>") == text.count("</details>") == 1


@given(st.text())
def test_no_text_leaves_a_markdown_block(text: str) -> None:
    block = code_block([text])
    inside = block.removeprefix("<pre>\n").removesuffix("\n</pre>")
    assert not re.search(r"[<>@`\[\]()*_|\\\n]", inside)
    assert inside.strip(" ") or inside == "&#32;" or text.strip(" \t") == ""


def test_markdown_fits_into_a_comment(folder: Path) -> None:
    claims = "".join(BREAKS.replace("production_stays", f"claim_{number}") for number in range(60))
    text = prove(claims, "--format", "markdown").stdout
    assert len(text) < 65_000
    assert "60 refuted" in text


# Options


def test_saved_tests_pass_and_pin_what_is_wrong(folder: Path) -> None:
    result = prove(BREAKS, "--save-tests", "saved")
    assert result.exit_code == 5
    assert run("test", "policy.ilk", "saved").exit_code == 0
    mended = RULES.replace("and resource.rows > 10", "")
    Path("policy.ilk").write_text(mended + BREAKS, encoding="utf-8")
    assert run("prove", "policy.ilk").exit_code == 0
    assert run("test", "policy.ilk", "saved").exit_code == 1


def test_coverage_names_the_guards_that_no_claim_protects(folder: Path) -> None:
    result = prove(HOLDS, "--coverage")
    assert "no claim notices production_tables deleted  policy.ilk:9" in result.stdout
    assert "no claim notices small_tables" not in result.stdout


def test_an_undecided_edit_leaves_coverage_undecided(folder: Path) -> None:
    many = "forbid many { action drop when resource.tags.size >= 17 }\n"
    Path("many.ilk").write_text(
        "module many\nentity U\nentity T { tags: Set<String>, old: Bool }\n"
        "action drop, read { principal U resource T }\npermit a {}\nforbid f { action read }\n"
        + many
        + "prove p { action read never permitted }\n",
        encoding="utf-8",
    )
    result = run("prove", "many.ilk", "--coverage")
    assert result.exit_code == 6
    assert "1 of 2 weakening edits are noticed by a claim" in result.stdout
    assert "undecided whether a claim notices many deleted" in result.stdout
    assert "since resource.tags has at most 16 elements" in result.stdout
    for format in ("json", "markdown", "sarif"):
        assert "at most 16 elements" in run(
            "prove", "many.ilk", "--coverage", "--format", format
        ).stdout.replace("&#32;", " ")


def test_proofs_are_kept_in_the_nearest_folder_for_them(folder: Path) -> None:
    prove(HOLDS)
    assert [path.name for path in folder.iterdir()] == ["policy.ilk"]
    proofs = folder / ".interlock" / "proofs"
    proofs.mkdir(parents=True)
    first = prove(HOLDS + BREAKS)
    assert sorted(path.name for path in proofs.iterdir()) == [
        "large_tables_stay.json",
        "large_tables_stay.proof",
    ]
    (folder / "inner").mkdir()
    os.chdir(folder / "inner")
    again = prove(HOLDS + BREAKS)
    assert again.stdout == first.stdout
    assert not (folder / "inner" / ".interlock").exists()


def test_a_folder_that_nobody_named_need_not_be_writable(folder: Path) -> None:
    (folder / ".interlock" / "proofs" / "large_tables_stay.json").mkdir(parents=True)
    assert prove(HOLDS).exit_code == 0
    assert prove(HOLDS, "--proofs", ".interlock/proofs").exit_code == 2


def test_a_second_solver_agrees(folder: Path) -> None:
    pytest.importorskip("cvc5")
    result = prove(HOLDS + BREAKS, "--cross-check")
    assert result.exit_code == 5
    assert "the solvers differ" not in result.stdout


@pytest.mark.parametrize("engine", ["z3", "cadical"])
def test_every_solver_gives_the_same_verdict(folder: Path, engine: str) -> None:
    assert prove(HOLDS + BREAKS, "--engine", engine).exit_code == 5


def test_other_formats_are_written_beside(folder: Path) -> None:
    result = prove(BREAKS, "--also", "junit=claims.xml", "--also", "json=claims.json")
    assert result.stdout.startswith("refuted")
    assert ElementTree.parse("claims.xml").getroot().get("failures") == "1"  # noqa: S314
    assert json.loads(Path("claims.json").read_text())["claims"][0]["verdict"] == "refuted"


@pytest.mark.parametrize("also", ["junit", "pdf=a.pdf", "json=", "json=no/such/folder.json"])
def test_what_cannot_be_written_beside_is_wrong_use(folder: Path, also: str) -> None:
    assert prove(HOLDS, "--also", also).exit_code == 2


@pytest.mark.parametrize("format", ["text", "junit", "github", "markdown"])
def test_a_repair_is_told_in_every_format_for_people(folder: Path, format: str) -> None:
    assert "holds if you" in prove(BREAKS, "--repair", "--format", format).stdout


# check --deep


def deep(text: str, *options: str) -> Result:
    Path("policy.ilk").write_text(text, encoding="utf-8")
    return run("check", "--deep", "policy.ilk", *options)


def test_check_proves_nothing_unless_it_is_asked_to(folder: Path) -> None:
    text = RULES + EMPTY + "permit tiny_tables { action drop when resource.rows < 5 }\n"
    result = deep(text)
    assert result.exit_code == 0
    assert "warning[vacuous-claim]: `nothing`" in result.stderr
    assert "warning[shadowed-rule]: `tiny_tables`" in result.stderr
    assert result.stdout.endswith("0 errors, 2 warnings\n")
    assert run("check", "policy.ilk").stdout.endswith("0 errors, 0 warnings\n")


def test_a_rule_that_several_cover_together_is_found_with_their_places(folder: Path) -> None:
    text = RULES + "permit b { when resource.rows < 9 }\npermit c { when resource.rows >= 9 }\n"
    result = deep(text + "permit a { action read when resource.rows == 1 }\n", "--format", "json")
    (reads,) = (
        item
        for item in json.loads(result.stdout)["diagnostics"]
        if item["message"].startswith("`small_tables`")
    )
    assert reads["code"] == "shadowed-rule"
    assert reads["line"] == 8
    assert [note["message"] for note in reads["notes"]] == ["`b` is here", "`c` is here"]


def test_what_check_said_already_is_not_said_again(folder: Path) -> None:
    result = deep(RULES + "permit never { action drop principal Agent resource Agent }\n")
    assert result.stderr.count("[never-applies]") + result.stderr.count("error") == 1


def test_a_deep_check_that_takes_too_long_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("all_findings", "is_vacuous"):
        monkeypatch.setattr(f"interlock.cli.deep.{name}", lambda *_: time.sleep(60))
    result = deep(RULES + HOLDS, "--timeout", "0.05")
    assert result.exit_code == 6
    assert "warning[not-decided]: whether the rules do nothing" in result.stderr
    assert "warning[not-decided]: whether `large_tables_stay` is about any request" in result.stderr
    assert "the time limit of 0.05 s was reached" in result.stderr


def test_a_deep_check_of_policies_that_do_not_compile_is_a_check(folder: Path) -> None:
    assert deep("permit { }").exit_code == 3
