"""What a script of MySQL, SQLite, Snowflake, T-SQL or BigQuery has established so far."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import reduce

from ....model import Asset
from ..changes import Finding, asset, joined_name
from ..postgres.script import UNKNOWN_TABLE, TableFacts
from ..renames import Renames
from ..selector.reach import ONCE, Reach, times
from .forms import Name
from .taxonomy import Dialect
from .tokens import Tokens


@dataclass(frozen=True, slots=True)
class Routine:
    """A body that waits for its call; `text` is what its tokens stand in."""

    body: Tokens
    text: str
    is_exact: bool
    """Whether the text is the artifact's own, so that places in it are places there."""
    of_row: frozenset[str] = frozenset()
    """In a trigger, the names of the row, or of the tables of rows, that it runs for."""


@dataclass(frozen=True, slots=True)
class Text:
    """Where tokens stand: in the artifact, or in a text that a statement of the artifact runs."""

    text: str
    start: int
    is_exact: bool = True

    def at(self, tokens: Tokens) -> int:
        return self.start + tokens[0].start if self.is_exact else self.start


@dataclass(slots=True)
class Session:
    """The one mutable thing while a script is read, in the order its statements run."""

    dialect: Dialect
    read: "Callable[[Session, Tokens, Text], list[Finding]]"
    """Reads one statement; what holds statements opens them with it."""
    database: tuple[str, ...] = ()
    """What USE put before names without a qualifier."""
    is_in_transaction: bool = False
    tables: dict[str, TableFacts] = field(default_factory=dict)
    temporary: set[str] = field(default_factory=set)
    renames: Renames = field(default_factory=Renames)
    views: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    """What the functions in the script's own views do when one is read."""
    steady: set[str] = field(default_factory=set)
    """The script's own functions that compute and do nothing else."""
    routines: dict[str, Routine] = field(default_factory=dict)
    triggers: dict[str, list[Routine]] = field(default_factory=dict)
    """By table: what runs when its rows change."""
    prepared: dict[str, str | None] = field(default_factory=dict)
    """Texts of prepared statements; `None` where the text is put together."""
    texts: dict[str, str] = field(default_factory=dict)
    """Variables that hold a text the script writes out."""
    runs_in_order: bool = True
    """False once a branch or a loop may skip or repeat what follows."""
    variables: frozenset[str] = frozenset()
    """Names that are variables of the body being read."""
    row_tables: frozenset[str] = frozenset()
    """In a trigger of T-SQL, the tables of the rows that it runs for."""
    depth: int = 0
    """How many bodies the statement stands in; only at 0 is it sure to run."""
    opened: set[tuple[int, Reach]] = field(default_factory=set)
    """Bodies opened for the current statement, with how often they run; each is read once so."""
    calling: tuple[int, ...] = ()
    """The routines whose bodies are being read."""
    loops: list[Reach] = field(default_factory=list)
    """How often each loop runs that is open."""
    steps: int = 0
    quotes_are_plain: bool = True
    """False once a setting may have changed where strings end."""

    @property
    def name(self) -> str:
        return self.dialect.name

    @property
    def rounds(self) -> Reach:
        """How often the statement being read runs."""
        return reduce(times, self.loops, ONCE)

    def id(self, parts: tuple[str, ...]) -> str:
        if len(parts) == 1 and self.database and not self.is_temporary_name(parts[0]):
            parts = (*self.database, *parts)
        return joined_name(part for part in parts if part)

    def key(self, parts: tuple[str, ...]) -> str:
        return self.id(parts).casefold()

    def is_temporary_name(self, name: str) -> bool:
        if self.name == "tsql" and name.startswith(("#", "@")):
            return True
        return name.casefold() in self.temporary

    def table(self, parts: tuple[str, ...], type: str = "Table", kind: str = "table") -> Asset:
        if type == "Table" and self.key(parts) in self.views:
            type, kind = "View", "view"
        return asset(type, self.name, kind, self.id(parts), parts[-1])

    def thing(self, type: str, kind: str, name: Name | None) -> Asset:
        if name is None:
            return asset(type, self.name, kind, "current", f"current {kind.replace('_', ' ')}")
        if type in ("Table", "View"):
            return self.table(name.parts, type, kind)
        return asset(type, self.name, kind, joined_name(name.parts), name.parts[-1])

    def facts(self, parts: tuple[str, ...]) -> TableFacts:
        return self.tables.get(self.key(parts), UNKNOWN_TABLE)

    def use(self, database: tuple[str, ...]) -> None:
        """USE: a temporary table stays behind in the database that it was made in."""
        self.leave_temporary()
        self.database = database

    def leave_temporary(self) -> None:
        if self.name in _TEMPORARY_IN_A_DATABASE:
            for name in self.temporary:
                self.tables.pop(name, None)
            self.temporary.clear()

    def is_new(self, parts: tuple[str, ...]) -> bool:
        if len(parts) == 1 and self.is_temporary_name(parts[0]):
            return True
        return self.facts(parts).is_new

    def create(self, parts: tuple[str, ...], facts: TableFacts, *, is_temporary: bool) -> None:
        """Notes a new table; in a body it may not run, and IF NOT EXISTS may find another."""
        if self.depth > 0:
            self.tables.pop(self.key(parts), None)
            return
        is_found = len(parts) == 1 or self.name not in _TEMPORARY_IN_A_DATABASE
        if is_temporary and (is_found or parts[:-1] == self.database):
            self.temporary.add(parts[-1].casefold())
        # Only SQLite and T-SQL undo a CREATE with its transaction; without one, a client that goes on
        # after an error would act on a table that was there before.
        undone = self.is_in_transaction and self.name in ("sqlite", "tsql")
        self.tables[self.key(parts)] = replace(
            facts, is_new=is_temporary or (facts.is_new and undone)
        )

    def forget(self, parts: tuple[str, ...]) -> None:
        self.tables.pop(self.key(parts), None)
        self.views.pop(self.key(parts), None)
        if len(parts) == 1:
            self.temporary.discard(parts[0].casefold())

    def begin(self) -> None:
        self.is_in_transaction = True

    def commit(self) -> None:
        self.is_in_transaction = False
        for key, facts in tuple(self.tables.items()):
            if key.rpartition(".")[2] not in self.temporary:
                self.tables[key] = replace(facts, is_new=False)

    def roll_back(self) -> None:
        """Nothing made since may be left."""
        self.is_in_transaction = False
        self.tables.clear()
        self.temporary.clear()
        self.routines.clear()
        self.triggers.clear()


# Elsewhere a temporary table belongs to the session, and its bare name finds it from everywhere.
_TEMPORARY_IN_A_DATABASE = frozenset({"mysql", "snowflake"})
