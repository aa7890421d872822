"""The typer: what it says of a term holds of every value that the reference evaluator finds for it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compile_text, policy_sets, requests, stores, worlds

from interlock.compiler import ir
from interlock.compiler.documents import Misfit
from interlock.compiler.reference import Failed, evaluate
from interlock.compiler.rewrite import parts
from interlock.compiler.typer import Disagreement, Typer, typer_for
from interlock.compiler.wire import read_entities, read_request
from interlock.lang.schema import Environment
from interlock.lang.typesystem import (
    ACTION,
    BOOL,
    INT,
    NEVER,
    STRING,
    EntityType,
    EnumType,
    Primitive,
    RecordOf,
    SetOf,
    Type,
    entity_type,
)
from interlock.lang.values import Decimal, Duration, EntityId, EnumValue, Instant, Record, Value


def fits(value: Value, type: Type) -> bool:
    """Whether a value is of a type."""
    match value, type:
        case bool(), _:
            return type == BOOL
        case EnumValue(), EnumType():
            return value.enum == type.name
        case EntityId(), EntityType():
            return value.type in type.types
        case EntityId(), _:
            return type == ACTION and value.type == "Action"
        case Record(), RecordOf():
            return all(
                fits(value[item.name], item.type) if item.name in value else item.optional
                for item in type.fields
            ) and {*value} <= {item.name for item in type.fields}
        case frozenset(), SetOf():
            return all(fits(item, type.element) for item in value)
        case int() | str() | Decimal() | Instant() | Duration(), Primitive():
            names = {int: "Int", str: "String"}
            return type.name == names.get(value.__class__, value.__class__.__name__)
        case _:
            return type == Primitive("IpRange")


def reached(
    term: ir.Term, typer: Typer, request: Any, entities: Any
) -> Iterator[tuple[ir.Term, Typer, Value]]:
    """Every term outside of quantifiers that the reference evaluator reads, with its typer and its value."""
    value = evaluate(term, request, entities)
    if isinstance(value, Failed):
        return
    yield term, typer, value
    match term:
        case ir.And(operands) | ir.Or(operands):
            for operand in operands:
                yield from reached(operand, typer, request, entities)
                if evaluate(operand, request, entities) is not isinstance(term, ir.And):
                    return
                typer = typer.assuming(operand, isinstance(term, ir.And))
        case ir.If(condition, then, otherwise):
            yield from reached(condition, typer, request, entities)
            truth = evaluate(condition, request, entities) is True
            chosen = then if truth else otherwise
            yield from reached(chosen, typer.assuming(condition, truth), request, entities)
        case _ if isinstance(term, ir.Quantifier):
            yield from reached(term.set, typer, request, entities)
        case _:
            for part in parts(term):
                yield from reached(part, typer, request, entities)


@given(st.data())
def test_every_value_is_of_the_type_that_was_said(data: st.DataObject) -> None:
    world = data.draw(worlds())
    policies = data.draw(policy_sets(world, least=1, most=4)).compile()
    documents, document = data.draw(stores(world)), data.draw(requests(world))
    try:
        entities = read_entities(policies.schema, documents)
        request = read_request(policies.schema, document)
    except Misfit:
        return
    kind = Environment(request.principal.type, request.action, request.resource.type)
    typer = typer_for(policies.schema, [kind])
    for rule in policies.rules:
        if (
            kind.action in rule.scope.actions
            and kind.principal in rule.scope.principal.types
            and kind.resource in rule.scope.resource.types
        ):
            for term, here, value in reached(rule.condition, typer, request, entities):
                type = here.type_of(term)
                assert fits(value, type), f"{term} is {value!r}, and not a {type}"


SCHEMA = """
entity Team in Team
entity User in Team { age: Int, boss: User? }
entity Bot { age: String, owner: User }
action go { principal User | Bot  resource User  context { names: Set<String> } }
permit all {}
"""
WHO = ir.Variable("principal")
IS_USER = ir.IsType(WHO, frozenset({"User"}))


def typer_of(*principals: str) -> Typer:
    return typer_for(
        compile_text(SCHEMA).schema, [Environment(name, "go", "User") for name in principals]
    )


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (WHO, entity_type({"User", "Bot"})),
        (ir.If(IS_USER, WHO, ir.Variable("resource")), entity_type({"User"})),
        (ir.If(ir.Not(IS_USER), ir.Attribute(WHO, "owner"), WHO), entity_type({"User"})),
        (ir.Where("n", ir.Attribute(ir.Variable("context"), "names"), ir.TRUE), SetOf(STRING)),
        (ir.Distinct("n", ir.SetOf((ir.Integer(1),)), ir.Add(ir.Variable("n"), ir.Integer(1))), SetOf(INT)),
        (ir.SetOf(()), SetOf(NEVER)),
        (ir.Attribute(ir.Variable("resource"), "boss"), entity_type({"User"})),
    ],
)  # fmt: skip
def test_a_term_has_the_type(term: ir.Term, expected: Type) -> None:
    assert typer_of("User", "Bot").type_of(term) == expected


def test_types_that_differ_between_kinds_of_request_disagree() -> None:
    age = ir.Attribute(WHO, "age")
    assert typer_of("User").type_of(age) == INT
    assert typer_of("Bot").type_of(age) == STRING
    with pytest.raises(Disagreement):
        typer_of("User", "Bot").type_of(age)
    assert typer_of("User", "Bot").assuming(IS_USER, True).type_of(age) == INT
    assert typer_of("User", "Bot").assuming(IS_USER, False).type_of(age) == STRING


def test_a_name_bound_again_is_another_value() -> None:
    typer = typer_of("User").binding("one", entity_type({"User", "Bot"}))
    narrowed = typer.assuming(ir.IsType(ir.Variable("one"), frozenset({"Bot"})), True)
    assert narrowed.type_of(ir.Variable("one")) == entity_type({"Bot"})
    again = narrowed.binding("one", entity_type({"User"}))
    assert again.type_of(ir.Variable("one")) == entity_type({"User"})
