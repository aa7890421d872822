"""What is told of a condition is true of it: its text, evaluated on the request, is what the sentence says."""

import re
from collections.abc import Iterator
from dataclasses import fields

from hypothesis import given, note
from hypothesis import strategies as st
from strategies import World, check_text, policy_sets, requests, stores, worlds

from interlock.analyzer.prove import Counterexample
from interlock.analyzer.telling import Guard, guards, said
from interlock.compiler import compile_policies, ir
from interlock.compiler.decision import Request
from interlock.compiler.documents import Misfit
from interlock.compiler.entities import Entities
from interlock.compiler.lower import lower_expression
from interlock.compiler.reference import decide, evaluate
from interlock.compiler.wire import read_entities, read_request
from interlock.lang import syntax
from interlock.lang.checked import Checked
from interlock.lang.loader import load_texts
from interlock.lang.syntax import Outcome

SAID = re.compile(r"`(.*)` (holds|does not hold|cannot be read)")
SCHEMA = """
module told
entity User
entity File { old: Bool, shared: Bool, size: Int, tags: Set<String>, note: String? }
action read { principal User resource File }
define small(size: Int) -> Bool = size < 10
define between(size: Int, low: Int) -> Bool = size > low and small(size)
permit all { when resource.size == 5 }
"""


def inside(node: object) -> Iterator[syntax.Expression]:
    """Every expression that is written in a node."""
    if isinstance(node, syntax.Expression):
        yield node
    if isinstance(node, syntax.Node):
        for item in fields(node):
            yield from inside(getattr(node, item.name))
    elif isinstance(node, tuple):
        for item in node:
            yield from inside(item)


def value_of(
    checked: Checked, guard: Guard, text: str, request: Request, store: Entities
) -> object:
    """What a text means where it stands in its rule."""
    rule = next(item.rule for item in checked.rules if item.rule.name == guard.rule)
    clauses = [item for item in rule.clauses if isinstance(item, syntax.When | syntax.Unless)]
    for expression in inside(tuple(clauses)):
        if " ".join(expression.span.text.split()) == text:
            return evaluate(lower_expression(checked.tables, expression), request, store)
    raise AssertionError(f"`{text}` is not written in {guard.rule}")


def told(
    checked: Checked, policies: ir.PolicySet, request: Request, store: Entities
) -> list[Guard]:
    """The guards as they would be told of a request, whatever it gets."""
    decision = decide(policies, request, store)._replace(outcome=Outcome.PERMIT)
    return guards(checked, policies, Counterexample(request, store, decision))


@given(worlds(), st.data())
def test_each_told_condition_is_as_the_sentence_says(world: World, data: st.DataObject) -> None:
    sample = data.draw(policy_sets(world, least=1, most=4))
    note(sample.text)
    checked = check_text(sample.text)
    policies, _ = compile_policies(checked)
    store = read_entities(policies.schema, data.draw(stores(world)))
    try:
        request = read_request(policies.schema, data.draw(requests(world)))
    except Misfit:
        return
    for guard in told(checked, policies, request, store):
        for miss in guard.misses:
            if miss.term is None or "…" in miss.message or "` of `" in miss.message:
                continue
            found = SAID.fullmatch(miss.message)
            assert found is not None, miss.message
            text, verdict = found.groups()
            value = value_of(checked, guard, text, request, store)
            if verdict == "cannot be read":
                assert not isinstance(value, bool)
            else:
                assert value is (verdict == "holds"), miss.message


def check(rule: str, *expected: str) -> None:
    """What is told of a rule on a file of size 5 that is old, not shared and without tags or note."""
    checked, problems = load_texts({"told.ilk": SCHEMA + rule})
    assert not problems, problems
    policies, _ = compile_policies(checked)
    attributes = {"old": True, "shared": False, "size": 5, "tags": []}
    file, user = {"type": "File", "id": "f"}, {"type": "User", "id": "u"}
    store = read_entities(
        policies.schema,
        [{"uid": file, "attrs": attributes}, {"uid": user, "attrs": {}}],
    )
    document = {"principal": user, "action": {"type": "Action", "id": "read"}}
    request = read_request(policies.schema, {**document, "resource": file, "context": {}})
    assert [g.message for g in told(checked, policies, request, store)] == list(expected)


def test_when() -> None:
    check("forbid f { when resource.shared }", "`resource.shared` does not hold")


def test_when_not() -> None:
    check("forbid f { when not resource.old }", "`not resource.old` does not hold")


def test_unless() -> None:
    check("forbid f { unless resource.old }", "`resource.old` holds")


def test_unless_not() -> None:
    check("forbid f { unless not resource.shared }", "`not resource.shared` holds")


def test_not_equal() -> None:
    check("forbid f { when resource.size != 5 }", "`resource.size != 5` does not hold")


def test_unless_not_equal() -> None:
    check("forbid f { unless resource.size != 6 }", "`resource.size != 6` holds")


def test_not_not_equal() -> None:
    check("forbid f { when not (resource.size != 6) }", "`not (resource.size != 6)` does not hold")


def test_none() -> None:
    check(
        'forbid f { unless resource.tags.none(t => t == "x") }',
        '`resource.tags.none(t => t == "x")` holds',
    )


def test_a_comment_after_unless() -> None:
    check("forbid f { unless // not if\n resource.old }", "`resource.old` holds")


def test_parentheses_are_told() -> None:
    check(
        "forbid f { when not (resource.old or (resource.shared)) }",
        "`not (resource.old or (resource.shared))` does not hold",
    )


def test_a_definition_is_told_by_its_call() -> None:
    check("forbid f { unless small(resource.size) }", "`small(resource.size)` holds")


def test_a_condition_of_a_definition_is_told_with_its_calls() -> None:
    check(
        "forbid f { when between(resource.size, 7) }",
        "`size > low` of `between(resource.size, 7)` does not hold",
    )


def test_calls_inside_definitions_are_told() -> None:
    checked, _ = load_texts(
        {
            "told.ilk": SCHEMA
            + "forbid f { when between(resource.size, 1) when small(resource.size) }"
        }
    )
    policies, _ = compile_policies(checked)
    condition = next(rule for rule in policies.rules if rule.id == "f").condition
    assert isinstance(condition, ir.And)
    assert [said(term.span) for term in condition.operands] == [
        "`size > low` of `between(resource.size, 1)`",
        "`small(size)` of `between(resource.size, 1)`",
        "`small(resource.size)`",
    ]


def test_a_need_ends_with_its_last_parenthesis() -> None:
    checked, _ = load_texts(
        {"told.ilk": SCHEMA + "require f { need not (resource.old or (resource.shared)) }"}
    )
    policies, _ = compile_policies(checked)
    ((need,),) = [rule.needs for rule in policies.rules if rule.id == "f"]
    text = "not (resource.old or (resource.shared))"
    assert need.span.text == f"need {text}"
    assert need.condition.span.text == text
    assert need.message.parts == (text,)
