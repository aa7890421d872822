"""The language server spoken to by hand, message by message, on standard input and output or on a port."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

SERVER = (sys.executable, "-m", "interlock", "lsp")


class Wire:
    """Messages by hand, over a pair of streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.number = 0
        self.published: dict[str, list[Any]] = {}
        """The last diagnostics of each file."""

    def send(self, document: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **document}).encode()
        self.writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def read(self) -> dict[str, Any]:
        length = 0
        while line := (await self.reader.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        found: dict[str, Any] = json.loads(await self.reader.readexactly(length))
        if found.get("method") == "textDocument/publishDiagnostics":
            self.published[found["params"]["uri"]] = found["params"]["diagnostics"]
        return found

    async def ask(self, method: str, params: Any) -> Any:
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        while True:
            message = await asyncio.wait_for(self.read(), 60)
            if message.get("id") == self.number and "method" not in message:
                assert "error" not in message, message["error"]
                return message["result"]

    async def start(self, capabilities: Any = None, root: Path | None = None) -> Any:
        uri = root.as_uri() if root is not None else None
        params = {"processId": None, "rootUri": uri, "capabilities": capabilities or {}}
        result = await self.ask("initialize", params)
        self.send({"method": "initialized", "params": {}})
        return result

    def open(self, text: str, uri: str = "file:///nowhere/a.ilk") -> None:
        document = {"uri": uri, "languageId": "interlock", "version": 1, "text": text}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def change(self, version: int, changes: list[Any], uri: str = "file:///nowhere/a.ilk") -> None:
        document = {"uri": uri, "version": version}
        params = {"textDocument": document, "contentChanges": changes}
        self.send({"method": "textDocument/didChange", "params": params})

    async def diagnostics(self, version: int) -> list[Any]:
        while True:
            message = await asyncio.wait_for(self.read(), 60)
            if message.get("method") == "textDocument/publishDiagnostics":
                params = message["params"]
                if params.get("version") == version:
                    found: list[Any] = params["diagnostics"]
                    return found


@asynccontextmanager
async def standard() -> AsyncIterator[tuple[Wire, asyncio.subprocess.Process]]:
    process = await asyncio.create_subprocess_exec(
        *SERVER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield Wire(process.stdout, process.stdin), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def listening(option: str) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        *SERVER, option, "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        assert line.startswith("listening on 127.0.0.1:")
        yield int(line.rpartition(":")[2])
    finally:
        process.kill()
        await process.wait()
