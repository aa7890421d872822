"""Times contenders side by side: interleaved rounds, batches against the clock's own cost, medians over requests."""

import ctypes
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

BATCH_NANOSECONDS = 20_000
"""A batch repeats one request at least this long, so that reading the clock is below one percent of it."""


@dataclass(frozen=True)
class Contender:
    name: str
    decide: Callable[[Any], object]
    inputs: Sequence[Any]


@dataclass(frozen=True)
class Summary:
    """Over requests, each of which stands for the median of its rounds; in microseconds."""

    median: float
    p99: float


def race(contenders: Sequence[Contender], rounds: int, budget: float) -> dict[str, Summary]:
    """Contenders take turns round by round; a slow one stops after `budget` seconds, with at least one round."""
    times: dict[str, list[list[float]]] = {
        contender.name: [[] for _ in contender.inputs] for contender in contenders
    }
    batches = {}
    allowed = {}
    for contender in contenders:
        cost = _pass(contender)
        cost = min(cost, _pass(contender)) if cost < budget else cost
        each = cost * 1e9 / len(contender.inputs)
        batches[contender.name] = max(1, min(200, round(BATCH_NANOSECONDS / max(each, 1))))
        batched = cost * batches[contender.name]
        allowed[contender.name] = max(1, min(rounds, round(budget / max(batched, 1e-9))))
    gc.collect()
    gc.disable()
    try:
        for round_number in range(rounds):
            turn = round_number % len(contenders)
            for contender in (*contenders[turn:], *contenders[:turn]):
                if round_number < allowed[contender.name]:
                    _round(contender, batches[contender.name], times[contender.name])
            gc.collect()
    finally:
        gc.enable()
    return {name: summary([statistics.median(t) for t in each]) for name, each in times.items()}


def _pass(contender: Contender) -> float:
    """Seconds for every request once; also the warm-up."""
    decide = contender.decide
    before = time.perf_counter()
    for item in contender.inputs:
        decide(item)
    return time.perf_counter() - before


def _round(contender: Contender, batch: int, times: list[list[float]]) -> None:
    decide = contender.decide
    clock = time.perf_counter_ns
    for item, found in zip(contender.inputs, times, strict=True):
        before = clock()
        for _ in repeat(None, batch):
            decide(item)
        found.append((clock() - before) / batch / 1000)


def summary(values: Sequence[float]) -> Summary:
    ordered = sorted(values)
    return Summary(
        statistics.median(ordered), ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    )


def seconds(action: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """The median time of an action with its last result; what takes over half a second runs once."""
    times = []
    for _ in range(repeats):
        before = time.perf_counter()
        result = action()
        times.append(time.perf_counter() - before)
        if times[0] > 0.5:
            break
    return statistics.median(times), result


def resident_bytes() -> int:
    """What this process holds in memory now, after giving back what it can (Linux)."""
    gc.collect()
    with suppress(AttributeError, OSError):  # C libraries other than glibc
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
