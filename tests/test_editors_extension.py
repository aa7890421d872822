"""The VS Code extension: what it declares is what it does, and the package holds what it needs and nothing else."""

import json
import re
import subprocess
import sys
import zipfile
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from editor_tools import EDITORS, VSCODE, build_vsix, installed, need

from interlock.lang.parser import parse
from interlock.lsp.claims import Status
from interlock.lsp.features import lenses
from interlock.lsp.settings import Settings, read_settings
from interlock.version import __version__

REGISTRY = "https://registry.npmjs.org/"


@cache
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VSCODE / "package.json").read_text(encoding="utf-8"))
    return found


def source() -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in (VSCODE / "src").glob("*.ts"))


def properties() -> dict[str, Any]:
    found: dict[str, Any] = manifest()["contributes"]["configuration"]["properties"]
    return found


def test_the_commands_that_are_declared_are_those_that_are_registered() -> None:
    declared = [item["command"] for item in manifest()["contributes"]["commands"]]
    assert len(set(declared)) == len(declared)
    assert set(declared) == set(re.findall(r'\bregister\("([\w.]+)"', source()))


def test_no_command_is_also_one_of_the_server() -> None:
    """The client registers the commands of the server itself, and a name can be registered once."""
    served = {lenses.RUN_TEST, lenses.EVALUATE, lenses.PROVE, lenses.SHOW_COUNTEREXAMPLE}
    assert not served & {item["command"] for item in manifest()["contributes"]["commands"]}
    named = dict(re.findall(r'const (PROVE|SHOW_COUNTEREXAMPLE) = "([\w.]+)"', source()))
    assert named == {"PROVE": lenses.PROVE, "SHOW_COUNTEREXAMPLE": lenses.SHOW_COUNTEREXAMPLE}


def test_the_status_item_counts_claims_by_words_that_lenses_begin_with() -> None:
    words = set(re.findall(r'title\.startsWith\("(\w+)"\)', source()))
    assert words == {Status.RUNNING, Status.STALE}


def test_menus_name_declared_commands() -> None:
    declared = {item["command"] for item in manifest()["contributes"]["commands"]}
    for entries in manifest()["contributes"]["menus"].values():
        assert {entry["command"] for entry in entries} <= declared


def test_every_setting_of_the_server_can_be_set_and_has_its_default() -> None:
    default = Settings()
    for field in fields(Settings):
        name = re.sub(r"_(\w)", lambda match: match[1].upper(), field.name)
        value = properties()[f"interlock.{name}"]["default"]
        assert (tuple(value) if isinstance(value, list) else value) == getattr(default, field.name)
        assert read_settings({"interlock": {name: value}}) == default


def test_every_setting_is_read_and_every_one_that_is_read_is_declared() -> None:
    of_server = {
        "interlock." + re.sub(r"_(\w)", lambda match: match[1].upper(), field.name)
        for field in fields(Settings)
    }
    used = {f"interlock.{name}" for name in re.findall(r'setting<.*?>\("([\w.]+)"', source())}
    # The client library reads how much of the conversation to log.
    assert set(properties()) == used | of_server | {"interlock.trace.server"}


