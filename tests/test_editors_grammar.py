"""The TextMate grammars: every word of the language is coloured where it is one, and only there."""

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from editor_tools import EDITORS, ROOT, VSCODE, installed, keywords, need

SYNTAXES = VSCODE / "syntaxes"
Token = tuple[str, tuple[str, ...]]

POLICY = """\
/// Who may enter. 𝄞
module doors.front

use std.change

enum Risk ordered { low, high }
abstract entity Thing { name: String }
entity Door extends Thing in Team { level: Int?, tags: Set<String>, effect: Risk }
type Pair = { left: Int, right: Decimal }
action group touch
action enter, door.open in touch {
  principal User | Team
  resource  Door
  context   { code: Int?, now: Instant }
  effects   { resource.level = 1 }
}
// A line of its own.
define grown(user: User, limit: Int) -> Bool = user.age >= limit and not user.context.hold

@control("SOC2 \\"CC8\\"")
permit grown_ups {
  principal User in Team::"ops \\"x\\""
  action    enter
  when      grown(principal, 18) and resource.level ?? 0 > 1_000
  unless    context.now < principal.tags.where(t => t like "a*").count()
  because   "{principal.name} may {action}"
}

require two { action enter need 1.5 == 1.5 and 1h30m > 15m "two" }
prove nobody { action enter when action == enter never permitted }
prove again { for any sequence of permitted actions always exists b: Door where b has level }

test passes {
  given     Team::"t"
  principal User::"u" in Team::"t" { age: 20, effect: low, action: true }
  expect    permit by grown_ups
}
"""


def tokens(scope: str, text: str) -> list[Token]:
    [found] = _tokens_of(((scope, text),))
    return found


def _tokens_of(texts: tuple[tuple[str, str], ...]) -> list[list[Token]]:
    return [[(text, scopes) for _, text, scopes in one] for one in _tokenised(texts)]


def positioned(text: str) -> list[tuple[int, str, tuple[str, ...]]]:
    [found] = _tokenised((("source.ilk", text),))
    return found


