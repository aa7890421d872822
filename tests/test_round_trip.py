"""Printing inverts parsing, formatting keeps what a file says, and no text makes the parser raise."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from strategies import DECIMALS, DURATIONS, PATTERNS, STRINGS, Sample, policy_sets, worlds

from interlock.compiler import compile_policies
from interlock.lang import syntax
from interlock.lang.diagnostics import has_errors
from interlock.lang.fragments import fragments
from interlock.lang.loader import load_texts
from interlock.lang.parser import comments, parse, parse_whole
from interlock.lang.printer import format_text, print_declarations
from interlock.lang.source import Fragment
from interlock.lang.syntax import Declaration, Expression, Reference, walk

few = settings(
    max_examples=max(10, settings().max_examples // 2),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# Syntax trees that mean nothing: every node in every place

names = st.sampled_from(("a", "b1", "_c", "Table", "size", "all", "when", "test"))
words = st.sampled_from(
    ("a", "b1", "when", "hold", "type", "entity", "in", "permit", "true", "test")
)
"""What can name a field; most are keywords elsewhere."""
attributes = st.sampled_from(("a", "b1", "when", "hold", "size", "in", "true"))
"""What stands after `.` and `has`; words that start a declaration are in the last test of `Splitting`."""
paths = st.sampled_from(("a", "Table", "sql.drop", "std.change.Plan"))
texts = st.one_of(st.sampled_from(STRINGS), st.text(st.characters(codec="utf-8"), max_size=8))
template_texts = st.one_of(
    st.sampled_from(STRINGS[:-1]), st.text("ab{}\\\"'𝄞*/ ", min_size=1, max_size=6)
)
docs = st.sampled_from(("", "What it says.", "Two\nlines with 𝄞", "// not a comment"))
integers = st.integers(0, 10**20)
references = st.builds(Reference, paths)
some_references = st.lists(references, min_size=1, max_size=3).map(tuple)
entities = st.builds(syntax.EntityReference, paths, texts)
some_entities = st.lists(entities, min_size=1, max_size=2).map(tuple)
any_entities = st.lists(entities, max_size=2).map(tuple)

leaves: st.SearchStrategy[Expression] = st.one_of(
    st.builds(
        syntax.RequestVariable, st.sampled_from(("principal", "action", "resource", "context"))
    ),
    st.builds(syntax.Name, names),
    st.builds(syntax.Boolean, st.booleans()),
    st.builds(syntax.Integer, integers),
    st.builds(syntax.DecimalNumber, st.sampled_from(DECIMALS)),
    st.builds(syntax.String, texts),
    st.builds(syntax.TimeSpan, st.sampled_from(DURATIONS)),
    entities,
)
BINARY = (
    "==", "!=", "<", "<=", ">", ">=", "in", "subset_of", "starts_with", "ends_with", "contains",
    "??", "+", "-", "*", "union", "intersect", "minus",
)  # fmt: skip


def larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Every node that has parts."""
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    member = st.builds(syntax.Name, st.sampled_from(("hold", "when", "in", "test")))
    elements = st.lists(st.one_of(inner, inner, member), min_size=1, max_size=3).map(tuple)
    field = st.builds(syntax.FieldValue, words, inner)
    arguments = st.lists(st.one_of(inner, st.builds(syntax.Lambda, names, inner)), max_size=2).map(
        tuple
    )
    return st.one_of(
        st.builds(syntax.Access, inner, attributes),
        st.builds(syntax.Has, inner, st.lists(attributes, min_size=1, max_size=2).map(tuple)),
        st.builds(syntax.Is, inner, paths),
        st.builds(syntax.Like, inner, st.sampled_from(PATTERNS)),
        st.builds(syntax.Unary, st.sampled_from(("not", "-")), inner),
        st.builds(syntax.Binary, st.sampled_from(BINARY), inner, inner),
        st.builds(syntax.And, several),
        st.builds(syntax.Or, several),
        st.builds(syntax.Conditional, inner, inner, inner),
        st.builds(syntax.SetLiteral, elements),
        st.builds(syntax.RecordLiteral, st.lists(field, max_size=2).map(tuple)),
        st.builds(syntax.Call, names, arguments),
        st.builds(syntax.MethodCall, inner, names, arguments),
    )


