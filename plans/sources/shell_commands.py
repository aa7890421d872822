"""What one command does: builtins and functions first, then programs that run others, then the tables."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..model import Change, Effect, Reversibility, Risk, Selector
from ..taxonomy.shell import Act, Taxonomy, Wrapper
from . import shell_builtins, shell_clients, shell_tools
from .shell_arguments import Match, match, sort_words
from .shell_files import judge_path
from .shell_report import change, rank_of, shortened
from .shell_state import State
from .shell_walk import Command, Hooks, Input, Redirect, Walker, joined, prints
from .shell_words import Field, Value
from .sql_changes import words


def hooks(taxonomy: Taxonomy) -> Hooks:
    """What a walker does with what it reaches."""
    commands = Commands(taxonomy)
    return Hooks(commands.perform, commands.redirect, commands.unread, commands.variable)


_SYSTEM_FOLDERS = re.compile(
    r"(/usr(/local)?)?/s?bin/|/opt/homebrew/s?bin/|(\./)?node_modules/\.bin/|(\./)?bin/(?=rails$|rake$|bundle$)"
)
_MEANING = words(
    "PATH LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES BASH_ENV ENV PROMPT_COMMAND "
    "SHELLOPTS BASHOPTS GIT_SSH_COMMAND GIT_SSH GIT_EXTERNAL_DIFF GIT_PAGER PAGER EDITOR VISUAL "
    "LESSOPEN PERL5OPT PERL5LIB RUBYOPT PYTHONSTARTUP PYTHONPATH NODE_OPTIONS JAVA_TOOL_OPTIONS "
    "MANPAGER BROWSER PS4 GIT_CONFIG_COUNT"
)
_QUIET = words(
    "true false : test [ exit return break continue wait jobs fg bg times type hash umask ulimit "
    "shopt set shift read mapfile readarray getopts let local echo printf cd pushd popd dirs pwd "
    "unalias disown suspend logout sleep bind complete compgen enable help caller"
)
_KNOWN_SCRIPTS = frozenset({"manage.py", "artisan"})
_SHELLS = words("sh bash dash zsh ksh ash rbash")
_CLOUDS = {"aws": "aws", "gcloud": "google", "gsutil": "google", "bq": "google", "az": "azure"}


class Commands:
    """One function for each way a command can mean something; the taxonomy is all it knows."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.clients = shell_clients.Clients(taxonomy, self.report, self.unread)

    # --- what is reported

    def report(
        self,
        walker: Walker,
        command: Command,
        effect: Effect,
        operation: str,
        why: str,
        *,
        target: str = "",
        type: str = "Command",
        selector: Selector | None = None,
        reversibility: Reversibility | None = None,
        criticality: Risk = Risk.MEDIUM,
        stateful: bool = False,
        recovery: bool = False,
        opaque: str | None = None,
    ) -> None:
        walker.budget.changes.append(
            change(
                walker.origin, command.at, command.text, effect=effect, operation=operation,
                why=why, target=target, type=type, selector=selector, reversibility=reversibility,
                criticality=criticality, stateful=stateful, recovery=recovery, opaque=opaque,
            )
        )  # fmt: skip

    def unread(self, walker: Walker, at: int, reason: str, text: str) -> None:
        walker.budget.changes.append(
            change(
                walker.origin, at, text, effect=Effect.UNKNOWN, operation=shortened(text, 60),
                why=f"cannot be read: {reason}", opaque=reason, criticality=Risk.HIGH,
            )
        )  # fmt: skip

    def opaque(self, walker: Walker, command: Command, reason: str) -> None:
        self.unread(walker, command.at, reason, command.text)

    def variable(self, walker: Walker, name: str, value: Field, at: int) -> None:
        """An assignment that changes which programs the names after it mean."""
        if name not in _MEANING and not name.startswith(("LD_", "DYLD_", "BASH_FUNC_")):
            return
        if name in ("PAGER", "GIT_PAGER", "MANPAGER", "PYTHONPATH") and value.text in (
            "cat",
            ".",
            "",
        ):
            return
        if name == "PATH" and re.fullmatch(
            r"(PATH=)?[\"']?(((/usr(/local)?)?/s?bin|/opt/homebrew/s?bin|\$PATH|\$\{PATH\})[:\"']*)+",
            value.text,
        ):
            return
        text = f"{name}={value.text}"
        self.unread(walker, at, f"`{name}` changes what the programs after it are", text)

    def redirect(self, walker: Walker, redirect: Redirect) -> None:
        command = Command((), redirect.at, redirect.text)
        if redirect.target.text.startswith("/dev/tcp/") or redirect.target.text.startswith(
            "/dev/udp/"
        ):
            self.opaque(walker, command, "it writes to the network")
            return
        act = Act.EMPTY if redirect.empties and not redirect.appends else Act.WRITE
        self.path(walker, command, act, redirect.target, ">>" if redirect.appends else ">",
                  is_tree=False, appends=redirect.appends)  # fmt: skip

    def path(
        self,
        walker: Walker,
        command: Command,
        act: Act,
        path: Field,
        operation: str,
        *,
        is_tree: bool,
        appends: bool = False,
    ) -> None:
        """What happens at one path."""
        full, outcome = judge_path(
            self.taxonomy, act, path, walker.state.directory, is_tree=is_tree
        )
        if isinstance(outcome, str):
            if act is Act.CREATE:
                self.report(
                    walker,
                    command,
                    Effect.CREATE,
                    operation,
                    "it is made",
                    target=full,
                    type="File",
                )
            else:
                self.opaque(walker, command, outcome)
            return
        if (
            appends
            and outcome.effect in (Effect.DELETE_AUDIT, Effect.DELETE_DATA)
            and not full.startswith("/dev/")
        ):
            outcome = replace(
                outcome, effect=Effect.UPDATE, selector=Selector.ONE, why="a file grows"
            )
        if (
            outcome.effect is Effect.READ
            and outcome.selector is Selector.NONE
            and operation in (">", ">>")
        ):
            return
        self.report(
            walker, command, outcome.effect, f"{operation} {full}", outcome.why, target=full,
            type="File", selector=outcome.selector, reversibility=outcome.reversibility,
            criticality=outcome.criticality, stateful=outcome.stateful, recovery=outcome.recovery,
        )  # fmt: skip

    # --- one command

    def perform(self, walker: Walker, command: Command) -> Input:
        """Runs one command; the answer is what it prints, if that is known."""
        first = command.fields[0]
        if first.holes:
            self.opaque(walker, command, f"which program it runs is not known: {first.holes[0]}")
            walker.state.doubt_everything()
            return prints(command)
        if first.is_pattern or first.text.startswith("~"):
            self.opaque(walker, command, "which program it runs is not known")
            return prints(command)
        name = first.text
        if functions := walker.state.functions.get(name):
            walker.call(functions, command.fields[1:], command.input)
            if functions[-1].is_sure:
                return prints(command)
        if aliases := walker.state.aliases.get(name):
            for alias in aliases:
                self.alias(walker, command, alias)
        if "/" in name:
            return self.by_path(walker, command)
        return self.by_name(walker, command, name.removesuffix(".exe"))

    def alias(self, walker: Walker, command: Command, alias: str | None) -> None:
        if alias is None:
            self.opaque(walker, command, "what its alias stands for is not known")
            return
        state = walker.state.fork()
        state.aliases = {}
        rest = " ".join(_quoted(one) for one in command.fields[1:] if one.is_exact)
        walker.nested(Field(f"{alias} {rest}", command.at), state)

    def by_path(self, walker: Walker, command: Command) -> Input:
        """A program named by its path: a known one in a system folder, else anybody's file."""
        text = command.fields[0].text
        base = text.rsplit("/", 1)[-1].removesuffix(".exe")
        if _SYSTEM_FOLDERS.fullmatch(text[: len(text) - len(text.rsplit("/", 1)[-1])]) or (
            _SYSTEM_FOLDERS.match(text) and text.count("/") <= 2
        ):
            return self.by_name(walker, command, base)
        before = len(walker.budget.changes)
        if base in self.taxonomy.programs or base in ("rm", "dd"):
            self.by_name(walker, command, base)
        found = walker.budget.changes[before:]
        # The name of a file accuses it, and never acquits it.
        if not any(rank_of(one.effect) > rank_of(Effect.EXECUTE) for one in found):
            del walker.budget.changes[before:]
            self.opaque(walker, command, f"what the file `{text[:100]}` does is not shown here")
        return prints(command)

    def by_name(self, walker: Walker, command: Command, name: str) -> Input:
        rest = command.fields[1:]
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, walker, command, rest) or prints(command)
        if name in _QUIET:
            return shell_builtins.plain_builtin(self, walker, command, name, rest)
        for wrapper in self.taxonomy.wrappers.get(name, ()):
            if (inner := _wrapped(wrapper, rest)) is not None:
                return self.wrapped(walker, command, wrapper, inner)
        if name in _SHELLS:
            self.shell(walker, command, rest)
        elif name in self.taxonomy.databases:
            self.clients.database(walker, command, self.taxonomy.databases[name], name)
        elif name in _CLOUDS and not self.is_in_table(name, rest):
            self.clients.cloud(walker, command, _CLOUDS[name], name)
        elif name in self.taxonomy.files:
            shell_tools.file_program(self, walker, command, self.taxonomy.files[name], rest)
        elif name in ("kubectl", "oc", "k") and self.clients.manifest(walker, command, rest):
            pass
        elif name in self.taxonomy.programs:
            self.program(walker, command, name, rest)
        elif name in self.taxonomy.readers:
            self.reader(walker, command, name, rest)
        elif name in self.taxonomy.runners:
            self.runner(walker, command, name, rest)
        else:
            self.opaque(walker, command, f"what the program `{name[:100]}` does is not in a table")
        if name in ("cat", "tee") and not [one for one in rest if not one.text.startswith("-")]:
            return command.input
        return prints(command)

    def is_in_table(self, name: str, rest: Sequence[Field]) -> bool:
        return any(
            isinstance(match(each, rest), Match) for each in self.taxonomy.programs.get(name, ())
        )

    def program(self, walker: Walker, command: Command, name: str, rest: Sequence[Field]) -> None:
        """A program of the tables: the worst of what they say."""
        found = [match(each, rest) for each in self.taxonomy.programs[name]]
        known = [one for one in found if isinstance(one, Match)]
        if not known:
            self.opaque(walker, command, next(one for one in found if isinstance(one, str)))
            return
        worst = max(known, key=lambda one: (rank_of(one.form.effect), one.form.opaque is not None))
        form = worst.form
        opaque = form.opaque or worst.doubt
        harmless = form.effect in (Effect.READ, Effect.CREATE)
        if opaque is None and not harmless:
            opaque = next((one.holes[0] for one in worst.rest if one.holes), None)
        operation = " ".join((name, *worst.words, *worst.options))
        self.report(
            walker, command, form.effect, operation, form.why,
            target=" ".join(one.text for one in worst.rest), selector=form.selector,
            reversibility=form.reversibility, criticality=form.criticality, opaque=opaque,
        )  # fmt: skip

    def reader(self, walker: Walker, command: Command, name: str, rest: Sequence[Field]) -> None:
        """A program that only reads, unless an option says otherwise."""
        exceptions = self.taxonomy.readers[name]
        arguments = sort_words(rest, ())
        if name in ("uniq", "xxd") and len(arguments.operands) > 1:
            self.path(walker, command, Act.WRITE, arguments.operands[1], name, is_tree=False)
            return
        if exceptions:
            if arguments.has(exceptions):
                self.opaque(walker, command, f"with these options `{name}` does more than read")
                return
            if arguments.unsure:
                self.opaque(walker, command, arguments.unsure[0].holes[0])
                return
        self.report(walker, command, Effect.READ, name, "it reads", target=joined(rest))

    def runner(self, walker: Walker, command: Command, name: str, rest: Sequence[Field]) -> None:
        row = self.taxonomy.runners[name]
        arguments = sort_words(rest, (*row.valued, *row.inline), stops=True)
        modules = [one for one in arguments.options if one.name == "-m" and one.value is not None]
        if (
            modules
            and (module := modules[0].value) is not None
            and module.text in self.taxonomy.programs
        ):
            self.program(walker, command, module.text, rest[modules[0].place + 2 :])
        elif (
            arguments.operands
            and (script := arguments.operands[0].text.removeprefix("./")) in _KNOWN_SCRIPTS
        ):
            # Frameworks put these files into every project, so that their names stand for a program.
            self.program(walker, command, script, arguments.operands[1:])
        elif arguments.shows_only(("--version", "--help", *row.shows)) and not arguments.operands:
            self.report(walker, command, Effect.READ, name, "it only prints help")
        elif arguments.has(row.inline):
            self.opaque(walker, command, f"code for `{name}` is not read here")
        elif not arguments.operands or arguments.operands[0].text == "-":
            self.opaque(walker, command, f"code for `{name}` comes from its input")
        else:
            words = " ".join(one.text for one in arguments.operands[:2])
            doubt = next(
                (one.holes[0] for one in (*arguments.operands, *arguments.unsure) if one.holes),
                None,
            )
            self.report(
                walker, command, Effect.EXECUTE, f"{name} {words}", "it runs code that is not shown",
                opaque=doubt,
            )  # fmt: skip

    # --- commands that run others

    def wrapped(
        self,
        walker: Walker,
        command: Command,
        wrapper: Wrapper,
        inner: "tuple[list[Field], list[Field]]",
    ) -> Input:
        lines, words = inner
        kept = walker.state
        if wrapper.elsewhere:
            walker.state = State(directory=None)
        try:
            for line in lines:
                walker.nested(line, walker.state.fork())
            if not words:
                if not lines and (wrapper.elsewhere or wrapper.operands):
                    self.opaque(
                        walker, command, "it opens a session, and what is typed there is not shown"
                    )
                elif not lines:
                    self.report(walker, command, Effect.READ, command.fields[0].text, "it prints")
                return prints(command)
            if wrapper.joins:
                self.line(walker, words)
                return prints(command)
            if wrapper.elsewhere and words[0].text in ("-it", "-i", "-t"):
                words = words[1:]
            while (
                words
                and re.match(r"[A-Za-z_]\w*=", words[0].known)
                and command.fields[0].text in ("env", "sudo")
            ):
                variable, _, value = words[0].text.partition("=")
                self.variable(walker, variable, replace(words[0], text=value), command.at)
                words = words[1:]
            if not words:
                self.report(walker, command, Effect.READ, command.fields[0].text, "it prints")
                return prints(command)
            return self.perform(walker, replace(command, fields=tuple(words)))
        finally:
            walker.state = kept

    def line(self, walker: Walker, words: Sequence[Field]) -> None:
        """Words that are joined and read by a shell, as after `ssh` and `eval`."""
        if len(words) == 1:
            walker.nested(words[0])
            return
        holes = tuple(dict.fromkeys(reason for one in words for reason in one.holes))
        text = " ".join(one.text for one in words)
        walker.nested(Field(text, words[0].at, holes))

    def shell(self, walker: Walker, command: Command, rest: Sequence[Field]) -> None:
        """`bash -c LINE`, `bash FILE`, and a script on its input."""
        arguments = sort_words(rest, ("-o", "-O", "--rcfile", "--init-file"), stops=True)
        if arguments.operands and arguments.operands[0].text == "-":
            # `bash -` ends the options, as `--` does.
            del arguments.operands[0]
        if unsure := arguments.unsure:
            self.opaque(walker, command, unsure[0].holes[0])
            return
        if any(one.name.startswith("-") and "c" in one.name and not one.name.startswith("--")
               for one in arguments.options):  # fmt: skip
            if not arguments.operands:
                self.opaque(walker, command, "its line is missing")
                return
            line, *parameters = arguments.operands
            state = State(directory=walker.state.directory)
            state.functions = dict(walker.state.functions)
            words = tuple(one.text for one in parameters[1:])
            if all(one.is_exact for one in parameters):
                state.arguments = Value(words)
            walker.nested(line, state)
        elif arguments.operands and not any(one.name == "-s" for one in arguments.options):
            name = arguments.operands[0]
            if name.text == "/dev/stdin" or name.text.startswith("/dev/fd/"):
                self.from_input(walker, command)
                return
            self.opaque(
                walker, command, f"what the script `{name.text[:100]}` does is not shown here"
            )
        elif arguments.shows_only(("--version", "--help")):
            self.report(walker, command, Effect.READ, "bash --version", "it only prints help")
        else:
            self.from_input(walker, command)

    def from_input(self, walker: Walker, command: Command) -> None:
        fed = command.input
        if fed.text is not None:
            walker.nested(fed.text, State(directory=walker.state.directory))
        else:
            what = fed.unknown or "what is typed"
            self.opaque(walker, command, f"it runs {what} as a script")

    # --- builtins


_Special = Callable[[Commands, Walker, Command, Sequence[Field]], Input | None]
_SPECIAL: dict[str, _Special] = {
    "alias": shell_builtins.alias,
    "eval": shell_builtins.eval_,
    "source": shell_builtins.source,
    ".": shell_builtins.source,
    "trap": shell_builtins.trap,
    "exec": shell_builtins.exec_,
    "command": shell_builtins.exec_,
    "builtin": shell_builtins.exec_,
    "find": shell_tools.find,
    "xargs": shell_tools.xargs,
    "parallel": shell_tools.parallel,
    "sed": shell_tools.sed,
    "gsed": shell_tools.sed,
    "awk": shell_tools.awk,
    "gawk": shell_tools.awk,
    "mawk": shell_tools.awk,
    "dd": shell_tools.dd,
    "curl": shell_tools.curl,
    "wget": shell_tools.wget,
    "history": shell_builtins.history,
}


def _wrapped(wrapper: Wrapper, rest: Sequence[Field]) -> "tuple[list[Field], list[Field]] | None":
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


def _quoted(field: Field) -> str:
    return "'" + field.text.replace("'", "'\\''") + "'"


__all__ = ["Change", "Commands", "hooks"]
