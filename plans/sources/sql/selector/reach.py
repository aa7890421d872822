"""What is known of the table that a WHERE chooses rows of, and how much of it can be reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from ....model import Selector
from ..tree import Node


@dataclass(frozen=True, slots=True)
class Reach:
    """`rows` is an upper bound where one is known."""

    selector: Selector
    rows: int | None = None


EVERY = Reach(Selector.ALL)
NOTHING = Reach(Selector.NONE)
PART = Reach(Selector.SOME)
DARK = Reach(Selector.UNKNOWN)


def at_most(rows: int) -> Reach:
    return Reach(Selector.ONE if rows == 1 else Selector.SOME, rows)


ONCE = at_most(1)
_GROWING = list(Selector)


def times(rounds: Reach, reach: Reach) -> Reach:
    """What is reached in so many rounds, where each may reach other rows."""
    if rounds == ONCE or reach.selector == Selector.NONE:
        return reach
    if rounds.rows is not None and reach.rows is not None:
        return at_most(max(rounds.rows, 1) * reach.rows)
    return Reach(max(rounds.selector, reach.selector, Selector.SOME, key=_GROWING.index))


class Calling(Enum):
    """What a function does to a condition it stands in."""

    STEADY = "steady"
    VOLATILE = "volatile"
    UNKNOWN = "unknown"


def _nobody_knows(table: Node) -> frozenset[str] | None:
    return None


@dataclass(frozen=True, slots=True)
class Target:
    """The table that a WHERE chooses rows of, and what is known about it."""

    names: frozenset[str]
    """How its columns may be qualified."""
    is_same_table: Callable[[Node], bool]
    calling: Callable[[Node], Calling]
    keys: frozenset[frozenset[str]] = frozenset()
    """Sets of columns that tell one row from the others."""
    keys_are_complete: bool = False
    """False when a column may be a key by its name alone."""
    not_null: frozenset[str] = frozenset()
    columns: frozenset[str] | None = None
    """All columns, where they are known; then the ones not in `not_null` may be null."""
    table: str = ""
    queries: Mapping[str, Node] = field(default_factory=dict)
    """Sub-selects by name: common table expressions and those that stand beside the target."""
    same_names: frozenset[str] = frozenset()
    """Other names under which the same table stands beside the target."""
    is_joined: bool = False
    """Whether other tables stand beside it, so that a bare column may be theirs."""
    variables: frozenset[str] = frozenset()
    """Names that are parameters and not columns."""
    columns_of: Callable[[Node], frozenset[str] | None] = _nobody_knows
    """All columns of another table, where they are known."""
    of_row: frozenset[str] = frozenset()
    """Tables beside it that hold the row for which a trigger runs."""
    rounds: Reach = ONCE
    """How often the rows are chosen; in a loop, as often as it runs."""
    counts_limits: bool = True
    """False where a LIMIT bounds only one of many rounds."""

    def is_key(self, column: str) -> bool:
        if column == "ctid" or frozenset({column}) in self.keys:
            return True
        return not self.keys_are_complete and _is_key_by_name(column, self.table)

    def is_never_null(self, column: str) -> bool:
        if column == "ctid" or column in self.not_null:
            return True
        # A unique column may be null; a key by its name is taken for the primary key.
        return not self.keys_are_complete and _is_key_by_name(column, self.table)


def _is_key_by_name(column: str, table: str) -> bool:
    if column in ("id", "uuid", "guid", "pk", "_id"):
        return True
    table = table.lower()
    if _KEYS_OF_TOOLS.get(table) == column.lower():
        return True
    singular = {table, table.removesuffix("s"), table.removesuffix("es")}
    if table.endswith("ies"):
        singular.add(table.removesuffix("ies") + "y")
    return bool(table) and column.lower() in {
        f"{name}{ending}" for name in singular if name for ending in ("_id", "id")
    }


# What tools of migration make the primary key of the table in which they note how far they are:
# https://alembic.sqlalchemy.org/en/latest/api/runtime.html (`version_table_pk`),
# https://api.rubyonrails.org/classes/ActiveRecord/SchemaMigration.html,
# https://api.rubyonrails.org/classes/ActiveRecord/InternalMetadata.html.
_KEYS_OF_TOOLS = {
    "alembic_version": "version_num",
    "schema_migrations": "version",
    "ar_internal_metadata": "key",
}
