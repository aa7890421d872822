"""Bodies of routines and blocks into the statements they may run, without the words that steer them.

Every branch counts as run. What is neither a statement nor a known steering word stays a statement,
which then nobody can read.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import Enum

from ..changes import words
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
    role: Role
    tokens: Tokens


MAX_STEPS = 20_000


def steps(tokens: Tokens, dialect: str) -> Iterator[Step]:
    """The steps of a body, a block, or a script with steering words between its statements."""
    if dialect == "tsql":
        last: Tokens = ()
        for last in batch(tokens):
            yield from _tsql_step(last)
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
                yield Step(Role.CONTROL, one[:length])
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
                yield Step(Role.EXPRESSION, one[1:end])
                one = [] if word == "UNTIL" else one[end + 1 :]
            case "FOR":
                end = _position(one, "DO", "LOOP")
                if end is None:
                    yield Step(Role.STATEMENT, one)
                    return
                within = _position(one, "IN") or 1
                inner = one[within + 1 : end]
                yield from _loop_source(inner)
                one = one[end + 1 :]
            case "END":
                rest = [token for token in one[1:] if not token.is_word(*_LOOPS)]
                label = len(rest) == 1 and rest[0].kind in (Kind.WORD, Kind.NAME)
                yield Step(Role.CONTROL if not rest or label else Role.STATEMENT, one)
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


def _loop_source(tokens: Tokens) -> Iterator[Step]:
    if tokens and tokens[0].is_symbol("("):
        tokens = tokens[1:-1]
    to = _position(tokens, "TO")
    if tokens and tokens[0].is_word("SELECT", "WITH"):
        yield Step(Role.STATEMENT, tokens)
    elif to is not None:
        # `FOR i IN REVERSE 1 TO 10` of Snowflake.
        yield from _loop_source(tokens[1 if tokens[0].is_word("REVERSE") else 0 : to])
        yield from _loop_source(tokens[to + 1 :])
    elif tokens:
        yield Step(Role.EXPRESSION if len(tokens) > 1 else Role.CONTROL, tokens)


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
            yield Step(Role.EXPRESSION, one[1:])
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
        return None if start is None else (definition[:start], definition[start + 1 :])
    start = _position(definition, "BEGIN")
    if start is not None:
        return definition[:start], definition[start:]
    trigger = _position(definition, "TRIGGER")
    if trigger is not None:
        row = _position(definition, "ROW")
        if row is not None:
            return definition[: row + 1], definition[row + 1 :]
    event = _position(definition, "EVENT")
    if event is not None:
        do = _position(definition, "DO")
        if do is not None:
            return definition[:do], definition[do + 1 :]
    return None
