"""`interlock check`: every problem of a policy set, in every file, in one run."""

import click

from ..lang import syntax
from ..lang.diagnostics import Severity
from .common import (
    compile_paths,
    diagnostic_document,
    exit_for,
    format_option,
    plural,
    print_json,
    report,
)


@click.command()
@click.argument("paths", nargs=-1, required=True)
@format_option
def command(paths: tuple[str, ...], format: str) -> None:
    """Check policies: syntax, names and types.

    PATHS are policy files, folders of them, or bundled packs.
    """
    checked, policies, problems = compile_paths(paths)
    code = exit_for(problems)
    if format == "json":
        print_json(
            {
                "policy_digest": policies.digest,
                "diagnostics": [diagnostic_document(problem) for problem in problems],
            }
        )
        raise SystemExit(int(code))
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
