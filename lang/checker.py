"""Every declaration of a policy set checked: what passes here cannot go wrong when it is evaluated.

A rule is checked in every kind of request its scope admits (`readings.py`).
"""

from collections.abc import Iterable, Mapping, Sequence

from . import syntax
from .checked import Checked, CheckedProve, CheckedRule
from .cycles import components, is_cycle
from .declared_tests import Tests
from .diagnostics import Code, Diagnostic
from .expression_errors import name_is_taken
from .expressions import Expressions
from .facts import NOTHING, Facts, path_of
from .functions import Form, function_named
from .meanings import Defined, Tables
from .names import Names, Scope, resolve_type
from .schema import ActionDeclaration
from .scopes import Scopes
from .typesystem import ACTION, BOOL, UNKNOWN, EntityType, Type, entity_type, present


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


class _Declarations(Scopes, Tests):
    """Checks rules, claims, tests and definitions of one module."""

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


def _variables(action: ActionDeclaration) -> dict[str, Type]:
    return {
        "principal": entity_type(action.principals),
        "action": ACTION,
        "resource": entity_type(action.resources),
        "context": action.context,
    }


def _recursive_defines(checked: Checked) -> list[Diagnostic]:
    defines = {
        id(item): item
        for module in checked.names.modules.values()
        for item in module.of(syntax.Define)
    }
    calls = {
        key: [
            id(meaning.declaration)
            for node in syntax.walk(item.body)
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
