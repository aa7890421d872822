"""What proofs cost on 1,000 and 10,000 rules, beside cvc5 with its own strings: seconds and megabytes, as Markdown.

Each measurement is a process of its own that draws the rules first, so that megabytes include them and seconds do not.
It is repeated, and the least counts; the processor's seconds depend less on what else the machine does.
The ratio is of these.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from os import cpu_count
from pathlib import Path
from typing import Any

from proof_rules import QUESTIONS, Drawn, changed, compiled, drawn, refactored, smt_lib, text_of

from interlock.analyzer.diff import compare
from interlock.analyzer.findings import findings
from interlock.analyzer.prove import prove_goal
from interlock.analyzer.witness import Vocabulary
from interlock.compiler import compile_policies
from interlock.lang.loader import load_texts

REPEATS = 3
LIMIT = 60.0
"""Seconds after which cvc5 is stopped, and for how long it goes on from rule to rule."""
GRACE = 600.0
SMALL = 20
CHECKED = 100
"""Rules that are also written as policies and compiled, for comparison."""


@dataclass(frozen=True, slots=True)
class Measurement:
    title: str
    rules: int
    run: Callable[[Sequence[Drawn]], Callable[[], str]]
    """Prepares, and gives what is measured, which answers in a word."""
    aim: float
    """Seconds."""
    question: str = ""
    """What cvc5 is asked."""


def claim(name: str) -> Callable[[Sequence[Drawn]], Callable[[], str]]:
    def prepare(rules: Sequence[Drawn]) -> Callable[[], str]:
        (policies,), goals = compiled(rules)
        return lambda: str(prove_goal(policies, goals[name], Vocabulary()).verdict)

    return prepare


def equivalence(rules: Sequence[Drawn]) -> Callable[[], str]:
    return _compared(rules, refactored(rules))


def difference(rules: Sequence[Drawn]) -> Callable[[], str]:
    return _compared(rules, changed(rules))


def _compared(rules: Sequence[Drawn], others: Sequence[Drawn]) -> Callable[[], str]:
    (before, after), _ = compiled(rules, others)

    def run() -> str:
        found = compare(before, after, Vocabulary())
        assert not found.doubts, found.doubts
        return "equivalent" if found.is_equivalent else f"{len(found.regions)} regions"

    return run


def shadowing(rules: Sequence[Drawn]) -> Callable[[], str]:
    (policies,), _ = compiled(rules)

    def run() -> str:
        kinds = Counter(str(finding.kind) for finding in findings(policies))
        return ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))

    return run


def start(rules: Sequence[Drawn]) -> Callable[[], str]:
    """The command with one claim, from nothing."""
    with tempfile.NamedTemporaryFile("w", suffix=".ilk", delete=False) as file:
        file.write(text_of(rules))
    command = [sys.executable, "-m", "interlock", "prove", file.name]
    command += ["--claim", "no_wildcard_delete"]

    def run() -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        Path(file.name).unlink()
        assert not done.returncode, done.stderr
        return done.stdout.split()[0]

    return run


MEASUREMENTS = (
    Measurement("claim that holds", 1_000, claim("no_wildcard_delete"), 0.3, "no_wildcard_delete"),
    Measurement("claim that holds", 10_000, claim("no_wildcard_delete"), 4, "no_wildcard_delete"),
    Measurement(
        "claim that fails",
        1_000,
        claim("no_agent_deletes_backups"),
        0.3,
        "no_agent_deletes_backups",
    ),
    Measurement(
        "claim that fails",
        10_000,
        claim("no_agent_deletes_backups"),
        4,
        "no_agent_deletes_backups",
    ),
    Measurement("equivalence of two versions", 1_000, equivalence, 1, "differs"),
    Measurement("equivalence of two versions", 10_000, equivalence, 15, "differs"),
    Measurement("semantic diff of one changed rule", 1_000, difference, 1, "differs"),
    Measurement("every rule against all others", 1_000, shadowing, 3, "shadowed"),
    Measurement("every rule against all others", 10_000, shadowing, 90, "shadowed"),
    Measurement("start-up to the first verdict", SMALL, start, 0.5),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, metavar=("NUMBER", "WHO"), help=argparse.SUPPRESS)
    parser.add_argument("--most", type=int, default=10_000, help="leave out more rules than this")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", default="", metavar="WORD", help="measurements of this title")
    options = parser.parse_args()
    if options.one:
        number, who = options.one
        print(json.dumps(measure(MEASUREMENTS[int(number)], who)))
        return
    check()
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {_processor()}, "
        f"{cpu_count()} processors, the least of {options.repeats} runs\n"
    )
    print("| | rules | seconds | of processor | aim | MB | answer | cvc5 strings | MB | ratio |")
    print("|---|--:|--:|--:|--:|--:|---|--:|--:|--:|")
    for number, item in enumerate(MEASUREMENTS):
        if item.rules <= options.most and options.only in item.title:
            print(row(number, item, options.repeats), flush=True)


def check() -> None:
    """The rules that are measured are those that the language would give."""
    rules = drawn(CHECKED)
    checked, problems = load_texts({"proofs.ilk": text_of(rules)})
    written, more = compile_policies(checked)
    (built,), _ = compiled(rules)
    assert not [*problems, *more]
    assert written.rules == built.rules


def row(number: int, item: Measurement, repeats: int) -> str:
    ours = [_one(number, "interlock") for _ in range(repeats)]
    best = min(ours, key=lambda found: float(found["seconds"]))
    least = min(float(found["processor"]) for found in ours)
    cells = [
        item.title,
        f"{item.rules:,}",
        f"{best['seconds']:.2f}",
        f"{least:.2f}",
        f"< {item.aim:g}",
        f"{best['megabytes']:.0f}",
        best["answer"],
    ]
    if item.question:
        theirs = _one(number, "cvc5")
        cells += [
            theirs["told"],
            f"{theirs['megabytes']:.0f}",
            f"{theirs['bound']}{theirs['processor'] / least:,.1f}",
        ]
    else:
        cells += ["", "", ""]
    return f"| {' | '.join(cells)} |"


def _one(number: int, who: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", str(number), who]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=GRACE + 2 * LIMIT
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout))


def measure(item: Measurement, who: str) -> dict[str, Any]:
    rules = drawn(item.rules)
    if who == "cvc5":
        return {**ask_cvc5(rules, item), "megabytes": _megabytes()}
    run = item.run(rules)
    started, processor = time.perf_counter(), _processor_seconds()
    answer = run()
    return {
        "seconds": time.perf_counter() - started,
        "processor": _processor_seconds() - processor,
        "answer": answer,
        "megabytes": _megabytes(),
    }


def _processor_seconds() -> float:
    """Of this process and of those it started."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime


