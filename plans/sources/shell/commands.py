"""What one command does: builtins and functions first, then programs that run others, then the tables."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from ...model import Change, Effect, Reversibility, Risk, Selector
from ...taxonomy.shell import Act, Database, Form, Program, Taxonomy
from ..verdicts import severity
from ..words import words
from . import assignments, builtins, clients, tools, wrappers
from .arguments import Match, is_word, match, sort_words
from .files import judge_path
from .project import repointed, written_file
from .reached import Command, Input, Redirect, joined, prints
from .report import change, shortened
from .variables import misleading, repointing
from .walk import Hooks, Walker
from .words import Field, Output


def hooks(taxonomy: Taxonomy) -> Hooks:
    """What a walker does with what it reaches."""
    commands = Commands(taxonomy)
    return Hooks(
        commands.perform, commands.redirect, commands.unread, commands.variable, commands.output
    )


_SYSTEM_FOLDERS = re.compile(r"(/usr(/local)?)?/s?bin/|/opt/homebrew/s?bin/")
# Package managers and frameworks put these into every project, so that their names stand for a program.
_PROJECT_PROGRAMS = re.compile(
    r"(\./)?((node_modules/\.|vendor/|\.?venv/)bin/[\w.-]+|bin/(rails|rake|bundle|rspec|console)"
    r"|gradlew|mvnw|manage\.py|artisan)"
)
_QUIET = words(
    "true false : test [ exit return break continue wait jobs fg bg times type hash umask ulimit "
    "shopt set shift read mapfile readarray getopts let local echo printf cd pushd popd dirs pwd "
    "unalias disown suspend logout sleep bind complete compgen enable help caller"
)
_KNOWN_SCRIPTS = {"manage.py": "manage.py", "artisan": "artisan", "bin/console": "console", "bin/rails": "rails",
                  "bin/rake": "rake"}  # fmt: skip
_SHELLS = words("sh bash dash zsh ksh ash rbash")
_FETCHING = words("cp sync mv rsync get-object download import-keys")
_MONGO_SHELLS = words("mongosh mongo")
_REQUESTERS = words("http https httpie xh xhs")
_WINDOWS_SHELLS = words("powershell pwsh cmd")
_CLOUDS = {"aws": "aws", "gcloud": "google", "gsutil": "google", "bq": "google", "az": "azure"}


class Commands:
    """One function for each way a command can mean something; the taxonomy is all it knows."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.clients = clients.Clients(taxonomy, self.report, self.unread)

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
        """An assignment that changes which programs the names after it mean, or what they act on."""
        walker.budget.assigned.add(name)
        walker.state.repointed = walker.state.repointed or repointing(name, value.text)
        if (reason := misleading(name, value.text)) is not None:
            self.unread(walker, at, reason, f"{name}={value.text}")

    def output(self, walker: Walker, fields: Sequence[Field]) -> Output | None:
        """What is known of what a program prints, where its name stands for it."""
        names = {*walker.state.functions, *walker.state.aliases}
        if not all(one.is_exact for one in fields) or fields[0].text in names:
            return None
        if any(" " in one.text and before.text != "-d" for before, one in pairwise(fields)):
            return None
        line = " ".join(one.text for one in fields)
        for row in self.taxonomy.outputs:
            if (found := re.fullmatch(row.pattern, line)) and not any(
                one in walker.state.variables
                or one in walker.budget.assigned
                or one.encode() in walker.origin.lines.source
                for one in row.unless_set
            ):
                return Output(found.expand(row.shown), row.is_path)
        return None

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
        makes_code = act not in (Act.DELETE, Act.CREATE)
        if makes_code and (reason := written_file(full)):
            walker.state.repointed = walker.state.repointed or reason
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
            assignments.call(walker, functions, command.fields[1:], command.input)
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
        folder = text[: text.rindex("/") + 1]
        if _SYSTEM_FOLDERS.fullmatch(folder):
            return self.by_name(walker, command, base)
        is_the_project_s = _PROJECT_PROGRAMS.fullmatch(text) is not None
        if is_the_project_s and repointed(self.taxonomy, walker.state, ()) is None:
            return self.by_name(walker, command, base)
        before = len(walker.budget.changes)
        if base in self.taxonomy.programs or base in ("rm", "dd"):
            self.by_name(walker, command, base)
        found = walker.budget.changes[before:]
        # The name of a file accuses it, and never acquits it.
        if not any(severity(one.effect) > severity(Effect.EXECUTE) for one in found):
            del walker.budget.changes[before:]
            self.opaque(walker, command, f"what the file `{text[:100]}` does is not shown here")
        return prints(command)

    def by_name(self, walker: Walker, command: Command, name: str) -> Input:
        rest = command.fields[1:]
        if re.fullmatch(r"[A-Za-z]+-[A-Za-z]+", name) and name not in self.taxonomy.programs:
            # PowerShell's names are the same in capitals.
            name = name.lower()
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, walker, command, rest) or prints(command)
        if name in _QUIET:
            return builtins.plain_builtin(self, walker, command, name, rest)
        for wrapper in self.taxonomy.wrappers.get(name, ()):
            if not wrapper.if_known and (inner := wrappers.parts(wrapper, rest)) is not None:
                return wrappers.wrapped(self, walker, command, wrapper, inner)
        if name in _SHELLS:
            wrappers.shell(self, walker, command, rest)
        elif name in _WINDOWS_SHELLS:
            wrappers.windows_shell(self, walker, command, rest)
        elif (sql := self.sql_words(name, rest)) is not None:
            asked = replace(command, fields=(command.fields[0], *sql))
            self.clients.database(walker, asked, self.taxonomy.databases[name], name)
            self.written(walker, command, self.taxonomy.databases[name], rest)
        elif name in _MONGO_SHELLS:
            self.clients.mongo(walker, command)
        elif name in _REQUESTERS:
            self.clients.httpie(walker, command, name)
        elif name in _CLOUDS and not self.is_in_table(name, rest):
            self.clients.cloud(walker, command, _CLOUDS[name], name)
            for one in clients.fetched(rest):
                self.path(walker, command, Act.WRITE, one, name, is_tree=False)
            for one in clients.emptied(rest):
                self.path(walker, command, Act.DELETE, one, name, is_tree=True)
            if any(one.text in _FETCHING for one in rest):
                walker.state.repointed = f"`{name}` may write files that are not shown"
        elif name in self.taxonomy.files:
            tools.file_program(self, walker, command, self.taxonomy.files[name], rest)
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

    def written(
        self, walker: Walker, command: Command, row: Program | Database, rest: Sequence[Field]
    ) -> None:
        """The files that a program writes because an option says so."""
        for one in sort_words(rest, (*row.valued, *row.writes), one_dash=row.one_dash).values(
            row.writes
        ):
            if one.text.startswith("|"):
                self.opaque(walker, command, "what it prints goes to another program")
            elif one.text != "-":
                name = command.fields[0].text
                self.path(walker, command, Act.WRITE, one, name, is_tree=False)

    def sql_words(self, name: str, rest: Sequence[Field]) -> Sequence[Field] | None:
        """The words after the subcommand that runs SQL; `None` when it is another one."""
        row = self.taxonomy.databases.get(name)
        if row is None:
            return None
        arguments = clients.sorted_for(row, rest)
        depth = len(row.words)
        if not all(is_word(one.text, word) and one.is_exact
                   for one, word in zip(arguments.operands, row.words, strict=False)):  # fmt: skip
            return None
        if len(arguments.operands) < depth:
            return None
        places = frozenset(arguments.places[:depth])
        return [one for index, one in enumerate(rest) if index not in places]

    def program(self, walker: Walker, command: Command, name: str, rest: Sequence[Field]) -> None:
        """A program of the tables: the worst of what they say."""
        found = [match(each, rest) for each in self.taxonomy.programs[name]]
        known = [one for one in found if isinstance(one, Match)]
        if not known:
            if self.known_inside(walker, command, name, rest):
                return
            self.opaque(walker, command, next(one for one in found if isinstance(one, str)))
            return
        worst = max(known, key=lambda one: (severity(one.form.effect), one.form.opaque is not None))
        form = worst.form
        opaque = form.opaque or worst.doubt
        if opaque is None and (set_ := walker.budget.assigned.intersection(form.unless_set)):
            opaque = f"what it does once `{min(set_)}` is set is not known"
        if form.project and (reason := repointed(self.taxonomy, walker.state, rest)):
            form = Form(effect=Effect.EXECUTE, why=f"it runs code that is not shown: {reason}")
        if form.unpacks:
            walker.state.repointed = f"`{name}` writes files that are not shown"
        harmless = form.effect in (Effect.READ, Effect.CREATE)
        if opaque is None and not harmless:
            # What a form writes is judged as a path.
            written = {int(one) - 1 for one in form.writes if one.isdecimal()}
            rest_of = [one for at, one in enumerate(worst.rest) if at not in written]
            opaque = next((one.holes[0] for one in rest_of if one.holes), None)
        operation = " ".join((name, *worst.words, *worst.options))
        self.report(
            walker, command, form.effect, operation, form.why,
            target=" ".join(one.text for one in worst.rest), selector=form.selector,
            reversibility=form.reversibility, criticality=form.criticality, opaque=opaque,
        )  # fmt: skip
        for row in self.taxonomy.programs[name]:
            if row.writes:
                self.written(walker, command, row, rest)
        self.form_paths(walker, command, name, worst, rest)

    def form_paths(
        self, walker: Walker, command: Command, name: str, found: Match, rest: Sequence[Field]
    ) -> None:
        """The files that a form writes, and the directories that it empties."""
        form = found.form
        named = [one for one in form.writes if one.startswith("-")]
        places = [int(one) - 1 for one in form.writes if one.isdecimal()]
        files = [found.rest[at] for at in places if at < len(found.rest)]
        for row in self.taxonomy.programs[name]:
            arguments = sort_words(
                rest, (*row.valued, *named, *form.deletes), one_dash=row.one_dash
            )
            files += arguments.values(named)
            for one in arguments.values(form.deletes):
                self.path(walker, command, Act.DELETE, one, name, is_tree=True)
        act = Act.EMPTY if _only_nothing(found.rest, files) else Act.REPLACE
        for one in files:
            if one.text != "-":
                self.path(walker, command, act, one, name, is_tree=False)

    def known_inside(
        self, walker: Walker, command: Command, name: str, rest: Sequence[Field]
    ) -> bool:
        """`yarn prisma …`: a program of the tables that a package manager runs."""
        if not any(wrapper.if_known for wrapper in self.taxonomy.wrappers.get(name, ())):
            return False
        words = sort_words(rest, (), stops=True).operands
        tables = (self.taxonomy.programs, self.taxonomy.runners)
        if (
            not words
            or not words[0].is_exact
            or not any(words[0].text in table for table in tables)
        ):
            return False
        self.perform(walker, replace(command, fields=tuple(words)))
        return True

    def reader(self, walker: Walker, command: Command, name: str, rest: Sequence[Field]) -> None:
        """A program that only reads, unless an option says otherwise."""
        exceptions = self.taxonomy.readers[name]
        arguments = sort_words(rest, ())
        if name in ("less", "more", "zless") and any(one.text.startswith("+") for one in rest):
            self.opaque(walker, command, "what it does when it starts is not read here")
            return
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
            and (script := _KNOWN_SCRIPTS.get(arguments.operands[0].text.removeprefix("./")))
            and repointed(self.taxonomy, walker.state, ()) is None
        ):
            self.program(walker, command, script, arguments.operands[1:])
        elif arguments.shows_only(("--version", "--help", *row.shows)) and not arguments.operands:
            self.report(walker, command, Effect.READ, name, "it only prints help")
        elif arguments.shows_only(row.checks) and not arguments.has(row.inline):
            self.report(walker, command, Effect.READ, name, "it reads code and does not run it")
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


def _only_nothing(rest: Sequence[Field], files: Sequence[Field]) -> bool:
    """Whether the only thing put into the files is `/dev/null`."""
    sources = [one.text for one in rest if one not in files]
    return bool(sources) and all(one == "/dev/null" for one in sources)


_Special = Callable[[Commands, Walker, Command, Sequence[Field]], Input | None]
_SPECIAL: dict[str, _Special] = {
    "alias": builtins.alias,
    "eval": builtins.eval_,
    "source": builtins.source,
    ".": builtins.source,
    "trap": builtins.trap,
    "exec": builtins.exec_,
    "command": builtins.exec_,
    "builtin": builtins.exec_,
    "find": tools.find,
    "xargs": tools.xargs,
    "parallel": tools.parallel,
    "sed": tools.sed,
    "gsed": tools.sed,
    "awk": tools.awk,
    "gawk": tools.awk,
    "mawk": tools.awk,
    "dd": tools.dd,
    "curl": tools.curl,
    "wget": tools.wget,
    "history": builtins.history,
}


def _quoted(field: Field) -> str:
    return "'" + field.text.replace("'", "'\\''") + "'"


__all__ = ["Change", "Commands", "hooks"]
