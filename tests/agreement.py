"""Generated policies and requests before every back end, by the hundred thousand: `make agreement`.

    python tests/agreement.py [--requests 100000] [--seconds 3600] [--processes 2] [--folder .agreement]

A round is a seed: forty policy sets, each with a store and many requests, so that compiling is paid once for many.
Rounds that are done stand in the folder, and the next run goes on after them; only those count that these very
sources went through. A disagreement is printed with its smallest example, and the exit code is 1.
"""

import argparse
import hashlib
import json
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from backends import program_of, vendored_module
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st
from sql_rows import decide_in_sqlite
from strategies import IDS, World, json_values, partial_stores, policy_sets, stores, worlds

from interlock.cli.decisions import decision_document
from interlock.compiler.backends.python import program as generator
from interlock.compiler.backends.python.runtime import entities_of
from interlock.compiler.decision import Outcome
from interlock.compiler.documents import Misfit
from interlock.compiler.ir import PolicySet
from interlock.compiler.judge import decide_document
from interlock.compiler.wire import missing_entities, read_entities, read_request

Json = Any
SETS_IN_A_ROUND, REQUESTS_OF_A_SET = 40, 150
VARIANTS = 12
"""How many contexts are drawn for each kind of request; who asks and about what varies beside."""


def looked_up(policies: PolicySet) -> PolicySet:
    """The same policies, whose rules generated code looks up however few they are."""
    other = PolicySet(policies.schema, policies.rules, policies.digest + " looked up")
    limit, generator.MAX_INLINE_RULES = generator.MAX_INLINE_RULES, 0
    try:
        program_of(other)
    finally:
        generator.MAX_INLINE_RULES = limit
    return other


def drawn_requests(data: st.DataObject, world: World, count: int) -> list[Json]:
    """Different requests of every kind the schema admits, with some that do not fit."""
    kinds = []
    for one in world.schema.environments():
        context = json_values(world.schema.actions[one.action].context)
        kinds.append((one, [data.draw(context) for _ in range(VARIANTS)]))
    chance = random.Random(data.draw(st.integers(0, 2**32)))  # noqa: S311  # drawn, so that it can be drawn again
    found: dict[str, Json] = {}
    for _ in range(count if kinds else 0):
        one, contexts = chance.choice(kinds)
        request = {
            "principal": {"type": one.principal, "id": chance.choice(IDS)},
            "action": {"type": "Action", "id": one.action},
            "resource": {"type": one.resource, "id": chance.choice(IDS)},
            "context": chance.choice(contexts),
        }
        if chance.random() < 0.05:
            name = chance.choice(sorted(request))
            request[name] = chance.choice([request[chance.choice(sorted(request))], None, []])
        found[json.dumps(request)] = request
    return [*found.values()]


def compare(
    policies: PolicySet, documents: Json, requests: list[Json], counts: Counter[str]
) -> None:
    """Asserts that all back ends decide and explain each request as the reference does."""
    try:
        entities = read_entities(policies.schema, documents)
    except Misfit:
        return
    lookup = looked_up(policies)
    programs = [program_of(policies), program_of(lookup)]
    stores_ = [entities_of(program.world, documents) for program in programs]
    module = vendored_module(policies)
    carried = module["read_store"](documents)
    for request in requests:
        counts["requests"] += 1
        expected = decide_document(policies, request, entities)
        inline, indexed = (
            program.decide(request, store) for program, store in zip(programs, stores_, strict=True)
        )
        assert inline == expected, f"generated code: {inline}\n{expected}"
        assert inline.id == expected.id
        facts = (expected.outcome, expected.reasons, expected.needs, expected.problems)
        assert indexed[:4] == facts, f"looked up: {indexed[:4]}\n{facts}"
        permitted = expected.outcome is Outcome.PERMIT
        for program, store in zip(programs, stores_, strict=True):
            assert program.allows(request, store) == permitted
        assert module["decide"](request, carried) == decision_document(expected)
        counts[str(expected.outcome)] += 1
        counts["with a problem"] += bool(expected.problems)
        try:
            asked = read_request(policies.schema, request)
        except Misfit:
            continue
        if not missing_entities(asked, entities):
            try:
                outcome = decide_in_sqlite(policies, asked, entities)
            except OverflowError:
                counts["with a number that SQLite cannot store"] += 1
                continue
            assert isinstance(outcome, list) or outcome == expected.outcome, f"SQL: {outcome}"
            counts["refused by SQL" if isinstance(outcome, list) else "decided by SQL"] += 1


def run_round(number: int, sets: int = SETS_IN_A_ROUND) -> tuple[dict[str, int], str]:
    """What was counted in one round, and the disagreement that ended it, if one did."""
    counts: Counter[str] = Counter()

    @seed(number)
    @settings(
        max_examples=sets,
        deadline=None,
        database=None,
        # An example with a hundred requests shrinks for minutes; what failed is printed instead.
        phases=(Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
        ],
    )
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        world = data.draw(worlds())
        sample = data.draw(policy_sets(world, least=1, most=6))
        note(sample.text)
        documents = data.draw(stores(world) if data.draw(st.booleans()) else partial_stores(world))
        requests = drawn_requests(data, world, REQUESTS_OF_A_SET)
        counts["policy sets"] += 1
        compare(sample.compile(), documents, requests, counts)

    run: Callable[[], None] = agree
    try:
        run()
    except Exception:
        return dict(counts), traceback.format_exc()
    return dict(counts), ""


def fingerprint() -> str:
    """Names what is compared: the sources of language and compiler."""
    root = Path(__file__).parent.parent
    files = sorted(file for room in ("lang", "compiler") for file in (root / room).rglob("*.*"))
    read = b"".join(file.read_bytes() for file in files if file.suffix in (".py", ".lark"))
    return hashlib.sha256(read).hexdigest()[:16]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=3_600.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path(".agreement"))
    arguments = parser.parse_args()
    arguments.folder.mkdir(exist_ok=True)
    total: Counter[str] = Counter()
    sources = fingerprint()
    numbers = [-1]
    for file in arguments.folder.glob("*.json"):
        made_of, _, number = file.stem.partition("-")
        numbers.append(int(number))
        if made_of == sources:
            total.update(json.loads(file.read_text()))
    end = time.monotonic() + arguments.seconds
    wrong = 0
    with ProcessPoolExecutor(arguments.processes) as pool:
        following = max(numbers) + 1
        running: set[Future[tuple[dict[str, int], str]]] = set()
        while (total["requests"] < arguments.requests and time.monotonic() < end) or running:
            while (
                len(running) < arguments.processes
                and total["requests"] < arguments.requests
                and time.monotonic() < end
            ):
                future = pool.submit(run_round, following)
                future.number = following  # type: ignore[attr-defined]
                running.add(future)
                following += 1
            finished = next(as_completed(running))
            running.discard(finished)
            counts, problem = finished.result()
            number = finished.number  # type: ignore[attr-defined]
            if problem:
                wrong += 1
                print(f"round {number}:\n{problem}", flush=True)
                continue
            total.update(counts)
            (arguments.folder / f"{sources}-{number}.json").write_text(json.dumps(counts))
    said = ", ".join(f"{count:,} {name}" for name, count in sorted(total.items()))
    print(f"{total['requests']:,} requests before every back end, {wrong} disagreements: {said}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
