"""Every declaration of a policy set checked: what passes here cannot go wrong when it is evaluated.

A rule is checked in every kind of request its scope admits: all at once where that succeeds, else one by one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from . import syntax
from .cycles import components, is_cycle
from .diagnostics import Code, Diagnostic, Note, Severity, did_you_mean
from .expression_errors import name_is_taken
from .expressions import Expressions, element_of
from .facts import NOTHING, Facts, path_of
from .functions import Form, function_named
from .lookups import Watch, reference_id
from .meanings import Constant, Defined, ReadAttribute, Tables
from .names import (
    Names,
    Report,
    Scope,
    find_actions,
    find_entity,
    is_excused,
    resolve_type,
    silent,
    unknown_action,
)
from .schema import ActionDeclaration, Environment, Schema
from .source import Span
from .spelling import with_article
from .typesystem import (
    ACTION,
    BOOL,
    UNKNOWN,
    EntityType,
    RecordOf,
    Type,
    entity_type,
    parts,
    present,
)
from .values import EntityId


@dataclass(frozen=True, slots=True)
class VariableScope:
    """What a scope clause asks of `principal` or `resource`."""

    types: frozenset[str]
    ancestors: tuple[EntityId, ...]
    entities: tuple[EntityId, ...]


@dataclass(frozen=True, slots=True)
class RequestScope:
    """The requests a rule or claim speaks about before its conditions are read."""

    principal: VariableScope
    actions: frozenset[str]
    resource: VariableScope


@dataclass(frozen=True, slots=True)
class CheckedRule:
    rule: syntax.Rule
    scope: RequestScope
    environments: tuple[Environment, ...]


@dataclass(frozen=True, slots=True)
class CheckedProve:
    prove: syntax.Prove
    scope: RequestScope
    environments: tuple[Environment, ...]


@dataclass(slots=True)
class Checked:
    """A policy set that was read and checked; `tables` belong to exactly these declarations."""

    names: Names
    tables: Tables
    rules: list[CheckedRule] = field(default_factory=list)
    proves: list[CheckedProve] = field(default_factory=list)
    tests: list[syntax.Test] = field(default_factory=list)
    sound: bool = False
    """Whether nothing at all is wrong, in any file; only then are the rules compiled."""
    watch: Watch | None = None
    """Who is told of every expression that is read, as an editor asks about one place."""

    @property
    def schema(self) -> Schema:
        return self.names.schema


DETERMINED_BY = {
    syntax.Outcome.PERMIT: (syntax.Effect.PERMIT,),
    syntax.Outcome.HOLD: (syntax.Effect.REQUIRE,),
    syntax.Outcome.DENY: (syntax.Effect.FORBID, syntax.Effect.REQUIRE),
}
"""The effects of the rules that an outcome can be by."""


def check(names: Names) -> tuple[Checked, list[Diagnostic]]:
    """Checks every declaration of a policy set against its schema."""
    problems: list[Diagnostic] = []
    checked = Checked(names, Tables())
    for module in names.modules.values():
        for item in module.declarations:
            found = check_declaration(checked, names.scopes[module.name], item)
            problems += found
    problems += _recursive_defines(checked)
    return checked, problems


def check_declaration(checked: Checked, scope: Scope, item: syntax.Declaration) -> list[Diagnostic]:
    """Checks one declaration and adds what passes to `checked`."""
    checker = _Declarations(checked, scope, item)
    match item:
        case syntax.Rule():
            checker.rule(item)
        case syntax.Prove():
            checker.prove(item)
        case syntax.Test():
            checker.test(item)
        case syntax.Define():
            checker.define(item)
        case syntax.Action():
            checker.action_effects(item)
        case _:
            pass
    return checker.problems


# Declarations

_Body = Callable[[Expressions], None]
"""What is checked in each environment."""


@dataclass(slots=True)
class _Reading:
    """What a body is in some kinds of request, of which `environment` is the first."""

    environment: Environment | None
    variables: dict[str, Type]
    tables: Tables = field(default_factory=Tables)
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def errors(self) -> list[Diagnostic]:
        return [problem for problem in self.problems if problem.severity is Severity.ERROR]


class _Declarations:
    """Checks rules, claims, tests and definitions of one module."""

    def __init__(self, checked: Checked, scope: Scope, item: syntax.Declaration) -> None:
        self.checked = checked
        self.names = checked.names
        self.scope = scope
        self.item = item
        self.problems: list[Diagnostic] = []
        self.is_excused = False
        """Whether a scope names something that could not be read, so that it may fit more than is known."""

    def report(self, problem: Diagnostic) -> None:
        self.problems.append(problem)

    def expressions(
        self, variables: dict[str, Type], tables: Tables | None = None, report: Report | None = None
    ) -> Expressions:
        return Expressions(
            self.names,
            self.scope,
            tables or self.checked.tables,
            report or self.report,
            dict(variables),
            watch=self.checked.watch,
        )

    # Definitions

    def define(self, item: syntax.Define) -> None:
        variables: dict[str, Type] = {}
        for parameter in item.parameters:
            if parameter.name in variables:
                message = f"a second parameter `{parameter.name}`"
                self.report(Diagnostic(Code.DUPLICATE_NAME, message, parameter.name_span))
            if parameter.name in syntax.RESERVED:
                self.report(name_is_taken(parameter.name, parameter.name_span))
            variables[parameter.name] = resolve_type(
                self.names, self.scope, parameter.type, self.report
            )
        if function_named(item.name, Form.FUNCTION):
            message = f"`{item.name}` is a function of the language"
            self.report(Diagnostic(Code.DUPLICATE_NAME, message, item.name_span))
        result = resolve_type(self.names, self.scope, item.result, self.report)

        def body(expressions: Expressions) -> None:
            if not isinstance(item.body, syntax.Table):
                expressions.check(item.body, NOTHING, result)
                return
            facts = NOTHING
            for row in item.body.rows:
                holds = expressions.condition(row.condition, facts)
                expressions.check(row.value, holds, result)
                facts |= expressions.facts(row.condition, False)
            expressions.check(item.body.otherwise, facts, result)

        self._agree([self._read(body, variables)], body)

    def action_effects(self, item: syntax.Action) -> None:
        changed: set[tuple[str, ...]] = set()
        for assignment in item.effects:
            path = path_of(assignment.target)
            span = assignment.target.span
            if path is None or len(path) < 2 or path[0] not in ("principal", "resource"):
                message = "an effect changes an attribute of the principal or the resource"
                help_line = "for example `resource.protected = false`"
                self.report(Diagnostic(Code.TYPE_MISMATCH, message, span, help_line))
            elif path in changed:
                message = f"a second effect on `{'.'.join(path)}`"
                self.report(Diagnostic(Code.REPEATED_CLAUSE, message, span, "keep one of them"))
            changed.add(path or ())
            for reference in item.names:
                declaration = self.names.schema.actions.get(reference.name)
                if declaration is not None:
                    expressions = self.expressions(_variables(declaration))
                    target = expressions.infer(assignment.target, NOTHING)
                    expressions.check(assignment.value, NOTHING, present(target))
                    break

    # Scopes

    def request_scope(self, clauses: Iterable[syntax.Node]) -> RequestScope:
        schema = self.names.schema
        everything = VariableScope(schema.concrete, (), ())
        variables = {"principal": everything, "resource": everything}
        actions = frozenset(schema.actions)
        for clause in clauses:
            if isinstance(clause, syntax.Scope):
                variables[clause.variable] = self._variable_scope(clause, everything.types)
            elif isinstance(clause, syntax.ActionScope):
                actions = self._actions(clause)
        return RequestScope(variables["principal"], actions, variables["resource"])

    def _actions(self, clause: syntax.ActionScope) -> frozenset[str]:
        actions: set[str] = set()
        for reference in clause.names:
            found = find_actions(self.names, reference.name)
            if found is None:
                self.is_excused = True
                if not is_excused(self.scope, reference.name):
                    self.report(unknown_action(self.names, reference))
            else:
                actions |= found
        return frozenset(actions)

    def _variable_scope(self, clause: syntax.Scope, everything: frozenset[str]) -> VariableScope:
        ancestors = self._ids(clause.ancestors)
        entities = self._ids(clause.entities)
        if entities:
            return VariableScope(frozenset(entity.type for entity in entities), (), entities)
        types: frozenset[str] = frozenset()
        for reference in clause.types:
            found = find_entity(self.names, self.scope, reference, self.report)
            if found is None:
                self.is_excused = True
            else:
                types |= found.types
                self._check_ancestors(reference.name, found.types, ancestors, reference.span)
        if not clause.types:
            types = everything
        if ancestors:
            above = frozenset(entity.type for entity in ancestors)
            types = frozenset(
                name for name in types if self.names.schema.can_be_in(frozenset({name}), above)
            )
        return VariableScope(types, ancestors, ())

    def _check_ancestors(
        self, name: str, types: frozenset[str], ancestors: tuple[EntityId, ...], span: Span
    ) -> None:
        for ancestor in ancestors:
            if not self.names.schema.can_be_in(types, frozenset({ancestor.type})):
                message = f"{with_article(name)} is never in {with_article(ancestor.type)}"
                help_line = f"declare it with `entity {name} in {ancestor.type}`"
                self.report(Diagnostic(Code.IMPOSSIBLE_PARENT, message, span, help_line))

    def _ids(self, references: Iterable[syntax.EntityReference]) -> tuple[EntityId, ...]:
        found = [reference_id(self.names, self.scope, item, self.report) for item in references]
        self.is_excused = self.is_excused or None in found
        return tuple(item for item in found if item is not None)

    def environments(self, scope: RequestScope) -> list[Environment]:
        schema = self.names.schema
        return [
            Environment(principal, name, resource)
            for name in sorted(scope.actions)
            for principal in sorted(schema.actions[name].principals & scope.principal.types)
            for resource in sorted(schema.actions[name].resources & scope.resource.types)
        ]

    def _warn_about_scope(
        self, item: syntax.Rule | syntax.Prove, environments: list[Environment]
    ) -> None:
        if not environments:
            if self.is_excused or self._are_excused(self.request_actions(item)):
                return
            message = f"`{item.name}` can never apply: no action fits its scope"
            help_line = "look at the `principal` and `resource` that the actions are declared with"
            self.report(Diagnostic(Code.NEVER_APPLIES, message, item.name_span, help_line))
            return
        repeated = {clause.variable for clause in item.clauses if isinstance(clause, syntax.Scope)}
        if len(repeated) < sum(isinstance(clause, syntax.Scope) for clause in item.clauses):
            return
        if sum(isinstance(clause, syntax.ActionScope) for clause in item.clauses) > 1:
            return
        used = {
            "principal": {environment.principal for environment in environments},
            "resource": {environment.resource for environment in environments},
        }
        actions = {environment.action for environment in environments}
        for clause in item.clauses:
            if isinstance(clause, syntax.Scope):
                for reference in clause.types:
                    type = find_entity(self.names, self.scope, reference, silent)
                    if type is not None and not type.types & used[clause.variable]:
                        self._warn_part(item.name, clause.variable, reference)
            elif isinstance(clause, syntax.ActionScope):
                for reference in clause.names:
                    found = find_actions(self.names, reference.name)
                    if found is not None and not found & actions:
                        self._warn_part(item.name, "action", reference)

    def request_actions(self, item: syntax.Rule | syntax.Prove) -> list[ActionDeclaration]:
        actions = self.names.schema.actions
        named = [
            find_actions(self.names, reference.name) or frozenset()
            for clause in item.clauses
            if isinstance(clause, syntax.ActionScope)
            for reference in clause.names
        ]
        return [actions[name] for name in (frozenset().union(*named) if named else actions)]

    def _are_excused(self, actions: list[ActionDeclaration]) -> bool:
        """Whether an action is for a type that could not be read."""
        return any(not action.principals or not action.resources for action in actions)

    def _warn_part(self, name: str, variable: str, reference: syntax.Reference) -> None:
        message = f"`{name}` can never apply with {variable} `{reference.name}`"
        self.report(
            Diagnostic(Code.IMPOSSIBLE_SCOPE, message, reference.span, "remove it from the scope")
        )

    # Rules and claims

    def rule(self, item: syntax.Rule) -> None:
        before = len(self.problems)
        scope = self.request_scope(item.clauses)
        if len(self.problems) > before:
            return
        environments = self.environments(scope)
        self._warn_about_scope(item, environments)

        def conditions(expressions: Expressions) -> None:
            facts = self._conditions(expressions, item.clauses)
            for clause in item.clauses:
                match clause:
                    case syntax.Need(condition, message):
                        expressions.check(condition, facts, BOOL)
                        if message is not None:
                            expressions.template(message, facts)
                    case syntax.Because(message) | syntax.Instead(message):
                        expressions.template(message, facts)
                    case _:
                        pass

        self._in_environments(environments, conditions)
        self.checked.rules.append(CheckedRule(item, scope, tuple(environments)))

    def prove(self, item: syntax.Prove) -> None:
        before = len(self.problems)
        scope = self.request_scope(item.clauses)
        if len(self.problems) > before:
            return
        environments = self.environments(scope)
        self._warn_about_scope(item, environments)

        def conditions(expressions: Expressions) -> None:
            facts = self._conditions(expressions, item.clauses)
            for clause in item.clauses:
                match clause:
                    case syntax.PermittedOnlyIf(condition) | syntax.HeldUnless(condition):
                        expressions.check(condition, facts, BOOL)
                    case _:
                        pass

        self._in_environments(environments, conditions)
        for clause in item.clauses:
            match clause:
                case syntax.DeniedBy(reference):
                    self._find_rules((reference,), (syntax.Effect.FORBID,))
                    rule = self.names.rules.get(reference.name)
                    if rule is not None and rule.effect is not syntax.Effect.FORBID:
                        message = (
                            f"`{reference.name}` is a `{rule.effect}`, and only a `forbid` denies"
                        )
                        self.report(Diagnostic(Code.UNKNOWN_RULE, message, reference.span))
                case syntax.AlwaysExists(binder, condition):
                    type = resolve_type(self.names, self.scope, binder.type, self.report)
                    if not isinstance(type, EntityType) and type != UNKNOWN:
                        message = f"`{binder.type.span.text}` is not an entity type"
                        help_line = "what always exists is an entity"
                        span = binder.type.span
                        self.report(Diagnostic(Code.TYPE_MISMATCH, message, span, help_line))
                    if binder.name in syntax.RESERVED:
                        self.report(name_is_taken(binder.name, binder.name_span))
                    expressions = self.expressions({binder.name: type})
                    expressions.check(condition, NOTHING, BOOL)
                case _:
                    pass
        self.checked.proves.append(CheckedProve(item, scope, tuple(environments)))

    def _conditions(self, expressions: Expressions, clauses: Iterable[syntax.Node]) -> Facts:
        """Checks every `when`, then every `unless`, each knowing what the ones before it tell."""
        facts = NOTHING
        ordered = sorted(
            (clause for clause in clauses if isinstance(clause, syntax.When | syntax.Unless)),
            key=lambda clause: isinstance(clause, syntax.Unless),
        )
        for clause in ordered:
            expressions.check(clause.condition, facts, BOOL)
            facts |= expressions.facts(clause.condition, isinstance(clause, syntax.When))
        return facts

    def _find_rules(
        self, references: Iterable[syntax.Reference], effects: Sequence[syntax.Effect]
    ) -> None:
        """Reports the rules that do not exist; those with one of the effects could be meant."""
        for reference in references:
            if reference.name not in self.names.rules and reference.name not in self.scope.broken:
                message = f"there is no rule `{reference.name}`"
                known = (name for name, rule in self.names.rules.items() if rule.effect in effects)
                help_line = did_you_mean(reference.name, known)
                self.report(Diagnostic(Code.UNKNOWN_RULE, message, reference.span, help_line))

    def _in_environments(self, environments: list[Environment], body: _Body) -> None:
        """Checks a body for every environment: all at once where that succeeds, else one by one."""
        readings: list[_Reading] = []
        failed = False
        for group in self._alike(environments):
            reading = self._read(body, self._together(group), group[0])
            found = [reading]
            if reading.errors and len(group) > 1:
                found = self._one_by_one(group, body, reading.errors)
            readings += found
            errors = found[-1].errors
            failed = failed or bool(errors)
            self.problems += _unreported(errors, self.problems)
        if failed:
            for reading in readings:
                self._keep(reading.tables)
        else:
            self._agree(readings, body)

    def _read(
        self, body: _Body, variables: dict[str, Type], environment: Environment | None = None
    ) -> _Reading:
        reading = _Reading(environment, variables)
        expressions = self.expressions(variables, reading.tables, reading.problems.append)
        expressions.skips = True
        body(expressions)
        return reading

    def _agree(self, readings: list[_Reading], body: _Body) -> None:
        """Keeps what a body is in every kind of request, where each node must mean the same."""
        for first in readings:
            self.problems += _unreported(
                [
                    problem
                    for problem in first.problems
                    if problem.severity is Severity.ERROR
                    or all(_warns(reading, problem) for reading in readings)
                ],
                self.problems,
            )
        conflict = self._conflict(readings)
        if conflict is not None:
            self.report(conflict)
        for reading in readings:
            self._keep(reading.tables)
        self._read_the_rest(readings, body)

    def _conflict(self, readings: list[_Reading]) -> Diagnostic | None:
        """The first node that means one thing for some kinds of request and another for others."""
        before: dict[int, _Reading] = {}
        for reading in readings:
            for key in reading.tables.types:
                first = before.setdefault(key, reading)
                one, other = first.tables.meanings.get(key), reading.tables.meanings.get(key)
                if one == other or (
                    isinstance(one, ReadAttribute) and isinstance(other, ReadAttribute)
                ):
                    continue
                node = next(node for node in walk(self.item) if id(node) == key)
                text = " ".join(node.span.text.split())
                message = (
                    f"`{text}` means one thing in `{first.environment}`"
                    f" and another in `{reading.environment}`"
                )
                help_line = "write a rule for each kind of request"
                return Diagnostic(Code.AMBIGUOUS_NAME, message, node.span, help_line)
        return None

    def _read_the_rest(self, readings: list[_Reading], body: _Body) -> None:
        """Checks what no kind of request reaches as if the guards before it said nothing."""
        known = self.checked.tables
        rest = [
            node
            for reading in readings
            for key, node in reading.tables.unread.items()
            if key not in known.types
        ]
        if not rest:
            return
        again = _Reading(None, readings[0].variables)
        body(self.expressions(again.variables, again.tables, again.problems.append))
        inside = [
            problem
            for problem in again.errors
            if any(_is_inside(problem.span, node.span) for node in rest)
        ]
        self.problems += _unreported(inside, self.problems)
        for key, type in again.tables.types.items():
            if key not in known.types:
                known.types[key] = type
                if key in again.tables.meanings:
                    known.meanings[key] = again.tables.meanings[key]

    def _alike(self, environments: list[Environment]) -> Iterator[list[Environment]]:
        """Environments whose context is of one type."""
        groups: dict[RecordOf, list[Environment]] = {}
        for environment in environments:
            context = self.names.schema.actions[environment.action].context
            groups.setdefault(context, []).append(environment)
        yield from groups.values()

    def _together(self, group: list[Environment]) -> dict[str, Type]:
        return {
            "principal": self._called({environment.principal for environment in group}),
            "action": ACTION,
            "resource": self._called({environment.resource for environment in group}),
            "context": self.names.schema.actions[group[0].action].context,
        }

    def _called(self, types: set[str]) -> EntityType:
        """The types together, by the name of the abstract entity that stands for just these."""
        name = self.names.schema.called.get(frozenset(types))
        return EntityType(frozenset(types), name) if name else entity_type(types)

    def _one_by_one(
        self, group: list[Environment], body: _Body, together: list[Diagnostic]
    ) -> list[_Reading]:
        """Readings up to the first with an error, which is told in the words for all where they are the same."""
        words = {_place_of(problem): problem for problem in together}
        readings = []
        for environment in group:
            reading = self._read(body, self._together([environment]), environment)
            readings.append(reading)
            if reading.errors:
                last = self._read(body, self._together(group[-1:]), group[-1])
                everywhere = set(map(_place_of, last.errors)) if environment is group[0] else set()
                span = self.names.schema.actions[environment.action].span
                note = Note(f"in a request `{environment}`, whose action is declared here", span)
                reading.problems = [
                    replace(
                        words.get(_place_of(problem), problem),
                        notes=problem.notes if _place_of(problem) in everywhere else (note,),
                    )
                    for problem in reading.errors
                ]
                break
        return readings

    def _keep(self, tables: Tables) -> None:
        """Adds the facts of one environment; an attribute is optional if it is so in any."""
        known = self.checked.tables
        known.types.update(tables.types)
        for key, meaning in tables.meanings.items():
            before = known.meanings.get(key, meaning)
            if isinstance(meaning, ReadAttribute) and isinstance(before, ReadAttribute):
                meaning = ReadAttribute(meaning.optional or before.optional)
            known.meanings[key] = meaning

    # Tests

    def test(self, item: syntax.Test) -> None:
        before = len(self.problems)
        expressions = self.expressions({})
        expressions.closed = True
        types: dict[str, str] = {}
        action: ActionDeclaration | None = None
        for clause in item.clauses:
            match clause:
                case syntax.Given():
                    entity = self._given(expressions, clause)
                    if entity is not None and clause.role != "given":
                        types[clause.role] = entity.type
                case syntax.TestAction(reference):
                    action = self._test_action(reference)
                case syntax.Expect(outcome, rules):
                    self._find_rules(rules, DETERMINED_BY[outcome])
                case _:
                    pass
        if action is not None:
            self._fits(item, action, types)
            for clause in item.clauses:
                if isinstance(clause, syntax.TestContext):
                    self._partial(expressions, clause.value, action.context)
        if len(self.problems) == before:
            self.checked.tests.append(item)

    def _test_action(self, reference: syntax.Reference) -> ActionDeclaration | None:
        found = find_actions(self.names, reference.name)
        if found is None:
            if not is_excused(self.scope, reference.name):
                self.report(unknown_action(self.names, reference, groups=False))
            return None
        if len(found) != 1 or reference.name in self.names.schema.groups:
            message = f"`{reference.name}` is a group, and a request asks for one action"
            help_line = "for example " + ", ".join(f"`{name}`" for name in sorted(found)[:3])
            self.report(Diagnostic(Code.UNKNOWN_ACTION, message, reference.span, help_line))
            return None
        return self.names.schema.actions[next(iter(found))]

    def _fits(self, item: syntax.Test, action: ActionDeclaration, types: dict[str, str]) -> None:
        for role, admitted in (("principal", action.principals), ("resource", action.resources)):
            type = types.get(role)
            if type is not None and type not in admitted:
                span = next(
                    clause.span
                    for clause in item.clauses
                    if isinstance(clause, syntax.Given) and clause.role == role
                )
                message = f"the {role} of `{action.name}` is never {with_article(type)}"
                help_line = "it is " + " or ".join(f"`{name}`" for name in sorted(admitted))
                self.report(Diagnostic(Code.TYPE_MISMATCH, message, span, help_line))

    def _given(self, expressions: Expressions, clause: syntax.Given) -> EntityId | None:
        entity = reference_id(self.names, self.scope, clause.entity, self.report)
        if entity is None:
            return None
        for reference in clause.parents:
            parent = reference_id(self.names, self.scope, reference, self.report)
            declaration = self.names.schema.entities[entity.type]
            if parent is not None and parent.type not in declaration.parents:
                message = (
                    f"{with_article(entity.type)} is never directly in {with_article(parent.type)}"
                )
                help_line = f"declare it with `entity {entity.type} in {parent.type}`"
                self.report(Diagnostic(Code.IMPOSSIBLE_PARENT, message, reference.span, help_line))
            if parent is not None:
                self.checked.tables.meanings[id(reference)] = Constant(parent)
        self.checked.tables.meanings[id(clause.entity)] = Constant(entity)
        if clause.attributes is not None:
            attributes = self.names.schema.entities[entity.type].attributes
            self._partial(expressions, clause.attributes, RecordOf(tuple(attributes.values())))
        return entity

    def _partial(
        self, expressions: Expressions, node: syntax.RecordLiteral, wanted: RecordOf
    ) -> None:
        """Checks what a test gives; what it leaves out, at any depth, is not known to the test."""
        expressions.tables.types[id(node)] = wanted
        for item in node.fields:
            found = wanted.field(item.name)
            if (
                isinstance(item.value, syntax.RecordLiteral)
                and found
                and isinstance(found.type, RecordOf)
            ):
                self._partial(expressions, item.value, found.type)
            elif (
                isinstance(item.value, syntax.SetLiteral)
                and found
                and isinstance(element_of(found.type), RecordOf)
            ):
                element = element_of(found.type)
                assert isinstance(element, RecordOf)
                expressions.tables.types[id(item.value)] = found.type
                for record in item.value.elements:
                    if isinstance(record, syntax.RecordLiteral):
                        self._partial(expressions, record, element)
                    else:
                        expressions.check(record, NOTHING, element)
            else:
                whole = syntax.RecordLiteral((item,), span=item.span)
                expressions.fields(whole, wanted, NOTHING)
        names = [item.name for item in node.fields]
        for item in node.fields:
            if names.count(item.name) > 1:
                message = f"a second field `{item.name}`"
                self.report(Diagnostic(Code.DUPLICATE_NAME, message, item.name_span))
                break


def _variables(action: ActionDeclaration) -> dict[str, Type]:
    return {
        "principal": entity_type(action.principals),
        "action": ACTION,
        "resource": entity_type(action.resources),
        "context": action.context,
    }


def _place_of(problem: Diagnostic) -> tuple[Code, int, int]:
    return problem.code, problem.span.start, problem.span.end


def _unreported(found: list[Diagnostic], known: list[Diagnostic]) -> list[Diagnostic]:
    seen = set(map(_place_of, known))
    return [problem for problem in found if _place_of(problem) not in seen]


def _is_inside(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _warns(reading: _Reading, warning: Diagnostic) -> bool:
    """Whether a reading has the warning, or does not come to its place; the types in its words may differ."""
    return any(
        _place_of(problem) == _place_of(warning) and problem.help == warning.help
        for problem in reading.problems
    ) or any(_is_inside(warning.span, node.span) for node in reading.tables.unread.values())


def _recursive_defines(checked: Checked) -> list[Diagnostic]:
    defines = {
        id(item): item
        for module in checked.names.modules.values()
        for item in module.of(syntax.Define)
    }
    calls = {
        key: [
            id(meaning.declaration)
            for node in walk(item.body)
            if isinstance(meaning := checked.tables.meanings.get(id(node)), Defined)
        ]
        for key, item in defines.items()
    }
    return recursive_defines(defines, calls)


def recursive_defines(
    defines: Mapping[int, syntax.Define], calls: Mapping[int, Sequence[int]]
) -> list[Diagnostic]:
    """A definition that comes back to itself is never finished; each cycle is reported once."""
    places = {key: place for place, key in enumerate(defines)}
    problems = []
    for component in components(calls):
        if is_cycle(component, calls):
            item = defines[min(component, key=places.__getitem__)]
            message = f"`{item.name}` is defined by itself"
            help_line = "definitions are written out where they are used, so none can call itself"
            problems.append(Diagnostic(Code.CYCLIC_DEFINITION, message, item.name_span, help_line))
    return problems


def has_unknown(checked: Checked) -> bool:
    """Whether something has no type, as only what has a diagnostic may."""
    schema = checked.schema
    found: list[Type] = [*checked.names.types.values(), *checked.tables.types.values()]
    found += [
        attribute.type
        for entity in schema.entities.values()
        for attribute in entity.attributes.values()
    ]
    found += [action.context for action in schema.actions.values()]
    seen: set[int] = set()
    while found:
        type = found.pop()
        if type == UNKNOWN:
            return True
        if id(type) not in seen:
            seen.add(id(type))
            found += parts(type)
    return False


def walk(node: object) -> Iterator[syntax.Node]:
    """A node and everything below it."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, syntax.Node):
            yield current
            stack += [getattr(current, name) for name in current.__dataclass_fields__]
        elif isinstance(current, tuple):
            stack += current
