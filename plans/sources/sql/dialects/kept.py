"""The second opinion on sqlglot: the tree is written out again, and everything that was said must be in it."""

import re
from collections import Counter
from functools import cache
from itertools import pairwise
from typing import Any

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError

from ...words import words
from .taxonomy import dialect_named
from .tokens import Kind, Token, tokens

_FAILURES = (
    SqlglotError, RecursionError, ValueError, AttributeError, TypeError, KeyError, IndexError,
)  # fmt: skip


def lost(tree: Any, sql: str, dialect: str) -> str | None:
    """A part of the statement that its tree does not say, or `None`."""
    try:
        again = tree.sql(dialect=dialect, unsupported_level=ErrorLevel.IGNORE)
    except _FAILURES as error:
        return f"a part that it cannot write ({type(error).__name__})"
    written = _said(again, dialect)
    if dialect == "snowflake":
        # A path into a value, `a:b.c[0]`, is written as a text.
        written.update(re.findall(r"\w+", " ".join(written)))
    missing = _said(sql, dialect) - written
    return next(iter(missing), None)


def _said(sql: str, dialect: str) -> Counter[str]:
    """What the text names, holds and demands; how often a value stands there may differ."""
    found: Counter[str] = Counter()
    before = ""
    # How a function of the server is called may differ; what its arguments say may not.
    called = _called(dialect)
    end = Token(Kind.SYMBOL, "", "", 0, 0)
    for token, after in pairwise((*tokens(sql, dialect), end)):
        if token.kind == Kind.WORD and after.is_symbol("(") and token.value.lower() in called:
            continue
        match token.kind:
            case Kind.STRING if token.value.upper() in _UNITS:
                pass
            case Kind.STRING:
                quotes = 3 if token.text[:3] in ("'''", '"""') else 1
                is_raw = before in ("R", "RB", "BR")
                value = token.text[quotes:-quotes] if is_raw else token.value
                # How a backslash is escaped may differ.
                found[value.lower().replace("\\", "").strip().removeprefix("$.")] = 1
            case Kind.NUMBER:
                # `0xff` is also written as x'ff'.
                number = token.value.lower().removeprefix("0x")
                found[number.removeprefix("0") if number.startswith("0.") else number] = 1
            case Kind.NAME:
                for part in token.value.lower().split("."):
                    found[part] = 1
            case Kind.VARIABLE:
                found[token.value.lower().lstrip("@:$#")] = 1
            case Kind.WORD if token.value in _DEMANDING:
                found[token.value] += 1
            case Kind.WORD if before == "." or token.value not in _PLAIN:
                found[token.value.lower().lstrip("#@")] = 1
            case Kind.BROKEN:
                found["text that its scanner cannot take apart"] = 1
            case _:
                pass
        before = token.value
    return +found


@cache
def _called(name: str) -> frozenset[str]:
    dialect = dialect_named(name)
    return dialect.harmless | dialect.volatile | {"if", "cast", "values"}


def foreign_function(sql: str, dialect: str) -> str | None:
    """A function that sqlglot takes for one of the server's, and that only another server has.

    Here it is somebody's own. Where every function of one's own stands in a schema, there is none.
    """
    if dialect not in ("mysql", "sqlite", "snowflake"):
        return None
    foreign = _foreign(dialect)
    before = ""
    for token, after in pairwise(tokens(sql, dialect)):
        is_called = token.kind in (Kind.WORD, Kind.NAME) and after.is_symbol("(")
        if is_called and token.value.lower() in foreign and before not in _NAMING:
            return token.text
        before = token.value
    return None


_NAMING = words("INTO TABLE JOIN UPDATE WITH RECURSIVE")


@cache
def _foreign(name: str) -> frozenset[str]:
    grammar = Dialect.get_or_raise(name).parser_class
    typed = {name.lower() for name in (*grammar.FUNCTIONS, *grammar.FUNCTION_PARSERS)}
    return frozenset(typed - _called(name) - dialect_named(name).effects.keys() - _OPERATORS)