expressions = st.recursive(leaves, larger, max_leaves=8)
simple_expressions = st.one_of(
    st.builds(syntax.Name, names),
    st.builds(syntax.Access, st.just(syntax.RequestVariable("resource")), names),
    st.builds(
        syntax.Binary, st.just("+"), st.builds(syntax.Name, names), st.just(syntax.Integer(1))
    ),
)
"""What a hole of a message can hold: no text and no braces."""


@st.composite
def templates(draw: st.DrawFn) -> syntax.Template:
    parts: list[str | Expression] = []
    for _ in range(draw(st.integers(0, 3))):
        hole = draw(st.booleans())
        # Two texts side by side are one.
        if hole or (parts and isinstance(parts[-1], str)):
            parts.append(draw(simple_expressions))
        else:
            parts.append(draw(template_texts.filter(bool)))
    return syntax.Template(tuple(parts))


named_types = st.one_of(
    st.builds(syntax.TypeName, paths),
    st.builds(
        syntax.UnionType,
        st.lists(st.builds(syntax.TypeName, paths), min_size=2, max_size=3).map(tuple),
    ),
)


def _larger_types(
    inner: st.SearchStrategy[syntax.TypeExpression],
) -> st.SearchStrategy[syntax.TypeExpression]:
    field = st.builds(syntax.Field, words, optional(inner))
    return st.one_of(
        st.builds(syntax.SetType, optional(inner)),
        st.builds(syntax.RecordType, st.lists(field, max_size=3).map(tuple)),
    )


def optional(
    inner: st.SearchStrategy[syntax.TypeExpression],
) -> st.SearchStrategy[syntax.TypeExpression]:
    return st.one_of(inner, st.builds(syntax.OptionalType, inner))


types = st.recursive(named_types, _larger_types, max_leaves=4)
fields = st.lists(st.builds(syntax.Field, words, optional(types), docs), max_size=3).map(tuple)
record_types = st.builds(
    syntax.RecordType,
    st.lists(st.builds(syntax.Field, words, optional(types)), max_size=3).map(tuple),
)
records = st.builds(
    syntax.RecordLiteral,
    st.lists(st.builds(syntax.FieldValue, words, expressions), max_size=3).map(tuple),
)
parameters = st.builds(syntax.Parameter, names, optional(types))
annotations = st.lists(st.builds(syntax.Annotation, names, texts), max_size=2).map(tuple)
scopes = st.one_of(
    st.builds(
        lambda types, above: syntax.Scope("principal", types, above, ()),
        some_references,
        any_entities,
    ),
    st.builds(lambda above: syntax.Scope("principal", (), above, ()), some_entities),
    st.builds(lambda found: syntax.Scope("principal", (), (), found), some_entities),
)
conditions = st.lists(
    st.one_of(st.builds(syntax.When, expressions), st.builds(syntax.Unless, expressions)),
    max_size=2,
)
needs = st.builds(syntax.Need, expressions, st.none() | templates())
claims = st.one_of(
    st.just(syntax.NeverPermitted()),
    st.just(syntax.AlwaysDenied()),
    st.just(syntax.AlwaysPermitted()),
    st.just(syntax.NeverFails()),
    st.builds(syntax.PermittedOnlyIf, expressions),
    st.builds(syntax.HeldUnless, expressions),
    st.builds(syntax.DeniedBy, references),
)


@st.composite
def rules(draw: st.DrawFn) -> syntax.Rule:
    effect = draw(st.sampled_from(syntax.Effect))
    clauses: list[syntax.RuleClause] = [draw(scopes)] if draw(st.booleans()) else []
    clauses += [draw(st.builds(syntax.ActionScope, some_references))] if draw(st.booleans()) else []
    clauses += draw(conditions)
    if effect is syntax.Effect.REQUIRE:
        clauses += draw(st.lists(needs, min_size=1, max_size=2))
    clauses += [draw(st.builds(syntax.Because, templates()))] if draw(st.booleans()) else []
    clauses += [draw(st.builds(syntax.Instead, templates()))] if draw(st.booleans()) else []
    return _documented(draw, syntax.Rule(effect, draw(names), tuple(clauses)))