def _megabytes() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024


def ask_cvc5(rules: Sequence[Drawn], item: Measurement) -> dict[str, Any]:
    """The same question in the theory of strings; what is not done in time is carried on at the same pace."""
    sets = [rules]
    if item.question == "differs":
        sets.append(refactored(rules) if item.run is equivalence else changed(rules))
    started, processor = time.perf_counter(), _processor_seconds()
    strings = _Strings(smt_lib(*sets))
    if item.question == "shadowed":
        answers = strings.shadowed(rules, started + LIMIT)
        asked, all_of = sum(answers.values()), len(rules)
        used = _processor_seconds() - processor
        seconds = time.perf_counter() - started
        if asked == all_of:
            told, bound = f"{seconds:.2f} s", ""
        else:
            told, bound = f"{asked:,} of {all_of:,} in {seconds:.0f} s", "≈ "
            used *= all_of / asked
        return {"told": told, "processor": used, "bound": bound}
    answer = strings.ask(QUESTIONS[item.question])
    seconds, used = time.perf_counter() - started, _processor_seconds() - processor
    if answer == "unknown":
        return {"told": f"none in {seconds:.0f} s", "processor": used, "bound": "> "}
    return {"told": f"{answer}, {seconds:.2f} s", "processor": used, "bound": ""}


class _Strings:
    """cvc5 with definitions that were read once, asked one assumption after another."""

    def __init__(self, definitions: str) -> None:
        cvc5: Any = import_module("cvc5")
        self._language = cvc5.InputLanguage.SMT_LIB_2_6
        self._solver = cvc5.Solver()
        self._solver.setOption("incremental", "true")
        self._solver.setOption("tlimit-per", str(int(LIMIT * 1000)))
        self._parser = cvc5.InputParser(self._solver)
        self._parser.setStringInput(self._language, definitions, "rules")
        symbols = self._parser.getSymbolManager()
        while not (command := self._parser.nextCommand()).isNull():
            command.invoke(self._solver, symbols)

    def ask(self, question: str) -> str:
        """`sat`, `unsat` or `unknown`."""
        self._parser.setStringInput(self._language, question, "question")
        found = self._solver.checkSatAssuming(self._parser.nextTerm())
        return "sat" if found.isSat() else "unsat" if found.isUnsat() else "unknown"

    def shadowed(self, rules: Sequence[Drawn], end: float) -> Counter[str]:
        """Each rule: whether it can apply where no other of its effect does, until the time is over."""
        answers: Counter[str] = Counter()
        names = [f"rule_0_{position}" for position in range(len(rules))]
        for name, rule in zip(names, rules, strict=True):
            alike = [
                other
                for other, known in zip(names, rules, strict=True)
                if known.permits == rule.permits and other != name
            ]
            outside = " forbidden_0" if rule.permits else ""
            answers[self.ask(f"(and {name} (not (or false {' '.join(alike)}{outside})))")] += 1
            if time.perf_counter() > end:
                break
        return answers


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "")


if __name__ == "__main__":
    main()