# sqlglot knows these words as functions too.
_OPERATORS = frozenset(
    {
        "and",
        "or",
        "xor",
        "like",
        "ilike",
        "rlike",
        "glob",
        "match",
        "exists",
        "case",
        "filter",
        "values",
    }
    | {
        "if",
        "insert",
        "replace",
        "left",
        "right",
        "table",
        "identifier",
        "unnest",
        "array",
        "columns",
        "extract",
    }
)


# Each one restricts or writes, so that its number counts.
_DEMANDING = words("WHERE HAVING DELETE UPDATE INSERT MERGE TRUNCATE DROP LIMIT")
# A unit of time may stand in quotes or not.
_UNITS = words("DAY MONTH YEAR HOUR MINUTE SECOND WEEK QUARTER WEEKDAY DAYOFWEEK DAYOFYEAR")
# What is written in another way and says the same.
_PLAIN = words(
    "TEMP TEMPORARY TRANSIENT AS ASC INNER OUTER CROSS ALL DISTINCT INTO FROM TABLE ROW ROWS ONLY FETCH "
    "FIRST NEXT BY OR AND NOT IS NULL IN ON SELECT SET VALUES VALUE TOP OFFSET IF END CASE WHEN THEN ELSE "
    "LEFT RIGHT JOIN FULL NATURAL UNION EXCEPT INTERSECT INT INTEGER BIGINT SMALLINT TINYINT MEDIUMINT "
    "VARCHAR NVARCHAR CHAR NCHAR CHARACTER TEXT NTEXT DECIMAL NUMERIC NUMBER FLOAT DOUBLE PRECISION REAL "
    "DATE DATETIME DATETIME2 TIMESTAMP TIME BOOLEAN BOOL BIT STRING BYTES INT64 FLOAT64 SIGNED UNSIGNED "
    "LIKE RLIKE REGEXP GLOB DIV MOD XOR TRUE FALSE DEFAULT N E B X R ROLLUP CUBE WITH RECURSIVE PRIMARY "
    "KEY USING GROUP ORDER BETWEEN EXISTS INTERVAL DAY MONTH YEAR HOUR MINUTE SECOND WEEK QUARTER AT ZONE "
    "COLLATE ESCAPE CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME LOCALTIME LOCALTIMESTAMP SYSDATE GETDATE "
    "SYSDATETIME NOW CURDATE CURTIME CAST CONVERT TRY_CAST TRY_CONVERT SAFE_CAST SUBSTRING SUBSTR LENGTH "
    "LEN CHAR_LENGTH ISNULL IFNULL NVL COALESCE IIF CONCAT LCASE UCASE LOWER UPPER DATE_ADD DATE_SUB "
    "DATEADD DATEDIFF DATE_FORMAT EXTRACT DATEPART STRFTIME CEIL CEILING POW POWER RAND RANDOM "
    "GROUP_CONCAT STRING_AGG LISTAGG ARRAY_AGG WITHIN SEPARATOR TO_DATE TO_TIMESTAMP SUM COUNT MIN MAX "
    "AVG PARSE_JSON JSON_EXTRACT DATE_TRUNC DATETIME_TRUNC TIMESTAMP_TRUNC TIMESTAMPDIFF TIMESTAMPADD VAR "
    "MODE CONSTRAINT CLUSTERED NONCLUSTERED GENERATED ALWAYS IDENTITY AUTOINCREMENT AUTO_INCREMENT "
    "SAMPLE TABLESAMPLE LOCK SHARE COLUMN NULLS LAST NOTNULL WEEKDAY DAYOFWEEK DAYOFYEAR "
    "REPLACE UUID NEWID JULIANDAY STR_TO_DATE TO_CHAR TO_VARCHAR LOG LN CHARINDEX LOCATE INSTR STRPOS "
    "POSITION REGEXP_LIKE REGEXP_CONTAINS EVERY SOME ANY RANGE UNBOUNDED PRECEDING FOLLOWING CURRENT GO "
    "DESCRIBE CHARSET"
)