@st.composite
def proves(draw: st.DrawFn) -> syntax.Prove:
    clauses: list[syntax.ProveClause] = [draw(scopes)] if draw(st.booleans()) else []
    clauses += draw(conditions)
    if draw(st.integers(0, 3)):
        clauses.append(draw(claims))
    else:
        exists = draw(st.builds(syntax.AlwaysExists, parameters, expressions))
        clauses += [syntax.AnySequence(), exists]
    return _documented(draw, syntax.Prove(draw(names), tuple(clauses)))


@st.composite
def given_tests(draw: st.DrawFn) -> syntax.Test:
    def given_as(role: str) -> syntax.Given:
        return syntax.Given(role, draw(entities), draw(any_entities), draw(st.none() | records))

    clauses: list[syntax.TestClause] = [given_as("given") for _ in range(draw(st.integers(0, 2)))]
    clauses += [given_as("principal"), syntax.TestAction(draw(references)), given_as("resource")]
    if draw(st.booleans()):
        clauses.append(syntax.TestContext(draw(records)))
    expected = draw(st.lists(references, max_size=2).map(tuple))
    clauses.append(syntax.Expect(draw(st.sampled_from(syntax.Outcome)), expected))
    return _documented(draw, syntax.Test(draw(names), tuple(clauses)))


@st.composite
def schema_declarations(draw: st.DrawFn) -> Declaration:
    tables = st.builds(
        syntax.Table,
        st.lists(st.builds(syntax.Row, expressions, expressions), min_size=1, max_size=2).map(
            tuple
        ),
        expressions,
    )
    assignment = st.builds(
        syntax.Assignment,
        st.builds(syntax.Access, st.just(syntax.RequestVariable("resource")), names),
        expressions,
    )
    item: Declaration = draw(
        st.one_of(
            st.builds(
                syntax.Enum,
                names,
                st.booleans(),
                st.lists(st.builds(syntax.EnumMember, names, docs), min_size=1, max_size=4).map(
                    tuple
                ),
            ),
            st.builds(
                syntax.Entity,
                paths,
                st.booleans(),
                st.none() | references,
                st.lists(references, max_size=2).map(tuple),
                fields,
            ),
            st.builds(syntax.TypeAlias, names, st.one_of(optional(types), record_types)),
            st.builds(
                syntax.ActionGroup, some_references, st.lists(references, max_size=2).map(tuple)
            ),
            st.builds(
                syntax.Action,
                some_references,
                st.lists(references, max_size=2).map(tuple),
                some_references,
                some_references,
                record_types,
                st.lists(assignment, max_size=2).map(tuple),
            ),
            st.builds(
                syntax.Define,
                names,
                st.lists(parameters, max_size=2).map(tuple),
                optional(types),
                st.one_of(expressions, tables).filter(_is_closed),
            ),
            st.builds(syntax.Use, paths, st.lists(references, max_size=2).map(tuple)),
        )
    )
    return _documented(draw, item)


def _is_closed(body: Expression | syntax.Table) -> bool:
    """Whether a definition leaves `action` alone, which would begin a declaration where a body may end."""
    return syntax.RequestVariable("action") not in list(walk(body))


Item = TypeVar("Item", bound=Declaration)


def _documented(draw: st.DrawFn, item: Item) -> Item:
    return replace(item, doc=draw(docs), annotations=draw(annotations))


declarations = st.lists(
    st.one_of(rules(), proves(), given_tests(), schema_declarations()), min_size=1, max_size=3
)


@st.composite
def valid_texts(draw: st.DrawFn) -> str:
    """Text that parses: a policy set that checks, or declarations that mean nothing."""
    if draw(st.booleans()):
        sample: Sample = draw(policy_sets(draw(worlds()), least=1))
        return sample.text
    return print_declarations(draw(declarations))


# Printing


