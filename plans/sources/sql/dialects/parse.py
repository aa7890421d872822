"""sqlglot as a function: trees or a complaint, and no words on the log."""

import logging
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot.errors import SqlglotError

from ..changes import shortened


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why the text has no tree."""

    message: str


def parse(sql: str, dialect: str) -> list[Any] | Complaint:
    """The statements of a text whose nesting is known to be bounded."""
    logger = logging.getLogger("sqlglot")
    was_disabled = logger.disabled
    # It logs each statement that it keeps as text, which the tree shows anyway.
    logger.disabled = True
    try:
        return list(sqlglot.parse(sql, read=dialect))
    except SqlglotError as error:
        return Complaint(shortened(str(error).split("\n")[0]))
    except (RecursionError, ValueError, AttributeError, TypeError, IndexError, KeyError) as error:
        # Its parsers are hand-written and fail in their own ways on what they do not expect.
        return Complaint(f"it fails with {type(error).__name__}")
    finally:
        logger.disabled = was_disabled
