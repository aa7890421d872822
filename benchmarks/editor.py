"""What the editor waits for: keystroke to diagnostics, hover, completion and rename, and memory after many edits.

Each request goes over standard input and output to the real server, as an editor sends it.
Servers of other languages are measured beside it on files of the same length, where they are installed.
`--edits N` says how many edits the memory row makes; an hour of typing at three keys a second is 10,800.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from lsp_policies import policy_text  # noqa: E402

SERVER = (sys.executable, "-m", "interlock", "lsp")
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
    parser.add_argument(
        "--packages", help="a folder with node_modules, where peers are looked for too"
    )
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
    for peer in PEERS:
        print(
            f"\n{peer.name}: median and p95, and its median beside ours at the same number of lines"
        )
        command = peer.found(options.packages)
        if command is None:
            print(f"  gap: {peer.gap}")
            continue
        for lines, own in zip(options.lines, table, strict=True):
            try:
                rows = asyncio.run(
                    asyncio.wait_for(measure_peer(peer, command, lines, options.runs), 120)
                )
            except (TimeoutError, RuntimeError, ConnectionError) as problem:
                print(f"  gap: no answer at {lines:,} lines: {problem or 'in two minutes'}")
                continue
            for (name, ours), times in rows.items():
                ratio = statistics.median(times) / statistics.median(own[ours])
                print(f"  {name:<42}{_cell(times):>18}  {ratio:5.1f} x  at {lines:,} lines")
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

    def __init__(self, process: asyncio.subprocess.Process, uri: str, language: str) -> None:
        self.process, self.uri, self.language = process, uri, language
        self.number = 0
        self.version = 1
        self.answers: dict[int, asyncio.Future[Any]] = {}
        self.published: asyncio.Queue[int] = asyncio.Queue()
        self.reading = asyncio.ensure_future(self.read())

    @classmethod
    async def start(
        cls, command: tuple[str, ...] = SERVER, uri: str = URI, language: str = "interlock"
    ) -> "Client":
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            limit=2**26, start_new_session=True,
        )  # fmt: skip
        client = cls(process, uri, language)
        synchronization = {"publishDiagnostics": {"versionSupport": True}}
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": {"textDocument": synchronization},
        }
        await client.ask("initialize", params)
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
                if message["params"]["uri"] == self.uri:
                    # A server that does not say of which version it speaks has answered the last one.
                    self.published.put_nowait(message["params"].get("version") or self.version)
            elif "method" in message and "id" in message:
                is_settings = message["method"] == "workspace/configuration"
                items = message["params"]["items"] if is_settings else ()
                result = [None for _ in items] if is_settings else None
                self.send({"id": message["id"], "result": result})
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
        document = {"uri": self.uri, "languageId": self.language, "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def edit(self, line: int, character: int, removed: int, text: str) -> int:
        self.version += 1
        start = {"line": line, "character": character}
        end = {"line": line, "character": character + removed}
        change = {"range": {"start": start, "end": end}, "text": text}
        document = {"uri": self.uri, "version": self.version}
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
        return await keystrokes(client, place(text, word, plus), runs)

    async def asking(method: str, word: str, plus: int, **more: Any) -> list[float]:
        return await answers(client, method, place(text, word, plus), runs, **more)

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


async def keystrokes(client: Client, at: tuple[int, int], runs: int) -> list[float]:
    """A letter makes an error, and taking it away mends it, so that both are told."""
    line, character = at
    times = []
    for run in range(runs):
        started = time.perf_counter()
        version = client.edit(line, character, *((0, "q") if run % 2 == 0 else (1, "")))
        await client.diagnosed(version)
        times.append((time.perf_counter() - started) * 1000)
    if runs % 2:
        await client.diagnosed(client.edit(line, character, 1, ""))
    return times


async def answers(
    client: Client, method: str, at: tuple[int, int], runs: int, **more: Any
) -> list[float]:
    line, character = at
    params = {
        "textDocument": {"uri": client.uri},
        "position": {"line": line, "character": character},
        **more,
    }
    return await timed(lambda: client.ask(method, params), runs)


async def while_proving(client: Client, text: str, runs: int) -> dict[str, list[float]]:
    """Hover between edits that each begin a proof anew, and after the same pauses without one."""
    end = text.count("\n")
    await client.diagnosed(client.edit(end, 0, 0, CLAIM))
    line, character = place(text, "context.change.selector", 16)
    edit_line, edit_character = place(text, "resource.protected", 18)
    params = {"textDocument": {"uri": URI}, "position": {"line": line, "character": character}}
    rows: dict[str, list[float]] = {}
    for name, proves in (
        ("hover while a claim is proved", True),
        ("hover after the same pause", False),
    ):
        settings = {"settings": {"interlock": {"proveOnChange": proves}}}
        client.tell("workspace/didChangeConfiguration", settings)
        rows[name] = await hovers_between_edits(client, params, (edit_line, edit_character), runs)
    return rows


async def hovers_between_edits(
    client: Client, params: Any, at: tuple[int, int], runs: int
) -> list[float]:
    times = []
    for run in range(runs):
        version = client.edit(*at, *((0, " ") if run % 2 == 0 else (1, "")))
        await client.diagnosed(version)
        await asyncio.sleep(0.3)
        started = time.perf_counter()
        await client.ask("textDocument/hover", params)
        times.append((time.perf_counter() - started) * 1000)
    return times


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


# Other servers, on as many lines of their own language


@dataclass(frozen=True)
class Peer:
    """A server for another language, and a text in it with places for the same questions."""

    name: str
    program: str
    file: str
    language: str
    head: str
    block: str
    keystroke: tuple[str, int]
    hover: tuple[str, int]
    completion: tuple[str, int]
    gap: str
    beside: tuple[str, str] = ("", "")
    """A file that lies beside, and what is in it."""

    def found(self, packages: str | None) -> tuple[str, ...] | None:
        more = Path(packages, "node_modules", ".bin") if packages else Path(sys.executable).parent
        path = os.pathsep.join(
            [os.environ.get("PATH", ""), str(more), str(Path(sys.executable).parent)]
        )
        program = shutil.which(self.program, path=path) if self.program else None
        return (program, "--stdio") if program is not None else None

    def text(self, lines: int) -> str:
        each = self.block.count("\n")
        count = (lines - self.head.count("\n")) // each + 1
        return self.head + "".join(
            self.block.replace("<n>", str(number)) for number in range(count)
        )


PEERS = (
    Peer(
        "pyright (typed functions in Python)", "pyright-langserver", "large.py", "python",
        '''\
from dataclasses import dataclass


@dataclass
class Change:
    selector: str
    rows: int | None


@dataclass
class Context:
    change: Change
    plan: list[Change]


@dataclass
class Table:
    name: str
    protected: bool


''',
        '''\
def reaches_all_<n>(principal: str, resource: Table, context: Context) -> bool:
    """More than so many rows are lost. 𝄞"""
    if context.change.selector == "all" and (context.change.rows or 1) > <n>:
        return resource.name.startswith("tmp-") and not resource.protected
    return any((change.rows or 0) > <n> for change in context.plan)


''',
        ("resource.protected", 18), ("context.change.selector", 16), ("context.change.selector", 8),
        "pyright-langserver is not installed (pip install pyright)",
    ),
    Peer(
        "yaml-language-server (rules with a JSON schema)", "yaml-language-server", "large.yaml", "yaml",
        "# yaml-language-server: $schema=schema.json\nrules:\n",
        """\
  - name: reaches_all_<n>
    effect: forbid
    principal: [Agent, Service]
    action: destroy
    when:
      selector: all
      rows: <n>
    because: "𝄞 <n>"
