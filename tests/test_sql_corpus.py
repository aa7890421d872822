"""Real migrations and PostgreSQL's own regression suite are read whole, and against a second count."""

import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pglast
import pytest
from pglast import ast, enums
from pglast.parser import ParseError

from interlock.plans.model import Change, Effect
from interlock.plans.sources import Options
from interlock.plans.sources.sql.postgres.split import MAX_NESTING, Kind, Piece, split
from interlock.plans.sources.sql.source import read

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpora" / "sql"

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpora are not beside the checkout"
)


def migrations() -> Iterator[tuple[str, str]]:
    for archive in sorted(CORPUS.glob("migrations-*.tar.gz")):
        with tarfile.open(archive) as files:
            for member in files.getmembers():
                content = files.extractfile(member) if member.name.endswith(".sql") else None
                if content is not None:
                    yield f"{archive.name}/{member.name}", content.read().decode("utf-8")


def regression_suite() -> Iterator[tuple[str, str]]:
    for file in sorted(CORPUS.glob("*_regress/*.sql")):
        yield file.name, file.read_text(encoding="utf-8", errors="replace")


def changes_of(name: str, text: str) -> tuple[Change, ...]:
    reading = read(name, text, Options())
    assert not reading.problems
    return reading.changes


# --- a count of its own: pglast's tree in its dictionary form, walked by name


def statements(piece: Piece) -> list[Any] | None:
    """The raw statements; `None` where PostgreSQL's parser rejects them."""
    if piece.nesting > MAX_NESTING or "\x00" in piece.text:
        return None
    try:
        raws: list[Any] = list(pglast.parse_sql(piece.text))
        return [raw.stmt(skip_none=True) for raw in raws]
    except ParseError:
        return None


