"""Lowering and every pass keep the grammar of the intermediate representation, every decision and every failure."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from strategies import (
    Json,
    Sample,
    check_text,
    compile_text,
    partial_stores,
    policy_sets,
    requests,
    worlds,
)

from interlock.compiler import ir
from interlock.compiler.ir_spec import verify, verify_rule
from interlock.compiler.ir_text import text_of
from interlock.compiler.lower import lower, lower_expression
from interlock.compiler.passes import PASSES
from interlock.compiler.passes.fold_constants import fold
from interlock.compiler.reference import Failed, evaluate
from interlock.compiler.rewrite import parts
from interlock.compiler.wire import read_entities, read_request
from interlock.lang import syntax
from interlock.lang.checked import Checked
from interlock.lang.loader import load
from interlock.lang.schema import Schema
from interlock.lang.syntax import walk
from interlock.lang.values import Decimal, EntityId, EnumValue

few = settings(
    max_examples=max(10, settings().max_examples // 2),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def stages(checked: Checked) -> Iterator[tuple[str, list[ir.Rule]]]:
    """The rules after lowering and after each pass, by name."""
    rules, problems = lower(checked)
    assert problems == []
    yield "lower", rules
    for step in PASSES:
        rules = [step(rule) for rule in rules]
        yield step.__name__, rules


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    return draw(policy_sets(draw(worlds()), least=1))


# The grammar


@few
@given(samples())
def test_every_stage_gives_well_formed_rules(sample: Sample) -> None:
    """Whatever the checker lets through has one type, bound names and guarded reads, before and after each pass."""
    checked = check_text(sample.text)
    for name, rules in stages(checked):
        assert verify(ir.PolicySet(checked.schema, tuple(rules), "")) == [], name


def test_every_stage_of_the_production_guardrails_is_well_formed() -> None:
    """The same for a pack that people use, with its vocabulary."""
    checked, _ = load(["production_guardrails"])
    for name, rules in stages(checked):
        assert verify(ir.PolicySet(checked.schema, tuple(rules), "")) == [], name


SCHEMA = """
enum Risk ordered { low, high }
entity Team in Team
entity User in Team { age: Int?, name: String, boss: User? }
entity Bot { owner: User }
action group edit
action drop in edit {
  principal User | Bot
  resource  User
  context   { risk: Risk, names: Set<String>, note: { text: String? } }
}
permit all {}
"""
AGE = ir.Attribute(ir.Variable("resource"), "age")
HAS_AGE = ir.Has(ir.Variable("resource"), "age")
NAME = ir.Attribute(ir.Variable("resource"), "name")
NAMES = ir.Attribute(ir.Variable("context"), "names")
YOUNG = ir.Less(AGE, ir.Integer(18))


def schema() -> Schema:
    return compile_text(SCHEMA).schema


def problems_of(condition: ir.Term, **changes: object) -> list[str]:
    (rule,) = compile_text(SCHEMA).rules
    changed = replace(rule, condition=condition, **changes)  # type: ignore[arg-type]
    return verify_rule(schema(), changed)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (ir.Integer(1), "a `Bool` is needed, and this is a `Int`"),
        (YOUNG, "`age` may be absent, and no `has` stands before it"),
        (ir.And((YOUNG, HAS_AGE)), "`age` may be absent"),
        (ir.Or((HAS_AGE, YOUNG)), "`age` may be absent"),
        (ir.If(HAS_AGE, ir.TRUE, YOUNG), "`age` may be absent"),
        (ir.And((ir.Or((HAS_AGE, ir.TRUE)), YOUNG)), "`age` may be absent"),
        (ir.Equal(NAME, ir.Integer(1)), "`String` and `Int` do not go together"),
        (ir.Less(NAME, NAME), "values of type `String` have no order"),
        (ir.Like(ir.Integer(1), ("a",)), "a `String` is needed"),
        (ir.Like(NAME, ()), "the pattern has no piece"),
        (ir.InHierarchy(NAME, ir.Variable("resource")), "an entity is needed"),
        (ir.IsType(ir.Variable("resource"), frozenset({"Nobody"})), "no concrete entity type"),
        (ir.Equal(ir.Variable("x"), ir.Variable("x")), "the name is not bound here"),
        (ir.Has(ir.Variable("resource"), "nickname"), "`nickname` does not exist"),
        (ir.Member(ir.Integer(1), NAMES), "`Int` and `String` do not go together"),
        (ir.Any("x", NAME, ir.TRUE), "a set is needed"),
        (ir.Any("x", NAMES, ir.Variable("x")), "the body must be a `Bool`, and is a `String`"),
        (
            ir.Any("x", NAMES, ir.Any("x", NAMES, ir.TRUE)),
            "`x` is bound inside itself",
        ),
        (
            ir.And((ir.Any("x", NAMES, ir.TRUE), ir.Like(ir.Variable("x"), ("a",)))),
            "the name is not bound here",
        ),
        (
            ir.Less(ir.Least("x", NAMES, ir.Integer(1)), ir.Integer(1)),
            "the set may be empty, and nothing asks before",
        ),
        (ir.Not(ir.Add(ir.Integer(1), ir.Integer(1))), "a `Bool` is needed"),
        (ir.Equal(ir.Add(ir.Integer(1), NAME), ir.Integer(1)), "`+` does not take"),
        (
            ir.Equal(ir.Sum("x", NAMES, ir.Integer(1), ir.Decimal(Decimal(0))), ir.Integer(1)),
            "the body must be a `Decimal`",
        ),
        (
            ir.Equal(ir.Sum("x", NAMES, ir.Integer(1), ir.Integer(1)), ir.Integer(1)),
            "a sum starts at zero",
        ),
        (
            ir.Equal(ir.RecordOf((("b", NAME), ("a", NAME))), ir.RecordOf(())),
            "the fields of a record are sorted",
        ),
        (
            ir.Equal(
                ir.EnumMember(EnumValue("Risk", "high", 0)),
                ir.EnumMember(EnumValue("Risk", "low", 0)),
            ),
            "`high` is not member number 0 of `Risk`",
        ),
        (
            ir.Equal(ir.Variable("action"), ir.Entity(EntityId("Action", "edit"))),
            "there is no such action",
        ),
        (
            ir.Equal(ir.Variable("action"), ir.SetOf((ir.Entity(EntityId("Action", "drop")),))),
            "do not go together",
        ),
        (
            ir.Equal(ir.If(HAS_AGE, AGE, NAME), ir.Integer(1)),
            "`Int` and `String` do not go together",
        ),
    ],
)
def test_what_is_not_well_formed_is_reported(condition: ir.Term, expected: str) -> None:
    """Each line of the grammar has teeth."""
    assert any(expected in problem for problem in problems_of(condition)), problems_of(condition)


@pytest.mark.parametrize(
    "condition",
    [
        ir.And((HAS_AGE, YOUNG)),
        ir.Or((ir.Not(HAS_AGE), YOUNG)),
        ir.If(ir.Not(HAS_AGE), ir.FALSE, YOUNG),
        ir.And((ir.If(HAS_AGE, ir.Boolean(True), ir.FALSE), YOUNG)),
        ir.And((ir.Or((HAS_AGE, ir.FALSE)), YOUNG)),
        # A bot has no name, and only a user gets past the first condition.
        ir.And(
            (
                ir.IsType(ir.Variable("principal"), frozenset({"User"})),
                ir.Like(ir.Attribute(ir.Variable("principal"), "name"), ("a", "")),
            )
        ),
        # Of two that may be absent one is there, so where the first is not the second is.
        ir.And(
            (
                ir.Or((HAS_AGE, ir.Has(ir.Variable("resource"), "boss"))),
                ir.If(
                    HAS_AGE,
                    YOUNG,
                    ir.Equal(
                        ir.Attribute(ir.Variable("resource"), "boss"), ir.Variable("resource")
                    ),
                ),
            )
        ),
        ir.Equal(ir.Variable("principal"), ir.Variable("resource")),
    ],
)
def test_what_is_guarded_is_well_formed(condition: ir.Term) -> None:
    """A guard counts wherever it stands and however it is said."""
    assert problems_of(condition) == []


def test_a_scope_names_what_exists() -> None:
    """Concrete types, single actions, entities of the schema."""
    (rule,) = compile_text(SCHEMA).rules
    nobody = ir.VariableScope(frozenset({"Nobody"}), (EntityId("Gone", "a"),))
    scope = ir.Scope(nobody, frozenset({"edit"}), rule.scope.resource)
    assert verify_rule(schema(), replace(rule, scope=scope)) == [
        "the scope names the action `edit`, which does not exist",
        "the scope names `Nobody`, which is no concrete entity type",
        'the scope names Gone::"a", which is no entity of the schema',
    ]


def test_only_a_require_has_needs_and_no_two_rules_one_name() -> None:
    """What the shape of the classes does not say."""
    policies = compile_text(SCHEMA)
    (rule,) = policies.rules
    needy = replace(rule, needs=(ir.Need(ir.TRUE, ir.Template(())),))
    assert verify(replace(policies, rules=(needy, needy))) == [
        "two rules are named `all`",
        "`all`: a `permit` has a need",
        "`all`: a `permit` has a need",
    ]


# The meaning


@st.composite
def situations(draw: st.DrawFn) -> tuple[Sample, Json, Json]:
    world = draw(worlds().filter(lambda world: any(True for _ in world.schema.environments())))
    sample = draw(policy_sets(world, least=1))
    return sample, draw(requests(world)), draw(partial_stores(world))


@few
@given(situations())
def test_each_pass_keeps_every_value_and_every_failure(
    situation: tuple[Sample, Json, Json],
) -> None:
    """Conditions, needs and the holes of messages are the same after each pass, with entities missing too."""
    sample, document, store = situation
    checked = check_text(sample.text)
    request = read_request(checked.schema, document)
    entities = read_entities(checked.schema, store)
    environment = (request.principal.type, request.action, request.resource.type)

    def values(rule: ir.Rule) -> list[object]:
        scope = rule.scope
        for type, known in zip(
            environment, (scope.principal.types, scope.actions, scope.resource.types), strict=True
        ):
            if type not in known:
                return []
        terms = [rule.condition, *(need.condition for need in rule.needs)]
        for message in (rule.because, rule.instead, *(need.message for need in rule.needs)):
            terms += (
                [part for part in message.parts if not isinstance(part, str)] if message else []
            )
        found = [evaluate(term, request, entities) for term in terms]
        return [item.reason if isinstance(item, Failed) else item for item in found]

    before: list[list[object]] | None = None
    for name, rules in stages(checked):
        now = [values(rule) for rule in rules]
        note(f"after {name}: {now}")
        assert before in (None, now), name
        before = now


# Folding


def folded(text: str) -> str:
    """The canonical text of a condition after folding."""
    checked = check_text(SCHEMA + f"permit folded {{ when {text} }}")
    rule = next(rule for rule in lower(checked)[0] if rule.id == "folded")
    return text_of(fold(rule.condition))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 == 7", "true"),
        ('not not resource.name like "a*"', 'like(resource.name, "a", "")'),
        ('true and resource.name == "a"', 'equal(resource.name, "a")'),
        ('false or resource.name == "a"', 'equal(resource.name, "a")'),
        ('false and resource.name == "a"', "false"),
        ('true or resource.name == "a"', "true"),
        # What stands before may fail, and a failure is part of the meaning.
        ('resource.name == "a" and false', 'and(equal(resource.name, "a"), false)'),
        ('resource.name == "a" or true', 'or(equal(resource.name, "a"), true)'),
        (
            'resource.name == "a" and false and resource.name == "b"',
            'and(equal(resource.name, "a"), false)',
        ),
        ('if 1 < 2 then resource.name == "a" else false', 'equal(resource.name, "a")'),
        (
            'resource.name == "a" and (true and resource.name == "b")',
            'and(equal(resource.name, "a"), equal(resource.name, "b"))',
        ),
        ("{ a: 1, b: 2 }.b == 2", "true"),
        ("{1, 1, 2}.size == 2", "true"),
        ("({1, 2} union {3}).size == 3", "true"),
        ('"prod-1" like "prod-*"', "true"),
        ('instant("2026-01-01T00:00:00Z") + 1d > instant("2026-01-01T00:00:00Z")', "true"),
        ('ip("10.0.0.1") in ip("10.0.0.0/8")', "true"),
        # An entity may be missing even where its name is written out.
        ('User::"a".name == "a"', 'equal(User::"a".name, "a")'),
        ('User::"a" in Team::"b"', 'in_hierarchy(User::"a", Team::"b")'),
        ('User::"a" in User::"a"', "true"),
        ("({1}.min(x => x) ?? 0) == 1", "equal(least({1}, x#1 => x#1), 1)"),
    ],
)
def test_folding(text: str, expected: str) -> None:
    """What reads nothing becomes its value, and nothing that can fail goes away."""
    assert folded(text).replace("set(1)", "{1}") == expected


def test_every_part_of_a_term_is_a_part() -> None:
    """A pass that walks `parts` sees every term below, so a new node cannot hide one."""
    checked = check_text(SCHEMA + 'permit walked { when { a: resource.name }.a in {"x", "y"} }')
    (rule,) = [item for item in checked.rules if item.rule.name == "walked"]
    (when,) = [clause for clause in rule.rule.clauses if isinstance(clause, syntax.When)]
    term = lower_expression(checked.tables, when.condition)
    reached = [term]
    for item in reached:
        reached += parts(item)
    assert sum(isinstance(item, ir.String) for item in reached) == 2
    assert any(isinstance(item, ir.Attribute) and item.name == "name" for item in reached)
    assert any(isinstance(node, syntax.RecordLiteral) for node in walk(when))
