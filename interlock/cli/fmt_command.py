"""`interlock fmt`: policies in their canonical layout. A file that cannot be read stays as it is."""

import difflib
from pathlib import Path

import click

from ..lang.limits import MAX_FILE_CHARACTERS
from ..lang.loader import SUFFIX
from ..lang.printer import format_text
from .common import Exit, plural, read_file, report, stop


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--check", is_flag=True, help="Change nothing; show what would change and exit with 1."
)
def command(paths: tuple[str, ...], check: bool) -> None:
    """Format policies.

    PATHS are policy files or folders of them; `-` formats standard input to standard output.
    """
    changed, failed = 0, False
    files = _files(paths)
    for path in files:
        text = read_file(path, 4 * MAX_FILE_CHARACTERS)
        formatted, problems = format_text(path, text)
        if formatted is None:
            report(problems)
            failed = True
            continue
        if path == "-" and not check:
            click.echo(formatted, nl=False)
            continue
        if formatted == text:
            continue
        changed += 1
        if check:
            lines = difflib.unified_diff(
                text.splitlines(keepends=True), formatted.splitlines(keepends=True), path, path
            )
            click.echo("".join(lines), nl=False)
        else:
            Path(path).write_text(formatted, encoding="utf-8")
    if failed:
        raise SystemExit(int(Exit.INVALID))
    if paths != ("-",):
        verb = "would change" if check else "formatted"
        click.echo(f"{plural(len(files), 'file')}, {changed} {verb}")
    raise SystemExit(int(Exit.DENIED if check and changed else Exit.OK))


def _files(paths: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for path in paths:
        location = Path(path)
        if location.is_dir():
            found += sorted(map(str, location.rglob("*" + SUFFIX)))
        elif path == "-" or location.exists():
            found.append(path)
        else:
            stop(Exit.USAGE, f"there is no file `{path}`")
    return found
