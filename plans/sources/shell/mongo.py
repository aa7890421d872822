"""JavaScript for MongoDB's shell: chains of known methods on a collection are read, anything else is not."""

import re

from ...model import Effect, Reversibility, Risk, Selector
from ..web.http import READ, Meaning, unknown
from ..words import words

MONGO_VALUED = words(
    "--eval --host --port -u --username -p --password --authenticationDatabase "
    "--authenticationMechanism --file -f --tls --tlsCAFile --tlsCertificateKeyFile --apiVersion"
) - {"--tls"}

_READS = words(
    "find findOne countDocuments estimatedDocumentCount count distinct stats getIndexes explain limit skip "
    "sort pretty toArray size itcount next hasNext projection hint maxTimeMS dataSize storageSize "
    "totalIndexSize isCapped getCollectionNames getCollectionInfos getName version hello isMaster "
    "serverStatus hostInfo currentOp getSiblingDB getCollection status conf printReplicationInfo "
    "listDatabases getProfilingStatus aggregate getMongo getDBNames"
)
_LOSSES = words(
    "drop dropDatabase remove deleteMany deleteOne findOneAndDelete findAndModify dropIndex dropIndexes "
    "bulkWrite dropUser dropAllUsers dropRole renameCollection shutdownServer replaceOne"
)
MAX_LETTERS = 10_000

_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_LITERAL = re.compile(
    r"(?:new\s+)?(?:ObjectId|ISODate|NumberLong|NumberInt|NumberDecimal|UUID|Date)\((?:\"\"|\d*)\)"
)
_CHAIN = re.compile(r"(?:db|rs|sh)(?:\.\w+(?:\([^()]*\))*)*")
_SHOW = re.compile(r"show (dbs|databases|collections|tables|users|roles|profile)|use [\w-]+")


def judge_mongo(text: str) -> Meaning:
    """What a script does; a method of a losing name accuses wherever it stands."""
    lost = next((name for name in re.findall(r"\w+", text[:MAX_LETTERS]) if name in _LOSSES), None)
    if lost is not None:
        return Meaning(
            Effect.DELETE_DATA,
            f"it names `{lost}`",
            Selector.ALL,
            Reversibility.IRREVERSIBLE,
            Risk.CRITICAL,
        )
    if len(text) > MAX_LETTERS:
        return unknown(f"its JavaScript has more than {MAX_LETTERS} letters")
    # A stage or an operator may run code or write, also where its name stands in quotes.
    if odd := re.search(r"\\|`|\$(where|function|accumulator|out|merge)\b", text):
        return unknown(f"`{odd[0]}` in it is not read here")
    code = _LITERAL.sub('""', _STRING.sub('""', text))
    for statement in re.split(r"[;\n]", code):
        if (plain := statement.strip()) and (reason := _doubt(plain)):
            return unknown(reason)
    return READ


def _doubt(statement: str) -> str | None:
    """Why a statement is no plain query."""
    if _SHOW.fullmatch(statement):
        return None
    # A slash may begin a pattern or a comment, either of which may hold quotes.
    if not _CHAIN.fullmatch(statement) or re.search(r"/|=|\+|\bfunction\b", statement):
        return "its JavaScript is more than a query, and not read here"
    names = re.findall(r"(\w+)\(", statement)
    odd = next((name for name in names if name not in _READS), None)
    return None if odd is None else f"what `{odd[:60]}` does is not in a table"
