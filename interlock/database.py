"""A PostgreSQL database read for its facts, in one read-only transaction that is rolled back at the end."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

Rows = Sequence[Sequence[Any]]
CONNECT_SECONDS = 10


class DatabaseError(Exception):
    """Why a database could not be read; its message holds no password."""


@contextmanager
def reading(url: str) -> "Iterator[psycopg.Cursor[Any]]":
    """A cursor in a read-only transaction with one snapshot; nothing it does stays."""
    try:
        import psycopg
    except ImportError as error:
        message = "reading a database needs psycopg: pip install 'interlock[database]'"
        raise DatabaseError(message) from error
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            try:
                with connection.cursor() as cursor:
                    yield cursor
            finally:
                connection.rollback()
    except psycopg.Error as error:
        # The driver's message may quote the connection string, but never its password.
        raise DatabaseError(str(error).strip().splitlines()[0]) from error


def answers(
    url: str, settings: Sequence[str], queries: Mapping[str, str]
) -> tuple[dict[str, Rows], tuple[str, ...]]:
    """The rows of every query, and the identifiers of the server."""
    found: dict[str, Rows] = {}
    with reading(url) as cursor:
        info = cursor.connection.info
        for setting in settings:
            cursor.execute(setting.encode())
        for name, query in queries.items():
            cursor.execute(query.encode())
            found[name] = cursor.fetchall()
        identifiers = server_identifiers(info.host, info.port)
    return found, identifiers


def server_identifiers(host: str, port: int) -> tuple[str, ...]:
    """What other sources call a server by; a socket says nothing that others know."""
    if not host or host.startswith(("/", "@")):
        return ()
    return (f"host:{host.lower().rstrip('.')}:{port}", f"host:{host.lower().rstrip('.')}")
