"""Definitions and rules over a world, and the policy set that they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from interlock.compiler import compile_policies
from interlock.compiler.ir import PolicySet
from interlock.lang import syntax
from interlock.lang.checked import Checked
from interlock.lang.loader import load_texts
from interlock.lang.printer import print_declarations
from interlock.lang.schema import Environment, Schema
from interlock.lang.typesystem import (
    ACTION,
    BOOL,
    INT,
    Optional,
    Type,
    entity_type,
)

from .common import IDS
from .expressions import Writer
from .scopes import Scope
from .worlds import World, errors, some_of, type_expression


@dataclass(frozen=True)
class Sample:
    """A policy set that checks, with the schema it is written against."""

    world: World
    declarations: tuple[syntax.Declaration, ...]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text)

    @property
    def text(self) -> str:
        return print_declarations((*self.world.declarations, *self.declarations))

    @property
    def rules(self) -> tuple[syntax.Rule, ...]:
        return tuple(item for item in self.declarations if isinstance(item, syntax.Rule))

    def with_rules(self, *rules: syntax.Rule) -> "Sample":
        """The same definitions with other rules."""
        kept = (item for item in self.declarations if not isinstance(item, syntax.Rule))
        return Sample(self.world, (*kept, *rules))

    def compile(self) -> PolicySet:
        return compile_text(self.text)


def check_text(text: str) -> Checked:
    """A text that has no errors, as the checker leaves it."""
    checked, problems = load_texts({"sample.ilk": text})
    assert not errors(problems), "\n".join([text, *map(str, problems)])
    return checked


def compile_text(text: str) -> PolicySet:
    policies, problems = compile_policies(check_text(text))
    assert not errors(problems), "\n".join([text, *map(str, problems)])
    return policies


@st.composite
def policy_sets(draw: st.DrawFn, world: World, least: int = 0, most: int = 4) -> Sample:
    """Up to two definitions and some rules; `rule_0`, `rule_1` … name them."""
    defines: list[syntax.Define] = []
    for number in range(draw(st.integers(0, 2))):
        defines.append(draw(definitions(world.schema, f"define_{number}", tuple(defines))))
    count = draw(st.sampled_from(range(most, least - 1, -1)))
    items: list[syntax.Declaration] = [*defines]
    for number in range(count):
        items.append(draw(rules(world.schema, f"rule_{number}", tuple(defines))))
    return Sample(world, tuple(items))


@st.composite
def definitions(
    draw: st.DrawFn, schema: Schema, name: str, defines: tuple[syntax.Define, ...] = ()
) -> syntax.Define:
    """A function of values such as requests have; sometimes a table, sometimes of optional type."""
    environments = list(schema.environments())
    world = Scope(_request_variables(schema, environments)) if environments else Scope({})
    writer = Writer(draw, schema, defines, budget=15)
    parameters: dict[str, Type] = {}
    for number in range(draw(st.integers(0, 2))):
        type = writer.some_type(world)
        parameters[f"p{number}"] = Optional(type) if draw(st.booleans()) else type
    scope = Scope(parameters)
    result = (
        draw(st.sampled_from((BOOL, BOOL, INT))) if draw(st.booleans()) else writer.some_type(world)
    )
    wanted: Type = Optional(result) if draw(st.booleans()) else result
    body: syntax.Expression | syntax.Table
    if draw(st.booleans()):
        body = writer.expression(wanted, scope, 3, hinted=True).expression
    else:
        rows = []
        for _ in range(draw(st.integers(1, 2))):
            guard = writer.guard(scope, 2)
            value = writer.expression(wanted, scope.knowing(guard.holds), 2, hinted=True).expression
            rows.append(syntax.Row(value, guard.expression))
            scope = scope.knowing(guard.fails)
        body = syntax.Table(
            tuple(rows), writer.expression(wanted, scope, 2, hinted=True).expression
        )
    return syntax.Define(
        name,
        tuple(syntax.Parameter(item, type_expression(type)) for item, type in parameters.items()),
        type_expression(wanted),
        body,
    )


_CONDITIONS: tuple[tuple[type[syntax.When] | type[syntax.Unless], ...], ...] = (
    (),
    (syntax.When,),
    (syntax.Unless,),
    (syntax.When, syntax.When),
    (syntax.When, syntax.Unless),
)
"""The checker reads every `when` before any `unless`, whatever their order, and so does who writes them here."""


@st.composite
def rules(
    draw: st.DrawFn,
    schema: Schema,
    name: str,
    defines: tuple[syntax.Define, ...] = (),
    effect: syntax.Effect | None = None,
) -> syntax.Rule:
    """A rule whose scope some kind of request fits, unless the schema admits none."""
    effect = effect or draw(
        st.sampled_from((syntax.Effect.PERMIT, syntax.Effect.FORBID, syntax.Effect.REQUIRE))
    )
    clauses, environments = _scope_clauses(draw, schema)
    writer = Writer(draw, schema, defines)
    scope = Scope(_request_variables(schema, environments))
    kinds = draw(st.sampled_from(_CONDITIONS)) if environments else ()
    for kind in kinds:
        guard = writer.guard(scope, 4)
        clauses.append(kind(guard.expression))
        scope = scope.knowing(guard.holds if kind is syntax.When else guard.fails)
    if effect is syntax.Effect.REQUIRE:
        for _ in range(draw(st.integers(1, 2))):
            need = writer.expression(BOOL, scope, 3) if environments else writer.literal(BOOL)
            message = _template(writer, scope) if draw(st.booleans()) else None
            clauses.append(syntax.Need(need.expression, message))
    if draw(st.booleans()):
        clauses.append(syntax.Because(_template(writer, scope)))
    if draw(st.integers(0, 3)) == 0:
        clauses.append(syntax.Instead(_template(writer, scope)))
    return syntax.Rule(effect, name, tuple(clauses))


def _template(writer: Writer, scope: Scope) -> syntax.Template:
    """A message; its holes hold only what a hole can say, which is no text and no braces."""
    parts: list[str | syntax.Expression] = [writer.draw(st.sampled_from(("why ", "{", "𝄞 \\ ")))]
    reads = [item for item in writer.readables(scope) if not item.optional]
    if reads and writer.coin():
        parts.append(writer.read(reads).expression)
        parts.append("}")
    return syntax.Template(tuple(parts))


def _request_variables(schema: Schema, environments: Sequence[Environment]) -> dict[str, Type]:
    """The variables as a rule sees them that is about all of these kinds of request."""
    if not environments:
        return {}
    return {
        "principal": entity_type({item.principal for item in environments}),
        "action": ACTION,
        "resource": entity_type({item.resource for item in environments}),
        "context": schema.actions[environments[0].action].context,
    }


def _scope_clauses(
    draw: st.DrawFn, schema: Schema
) -> tuple[list[syntax.RuleClause], list[Environment]]:
    """Scope clauses around one kind of request, and every kind that they admit."""
    every = list(schema.environments())
    if not every:
        return [], []
    center = draw(st.sampled_from(every))
    context = schema.actions[center.action].context
    alike = {name for name, action in schema.actions.items() if action.context == context}
    principal, principals = _variable_clause(draw, schema, "principal", center.principal)
    resource, resources = _variable_clause(draw, schema, "resource", center.resource)
    names = {name: {name} for name in alike} | {
        name: set(inside) for name, inside in schema.groups.items() if inside and inside <= alike
    }
    around = sorted(name for name, inside in names.items() if center.action in inside)
    clauses: list[syntax.RuleClause] = [*principal, *resource]
    actions = set(schema.actions)
    if alike != actions or draw(st.booleans()):
        chosen = {draw(st.sampled_from(around)), *draw(some_of(sorted(names), 0, 1))}
        actions = set().union(*(names[name] for name in chosen))
        clauses.append(syntax.ActionScope(tuple(map(syntax.Reference, sorted(chosen)))))
    environments = [
        item
        for item in every
        if item.principal in principals and item.resource in resources and item.action in actions
    ]
    return clauses, environments


def _variable_clause(
    draw: st.DrawFn, schema: Schema, variable: str, type: str
) -> tuple[list[syntax.RuleClause], set[str]]:
    """A clause about `principal` or `resource` that admits a type, and every type that it admits."""
    concrete = {name for name, item in schema.entities.items() if not item.abstract}
    kind = draw(st.sampled_from(("any", "any", "types", "types in", "in", "entities")))
    identifier = draw(st.sampled_from(IDS))
    above = sorted(schema.ancestors[type])
    ancestor = draw(st.sampled_from(above))
    ancestors = (syntax.EntityReference(ancestor, identifier),)
    below = {name for name in concrete if ancestor in schema.ancestors[name]}
    if kind == "any":
        return [], concrete
    if kind == "in":
        return [syntax.Scope(variable, (), ancestors, ())], below
    if kind == "entities":
        entities = {type, *draw(some_of(sorted(concrete), 0, 1))}
        references = tuple(syntax.EntityReference(name, identifier) for name in sorted(entities))
        return [syntax.Scope(variable, (), (), references)], entities
    names = [name for name, item in sorted(schema.entities.items()) if type in item.concrete]
    chosen = draw(st.sampled_from(names))
    types = set(schema.entities[chosen].concrete)
    reference = (syntax.Reference(chosen),)
    if kind == "types in":
        return [syntax.Scope(variable, reference, ancestors, ())], types & below
    return [syntax.Scope(variable, reference, (), ())], types
