"""The wire: strange clients, several clients at once, other transports, and what is left when a client goes."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from lsp_wire import Wire, listening, standard
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from interlock.lsp.proofs import can_prove
from interlock.lsp.settings import Settings, read_settings

pytestmark = pytest.mark.asyncio
BAD = (
    "// 𝄞\nentity User { age: Int }\naction go { principal User  resource User }\n"
    "permit p { when principal.aeg > 1 }\n"
)


async def test_words_that_the_protocol_does_not_know_are_taken_as_they_are() -> None:
    capabilities = {
        "textDocument": {
            "documentSymbol": {
                "symbolKind": {"valueSet": [1, 99]},
                "tagSupport": {"valueSet": [2]},
            },
            "publishDiagnostics": {"tagSupport": {"valueSet": [1, 7]}},
        },
        "workspace": {"workspaceEdit": {"resourceOperations": ["create", "zap"]}},
        "general": {"positionEncodings": ["utf-99", "utf-8"]},
    }
    async with standard() as (wire, _):
        result = await asyncio.wait_for(wire.start(capabilities), 30)
    assert result["capabilities"]["positionEncoding"] == "utf-8"


async def test_a_line_separator_within_a_line_is_no_line_end() -> None:
    text = (
        "// a\u2028b\u2029c\x0b\x0c\x85d 𝄞\r\nentity User { age: Int }\r"
        "action go { principal User resource User }\npermit p { when principal.aeg > 1 }"
    )
    async with standard() as (wire, _):
        await wire.start()
        wire.open(
            text.replace("\u2028", "").replace("\u2029", "").replace("\x0b", "").replace("\x85", "")
        )
        (found,) = await wire.diagnostics(1)
        assert found["range"]["start"] == {"line": 3, "character": 26}
        wire.open(text.replace("aeg", "age"), "file:///nowhere/b.ilk")
        at = {"line": 3, "character": 26}
        change = {"range": {"start": at, "end": {"line": 3, "character": 29}}, "text": "years"}
        wire.change(2, [change], "file:///nowhere/b.ilk")
        found = await wire.diagnostics(2)
        assert [item["code"] for item in found] == ["hidden-character", "unknown-attribute"]
        assert found[1]["range"]["start"] == at


async def test_a_change_of_the_whole_text_is_taken_too() -> None:
    async with standard() as (wire, _):
        await wire.start()
        wire.open(BAD)
        assert len(await wire.diagnostics(1)) == 1
        wire.change(2, [{"text": BAD.replace("aeg", "age")}])
        assert await wire.diagnostics(2) == []


@pytest.mark.parametrize(
    "uri", ["untitled:Untitled-1", "file:///nowhere/%C3%A9%20%F0%9D%84%9E.ilk"]
)
async def test_any_uri_can_be_open(uri: str) -> None:
    async with standard() as (wire, _):
        await wire.start()
        wire.open(BAD, uri)
        assert len(await wire.diagnostics(1)) == 1
        symbols = await wire.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
        assert [item["name"] for item in symbols] == ["User", "go", "p"]


async def test_requests_about_files_that_are_not_there_have_empty_answers() -> None:
    document = {
        "textDocument": {"uri": "file:///nowhere/else.ilk"},
        "position": {"line": 9, "character": 9},
    }
    async with standard() as (wire, _):
        await wire.start()
        for method in ("hover", "definition", "completion", "prepareRename", "signatureHelp"):
            assert not await wire.ask(f"textDocument/{method}", document)


async def test_places_beyond_the_text_are_its_end() -> None:
    far = {"line": 10_000, "character": 10_000}
    async with standard() as (wire, _):
        await wire.start()
        wire.open(BAD)
        wire.change(2, [{"range": {"start": far, "end": far}, "text": "entity X\n"}])
        await wire.diagnostics(2)
        document = {"uri": "file:///nowhere/a.ilk"}
        symbols = await wire.ask("textDocument/documentSymbol", {"textDocument": document})
        assert symbols[-1]["name"] == "X"
        assert (
            await wire.ask("textDocument/hover", {"textDocument": document, "position": far})
            is None
        )


async def test_an_answer_that_nobody_wants_any_more_is_not_made(tmp_path: Path) -> None:
    for number in range(200):
        text = BAD.replace("// 𝄞", f"// 𝄞 {number}")
        (tmp_path / f"{number}.ilk").write_text(text, encoding="utf-8")
    everywhere: dict[str, Any] = {"previousResultIds": []}
    async with standard() as (wire, _):
        await wire.start(root=tmp_path)
        # Nothing was checked yet, so that the answer takes a while, in which the server reads on.
        wire.send({"id": "x", "method": "workspace/diagnostic", "params": everywhere})
        wire.send({"method": "$/cancelRequest", "params": {"id": "x"}})
        while (message := await asyncio.wait_for(wire.read(), 60)).get("id") != "x":
            pass
        assert message["error"]["code"] == -32800
        answer = await wire.ask("workspace/diagnostic", everywhere)
        assert len(answer["items"]) == 200


@pytest.mark.parametrize("cancelled", [False, True])
async def test_the_first_check_shows_its_progress_and_can_be_cancelled(
    cancelled: bool, tmp_path: Path
) -> None:
    count = 80
    for number in range(count):
        (tmp_path / f"{number}.ilk").write_text(
            BAD.replace("// 𝄞", f"// 𝄞 {number}"), encoding="utf-8"
        )
    kinds: list[str] = []
    async with standard() as (wire, _):
        await wire.start({"window": {"workDoneProgress": True}}, tmp_path)
        while kinds[-1:] != ["end"]:
            message = await asyncio.wait_for(wire.read(), 60)
            if message.get("method") == "window/workDoneProgress/create":
                wire.send({"id": message["id"], "result": None})
            elif message.get("method") == "$/progress":
                kinds.append(message["params"]["value"]["kind"])
                if cancelled and kinds == ["begin"]:
                    token = {"token": message["params"]["token"]}
                    wire.send({"method": "window/workDoneProgress/cancel", "params": token})
    reports = kinds.count("report")
    assert kinds[0] == "begin" and (reports < count if cancelled else reports == count)


async def test_two_clients_of_a_port_do_not_see_each_other() -> None:
    async with listening("--tcp") as port:
        wires = []
        for number in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
            wire = Wire(reader, writer)
            await wire.start()
            wire.open(BAD.replace("aeg", f"aeg{number}"))
            wires.append(wire)
        for number, wire in enumerate(wires):
            (found,) = await wire.diagnostics(1)
            assert f"`aeg{number}`" in found["message"]
        wires[0].writer.close()
        wires[1].change(2, [{"text": BAD.replace("aeg", "age")}])
        assert await wires[1].diagnostics(2) == []
        wires[1].writer.close()


async def test_a_web_socket_carries_text_and_only_for_pages_of_this_machine() -> None:
    async with listening("--websocket") as port:
        address = f"ws://127.0.0.1:{port}"
        async with connect(address, origin="http://localhost:8000") as socket:  # type: ignore[arg-type]
            params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
            await socket.send(
                json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
            )
            answer = await asyncio.wait_for(socket.recv(), 60)
            assert isinstance(answer, str) and json.loads(answer)["id"] == 1
        for origin in ("https://example.com", "http://127.0.0.1.example.com", "null"):
            with pytest.raises(InvalidStatus, match="403"):
                await connect(address, origin=origin)  # type: ignore[arg-type]


async def test_nothing_is_left_when_a_client_goes_without_a_word(tmp_path: Path) -> None:
    if not can_prove():
        pytest.skip("the prover is not installed")
    claim = BAD.replace("aeg", "age") + "prove c { action go never permitted }\n"
    async with standard() as (wire, process):
        await wire.start()
        wire.open(claim)
        for _ in range(600):
            if provers(process.pid):
                break
            await asyncio.sleep(0.05)
        left = provers(process.pid)
        assert left
        process.kill()
        await process.wait()
        for _ in range(200):
            if not any(Path(f"/proc/{pid}").exists() and not is_zombie(pid) for pid in left):
                return
            await asyncio.sleep(0.05)
    raise AssertionError(f"{left} still run")


def provers(parent: int) -> list[int]:
    """The processes that a server started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(path.parent.name))
    return found


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"id": "x", "method": "textDocument/hover", "params": {"a": 1}}, -32602),
        ({"id": "x", "method": "textDocument/hover", "params": None}, -32602),
        ({"id": "x", "method": "textDocument/hover"}, -32602),
        ({"id": "x", "method": "workspace/symbol", "params": [3]}, -32602),
        ({"id": "x", "method": "nobody/knows"}, -32601),
        ({"id": "x", "method": "initialize", "params": {"capabilities": {}}}, -32600),
        ({"id": "x", "method": "textDocument/hover", "params": {
            "textDocument": {"uri": "file:///nowhere/a.ilk"}, "position": {"line": -1, "character": 0}
        }}, -32602),
    ],
)  # fmt: skip
async def test_a_request_that_cannot_be_taken_has_an_answer(
    body: dict[str, Any], code: int
) -> None:
    async with standard() as (wire, _):
        await wire.start()
        wire.send(body)
        while (message := await asyncio.wait_for(wire.read(), 60)).get("id") != "x":
            pass
        assert message["error"]["code"] == code
        assert await wire.ask("workspace/symbol", {"query": "zzz"}) == []


