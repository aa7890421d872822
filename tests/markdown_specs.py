"""Markdown files as tests: a heading is a test, its fenced blocks are what is given and what is expected.

```ilk             a policy file; a line may end in `// error: [code] "text"` or `// warning: [code] "text"`
```ilk file=a.ilk  the same under a name; `ilk shared` is given to every later section too
```entities        entities of the requests, one a line: `Type::"id" in Type::"id" { … }`
```requests        `User::"ann" read Document::"d" { … } -> deny by rule`, decided by every back end and in SQLite
```formatted       the policy in canonical layout
```ir              the rules of the policy after the passes
```sql, ```terraform …   an artifact, by its source; ```plan says its changes as `line action effect selector`
```gate            what `production_guardrails` says, to an agent in production where it is not told otherwise
                   (`environment=ci author=Human frozen`): the decision, what the plan as a whole gets where that is
                   no plain permit, and for every change `line action effect selector -> deny by rule`;
                   an artifact with `before` is the state that the others start from
```console         `$ interlock …` and what it prints, where `…` stands for any text
```python          a program that must succeed, in a folder with the files of the section
```text file=x     any other file
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from backends import BACK_ENDS
from sql_rows import decide_in_sqlite

import interlock
from interlock.cli.decisions import decision_document
from interlock.compiler import compile_policies
from interlock.compiler.ir_text import rule_text
from interlock.compiler.testing import request_of, run_tests
from interlock.gate.gate import Result, gate
from interlock.lang.diagnostics import Code, Diagnostic, Severity
from interlock.lang.loader import load_texts
from interlock.lang.printer import format_text
from interlock.plans.model import Identity, Plan, Reading, numbered
from interlock.plans.sources import SOURCES, Options
from interlock.policies import Policies

_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)
_HEADING = re.compile(r"^#+ (.*)$", re.M)
_EXPECTED = re.compile(r'// (error|warning): \[([\w-]+)\](?: "(.*)")?\s*$')
_REQUEST = re.compile(r'(\w[\w.]*::"[^"]*") ([\w.]+) (\w[\w.]*::"[^"]*")(?: (\{.*\}))? -> (.*)')


@dataclass(frozen=True)
class Block:
    kind: str
    options: str
    text: str

    @property
    def file(self) -> str | None:
        match = re.search(r"file=(\S+)", self.options)
        return match[1] if match else None


class SpecFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        text = self.path.read_text(encoding="utf-8")
        shared: list[Block] = []
        for title, blocks in _sections(text):
            own = [block for block in blocks if "shared" not in block.options]
            shared += [block for block in blocks if "shared" in block.options]
            if own or len(blocks) > len(own):
                given = [block for block in shared if block not in blocks]
                yield Spec.from_parent(self, name=title, blocks=[*given, *blocks])


def _sections(text: str) -> Iterator[tuple[str, list[Block]]]:
    """Headings with their blocks; a `#` inside a block is no heading."""
    blocks = [(match.start(), match) for match in _BLOCK.finditer(text)]
    inside = [(match.start(), match.end()) for _, match in blocks]
    headings = [
        match
        for match in _HEADING.finditer(text)
        if not any(start <= match.start() < end for start, end in inside)
    ]
    for number, heading in enumerate(headings):
        end = headings[number + 1].start() if number + 1 < len(headings) else len(text)
        own = [
            Block(match[1], match[2].strip(), match[3])
            for start, match in blocks
            if heading.end() <= start < end
        ]
        if any(block.kind in _CHECKED for block in own):
            yield heading[1].strip(), own


_CHECKED = {"ilk", "requests", "formatted", "ir", "plan", "gate", "console", "python"}


class Spec(pytest.Item):
    def __init__(self, *, blocks: list[Block], **rest: Any) -> None:
        super().__init__(**rest)
        self.blocks = blocks
        # pytest-lsp reads the arguments of every test.
        self.funcargs: dict[str, object] = {}

    def runtest(self) -> None:
        texts = _policy_texts(self.blocks)
        if texts:
            self._policies(texts)
        if any(block.kind == "plan" for block in self.blocks):
            self._plan()
        for block in self._of("gate"):
            self._gate(block)
        for block in self._of("console"):
            self._console(block)
        if self._of("python"):
            self._python("".join(block.text for block in self._of("python")))

    def _of(self, kind: str) -> list[Block]:
        return [block for block in self.blocks if block.kind == kind]

    def _policies(self, texts: dict[str, str]) -> None:
        checked, problems = load_texts(texts)
        policies, more = compile_policies(checked)
        _compare_diagnostics(texts, problems + more)
        for block in self._of("formatted"):
            formatted, _ = format_text("policy.ilk", texts["policy.ilk"])
            assert formatted == block.text, f"found:\n{formatted}"
        for block in self._of("ir"):
            found = "\n".join(map(rule_text, policies.rules)) + "\n"
            assert found == block.text, f"found:\n{found}"
        failures = [
            f"test {result.test.name}: {result.failure}"
            for result in (run_tests(checked, policies) if checked.sound else [])
            if result.failure
        ]
        assert not failures, "\n".join(failures)
        self._requests(texts)

    def _requests(self, texts: dict[str, str]) -> None:
        lines = [line for block in self._of("requests") for line in block.text.splitlines() if line]
        if not lines:
            return
        given = "".join(
            f"  given {line}\n"
            for block in self._of("entities")
            for line in block.text.splitlines()
            if line
        )
        tests = ""
        for number, line in enumerate(lines):
            match = _REQUEST.fullmatch(line.strip())
            assert match, f"not a request: {line}"
            principal, action, resource, context, expected = match.groups()
            tests += (
                f"test request_{number} {{\n{given}  principal {principal}\n  action {action}\n"
                f"  resource {resource}\n  context {context or '{}'}\n  expect {expected}\n}}\n"
            )
        first = next(iter(texts))
        checked, problems = load_texts({**texts, first: texts[first] + "\n" + tests})
        assert not [p for p in problems if p.severity is Severity.ERROR], problems
        policies, _ = compile_policies(checked)
        for line, result in zip(lines, run_tests(checked, policies)[-len(lines) :], strict=True):
            assert result.failure is None, f"{line}: {result.failure}"
            request, entities = request_of(checked, result.test)
            for name, decide in BACK_ENDS.items():
                found = decide(policies, request, entities)
                assert found == decision_document(result.decision), f"{name}: {line}\n{found}"
            if {request.principal, request.resource} <= entities.known.keys():
                outcome = decide_in_sqlite(policies, request, entities)
                refused = isinstance(outcome, list)
                assert refused or outcome == result.decision.outcome, f"SQL: {line}\n{outcome}"

    def _plan(self) -> None:
        (expected,) = self._of("plan")
        found = []
        for reading in _readings(self.blocks):
            found += [
                f"{change.source.line} {change.action} {change.effect} {change.selector}"
                for change in reading.changes
            ]
            found += [f"{problem.line} problem: {problem.message}" for problem in reading.problems]
        assert "\n".join(found) == expected.text.strip(), "found:\n" + "\n".join(found)

    def _gate(self, block: Block) -> None:
        found = gated(self.blocks, block.options)
        assert found == block.text.strip(), f"found:\n{found}"

    def _console(self, block: Block) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in _files(self.blocks).items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.M):
                assert _matches(_run(command, folder), expected), (
                    f"$ {command}\n{_run(command, folder)}\nexpected:\n{expected}"
                )

    def _python(self, text: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in _files(self.blocks).items():
                Path(folder, name).write_text(content, encoding="utf-8")
            result = subprocess.run(
                [sys.executable, "-W", "error", "-c", text],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=60,
            )
        assert result.returncode == 0, result.stderr

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        if isinstance(excinfo.value, AssertionError):
            return f"{self.path.name} - {self.name}\n{excinfo.value}"
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


def gated(blocks: list[Block], options: str) -> str:
    """What the shipped pack decides about the artifacts of a section, as a ```gate block says it."""
    told = dict(re.findall(r"(\w+)=(\S+)", options))
    readings = _readings(blocks)
    plan = Plan(
        author=Identity(type=told.get("author", "Agent"), id="somebody"),
        environment=told.get("environment", "production"),
        artifacts=tuple(reading.artifact for reading in readings),
        changes=numbered(change for reading in readings for change in reading.changes),
        problems=tuple(problem for reading in readings for problem in reading.problems),
    )
    verdict = gate(_guardrails(), plan, frozen="frozen" in options.split())
    lines = [str(verdict.outcome)]
    lines += [f"{problem.line} problem: {problem.message}" for problem in plan.problems]
    return "\n".join((*lines, *(line for result in verdict.results for line in _decided(result))))


def _decided(result: Result) -> Iterator[str]:
    decision, change = result.decision, result.change
    said = " by ".join(filter(None, (str(decision.outcome), ", ".join(decision.rules))))
    if change is not None:
        what = f"{change.source.line} {change.action} {change.effect} {change.selector}"
        yield f"{what} -> {said}"
    elif said != "permit by apply_plans":
        yield f"plan -> {said}"


@cache
def _guardrails() -> Policies:
    return interlock.load("production_guardrails", cache=False)


def _readings(blocks: list[Block]) -> list[Reading]:
    """The artifacts of a section, each read by its source."""
    readings: list[Reading] = []
    for source in SOURCES:
        own = [block for block in blocks if block.kind == source.kind]
        before = [block for block in own if "before" in block.options]
        after = [(f"a.{source.kind}", block.text) for block in own if block not in before]
        if before:
            was = [(f"before.{source.kind}", block.text) for block in before]
            readings += source.read_together(after, Options(), was)
            continue
        for block in own:
            dialect = re.search(r"dialect=(\w+)", block.options)
            options = Options(dialect[1] if dialect else "postgres")
            readings.append(source.read(f"a.{source.kind}", block.text, options))
    return readings


def _policy_texts(blocks: list[Block]) -> dict[str, str]:
    """File name → text; unnamed policies of a section are one file."""
    texts: dict[str, str] = {}
    for block in blocks:
        if block.kind == "ilk":
            name = block.file or "policy.ilk"
            texts[name] = texts.get(name, "") + block.text
    return texts


def _files(blocks: list[Block]) -> dict[str, str]:
    named = {block.file: block.text for block in blocks if block.file is not None}
    return {**_policy_texts(blocks), **named}


def _compare_diagnostics(texts: dict[str, str], problems: list[Diagnostic]) -> None:
    expected = [
        (name, number, match[1], match[2], match[3] or "")
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if (match := _EXPECTED.search(line))
    ]
    wanted = {code for *_, code, _ in expected}
    found = [
        problem
        for problem in problems
        if problem.code is not Code.NO_RULES or str(Code.NO_RULES) in wanted
    ]
    unexpected = list(found)
    for name, line, severity, code, text in expected:
        hit = next(
            (
                problem
                for problem in unexpected
                if (problem.span.file, problem.span.line, problem.severity, problem.code)
                == (name, line, severity, code)
                and text in problem.message
            ),
            None,
        )
        listed = "\n".join(map(str, found)) or "nothing"
        assert hit is not None, (
            f"expected {severity} [{code}] {text!r} on line {line}, found:\n{listed}"
        )
        unexpected.remove(hit)
    assert not unexpected, "unexpected:\n" + "\n".join(map(str, unexpected))


def _run(command: str, folder: str) -> str:
    words = command.replace("interlock ", f"{sys.executable} -m interlock ", 1)
    environment = {**os.environ, "NO_COLOR": "1"}
    result = subprocess.run(  # noqa: S602  # the commands are this repository's own documentation
        words,
        shell=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        timeout=60,
    )
    return result.stdout


def _matches(output: str, expected: str) -> bool:
    """Whether the output is what is expected, where `…` stands for any text."""
    pattern = ".*?".join(map(re.escape, _stripped(expected).split("…")))
    return re.fullmatch(pattern, _stripped(output), re.S) is not None


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