def test_every_setting_is_in_the_readme() -> None:
    readme = (VSCODE / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w.]+)`", readme, re.MULTILINE)) == set(properties())


def test_the_version_is_that_of_the_package() -> None:
    assert manifest()["version"] == __version__
    lock = json.loads((VSCODE / "package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"][""]["dependencies"] == manifest()["dependencies"]
    assert lock["packages"][""]["devDependencies"] == manifest()["devDependencies"]


def test_every_locked_package_has_its_digest() -> None:
    lock = json.loads((VSCODE / "package-lock.json").read_text(encoding="utf-8"))
    for name, entry in lock["packages"].items():
        if name:
            # Without a place of its own a package is from the registry that npm is set to.
            assert entry.get("resolved", REGISTRY).startswith(REGISTRY), name
            assert entry["integrity"].startswith("sha512-"), name


def test_every_file_that_is_named_is_there() -> None:
    contributes = manifest()["contributes"]
    named = [item["configuration"] for item in contributes["languages"]]
    named += [item["path"] for kind in ("grammars", "snippets") for item in contributes[kind]]
    for name in named:
        json.loads((VSCODE / name).read_text(encoding="utf-8"))


def test_every_snippet_is_a_declaration_that_the_parser_reads() -> None:
    snippets = json.loads((VSCODE / "snippets" / "ilk.json").read_text(encoding="utf-8"))
    for name, snippet in snippets.items():
        # With what stands in each place, the first of each choice, and something at the end.
        text = "\n".join(snippet["body"]).replace("$0", "true")
        text = re.sub(r"\$\{\d+[:|]([^{},|]*)[^{}]*\}|\$\d+", r"\1", text)
        declarations, problems = parse(f"{name}.ilk", text)
        assert not problems, (name, text, problems)
        assert declarations, name
    starting = {snippet["body"][0].split()[0] for snippet in snippets.values()}
    assert {
        "permit",
        "forbid",
        "require",
        "prove",
        "test",
        "entity",
        "action",
        "define",
    } <= starting


def test_no_network_and_no_telemetry() -> None:
    assert not re.search(
        r"\bfetch\(|https?://|node:(net|http|https|dgram|dns)\b|telemetry", source()
    )
    assert "shell: true" not in source()


def test_the_problem_matcher_reads_what_check_prints(tmp_path: Path) -> None:
    """Every problem that the JSON names, with its file, line and column."""
    file = tmp_path / "wrong.ilk"
    file.write_text(
        "// 𝄞\nmodule wrong\nentity User { age: Int }\naction go { principal User resource User }\n"
        'permit p { action go when "𝄞" == "𝄞" and principal.aeg > 1 }\n'
        "permit q { action gone }\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "interlock", "check", str(file)]
    text = subprocess.run(command, capture_output=True, text=True, check=False)
    document = subprocess.run(
        [*command, "--format", "json"], capture_output=True, text=True, check=False
    )
    wanted = [
        (one["severity"], one["code"], one["message"], one["file"], one["line"], one["column"])
        for one in json.loads(document.stdout)["diagnostics"]
    ]
    first, second = manifest()["contributes"]["problemMatchers"][0]["pattern"]
    found, head = [], None
    for line in text.stderr.splitlines():
        if match := re.search(first["regexp"], line):
            head = match
        elif head is not None and (place := re.search(second["regexp"], line)):
            found.append(
                (head[first["severity"]], head[first["code"]], head[first["message"]],
                 place[second["file"]], int(place[second["line"]]), int(place[second["column"]]))
            )  # fmt: skip
            head = None
    assert len(wanted) >= 2
    assert found == wanted


DECLARATIONS = """\
// 𝄞 test in_a_comment { }
module a.b
use std.sql
use shop
enum Kind { test, prove }
entity E { test: Int, prove: Bool }
permit p { action go when resource.test == 1 because "test in_a_string {" }
test one {
  principal E::"}" { test: 1 }
  expect permit
}
prove  two { action go when { 1, 2 }.contains(1) never permitted }
test unfinished {
"""


def run_module(tmp_path: Path, name: str, script: str) -> Any:
    """What a script prints that has a module of the extension, one that does not need VS Code, as `it`."""
    packages = installed(VSCODE, "--ignore-scripts")
    bundle = tmp_path / f"{name}.mjs"
    subprocess.run(
        [str(packages / "node_modules/.bin/esbuild"), str(VSCODE / "src" / f"{name}.ts"),
         "--bundle", "--format=esm", f"--outfile={bundle}", "--log-level=error"],
        check=True, timeout=120,
    )  # fmt: skip
    code = f"import * as it from {json.dumps(bundle.as_uri())};\nconst answer = {script};\n"
    code += "process.stdout.write(JSON.stringify(answer));"
    result = subprocess.run(
        [need("node"), "--input-type=module", "-e", code],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_panel_finds_tests_and_claims_and_nothing_else(tmp_path: Path) -> None:
    found = run_module(tmp_path, "declarations", f"it.declarations({json.dumps(DECLARATIONS)})")
    assert [(one["kind"], one["name"]) for one in found] == [
        ("test", "one"), ("prove", "two"), ("test", "unfinished"),
    ]  # fmt: skip
    # Offsets count as the editor counts, in units of UTF-16.
    units = DECLARATIONS.encode("utf-16-le")
    for one in found:
        whole = units[2 * one["start"] : 2 * one["end"]].decode("utf-16-le")
        assert whole.startswith(one["kind"])
        assert one["name"] == "unfinished" or whole.endswith("}")
        name = units[2 * one["nameStart"] :].decode("utf-16-le")
        assert name.startswith(one["name"])


def test_the_panel_finds_every_test_and_claim_of_the_bundled_policies(tmp_path: Path) -> None:
    from interlock.lang import syntax
    from interlock.lang.loader import load

    file = EDITORS.parent / "stdlib_policies" / "production_guardrails.ilk"
    checked, problems = load([file])
    assert not problems
    [module] = [one for one in checked.names.modules.values() if one.name == file.stem]
    wanted = {("test", one.name) for one in module.of(syntax.Test)}
    wanted |= {("prove", one.name) for one in module.of(syntax.Prove)}
    text = file.read_text(encoding="utf-8")
    found = run_module(tmp_path, "declarations", f"it.declarations({json.dumps(text)})")
    assert {(one["kind"], one["name"]) for one in found} == wanted
    assert len(found) == len(wanted) > 10


def test_files_that_use_each_other_are_run_together(tmp_path: Path) -> None:
    files = {"/a": "module a\nuse b", "/b": "module b", "/c": "use b\n", "/d": "module d\nuse e"}
    script = f"it.policySet('/a', new Map({json.dumps(list(files.items()))}))"
    assert run_module(tmp_path, "declarations", script) == ["/a", "/b", "/c"]


@pytest.mark.parametrize(
    ("command", "reader", "states"),
    [
        ("test", "readTests", {"young_enters": "passed", "old_enters": "failed"}),
        ("prove", "readClaims", {"no_young": "passed", "no_old": "failed", "no_one": "errored"}),
    ],
)
def test_the_panel_reads_what_the_command_line_prints(
    tmp_path: Path, command: str, reader: str, states: dict[str, str]
) -> None:
    if command == "prove":
        pytest.importorskip("z3")
    file = tmp_path / "doors.ilk"
    file.write_text(
        """\
module doors
entity User { age: Int } // 𝄞
entity Door
action enter { principal User resource Door }
permit grown { action enter when principal.age >= 18 }
prove no_young { action enter when principal.age < 18 never permitted }
prove no_old { action enter when principal.age > 60 never permitted }
prove no_one { action enter when principal.age > 60 and principal.age < 18 never permitted }
test young_enters { principal User::"y" { age: 20 } action enter resource Door::"d" expect permit }
test old_enters { principal User::"o" { age: 9 } action enter resource Door::"d" expect permit }
""",
        encoding="utf-8",
    )
    out = subprocess.run(
        [sys.executable, "-m", "interlock", command, "--format", "json", str(file)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found = run_module(tmp_path, "reports", f"it.{reader}({json.dumps(out)})")
    assert {one["name"]: one["outcome"]["state"] for one in found} == states
    assert {one["file"] for one in found} == {str(file)}
    messages = {one["name"]: one["outcome"].get("message", "") for one in found}
    if command == "prove":
        assert "age: 6" in messages["no_old"] and "by grown" in messages["no_old"]
    else:
        assert messages["old_enters"] == "expected permit, got deny"


def test_the_package_holds_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    """Type checks the source as well: packaging does."""
    with zipfile.ZipFile(build_vsix(tmp_path)) as package:
        names = set(package.namelist())
        packed = json.loads(package.read("extension/package.json"))
        bundle = package.read("extension/dist/extension.js").decode()
    assert names == {
        "[Content_Types].xml",
        "extension.vsixmanifest",
        "extension/package.json",
        "extension/readme.md",
        "extension/LICENSE.txt",
        "extension/language-configuration.json",
        "extension/dist/extension.js",
        "extension/snippets/ilk.json",
        "extension/syntaxes/ilk.tmLanguage.json",
        "extension/syntaxes/ilk-markdown.tmLanguage.json",
    }
    assert packed["contributes"] == manifest()["contributes"]
    assert "vscode-languageclient" not in re.findall(r'require\("([^"]+)"\)', bundle)
