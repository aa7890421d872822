"""Bodies of routines and blocks into the statements they may run, without the words that steer them.

Every branch counts as run. What is neither a statement nor a known steering word stays a statement,
which then nobody can read.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise

from ...words import words
from ..selector.reach import DARK, Reach, at_most
from .batches import batch
from .tokens import Kind, Token, Tokens


class Role(Enum):
    STATEMENT = "statement"
    EXPRESSION = "expression"
    """What a condition or an assignment computes."""
    VARIABLES = "variables"
    """A declaration; its expressions are computed, its names are no columns."""
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Step:
    """`opens` a loop that runs so often; where a statement opens it, once for each row that it reads."""

    role: Role
    tokens: Tokens
    opens: Reach | None = None
    closes: int = 0
    """How many of the open loops end with it."""


MAX_STEPS = 20_000


def steps(tokens: Tokens, dialect: str) -> Iterator[Step]:
    """The steps of a body, a block, or a script with steering words between its statements."""
    if dialect == "tsql":
        last: Tokens = ()
        loops = _Loops()
        if any(token.is_word("GOTO") for token in tokens):
            yield Step(Role.CONTROL, (), opens=DARK)
        for last in batch(tokens):
            yield from loops.marked(last, list(_tsql_step(last)))
        if last and last[0].is_word("IF", "WHILE"):
            # The statement that it decides about is missing.
            yield Step(Role.STATEMENT, last)
        return
    for one in _flat(tokens):
        yield from _block_step(list(one))


def _flat(tokens: Tokens) -> Iterator[Tokens]:
    """At every semicolon outside parentheses."""
    one: list[Token] = []
    depth = 0
    for token in tokens:
        if token.kind == Kind.SYMBOL and token.value in "()":
            depth += 1 if token.value == "(" else -1 if depth > 0 else 0
        if token.is_symbol(";") and depth == 0:
            if one:
                yield one
            one = []
        else:
            one.append(token)
    if one:
        yield one


_LOOPS = words("LOOP WHILE REPEAT FOR IF CASE")
_REPEATING = words("LOOP WHILE REPEAT FOR")


def _block_step(one: list[Token]) -> Iterator[Step]:
    """Takes steering words off the front until a statement stands there, or nothing."""
    while one:
        first = one[0]
        word = first.value if first.kind == Kind.WORD else ""
        second = one[1] if len(one) > 1 else None
        if second is not None and second.is_symbol(":") and first.kind in (Kind.WORD, Kind.NAME):
            yield Step(Role.CONTROL, one[:2])
            one = one[2:]
            continue
        match word:
            case "BEGIN" if _begins_transaction(one):
                yield Step(Role.STATEMENT, one)
                return
            case "BEGIN" | "LOOP" | "REPEAT" | "ELSE":
                length = 1
                if word == "BEGIN" and second is not None and second.is_word("NOT"):
                    length = 3
                opens = DARK if word in ("LOOP", "REPEAT") else None
                yield Step(Role.CONTROL, one[:length], opens)
                one = one[length:]
            case "EXCEPTION":
                yield Step(Role.CONTROL, one[:1])
                one = one[1:]
            case "IF" | "ELSEIF" | "ELSIF" | "WHEN" | "CASE":
                then = _position(one, "THEN")
                if then is None:
                    yield Step(Role.STATEMENT, one)
                    return
                yield Step(Role.EXPRESSION, _conditions(one[1:then]))
                one = one[then + 1 :]
            case "WHILE" | "UNTIL":
                end = _position(one, "DO", "LOOP", "END")
                if word == "WHILE" and end is None:
                    yield Step(Role.STATEMENT, one)
                    return
                end = len(one) if end is None else end
                if word == "WHILE":
                    yield Step(Role.EXPRESSION, one[1:end], opens=DARK)
                else:
                    yield Step(Role.EXPRESSION, one[1:end], closes=1)
                one = [] if word == "UNTIL" else one[end + 1 :]
            case "FOR":
                end = _position(one, "DO", "LOOP")
                if end is None:
                    yield Step(Role.STATEMENT, one)
                    return
                within = _position(one, "IN") or 1
                inner = one[within + 1 : end]
                *others, source = _loop_source(inner) or [Step(Role.CONTROL, one[:1])]
                yield from others
                yield replace(source, opens=_rounds(inner))
                one = one[end + 1 :]
            case "END":
                rest = [token for token in one[1:] if not token.is_word(*_LOOPS)]
                label = len(rest) == 1 and rest[0].kind in (Kind.WORD, Kind.NAME)
                closes = 1 if second is not None and second.is_word(*_REPEATING) else 0
                yield Step(
                    Role.CONTROL if not rest or label else Role.STATEMENT, one, closes=closes
                )
                return
            case "DECLARE":
                one = yield from _declared(one)
            case "LET" | "SET":
                yield from _assigned(one)
                return
            case "RETURN":
                if len(one) > 1:
                    yield Step(Role.EXPRESSION, one[1:])
                return
            case (
                "LEAVE" | "ITERATE" | "BREAK" | "CONTINUE" | "OPEN" | "CLOSE" | "FETCH" | "NULL"
                | "SIGNAL" | "RESIGNAL" | "RAISE"
            ):  # fmt: skip
                yield Step(Role.CONTROL, one)
                return
            case _ if second is not None and second.is_symbol(":="):
                yield Step(Role.EXPRESSION, one[2:])
                return
            case _:
                yield Step(Role.STATEMENT, one)
                return


def _begins_transaction(one: list[Token]) -> bool:
    return len(one) == 1 or one[1].is_word("WORK", "TRANSACTION", "TRAN", "DEFERRED", "IMMEDIATE")


def _position(one: Tokens, *found: str) -> int | None:
    """Where one of the words stands outside parentheses and CASE expressions."""
    depth = cases = 0
    for number, token in enumerate(one):
        if token.kind == Kind.SYMBOL and token.value in "()":
            depth += 1 if token.value == "(" else -1
        if number > 0 and token.is_word("CASE"):
            cases += 1
        elif token.is_word("END") and cases > 0:
            cases -= 1
        elif depth == 0 and cases == 0 and token.is_word(*found):
            return number
    return None


def _conditions(tokens: Tokens) -> Tokens:
    """The condition of `CASE x WHEN y`, without the word between the two."""
    when = _position(tokens, "WHEN")
    return tokens if when is None else tokens[when + 1 :]


def _loop_source(tokens: Tokens) -> list[Step]:
    if tokens and tokens[0].is_symbol("("):
        tokens = tokens[1:-1]
    to = _position(tokens, "TO")
    if tokens and tokens[0].is_word("SELECT", "WITH"):
        return [Step(Role.STATEMENT, tokens)]
    if to is not None:
        # `FOR i IN REVERSE 1 TO 10` of Snowflake.
        first = tokens[1 if tokens[0].is_word("REVERSE") else 0 : to]
        return [*_loop_source(first), *_loop_source(tokens[to + 1 :])]
    if tokens:
        return [Step(Role.EXPRESSION if len(tokens) > 1 else Role.CONTROL, tokens)]
    return []


_MOST_DIGITS = 18
"""A number with more of them bounds nothing."""


def _rounds(tokens: Tokens) -> Reach:
    """How often a FOR runs, where its bounds are written out."""
    bounds = [token for token in tokens if not token.is_word("TO", "REVERSE")]
    numbers = [
        int(token.value)
        for token in bounds
        if token.value.isdecimal() and len(token.value) <= _MOST_DIGITS
    ]
    if len(bounds) == len(numbers) == 2 and all(one.kind == Kind.NUMBER for one in bounds):
        return at_most(abs(numbers[1] - numbers[0]) + 1)
    return DARK


class _Loops:
    """The loops of a batch of T-SQL, where a WHILE repeats the block or the one statement after it.

    After an IF it is not plain where that one statement ends, so that the loop then goes on to the end of its block.
    """

    def __init__(self) -> None:
        self._open: list[str] = []
        """BLOCK for a BEGIN; LOOP for a WHILE whose statement is awaited, LONG where its end is not plain."""

    def marked(self, piece: Tokens, steps: list[Step]) -> Iterator[Step]:
        """The steps of a piece, of which the first opens loops, and the last closes them."""
        first = piece[0]
        begins_transaction = len(piece) > 1 and piece[1].is_word(*_TRANSACTIONS)
        closes = 0
        if first.is_word("WHILE"):
            self._open.append("LOOP")
            steps[0] = replace(steps[0], opens=DARK)
        elif first.is_word("IF") and self._awaits:
            self._open[-1] = "LONG"
        elif first.is_word("BEGIN") and not begins_transaction:
            self._open.append("BLOCK")
        elif first.is_word("END") and "BLOCK" in self._open:
            while self._open.pop() != "BLOCK":
                closes += 1
            closes += 0 if len(piece) > 1 and piece[1].is_word("TRY") else self._ended()
        elif not first.is_word("IF", "ELSE", "BEGIN"):
            closes += self._ended()
        steps = steps or [Step(Role.CONTROL, ())]
        yield from steps[:-1]
        yield replace(steps[-1], closes=closes)

    @property
    def _awaits(self) -> bool:
        return bool(self._open) and self._open[-1] == "LOOP"

    def _ended(self) -> int:
        """The loops whose one statement has just ended."""
        count = 0
        while self._awaits:
            self._open.pop()
            count += 1
        return count


_TRANSACTIONS = words("TRAN TRANSACTION DISTRIBUTED")


def _declared(one: list[Token]) -> Generator[Step, None, list[Token]]:
    """`DECLARE x INT DEFAULT 1`, `DECLARE c CURSOR FOR SELECT …`, `DECLARE EXIT HANDLER FOR … statement`."""
    handler = _position(one, "HANDLER")
    if handler is not None and handler <= 2:
        condition = handler + 2
        while condition < len(one) and (
            one[condition].kind in (Kind.STRING, Kind.NUMBER)
            or one[condition].is_symbol(",")
            or one[condition].is_word(*_CONDITIONS)
            or one[condition - 1].is_symbol(",")
        ):
            condition += 1
        yield Step(Role.CONTROL, one[:condition])
        return one[condition:]
    cursor = _position(one, "CURSOR")
    if cursor is not None:
        after = _position(one, "FOR")
        if after is not None and after + 1 < len(one) and one[after + 1].is_word("SELECT", "WITH"):
            yield Step(Role.STATEMENT, one[after + 1 :])
            return []
    yield Step(Role.VARIABLES, one)
    return []


_CONDITIONS = words("SQLEXCEPTION SQLWARNING NOT FOUND SQLSTATE VALUE")


def _assigned(one: list[Token]) -> Iterator[Step]:
    """`LET x := …` and `SET x = …`; settings of the session stay statements."""
    if one[0].is_word("SET"):
        yield Step(Role.STATEMENT, one)
        return
    yield Step(Role.VARIABLES, one)


def _tsql_step(tokens: Tokens) -> Iterator[Step]:
    one = list(tokens)
    first = one[0]
    match first.value if first.kind == Kind.WORD else "":
        case "BEGIN" if len(one) > 1 and one[1].is_word("TRAN", "TRANSACTION", "DISTRIBUTED"):
            yield Step(Role.STATEMENT, one)
        case "BEGIN" | "END" | "ELSE" if len(one) == 1 or (
            len(one) == 2 and one[1].is_word("TRY", "CATCH")
        ):
            yield Step(Role.CONTROL, one)
        case "IF" | "WHILE" if len(one) > 2:
            # `UPDATE(column)` of a trigger says whether the column was written.
            plain = [
                token
                for token, after in pairwise(one)
                if not (token.is_word("UPDATE") and after.is_symbol("("))
            ]
            yield Step(Role.EXPRESSION, [*plain[1:], one[-1]])
        case "RETURN" | "PRINT" | "RAISERROR" | "THROW":
            end = _position(one, "WITH") if first.is_word("RAISERROR") else None
            if len(one) > 1:
                yield Step(Role.EXPRESSION, one[1:end])
        case "BREAK" | "CONTINUE" | "GOTO" | "OPEN" | "CLOSE" | "FETCH" | "DEALLOCATE":
            yield Step(Role.CONTROL, one)
        case "WAITFOR" if len(one) > 1 and one[1].is_word("DELAY", "TIME"):
            yield Step(Role.CONTROL, one)
        case "DECLARE":
            rest = _position(one, "FOR")
            if _position(one, "CURSOR") is not None and rest is not None:
                yield Step(Role.STATEMENT, one[rest + 1 :])
            else:
                yield Step(Role.VARIABLES, one)
        case _ if len(one) == 2 and one[1].is_symbol(":"):
            yield Step(Role.CONTROL, one)
        case _:
            yield Step(Role.STATEMENT, one)


def body_of(definition: Tokens, dialect: str) -> tuple[Tokens, Tokens] | None:
    """The head and the body of a routine; `None` where it is not plain where the body begins."""
    if dialect in ("tsql", "snowflake"):
        start = _position(definition, "AS")
        if start is not None and definition[start - 1].is_word("EXECUTE", "EXEC"):
            # `WITH EXECUTE AS OWNER`
            after = _position(list(definition[start + 1 :]), "AS")
            start = None if after is None else start + 1 + after
        return None if start is None else (definition[:start], definition[start + 1 :])
    start = _position(definition, "BEGIN")
    if start is not None:
        return definition[:start], definition[start:]
    trigger = _position(definition, "TRIGGER")
    if trigger is not None:
        row = _position(definition, "ROW")
        if row is not None:
            start = row + 1
            if definition[start : start + 1] and definition[start].is_word("FOLLOWS", "PRECEDES"):
                start += 2
            return definition[:start], definition[start:]
    event = _position(definition, "EVENT")
    if event is not None:
        do = _position(definition, "DO")
        if do is not None:
            return definition[:do], definition[do + 1 :]
    return None
