"""Commands that run others: `sudo` and its like, shells, and what they take from their input as a script."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...model import Effect
from ...taxonomy.shell import Wrapper
from .arguments import sort_words
from .reached import Command, Input, prints
from .state import State
from .walk import Walker
from .words import Field, Value, literal

if TYPE_CHECKING:
    from .commands import Commands


def wrapped(
    commands: "Commands",
    walker: Walker,
    command: Command,
    wrapper: Wrapper,
    inner: tuple[list[Field], list[Field]],
) -> Input:
    lines, words = inner
    kept = walker.state
    options = sort_words(command.fields[1:], wrapper.valued, stops=not wrapper.words)
    if options.has(wrapper.runs_more):
        commands.opaque(walker, command, "with these options it runs something else, too")
    if wrapper.elsewhere:
        walker.state = State(directory=None, repointed="it runs in another place than the project")
    elif wrapper.environment:
        walker.state = walker.state.fork()
        walker.state.repointed = f"`{command.fields[0].text}` gives it variables that are not shown"
    for one in options.values(("-e", "--env")):
        variable, equals, value = one.text.partition("=")
        if equals:
            commands.variable(walker, variable, replace(one, text=value), command.at)
    if options.has(wrapper.moves):
        walker.state = walker.state.fork()
        walker.state.directory = None
    try:
        for one in lines:
            walker.nested(one, walker.state.fork())
        if not words:
            if not lines:
                _without_words(commands, walker, command, wrapper)
            return prints(command)
        if wrapper.joins:
            line(commands, walker, words)
            return prints(command)
        if wrapper.elsewhere and words[0].text in ("-it", "-i", "-t"):
            words = words[1:]
        while (
            words
            and re.match(r"[A-Za-z_]\w*=", words[0].known)
            and command.fields[0].text in _ASSIGNS
        ):
            variable, _, value = words[0].text.partition("=")
            commands.variable(walker, variable, replace(words[0], text=value), command.at)
            words = words[1:]
        if not words:
            commands.report(walker, command, Effect.READ, command.fields[0].text, "it prints")
            return prints(command)
        own = command.fields[:1] if wrapper.again else ()
        return commands.perform(walker, replace(command, fields=(*own, *words)))
    finally:
        walker.state = kept


def _without_words(
    commands: "Commands", walker: Walker, command: Command, wrapper: Wrapper
) -> None:
    """`ssh host`, `sudo -s` and `env`: a session, whose input is a script, or nothing."""
    options = sort_words(command.fields[1:], wrapper.valued, stops=True)
    opens_shell = wrapper.session or options.has(wrapper.session_with)
    if opens_shell and command.input.text is not None:
        _from_input(commands, walker, command)
    elif opens_shell or wrapper.elsewhere or wrapper.operands:
        commands.opaque(walker, command, "it opens a session, and what is typed there is not shown")
    else:
        commands.report(walker, command, Effect.READ, command.fields[0].text, "it prints")


def line(commands: "Commands", walker: Walker, words: Sequence[Field]) -> None:
    """Words that are joined and read by a shell, as after `ssh` and `eval`."""
    if len(words) == 1:
        walker.nested(words[0])
        return
    holes = tuple(dict.fromkeys(reason for one in words for reason in one.holes))
    text = " ".join(one.text for one in words)
    walker.nested(Field(text, words[0].at, holes))


def shell(commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]) -> None:
    """`bash -c LINE`, `bash FILE`, and a script on its input."""
    arguments = sort_words(rest, _SHELL_VALUED, stops=True)
    if arguments.operands and arguments.operands[0].text == "-":
        # `bash -` ends the options, as `--` does.
        del arguments.operands[0]
    if unsure := arguments.unsure:
        commands.opaque(walker, command, unsure[0].holes[0])
        return
    if arguments.operands and {one.name for one in arguments.options} == {"-n"}:
        commands.report(
            walker, command, Effect.READ, "bash -n", "it reads the script and does not run it"
        )
        return
    if any(one.name.startswith("-") and "c" in one.name and not one.name.startswith("--")
           for one in arguments.options):  # fmt: skip
        if not arguments.operands:
            commands.opaque(walker, command, "its line is missing")
            return
        line, *parameters = arguments.operands
        state = State(directory=walker.state.directory, repointed=walker.state.repointed)
        state.functions = dict(walker.state.functions)
        words = tuple(one.text for one in parameters[1:])
        if all(one.is_exact for one in parameters):
            state.arguments = Value(words)
        walker.nested(line, state)
    elif arguments.operands and not any(one.name == "-s" for one in arguments.options):
        name = arguments.operands[0]
        if name.text == "/dev/stdin" or name.text.startswith("/dev/fd/"):
            _from_input(commands, walker, command)
            return
        commands.opaque(
            walker, command, f"what the script `{name.text[:100]}` does is not shown here"
        )
    elif arguments.shows_only(("--version", "--help")):
        commands.report(walker, command, Effect.READ, "bash --version", "it only prints help")
    else:
        _from_input(commands, walker, command)


_ASSIGNS = frozenset({"env", "sudo", "doas", "cross-env", "cross-env-shell"})
_SHELL_VALUED = ("-o", "-O", "--rcfile", "--init-file")


def windows_shell(
    commands: "Commands", walker: Walker, command: Command, rest: Sequence[Field]
) -> None:
    """`powershell -Command …` and `cmd /c …`, where the words after it mean the same to every shell."""
    marks = [
        index for index, one in enumerate(rest) if one.text.lower() in ("-command", "-c", "/c")
    ]
    before = rest[: marks[0]] if marks else rest
    words = rest[marks[0] + 1 :] if marks else ()
    harmless = all(
        one.text.lower() in ("-noprofile", "-noninteractive", "-nologo") for one in before
    )
    text = " ".join(one.text for one in words)
    if not words or not harmless or any(one.holes for one in words) or not _PLAIN.fullmatch(text):
        commands.opaque(
            walker, command, f"what `{command.fields[0].text[:60]}` runs is not read here"
        )
        return
    found = [literal(one, words[0].at) for one in text.split()]
    commands.perform(walker, replace(command, fields=tuple(found)))


_PLAIN = re.compile(r"[\w ./:\\*-]+")


def _from_input(commands: "Commands", walker: Walker, command: Command) -> None:
    fed = command.input
    if fed.text is not None:
        walker.nested(
            fed.text, State(directory=walker.state.directory, repointed=walker.state.repointed)
        )
    else:
        what = fed.unknown or "what is typed"
        commands.opaque(walker, command, f"it runs {what} as a script")


def parts(wrapper: Wrapper, rest: Sequence[Field]) -> tuple[list[Field], list[Field]] | None:
    """The lines and words that a wrapper runs; `None` when these words are not its form."""
    depth = len(wrapper.words)
    arguments = sort_words(rest, (*wrapper.valued, *wrapper.line_options), stops=depth == 0)
    if depth:
        operands = arguments.operands
        if [one.text for one in operands[:depth]] != list(wrapper.words):
            return None
        # What follows the subcommand is sorted anew, so that options of the inner command stay its own.
        after = rest[arguments.places[depth - 1] + 1 :]
        arguments = sort_words(
            after, (*wrapper.valued, *wrapper.line_options), stops=not wrapper.after_dashes
        )
        if wrapper.after_dashes:
            dashes = next((at for at, one in enumerate(after) if one.text == "--"), None)
            if dashes is None:
                stopped = sort_words(after, wrapper.valued, stops=True).operands
                return [], list(stopped[wrapper.operands :])
            return [], list(after[dashes + 1 :])
        # Options may stand between the operands before the command.
        rest = after
        arguments = sort_words(rest, (*wrapper.valued, *wrapper.line_options), stops=True)
    lines = arguments.values(wrapper.line_options)
    words = list(arguments.operands)
    if words and words[0].text == "-" and wrapper.line_options:
        # `su - user` is a login, and `-` no operand.
        words = list(
            sort_words(words[1:], (*wrapper.valued, *wrapper.line_options), stops=True).operands
        )
    for _ in range(wrapper.operands):
        words = words[1:]
        while words and words[0].text.startswith("-") and words[0].text != "-":
            again = sort_words(words, (*wrapper.valued, *wrapper.line_options), stops=True)
            lines += again.values(wrapper.line_options)
            words = list(again.operands)
    if (unsure := arguments.unsure) and (not words or words[0] is not unsure[0]):
        words = [unsure[0], *words]
    return lines, words
