"""`interlock check`: every problem of a policy set, in every file, in one run."""

import os

import click

from ..lang import syntax
from ..lang.diagnostics import Severity, has_errors
from .common import (
    compile_paths,
    diagnostic_document,
    exit_for,
    plural,
    print_json,
    report,
)


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--deep",
    is_flag=True,
    help="Prove as well which rules do nothing and which claims are about no request.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.001),
    default=60.0,
    show_default=True,
    metavar="S",
    help="Seconds for each question that --deep asks; reaching them leaves it undecided.",
)
@click.option(
    "--format",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="How to print; `github` annotates a pull request.",
)
def command(paths: tuple[str, ...], deep: bool, timeout: float, format: str) -> None:
    """Check policies: syntax, names and types.

    PATHS are policy files, folders of them, or bundled packs.
    """
    checked, policies, problems = compile_paths(paths)
    if deep and not has_errors(problems):
        # The solvers are loaded only for what needs them.
        from .deep import deep_problems, without_repeats

        more = deep_problems(checked, policies, timeout, os.cpu_count() or 1)
        problems += without_repeats(problems, more)
    code = exit_for(problems)
    if format == "json":
        print_json(
            {
                "policy_digest": policies.digest,
                "diagnostics": [diagnostic_document(problem) for problem in problems],
            }
        )
        raise SystemExit(int(code))
    if format == "github":
        from .proof_reports.github_report import annotation

        for problem in problems:
            click.echo(annotation(problem))
    else:
        report(problems)
    modules = checked.names.modules.values()
    own = [module for module in modules if not module.file.startswith("interlock/")]
    rules = sum(len(module.of(syntax.Rule)) for module in modules)
    counts = [
        plural(sum(problem.severity is severity for problem in problems), str(severity))
        for severity in Severity
    ]
    files = plural(len(own) or len(modules), "file")
    click.echo(f"{files}, {plural(rules, 'rule')}: {', '.join(counts)}")
    raise SystemExit(int(code))
