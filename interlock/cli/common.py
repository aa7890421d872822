"""What several commands share: exit codes, options, reading policies and files, and output."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from ..compiler import compile_policies
from ..compiler.ir import PolicySet
from ..lang.checked import Checked
from ..lang.diagnostics import Code, Diagnostic, has_errors
from ..lang.loader import load
from ..lang.render import render_all
from ..lang.source import Span
from ..lang.syntax import Outcome

if TYPE_CHECKING:
    from ..policies import Policies


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    DENIED = 1
    USAGE = 2
    INVALID = 3
    HELD = 4
    REFUTED = 5
    UNDECIDED = 6


EXIT_OF = {Outcome.PERMIT: Exit.OK, Outcome.HOLD: Exit.HELD, Outcome.DENY: Exit.DENIED}

format_option = click.option(
    "--format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print.",
)
policy_option = click.option(
    "--policy",
    "policy",
    multiple=True,
    required=True,
    metavar="PATH|PACK",
    help="A policy file, a folder of them, or a bundled pack such as production_guardrails. May repeat.",
)


def use_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def stop(code: Exit, message: str) -> NoReturn:
    """Ends the run with an error on standard error."""
    click.echo(f"error: {message}", err=True)
    raise SystemExit(int(code))


def load_policies(paths: Sequence[str]) -> tuple[Checked, PolicySet]:
    """The compiled policies of paths, or the end of the run with every problem on standard error."""
    checked, policies, problems = compile_paths(paths)
    report(problems)
    if has_errors(problems):
        raise SystemExit(int(exit_for(problems)))
    return checked, policies


def open_policies(paths: Sequence[str]) -> "Policies":
    """The policies ready to decide, or the end of the run with every problem on standard error."""
    # The evaluator takes a while to load, and most commands do without.
    from ..policies import Policies, PolicyError

    try:
        policies = Policies(paths)
    except PolicyError as error:
        report(error.problems)
        raise SystemExit(int(exit_for(error.problems))) from None
    report(policies.warnings)
    return policies


def compile_paths(paths: Sequence[str]) -> tuple[Checked, PolicySet, list[Diagnostic]]:
    checked, problems = load(list(paths))
    policies, more = compile_policies(checked)
    return checked, policies, problems + more


def exit_for(problems: list[Diagnostic]) -> Exit:
    """The exit code for policies with these problems."""
    if any(problem.code is Code.FILE_NOT_FOUND for problem in problems):
        return Exit.USAGE
    if has_errors(problems):
        return Exit.INVALID
    is_undecided = any(problem.code is Code.NOT_DECIDED for problem in problems)
    return Exit.UNDECIDED if is_undecided else Exit.OK


def report(problems: list[Diagnostic]) -> None:
    if problems:
        color = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        click.echo(render_all(problems, color=color) + "\n", err=True)


def read_file(path: str, limit: int) -> str:
    """The text of a file or of standard input (`-`), or the end of the run with the reason."""
    try:
        if path == "-":
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(limit + 1)
    except OSError as error:
        stop(Exit.USAGE, f"{path}: cannot be read: {error.strerror}")
    if len(data) > limit:
        stop(Exit.INVALID, f"{path}: has more than {limit:,} bytes, which is the limit")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        stop(Exit.INVALID, f"{path}:{line}: this is not UTF-8 text")


def print_json(document: Any) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def place_document(span: Span) -> dict[str, Any]:
    return {"file": span.file, "line": span.line, "column": span.column}


def diagnostic_document(problem: Diagnostic) -> dict[str, Any]:
    span = problem.span
    return {
        "severity": str(problem.severity),
        "code": str(problem.code),
        "message": problem.message,
        "help": problem.help,
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "notes": [{"message": note.message, **place_document(note.span)} for note in problem.notes],
    }


Item = TypeVar("Item")


def progress(items: Iterable[Item], count: int, label: str) -> Iterator[Item]:
    """Passes the items on, with a bar on standard error when it is a terminal and there are many."""
    if not sys.stderr.isatty() or count < 500:
        yield from items
        return
    with click.progressbar(items, length=count, label=label, file=sys.stderr) as bar:
        yield from bar


def plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
