"""Claims on their way to a verdict as progress that a client shows, and that its user may cancel."""

import asyncio
import logging
from collections.abc import Callable

from lsprotocol.types import WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport
from pygls.exceptions import JsonRpcException
from pygls.progress import Progress

from .proofs import Proofs

logger = logging.getLogger(__name__)
SHOWN_AFTER_SECONDS = 0.5
"""What is decided at once shows no progress, so that nothing flickers while typing."""
STEP_SECONDS = 0.1


class ProofProgress:
    def __init__(self, proofs: Proofs, progress: Callable[[], Progress]) -> None:
        self._proofs = proofs
        self._progress = progress
        self._task: asyncio.Task[None] | None = None
        self._count = 0

    def follow(self) -> None:
        """Shows what is being proved, if it takes long enough to be seen."""
        if self._proofs.waiting() and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._show())

    async def _show(self) -> None:
        await asyncio.sleep(SHOWN_AFTER_SECONDS)
        if not self._proofs.waiting():
            return
        progress = self._progress()
        self._count += 1
        token = f"interlock.prove.{self._count}"
        try:
            await progress.create_async(token)
        except JsonRpcException as problem:
            logger.warning("the client shows no progress: %s", problem)
            return
        progress.begin(token, WorkDoneProgressBegin("Proving claims", cancellable=True))
        told = 0
        while left := self._proofs.waiting():
            if progress.tokens[token].cancelled():
                self._proofs.cancel()
                break
            if left != told:
                progress.report(token, WorkDoneProgressReport(message=f"{left} left"))
                told = left
            await asyncio.sleep(STEP_SECONDS)
        progress.end(token, WorkDoneProgressEnd())
        del progress.tokens[token]