def tagged(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if "@" in tree:
            yield tree
        for value in tree.values():
            yield from tagged(value)
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from tagged(value)


KINDS = {
    "InsertStmt": "insert",
    "UpdateStmt": "update",
    "DeleteStmt": "delete",
    "MergeStmt": "merge",
    "TruncateStmt": "truncate",
}
ACTIONS = {f"sql.{kind}" for kind in KINDS.values()} | {"sql.drop"}

# Their writes wait for a later statement.
WAITING = {"RuleStmt", "CreateFunctionStmt", "PrepareStmt", "ViewStmt"}


def expected_kinds(statement: dict[str, Any]) -> Counter[str]:
    """How many changes of each kind a statement must show."""
    name = statement["@"]
    counted: Counter[str] = Counter()
    if name in WAITING:
        return counted
    if name == "ExplainStmt" and not any(
        option["defname"] == "analyze" for option in statement.get("options", ())
    ):
        return counted
    for node in tagged(statement):
        if node["@"] == "TruncateStmt":
            counted["sql.truncate"] += len(node["relations"])
        elif node["@"] == "DropStmt":
            counted["sql.drop"] += len(node["objects"])
        elif node["@"] in KINDS:
            counted[f"sql.{KINDS[node['@']]}"] += 1
        elif node["@"] == "AlterTableCmd" and node["subtype"]["name"] in (
            "AT_DropColumn",
            "AT_DropConstraint",
        ):
            counted["sql.drop"] += 1
    return counted


def test_every_write_of_real_migrations_is_a_change_at_its_line() -> None:
    summary: Counter[str] = Counter()
    effects: Counter[str] = Counter()
    selectors: Counter[str] = Counter()
    for name, text in migrations():
        changes = changes_of(name, text)
        summary["files"] += 1
        summary["changes"] += len(changes)
        summary["opaque"] += sum(change.opaque is not None for change in changes)
        effects.update(change.effect.value for change in changes)
        selectors.update(
            f"{change.action} {change.selector}"
            for change in changes
            if change.action in ("sql.update", "sql.delete")
        )
        for piece in split(text):
            found = statements(piece)
            if found is None:
                summary["rejected by the parser"] += 1
                continue
            first_line = text.count("\n", 0, piece.start) + 1
            last_line = first_line + piece.text.count("\n")
            for statement in found:
                summary["statements"] += 1
                # A write in a common table expression stands at its own line.
                hides_writes = any(node["@"] == "CommonTableExpr" for node in tagged(statement))
                last = last_line if hides_writes else first_line
                here = Counter(
                    change.action for change in changes if first_line <= change.source.line <= last
                )
                for action, count in expected_kinds(statement).items():
                    summary[action] += count
                    assert here[action] >= count, (name, first_line, action)
    assert summary["files"] == 466
    print()
    for label, count in (summary + Counter()).most_common():
        print(f"{label:28}{count:7}")
    print("effects: ", dict(effects.most_common()))
    print("reaches: ", dict(selectors.most_common()))


def test_the_regression_suite_is_read_or_opaque_and_never_less() -> None:
    summary: Counter[str] = Counter()
    shown_as: Counter[str] = Counter()
    disagreements: list[tuple[str, str]] = []
    for name, text in regression_suite():
        changes = changes_of(name, text)
        by_place: dict[tuple[int, int], list[Change]] = {}
        lines = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
        # `\copy` of psql sends a statement of its own.
        starts = sorted(
            piece.start
            for piece in split(text)
            if piece.kind == Kind.STATEMENT or piece.text.startswith("\\copy")
        )
        for change in changes:
            if change.resource.kind.startswith("psql."):
                continue
            at = lines[change.source.line - 1] + change.source.column - 1
            owner = max((start for start in starts if start <= at), default=0)
            by_place.setdefault((owner, 0), []).append(change)
        for piece in split(text):
            if piece.kind != Kind.STATEMENT:
                continue
            here = by_place.get((piece.start, 0), [])
            assert here, (name, piece.text)
            found = statements(piece)
            if found is None:
                summary["rejected by the parser"] += 1
                assert all(change.opaque for change in here), (name, piece.text)
                continue
            summary["statements"] += 1
            if any(change.opaque for change in here):
                summary["opaque"] += 1
                shown_as["opaque"] += 1
                continue
            reads = all(change.effect == Effect.READ for change in here)
            shown_as["reads" if reads else "changes"] += 1
            if any(
                node["@"] in ("DoStmt", "CallStmt", "ExecuteStmt", "FuncCall")
                for statement in found
                for node in tagged(statement)
            ):
                # What they run is not in their own tree.
                summary["calls something"] += 1
                least = sum((expected_kinds(statement) for statement in found), Counter())
                assert not least - Counter(change.action for change in here), (name, piece.text)
                continue
            # Triggers, views and defaults of the script add what its routines do.
            own = [change for change in here if "(in `" not in change.summary]
            shown = Counter(change.action for change in own if change.action in ACTIONS)
            expected = sum((expected_kinds(statement) for statement in found), Counter())
            special = {"AlterDomainStmt", "DropRoleStmt", "DropOwnedStmt", "DropdbStmt"} | {
                "DropTableSpaceStmt",
                "DropUserMappingStmt",
                "DropSubscriptionStmt",
            }
            if any(statement["@"] in special for statement in found):
                del shown["sql.drop"], expected["sql.drop"]
            if shown != expected:
                disagreements.append((name, piece.text))
            writes = sum(expected.values())
            summary["writes"] += writes
            if writes and not any(change.effect != Effect.READ for change in here):
                raise AssertionError((name, piece.text))
    share = summary["opaque"] / summary["statements"]
    assert sum(shown_as.values()) == summary["statements"]
    print()
    print("what the parser reads is", dict(shown_as.most_common()))
    print(f"not opaque, and its kinds of writes differ from pglast's: {len(disagreements)}")
    for label, count in summary.most_common():
        print(f"{label:28}{count:7}")
    print(f"opaque where the parser reads{share:7.2%}")
    assert not disagreements
    assert share < 0.03


def test_every_statement_of_the_grammar_is_classified() -> None:
    from interlock.plans.sources.sql.postgres import reader, taxonomy

    helpers = {"RawStmt", "PLAssignStmt", "ReturnStmt", "SetOperationStmt", "ReplicaIdentityStmt"}
    known = reader.HANDLERS.keys() | taxonomy.postgres().statements.keys() | helpers
    assert not {name for name in dir(ast) if name.endswith("Stmt")} - known


def test_every_object_and_subcommand_of_the_grammar_is_classified() -> None:
    from interlock.plans.sources.sql.postgres import taxonomy

    table = taxonomy.postgres()
    subcommands = {kind.name.removeprefix("AT_") for kind in enums.AlterTableType}
    internal = {"CookedColumnDefault"} | {name for name in subcommands if name.startswith("ReAdd")}
    assert subcommands - internal == table.alter_table.keys()
    assert all(
        name in pglast.enums.ObjectType.__members__ for name in map("OBJECT_{}".format, table.drop)
    )


def test_no_function_is_in_two_tables() -> None:
    from interlock.plans.sources.sql.postgres import taxonomy

    table = taxonomy.functions()
    assert not table.harmless & table.volatile
    assert not (table.harmless | table.volatile) & table.effects.keys()
    assert {"query_to_xml", "pg_read_file", "lo_unlink"} <= table.effects.keys()
    assert len(table.harmless) > 2000
