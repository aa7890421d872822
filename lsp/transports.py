"""The language server on a port of this machine: a process of its own for each connection, which ends with it.

A process for each client keeps their files apart, and ends what a client left running.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

HOST = "127.0.0.1"
MAX_CONNECTIONS = 8
MAX_MESSAGE = 16 * 1024 * 1024
_LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})


def serve(port: int, *, is_websocket: bool) -> None:
    """Serves until the process is ended; prints the port once it listens."""
    try:
        asyncio.run(_websocket(port) if is_websocket else _tcp(port))
    except KeyboardInterrupt:
        return


class _Connections:
    """How many clients are served, of those that may be."""

    def __init__(self) -> None:
        self.count = 0

    @asynccontextmanager
    async def server(self) -> AsyncIterator[asyncio.subprocess.Process | None]:
        """A server process for one connection; `None` when there are too many."""
        if self.count >= MAX_CONNECTIONS:
            yield None
            return
        self.count += 1
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "interlock", "lsp",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=MAX_MESSAGE,
        )  # fmt: skip
        try:
            yield process
        finally:
            self.count -= 1
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _tcp(port: int) -> None:
    connections = _Connections()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with connections.server() as process:
            if process is not None and process.stdin is not None and process.stdout is not None:
                await _first_of(_pump(reader, process.stdin), _pump(process.stdout, writer))
        writer.close()

    server = await asyncio.start_server(connected, HOST, port)
    _announce(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()


async def _websocket(port: int) -> None:
    from websockets.asyncio.server import ServerConnection
    from websockets.asyncio.server import serve as serve_websocket
    from websockets.http11 import Request, Response

    connections = _Connections()

    def refuse_foreign(connection: ServerConnection, request: Request) -> Response | None:
        """A page of another site may not speak with a server of this machine."""
        origin = request.headers.get("Origin")
        if origin is None or urlsplit(origin).hostname in _LOCAL:
            return None
        return connection.respond(403, "only pages of this machine may connect\n")

    async def connected(socket: ServerConnection) -> None:
        async with connections.server() as process:
            if process is None or process.stdin is None or process.stdout is None:
                await socket.close(1013, "too many connections")
                return
            await _first_of(
                _to_server(socket.__aiter__(), process.stdin),
                _to_client(process.stdout, socket.send),
            )

    async with serve_websocket(
        connected, HOST, port, max_size=MAX_MESSAGE, process_request=refuse_foreign
    ) as server:
        _announce(next(iter(server.sockets)).getsockname()[1])
        await server.serve_forever()


async def _to_server(messages: AsyncIterator[str | bytes], sink: asyncio.StreamWriter) -> None:
    async for message in messages:
        body = message.encode() if isinstance(message, str) else message
        sink.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await sink.drain()


async def _to_client(source: asyncio.StreamReader, send: Callable[[str], Awaitable[None]]) -> None:
    """Each message as a text frame, since browsers hand binary ones on as blobs."""
    while True:
        length = 0
        while line := (await source.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        if not length:
            return
        await send((await source.readexactly(length)).decode())


async def _first_of(*ways: Awaitable[None]) -> None:
    """Runs until one direction ends, and ends the other."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _announce(port: int) -> None:
    sys.stdout.write(f"listening on {HOST}:{port}\n")
    sys.stdout.flush()