async def test_what_is_no_message_has_an_answer() -> None:
    async with standard() as (wire, _):
        await wire.start()
        for body, code in ((b"{oops}", -32700), (b"\xff", -32700), (b"3", -32600), (b"[]", -32600)):
            wire.writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            while "error" not in (message := await asyncio.wait_for(wire.read(), 60)):
                pass
            assert (message["id"], message["error"]["code"]) == (None, code)
        one = {"jsonrpc": "2.0", "id": 98, "method": "workspace/symbol", "params": {"query": "z"}}
        batch = json.dumps([one, {**one, "id": 99}]).encode()
        wire.writer.write(b"Content-Length: %d\r\n\r\n" % len(batch) + batch)
        found = [(await asyncio.wait_for(wire.read(), 60)).get("id") for _ in range(2)]
        assert found == [98, 99]


async def test_a_request_before_the_start_or_after_the_end_is_refused() -> None:
    async with standard() as (wire, process):
        wire.send({"id": 71, "method": "workspace/symbol", "params": {"query": ""}})
        assert (await asyncio.wait_for(wire.read(), 60))["error"]["code"] == -32002
        await wire.start()
        await wire.ask("shutdown", None)
        wire.send({"id": 72, "method": "workspace/symbol", "params": {"query": ""}})
        while (message := await asyncio.wait_for(wire.read(), 60)).get("id") != 72:
            pass
        assert message["error"]["code"] == -32600
        wire.send({"method": "exit"})
        assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_an_exit_without_a_shutdown_is_a_failure() -> None:
    async with standard() as (wire, process):
        await wire.start()
        wire.send({"method": "exit"})
        assert await asyncio.wait_for(process.wait(), 60) == 1


