"""What an edit leaves known equals what a fresh check says: random edits of bundled policies and of a broken file."""

import os
import random
import re
from pathlib import Path

import pytest
from lsp_fixtures import SCHEMA
from lsp_policies import policy_text
from lsp_wire import standard
from lsprotocol.types import Position, Range

from interlock.compiler import compile_policies
from interlock.lang.diagnostics import Code, Diagnostic
from interlock.lang.fragments import fragments
from interlock.lang.loader import load_texts
from interlock.lang.parser import parse
from interlock.lsp.analysis import Analysis
from interlock.lsp.documents import Document
from interlock.lsp.features.completion import completion
from interlock.lsp.features.diagnostics import safe_lines
from interlock.lsp.features.fixes import fixes
from interlock.lsp.features.hover import hover
from interlock.lsp.features.outline import document_symbols
from interlock.lsp.features.tokens import semantic_tokens
from interlock.lsp.text import Text, Unit
from interlock.lsp.view import View

EDITS = {"quick": 40, "default": 200, "long": 5_000}[os.environ.get("INTERLOCK_TESTS", "default")]
SHARDS = 4
STDLIB = Path(__file__).parent.parent / "stdlib_policies" / "std"
LIBRARY = {
    # Named otherwise, so that the copies that come with the language are not read beside them.
    **{
        f"{name}.ilk": "// 𝄞\n"
        + (STDLIB / f"{name}.ilk").read_text(encoding="utf-8").replace("std.", "my.")
        for name in ("change", "sql")
    },
    "large.ilk": policy_text(120, "my"),
}
BROKEN = SCHEMA + (
    "permit p { action enter when principal.age > && }\n"
    'forbid f { resource Door in Team::"𝄞" when resource.hint == "\n'
    "require r { need\n\n"
    "define d(u: User) -> Bool = u.age >\n"
    'test t { principal User::"𝄞" { age: 1 action enter expect permit by p }\n'
    "prove q { action enter never permitted }\n"
)
PIECES = (
    "{", "}", "(", ")", '"', "@", "/// 𝄞\n", "//", "permit ", "\n", "\r", "\r\n", "?", ".", ",", " and false", "not ",
    "use my.change (Risk)\n", "module x\n", "action group more in change\n", "abstract ", "entity Table\n", "𝄞",
    "\u2028", "\u200b", "action zap in destroy { principal Agent resource Table }\n", "type T = { a: Risk }\n",
    "define is_narrow(c: Int) -> Bool = true\n", "entity New extends Asset { size: Int }\n", "Int", "x", "(1)", "=>",
)  # fmt: skip


def edit(chance: random.Random, document: Document, original: str) -> None:
    """One edit as hands make them: a word for another, a line less, something put in, something taken back."""
    source = document.text.source
    match chance.randrange(10):
        case 0 | 1 | 2:
            words = list(re.finditer(r"\w+", source))
            if words:
                old, new = chance.choice(words), chance.choice(words)
                document.edit(old.start(), old.end(), new[0])
        case 3:
            start = chance.randrange(len(source) + 1)
            end = source.find("\n", start) + 1 or len(source)
            document.edit(start, end, "")
        case 4 | 5:
            document.set_source(original)
        case _:
            start = chance.randrange(len(source) + 1)
            end = min(len(source), start + chance.choice((0, 0, 0, 1, 10)))
            document.edit(start, end, chance.choice(PIECES))


def told(problem: Diagnostic) -> tuple[object, ...]:
    notes = tuple((note.message, str(note.span)) for note in problem.notes)
    span = problem.span
    return str(problem), problem.help or "", span.end_line, span.end_column, notes


def fresh(documents: list[Document]) -> tuple[list[tuple[object, ...]], str | None]:
    """Everything a new check says of the texts, and the digest of what they compile to."""
    checked, problems = load_texts({one.file: one.text.source for one in documents})
    policies, more = compile_policies(checked)
    found = [told(problem) for problem in problems + more if problem.code is not Code.NO_RULES]
    return sorted(found), policies.digest if checked.sound else None


