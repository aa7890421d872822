"""What a script reaches: commands with their words and input, files opened for writing, and what is left to read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...model import Change
from .report import shortened
from .syntax import Node, text_of
from .words import Field

MAX_COMMANDS = 20_000


@dataclass(frozen=True, slots=True)
class Input:
    """What a command reads: `text` where it is known; otherwise why it is not."""

    text: Field | None = None
    unknown: str | None = None


TERMINAL = Input()
"""Nothing of the script feeds it."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command about to run."""

    fields: tuple[Field, ...]
    at: int
    text: str
    input: Input = TERMINAL


@dataclass(frozen=True, slots=True)
class Redirect:
    """A file that a redirection opens for writing."""

    target: Field
    appends: bool
    empties: bool
    """Nothing is written: the file is only emptied."""
    at: int
    text: str


@dataclass(slots=True)
class Budget:
    """What is left for one artifact, however deeply its texts are nested."""

    commands: int = MAX_COMMANDS
    changes: list[Change] = field(default_factory=list)
    exceeded: str | None = None
    assigned: set[str] = field(default_factory=set)
    """Variables that are assigned anywhere, also for one command only."""


SILENT = Input(text=Field("", 0))
"""Nothing is printed."""


def unknown_output(node: Node) -> Input:
    return Input(unknown=f"what `{shortened(text_of(node), 60)}` prints")


def shared(feed: Input) -> Input:
    """An input that this command may get, or another one before it."""
    if feed is TERMINAL or feed.text is None:
        return feed
    return Input(unknown="the rest of an input that other commands read too")


def prints(command: Command) -> Input:
    """What a command prints, where nobody knows it."""
    return Input(unknown=f"what `{shortened(command.text, 60)}` prints")


def joined(fields: Sequence[Field]) -> str:
    return shortened(" ".join(one.text for one in fields))