async def test_the_server_ends_with_the_process_of_its_client() -> None:
    client = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=-1)
    async with standard() as (wire, process):
        params: dict[str, Any] = {
            "processId": client.pid,
            "rootUri": None,
            "capabilities": {},
        }
        await wire.ask("initialize", params)
        wire.send({"method": "initialized", "params": {}})
        await wire.ask("workspace/symbol", {"query": ""})
        assert process.returncode is None
        client.kill()
        await client.wait()
        assert await asyncio.wait_for(process.wait(), 60) == 1


async def test_a_client_that_pulls_of_every_file_is_pushed_none(tmp_path: Path) -> None:
    file = tmp_path / "a.ilk"
    file.write_text(BAD, encoding="utf-8")
    workspace = {"diagnostics": {"refreshSupport": True}}
    async with standard() as (wire, _):
        await wire.start({"workspace": workspace}, tmp_path)
        full = await wire.ask("workspace/diagnostic", {"previousResultIds": []})
        (item,) = full["items"]
        assert [one["code"] for one in item["items"]] == ["unknown-attribute"]
        await wire.ask("workspace/symbol", {"query": "zzz"})
        assert not wire.published.get(file.as_uri())
        file.unlink()
        change = {"uri": file.as_uri(), "type": 3}
        wire.send({"method": "workspace/didChangeWatchedFiles", "params": {"changes": [change]}})
        while (await asyncio.wait_for(wire.read(), 60)).get("method") != (
            "workspace/diagnostic/refresh"
        ):
            pass
        before = [{"uri": file.as_uri(), "value": item["resultId"]}]
        (gone,) = (await wire.ask("workspace/diagnostic", {"previousResultIds": before}))["items"]
        assert (gone["uri"], gone["kind"], gone["items"]) == (file.as_uri(), "full", [])


