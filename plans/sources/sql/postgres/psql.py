"""The commands of psql in a script, and the data lines that follow a COPY."""

import re
from collections.abc import Iterator

from ....model import Effect, Reversibility, Selector
from ...words import words
from ..changes import Finding, asset, unread
from ..tree import Complaint, parse
from .script import DIALECT
from .split import MAX_NESTING, Kind, Piece, command_name, split

# They only print, or only say how to print.
_PRINTING = words(
    "a C conninfo copyright crosstabview d da dA dAc dAf dAo dAp db dc dC dconfig dd dD ddp dE "
    "dew des det deu df dF dFd dFp dFt dg di dl dL dm dn do dO dp dP drds drg dRp dRs ds dt dT du "
    "dv dx dX dy echo errverbose f gdesc h H help l list p print pset q qecho quit restrict "
    "sf sv t T timing unrestrict warn x z ?"
)
# Variables that change how psql reads or sends what follows.
_STEERING = frozenset({"AUTOCOMMIT", "SINGLELINE", "SINGLESTEP", "ON_ERROR_ROLLBACK"})
_RUNNING = frozenset({"!", "gexec", "o", "out", "w", "write", "e", "edit", "ef", "ev", "setenv"})


_COPY = re.compile(
    r"""\\copy \s+ (?P<what>.+?) \s+ (?P<way>from|to) \s+
        (?:'[^']*'|stdin|stdout|pstdin|pstdout) (?P<options>.*)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def copy_statement(piece: Piece) -> str | None:
    """The COPY that psql sends for `\\copy t from 'file'`, whose file is the client's."""
    found = _COPY.fullmatch(piece.text.strip())
    if found is None:
        return None
    end = "FROM STDIN" if found["way"].lower() == "from" else "TO STDOUT"
    return f"COPY {found['what']} {end}{found['options']}"


def psql_command(piece: Piece) -> Iterator[Finding]:
    name = command_name(piece.text)
    bare = name.rstrip("+S")
    resource = asset("Routine", "psql", "command", f"\\{name}", f"\\{name}")
    runs_program = "`" in piece.text or "|" in piece.text or name in ("!", "setenv")
    if name == "copy":
        runs_program = re.search(r"\bprogram\b", piece.text, re.IGNORECASE) is not None
    if runs_program or name in _RUNNING:
        yield Finding(
            "sql.run_program",
            resource,
            Effect.EXECUTE,
            f"psql runs `\\{name}`",
            piece.start,
            Selector.UNKNOWN,
            Reversibility.UNKNOWN,
            opaque=f"`\\{name}` runs what this file does not show",
        )
        return
    if name in _PRINTING or bare in _PRINTING:
        yield Finding("sql.read", resource, Effect.READ, f"prints `\\{name}`", piece.start)
        return
    arguments = piece.text.split()[1:]
    if name in ("set", "unset") and arguments and arguments[0].upper() not in _STEERING:
        variable = asset("Setting", "psql", "variable", arguments[0])
        summary = f"sets the psql variable `{arguments[0]}`"
        yield Finding("sql.set", variable, Effect.READ, summary, piece.start)
        return
    # Without a statement before it, \g sends the last one once more.
    if piece.sends and piece.text in ("\\g", "\\gx", "\\r", "\\reset"):
        return
    yield unread(DIALECT, f"the psql command `\\{name}` is not followed", piece.start)


def copy_data(piece: Piece) -> Iterator[Finding]:
    """Data lines are no statements, unless a server without psql could read them as such."""
    first = next((one for one in split(piece.text) if one.kind == Kind.STATEMENT), None)
    if first is None or not re.match(r"[A-Za-z(]", first.text) or first.nesting > MAX_NESTING:
        return
    if not isinstance(parse(first.text), Complaint):
        reason = "the lines after COPY … FROM stdin can be read as data or as statements"
        yield unread(DIALECT, reason, piece.start + first.start)
