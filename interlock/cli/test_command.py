"""`interlock test`: the tests that policies carry, and which rules no test reaches."""

from typing import Any

import click

from ..compiler.testing import TestResult, run_tests, uncovered
from ..lang.render import GREEN, RED, YELLOW, paint, safe
from .common import (
    Exit,
    format_option,
    load_policies,
    place_document,
    plural,
    print_json,
    use_color,
)


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--coverage", is_flag=True, help="Name the rules that determine no test's decision.")
@format_option
def command(paths: tuple[str, ...], coverage: bool, format: str) -> None:
    """Run the tests of policies.

    PATHS are policy files, folders of them, or bundled packs.
    """
    checked, policies = load_policies(paths)
    results = run_tests(checked, policies)
    missing = uncovered(policies, results)
    failures = [result for result in results if result.failure]
    if format == "json":
        document: dict[str, Any] = {"tests": [_document(result) for result in results]}
        if coverage:
            document["coverage"] = {
                "rules": len(policies.rules),
                "uncovered": [{"rule": rule.id, **place_document(rule.span)} for rule in missing],
            }
        print_json(document)
    else:
        _print(results, use_color())
        if coverage:
            reached = len(policies.rules) - len(missing)
            click.echo(f"{reached} of {plural(len(policies.rules), 'rule')} determine a test")
            for rule in missing:
                name = paint(rule.id, YELLOW, color=use_color())
                click.echo(f"  no test for {name}  {rule.span.file}:{rule.span.line}")
    raise SystemExit(int(Exit.DENIED if failures else Exit.OK))


def _print(results: list[TestResult], color: bool) -> None:
    for result in results:
        mark = (
            paint("fail", RED, color=color) if result.failure else paint("ok", GREEN, color=color)
        )
        span = result.test.span
        click.echo(f"{mark}  {result.test.name}")
        if result.failure:
            click.echo(f"      {span.file}:{span.line}: {safe(result.failure)}")
    failed = sum(result.failure is not None for result in results)
    click.echo(f"{plural(len(results), 'test')}, {failed} failed")


def _document(result: TestResult) -> dict[str, Any]:
    return {
        "test": result.test.name,
        "passed": result.failure is None,
        "failure": result.failure,
        "decision": str(result.decision.outcome),
        "rules": list(result.decision.rules),
        **place_document(result.test.span),
    }