async def test_a_configuration_that_cannot_be_read_says_so_once(tmp_path: Path) -> None:
    (tmp_path / ".interlock").mkdir()
    config = tmp_path / ".interlock" / "config.yaml"
    config.write_text("policy: [\n", encoding="utf-8")
    told: list[str] = []
    async with standard() as (wire, _):
        await wire.start({}, tmp_path)
        change = {"changes": [{"uri": config.as_uri(), "type": 2}]}
        for _ in range(2):
            wire.send({"method": "workspace/didChangeWatchedFiles", "params": change})
        config.write_text("policy: [nowhere.ilk]\n", encoding="utf-8")
        wire.send({"method": "workspace/didChangeWatchedFiles", "params": change})
        while len(told) < 2:
            message = await asyncio.wait_for(wire.read(), 60)
            if message.get("method") == "window/showMessage":
                told.append(message["params"]["message"])
    assert "config.yaml: cannot be read" in told[0]
    assert told[1].endswith("config.yaml: there is no file `nowhere.ilk`")


async def test_a_problem_is_told_by_one_uri(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "a.ilk", tmp_path / "link.ilk"
    real.write_text(BAD, encoding="utf-8")
    link.symlink_to(real)
    async with standard() as (wire, _):
        await wire.start(root=tmp_path)
        while not any(wire.published.values()):
            await asyncio.wait_for(wire.read(), 60)
        for uri in (real.as_uri(), link.as_uri()):
            wire.open(BAD, uri)
            assert len(await wire.diagnostics(1)) == 1
            assert [one for one, found in wire.published.items() if found] == [uri]
            document = {"textDocument": {"uri": uri}}
            wire.send({"method": "textDocument/didClose", "params": document})
            await wire.ask("workspace/symbol", {"query": "zzz"})
        while sum(map(bool, wire.published.values())) != 1:
            await asyncio.wait_for(wire.read(), 60)


async def test_a_file_of_another_language_has_nothing_wrong() -> None:
    async with standard() as (wire, _):
        await wire.start()
        cedar = "file:///nowhere/a.cedar"
        wire.open("permit(principal, action, resource);", cedar)
        wire.change(2, [{"text": "permit"}], cedar)
        document = {"textDocument": {"uri": cedar}}
        assert await wire.ask("textDocument/documentSymbol", document) is None
        wire.open(BAD)
        await wire.diagnostics(1)
        assert cedar not in wire.published


async def test_a_bundled_module_is_not_mended(tmp_path: Path) -> None:
    from interlock.lsp.workspace import bundled

    file = Path(bundled()["std.sql"])
    text = file.read_text(encoding="utf-8").replace("use std.change", "use std.chang")
    assert "std.chang\n" in text
    async with standard() as (wire, _):
        await wire.start()
        wire.open(text, file.as_uri())
        assert await wire.diagnostics(1)
        everywhere = {
            "start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0},
        }  # fmt: skip
        asked = {
            "textDocument": {"uri": file.as_uri()}, "range": everywhere, "context": {"diagnostics": []},
        }  # fmt: skip
        assert await wire.ask("textDocument/codeAction", asked) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, Settings()),
        ({"interlock": {"inlayHints": False}}, Settings(inlay_hints=False)),
        ({"policies": ["a", "b"]}, Settings(policies=(("a", "b"),))),
        ({"policies": [["a"], ["b", 1]]}, Settings(policies=(("a",), ("b",)))),
        ({"proofSeconds": "soon", "codeLenses": 3, "policies": {}}, Settings()),
        ({"proofSeconds": 1e9}, Settings(proof_seconds=600.0)),
        ([1, 2], Settings()),
    ],
)
async def test_settings_are_read_from_whatever_a_client_sends(
    value: Any, expected: Settings
) -> None:
    assert read_settings(value) == expected
