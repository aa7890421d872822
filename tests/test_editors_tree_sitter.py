"""The tree-sitter grammar: it reads what the parser of the language reads, and every word has a colour."""

import ctypes
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from editor_tools import EDITORS, ROOT, keywords, need, newer_editors
from hypothesis import HealthCheck, given, settings
from test_round_trip import valid_texts
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from interlock.lang.parser import parse_whole

GRAMMAR = EDITORS / "tree-sitter-ilk"


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> Language:
    """The generated parser, compiled."""
    library = tmp_path_factory.mktemp("grammar") / "ilk.so"
    subprocess.run(
        [need("cc"), "-shared", "-fPIC", "-O0", "-I", str(GRAMMAR / "src"),
         str(GRAMMAR / "src" / "parser.c"), "-o", str(library)],
        check=True, timeout=300,
    )  # fmt: skip
    function = ctypes.CDLL(str(library)).tree_sitter_ilk
    function.restype = ctypes.c_void_p
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return Language(new_capsule(function(), b"tree_sitter.Language", None))


def policies() -> Iterator[tuple[str, str]]:
    """Every policy of this repository: files, and blocks of documentation and specs."""
    folders = ("benchmarks", "docs", "editors", "examples", "stdlib_policies", "tests")
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*"))]
    for file in (ROOT / "README.md", *files):
        if "node_modules" in file.parts:
            continue
        if file.suffix == ".ilk":
            yield str(file), file.read_text(encoding="utf-8")
        elif file.suffix == ".md":
            text = file.read_text(encoding="utf-8")
            for number, block in enumerate(
                re.findall(r"^```ilk[^\n]*\n(.*?)^```$", text, re.M | re.S)
            ):
                yield f"{file}#{number}", block


def errors(node: Node) -> list[Node]:
    if not node.has_error:
        return []
    if node.is_error or node.is_missing:
        return [node]
    return [found for child in node.children for found in errors(child)]


def test_what_the_language_reads_the_grammar_reads(language: Language) -> None:
    parser, read = Parser(language), 0
    for name, text in policies():
        if parse_whole(name, text)[1]:
            continue
        read += 1
        root = parser.parse(text.encode()).root_node
        assert not root.has_error, (name, [(one.start_point, one.text) for one in errors(root)][:3])
    assert read > 100


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(valid_texts())
def test_whatever_can_be_said_is_read(language: Language, text: str) -> None:
    """Every node in every place, as in the test that printing inverts parsing."""
    root = Parser(language).parse(text.encode()).root_node
    assert not root.has_error, [(one.start_point, one.text) for one in errors(root)]


def test_what_is_no_policy_is_an_error(language: Language) -> None:
    parser = Parser(language)
    for text in (
        "permit { }",
        "permit a {",
        "define f() = 1",
        "permit a { when a b }",
        "enum E { }",
    ):
        assert parser.parse(text.encode()).root_node.has_error, text
        assert parse_whole("x.ilk", text)[1], text


@pytest.mark.parametrize("word", sorted(keywords()))
def test_every_word_can_name_a_field(language: Language, word: str) -> None:
    text = f"permit a {{ when {{ {word}: 1 }} == x.{word} }}\nentity E {{ {word}: Int }}"
    assert not parse_whole("x.ilk", text)[1]
    assert not Parser(language).parse(text.encode()).root_node.has_error


def test_the_words_are_those_of_the_language() -> None:
    text = (GRAMMAR / "grammar.js").read_text()
    listed = re.findall(r"const (?:KEYWORDS|WORDS) = \[(.*?)\]", text, re.S)
    assert set(re.findall(r'"([a-z_]+)"', "".join(listed))) == keywords()


def test_every_word_of_the_bundled_policies_has_a_colour(language: Language) -> None:
    query = Query(language, (GRAMMAR / "queries" / "highlights.scm").read_text(encoding="utf-8"))
    parser = Parser(language)
    coloured: set[str] = set()
    for _, text in policies():
        root = parser.parse(text.encode()).root_node
        captured = QueryCursor(query).captures(root)
        found = {node.id for nodes in captured.values() for node in nodes}
        for node in leaves(root):
            if not node.is_named and re.fullmatch("[a-z_]+", node.type) and not root.has_error:
                parent = node.parent
                assert node.id in found or (parent is not None and parent.id in found), node
                coloured.add(node.type)
    assert len(coloured) > 50


def leaves(node: Node) -> Iterator[Node]:
    if not node.children:
        yield node
    for child in node.children:
        yield from leaves(child)


@pytest.mark.parametrize("name", ["highlights", "folds", "locals"])
def test_queries_name_what_the_grammar_has(language: Language, name: str) -> None:
    text = (GRAMMAR / "queries" / f"{name}.scm").read_text(encoding="utf-8")
    assert Query(language, text).pattern_count > 0


def test_the_parser_is_generated_from_the_grammar_and_passes_its_corpus(tmp_path: Path) -> None:
    """With the version of tree-sitter that generated it; another writes another file."""
    program = shutil.which("tree-sitter")
    if program is None and os.environ.get("INTERLOCK_EDITORS"):
        program = str(newer_editors() / "tree-sitter")
    if program is None:
        pytest.skip("tree-sitter is not installed: make editors")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    if "0.22." not in version.stdout:
        pytest.skip(
            f"the parser was generated by tree-sitter 0.22, and here is {version.stdout.strip()}"
        )
    folder = tmp_path / "grammar"
    shutil.copytree(GRAMMAR, folder)
    subprocess.run([program, "generate", "--no-bindings"], cwd=folder, check=True, timeout=120)
    for name in ("parser.c", "grammar.json", "node-types.json"):
        assert (folder / "src" / name).read_text() == (GRAMMAR / "src" / name).read_text(), name
    subprocess.run([program, "test"], cwd=folder, check=True, timeout=120)
