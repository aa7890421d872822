"""What a decision costs in Interlock and in its peers, in one process and one run, after they agreed on every decision.

    python benchmarks/evaluator.py [--quick] [--json RESULTS.json] [--only applications …]

Engines take turns, a batch of one request at a time. Each request counts with the median of its rounds, and a table
shows the median and the 99th percentile over requests. The garbage collector rests meanwhile, as in `timeit`.
The peers are `pip install --group peers`; one that is not installed is a gap in the tables.
`--json` keeps the sections that ran, beside those of an earlier run; `page.py` makes `docs/performance.md` of it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from destructive import scenario
from growth import SHAPES, staff
from interlock_engine import ALLOWS, BASE
from interlock_engine import ENGINES as INTERLOCK
from oopsla import stores
from peers import Engine, Json, Workload, installed
from timing import Contender, Summary, race, resident_bytes, seconds

GAP = "-"
MAX_DECISION_MICROSECONDS = 60_000
"""An engine that would take longer at the next size is not taken there."""
MAX_COMPILE_SECONDS = 30.0
MEASURABLE = 10_000
"""Below so many entities, what a process grows by says little about them."""
SLOW_RULES, SLOW_REQUESTS = 10_000, 30
"""From so many rules on, so few requests, since some engines take a tenth of a second for each."""


@dataclass(frozen=True)
class Effort:
    """How much is measured; the final numbers come from `THOROUGH`."""

    rounds: int
    budget: float
    """Seconds for one engine in one table row."""
    requests: int
    sizes: tuple[int, ...]
    rules: tuple[int, ...]
    stores: tuple[int, ...]


QUICK = Effort(3, 0.5, 50, (5, 50), (10, 100, 1_000), (1_000, 10_000))
THOROUGH = Effort(
    7, 1.5, 300, stores.SIZES, (10, 100, 1_000, 10_000), (1_000, 10_000, 100_000, 1_000_000)
)


@dataclass
class Table:
    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    note: str = ""
    numbers: bool = True
    """Whether all columns but the first hold numbers."""

    def text(self) -> str:
        widths = [
            max(len(cells[column]) for cells in (self.columns, *self.rows))
            for column in range(len(self.columns))
        ]

        def line(cells: list[str]) -> str:
            first, *rest = (
                cell.rjust(width) if column and self.numbers else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
            )
            return "  ".join([first, *rest]).rstrip()

        body = [line(self.columns), line(["-" * width for width in widths]), *map(line, self.rows)]
        return "\n".join([self.title, *body, *([self.note] if self.note else []), ""])


@dataclass(frozen=True)
class Prepared:
    """An engine made ready for a workload, and what that took."""

    engine: Engine
    policies: Any
    store: Any
    inputs: list[Any]
    compile_seconds: float
    store_seconds: float


class Bench:
    """One run: what is installed, how much to measure, and the tables so far."""

    def __init__(self, effort: Effort, say: Callable[[str], None]) -> None:
        self.effort = effort
        self.say = say
        self.peers, self.absent = installed()
        self.tables: list[Table] = []
        self.facts: dict[str, Json] = {}
        """What was measured, as numbers: title of a table → engine → what."""

    def add(self, table: Table) -> None:
        self.tables.append(table)
        self.say(table.text())

    def taken(self) -> Json:
        """The tables and facts since this was last asked, as JSON."""
        tables = [asdict(table) for table in self.tables]
        facts, self.tables, self.facts = self.facts, [], {}
        return {"tables": tables, "facts": facts}

    def progress(self, text: str) -> None:
        if sys.stderr.isatty():
            print(f"… {text}", file=sys.stderr, flush=True)

    # (a) and (b)

    def applications(self) -> None:
        """(a) The three applications of the Cedar paper."""
        for application in stores.APPLICATIONS:
            for size in self.effort.sizes:
                self.progress(f"{application}, N = {size}")
                workloads = stores.load(application, size)
                self.compare([_first(w, self.effort.requests // len(workloads)) for w in workloads])

    def destructive(self) -> None:
        """(b) Our own set of destructive operations."""
        workload = scenario.load(decisions_of_interlock)
        self.compare([_first(workload, self.effort.requests)])
        missing = [
            [language, rule, f"not at all: {reason}"]
            for language, rules in scenario.CANNOT_SAY.items()
            for rule, reason in rules.items()
        ]
        otherwise = [list(row) for row in scenario.SAID_OTHERWISE]
        columns = ["language", "rules", "said"]
        title = "What a peer cannot say, or not in its policies alone"
        self.add(Table(title, columns, sorted([*missing, *otherwise]), numbers=False))

    def compare(self, workloads: Sequence[Workload]) -> None:
        """One table: every engine on workloads that have the same policies and each its own store."""
        columns = [
            "engine",
            "median µs",
            "p99 µs",
            "x Interlock",
            "compile ms",
            "store ms",
            "agrees",
        ]
        table = Table(workloads[0].name, columns)
        contenders: list[Contender] = []
        ready: dict[str, tuple[list[Prepared], str]] = {}
        for engine in (*INTERLOCK, *self.peers):
            try:
                prepared = [prepare(engine, workload) for workload in workloads]
                wrong = sum(
                    disagreements(one, workload)
                    for one, workload in zip(prepared, workloads, strict=True)
                )
            except Exception as error:
                self.gap(table, engine, error)
                continue
            total = sum(len(workload.requests) for workload in workloads)
            ready[engine.name] = prepared, f"{total - wrong}/{total}"
            if wrong == 0:
                contenders.append(contender(prepared))
        found = race(contenders, self.effort.rounds, self.effort.budget)
        base = found.get(BASE.name)
        self.facts[table.title] = {name: asdict(summary) for name, summary in found.items()}
        for name, (prepared, agreement) in ready.items():
            summary = found.get(name)
            table.rows.append(
                [
                    name,
                    *_microseconds(summary),
                    _ratio(summary, base),
                    f"{prepared[0].compile_seconds * 1e3:.1f}",
                    f"{sum(p.store_seconds for p in prepared) / len(prepared) * 1e3:.1f}",
                    agreement,
                ]
            )
            for one in prepared:
                one.engine.close(one.policies, one.store)
        for name in self.absent:
            table.rows.append([f"{name} (not installed)", *[GAP] * 6])
        self.add(table)

    def gap(self, table: Table, engine: Engine, error: Exception) -> None:
        """An engine that fails is a row without numbers, and a line that says why."""
        table.rows.append([engine.name, *[GAP] * (len(table.columns) - 1)])
        self.say(f"{table.title}: {engine.name}: {type(error).__name__}: {first_line(error)}")
        if engine in INTERLOCK:
            traceback.print_exception(error)

    # (c)

    def growth(self) -> None:
        """(c) From 10 to 10,000 rules."""
        panels: dict[str, dict[str, list[tuple[float, float]]]] = {}
        for shape, generate in SHAPES.items():
            medians: dict[str, dict[int, float]] = {}
            compiling: dict[str, dict[int, float]] = {}
            stopped: dict[str, str] = {}
            for size in self.effort.rules:
                self.progress(f"{shape}, {size:,} rules")
                few = SLOW_REQUESTS if size >= SLOW_RULES else self.effort.requests
                workload = _first(generate(size), few)
                prepared = {}
                for engine in (BASE, ALLOWS, *self.peers):
                    if engine.name in stopped:
                        continue
                    try:
                        one = prepare(engine, workload, repeats=1)
                        wrong = disagreements(one, workload)
                    except Exception as error:
                        stopped[engine.name] = f"at {size:,} rules: {first_line(error)}"
                        continue
                    if wrong:
                        stopped[engine.name] = f"at {size:,} rules: {wrong} wrong decisions"
                        continue
                    prepared[engine.name] = one
                    compiling.setdefault(engine.name, {})[size] = one.compile_seconds
                found = race(
                    [contender([one]) for one in prepared.values()],
                    self.effort.rounds,
                    self.effort.budget,
                )
                for name, one in prepared.items():
                    medians.setdefault(name, {})[size] = found[name].median
                    if found[name].median * 10 > MAX_DECISION_MICROSECONDS:
                        stopped[name] = f"{found[name].median / 1e3:.0f} ms at {size:,} rules"
                    elif one.compile_seconds > MAX_COMPILE_SECONDS:
                        stopped[name] = f"compiling took {one.compile_seconds:.0f} s at {size:,}"
                    one.engine.close(one.policies, one.store)
            self.growth_table(shape, medians, compiling, stopped)
            panels[shape] = {
                name: [(float(size), median) for size, median in sizes.items()]
                for name, sizes in medians.items()
            }
        self.facts["panels"] = panels

    def growth_table(
        self,
        shape: str,
        medians: dict[str, dict[int, float]],
        compiling: dict[str, dict[int, float]],
        stopped: dict[str, str],
    ) -> None:
        sizes = self.effort.rules
        last = sizes[-1]
        table = Table(
            f"Growth, {shape}: median µs by the number of rules",
            [
                "engine",
                *[f"{size:,}" for size in sizes],
                f"x Interlock at {last:,}",
                f"compile s at {last:,}",
                f"KB a rule at {last:,}",
            ],
        )
        base = medians.get(BASE.name, {}).get(last)
        for name in dict.fromkeys([*medians, *stopped]):
            found = medians.get(name, {})
            reached = found.get(last)
            memory = GAP
            if reached is not None:
                cell = run_cell({"cell": "rules", "engine": name, "shape": shape, "size": last})
                memory = f"{cell['bytes'] / last / 1024:.2f}" if "bytes" in cell else GAP
                self.facts.setdefault(f"growth, {shape}", {})[name] = {
                    "medians": {str(size): median for size, median in found.items()},
                    "compile": compiling[name][last],
                    "bytes": cell.get("bytes"),
                    "load": cell.get("load"),
                    "rules": last,
                }
            table.rows.append(
                [
                    name,
                    *[_number(found.get(size)) for size in sizes],
                    f"{reached / base:.1f}" if reached and base else GAP,
                    f"{compiling[name][last]:.2f}" if last in compiling.get(name, {}) else GAP,
                    memory,
                ]
            )
        reasons = {name: why for name, why in stopped.items() if last not in medians.get(name, {})}
        table.note = "\n".join(f"{name} stopped: {why}." for name, why in reasons.items())
        self.add(table)

    # (d)

    def entities(self) -> None:
        """(d) From 1,000 to 1,000,000 entities; each cell in a process of its own."""
        table = Table(
            "Stores by their number of entities",
            [
                "engine",
                "entities",
                "build s",
                "bytes an entity",
                "of it JSON",
                "beyond",
                "median µs",
                "p99 µs",
            ],
            note="Build: from the JSON text that the engine reads to a store that is ready. Bytes: the growth of the "
            "process, less what is free again.",
        )
        for size in self.effort.stores:
            self.progress(f"{size:,} entities")
            workload = staff(size)
            expected = ""
            with tempfile.TemporaryDirectory() as folder:
                requests = Path(folder, "requests.json")
                requests.write_text(json.dumps(workload.requests))
                for engine in (BASE, *self.peers):
                    if not engine.has_store:
                        continue
                    text = engine.document(workload.entities)
                    path = Path(folder, "document.json")
                    path.write_bytes(text)
                    cell = run_cell(
                        {
                            "cell": "store",
                            "engine": engine.name,
                            "document": str(path),
                            "requests": str(requests),
                            "rounds": self.effort.rounds,
                        }
                    )
                    path.unlink()
                    if "error" in cell:
                        table.rows.append([engine.name, f"{size:,}", *[GAP] * 6])
                        self.say(f"{engine.name}, {size:,} entities: {cell['error'][:200]}")
                        continue
                    each, own = cell["bytes"] / size, len(text) / size
                    table.rows.append(
                        [
                            engine.name,
                            f"{size:,}",
                            f"{cell['build']:.2f}",
                            f"{each:,.0f}" if size >= MEASURABLE else GAP,
                            f"{own:,.0f}",
                            f"{each - own:,.0f}" if size >= MEASURABLE else GAP,
                            _number(cell["median"]),
                            _number(cell["p99"]),
                        ]
                    )
                    fact = {key: cell[key] for key in ("bytes", "build", "median", "p99")}
                    self.facts.setdefault(engine.name, {})[str(size)] = {**fact, "json": len(text)}
                    expected = expected or cell["decisions"]
                    if cell["decisions"] != expected:
                        table.rows[-1][0] += " (disagrees)"
        without = [engine.name for engine in self.peers if not engine.has_store]
        table.note += f" {', '.join(without)}: no store." if without else ""
        self.add(table)

    # (e)

    def bytes(self) -> None:
        """(e) JSON bytes in, JSON bytes out."""
        for workload in (stores.load("github", 50)[0], scenario.load(decisions_of_interlock)):
            workload = _first(workload, self.effort.requests)
            table = Table(
                f"JSON bytes in, JSON bytes out: {workload.name}",
                ["engine", "median µs", "p99 µs", "x Interlock"],
                note="Regorus reads and writes the text itself; Interlock and Cedar name the rules that decided.",
            )
            contenders = []
            prepared = []
            for engine in (BASE, *self.peers):
                try:
                    one = prepare(engine, workload)
                    decide = engine.json_decider(one.policies, one.store)
                    bodies = [engine.encode(request, one.store) for request in workload.requests]
                    wrong = sum(
                        permits(decide(body)) != wanted
                        for body, wanted in zip(
                            bodies, workload.expected_in(engine.language), strict=True
                        )
                    )
                    if wrong:
                        raise ValueError(f"{wrong} wrong decisions")
                except Exception as error:
                    self.gap(table, engine, error)
                    continue
                prepared.append(one)
                contenders.append(Contender(engine.name, decide, bodies))
            found = race(contenders, self.effort.rounds, self.effort.budget)
            for name, summary in found.items():
                table.rows.append(
                    [name, *_microseconds(summary), _ratio(summary, found.get(BASE.name))]
                )
            for one in prepared:
                one.engine.close(one.policies, one.store)
            self.add(table)


def prepare(engine: Engine, workload: Workload, repeats: int = 3) -> Prepared:
    text = workload.texts[engine.language]
    compile_seconds, policies = seconds(lambda: engine.compile(text), repeats)
    document = engine.document(workload.entities)
    store_seconds, store = seconds(lambda: engine.store(policies, document), 1)
    inputs = [engine.input(request, store) for request in workload.requests]
    return Prepared(engine, policies, store, inputs, compile_seconds, store_seconds)


def disagreements(prepared: Prepared, workload: Workload) -> int:
    decide = prepared.engine.decider(prepared.policies, prepared.store)
    expected = workload.expected_in(prepared.engine.language)
    return sum(
        decide(item) != wanted for item, wanted in zip(prepared.inputs, expected, strict=True)
    )


def contender(prepared: Sequence[Prepared]) -> Contender:
    """One engine over several stores: each input goes to the decider of its own store."""
    name = prepared[0].engine.name
    deciders = [one.engine.decider(one.policies, one.store) for one in prepared]
    if len(deciders) == 1:
        return Contender(name, deciders[0], prepared[0].inputs)
    inputs = [
        (decide, item)
        for decide, one in zip(deciders, prepared, strict=True)
        for item in one.inputs
    ]
    return Contender(name, lambda pair: pair[0](pair[1]), inputs)


def permits(answer: bytes) -> bool:
    """What a decision as JSON says, in the words of any engine."""
    match json.loads(answer):
        case True | {"allow": True} | {"decision": "Allow"} | {"outcome": "permit"}:
            return True
        case _:
            return False


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:120]


def decisions_of_interlock(
    text: str, entities: Sequence[Json], requests: Sequence[Json]
) -> list[bool]:
    policies = BASE.compile(text)
    store = BASE.store(policies, BASE.document(entities))
    return [BASE.decider(policies, store)(request) for request in requests]


# Cells: measurements that need a process of their own, since memory that was once used stays with a process


def run_cell(task: Json) -> Json:
    result = subprocess.run(
        [sys.executable, __file__, "--cell", json.dumps(task)], capture_output=True, text=True
    )
    if result.returncode:
        return {"error": result.stderr.strip().rpartition("\n")[2] or f"exit {result.returncode}"}
    return json.loads(result.stdout.splitlines()[-1])


def cell(task: Json) -> Json:
    engines = [*INTERLOCK, *installed()[0]]
    engine = next(engine for engine in engines if engine.name == task["engine"])
    if task["cell"] == "rules":
        workload = SHAPES[task["shape"]](task["size"])
        text, document = workload.texts[engine.language], engine.document(workload.entities)
        # What loads at the first use does not count.
        engine.compile(SHAPES[task["shape"]](2).texts[engine.language])
        before = resident_bytes()
        policies = engine.compile(text)
        store = engine.store(policies, document)
        # OPA compiles at the first decision.
        engine.decider(policies, store)(engine.input(workload.requests[0], store))
        return {"bytes": resident_bytes() - before, "load": engine.load_seconds(text)}
    requests = json.loads(Path(task["requests"]).read_text())
    small = staff(100)
    policies = engine.compile(small.texts[engine.language])
    engine.store(policies, engine.document(small.entities))
    document = Path(task["document"]).read_bytes()
    before = resident_bytes()
    build, store = seconds(lambda: engine.store(policies, document), 1)
    taken = resident_bytes() - before
    decide = engine.decider(policies, store)
    inputs = [engine.input(request, store) for request in requests]
    decisions = [decide(item) for item in inputs]
    found = race([Contender("", decide, inputs)], task["rounds"], 5.0)[""]
    return {
        "bytes": taken,
        "build": build,
        "median": found.median,
        "p99": found.p99,
        "decisions": "".join("01"[decision] for decision in decisions),
    }


# Formatting


def _first(workload: Workload, count: int) -> Workload:
    expected = {language: values[:count] for language, values in workload.expected.items()}
    return Workload(
        workload.name, workload.texts, workload.entities, workload.requests[:count], expected
    )


def _number(value: float | None) -> str:
    if value is None:
        return GAP
    return f"{value:,.2f}" if value < 10 else f"{value:,.1f}" if value < 1_000 else f"{value:,.0f}"


def _microseconds(summary: Summary | None) -> list[str]:
    return [_number(summary.median), _number(summary.p99)] if summary else [GAP, GAP]


def _ratio(summary: Summary | None, base: Summary | None) -> str:
    return f"{summary.median / base.median:.2f}" if summary and base else GAP


def setting(bench: Bench, quick: bool) -> Json:
    """Where and with what a section was measured."""
    engines = {engine.distribution: "" for engine in (BASE, *bench.peers)}
    for name in engines:
        try:
            engines[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            engines[name] = "unknown version"
    return {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {platform.system()}, {os.cpu_count()} processors",
        "busy": round(os.getloadavg()[0], 1),
        "engines": engines,
        "absent": bench.absent,
        "quick": quick,
    }


def _heading(found: Json) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in found["engines"].items())
    return (
        f"Python {found['python']} on {found['machine']}; {versions}.\n"
        + "".join(f"{name} is not installed: {why}.\n" for name, why in found["absent"].items())
        + ("A quick run: few repetitions, so numbers are rough.\n" if found["quick"] else "")
    )


SECTIONS: dict[str, Callable[[Bench], None]] = {
    "applications": Bench.applications,
    "destructive": Bench.destructive,
    "growth": Bench.growth,
    "entities": Bench.entities,
    "bytes": Bench.bytes,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions and small sizes")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also keep what was measured")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--cell", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.cell:
        print(json.dumps(cell(arguments.cell)))
        return
    bench = Bench(QUICK if arguments.quick else THOROUGH, lambda text: print(text, flush=True))
    bench.say(_heading(setting(bench, arguments.quick)))
    results = json.loads(arguments.json.read_text()) if _exists(arguments.json) else {}
    for name in arguments.only:
        if name in ("applications", "bytes") and not stores.CORPUS.is_dir():
            bench.say(f"{name}: left out, since the corpora are not beside the checkout\n")
            continue
        found, before = setting(bench, arguments.quick), time.monotonic()
        SECTIONS[name](bench)
        results[name] = {**found, "seconds": round(time.monotonic() - before), **bench.taken()}
        if arguments.json:
            arguments.json.parent.mkdir(parents=True, exist_ok=True)
            arguments.json.write_text(json.dumps(results, indent=1) + "\n")


def _exists(path: Path | None) -> bool:
    return path is not None and path.exists()


if __name__ == "__main__":
    main()
