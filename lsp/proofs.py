"""Claims proved in the background while a policy is written: what is stale is ended, what is known is kept.

A claim is known by what its proof rests on: the claim, the rules whose scope it meets, their definitions. While
these are the same objects the state stands; when they are read anew the prover compares digests before it proves.
"""

import asyncio
import importlib.util
import json
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from ..lang.source import Span
from .analysis import Analysis
from .claims import ClaimState, Status
from .grounds import Ground, grounds_of, same_ground, still_stands
from .prover_process import Prover

QUIET_SECONDS = 0.25
"""How long nothing is typed before claims are proved."""
GRACE_SECONDS = 20.0
"""How long the prover may take to read a policy set, beside the time for each claim."""
MAX_KNOWN = 500


def can_prove() -> bool:
    """Whether the prover and its solvers are installed."""
    return all(
        importlib.util.find_spec(name) is not None
        for name in ("interlock.analyzer.prove", "z3", "pysat")
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """A state and what it rests on."""

    state: ClaimState
    ground: Ground


@dataclass(frozen=True, slots=True)
class _Run:
    """The claims of a policy set on their way to a verdict, and those of them that have none yet."""

    task: asyncio.Task[None]
    claims: dict[str, Ground]
    left: dict[str, Ground]
    aside: bool


class Proofs:
    """The claims of every policy set; `changed` is called when a state is new."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._prover = Prover()
        self._held: MutableMapping[Analysis, dict[str, _Held]] = WeakKeyDictionary()
        """By policy set, then by the name of the claim."""
        self._known: dict[str, ClaimState] = {}
        """By the digest of a claim and its slice."""
        self._running: dict[Analysis, _Run] = {}
        self._grounds: MutableMapping[Analysis, tuple[int, dict[str, Ground]]] = WeakKeyDictionary()
        self._aside = asyncio.Lock()
        """Held by the one of the sets nobody looks at that is being proved."""

    def states(self, analysis: Analysis) -> dict[str, ClaimState]:
        """The state of every claim of a policy set, as of its text."""
        held = self._held.get(analysis, {})
        running = self._running.get(analysis)
        found: dict[str, ClaimState] = {}
        grounds = self._grounds_of(analysis)
        for name, ground in grounds.items():
            known = held.get(name)
            if known is not None and same_ground(known.ground, ground):
                found[name] = known.state
            elif running is not None and name in running.claims:
                found[name] = ClaimState(name, Status.RUNNING)
            elif known is not None and not analysis.sound and still_stands(known.ground, analysis):
                found[name] = _stale(known.state)
            elif known is not None:
                message = "the policies changed since it was decided"
                found[name] = ClaimState(name, Status.STALE, message)
        return found

    def holds(self, analysis: Analysis) -> bool:
        """Whether some claim of a policy set was decided."""
        return bool(self._held.get(analysis))

    def update(
        self, analysis: Analysis, seconds: float, *, now: bool = False, aside: bool = False
    ) -> None:
        """Proves what is not known, once nothing was typed for a moment; ends what is stale.

        What nobody looks at is proved `aside`, one policy set after the other.
        """
        grounds = self._grounds_of(analysis)
        held = self._held.setdefault(analysis, {})
        open_claims = {
            name: ground
            for name, ground in grounds.items()
            if name not in held or not same_ground(held[name].ground, ground)
        }
        running = self._running.get(analysis)
        if running is not None:
            same = running.left.keys() == open_claims.keys() and all(
                same_ground(running.left[name], ground) for name, ground in open_claims.items()
            )
            if same and aside >= running.aside:
                return
            running.task.cancel()
            del self._running[analysis]
        if not open_claims or not analysis.sound:
            return
        texts = {file: document.text.source for file, document in analysis.documents.items()}
        wait = 0.0 if now else QUIET_SECONDS
        left = dict(open_claims)
        work = self._prove(analysis, texts, left, seconds, wait, aside=aside)
        self._running[analysis] = _Run(asyncio.ensure_future(work), open_claims, left, aside)

    def end_others(self, analyses: Iterable[Analysis]) -> None:
        """Ends what is proved of policy sets that are no more."""
        for analysis in self._running.keys() - set(analyses):
            self._running.pop(analysis).task.cancel()

    def _grounds_of(self, analysis: Analysis) -> dict[str, Ground]:
        known = self._grounds.get(analysis)
        if known is None or known[0] != analysis.revision:
            known = analysis.revision, grounds_of(analysis)
            self._grounds[analysis] = known
        return known[1]

    def forget(self, analysis: Analysis, name: str) -> None:
        """Has a claim proved again, whatever is known of it."""
        held = self._held.get(analysis, {}).pop(name, None)
        if held is not None:
            self._known = {key: one for key, one in self._known.items() if one is not held.state}

    def waiting(self) -> int:
        """How many claims are on their way to a verdict."""
        return sum(len(run.left) for run in self._running.values())

    def cancel(self) -> None:
        """Gives up on what is being proved, until it is asked for or what it rests on changes."""
        for analysis, run in self._running.items():
            run.task.cancel()
            for name, ground in run.left.items():
                state = ClaimState(name, Status.UNKNOWN, "its proof was cancelled")
                self._held[analysis][name] = _Held(state, ground)
        self._running.clear()
        self._changed()

    async def close(self) -> None:
        for run in self._running.values():
            run.task.cancel()
        await self._prover.close()

    async def _prove(
        self,
        analysis: Analysis,
        texts: dict[str, str],
        left: dict[str, Ground],
        seconds: float,
        wait: float,
        *,
        aside: bool,
    ) -> None:
        await asyncio.sleep(wait)
        async with self._aside if aside else nullcontext():
            while left:
                stopped = await self._ask(analysis, texts, left, seconds)
                if stopped is None:
                    break
                name, why = stopped
                held = _Held(ClaimState(name, Status.UNKNOWN, why), left.pop(name))
                self._held[analysis][name] = held
                self._changed()
        current = self._running.get(analysis)
        if current is not None and current.task is asyncio.current_task():
            del self._running[analysis]
        self._changed()

    async def _ask(
        self,
        analysis: Analysis,
        texts: dict[str, str],
        left: dict[str, Ground],
        seconds: float,
    ) -> tuple[str, str] | None:
        """Proves claims in one process; gives the one at which it came to an end, and why."""
        process = await self._prover.take()
        assert process.stdin is not None and process.stdout is not None
        current = next(iter(left))
        try:
            request = {"texts": texts, "claims": list(left), "known": list(self._known)}
            process.stdin.write(json.dumps(request).encode() + b"\n")
            wait = GRACE_SECONDS
            while True:
                line = await asyncio.wait_for(process.stdout.readline(), wait)
                if not line:
                    why = "the prover ended without an answer, perhaps for want of memory"
                    return _open_claim(current, left), why
                answer = json.loads(line)
                if answer.get("done"):
                    why = "the prover has no answer to such a claim"
                    for name, ground in left.items():
                        self._held[analysis][name] = _Held(
                            ClaimState(name, Status.UNKNOWN, why), ground
                        )
                    return None
                current, wait = answer["claim"], seconds
                state = self._known.get(answer["digest"])
                if "verdict" in answer:
                    state = _state(analysis, answer)
                    self._keep(answer["digest"], state)
                if state is not None and current in left:
                    ground = left.pop(current)
                    self._held[analysis][current] = _Held(
                        _current(analysis, current, state), ground
                    )
                    self._changed()
                    wait = GRACE_SECONDS
                    if not left:
                        return None
        except TimeoutError:
            return _open_claim(current, left), f"the time limit of {seconds:g} s was reached"
        finally:
            self._prover.end(process)

    def _keep(self, digest: str, state: ClaimState) -> None:
        self._known[digest] = state
        if len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]


def _open_claim(current: str, left: dict[str, Ground]) -> str:
    """The claim at which a prover came to an end: the one it was at, or the next."""
    return current if current in left else next(iter(left))


def _state(analysis: Analysis, answer: dict[str, Any]) -> ClaimState:
    notes = []
    for text, file, start, end in answer["notes"]:
        span = _span(analysis, file, start, end)
        if span is not None:
            notes.append((text, span))
    return ClaimState(
        answer["claim"],
        Status(answer["verdict"]),
        answer["message"],
        "\n".join(answer["counterexample"]),
        tuple(notes),
        answer["test"],
        answer["milliseconds"],
    )


def _stale(state: ClaimState) -> ClaimState:
    """A state whose own text is as it was, while other text cannot be compiled: the counterexample stays."""
    message = f"it was {state.status}, and the policies do not compile now"
    return replace(state, status=Status.STALE, message=message, was=state.status)


def _current(analysis: Analysis, name: str, state: ClaimState) -> ClaimState:
    """A state that may have been found for an older text: places of that text are no places any more."""
    fragments = {entry.declaration.span.fragment for entry in analysis.entries.values()}
    notes = tuple(note for note in state.notes if note[1].fragment in fragments)
    return replace(state, name=name, notes=notes)


def _span(analysis: Analysis, file: str, start: int, end: int) -> Span | None:
    document = analysis.documents.get(file)
    part = document.part_at(start) if document is not None else None
    if part is None:
        return None
    offset = part.fragment.offset
    return Span(part.fragment, start - offset, end - offset)