@given(declarations)
def test_parse_inverts_print(items: list[Declaration]) -> None:
    """Every tree has a text, and the text has only this tree."""
    text = print_declarations(items)
    note(text)
    found, problems = parse("printed.ilk", text)
    assert not has_errors(problems), list(map(str, problems))
    assert found == items


@given(expressions)
def test_parse_inverts_print_for_expressions(expression: Expression) -> None:
    """Brackets stand where they must."""
    item = syntax.Rule(syntax.Effect.PERMIT, "r", (syntax.When(expression),))
    text = print_declarations([item])
    note(text)
    assert parse("printed.ilk", text) == ([item], [])


@pytest.mark.parametrize("text", STRINGS[:-1])
def test_every_text_can_be_said(text: str) -> None:
    """In a string, in a message, as a name of an entity and in a pattern."""
    pattern = syntax.Like(syntax.Name("a"), (text, "*" + text, "\\" + text))
    both = syntax.Binary("==", syntax.String(text), syntax.EntityReference("A", text))
    message = (syntax.Because(syntax.Template((text,))),) if text else ()
    clauses = (syntax.When(syntax.And((both, pattern))), *message)
    rule = syntax.Rule(syntax.Effect.FORBID, "r", clauses)
    assert parse("printed.ilk", print_declarations([rule])) == ([rule], [])


def test_a_message_with_an_unprintable_character_can_be_formatted() -> None:
    """A no-break space is easily typed, and the formatter writes it as an escape."""
    text = 'permit p {\n  because "a\u00a0b"\n}\n'
    formatted, _ = format_text("policy.ilk", text)
    assert formatted is not None
    assert parse("policy.ilk", formatted) == parse("policy.ilk", text)


# Formatting

_TOKEN = re.compile(
    r"///[^\n]*|use [^\n]*|[A-Za-z_][\w.]*::\"(?:[^\"\\\n]|\\.)*\"|\"(?:[^\"\\\n]|\\.)*\"|[0-9][\w.]*"
    r"|\w+|=>|->|\?\?|[=!<>]=|\S"
)


_NOT_BEFORE = ("///", "use ", "action")
"""Tokens after which no comment is put: see the words that the splitter takes for declarations."""


@st.composite
def commented_texts(draw: st.DrawFn) -> str:
    """A valid text with comments at some of the places where one may stand."""
    text = draw(valid_texts())
    ends = [0] + [
        match.end() for match in _TOKEN.finditer(text) if not match[0].startswith(_NOT_BEFORE)
    ]
    chosen = draw(st.lists(st.sampled_from(ends), min_size=1, max_size=4, unique=True))
    for number, end in sorted(enumerate(chosen), key=lambda item: -item[1]):
        text = f"{text[:end]} // 𝄞 comment {number} \n{text[end:]}"
    return text


def comments_of(text: str) -> list[str]:
    return sorted(span.text.rstrip() for span in comments(Fragment("policy.ilk", text)))


@few
@given(valid_texts())
def test_formatting_keeps_the_tree_and_is_idempotent(text: str) -> None:
    """A formatted file says the same, and formatting it again changes nothing."""
    formatted, _ = format_text("policy.ilk", text)
    assert formatted is not None
    note(formatted)
    assert parse("policy.ilk", formatted) == parse("policy.ilk", text)
    assert format_text("policy.ilk", formatted)[0] == formatted


@few
@given(commented_texts())
def test_formatting_keeps_every_comment(text: str) -> None:
    """Wherever a comment stands, it is still there once, and so is everything around it."""
    before, problems = parse("policy.ilk", text)
    assume(not has_errors(problems))
    formatted, _ = format_text("policy.ilk", text)
    assert formatted is not None
    note(formatted)
    assert comments_of(formatted) == comments_of(text)
    assert parse("policy.ilk", formatted)[0] == before


@few
@given(commented_texts())
def test_formatting_text_with_comments_is_idempotent(text: str) -> None:
    """Wherever a comment stands, one formatting puts it where it stays."""
    once, problems = format_text("policy.ilk", text)
    assume(not problems)
    assert once is not None
    note(once)
    assert format_text("policy.ilk", once)[0] == once