@cache
def _tokenised(
    texts: tuple[tuple[str, str], ...],
) -> list[list[tuple[int, str, tuple[str, ...]]]]:
    packages = installed(EDITORS / "tests")
    asked = {
        "grammars": {
            "source.ilk": str(SYNTAXES / "ilk.tmLanguage.json"),
            "markdown.ilk.codeblock": str(SYNTAXES / "ilk-markdown.tmLanguage.json"),
            "text.html.markdown": str(EDITORS / "tests" / "markdown.tmLanguage.json"),
        },
        "injections": {"text.html.markdown": ["markdown.ilk.codeblock"]},
        "texts": [{"scope": scope, "text": text} for scope, text in texts],
    }
    result = subprocess.run(
        [need("node"), str(EDITORS / "tests" / "tokenise.mjs")],
        input=json.dumps(asked),
        env={**os.environ, "PACKAGES": str(packages)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return [
        [(offset, text, tuple(scopes)) for offset, text, scopes in one]
        for one in json.loads(result.stdout)
    ]


def alternatives() -> set[str]:
    """Every word that the grammar file spells out."""
    grammar = json.loads((SYNTAXES / "ilk.tmLanguage.json").read_text(encoding="utf-8"))
    rules = [*grammar["repository"]["keywords"]["patterns"]]
    return {word for rule in rules for word in re.findall(r"[a-z_]{2,}", _plain(rule["match"]))}


def _plain(pattern: str) -> str:
    """A pattern without its lookarounds and escapes."""
    return re.sub(r"\(\?=.*$|\(\?!.*$|\(\?<!.*?\)|\\[a-z]", " ", pattern)


def test_the_words_of_the_grammar_are_those_of_the_language() -> None:
    assert alternatives() == keywords()


def test_every_word_is_coloured_where_it_stands_alone() -> None:
    [*found] = _tokens_of(tuple(("source.ilk", f"  {word} x") for word in sorted(keywords())))
    for word, coloured in zip(sorted(keywords()), found, strict=True):
        [scopes] = [scopes for token, scopes in coloured if token == word]
        assert re.match(r"keyword|storage|constant|variable\.language", scopes[-1]), (word, scopes)


def test_a_word_names_a_field_after_a_dot_or_before_a_colon() -> None:
    words = sorted(keywords())
    [*dotted] = _tokens_of(tuple(("source.ilk", f"  x.{word} == 1") for word in words))
    [*fields] = _tokens_of(tuple(("source.ilk", f"  {{ {word}: 1 }}") for word in words))
    for word, after_dot, before_colon in zip(words, dotted, fields, strict=True):
        assert (word, ("source.ilk", "variable.other.member.ilk")) in after_dot
        assert (word, ("source.ilk", "variable.other.member.field.ilk")) in before_colon


@pytest.mark.parametrize(
    ("word", "before", "scope"),
    [
        ("/// Who may enter. 𝄞", "", "punctuation.definition.comment.ilk"),
        ("Who may enter", "/// ", "comment.line.documentation.ilk"),
        ("A line", "// ", "comment.line.double-slash.ilk"),
        ("doors.front", "module ", "entity.name.namespace.ilk"),
        ("Risk", "enum ", "entity.name.type.enum.ilk"),
        ("ordered", "Risk ", "storage.modifier.ilk"),
        ("Thing", "abstract entity ", "entity.name.type.ilk"),
        ("Pair", "type ", "entity.name.type.alias.ilk"),
        ("Int", "level: ", "support.type.ilk"),
        ("grown", "define ", "entity.name.function.ilk"),
        ("grown", "when      ", "entity.name.function.call.ilk"),
        ("control", "@", "entity.name.function.decorator.ilk"),
        ("grown_ups", "permit ", "entity.name.function.rule.ilk"),
        ("permit", '\\"")\n', "keyword.declaration.rule.ilk"),
        ("permit", "expect    ", "keyword.other.outcome.ilk"),
        ("nobody", "prove ", "entity.name.function.claim.ilk"),
        ("passes", "test ", "entity.name.function.test.ilk"),
        ("principal", "ups {\n  ", "keyword.other.clause.ilk"),
        ("principal", "grown(", "variable.language.request.ilk"),
        ("action", "when ", "variable.language.request.ilk"),
        ("Team", "in ", "entity.name.type.ilk"),
        ("ops", 'Team::"', "string.quoted.double.entity.ilk"),
        ('\\"', "ops ", "constant.character.escape.ilk"),
        ("1_000", "> ", "constant.numeric.integer.ilk"),
        ("1.5", "need ", "constant.numeric.decimal.ilk"),
        ("1h30m", "and ", "constant.numeric.duration.ilk"),
        ("principal", 'because   "{', "variable.language.ilk"),
        ("name", "{principal.", "variable.other.member.ilk"),
        ("where", "tags.", "entity.name.function.member.ilk"),
        ("where", "Door ", "keyword.other.claim.ilk"),
        ("t", "where(", "variable.parameter.ilk"),
        ("true", "action: ", "constant.language.boolean.ilk"),
        ("hold", "context.", "variable.other.member.ilk"),
    ],
)
def test_a_word_has_its_scope(word: str, before: str, scope: str) -> None:
    offset = POLICY.index(before + word) + len(before)
    [innermost] = [
        scopes[-1]
        for start, text, scopes in positioned(POLICY)
        if start <= offset < start + len(text)
    ]
    assert innermost == scope


def test_nothing_of_the_bundled_policies_is_left_uncoloured() -> None:
    """A name, a space or a sign may be plain; a word of the language that starts a line never is."""
    files = sorted((ROOT / "stdlib_policies").rglob("*.ilk"))
    texts = tuple(("source.ilk", file.read_text(encoding="utf-8")) for file in files)
    for file, stream in zip(files, _tokens_of(texts), strict=True):
        for token, scopes in stream:
            if scopes == ("source.ilk",):
                assert not (set(re.findall(r"[a-z_]+", token)) & STARTERS), (file, token)


STARTERS = {"permit", "forbid", "require", "when", "unless", "because", "instead", "expect"}


def test_a_string_that_is_not_closed_ends_with_its_line() -> None:
    found = tokens("source.ilk", 'because "never closed\nwhen true')
    assert ("when", ("source.ilk", "keyword.other.clause.ilk")) in found


def test_fenced_policies_are_coloured_in_markdown() -> None:
    for fence, word in (("```ilk", "```"), ("~~~~interlock title", "~~~~"), ("  ```ilk", "  ```")):
        found = tokens(
            "text.html.markdown", f"# T\n{fence}\npermit x {{ }}\n{word}\npermit y {{ }}"
        )
        inside = [scopes for text, scopes in found if text == "permit"]
        assert inside == [
            (
                "text.html.markdown",
                "markup.fenced_code.block.markdown",
                "meta.embedded.block.ilk",
                "keyword.declaration.rule.ilk",
            )
        ], fence


def test_other_fences_are_left_alone() -> None:
    found = tokens("text.html.markdown", "```python\npermit x { }\n```")
    assert all("source.ilk" not in scopes and len(scopes) == 1 for _, scopes in found)


def test_the_grammar_files_are_json_with_their_scopes() -> None:
    for file, scope in (
        ("ilk.tmLanguage.json", "source.ilk"),
        ("ilk-markdown.tmLanguage.json", "markdown.ilk.codeblock"),
    ):
        grammar = json.loads(Path(SYNTAXES / file).read_text(encoding="utf-8"))
        assert grammar["scopeName"] == scope
