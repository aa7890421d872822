"""What each feature answers, as a pure function of a view and a place; the files carry their marks."""

import pytest
from lsp_fixtures import SCHEMA, opened
from lsprotocol.types import DiagnosticSeverity, DiagnosticTag, Position, Range

from interlock.lang.diagnostics import Code
from interlock.lsp.claims import ClaimState, Status, TestState
from interlock.lsp.features import claims as claim_features
from interlock.lsp.features import (
    completion,
    diagnostics,
    fixes,
    formatting,
    hints,
    hover,
    lenses,
    navigation,
    outline,
    rename,
    signature,
    structure,
)
from interlock.lsp.text import Unit

USES = "// 𝄞\nuse std.change\nuse std.sql\n"

# Completion


def labels(text: str) -> list[str]:
    file = opened(SCHEMA + text)
    return [item.label for item in completion.completion(file.view, file.position)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("permit p { action enter when principal.<|> }", ["age", "boss"]),
        ("permit p { action enter when principal.<|>", ["age", "boss"]),
        ("permit p { action enter when 1 > 2 && principal.<|>", ["age", "boss"]),
        ("permit p { action enter when grown(principal.<|>", ["boss", "age"]),
        ("permit p { action enter when resource.risk == <|> }", ["high", "low"]),
        ("permit p { action enter when resource.risk in {<|>", ["high", "low"]),
        ("permit p { action enter when Risk.<|> == resource.risk }", ["high", "low"]),
        ("permit p { action enter when action == door.<|> }", ["open"]),
        ("permit p { action enter when resource has <|> }", ["hint"]),
        ("permit p { action <|> }", ["touch", "door.open", "enter"]),
        ("permit p { principal <|>", ["User", "in", "Door", "Team"]),
        ("permit p { action enter when principal is <|>", ["User", "Door", "Team"]),
        ('permit p { action enter because "𝄞 {resource.<|>}" }', ["hint", "level", "risk", "tags"]),
        ('permit p { action enter because "𝄞 {resource.le<|>', ["hint", "level", "risk", "tags"]),
        ('test t { principal User::"𝄞" { <|> } }', ["age", "boss"]),
        ('test t { principal User::"𝄞" { age: 1, <|> } }', ["boss"]),
        ("test t { action enter context { <|> } }", ["now", "code"]),
        ("forbid f { action enter }\nprove p { denied by <|> }", ["f"]),
        ("forbid f { action enter }\ntest t { expect deny by <|> }", ["f"]),
        ("entity X { a: Set<<|> } }", ["String", "Int", "Bool", "Door", "Risk", "Team", "User"]),
        ("define f(u: <|>", ["String", "Int", "Bool", "Door", "Risk", "Team", "User"]),
        ("action go in <|>", ["touch"]),
        ("use std.<|>", ["aws", "azure", "change"]),
        ('permit p { resource Door in Team::"<|>" }\nforbid f { resource Door in Team::"𝄞" }', ["𝄞"]),
    ],
)  # fmt: skip
def test_what_fits_comes_first(text: str, first: list[str]) -> None:
    assert labels(text)[: len(first)] == first


@pytest.mark.parametrize("text", ["enum E { <|> }", "enum E { a, <|>", "enum E { /// d\n <|> }"])
def test_where_a_new_name_stands_nothing_fits(text: str) -> None:
    assert labels(text) == []


RANKED = [
    ("permit p { action enter when <|> }", ["principal", "resource", "context", "action", "grown"]),
    ("permit p { action enter when true or <|> }", ["principal", "resource", "context", "action"]),
    ("permit p { action enter when if true then <|> }", ["principal", "resource", "context", "action"]),
    ("permit p { action enter when grown(<|>", ["principal", "resource"]),
    ("permit p { action enter when grown(principal, context.code ?? <|>", ["0"]),
    ("define f(a: Bool?) -> Bool = a ?? <|>", ["false", "true"]),
    ('permit p { action enter when principal in <|> }', ["principal", "resource", "context", 'Team::"…"']),
    ("define f(from: IpRange) -> Bool = from in <|>", ["from", "ip"]),
    ("permit p { action enter when resource.tags.size > 1 <|>", ["and", "or"]),
    ("permit p {\n  <|>\n}", ["when", "action", "principal", "resource", "unless", "because", "instead"]),
    ("permit p {\n  action enter\n  because \"𝄞\"\n  <|>\n}", ["when", "principal", "resource", "unless", "instead"]),
    ("forbid p {\n  action enter\n  <|>\n}", ["when", "because", "principal"]),
    ("require p {\n  action enter\n  when true\n  <|>\n}", ["need", "when", "principal"]),
    ("prove p {\n  action enter\n  when true\n  <|>\n}", ["never", "always", "permitted", "denied", "held"]),
    ("prove p {\n  never permitted\n  <|>\n}", ["when", "action", "principal", "resource", "unless"]),
    ("prove p {\n  for any sequence of permitted actions\n  <|>\n}", ["always", "when"]),
    ("test t {\n  action enter\n  <|>\n}", ["expect", "principal", "resource", "context", "given"]),
    ("action go {\n  principal User\n  <|>\n}", ["resource", "context", "effects"]),
    ("entity X { a: <|> }", ["String", "Int", "Bool", "Door", "Risk", "Team", "User"]),
    ("define f() -> <|>", ["String", "Int", "Bool"]),
    ("abstract entity Asker\nentity Bot extends Asker\nforbid f { principal <|> }",
     ["User", "in", "Bot", "Door", "Team", "Asker"]),
    ("entity Bot\naction go { principal <|> }", ["User", "Bot", "Door"]),
    ("permit p { action enter  resource <|> }", ["Door"]),
    ("permit p { principal User in <|> }", ['Team::"…"']),
    ("permit p { resource in <|> }", ['Team::"…"']),
    ("permit p { resource Team in <|> }", []),
    ("test t { principal <|>", ['User::"…"']),
    ("test t { resource D<|>", ['Door::"…"']),
    ("test t { given <|>", ['Door::"…"', 'Team::"…"', 'User::"…"']),
    ('test t { given User::"𝄞" in <|>', ['Team::"…"']),
    ("test t { action <|>", ["door.open", "enter"]),
    ("action group far\npermit p { action <|> }", ["far", "touch", "door.open", "enter"]),
    ("permit p { }\nrequire r { need true }\nforbid f { }\ntest t { expect permit by <|>", ["p"]),
    ("permit p { }\nrequire r { need true }\nforbid f { }\ntest t { expect deny by <|>", ["f", "r"]),
    ("<|>", ["permit", "forbid", "require", "prove", "test", "define", "entity", "action", "use"]),
]  # fmt: skip
"""Where something is written, and what is proposed first there."""