def test_a_comment_in_the_head_of_an_empty_block_moves_at_once() -> None:
    once, _ = format_text("policy.ilk", "permit // why\nnothing {}\n")
    assert once == "// why\npermit nothing {}\n"


# Splitting


@few
@given(commented_texts())
def test_splitting_a_file_changes_nothing(text: str) -> None:
    """A file read declaration by declaration is the file read in one run of the grammar."""
    whole, problems = parse_whole("policy.ilk", text)
    assume(not problems)
    assert parse("policy.ilk", text) == (whole, [])


@few
@given(st.one_of(valid_texts(), commented_texts(), st.text()))
def test_fragments_hold_all_but_the_space_between(text: str) -> None:
    """Nothing of a file is outside its fragments, so nothing of it goes unread."""
    done = 0
    for fragment in fragments("policy.ilk", text):
        between = text[done : fragment.offset]
        assert not re.sub(r"//[^\n]*|\s", "", between)
        assert text[fragment.offset :].startswith(fragment.text)
        done = fragment.offset + len(fragment.text)
    assert not re.sub(r"//[^\n]*|\s", "", text[done:])


@pytest.mark.parametrize(
    "text",
    [
        "enum Env { dev, test }\ndefine f(n: Int) -> Env =\n  test when n > 1,\n  otherwise dev\n",
        "type R = { type: Int? }\ndefine f(r: R) -> Bool = r has type\n",
        "define f(use: Bool) -> Bool = not use\n",
        "entity A\naction // why\ngroup g\n",
        "use // why\na\n",
    ],
)
def test_the_splitter_finds_the_declarations_that_the_grammar_finds(text: str) -> None:
    """The grammar reads these, and an enum with a member `test` is not far-fetched."""
    whole, problems = parse_whole("policy.ilk", text)
    assert not problems
    assert parse("policy.ilk", text) == (whole, [])


@pytest.mark.parametrize(
    "text",
    ["{hold, deny}", "{when}", "{(test(1)), test(1)}", "{(subset_of.a)}"],
)
def test_a_set_can_begin_with_a_name_that_is_a_keyword_elsewhere(text: str) -> None:
    """Members of an enum are named like that, and only their place in the set decides."""
    whole = f"define f() -> Set<Outcome> = {text}\n"
    assert parse("policy.ilk", whole)[1] == []
    assert format_text("policy.ilk", whole) == (whole, [])


# Any text


@st.composite
def mutated_texts(draw: st.DrawFn) -> str:
    """A valid text with characters deleted, doubled or put in."""
    text = draw(valid_texts())
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(0, len(text) - 1)))
        end = start + draw(st.integers(0, 12))
        put = draw(st.one_of(st.just(""), st.sampled_from(_PUT), st.just(text[start:end] * 2)))
        text = text[:start] + put + text[end:]
    return text


_PUT = (
    '"', "\\", "\\u{110000}", "{", "}", "(", ")", "//", "///", "@", "::", "𝄞", "\n", "\r", "\x00", "\ud800",
    " when ", " not ", "=>", "??", "0", "1h1h", "1.23456", "9" * 1001, "(" * 70, "not " * 70, " permit p {", "é",
)  # fmt: skip


@few
@given(st.one_of(mutated_texts(), st.text(), st.text('{}()"\\/@:.,=> \nabpermit', max_size=40)))
def test_no_text_makes_the_parser_raise(text: str) -> None:
    """A broken policy is normal input in an editor: parsing, checking and formatting give diagnostics."""
    items, problems = parse("policy.ilk", text)
    assert isinstance(items, Sequence)
    checked, problems = load_texts({"policy.ilk": text})
    if not has_errors(problems):
        compile_policies(checked)
    formatted, problems = format_text("policy.ilk", text)
    assert (formatted is None) == has_errors(problems)


@few
@given(mutated_texts())
def test_problems_stand_in_the_text(text: str) -> None:
    """Every diagnostic points into the file, so that it can be shown."""
    for problem in load_texts({"policy.ilk": text})[1]:
        span = problem.span
        assert 0 <= span.start <= span.end <= len(span.fragment.text)
        assert 1 <= span.line <= text.count("\n") + text.count("\r") + 1
