"""What the pods of an object may do to their node, and what their commands do.

A manifest shows the commands that its pods run, so they are read as shell commands. What runs once,
as a Job, is made for its command: one that cannot be read is `execute`. A server's command is mostly
a program nobody knows, so there only what is known to destroy counts.
"""

import shlex
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ...model import Effect, Reversibility, Selector
from ...taxonomy.kubernetes import Guard, Pods, Taxonomy
from .. import Options, source_named
from ..verdicts import Verdict
from .values import at, falls, field

MAX_COMMANDS = 200
_ALL_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_HOOKS = (
    ("lifecycle", "postStart", "exec", "command"),
    ("lifecycle", "preStop", "exec", "command"),
    ("livenessProbe", "exec", "command"),
    ("readinessProbe", "exec", "command"),
    ("startupProbe", "exec", "command"),
)
_DESTRUCTIVE = frozenset(
    {Effect.DELETE_DATA, Effect.DELETE_RECOVERY, Effect.DISARM, Effect.DELETE_AUDIT}
)
_HARMLESS = frozenset({Effect.READ, Effect.CREATE, Effect.UPDATE})


def pod_verdicts(
    taxonomy: Taxonomy, pods: Pods, before: Any, after: Any
) -> Iterator[tuple[Verdict, tuple[str, ...]]]:
    """What the new specification of pods allows and runs that the old did not, and by which field."""
    old, new = _specification(before, pods), _specification(after, pods)
    for guard in taxonomy.pod_guards:
        # What is new has nothing that it could lower to what absence stands for.
        if falls(guard, old, new) and (old or guard.absent is None):
            yield _allowed(guard), (*pods.path, guard.path[0])
    known = {command for command, _ in _commands(old)}
    for count, (command, path) in enumerate(_commands(new)):
        if count == MAX_COMMANDS:
            reason = f"it has more than {MAX_COMMANDS} commands"
            yield _execution(reason), pods.path
            return
        if command not in known and (verdict := _command(command, pods.runs_once)):
            yield verdict, (*pods.path, path)


def _allowed(guard: Guard) -> Verdict:
    what = f"`{guard.path[-1]}` of its pods"
    note = f"{what}: {guard.why}" if guard.why else f"{what} reaches beyond them"
    return Verdict(guard.effect, guard.selector, guard.reversibility, (note,))


def _specification(value: Any, pods: Pods) -> dict[str, Any]:
    """The pod specification with containers of every sort under `containers`."""
    found = field(value, *pods.path)
    if not isinstance(found, dict):
        return {}
    return {
        **found,
        "containers": [each for sort in _ALL_CONTAINERS for each in at(found, (sort,))],
    }


def _commands(specification: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The argument lists that containers and their hooks run; an unknown entry point is `""`."""
    for container in at(specification, ("containers",)):
        if not isinstance(container, dict):
            continue
        command, arguments = at(container, ("command",)), at(container, ("args",))
        if command or arguments:
            yield tuple(map(str, command or [""])) + tuple(map(str, arguments)), "containers"
        for hook in _HOOKS:
            if words := at(container, hook):
                yield tuple(map(str, words)), "containers"


@lru_cache(maxsize=4096)
def _command(words: tuple[str, ...], runs_once: bool) -> Verdict | None:
    """What one command does beyond running, if it does."""
    if not words[0]:
        shown = _quoted(words[1:])
        return _execution(f"gives {shown} to a program that is not shown") if runs_once else None
    shell = source_named("shell")
    if shell is None:
        return _execution(f"runs {_quoted(words)}") if runs_once else None
    reading = shell.read("command", shlex.join(words), Options())
    found = [each for each in reading.changes if each.effect not in _HARMLESS or each.opaque]
    known = [each for each in found if each.effect in _DESTRUCTIVE]
    if known:
        worst = known[0]
        note = f"runs {_quoted(words)}, which {worst.summary}"
        return Verdict(worst.effect, worst.selector, worst.reversibility, (note,))
    if runs_once and (found or reading.problems):
        return _execution(f"runs {_quoted(words)}")
    return None


def _execution(note: str) -> Verdict:
    return Verdict(Effect.EXECUTE, Selector.ONE, Reversibility.UNKNOWN, (note,))


def _quoted(words: tuple[str, ...]) -> str:
    text = shlex.join(words)
    return f"`{text if len(text) <= 80 else text[:79] + '…'}`"
