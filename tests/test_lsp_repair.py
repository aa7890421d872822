"""A declaration that cannot be read is mended; what was not put in keeps its text and its place."""

import random
import re

import pytest
from lsp_fixtures import SCHEMA
from lsp_policies import policy_text

from interlock.lang import syntax
from interlock.lang.fragments import fragments
from interlock.lang.parser import parse_fragment
from interlock.lang.source import Fragment
from interlock.lang.syntax import walk
from interlock.lsp.repair import MISSING, reading

WHOLE = [one.text for one in fragments("a.ilk", SCHEMA + policy_text(60))]
PIECES = ("", " ", ".", "&&", "||", "(", ")", "{", "}", '"', "and", "𝄞", "\n", ";", "==", "=>")


@pytest.mark.parametrize("seed", range(20))
def test_what_was_not_put_in_keeps_its_text_and_its_place(seed: int) -> None:
    chance = random.Random(f"repair {seed}")  # noqa: S311
    mended = 0
    for _ in range(20):
        text = chance.choice(WHOLE)
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 1, 3, 12)))
        text = text[:start] + chance.choice(PIECES) + text[end:]
        declaration, _ = parse_fragment(Fragment("a.ilk", text))
        found = reading(declaration)
        if found.declaration is declaration:
            continue
        mended += 1
        for node in walk(found.declaration):
            whole = node.span.text
            if isinstance(node, syntax.Name | syntax.Access) and re.fullmatch(r"[\w.]+", whole):
                here = found.span(node.span)
                is_put_in = MISSING in whole or whole in ("and", "or")
                if not is_put_in and here.end < len(text):
                    assert here.text == whole
                    assert found.offset(here.start) == node.span.start
                assert 0 <= here.start <= here.end <= len(text)
    assert mended, "some of the edits break a declaration that can be mended"


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("permit p { when principal.", f"permit p {{ when principal.\n {MISSING} }}"),
        ("permit p { when 1 > && true }", f"permit p {{ when 1 >  {MISSING} and  true }}"),
        ("permit p {\n  when f(1\n  when true\n}", "permit p {\n  when f(1)\n  when true\n}"),
        ("permit { when true }", f"permit  {MISSING} {{ when true }}"),
        ("permit p { when true ; }", "permit p { when true   }"),
    ],
)
def test_a_declaration_is_mended_by_the_least_that_makes_it_whole(text: str, mended: str) -> None:
    declaration, _ = parse_fragment(Fragment("a.ilk", text))
    assert reading(declaration).declaration.span.fragment.text == mended


def test_a_declaration_that_can_be_read_is_its_own_reading() -> None:
    for text in WHOLE:
        declaration, _ = parse_fragment(Fragment("a.ilk", text))
        assert reading(declaration).declaration is declaration
