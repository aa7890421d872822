"""The prover as a process of its own, started ahead of need; a proof begins at once, and ends when it is killed."""

import asyncio
import contextlib
import sys


class Prover:
    """A process of its own, started ahead of need. What it says is read line by line."""

    def __init__(self) -> None:
        self._starting: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._ended: set[asyncio.Task[None]] = set()

    async def take(self) -> asyncio.subprocess.Process:
        """A process that is ready; the next one is started at once."""
        starting = self._starting or asyncio.ensure_future(_start())
        self._starting = None
        # A task that is cancelled here must not lose the process that is on its way.
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            self._starting = self._starting or starting
            raise
        self.warm()
        return process

    def warm(self) -> None:
        if self._starting is None:
            self._starting = asyncio.ensure_future(_start())

    def end(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        task = asyncio.ensure_future(_reaped(process))
        self._ended.add(task)
        task.add_done_callback(self._ended.discard)

    async def close(self) -> None:
        if self._starting is not None:
            self.end(await self._starting)
            self._starting = None
        await asyncio.gather(*self._ended)


async def _start() -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "interlock.lsp.prover",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, limit=64 * 1024 * 1024,
    )  # fmt: skip
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def _reaped(process: asyncio.subprocess.Process) -> None:
    await process.wait()
