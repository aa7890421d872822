"""What programs do, from YAML tables: by subcommand and options, to paths, to databases, to other commands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Self

from pydantic import Field, model_validator

from ..model import Effect, Model, Problem, Reversibility, Risk, Selector
from .tables import read_user_table, yaml_of

Text = Annotated[str, Field(min_length=1)]
Source = Annotated[str, Field(pattern=r"^https://\S+$")]


class Form(Model):
    """One form of a command: the first form of a program that fits says what the command does."""

    words: tuple[Text, ...] = ()
    """Its first operands, each a pattern; `a|b` is either."""
    anywhere: bool = False
    """The words may stand after others, as the verb does in `gcloud sql instances delete`."""
    given: tuple[Text, ...] = ()
    """At least one of these options is given; `--opt=value` asks for the value, by pattern."""
    also: tuple[Text, ...] = ()
    """At least one of these too."""
    missing: tuple[Text, ...] = ()
    """None of these is given."""
    bare: bool = False
    """No operand follows the words."""
    after_dashes: bool = False
    """An operand follows `--`."""
    every: bool = False
    """Every operand after the words fits the last of them, but for `NAME=value`."""
    among: tuple[Text, ...] = ()
    """At least one operand after the words fits one of these patterns."""
    writes: tuple[Text, ...] = ()
    """Options whose value is a file that it writes; a number is the operand after the words that is."""
    deletes: tuple[Text, ...] = ()
    """Options whose value is a directory that it empties."""
    always: bool = False
    """It does so, too, where the program only shows what it would do."""
    project: bool = False
    """It runs what the project itself defines, as its tests; where something repoints it, it is `execute`."""
    unpacks: bool = False
    """It writes files that the line does not show."""
    unless_set: tuple[Text, ...] = ()
    """Variables with which it does something else, so that it is opaque where the script assigns one."""
    effect: Effect
    selector: Selector | None = None
    reversibility: Reversibility | None = None
    criticality: Risk = Risk.MEDIUM
    why: str = ""
    opaque: str | None = None
    """Why the command alone does not show what it does."""
    source: Source | None = None


class Program(Model):
    """A program, by every name it goes by."""

    names: Annotated[tuple[Text, ...], Field(min_length=1)]
    source: Source
    valued: tuple[Text, ...] = ()
    """Options that take the next word as their value."""
    flags: tuple[Text, ...] = ()
    """Options without a value that may stand before the words."""
    one_dash: bool = False
    """`-name` is one long option, as in Go's `flag`."""
    any_case: bool = False
    """Capitals in its words mean nothing."""
    several: bool = False
    """Each operand is a command, so that `help` or `version` as the first says nothing of the rest."""
    dry: tuple[Text, ...] = ()
    """Options with which it only shows what it would do."""
    writes: tuple[Text, ...] = ()
    """Options whose value is a file that it writes."""
    help: tuple[Text, ...] = ()
    """Options beside `--help` and `--version` with which it does nothing."""
    forms: tuple[Form, ...] = ()
    otherwise: Form | None = None
    """What it does in any other form; without this, any other form is opaque."""


class Readers(Model):
    """Programs that only read or print, with the options of each that do more."""

    names: Annotated[tuple[Text, ...], Field(min_length=1)]
    except_given: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    """By program: options with which it writes or runs something."""
    source: Source


class Wrapper(Model):
    """A program that runs the command in its operands."""

    names: Annotated[tuple[Text, ...], Field(min_length=1)]
    words: tuple[Text, ...] = ()
    """The subcommand that runs, as `exec` of `kubectl`."""
    valued: tuple[Text, ...] = ()
    operands: int = 0
    """How many operands stand before the command."""
    joins: bool = False
    """The operands are joined and read by a shell."""
    line_options: tuple[Text, ...] = ()
    """Options whose value is a line for a shell."""
    after_dashes: bool = False
    """The command stands after `--`."""
    elsewhere: bool = False
    """It runs on another machine or in another file system."""
    environment: bool = False
    """It gives the command other variables than the script shows."""
    session: bool = False
    """Without a command it runs a shell, which reads its input."""
    session_with: tuple[Text, ...] = ()
    """With one of these options it does so, too."""
    runs_more: tuple[Text, ...] = ()
    """Options with which it runs something else, too."""
    again: bool = False
    """Its operands are its own words again, as after `yarn workspace NAME`."""
    moves: tuple[Text, ...] = ()
    """Options with which it runs in another directory."""
    if_known: bool = False
    """It runs only programs of these tables so; other words are its own."""
    source: Source