@pytest.mark.parametrize(("text", "first"), RANKED)
def test_what_is_meant_most_comes_first(text: str, first: list[str]) -> None:
    found = labels(text)
    assert found[: len(first)] == first
    assert first or not found
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ('permit p {\n  action enter\n  when resource.hint == "𝄞" and\n  unless principal.<|>\n}', {"age", "boss"}),
        ('permit p {\n  action enter\n  when resource.hint == "𝄞\n  when principal.<|>\n}', {"age", "boss"}),
        ("permit p {\n  action enter\n  when not\n  unless principal.<|>\n}", {"age", "boss"}),
    ],
)  # fmt: skip
def test_a_slip_on_the_line_before_hides_nothing(text: str, members: set[str]) -> None:
    assert set(labels(text)) == members


def test_the_end_of_a_clause_proposes_no_word_that_cannot_stand_there() -> None:
    found = labels("permit p {\n  action enter\n  when true\n  <|>\n}")
    assert {"because", "principal", "resource", "unless", "when", "and"} <= set(found)
    assert {"forbid", "need", "action"}.isdisjoint(found)
    assert labels("permit p { action enter }\n@<|>") == [] == labels("@re<|>\npermit p { }")
    assert labels("entity X { <|> }") == []


def test_what_nothing_uses_yet_brings_its_use() -> None:
    def brought(text: str, label: str) -> str:
        file = opened(f"// 𝄞\n{text}")
        items = {one.label: one for one in completion.completion(file.view, file.position)}
        return file.applied(list(items[label].additional_text_edits or ())).partition("\n\n")[0]

    assert brought("define f(a: Pla<|>", "Plan") == "// 𝄞\nuse std.change (Plan)"
    assert brought("permit p { principal Ag<|> }", "Agent") == "// 𝄞\nuse std.change (Agent)"
    assert brought("permit p { action trunc<|> }", "sql.truncate") == "// 𝄞\nuse std.sql"


@pytest.mark.parametrize(
    "text", ["use std.sql (<|>)", "use std.sql (<|>", "use std.sql (View, T<|>"]
)
def test_what_a_module_declares_is_proposed_before_anything_uses_it(text: str) -> None:
    found = labels(text)
    assert "Table" in found and "sql.drop" not in found


def test_a_declaration_is_proposed_even_where_the_last_could_go_on() -> None:
    file = opened(SCHEMA + "perm<|>")
    items = {one.label: one for one in completion.completion(file.view, file.position)}
    edit = items["permit"].text_edit
    assert edit is not None and edit.new_text.startswith("permit ${1:name} {")
    plain = completion.completion(file.view, file.position, snippets=False)
    assert all("$" not in (one.text_edit.new_text if one.text_edit else "") for one in plain)


@pytest.mark.parametrize("text", ["// principal.<|>", 'permit p { because "principal.<|>" }'])
def test_nothing_is_proposed_in_comments_and_texts(text: str) -> None:
    assert labels(text) == []


def test_a_name_of_another_module_brings_its_use() -> None:
    file = opened(
        "// 𝄞\nmodule rules\n\nuse world (User)\n\npermit p { resource Do<|> }\n",
        SCHEMA.replace("// 𝄞\n", "// 𝄞\nmodule world\n", 1),
    )
    items = {one.label: one for one in completion.completion(file.view, file.position)}
    door = items["Door"]
    assert door.additional_text_edits is not None
    assert "use world (User, Door)\n" in file.applied(list(door.additional_text_edits))


def test_every_proposal_leaves_text_that_can_be_read_further() -> None:
    text = 'permit p { action enter when "𝄞" == "𝄞" and resource.<|> == 1 }'
    file = opened(SCHEMA + text)
    for item in completion.completion(file.view, file.position, snippets=False):
        assert item.text_edit is not None
        after = opened(file.applied([item.text_edit]) + "\n")  # type: ignore[list-item]
        assert not any(
            problem.code == "unknown-attribute" for problem in diagnostics.diagnostics(after.view)
        )


# Hover


