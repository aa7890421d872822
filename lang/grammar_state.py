"""How far a text has come in the grammar, what may follow, and what would complete it: for text that is being written.

Runs the tables of the parser on kinds of words and builds nothing. A word that does not fit is left out.
"""

import re
from dataclasses import dataclass
from functools import cache
from heapq import heappop, heappush

from .parser import Grammar, grammar

_TOKEN = re.compile(
    r"(?P<DOC>///[^\r\n]*)|(?P<COMMENT>//[^\r\n]*)"
    r'|(?P<ENTITY>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*::"(?:[^"\\\r\n]|\\[^\r\n])*")'
    r'|(?P<STRING>"(?:[^"\\\r\n]|\\[^\r\n])*")|(?P<OPEN>"[^\r\n]*)'
    r"|(?P<DURATION>[0-9]+(?:w|d|h|ms|m|s|us|ns)(?:[0-9]+(?:d|h|ms|m|s|us|ns))*(?![A-Za-z0-9_]))"
    r"|(?P<DECIMAL>[0-9][0-9_]*\.[0-9]+(?![A-Za-z0-9_]))|(?P<INTEGER>[0-9][0-9_]*(?![A-Za-z0-9_]))"
    r"|(?P<NAME>[A-Za-z_]\w*)|(?P<MARK>&&|\|\||->|=>|\?\?|[=!<>]=|[-=<>{}(),.|:?+*@])|(?P<other>\S)",
    re.ASCII,
)
_MAX_STEPS = 3_000
"""States that are tried to complete a text."""
_FILLERS = {"STRING": '""', "INTEGER": "0", "ENTITY": 'X::""'}
"""What stands for a kind of word in a completion, beside the words that are always written the same."""

_MEANT = {"&&": "and", "||": "or"}
"""What people write who have another language in their fingers."""
_CLOSING = ("RPAR", "RBRACE", "THEN", "ELSE")

Stack = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GrammarState:
    """Where a text has come to; `text` is the text with spaces for what did not fit."""

    stack: Stack
    text: str

    def takes(self, kind: str) -> bool:
        """Whether a word of this kind may follow, such as `NAME` or `STRING`."""
        return _step(self.stack, kind) is not None

    def words(self) -> list[str]:
        """The words of the language that may follow."""
        spoken = grammar().spoken
        return sorted(
            written
            for kind, written in spoken.items()
            if re.fullmatch("[A-Za-z_]+", written) and self.takes(kind)
        )

    def after(self, kind: str, text: str) -> "GrammarState | None":
        """The state after one more word."""
        stack = _step(self.stack, kind)
        return None if stack is None else GrammarState(stack, self.text + text)

    def completion(self, name: str) -> str | None:
        """A short text that makes this a whole declaration; `name` stands wherever a name is needed."""
        table, spoken = grammar(), grammar().spoken
        waiting: list[tuple[int, int, Stack, tuple[str, ...]]] = [(0, 0, self.stack, ())]
        seen = {self.stack}
        steps = 0
        while waiting and steps < _MAX_STEPS:
            cost, _, stack, parts = heappop(waiting)
            if _step(stack, "$END") is not None:
                return "".join(" " + part for part in parts)
            kinds = table.states[stack[-1]]
            # What is open is closed at once where it can be; nothing shorter leads on.
            closing = [kind for kind in _CLOSING if _step(stack, kind) is not None]
            for kind in closing or kinds:
                if kind not in table.terminals or kind in ("DOC", "$END"):
                    continue
                following = _step(stack, kind)
                if following is None or following in seen:
                    continue
                seen.add(following)
                steps += 1
                written = name if kind == "NAME" else _FILLERS.get(kind) or spoken.get(kind)
                if written:
                    price = cost + (2 if kind == "NAME" else 3)
                    heappush(waiting, (price, steps, following, (*parts, written)))
        return None


def state_after(text: str) -> GrammarState:
    """The state of a declaration of which this is the beginning."""
    table = grammar()
    stack: Stack = (table.start,)
    kept, done = [], 0
    for match in _TOKEN.finditer(text):
        kind, found = match.lastgroup or "", match[0]
        kept.append(text[done : match.start()])
        done = match.end()
        found = _MEANT.get(found, found)
        following = stack if kind == "COMMENT" else _word(table, stack, kind, found)
        kept.append(found if following is not None else " " * len(found))
        stack = following or stack
    return GrammarState(stack, "".join(kept) + text[done:])


def _word(table: Grammar, stack: Stack, kind: str, found: str) -> Stack | None:
    """One more word; a word of the language is a name where it cannot stand for itself."""
    if kind in ("MARK", "NAME"):
        reserved = _kinds().get(found)
        following = _step(stack, reserved) if reserved is not None else None
        if following is not None or kind == "MARK":
            return following
    return _step(stack, kind)


@cache
def _kinds() -> dict[str, str]:
    """Each word and mark of the language → its kind."""
    return {written: kind for kind, written in grammar().spoken.items()}


def _step(stack: Stack, kind: str) -> Stack | None:
    """The stack of states after one more word; `None` if it does not fit."""
    states, end = grammar().states, grammar().end
    current = list(stack)
    while True:
        action = states[current[-1]].get(kind)
        if action is None:
            return None
        if action.shifts is not None:
            return (*current, action.shifts)
        if action.length:
            del current[-action.length :]
        goto = states[current[-1]].get(action.rule)
        if goto is None or goto.shifts is None:
            return None
        current.append(goto.shifts)
        if kind == "$END" and current[-1] == end:
            return tuple(current)
