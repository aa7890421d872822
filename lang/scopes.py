"""The scope of a rule or a claim: the requests that it speaks about before its conditions are read."""

from collections.abc import Iterable

from . import syntax
from .checked import RequestScope, VariableScope
from .diagnostics import Code, Diagnostic
from .lookups import reference_id
from .names import find_actions, find_entity, is_excused, silent, unknown_action
from .readings import Readings
from .schema import ActionDeclaration, Environment
from .source import Span
from .spelling import with_article
from .values import EntityId


class Scopes(Readings):
    """Scope clauses to kinds of request."""

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
