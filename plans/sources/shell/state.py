"""What a script has established so far: variables, functions, aliases, the directory it is in."""

from dataclasses import dataclass, field, replace

from .syntax import Node, Origin, Tree
from .variables import repointing
from .words import Value

HOME = "~"
"""The home directory, wherever it is; `$HOME` and `~` both expand to it."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the script: its body, and the text in which it stands."""

    body: Node
    tree: Tree
    origin: Origin
    is_sure: bool
    """Whether it is surely defined when it is called."""


UNKNOWN_ARGUMENTS = Value(unknown="the arguments of the script are not known")


@dataclass(slots=True)
class State:
    """The one mutable thing while a script is read, in the order its commands run."""

    variables: dict[str, Value] = field(default_factory=lambda: {"HOME": Value((HOME,))})
    functions: dict[str, tuple[Function, ...]] = field(default_factory=dict)
    aliases: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    arguments: Value = UNKNOWN_ARGUMENTS
    directory: str | None = "."
    """Where relative paths start: `.` is where the script starts, `None` is not known."""
    local_names: frozenset[str] = frozenset()
    """Variables that end with the function in which they were declared."""
    repointed: str | None = None
    """Why the project's own commands may do something else than the project says."""
    hides_commands: bool = False
    """Whether the script quotes a command that runs once bash computes it."""
    splits_plainly: bool = True
    """False once `IFS` may part words at other letters than blanks."""

    def fork(self) -> "State":
        return replace(
            self,
            variables=dict(self.variables),
            functions=dict(self.functions),
            aliases=dict(self.aliases),
        )

    def variable(self, name: str) -> Value:
        if name.isdecimal():
            if name == "0" or self.arguments.unknown is not None:
                return Value(unknown=f"`${name}` is not known")
            index = int(name) - 1 if len(name) < 6 else len(self.arguments.words)
            words = self.arguments.words
            return Value((words[index],)) if index < len(words) else Value()
        known = self.variables.get(name)
        if known is None:
            return Value(unknown=f"`${name}` is not set in this script")
        if not self.splits_plainly:
            return Value(unknown=f"`${name}` may be cut at any letter, since `IFS` was set")
        return known

    def assign(self, name: str, value: Value) -> None:
        if name == "IFS":
            self.splits_plainly = False
        shown = " ".join(value.words) if value.unknown is None else ""
        self.repointed = self.repointed or repointing(name, shown)
        self.variables[name] = value

    def doubt(self, name: str, why: str) -> None:
        self.assign(name, Value(unknown=f"`${name}` {why}"))

    def doubt_everything(self) -> None:
        """After what could not be read, nothing established before is sure."""
        for name in self.variables:
            self.doubt(name, "may have been changed by what could not be read")
        self.functions = {
            name: tuple(replace(each, is_sure=False) for each in bodies)
            for name, bodies in self.functions.items()
        }
        self.directory = None
        self.arguments = UNKNOWN_ARGUMENTS
        self.repointed = "what could not be read may have changed the project"

    def merge(self, other: "State") -> None:
        """This or the other: what differs is not known."""
        for name in {*self.variables, *other.variables}:
            if self.variables.get(name) != other.variables.get(name):
                self.doubt(name, "depends on which branch runs")
        for name in {*self.functions, *other.functions}:
            mine, theirs = self.functions.get(name, ()), other.functions.get(name, ())
            if mine != theirs:
                both = (*mine, *(each for each in theirs if each not in mine))
                self.functions[name] = tuple(replace(each, is_sure=False) for each in both)
        for name in {*self.aliases, *other.aliases}:
            both_texts = (*self.aliases.get(name, ()), *other.aliases.get(name, ()))
            self.aliases[name] = tuple(dict.fromkeys(both_texts))
        if self.directory != other.directory:
            self.directory = None
        if self.arguments != other.arguments:
            self.arguments = UNKNOWN_ARGUMENTS
        self.hides_commands = self.hides_commands or other.hides_commands
        self.splits_plainly = self.splits_plainly and other.splits_plainly
        self.repointed = self.repointed or other.repointed