class Database(Model):
    """A client that runs SQL."""

    names: Annotated[tuple[Text, ...], Field(min_length=1)]
    dialect: Text
    nearest: bool = False
    """Its own dialect is not read here and this one is the nearest, so that only what both read alike counts."""
    one_dash: bool = False
    """`-name` is one long option."""
    words: tuple[Text, ...] = ()
    """The subcommand that runs SQL, as `execute` of `wrangler d1`."""
    statements: tuple[Text, ...] = ()
    """Patterns of its own statements that only show something."""
    text: tuple[Text, ...] = ()
    """Options whose value is SQL."""
    files: tuple[Text, ...] = ()
    """Options whose value is a file of SQL."""
    valued: tuple[Text, ...] = ()
    attached: tuple[Text, ...] = ()
    """Options whose value, where they have one, is in the same word."""
    writes: tuple[Text, ...] = ()
    """Options whose value is a file that it writes, or a command where it begins with `|`."""
    shows: tuple[Text, ...] = ()
    """Options with which it only lists something."""
    operand: int | None = None
    """The operand from which on operands are SQL."""
    source: Source


class Act(StrEnum):
    """What a program does to the paths it is given."""

    DELETE = "delete"
    EMPTY = "empty"
    WRITE = "write"
    """Every operand is written."""
    REPLACE = "replace"
    """A new file takes the place of what stood there."""
    EDIT = "edit"
    """What stands there is changed in place."""
    WRITE_LAST = "write_last"
    """The last operand is written."""
    MOVE = "move"
    CREATE = "create"
    ACCESS = "access"
    """Every operand but the first gets other rights or another owner."""


class FileProgram(Model):
    names: Annotated[tuple[Text, ...], Field(min_length=1)]
    act: Act
    trees: tuple[Text, ...] = ()
    """Options with which it acts on whole directories."""
    always_trees: bool = False
    valued: tuple[Text, ...] = ()
    targets: tuple[Text, ...] = ()
    """Options whose value is the path written to."""
    deletes: tuple[Text, ...] = ()
    """Options with which it deletes in its target."""
    takes: tuple[Text, ...] = ()
    """Options with which what it copied is deleted where it was."""
    alone: bool = False
    """Without operands it makes something temporary."""
    dry: tuple[Text, ...] = ()
    source: Source


class Place(StrEnum):
    """What a path stands for."""

    NOTHING = "nothing"
    SCRATCH = "scratch"
    """Temporary, or made again by a build."""
    LOG = "log"
    RECOVERY = "recovery"
    """A backup, or the history that brings files back."""
    DATA = "data"
    """The files of a database, or the state of a tool."""
    DEVICE = "device"
    WHOLE = "whole"
    """A directory that holds everything of somebody: root, homes, mounts."""
    SYSTEM = "system"
    """The operating system, or what decides who may enter and what runs by itself."""


class Paths(Model):
    patterns: Annotated[tuple[Text, ...], Field(min_length=1)]
    place: Place
    source: Source


class Printed(Model):
    """What is known of what a line prints, where it stands for a word."""

    pattern: Text
    """The words of the line, parted by blanks, as a regular expression."""
    shown: Text
    """What stands for it; `$(…)` in it is a name without slashes and blanks, and never empty."""
    is_path: bool = True
    """Otherwise it is one word at most, and nothing else is known of it."""
    unless_set: tuple[Text, ...] = ()
    """Variables that change it."""
    source: Source


class Runner(Model):
    """Programs that run code which no artifact shows."""

    names: Annotated[tuple[Text, ...], Field(min_length=1)]
    inline: tuple[Text, ...] = ()
    """Options whose value is code."""
    valued: tuple[Text, ...] = ()
    shows: tuple[Text, ...] = ()
    checks: tuple[Text, ...] = ()
    """Options with which it reads the code and does not run it."""
    source: Source


