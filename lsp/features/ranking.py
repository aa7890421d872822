"""In which order proposals stand: by the reason for each, then by the order of its kind, then by name."""

from enum import IntEnum

from ...lang import syntax
from ...lang.syntax import Effect


class Rank(IntEnum):
    """Why something is proposed; the best reason first."""

    ANSWER = 0
    """What its place asks for: a member of the enum, a field that must be given, the next clause."""
    FITS = 1
    """In sight, and of the type that is needed."""
    LEADS = 2
    """In sight; what is needed may stand after its dot."""
    MAKES = 3
    """A definition or a function that gives the type, or what is written in many places."""
    GOES_ON = 4
    """A word of the language with which the text can go on."""
    OTHER = 5
    """In sight, and of another type."""
    UNLIKELY = 6
    """Possible, and hardly meant."""
    ELSEWHERE = 7
    """In another module, so that a `use` comes with it."""


DECLARATIONS = (
    "permit", "forbid", "require", "prove", "test", "define", "entity", "action", "use", "enum", "type", "abstract",
    "module",
)  # fmt: skip
"""The words that begin a declaration, those that are written most often first."""
_SCOPE = ("action", "principal", "resource")
CLAUSES: dict[str, tuple[str, ...]] = {
    Effect.PERMIT: ("when", *_SCOPE, "unless", "because", "instead"),
    Effect.FORBID: ("when", "because", *_SCOPE, "unless", "instead"),
    Effect.REQUIRE: ("need", "when", *_SCOPE, "unless", "because", "instead"),
    "prove": ("never", "always", "permitted", "denied", "held", "for", "when", *_SCOPE, "unless"),
    "test": ("expect", "principal", "action", "resource", "context", "given"),
    "action": ("principal", "resource", "context", "effects"),
}  # fmt: skip
"""The clauses of each declaration that takes them, the one that is wanted most first."""
CLAUSE_WORDS = frozenset(word for words in CLAUSES.values() for word in words)
CLAIMS = frozenset({"never", "always", "permitted", "denied", "held", "for"})
_REPEATED = frozenset({"when", "unless", "need", "given"})
OPERATORS = ("and", "or", "in", "has", "is", "like", "contains", "starts_with", "ends_with")
"""The words between two values, those that are written most often first."""
VALUES = ("false", "true", "not", "if")
"""The words that begin a value, beside the parts of a request."""
REQUEST = ("principal", "resource", "context", "action")
TYPES = ("String", "Int", "Bool", "Instant", "Set", "Decimal", "Duration", "IpRange")


def order_in(words: tuple[str, ...], word: str) -> int:
    """The place of a word among others, which stand after them."""
    return words.index(word) if word in words else len(words)


def wanted_clauses(item: syntax.Declaration) -> tuple[str, ...] | None:
    """The words of the clauses that a declaration can still take; `None` for one that has none."""
    match item:
        case syntax.Rule(effect, clauses=clauses):
            words, given = CLAUSES[effect], set(map(_word_of, clauses))
        case syntax.Prove(clauses=clauses):
            words, given = CLAUSES["prove"], set(map(_word_of, clauses))
            if given & CLAIMS:
                # What holds after any sequence is claimed in two clauses.
                other = "always" if given & CLAIMS == {"for"} else ""
                words = tuple(word for word in words if word not in CLAIMS or word == other)
        case syntax.Test(clauses=clauses):
            words, given = CLAUSES["test"], set(map(_word_of, clauses))
        case syntax.Action():
            words = CLAUSES["action"]
            parts = (item.principals, item.resources, item.context.fields, item.effects)
            given = {word for word, part in zip(words, parts, strict=True) if part}
        case _:
            return None
    return tuple(word for word in words if word not in given or word in _REPEATED)


def _word_of(clause: syntax.Node) -> str:
    """The word that a clause begins with."""
    return clause.span.text.split(maxsplit=1)[0] if clause.span.text.strip() else ""
