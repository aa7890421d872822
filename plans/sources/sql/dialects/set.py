"""Settings: SET of every dialect, and PRAGMA of SQLite."""

from collections.abc import Iterator

from ....model import Effect, Selector
from ...words import words
from ..changes import Finding, asset, unread
from .forms import at_commas
from .session import Session
from .tokens import Kind, Token, Tokens

_SCOPES = words("GLOBAL SESSION LOCAL PERSIST PERSIST_ONLY")
_PLAIN_CHARSETS = words("utf8 utf8mb3 utf8mb4 latin1 ascii binary default")


def setting(session: Session, tokens: Tokens, at: int) -> Iterator[Finding]:
    rest = list(tokens[1:])
    if not rest:
        yield unread(session.name, "what it sets is not plain", at)
        return
    if session.name == "tsql":
        yield from _tsql(session, rest, at)
        return
    first = rest[0]
    match first.value if first.kind == Kind.WORD else "":
        case "PASSWORD":
            yield _finding(session, "password", Effect.ESCALATE, "sets a password", at)
        case "ROLE" | "DEFAULT" if len(rest) > 1 and (
            first.value == "ROLE" or rest[1].is_word("ROLE")
        ):
            yield _finding(session, "role", Effect.ESCALATE, "changes the role that acts", at)
        case "TRANSACTION":
            yield _finding(session, "transaction", Effect.READ, "sets up a transaction", at)
        case "GLOBAL" | "SESSION" | "LOCAL" if len(rest) > 1 and rest[1].is_word("TRANSACTION"):
            yield _finding(session, "transaction", Effect.UPDATE, "sets up transactions", at)
        case "NAMES" | "CHARSET" | "CHARACTER":
            name = next((one.value.lower() for one in rest[1:] if not one.is_word("SET")), "")
            if name not in _PLAIN_CHARSETS:
                # In these character sets a backslash may be the second half of a character.
                session.quotes_are_plain = False
            yield _finding(session, "names", Effect.UPDATE, f"sets the character set `{name}`", at)
        case "STATEMENT":
            yield unread(session.name, "SET STATEMENT … FOR is not followed", at)
        case _:
            for part in at_commas(rest):
                yield from _assigned(session, part, at)


def _assigned(session: Session, part: list[Token], at: int) -> Iterator[Finding]:
    scope = ""
    if part and part[0].is_word(*_SCOPES):
        scope, part = part[0].value.lower(), part[1:]
    split = next(
        (n for n, token in enumerate(part) if token.is_symbol("=") or token.is_symbol(":=")), None
    )
    if split is None or split == 0:
        yield unread(session.name, "what it sets is not plain", at)
        return
    left, right = part[:split], part[split + 1 :]
    name = "".join(token.text for token in left).lower()
    if name.startswith("@@"):
        head, _, tail = name[2:].partition(".")
        known_scope = head in ("global", "session", "local", "persist", "persist_only") and tail
        scope, name = (head, tail) if known_scope else ("session", name[2:])
    elif name.startswith("@") or session.name in ("snowflake", "bigquery"):
        # A variable of the user's own; its value is computed and kept, nothing else.
        resource = asset("Setting", session.name, "variable", name)
        yield Finding("sql.set", resource, Effect.READ, f"sets the variable `{name}`", at)
        return
    elif (not scope and name in session.variables) or left[0].is_word("NEW"):
        resource = asset("Setting", session.name, "variable", name)
        yield Finding("sql.set", resource, Effect.READ, f"sets the variable `{name}`", at)
        return
    yield setting_finding(session, name, right, at, scope)


def setting_finding(
    session: Session, name: str, value: Tokens, at: int, scope: str = ""
) -> Finding:
    """What giving a setting a value does; an unknown value counts as the harmful one."""
    row = session.dialect.settings.get(name)
    text = "".join(token.value for token in value).lower()
    is_constant = len(value) == 1 and value[0].kind in (Kind.WORD, Kind.STRING, Kind.NUMBER)
    if name == "sql_mode" or name in ("character_set_client", "standard_conforming_strings"):
        changes = any(word in text for word in ("ansi", "pipes", "backslash")) or not is_constant
        is_restored = len(value) == 1 and value[0].text.lower().startswith("@old_")
        if name == "character_set_client":
            changes = text not in _PLAIN_CHARSETS and not text.startswith("@")
        if changes and not is_restored:
            session.quotes_are_plain = False
    effect = Effect.UPDATE
    because = ""
    if row is not None and (row.harmful is None or text in row.harmful or not is_constant):
        is_restored = len(value) == 1 and value[0].text.lower().startswith("@old_")
        if not is_restored or row.harmful is None:
            effect, because = row.effect, f", which {row.why}"
    for_all = " for the whole server" if scope in ("global", "persist", "persist_only") else ""
    loses = effect in (Effect.DELETE_DATA, Effect.DELETE_RECOVERY)
    resource = asset("Setting", session.name, "setting", name or "*")
    shown = text if len(text) <= 40 else text[:39] + "…"
    summary = f"sets `{name}` to `{shown}`{for_all}{because}"
    reach = Selector.ALL if for_all or loses else Selector.ONE
    return Finding("sql.set", resource, effect, summary, at, reach)


def _tsql(session: Session, rest: list[Token], at: int) -> Iterator[Finding]:
    first = rest[0]
    if first.kind == Kind.VARIABLE:
        resource = asset("Setting", session.name, "variable", first.text)
        yield Finding("sql.set", resource, Effect.READ, f"sets the variable `{first.text}`", at)
        return
    if first.is_word("IDENTITY_INSERT", "STATISTICS", "TRANSACTION"):
        yield _finding(session, first.value.lower(), Effect.READ, f"sets {first.value}", at)
        return
    names = []
    number = 0
    while (
        number < len(rest)
        and rest[number].kind == Kind.WORD
        and not rest[number].is_word("ON", "OFF")
    ):
        names.append(rest[number].value.lower())
        number += 1
        if number < len(rest) and rest[number].is_symbol(","):
            number += 1
    value = rest[number:]
    if not names or (len(value) > 1 and not value[0].is_symbol("-")):
        yield unread(session.name, "what it sets is not plain", at)
        return
    if not value:
        names, value = names[:1], rest[1:]
    for name in names:
        yield setting_finding(session, name, value, at)


def pragma(session: Session, tokens: Tokens, at: int) -> Iterator[Finding]:
    """`PRAGMA name`, `PRAGMA schema.name = value`, `PRAGMA name(value)`."""
    rest = list(tokens[1:])
    if len(rest) > 2 and rest[1].is_symbol("."):
        rest = rest[2:]
    name = rest[0].value.lower() if rest else ""
    value = [
        token for token in rest[1:] if not (token.kind == Kind.SYMBOL and token.value in "=()")
    ]
    if not name:
        yield unread(session.name, "what it sets is not plain", at)
        return
    if not value or name in _ASKING:
        resource = asset("Setting", session.name, "setting", name)
        yield Finding("sql.read", resource, Effect.READ, f"reads `{name}`", at, Selector.NONE)
        return
    yield setting_finding(session, name, value, at)


_ASKING = words(
    "table_info table_xinfo table_list index_list index_info index_xinfo foreign_key_list foreign_key_check "
    "integrity_check quick_check collation_list database_list function_list module_list pragma_list compile_options"
)


def _finding(session: Session, name: str, effect: Effect, summary: str, at: int) -> Finding:
    return Finding("sql.set", asset("Setting", session.name, "setting", name), effect, summary, at)
