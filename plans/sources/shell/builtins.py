"""The builtins of the shell: what they do to its state, and which of them run other texts."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...model import Effect
from ..words import words
from . import computed, wrappers
from .arguments import sort_words
from .project import repointed
from .reached import Command, Input, prints
from .state import State
from .walk import Walker
from .words import Field, Value

if TYPE_CHECKING:
    from .commands import Commands


def plain_builtin(
    commands: "Commands", walker: Walker, command: Command, name: str, rest: Sequence[Field]
) -> Input:
    state = walker.state
    if (reason := _computes(state, name, rest)) is not None:
        commands.opaque(walker, command, reason)
    match name:
        case "complete" | "compgen":
            _completes(commands, walker, command, name, rest)
        case "jobs" if ran := [at for at, one in enumerate(rest[:-1]) if one.text == "-x"]:
            return commands.perform(walker, replace(command, fields=tuple(rest[ran[0] + 1 :])))
        case "bind" if any(
            one.text not in ("-l", "-p", "-P", "-v", "-V", "-s", "-S") for one in rest
        ):
            commands.opaque(walker, command, "what it binds to keys is not read here")
        case "cd" | "pushd":
            _change_directory(state, rest)
        case "popd":
            state.directory = None
        case "read" | "mapfile" | "readarray" | "getopts" | "let":
            if name in ("mapfile", "readarray"):
                for line in sort_words(rest, ("-C", *_READ_VALUED)).values(("-C",)):
                    walker.nested(line, state.fork())
            names = sort_words(rest, _READ_OPTIONS).operands
            if name != "let" and any(one.holes for one in names):
                state.doubt_everything()
            for one in rest:
                state.doubt(
                    re.split(r"\W", one.text.lstrip("-"))[0] or "REPLY", "is read when it runs"
                )
        case "printf" if rest and rest[0].text.startswith("-v"):
            for one in rest[:2]:
                state.doubt(one.text.removeprefix("-v"), "is made by `printf`")
        case "set" if rest and (
            not rest[0].text.startswith(("-", "+")) or any(one.text in ("--", "-") for one in rest)
        ):
            ends = [index for index, one in enumerate(rest) if one.text in ("--", "-")]
            words = rest[ends[0] + 1 :] if ends else rest
            exact = all(one.is_exact and not one.is_pattern for one in words)
            state.arguments = (
                Value(tuple(one.text for one in words))
                if exact
                else Value(unknown="`$@` is not known")
            )
        case "shift":
            count = int(rest[0].text[:6]) if rest and rest[0].text.isdecimal() else 1
            if state.arguments.unknown is None:
                state.arguments = Value(state.arguments.words[count:])
        case "hash" if any(one.text.startswith("-p") or one.holes for one in rest):
            commands.opaque(walker, command, "it changes which program a name stands for")
            return prints(command)
        case "enable":
            commands.opaque(walker, command, "it may load a builtin")
            return prints(command)
        case _:
            pass
    commands.report(walker, command, Effect.READ, name, "it changes nothing outside the shell")
    if name == "echo":
        return _echo(rest, command)
    if name == "printf":
        return _printf(rest, command)
    return prints(command)


_READ_OPTIONS = ("-p", "-d", "-n", "-N", "-t", "-u", "-i", "-O", "-s", "-c", "-C")
_READ_VALUED = ("-d", "-n", "-O", "-s", "-u", "-c")


def _computes(state: State, name: str, rest: Sequence[Field]) -> str | None:
    """Why a builtin may run a command: it computes its words, or the subscript of a name."""
    match name:
        case "let":
            found = [computed.in_word(state, one) for one in rest]
        case "read" | "mapfile" | "readarray" | "getopts" | "wait":
            found = [computed.in_name(state, one) for one in rest]
        case "printf" if rest and (rest[0].may_be_option or rest[0].text.startswith("-v")):
            found = [computed.in_name(state, one) for one in rest[:2]]
        case "test" | "[" if any(one.holes or one.text in _LOOKS for one in rest):
            found = [computed.in_name(state, one) for one in rest if "[" in one.text]
        case _:
            found = []
    return next((reason for reason in found if reason is not None), None)


_LOOKS = words("-v -R -eq -ne -lt -le -gt -ge")


def _completes(
    commands: "Commands", walker: Walker, command: Command, name: str, rest: Sequence[Field]
) -> None:
    """`-C` runs a line, `-F` a function, and the list after `-W` is expanded."""
    arguments = sort_words(rest, ("-A", "-C", "-F", "-G", "-P", "-S", "-W", "-X", "-o"))
    for line in arguments.values(("-C",)):
        walker.nested(line, walker.state.fork())
    lists = arguments.values(("-W",))
    if arguments.unsure or any(one.holes or computed.runs(one.text) for one in lists):
        commands.opaque(walker, command, "the list it chooses from may run a command")
    if name == "compgen" and arguments.values(("-F",)):
        commands.opaque(walker, command, "the function it runs is not followed")


def _change_directory(state: State, rest: Sequence[Field]) -> None:
    words = [one for one in rest if one.text not in ("-P", "-L", "--")]
    if not words:
        state.directory = "~"
    elif words[0].holes or words[0].is_pattern or words[0].text == "-":
        state.directory = None
    else:
        target = words[0].text
        if target.startswith(("/", "~")):
            state.directory = target
        elif state.directory is not None:
            state.directory = f"{state.directory}/{target}"


def alias(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    for one in rest:
        name, equals, text = one.text.partition("=")
        if equals:
            known = None if one.holes else text
            before = walker.state.aliases.get(name, ())
            walker.state.aliases[name] = (*before, known)
    commands.report(walker, command, Effect.READ, "alias", "it names a command")


def eval_(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    if rest:
        wrappers.line(commands, walker, rest)
        if any(one.holes for one in rest):
            walker.state.doubt_everything()


def source(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    name = rest[0].text if rest else ""
    if _ACTIVATES.fullmatch(name) and repointed(commands.taxonomy, walker.state, ()) is None:
        why = "it puts the programs of the project first"
        commands.report(walker, command, Effect.READ, f"source {name}", why)
        return
    commands.opaque(walker, command, f"what the script `{name[:100]}` does is not shown here")
    walker.state.doubt_everything()


_ACTIVATES = re.compile(r"(\./)?\.?v?env/(bin|Scripts)/activate")


def trap(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    words = [one for one in rest if one.text != "--"]
    commands.report(walker, command, Effect.READ, "trap", "it says what runs at the end")
    if words and not words[0].text.startswith("-") and len(words) > 1:
        # It runs when the script ends, in a state that is not known yet.
        later = walker.state.fork()
        later.doubt_everything()
        kept = walker.state.variables
        later.variables |= {name: kept[name] for name in _set_once(walker) if name in kept}
        walker.nested(words[0], later)


def _set_once(walker: Walker) -> set[str]:
    """The variables that a text names in one assignment and nowhere else, so that they keep their value."""
    text = walker.tree.source.decode("utf-8", "replace") if walker.tree is not None else ""
    if walker.depth or _NAMES_OTHERS.search(text):
        return set()
    named = Counter(re.findall(r"(?<![\w$])(?<!\$\{)(?<!\$\{[#!])[A-Za-z_]\w*", text))
    named.update(re.findall(r"\$\{(\w+):?=", text))
    assigned = re.findall(r"(?<![\w$])([A-Za-z_]\w*)=", text)
    return {name for name in assigned if named[name] == 1}


_NAMES_OTHERS = re.compile(
    r"\b(eval|source|read|printf\s+-v|declare|typeset|mapfile|readarray|getopts|unset|let)\b|(^|[\s;&|])\.\s"
    r"|\b(local|export|readonly)\s+[^\w\s]"
)
"""What may set a variable whose name is not written there."""


def exec_(
    commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]
) -> Input | None:
    """`exec`, `command`, `builtin`: the command after them, without functions and aliases."""
    arguments = sort_words(rest, ("-a",), stops=True)
    if arguments.has(("-v", "-V")) or not arguments.operands:
        commands.report(walker, command, Effect.READ, command.fields[0].text, "it changes nothing")
        return None
    return commands.perform(walker, replace(command, fields=tuple(arguments.operands)))


def history(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    if any(one.text.startswith(("-c", "-d", "-w")) or one.holes for one in rest):
        commands.report(
            walker, command, Effect.DELETE_AUDIT, "history -c", "the record of commands is lost"
        )
    else:
        commands.report(walker, command, Effect.READ, "history", "it reads")


def _echo(rest: Sequence[Field], command: Command) -> Input:
    words = list(rest)
    if words and words[0].text in ("-n", "-e", "-ne", "-en", "-E"):
        if "e" in words[0].text and any("\\" in one.text for one in words):
            return prints(command)
        words = words[1:]
    if len(words) == 1 and not words[0].is_pattern:
        return Input(text=words[0])
    if any(one.is_pattern or one.is_many for one in words):
        return prints(command)
    holes = tuple(dict.fromkeys(reason for one in words for reason in one.holes))
    return Input(text=Field(" ".join(one.text for one in words), command.at, holes))


def _printf(rest: Sequence[Field], command: Command) -> Input:
    words = [one for one in rest if one.text != "--"]
    if len(words) == 1 and "%" not in words[0].text and "\\" not in words[0].text:
        return Input(text=words[0])
    if len(words) == 2 and words[0].text in ("%s", "%s\\n"):
        return Input(text=words[1])
    return prints(command)