class Table(Model):
    """One YAML file."""

    programs: tuple[Program, ...] = ()
    readers: tuple[Readers, ...] = ()
    wrappers: tuple[Wrapper, ...] = ()
    databases: tuple[Database, ...] = ()
    files: tuple[FileProgram, ...] = ()
    paths: tuple[Paths, ...] = ()
    runners: tuple[Runner, ...] = ()
    outputs: tuple[Printed, ...] = ()

    @model_validator(mode="after")
    def _forms_are_whole(self) -> Self:
        for program in self.programs:
            if not program.forms and program.otherwise is None:
                raise ValueError(f"`{program.names[0]}` has no form")
        return self


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The tables, by the name of a program. A user's row never acquits what a shipped row accuses."""

    shipped: tuple[Table, ...]
    added: tuple[Table, ...] = ()
    programs: Mapping[str, tuple[Program, ...]] = field(init=False)
    readers: Mapping[str, tuple[Text, ...]] = field(init=False)
    wrappers: Mapping[str, tuple[Wrapper, ...]] = field(init=False)
    databases: Mapping[str, Database] = field(init=False)
    files: Mapping[str, FileProgram] = field(init=False)
    runners: Mapping[str, Runner] = field(init=False)
    paths: tuple[Paths, ...] = field(init=False)
    outputs: tuple[Printed, ...] = field(init=False)

    def __post_init__(self) -> None:
        programs: dict[str, tuple[Program, ...]] = {}
        readers: dict[str, tuple[str, ...]] = {}
        wrappers: dict[str, tuple[Wrapper, ...]] = {}
        databases: dict[str, Database] = {}
        file_programs: dict[str, FileProgram] = {}
        runners: dict[str, Runner] = {}
        known: set[str] = set()
        for table in self.shipped:
            known |= _names(table)
        for table in (*self.shipped, *self.added):
            # An added table speaks of what nobody knew; of a known program only beside its own forms.
            free = frozenset() if table in self.shipped else frozenset(known)
            for program in table.programs:
                for name in program.names:
                    if name not in free or name in programs:
                        programs[name] = (*programs.get(name, ()), program)
            for group in table.readers:
                names = [name for name in group.names if name not in free]
                readers |= {name: group.except_given.get(name, ()) for name in names}
            for wrapper in table.wrappers:
                for name in wrapper.names:
                    if name not in free:
                        wrappers[name] = (*wrappers.get(name, ()), wrapper)
            for database in table.databases:
                databases |= {name: database for name in database.names if name not in free}
            for file_program in table.files:
                file_programs |= {
                    name: file_program for name in file_program.names if name not in free
                }
            for runner in table.runners:
                runners |= {name: runner for name in runner.names if name not in free}
        object.__setattr__(self, "programs", programs)
        object.__setattr__(self, "readers", readers)
        object.__setattr__(self, "wrappers", wrappers)
        object.__setattr__(self, "databases", databases)
        object.__setattr__(self, "files", file_programs)
        object.__setattr__(self, "runners", runners)
        # A user's row cannot say that an output is harmless.
        object.__setattr__(
            self, "outputs", tuple(row for table in self.shipped for row in table.outputs)
        )
        object.__setattr__(
            self,
            "paths",
            tuple(row for table in (*self.shipped, *self.added) for row in table.paths),
        )


def _names(table: Table) -> set[str]:
    rows: tuple[Program | Readers | Wrapper | Database | FileProgram | Runner, ...] = (
        *table.programs, *table.readers, *table.wrappers, *table.databases, *table.files, *table.runners
    )  # fmt: skip
    return {name for row in rows for name in row.names}


@cache
def shipped() -> Taxonomy:
    """The tables of this package. A mistake in one is a bug and raises."""
    return Taxonomy(tuple(table for _, table in shipped_tables()))


def shipped_tables() -> Iterator[tuple[str, Table]]:
    """Every shipped file with its name."""
    for resource in sorted(files("interlock.plans.taxonomy").iterdir(), key=lambda each: each.name):
        if resource.name.startswith("shell") and resource.name.endswith(".yaml"):
            yield resource.name, Table.model_validate(yaml_of(resource.read_text(encoding="utf-8")))


def read_table(file: str, text: str) -> tuple[Table | None, tuple[Problem, ...]]:
    """A user's table."""
    return read_user_table(Table, file, text, ())
