"""Proofs in processes of their own, with a limit on time and memory each: reaching one is `unknown` with its name.

A child is a fork of the process that compiled the policies, so that nothing is sent to it; it answers with the verdict
as plain values. The parent ends whatever runs longer than it may.
"""

import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from ..compiler.backends.smt.circuit import CircuitTooLargeError

MEMORY_BYTES = 4 * 1024**3
NICENESS = 5

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """What a task gave."""

    value: Result


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why a task gave nothing."""

    why: str


def run(
    tasks: Sequence[Task],
    work: Callable[[Task], Result],
    *,
    timeout: float,
    jobs: int,
) -> Iterator[tuple[int, Done[Result] | Stopped]]:
    """`work` on each task, at most `jobs` at once, as `(position, answer)` in the order in which they end.

    `timeout` is in seconds for each task. Results must be picklable.
    """
    context = get_context("fork")
    waiting = list(enumerate(tasks))[::-1]
    running: dict[Connection, tuple[int, Any, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < max(jobs, 1):
                position, task = waiting.pop()
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_child, args=(sender, work, task), daemon=True)
                process.start()
                sender.close()
                running[receiver] = (position, process, time.monotonic() + timeout)
            soonest = min(deadline for _, _, deadline in running.values())
            for ready in wait(list(running), max(0.0, soonest - time.monotonic())):
                assert isinstance(ready, Connection)
                position, process, _ = running.pop(ready)
                yield position, _receive(ready)
                process.join()
            now = time.monotonic()
            for receiver, (position, process, deadline) in list(running.items()):
                if deadline <= now:
                    del running[receiver]
                    process.kill()
                    process.join()
                    receiver.close()
                    yield position, Stopped(f"the time limit of {timeout:g} s was reached")
    finally:
        for receiver, (_, process, _) in running.items():
            process.kill()
            process.join()
            receiver.close()


def _receive(receiver: Connection) -> Any:
    try:
        return receiver.recv()
    except EOFError:
        return Stopped("the solver ended without an answer, perhaps for want of memory")
    finally:
        receiver.close()


def _child(sender: Connection, work: Callable[[Any], Any], task: Any) -> None:
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        answer: Any = Done(work(task))
    except MemoryError:
        answer = Stopped(f"the memory limit of {MEMORY_BYTES // 1024**3} GiB was reached")
    except CircuitTooLargeError as reached:
        answer = Stopped(f"the conditions are too involved: {reached}")
    except Exception as error:
        # Told to the user as undecided, since nothing that fails here may pass for a proof.
        answer = Stopped(f"the prover failed (please report this): {error!r}")
    sender.send(answer)
    sender.close()