def hovered(text: str) -> str:
    file = opened(SCHEMA + text)
    found = hover.hover(file.view, file.position)
    return getattr(found.contents, "value", "") if found is not None else ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("permit p { action enter when princ<|>ipal.age > 1 }", "principal: User"),
        ("permit p { action enter when principal.a<|>ge > 1 }", "age: Int"),
        ("permit p { action enter when principal.age <|>>= 1 }", "Greater than or equal."),
        ("permit p { action enter when resource h<|>as hint }", "Whether an optional value is there."),
        ("permit p { action enter when gr<|>own(principal, 1) }", "Whether somebody is grown up."),
        ("permit p { action <|>touch }", "Actions: `door.open`, `enter`"),
        ("permit p { action op<|>en }", "action door.open { principal User  resource Door }"),
        ("permit p { principal Us<|>er }", "Who asks. 𝄞"),
        ("permit p { action enter when resource.risk == hi<|>gh }", "Risk.high"),
        ("permit p { action enter when resource.tags.a<|>ny(t => t == \"x\") }", "at least one element"),
        ("permit p { action enter when resource.tags.any(<|>t => t == \"x\") }", "t"),
        ("define f(n: In<|>t) -> Int = n", "whole number"),
    ],
)  # fmt: skip
def test_hover_says_what_a_name_is(text: str, expected: str) -> None:
    assert expected in hovered(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("permit p { action enter when princ<|>ipal.age > && }", "principal: User"),
        ("permit p { action enter when principal.a<|>ge > && }", "age: Int"),
        ("permit p { action enter when 1 > && resource.le<|>vel > 2 }", "level: Int"),
        ("permit p { action enter when principal. and resource.le<|>vel > 2 }", "level: Int"),
        ("permit p {\n  action enter\n  when principal.\n  when resource.ri<|>sk == high\n}", "risk: Risk"),
        ("permit p { action enter when true && false || resource.ri<|>sk == high && }", "risk: Risk"),
        ("permit { action enter when principal.a<|>ge > 1 }", "age: Int"),
        ("permit p { action enter when (principal.age <|>>= 1", "Greater than or equal."),
        ("define f(user: Us<|>er) -> Bool = user.age >", "Who asks. 𝄞"),
        ('forbid f { when resource.hi<|>nt == "𝄞 {  because "', "hint: String?"),
        ("forbid f { action en<|>ter because }", "action enter { principal User  resource Door }"),
        ("entity House { owner: , door: Do<|>or }", "What is kept."),
        ("require r { action enter need gr<|>own(principal,\n", "Whether somebody is grown up."),
    ],
)  # fmt: skip
def test_hover_says_what_a_name_is_in_a_declaration_that_cannot_be_read(
    text: str, expected: str
) -> None:
    assert expected in hovered(text)


def test_hover_names_the_rules_and_claims_that_use_it() -> None:
    text = (
        "permit p { action enter when resource.le<|>vel > 1 }\nforbid f { action enter when resource.level > 2 }\n"
        "prove c { action enter when resource.level > 3 never permitted }\n"
    )
    assert "Used by 2 rules: `p`, `f`; 1 claim: `c`." in hovered(text)


def test_hover_knows_what_a_guard_has_shown() -> None:
    text = 'permit p { action enter when resource has hint and resource.hi<|>nt == "𝄞" }'
    assert "hint: String?  // known to be there" in hovered(text)


def test_a_hover_cannot_be_ended_by_what_it_shows() -> None:
    assert hovered('permit p { resource Door::"a```b<|>" }').startswith("````ilk")


# Places


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('permit p { action enter when "𝄞" == "𝄞" and gr<|>own(principal, 1) }', ["grown"]),
        ('permit p { action enter when "𝄞" == "𝄞" and principal.a<|>ge > 1 }', ["age"]),
        ('permit p { action enter when "𝄞" == "𝄞" and resource.risk == hi<|>gh }', ["high"]),
        ("permit p { action op<|>en }", ["door.open"]),
        ("permit p { principal Us<|>er }", ["User"]),
        ('permit p { action enter when resource.tags.any(tag => "𝄞" == t<|>ag) }', ["tag"]),
        ("define f(n𝄞: Int) -> Int = 1\ndefine g(n: Int) -> Int = <|>n", ["n"]),
        ('permit p { action enter when "𝄞" == "𝄞" and prin<|>cipal.age > 1 }', []),
    ],
)  # fmt: skip
def test_definition_is_at_its_place_in_every_unit(
    unit: Unit, text: str, expected: list[str]
) -> None:
    file = opened(SCHEMA + text, unit=unit)
    found = navigation.definition(file.view, file.position)
    assert [file.text_at(place.uri, place.range) for place in found] == expected


def test_the_type_of_a_value_is_declared_somewhere() -> None:
    file = opened(SCHEMA + "permit p { action enter when resource.ri<|>sk == high }")
    (place,) = navigation.type_definition(file.view, file.position)
    assert file.text_at(place.uri, place.range) == "Risk"


def test_an_inherited_attribute_is_one_attribute() -> None:
    text = (
        "// 𝄞\nabstract entity Asset { na<|>me: String }\nentity Table extends Asset\n"
        "entity View extends Asset { rows: Int }\n"
        "action read { principal Table  resource Table | View }\n"
        'permit a { action read when resource.name == "𝄞" }\n'
        'permit b { action read when resource is View and resource.name == "𝄞" and principal.name == "𝄞" }\n'
    )
    file = opened(text)
    found = navigation.references(file.view, file.position)
    assert [file.text_at(place.uri, place.range) for place in found] == ["name"] * 4
    assert len(navigation.highlights(file.view, file.position)) == 4


# Rename


def renamed(text: str, new: str, *others: str) -> str:
    file = opened(text, *others)
    found = rename.rename(file.view, file.position, new)
    assert not isinstance(found, rename.Refusal), found.message
    return file.applied(found[file.view.file])


def test_what_is_renamed_is_renamed_everywhere_and_still_compiles() -> None:
    text = SCHEMA + (
        "permit p { action op<|>en when principal.age > 1 and action == door.open }\n"
        'test t { principal User::"𝄞" { age: 9 }  action open  resource Door::"d"  expect permit by p }\n'
    )
    after = renamed(text, "unlock")
    assert "action enter, door.unlock in touch" in after and "action unlock when" in after
    assert "action == door.unlock" in after and "  action unlock" in after
    file = opened(after)
    assert diagnostics.diagnostics(file.view) == []


