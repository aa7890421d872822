"""What is said of a claim over the wire: the same in every place, and the same as `interlock prove` says."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lsp_fixtures import SCHEMA
from lsp_wire import Wire, standard

from interlock.lsp.proofs import can_prove

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(not can_prove(), reason="the prover is not installed"),
]
WORLD = SCHEMA.replace("// 𝄞\n", "// 𝄞\nmodule world\n\n", 1)
RULES = """\
// 𝄞
module rules

use world

permit grown_ups { action enter when "𝄞" == "𝄞" and grown(principal, 18) }
forbid late { action enter when "𝄞" == "𝄞" and resource.level > 5 because "it is late" }
permit others { action open when principal.age > 1 }

prove children_stay_out { action enter when principal.age < 18 never permitted }
prove nobody { action enter never permitted }
prove nothing { action enter when principal.age < 1 and principal.age > 2 never permitted }
prove too_hard { action enter when principal.age * resource.level > 400 never permitted }
"""
VERDICTS = {
    "children_stay_out": "proved", "nobody": "refuted", "nothing": "vacuous", "too_hard": "unknown",
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "world.ilk").write_text(WORLD, encoding="utf-8")
    (tmp_path / "rules.ilk").write_text(RULES, encoding="utf-8")
    return tmp_path


class Editor:
    """One open file, and everything that the server says of a claim in it."""

    def __init__(self, wire: Wire, project: Path) -> None:
        self.wire, self.project, self.text, self.version = wire, project, RULES, 1
        self.uri = (project / "rules.ilk").as_uri()
        self.document = {"uri": self.uri}

    @classmethod
    async def start(cls, wire: Wire, project: Path, **capabilities: Any) -> "Editor":
        await wire.start(capabilities, project)
        editor = cls(wire, project)
        wire.open(RULES, editor.uri)
        return editor

    def edit(self, old: str, new: str) -> None:
        self.text = self.text.replace(old, new, 1)
        self.version += 1
        self.wire.change(self.version, [{"text": self.text}], self.uri)

    async def claims(self, expected: dict[str, str]) -> dict[str, Any]:
        """The diagnostics of the claims, once they have these states."""
        found: dict[str, Any] = {}
        for _ in range(1_000):
            found = {
                one["message"].split("`")[1]: one
                for one in self.wire.published.get(self.uri, [])
                if str(one["code"]).startswith("claim-")
            }
            if {name: one["code"] for name, one in found.items()} == {
                name: f"claim-{status}" for name, status in expected.items()
            }:
                return found
            await asyncio.wait_for(self.wire.read(), 60)
        raise AssertionError(f"{expected} were awaited, there are {found}")

    def line(self, name: str) -> int:
        return self.text[: self.text.index(f"{name} {{")].count("\n")

    async def hover(self, name: str) -> str:
        """What is shown for the name of a declaration."""
        line = self.text.split("\n")[self.line(name)]
        place = {"line": self.line(name), "character": line.index(name) + 1}
        asked = {"textDocument": self.document, "position": place}
        return str((await self.wire.ask("textDocument/hover", asked))["contents"]["value"])

    async def hints(self, line: int) -> list[str]:
        range = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 500}}
        asked = {"textDocument": self.document, "range": range}
        found = await self.wire.ask("textDocument/inlayHint", asked)
        return [str(one["label"]) for one in found]

    async def lenses(self, name: str) -> list[str]:
        found = await self.wire.ask("textDocument/codeLens", {"textDocument": self.document})
        here = [one for one in found if one["range"]["start"]["line"] == self.line(name)]
        return [str(one["command"]["title"]) for one in here]


def command_line(project: Path, *options: str) -> str:
    command = [sys.executable, "-m", "interlock", "prove", *options, "world.ilk", "rules.ilk"]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300)
    assert run.returncode == 5, run.stderr
    return run.stdout


def words(text: str) -> str:
    return " ".join(text.split())


async def test_a_claim_is_the_same_in_every_place_and_on_the_command_line(project: Path) -> None:
    said = json.loads(command_line(project, "--format", "json"))
    assert {one["claim"]: one["verdict"] for one in said["claims"]} == VERDICTS
    text = words(command_line(project))
    async with standard() as (wire, _):
        editor = await Editor.start(wire, project)
        found = await editor.claims(VERDICTS)
        for name, status in VERDICTS.items():
            message = found[name]["message"]
            assert message.startswith(f"`{name}` is {status}: ")
            hover = await editor.hover(name)
            assert all(line in hover for line in message.split("\n")[1:])
            sentence = message.split("\n")[0].split(": ", 1)[1]
            assert f"{status}: {sentence}" in hover
            assert any(
                label.endswith(f" {status}") for label in await editor.hints(editor.line(name))
            )
            assert any(status in title for title in await editor.lenses(name))
        severity = {name: one["severity"] for name, one in found.items()}
        assert severity == {"children_stay_out": 4, "nobody": 1, "nothing": 2, "too_hard": 2}
        # The sentence of a doubt, and the counterexample line by line, are those of the command line.
        for name in ("nothing", "too_hard"):
            assert words(found[name]["message"].split(": ", 1)[1]) in text
        request, guard = found["nobody"]["message"].split("\ndecision")
        for line in request.split("\n")[1:]:
            assert words(line) in text
        assert "permit by grown_ups" in guard
        assert "`late` does not apply because `resource.level > 5` does not hold" in guard


async def test_each_guard_says_why_it_does_not_apply_by_its_place_in_the_project(
    project: Path,
) -> None:
    async with standard() as (wire, _):
        editor = await Editor.start(wire, project)
        message = (await editor.claims(VERDICTS))["nobody"]["message"]
        why = "`late` does not apply because `resource.level > 5` does not hold"
        assert f"{why} (rules.ilk:7:" in message and str(project) not in message
        assert f" {why} (`nobody`)" in await editor.hints(editor.line("late"))
        assert f"In the counterexample to `nobody` {why}." in await editor.hover("late")


async def test_a_counterexample_stays_until_what_it_rests_on_changes(project: Path) -> None:
    async with standard() as (wire, _):
        editor = await Editor.start(wire, project)
        before = (await editor.claims(VERDICTS))["nobody"]["message"]
        # Text that a claim does not rest on, and that cannot be compiled for now.
        editor.edit("principal.age > 1 }", "principal.age > }")
        stale = dict.fromkeys(VERDICTS, "stale")
        found = (await editor.claims(stale))["nobody"]
        assert found["severity"] == 1
        assert (
            "`nobody` is stale: it was refuted, and the policies do not compile now"
            in found["message"]
        )
        assert found["message"].split("\n")[1:] == before.split("\n")[1:]
        assert "~ stale" in await editor.hover("nobody")
        assert " ~ stale" in await editor.hints(editor.line("nobody"))
        assert (await editor.lenses("nobody"))[0].startswith("stale: it was refuted")
        editor.edit("principal.age > }", "principal.age > 2 }")
        assert (await editor.claims(VERDICTS))["nobody"]["message"] == before
        # Text that it rests on.
        editor.edit("resource.level > 5", "resource.level > and")
        found = (await editor.claims(stale))["nobody"]
        assert found["message"] == "`nobody` is stale: the policies changed since it was decided"
        assert found["severity"] == 4
        editor.edit("resource.level > and", "resource.level > 6")
        after = (await editor.claims(VERDICTS))["nobody"]["message"]
        assert "`resource.level > 6` does not hold" in after


async def test_a_claim_is_proved_when_asked_where_that_is_set(project: Path) -> None:
    async with standard() as (wire, _):
        await wire.start({}, project)
        settings = {"settings": {"interlock": {"proveOnChange": False}}}
        wire.send({"method": "workspace/didChangeConfiguration", "params": settings})
        editor = Editor(wire, project)
        wire.open(RULES, editor.uri)
        await wire.diagnostics(1)
        await asyncio.sleep(0.5)
        assert await editor.lenses("nobody") == ["Prove"]
        command = {"command": "interlock.prove", "arguments": [editor.uri, "nobody"]}
        await wire.ask("workspace/executeCommand", command)
        await editor.claims(VERDICTS)


@pytest.mark.parametrize("cancelled", [False, True])
async def test_proofs_show_their_progress_and_can_be_cancelled(
    cancelled: bool, project: Path
) -> None:
    sums = " and ".join(
        f"principal.age + {n} * resource.level != {n + 7}" for n in range(1, 60 if cancelled else 2)
    )
    slow = f"\nprove slow {{ action enter when {sums} never permitted }}\n"
    kinds: list[str] = []
    async with standard() as (wire, _):
        await wire.start({"window": {"workDoneProgress": True}}, project)
        editor = Editor(wire, project)
        wire.open(RULES + slow, editor.uri)
        while kinds[-1:] != ["end"]:
            message = await asyncio.wait_for(wire.read(), 60)
            if message.get("method") == "window/workDoneProgress/create":
                wire.send({"id": message["id"], "result": None})
            elif message.get("method") == "$/progress":
                kinds.append(message["params"]["value"]["kind"])
                if cancelled and kinds == ["begin"]:
                    token = {"token": message["params"]["token"]}
                    wire.send({"method": "window/workDoneProgress/cancel", "params": token})
        assert kinds[0] == "begin" and "report" in kinds
        if cancelled:
            while not any(
                one["message"] == "`slow` is unknown: its proof was cancelled"
                for one in wire.published.get(editor.uri, [])
            ):
                await asyncio.wait_for(wire.read(), 60)
        else:
            await editor.claims({**VERDICTS, "slow": "refuted"})


async def test_a_claim_on_its_way_says_so_in_every_place(project: Path) -> None:
    async with standard() as (wire, _):
        editor = await Editor.start(wire, project)
        await editor.claims(VERDICTS)
        editor.edit("resource.level > 5", "resource.level > 6")
        # Asked before the diagnostics of the edit are there.
        assert await editor.lenses("nobody") == ["proving …"]
        assert " … proving" in await editor.hints(editor.line("nobody"))
        codes = {one["code"] for one in await wire.diagnostics(2)}
        assert "claim-stale" not in codes
        await editor.claims(VERDICTS)


async def test_the_claims_of_a_closed_file_are_those_of_the_disk(project: Path) -> None:
    file = project / "rules.ilk"
    weaker = {**VERDICTS, "children_stay_out": "refuted"}

    def on_disk() -> None:
        change = {"uri": editor.uri, "type": 2}
        wire.send({"method": "workspace/didChangeWatchedFiles", "params": {"changes": [change]}})

    def close() -> None:
        wire.send({"method": "textDocument/didClose", "params": {"textDocument": editor.document}})

    async with standard() as (wire, _):
        editor = await Editor.start(wire, project)
        await editor.claims(VERDICTS)
        editor.edit("principal, 18)", "principal, 8)")
        await editor.claims(weaker)
        close()
        await editor.claims(VERDICTS)
        file.write_text(RULES.replace("principal, 18)", "principal, 7)"), encoding="utf-8")
        on_disk()
        await editor.claims(weaker)
        # Closed before there is a verdict.
        wire.open(RULES, editor.uri)
        await wire.diagnostics(1)
        close()
        await editor.claims(weaker)
        assert "claim-stale" not in {one["code"] for one in wire.published[editor.uri]}


async def test_a_closed_claim_about_an_open_module_is_decided(project: Path) -> None:
    claim = "use rules\n// 𝄞\nprove far { action enter when principal.age < 9 never permitted }\n"
    (project / "claims.ilk").write_text(claim, encoding="utf-8")
    async with standard() as (wire, _):
        editor = await Editor.start(wire, project)
        await editor.claims(VERDICTS)
        editor.uri = (project / "claims.ilk").as_uri()
        await editor.claims({"far": "proved"})
        uri = (project / "rules.ilk").as_uri()
        change = {"text": RULES.replace("principal, 18)", "principal, 8)")}
        wire.change(2, [change], uri)
        await editor.claims({"far": "refuted"})


async def test_what_a_module_claims_is_told_by_every_set_that_reads_it(project: Path) -> None:
    more = "use world\nuse rules\n// 𝄞\npermit anybody { action enter }\n"
    (project / "more.ilk").write_text(more, encoding="utf-8")
    async with standard() as (wire, _):
        editor = await Editor.start(wire, project)
        told: list[dict[str, Any]] = []
        while [one["code"] for one in told] != ["claim-proved", "claim-refuted"]:
            await asyncio.wait_for(wire.read(), 60)
            told = [
                one
                for one in wire.published.get(editor.uri, [])
                if one["message"].startswith("`children_stay_out` ")
            ]
        assert told[1]["message"].startswith("`children_stay_out` is refuted")
        assert told[1]["message"].endswith("\nread with more.ilk")


async def test_many_verdicts_are_one_refresh(project: Path) -> None:
    count = 30
    claims = "".join(
        f"prove c{number} {{ action enter when principal.age < {number - 40} never permitted }}\n"
        for number in range(count)
    )
    (project / "rules.ilk").write_text(RULES + claims, encoding="utf-8")
    refreshes = 0
    async with standard() as (wire, _):
        workspace = {"codeLens": {"refreshSupport": True}}
        await wire.start({"workspace": workspace}, project)
        editor = Editor(wire, project)
        wire.open(RULES + claims, editor.uri)
        codes: list[str] = []
        while sum(code == "claim-proved" for code in codes) <= count:
            message = await asyncio.wait_for(wire.read(), 60)
            refreshes += message.get("method") == "workspace/codeLens/refresh"
            codes = [one["code"] for one in wire.published.get(editor.uri, [])]
    assert 0 < refreshes < count
