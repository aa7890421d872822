"""What the editor waits for: keystroke to diagnostics, hover, completion and rename, and memory after many edits.

Each request goes over standard input and output to the real server, as an editor sends it.
`--edits N` says how many edits the memory row makes; an hour of typing at three keys a second is 10,800.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from lsp_policies import policy_text  # noqa: E402

SERVER = ("-m", "interlock", "lsp")
URI = "file:///benchmark/large.ilk"
CLAIM = """
prove large_reach_is_denied {
  principal Agent
  action    sql.drop
  resource  Table
  when      context.change.selector == all and context.change has opaque
  never permitted
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs="*", default=[100, 1_000, 10_000])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--edits", type=int, default=10_800)
    options = parser.parse_args()
    print(
        f"median and p95 in milliseconds of {options.runs} runs, over standard input and output\n"
    )
    columns = f"{'':<44}" + "".join(f"{f'{lines:,} lines':>18}" for lines in options.lines)
    print(columns)
    table = [asyncio.run(measure(lines, options.runs)) for lines in options.lines]
    for name in table[0]:
        cells = "".join(f"{_cell(row[name]):>18}" for row in table)
        print(f"{name:<44}{cells}")
    before, after = asyncio.run(memory(1_000, options.edits))
    print(
        f"\nmemory at 1,000 lines: {before:.0f} MB after opening, {after:.0f} MB after {options.edits:,} edits"
    )


def _cell(times: list[float]) -> str:
    ordered = sorted(times)
    worst = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return f"{statistics.median(times):.1f} / {worst:.1f}"


class Client:
    """A connection that counts nothing but time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.number = 0
        self.version = 1
        self.answers: dict[int, asyncio.Future[Any]] = {}
        self.published: asyncio.Queue[int] = asyncio.Queue()
        self.reading = asyncio.ensure_future(self.read())

    @classmethod
    async def start(cls) -> "Client":
        process = await asyncio.create_subprocess_exec(
            sys.executable, *SERVER,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**26,
        )  # fmt: skip
        client = cls(process)
        await client.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        client.tell("initialized", {})
        return client

    def send(self, document: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **document}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def tell(self, method: str, params: Any) -> None:
        self.send({"method": method, "params": params})

    async def ask(self, method: str, params: Any) -> Any:
        self.number += 1
        future = self.answers[self.number] = asyncio.get_running_loop().create_future()
        self.send({"id": self.number, "method": method, "params": params})
        return await future

    async def read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := await stream.readline():
            length = int(header.split(b":")[1])
            while (await stream.readline()).strip():
                pass
            message = json.loads(await stream.readexactly(length))
            if message.get("method") == "textDocument/publishDiagnostics":
                self.published.put_nowait(message["params"].get("version") or 0)
            elif "method" not in message:
                answer = self.answers.pop(message["id"])
                if "error" in message:
                    answer.set_exception(RuntimeError(str(message["error"])))
                else:
                    answer.set_result(message.get("result"))

    async def diagnosed(self, version: int) -> None:
        """Waits for the diagnostics of a version, or of a later one."""
        while await self.published.get() < version:
            pass

    def open(self, text: str) -> None:
        document = {"uri": URI, "languageId": "interlock", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def edit(self, line: int, character: int, removed: int, text: str) -> int:
        self.version += 1
        start = {"line": line, "character": character}
        end = {"line": line, "character": character + removed}
        change = {"range": {"start": start, "end": end}, "text": text}
        document = {"uri": URI, "version": self.version}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        return self.version

    def megabytes(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    async def stop(self) -> None:
        await self.ask("shutdown", None)
        self.tell("exit", None)
        await self.process.wait()
        self.reading.cancel()


def place(text: str, word: str, plus: int = 0, *, middle: bool = True) -> tuple[int, int]:
    """Line and column of a word, in the middle of the file."""
    offset = text.index(word, len(text) // 2 if middle else 0) + plus
    before = text[:offset]
    return before.count("\n"), len(before) - before.rfind("\n") - 1


async def measure(lines: int, runs: int) -> dict[str, list[float]]:
    text = policy_text(lines)
    client = await Client.start()
    started = time.perf_counter()
    client.open(text)
    await client.diagnosed(1)
    opened = (time.perf_counter() - started) * 1000
    document = {"uri": URI}

    async def typing(word: str, plus: int) -> list[float]:
        line, character = place(text, word, plus)
        times = []
        for run in range(runs):
            started = time.perf_counter()
            # A letter makes an error, and taking it away mends it, so that both are told.
            version = client.edit(line, character, *((0, "q") if run % 2 == 0 else (1, "")))
            await client.diagnosed(version)
            times.append((time.perf_counter() - started) * 1000)
        if runs % 2:
            await client.diagnosed(client.edit(line, character, 1, ""))
        return times

    async def asking(method: str, word: str, plus: int, **more: Any) -> list[float]:
        line, character = place(text, word, plus)
        params = {
            "textDocument": document,
            "position": {"line": line, "character": character},
            **more,
        }
        return await timed(lambda: client.ask(method, params), runs)

    rows = {
        "open to diagnostics": [opened],
        "keystroke in a rule to diagnostics": await typing("resource.protected", 18),
        "keystroke in a definition to diagnostics": await typing("delete_data\n", 11),
        "hover": await asking("textDocument/hover", "context.change.selector", 16),
        "completion after a dot": await asking("textDocument/completion", "context.plan.risk", 13),
        "references of an attribute": await asking(
            "textDocument/references", "context.change.rows", 16,
            context={"includeDeclaration": True},
        ),
        "rename of a definition": await asking("textDocument/rename", "is_large", 2, newName="is_big"),
        "semantic tokens, whole file": await timed(
            lambda: client.ask("textDocument/semanticTokens/full", {"textDocument": document}), 5
        ),
    }  # fmt: skip
    rows |= await while_proving(client, text, runs)
    await client.stop()
    return rows


async def while_proving(client: Client, text: str, runs: int) -> dict[str, list[float]]:
    """Hover between edits that each begin a proof anew."""
    end = text.count("\n")
    await client.diagnosed(client.edit(end, 0, 0, CLAIM))
    line, character = place(text, "context.change.selector", 16)
    edit_line, edit_character = place(text, "resource.protected", 18)
    params = {"textDocument": {"uri": URI}, "position": {"line": line, "character": character}}
    times = []
    for run in range(runs):
        version = client.edit(edit_line, edit_character, *((0, " ") if run % 2 == 0 else (1, "")))
        await client.diagnosed(version)
        await asyncio.sleep(0.3)
        started = time.perf_counter()
        await client.ask("textDocument/hover", params)
        times.append((time.perf_counter() - started) * 1000)
    return {"hover while a claim is proved": times}


async def timed(action: Callable[[], Awaitable[Any]], runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        await action()
        times.append((time.perf_counter() - started) * 1000)
    return times


async def memory(lines: int, edits: int) -> tuple[float, float]:
    """Megabytes of the server after opening, and after so many edits."""
    text = policy_text(lines)
    client = await Client.start()
    client.open(text)
    await client.diagnosed(1)
    before = client.megabytes()
    places = [
        place(text, word, middle=False) for word in ("Agent | Service", "sql.drop", "(change.rows")
    ]
    for number in range(edits // 2):
        line, character = places[number % len(places)]
        client.edit(line, character, 0, "x")
        version = client.edit(line, character, 1, "")
        if number % 20 == 0:
            await client.diagnosed(version)
    await client.ask("textDocument/documentSymbol", {"textDocument": {"uri": URI}})
    after = client.megabytes()
    await client.stop()
    return before, after


if __name__ == "__main__":
    main()