""",
        ("effect: forbid", 14), ("effect: forbid", 2), ("effect: forbid", 8),
        "yaml-language-server is not installed (npm install yaml-language-server; --packages FOLDER)",
        ("schema.json", json.dumps({
            "type": "object",
            "properties": {"rules": {"type": "array", "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "effect": {"enum": ["permit", "forbid", "require"], "description": "What it does."},
                    "principal": {"type": "array", "items": {"enum": ["Agent", "Service"]}},
                    "action": {"enum": ["write", "destroy"]},
                    "when": {"type": "object", "properties": {"rows": {"type": "integer"}}},
                    "because": {"type": "string"},
                },
                "additionalProperties": False,
            }}},
        })),
    ),
    Peer(
        "regal (Rego)", "", "", "", "", "", ("", 0), ("", 0), ("", 0),
        "regal is a Go program; PyPI, npm and Debian have no package of it",
    ),
)  # fmt: skip


async def measure_peer(
    peer: Peer, command: tuple[str, ...], lines: int, runs: int
) -> dict[tuple[str, str], list[float]]:
    """The same questions as to our server: each by its name and by the name of our row."""
    text = peer.text(lines)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, peer.file)
        file.write_text(text, encoding="utf-8")
        if peer.beside[0]:
            Path(folder, peer.beside[0]).write_text(peer.beside[1], encoding="utf-8")
        client = await Client.start(command, file.as_uri(), peer.language)
        try:
            line, character = at = place(text, *peer.keystroke)
            before = text.splitlines(keepends=True)
            # It begins with a mistake, since not every server says that there is none.
            before[line] = f"{before[line][:character]}q{before[line][character:]}"
            client.open("".join(before))
            await client.diagnosed(1)
            await client.diagnosed(client.edit(line, character, 1, ""))
            # What is still on its way for the first version is not the answer to a keystroke.
            await asyncio.sleep(2)
            while not client.published.empty():
                client.published.get_nowait()
            hover, completion = place(text, *peer.hover), place(text, *peer.completion)
            return {
                (
                    "keystroke to diagnostics",
                    "keystroke in a rule to diagnostics",
                ): await keystrokes(client, at, runs),
                ("hover", "hover"): await answers(client, "textDocument/hover", hover, runs),
                ("completion", "completion after a dot"): await answers(
                    client, "textDocument/completion", completion, runs
                ),
            }
        finally:
            # Some are started by a program that would leave them behind.
            os.killpg(client.process.pid, signal.SIGKILL)
            await client.process.wait()
            client.reading.cancel()


if __name__ == "__main__":
    main()