def test_attributes_that_one_place_reads_keep_one_name() -> None:
    text = (
        "// 𝄞\nentity A { size: Int }\nentity B { size: Int }\naction go { principal A  resource A | B }\n"
        "permit p { action go when resource.si<|>ze > 1 }\n"
    )
    after = renamed(text, "weight")
    assert after.count("weight") == 3 and "size" not in after


@pytest.mark.parametrize(
    ("text", "new", "why"),
    [
        ("permit p { action enter when princ<|>ipal.age > 1 }", "x", "is a word of the language"),
        ("permit p { principal Us<|>er }", "Door", "there is already an entity type `Door`"),
        ("permit p { principal Us<|>er }", "Int", "is a type of the language"),
        ("permit p { action en<|>ter }", "a b", "is not a name"),
        ("permit p { action enter when principal.a<|>ge > 1 }", "boss", "there is already a `boss`"),
        ("permit <|>p { action enter }\nforbid q { action enter }", "q", "already a rule `q`"),
        ("permit p { action enter when 1<|> > 1 }", "x", "there is no name here"),
        ("permit p { action en<|>ter }", "door.open", "there is already an action `door.open`"),
        ("permit p { action enter when gro<|>wn(principal, 1) }", "ip", "`ip` is a function of the language"),
        ("entity Lab extends Room { si<|>ze: Int }\nabstract entity Room { name: String }", "name",
         "there is already a `name` beside it"),
        ("entity Lab extends Room { size: Int }\nabstract entity Room { na<|>me: String }", "size",
         "there is already a `size` beside it"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_taken_is_refused(text: str, new: str, why: str) -> None:
    file = opened(SCHEMA + text)
    found = rename.rename(file.view, file.position, new)
    assert isinstance(found, rename.Refusal) and why in found.message


def test_what_cannot_be_read_is_renamed_with_the_rest() -> None:
    text = SCHEMA + (
        "permit p { action enter when 1 && principal.a<|>ge > 2 and }\n"
        'forbid f {\n  action enter\n  when principal.\n  when "𝄞" == "𝄞"||principal.age > 3\n}\n'
    )
    after = renamed(text, "years")
    assert after == text.replace("<|>", "").replace(".age", ".years").replace(" age:", " years:")


def test_what_is_declared_where_nothing_can_be_read_is_not_renamed() -> None:
    for text in (
        "define t<|>all(u: User) -> Bool = u.age >",
        "entity House { wid<|>th: Int, height: }",
    ):
        file = opened(SCHEMA + text)
        found = rename.rename(file.view, file.position, "x")
        assert isinstance(found, rename.Refusal) and "cannot be read" in found.message
    file = opened(SCHEMA + "define tall(per<|>son: User) -> Bool = person.age > and person.boss")
    found = rename.rename(file.view, file.position, "u")
    assert not isinstance(found, rename.Refusal) and len(found[file.view.file]) == 3


def test_an_attribute_may_have_the_name_of_one_that_is_not_beside_it() -> None:
    text = (
        "// 𝄞\nabstract entity Room { name: String }\nentity Lab extends Room { si<|>ze: Int }\n"
        "entity Hall extends Room { seats: Int }\n"
    )
    assert "Lab extends Room { seats: Int }" in renamed(text, "seats")


def test_every_policy_set_that_reads_a_file_is_renamed_with_it() -> None:
    file = opened(SCHEMA.replace("// 𝄞\n", "// 𝄞\nmodule a\n", 1), "// 𝄞\nuse a (User)\n")
    solo = "file:///project/solo.ilk"
    alone = "use a (grown)\npermit s { action enter when grown(principal, 3) }\n"
    file.session.workspace.open_file(solo, alone, 1)
    position = Position(15, 8)
    found = rename.rename(file.view, position, "adult")
    assert not isinstance(found, rename.Refusal)
    assert file.applied(found["/project/solo.ilk"], solo) == alone.replace("grown", "adult")
    assert len(navigation.references(file.view, position)) == 3
    file.session.workspace.open_file(solo, alone + "define adult() -> Bool = true\n", 2)
    # That file would see both.
    assert isinstance(rename.rename(file.view, position, "adult"), rename.Refusal)


def test_what_is_bundled_is_not_renamed() -> None:
    file = opened(USES + "permit p { resource Ta<|>ble }")
    found = rename.prepare_rename(file.view, file.position)
    assert isinstance(found, rename.Refusal) and "bundled" in found.message


# Fixes


def fixed(text: str) -> dict[str, str]:
    """Title → the text after the schema once the fix is made."""
    file = opened(text)
    return {
        fix.title: file.applied(fix.edits[file.view.file])
        for fix in fixes.fixes(file.view, file.range)
        if file.view.file in fix.edits
    }


MENDED = [
    ("permit p { action enter when <[principal.aeg]> > 1 }", "Change to `age`",
     "permit p { action enter when principal.age > 1 }"),
    ("permit a { action enter }\n<[premit]> p { action enter }", "Change to `permit`",
     "permit a { action enter }\npermit p { action enter }"),
    ("permit p { action <[entre]> }", "Change to `enter`", "permit p { action enter }"),
    ("permit p { action enter when <[principal.boss]>.age > 1 }", "Guard with `principal has boss`",
     "permit p { action enter when principal has boss and principal.boss.age > 1 }"),
    ('permit p { action enter when true and <[resource.hint]> == "𝄞" }', "Guard with `resource has hint`",
     'permit p { action enter when true and resource has hint and resource.hint == "𝄞" }'),
    ('permit p { action enter when <[resource.hint]> == "𝄞" }',
     'Say what it is when absent: `resource.hint ?? ""`',
     'permit p { action enter when (resource.hint ?? "") == "𝄞" }'),
    ("permit p { action enter when <[resource.level ?? 3]> == 4 }", "Remove the `??`",
     "permit p { action enter when resource.level == 4 }"),
    ("permit p { action enter when <[resource has level]> and resource.level > 1 }", "Remove the guard",
     "permit p { action enter when resource.level > 1 }"),
    ("permit p { action enter when true <[&&]> false }", "Write `and`",
     "permit p { action enter when true and false }"),
    ("permit p { action enter when <[!]>true }", "Write `not`", "permit p { action enter when not true }"),
    ("permit p { action enter }<[;]>", "Remove the `;`", "permit p { action enter }"),
    ("require <[r]> { action enter }", "Add `need      false`", "require r { action enter need      false }"),
    ("test <[t]> {\n  principal User::\"𝄞\"\n  action enter\n  resource Door::\"d\"\n}", "Add `expect    deny`",
     "test t {\n  principal User::\"𝄞\"\n  action enter\n  resource Door::\"d\"\n  expect    deny\n}"),
    ("permit p {\n  action enter\n  <[action]> enter\n}", "Remove this clause", "permit p {\n  action enter\n}"),
    ("permit p { action enter when resource.risk == <[\"high\"]> }", "Write `high`",
     "permit p { action enter when resource.risk == high }"),
    ("permit p { action enter\u200b<[]> }", "Remove the hidden character", "permit p { action enter }"),
    ("permit p { action enter when true<[]>", "Add `}`", "permit p { action enter when true}"),
    ("permit p {\n  action enter\n  when (1 > 0<[]>\n", "Add `)}`", "permit p {\n  action enter\n  when (1 > 0)}\n"),
    ("permit p {\n  action enter<[]>\n", "Add `}`", "permit p {\n  action enter\n}\n"),
    ("permit p {\n  action enter\n  <[need]> true\n}", "Write `when`", "permit p {\n  action enter\n  when true\n}"),
    ("permit p { action enter when action == <[touch]> }", "Ask with `in`",
     "permit p { action enter when action in touch }"),
    ('permit p { action enter when <[resource.tags.size()]> > 1 }', "Write `.size`",
     "permit p { action enter when resource.tags.size > 1 }"),
    ('forbid f { action enter because <["𝄞 { "]> }', "Write `\\{`", 'forbid f { action enter because "𝄞 \\{ " }'),
    ("entity House { tags: Set<<[Int?]>> }", "Remove the `?`", "entity House { tags: Set<Int> }"),
    ("permit p { action enter }\n<[/// nothing]>\n", "Make it a comment", "permit p { action enter }\n// nothing\n"),
    ('test t { principal User::"𝄞"  action <[touch]>  resource Door::"d"  expect deny }', "Name `enter`",
     'test t { principal User::"𝄞"  action enter  resource Door::"d"  expect deny }'),
    ("type Size = { width: Int, risk: Risk }\ndefine size() -> Size = <[{ width: 1 }]>", "Add `risk: low`",
     "type Size = { width: Int, risk: Risk }\ndefine size() -> Size = { width: 1, risk: low }"),
    ("entity Cat { lives: Int }\naction pet { principal User  resource Cat | Door }\n"
     "permit p { action pet when resource.<[lives]> > 1 }", "Guard with `resource is Cat`",
     "entity Cat { lives: Int }\naction pet { principal User  resource Cat | Door }\n"
     "permit p { action pet when resource is Cat and resource.lives > 1 }"),
    ("use std.<[chagne]>\n", "Change to `std.change`", "use std.change\n"),
    ("permit p { action enter when <[Risk.hgih]> == resource.risk }", "Change to `high`",
     "permit p { action enter when Risk.high == resource.risk }"),
    ("forbid f { action enter }\nprove p { action enter denied by <[ff]> }", "Change to `f`",
     "forbid f { action enter }\nprove p { action enter denied by f }"),
    ("permit p { principal <[Usr]> }", "Change to `User`", "permit p { principal User }"),
    ("permit p { action enter when <[gron]>(principal, 1) }", "Change to `grown`",
     "permit p { action enter when grown(principal, 1) }"),
    ("permit p { action enter  principal User | <[Team]> }", "Remove `Team`",
     "permit p { action enter  principal User }"),
    ('permit p { action enter  resource <[Door]> in User::"𝄞" }', "Declare `Door` in `User`", None),
    ("permit p { action enter when <[prncipal]>.age > 1 }", "Change to `principal`",
     "permit p { action enter when principal.age > 1 }"),
    ("action a.go, b.go { principal User  resource Door }\npermit p { action <[go]> }", "Write `b.go`",
     "action a.go, b.go { principal User  resource Door }\npermit p { action b.go }"),
    ('abstract entity Pet\nentity Cat extends Pet\nforbid f { resource <[Pet::"𝄞"]> }', "Name a `Cat`",
     'abstract entity Pet\nentity Cat extends Pet\nforbid f { resource Cat::"𝄞" }'),
    ("permit p { action enter when resource.risk == <[hgih]> }", "Change to `high`",
     "permit p { action enter when resource.risk == high }"),
    ("permit p { action enter when resource.risk == <[q]> }", "Change to `low`",
     "permit p { action enter when resource.risk == low }"),
    ('permit p { action enter when <[principal.age == "3"]> }', "Write `3`",
     "permit p { action enter when principal.age == 3 }"),
    ('permit p { action enter when <[context.now < "2026-01-01T00:00:00Z"]> }',
     'Write `instant("2026-01-01T00:00:00Z")`',
     'permit p { action enter when context.now < instant("2026-01-01T00:00:00Z") }'),
    ('permit p { action enter when <[principal == "𝄞"]> }', 'Write `User::"𝄞"`',
     'permit p { action enter when principal == User::"𝄞" }'),
    ('permit p { action enter when grown(principal, <["18"]>) }', "Write `18`",
     "permit p { action enter when grown(principal, 18) }"),
    ("<[#]> 𝄞\npermit p { action enter }", "Write `//`", "// 𝄞\npermit p { action enter }"),
    ("permit p { action enter <[#]> 𝄞\n}", "Write `//`", "permit p { action enter // 𝄞\n}"),
    ("permit p { action enter when resource.hint ?? \"\" == <[']>a' }", 'Write `"a"`',
     'permit p { action enter when resource.hint ?? "" == "a" }'),
    ("permit p { action enter when principal == User<[:]>:'a' }", 'Write `"a"`',
     'permit p { action enter when principal == User::"a" }'),
    ("permit p { action enter when principal.age in <[[]>1, 2] }", "Write `{…}`",
     "permit p { action enter when principal.age in {1, 2} }"),
    ("permit p { action enter when (1 > 0 <[}]>", "Add `)`", "permit p { action enter when (1 > 0) }"),
    ("permit p {\n  action enter\n  when grown(principal, 1\n  <[unless]> false\n}", "Add `)`",
     "permit p {\n  action enter\n  when grown(principal, 1)\n  unless false\n}"),
    ("permit p { action enter when principal.age in {1, 2 <[unless]> false }", "Add `}`",
     "permit p { action enter when principal.age in {1, 2} unless false }"),
    ("permit p { action enter when if principal.age > 1 then true <[}]>", "Add `else false`",
     "permit p { action enter when if principal.age > 1 then true else false }"),
    ("define f(a: Int) -> Int = if a > 1 then a<[]>", "Add `else 0`",
     "define f(a: Int) -> Int = if a > 1 then a else 0"),
    ("permit p { action enter when principal.boss != <[null]> }", "Write `principal has boss`",
     "permit p { action enter when principal has boss }"),
    ("permit p { action enter when <[resource.hint]> == None }", "Write `not (resource has hint)`",
     "permit p { action enter when not (resource has hint) }"),
    ("permit p { when resource == <[Door]> }", "Write `resource is Door`", "permit p { when resource is Door }"),
    ("permit p { when resource != <[Door]> }", "Write `not (resource is Door)`",
     "permit p { when not (resource is Door) }"),
    ("permit p { action enter }\nforbid <[p]> { action enter }", "Rename to `p_2`",
     "permit p { action enter }\nforbid p_2 { action enter }"),
    ("enum Mood { fine, <[fine]>, fine_2 }", "Rename to `fine_3`", "enum Mood { fine, fine_3, fine_2 }"),
    ("entity House { a: Int, <[a]>: Int }", "Rename to `a_2`", "entity House { a: Int, a_2: Int }"),
    ("permit p { action enter when <[grown(principal)]> }", "Write `grown(principal, 0)`",
     "permit p { action enter when grown(principal, 0) }"),
    ("permit p { action enter when <[grown(principal, 1, 2)]> }", "Write `grown(principal, 1)`",
     "permit p { action enter when grown(principal, 1) }"),
    ("define f(a: User, b: Door) -> Bool = true\npermit p { action enter when <[f()]> }",
     "Write `f(principal, resource)`",
     "define f(a: User, b: Door) -> Bool = true\npermit p { action enter when f(principal, resource) }"),
]  # fmt: skip
"""A policy after the schema, the title of a fix, and the policy once it is made; `None` where another line changes."""


OTHERWISE_MENDED = [
    "// 𝄞\nmodule m\n\nuse std.sql (Table, <[View]>)\n\npermit p { resource Table }\n",
    SCHEMA.replace(" ordered", "") + "permit p { action enter when <[resource.risk < high]> }",
    "type A = Set<Int?>\n<[module late]>\n",
]
NOT_OBVIOUS = {
    Code.FILE_NOT_FOUND: "said by the command line only",
    Code.NOT_TEXT: "said by the command line only",
    Code.NO_RULES: "said by the command line only",
    Code.FILE_TOO_LARGE: "where to cut is a choice",
    Code.NESTING_TOO_DEEP: "which part to name is a choice",
    Code.STRING_TOO_LONG: "what to leave out is a choice",
    Code.SET_TOO_LARGE: "a group of entities is made elsewhere",
    Code.NUMBER_TOO_LONG: "what number was meant is not known",
    Code.EXPANSION_TOO_LARGE: "what to leave out is a choice",
    Code.CYCLIC_IMPORT: "which way to go without is a choice",
    Code.CYCLIC_DEFINITION: "which way to go without is a choice",
    Code.UNKNOWN_ELEMENT_TYPE: "the type is not known",
    Code.NEVER_APPLIES: "what is wrong with the condition is not known",
    **dict.fromkeys(
        (
            Code.SHADOWED_RULE,
            Code.OVERRIDDEN_PERMIT,
            Code.UNSATISFIABLE_NEED,
            Code.VACUOUS_CLAIM,
            Code.NOT_DECIDED,
        ),
        "said by `interlock check --prove`, and a choice",
    ),
}


@pytest.mark.parametrize(("text", "title", "after"), MENDED)
def test_a_fix_mends_its_problem(text: str, title: str, after: str | None) -> None:
    found = fixed(SCHEMA + text)
    assert title in found
    assert after is None or found[title] == SCHEMA + after


def test_every_diagnostic_has_a_fix_or_a_reason_why_none_is_obvious() -> None:
    mended = set()
    for text in [*(case[0] for case in MENDED), *OTHERWISE_MENDED]:
        file = opened(text if text.startswith("// 𝄞") else SCHEMA + text)
        found = fixes.fixes(file.view, file.range)
        mended |= {fix.problem.code for fix in found if fix.problem is not None}
    assert mended | NOT_OBVIOUS.keys() == set(Code)
    assert mended.isdisjoint(NOT_OBVIOUS)


def test_a_missing_use_is_added_from_a_module_that_nothing_uses_yet() -> None:
    found = fixed("// 𝄞\nmodule m\n\nuse std.change\n\npermit p { resource <[Table]> }\n")
    assert "\nuse std.change\nuse std.sql (Table)\n\n" in found["Add `use std.sql (Table)`"]


def test_an_action_is_found_in_a_module_that_nothing_uses_yet() -> None:
    found = fixed("// 𝄞\nmodule m\n\npermit p { action <[truncate]> }\n")
    assert found["Add `use std.sql`"].startswith("// 𝄞\nmodule m\n\nuse std.sql\n")


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("define f() -> Bool = <[Risk]>.high == Risk.high", True),
        ("permit p { when <[Plan]> == principal }", False),
        ("permit p { when <[is_unread]> }", False),
        ("define f(a: <[is_unread]>) -> Bool = true", False),
        ("define f(a: Int) -> Bool = <[Plan]>(a)", False),
    ],
)
def test_a_use_is_offered_only_for_what_can_stand_there(text: str, offered: bool) -> None:
    assert any(title.startswith("Add `use") for title in fixed(f"// 𝄞\n{text}\n")) == offered


def test_a_fix_among_others_is_not_preferred() -> None:
    file = opened(SCHEMA + "permit p { action enter when resource.risk == <[q]> }")
    assert [fix.is_preferred for fix in fixes.fixes(file.view, file.range)] == [False, False]


def test_an_unused_import_is_removed_alone_or_with_its_use() -> None:
    text = "// 𝄞\nmodule m\n\nuse std.sql (Table, <[View]>)\n\npermit p { resource Table }\n"
    assert "use std.sql (Table)\n" in fixed(text)["Remove `View`"]
    text = (
        "// 𝄞\nmodule m\n\nuse std.change\nuse std.sql (<[View]>)\n\npermit p { action change }\n"
    )
    assert fixed(text)["Remove `View`"] == text.replace("use std.sql (<[View]>)\n", "")
    file = opened(text)
    assert file.applied(fixes.fix_all(file.view)) == text.replace("use std.sql (<[View]>)\n", "")


def test_an_enum_is_made_ordered_where_it_is_declared() -> None:
    text = (
        SCHEMA.replace(" ordered", "") + "permit p { action enter when <[resource.risk < high]> }"
    )
    assert "enum Risk ordered {" in fixed(text)["Make `Risk` ordered"]


# Diagnostics, claims and lenses


def test_a_diagnostic_has_its_help_in_the_text_and_its_places_beside() -> None:
    file = opened(SCHEMA + "entity User\n<|>")
    (found,) = diagnostics.diagnostics(file.view)
    assert found.message == "`User` is declared twice\nhelp: rename one of them"
    assert found.severity is DiagnosticSeverity.Error and found.code == "duplicate-name"
    assert found.related_information is not None
    assert file.text_at(file.uri, found.related_information[0].location.range) == "User"
    file = opened(SCHEMA + "permit p { action enter when resource.level ?? 1 == 1 }<|>")
    (found,) = diagnostics.diagnostics(file.view)
    assert found.tags == [DiagnosticTag.Unnecessary]


def test_a_claim_is_the_same_in_every_place() -> None:
    file = opened(
        SCHEMA + "permit p { action enter }\nprove c<|> { action enter never permitted }\n"
    )
    (span,) = [
        part.declaration.span
        for part in file.view.document.parts
        if part.fragment.text.startswith("permit")
    ]
    states = {
        "c": ClaimState(
            "c", Status.REFUTED, "this request breaks it", "principal User::\"𝄞\"",
            (("`p` does not stop it", span),), "test t {\n}\n",
        )
    }  # fmt: skip
    (found,) = claim_features.claim_diagnostics(file.view, states)
    assert found.severity is DiagnosticSeverity.Error and found.code == "claim-refuted"
    assert 'breaks it\nprincipal User::"𝄞"\n`p` does not stop it' in str(found.message)
    whole = Range(Position(0, 0), Position(99, 0))
    hint, guard = claim_features.claim_hints(file.view, states, whole)
    assert hint.label == " ✗ refuted" and guard.label == " `p` does not stop it (`c`)"
    assert (
        file.text_at(file.uri, Range(Position(hint.position.line, 0), hint.position)) == "prove c"
    )
    assert (
        claim_features.claim_hints(file.view, states, Range(Position(0, 0), Position(1, 0))) == []
    )
    titles = [
        lens.command.title
        for lens in lenses.code_lenses(file.view, {}, states, can_prove=True)
        if lens.command is not None
    ]
    assert titles == [
        "Evaluate request.json", "✗ refuted: this request breaks it · prove again", "Show counterexample",
    ]  # fmt: skip
    text = hover.hover(file.view, file.position, states)
    assert text is not None and "✗ refuted: this request breaks it" in getattr(
        text.contents, "value", ""
    )
    (fix,) = claim_features.save_as_test(file.view, states, file.view.offset(file.position))
    assert file.applied(fix.edits[file.view.file]).endswith("never permitted }\n\ntest t {\n}\n")
    proved = {"c": ClaimState("c", Status.PROVED, milliseconds=12.3)}
    (found,) = claim_features.claim_diagnostics(file.view, proved)
    assert found.severity is DiagnosticSeverity.Hint and found.code == "claim-proved"
    running = {"c": ClaimState("c", Status.RUNNING)}
    assert claim_features.claim_diagnostics(file.view, running) == []
    assert claim_features.save_as_test(file.view, proved, 0) == []


@pytest.mark.parametrize(
    ("uses", "after"),
    [
        ("use world (grown)\n", "use world (grown, User, Door)\n"),
        ("use world\n", "use world\n"),
        ("module m\nuse world (grown, Door)\n", "module m\nuse world (grown, Door, User)\n"),
        ("module m\n", "module m\n\nuse world (User, Door)\n"),
    ],
)
def test_a_counterexample_is_saved_with_the_types_that_it_names(uses: str, after: str) -> None:
    world = SCHEMA.replace("// 𝄞\n", "// 𝄞\nmodule world\n", 1)
    claim = "permit p { action enter }\nprove c<|> { action enter never permitted }\n"
    file = opened(f"// 𝄞\n{uses}{claim}", world)
    test = (
        'test t {\n  principal User::"a" { age: 0 }\n  action    enter\n'
        '  resource  Door::"d"\n  expect    permit by p\n}\n'
    )
    states = {"c": ClaimState("c", Status.REFUTED, test=test)}
    (fix,) = claim_features.save_as_test(file.view, states, file.view.offset(file.position))
    text = file.applied(fix.edits[file.view.file])
    assert text == f"// 𝄞\n{after}{claim.replace('<|>', '')}\n{test}"
    saved = opened(text, world)
    assert {one.code for one in diagnostics.diagnostics(saved.view)} <= {"unused-import"}
    (again,) = claim_features.save_as_test(saved.view, states, text.index("prove c"))
    assert "\n\ntest t_2 {\n" in saved.applied(again.edits[saved.view.file])


def test_a_counterexample_is_not_saved_where_its_types_cannot_be_named() -> None:
    file = opened("// 𝄞\nprove c<|> { never permitted }\n", SCHEMA)
    test = 'test t { principal User::"a"  action enter  resource Door::"d"  expect deny }'
    states = {"c": ClaimState("c", Status.REFUTED, test=test)}
    assert claim_features.save_as_test(file.view, states, file.view.offset(file.position)) == []


def test_a_test_that_fails_is_a_diagnostic_and_a_lens() -> None:
    file = opened(
        SCHEMA
        + 'test t<|> { principal User::"𝄞"  action enter  resource Door::"d"  expect permit }\n'
    )
    states = {"t": TestState("t", "expected permit, got deny", "deny")}
    (found,) = claim_features.test_diagnostics(file.view, states)
    assert found.code == "test-failed" and "expected permit, got deny" in str(found.message)
    (lens,) = lenses.code_lenses(file.view, states, {}, can_prove=False)
    assert lens.command is not None and lens.command.title.startswith("✗ expected permit, got deny")


# Shape


def test_hints_write_out_types_and_whole_names() -> None:
    file = opened(SCHEMA + 'permit p { action <[open when resource.tags.all(t => t == "𝄞")]> }')
    found = hints.inlay_hints(file.view, file.range)
    assert [hint.label for hint in found] == [": String", "door."]


@pytest.mark.parametrize(
    ("text", "label", "active"),
    [
        ("permit p { action enter when grown(<|>", "grown(user: User, limit: Int) -> Bool", 0),
        ("permit p { action enter when grown(principal, <|>", "grown(user: User, limit: Int) -> Bool", 1),
        ('permit p { action enter when ip(<|>', "ip(String) -> IpRange", 0),
        ("permit p { action enter when resource.tags.any(<|>", "Set<T>.any(T => Bool) -> Bool", 0),
        ('permit p { action enter when grown(principal, "a,(𝄞" <|>', "grown(user: User, limit: Int) -> Bool", 1),
    ],
)  # fmt: skip
def test_signature_help_finds_the_open_call(text: str, label: str, active: int) -> None:
    file = opened(SCHEMA + text)
    found = signature.signature_help(file.view, file.position)
    assert found is not None
    assert (found.signatures[0].label, found.active_parameter) == (label, active)


def test_no_call_is_open_after_its_end() -> None:
    file = opened(SCHEMA + "permit p { action enter when grown(principal, 1) <|>")
    assert signature.signature_help(file.view, file.position) is None


def test_the_outline_has_fields_and_members_and_what_is_broken() -> None:
    file = opened(SCHEMA + "permit p { action enter when }\n<|>")
    found = {one.name: one for one in outline.document_symbols(file.view)}
    assert [child.name for child in found["Risk"].children or ()] == ["low", "high"]
    assert [child.name for child in found["Door"].children or ()] == [
        "level",
        "risk",
        "hint",
        "tags",
    ]
    assert found["p"].detail == "permit (cannot be read)"
    assert {"enter", "door.open", "touch", "grown"} <= found.keys()


def test_a_selection_grows_from_word_to_file() -> None:
    file = opened(SCHEMA + "permit p { action enter when not grown(prin<|>cipal, 1) }\n")
    (found,) = structure.selection_ranges(file.view, [file.position])
    texts = []
    current = found
    while current is not None:
        texts.append(file.text_at(file.uri, current.range))
        current = current.parent  # type: ignore[assignment]
    assert texts[:3] == ["principal", "grown(principal, 1)", "not grown(principal, 1)"]
    assert texts[-1] == file.view.source


def test_formatting_keeps_what_cannot_be_read() -> None:
    file = opened("// 𝄞\nentity   A\npermit p {\n<|>")
    assert formatting.format_document(file.view) == []
    (edit,) = formatting.format_range(file.view, Range(Position(0, 0), Position(9, 0)))
    assert file.applied([edit]).startswith("// 𝄞\nentity A\npermit")