@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_analysis_after_edits_is_a_fresh_one(shard: int) -> None:
    chance = random.Random(f"interlock {shard}")  # noqa: S311
    texts = LIBRARY if shard % 2 else {"broken.ilk": BROKEN}
    sound = 0
    documents: list[Document] = []
    analysis = Analysis()
    for number in range(EDITS // SHARDS):
        if number % 8 == 0:
            documents = [Document(file, text) for file, text in texts.items()]
            analysis = Analysis()
            analysis.update(documents)
        document = chance.choice(documents)
        edit(chance, document, texts[document.file])
        analysis.update(documents)
        expected, digest = fresh(documents)
        found = sorted(told(one) for problems in analysis.problems.values() for one in problems)
        assert found == expected, f"edit {number} of {document.file}"
        if analysis.sound:
            sound += 1
            assert analysis.whole()[1].digest == digest
        probe(chance, analysis, document, tokens=number % 10 == 0)
    assert bool(sound) is bool(shard % 2), (
        "the broken file is never sound, and the library often is"
    )


def probe(chance: random.Random, analysis: Analysis, document: Document, *, tokens: bool) -> None:
    """No feature fails, wherever it is asked."""
    view = View(analysis, document, chance.choice(list(Unit)))
    place = Position(*document.text.position(chance.randrange(len(view.source) + 1), view.unit))
    hover(view, place)
    completion(view, place)
    fixes(view, Range(place, place))
    document_symbols(view)
    if tokens:
        semantic_tokens(view)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_document_after_edits_is_a_fresh_one(shard: int) -> None:
    chance = random.Random(f"documents {shard}")  # noqa: S311
    texts = [*LIBRARY.values(), BROKEN]
    original, document = "", Document("a.ilk", "")
    for number in range(EDITS):
        if number % 12 == 0:
            original = chance.choice(texts)
            document = Document("a.ilk", original)
        edit(chance, document, original)
        source = document.text.source
        assert document.text.line_starts == Text(source).line_starts
        expected = [
            (one.text, one.offset, one.line, one.column) for one in fragments("a.ilk", source)
        ]
        found = [
            (part.fragment.text, part.fragment.offset, part.fragment.line, part.fragment.column)
            for part in document.parts
        ]
        assert found == expected, f"edit {number}"
        declarations, problems = parse("a.ilk", source)
        assert [part.declaration for part in document.parts] == declarations
        said = [*document.head, *(one for part in document.parts for one in part.problems)]
        assert list(map(told, said)) == list(map(told, problems))


@pytest.mark.asyncio
async def test_what_a_client_was_told_last_is_what_a_fresh_check_says(tmp_path: Path) -> None:
    chance = random.Random("told")  # noqa: S311
    texts = {"change.ilk": LIBRARY["change.ilk"], "large.ilk": BROKEN + "use my.change\n"}
    documents = [Document(str(tmp_path / name), text) for name, text in texts.items()]
    version = 1
    async with standard() as (wire, _):
        settings = {
            "interlock": {"policies": [one.file for one in documents], "proveOnChange": False}
        }
        await wire.start(root=tmp_path)
        wire.send({"method": "workspace/didChangeConfiguration", "params": {"settings": settings}})
        for document in documents:
            wire.open(document.text.source, Path(document.file).as_uri())
        for number in range(EDITS // 20):
            document = chance.choice(documents)
            for _ in range(chance.randrange(1, 5)):
                edit(chance, document, texts[Path(document.file).name])
                version += 1
                # Sent without a pause, so that the server must gather what belongs together.
                change = {"text": document.text.source}
                wire.change(version, [change], Path(document.file).as_uri())
            await wire.diagnostics(version)
            await wire.ask("workspace/symbol", {"query": "zzz"})
            checked, problems = load_texts({one.file: one.text.source for one in documents})
            _, more = compile_policies(checked)
            for one in documents:
                expected = [
                    (
                        str(problem.code),
                        safe_lines(problem.message),
                        *one.text.position(start(problem), Unit.UTF16),
                    )
                    for problem in problems + more
                    if problem.span.file == one.file and problem.code is not Code.NO_RULES
                ]
                told_last = [
                    (
                        said["code"],
                        said["message"].split("\nhelp: ")[0],
                        *said["range"]["start"].values(),
                    )
                    for said in wire.published.get(Path(one.file).as_uri(), [])
                ]
                assert sorted(told_last) == sorted(expected), f"burst {number} of {document.file}"


def start(problem: Diagnostic) -> int:
    """Where a problem begins in its file, in code points."""
    return problem.span.fragment.offset + problem.span.start


@pytest.mark.parametrize("unit", list(Unit))
def test_places_in_the_units_of_a_client(unit: Unit) -> None:
    source = "a𝄞é\u2028b\r\nsecond\rthird 𝄞𝄞\n"
    text = Text(source)
    size = {Unit.UTF8: (1, 4, 2, 3), Unit.UTF16: (1, 2, 1, 1), Unit.UTF32: (1, 1, 1, 1)}[unit]
    assert [text.line(number) for number in range(5)] == [
        "a𝄞é\u2028b",
        "second",
        "third 𝄞𝄞",
        "",
        "",
    ]
    assert text.position(4, unit) == (0, sum(size))
    for offset in range(len(source) + 1):
        line, character = text.position(offset, unit)
        if source[offset - 1 : offset + 1] != "\r\n" and source[offset : offset + 1] not in "\r\n":
            assert text.offset(line, character, unit) == offset
    assert text.offset(0, 10_000, unit) == 5
    assert text.offset(10_000, 0, unit) == len(source)


def test_a_declaration_that_nothing_touches_is_not_checked_again() -> None:
    documents = [
        Document(
            "a.ilk",
            SCHEMA
            + "permit p { action enter when grown(principal, 9) }\npermit q { action enter }\n",
        )
    ]
    analysis = Analysis()
    analysis.update(documents)
    before = dict(analysis.entries)
    at = documents[0].text.source.index("permit q")
    documents[0].edit(at, at, "permit x { action enter }\n")
    analysis.update(documents)
    kept = [key for key in before if analysis.entries.get(key) is before[key]]
    assert len(kept) == len(before)
    limit = documents[0].text.source.index(">= limit")
    documents[0].edit(limit, limit + 2, "> ")
    analysis.update(documents)
    again = {
        entry.declaration.name_span.text
        for key, entry in analysis.entries.items()
        if before.get(key) is not entry
    }
    assert again == {"grown", "p", "x"}
