"""A `test` declaration: what it gives fits the schema, as far as it goes, and what it expects exists."""

from . import syntax
from .diagnostics import Code, Diagnostic
from .expressions import Expressions, element_of
from .facts import NOTHING
from .lookups import reference_id
from .meanings import Constant
from .names import find_actions, is_excused, unknown_action
from .readings import Readings
from .schema import ActionDeclaration
from .spelling import with_article
from .typesystem import RecordOf
from .values import EntityId

DETERMINED_BY = {
    syntax.Outcome.PERMIT: (syntax.Effect.PERMIT,),
    syntax.Outcome.HOLD: (syntax.Effect.REQUIRE,),
    syntax.Outcome.DENY: (syntax.Effect.FORBID, syntax.Effect.REQUIRE),
}
"""The effects of the rules that an outcome can be by."""


class Tests(Readings):
    """One request with the entities that it needs, and its outcome."""

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
