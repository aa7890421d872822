"""Two policy sets compared: every way in which a decision can change, with one small request for each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from ..compiler import ir
from ..compiler.backends.smt.circuit import FALSE, TRUE, Circuit, CircuitTooLargeError
from ..compiler.backends.smt.encoder import Encoder, Outcomes, RuleFormulas, encode
from ..compiler.decision import Decision, Request
from ..compiler.entities import Entities
from ..compiler.reference import decide
from ..compiler.rewrite import rebuild, rebuild_rule
from ..lang.schema import ActionDeclaration, EntityDeclaration, Environment, Schema
from ..lang.source import Span
from ..lang.syntax import Effect, Outcome
from ..lang.typesystem import EnumType, RecordField, RecordOf, SetOf, Type, join
from .facts import Facts, common, told
from .goals import groups_of
from .problem import pose
from .prove import Counterexample
from .replay import Replay, minimal, replay
from .solver import Answer, Engine, Model, Session, Undecided, Unsatisfiable
from .too_large import told as told_too_large
from .too_large import too_large
from .witness import NoWitnessError, Vocabulary, situation

MAX_REGIONS = 50
MAX_ENVIRONMENTS = 1_000
MAX_EXACT = 20
"""The most kinds of request for which it is asked whether the facts of a region say all."""
_ORDER = (Outcome.DENY, Outcome.HOLD, Outcome.PERMIT)


class Edit(StrEnum):
    """What was done to a rule."""

    ADDED = "added"
    DELETED = "deleted"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Cause:
    """A rule that says something else than before, where it stands in the new policies or, if deleted, in the old."""

    rule: str
    edit: Edit
    span: Span


@dataclass(frozen=True, slots=True)
class Region:
    """Requests whose decision changes from one outcome to another through the same rules.

    `causes` are the rules that say something else than before of each of them; with fewer, no decision of the example
    would change. `environments` are the kinds of request in which it happens, of `possible` that both sets know.
    """

    before: Outcome
    after: Outcome
    causes: tuple[Cause, ...]
    facts: Facts
    example: Counterexample
    decision_before: Decision
    environments: tuple[Environment, ...]
    is_counted: bool
    """Whether every kind of request was asked, or only the first `MAX_ENVIRONMENTS`."""

    @property
    def is_gain(self) -> bool:
        """Whether the new policies are more permissive here."""
        return _ORDER.index(self.after) > _ORDER.index(self.before)

    @property
    def rules_before(self) -> tuple[str, ...]:
        """The rules that decided the example before."""
        return self.decision_before.rules

    @property
    def rules_after(self) -> tuple[str, ...]:
        return self.example.decision.rules


@dataclass(frozen=True, slots=True)
class Difference:
    """`doubts` says what could not be compared; only without regions and doubts are the sets equivalent."""

    regions: tuple[Region, ...]
    possible: int
    """Kinds of request that both sets know."""
    only_before: tuple[Environment, ...]
    only_after: tuple[Environment, ...]
    doubts: tuple[str, ...]

    @property
    def is_equivalent(self) -> bool:
        return not (self.regions or self.doubts or self.only_before or self.only_after)

    @property
    def is_no_more_permissive(self) -> bool:
        gains = any(region.is_gain for region in self.regions)
        return not (gains or self.doubts or self.only_after)


def compare(
    before: ir.PolicySet,
    after: ir.PolicySet,
    vocabulary: Vocabulary,
    engine: Engine = Engine.AUTO,
    *,
    most: int = MAX_REGIONS,
) -> Difference:
    """The regions of change between two policy sets, gains first; no more than `most`. For one, no facts are sought."""
    schema, doubts = _merged(before.schema, after.schema)
    old, new = set(before.schema.environments()), set(after.schema.environments())
    shared = [item for item in schema.environments() if item in old and item in new]
    regions: list[Region] = []
    if any(schema.enums[name] != enum for name, enum in before.schema.enums.items()):
        # A member of an enum may have another rank than before.
        before = replace(before, rules=tuple(_ranked(rule, schema) for rule in before.rules))
    sides = replace(before, schema=schema), replace(after, schema=schema)
    for group in groups_of(schema, shared):
        try:
            comparison = _Comparison(*sides, group, vocabulary, engine)
        except CircuitTooLargeError as reached:
            others = [rule for rule in before.rules if rule not in after.rules]
            involved = too_large(schema, group, (*after.rules, *others))
            doubts += told_too_large(involved, reached)
            continue
        comparison.is_thorough = most > 1
        regions += islice(comparison.regions(), most - len(regions))
        doubts += comparison.doubts
    if len(regions) >= most > 1:
        doubts.append(f"there are more than {most} regions of change")
    regions.sort(key=lambda region: (not region.is_gain, -_ORDER.index(region.after)))
    return Difference(
        tuple(regions),
        len(shared),
        tuple(sorted(old - new, key=str)),
        tuple(sorted(new - old, key=str)),
        tuple(dict.fromkeys(doubts)),
    )


class _Comparison:
    """Both sets over one group of environments, in one circuit."""

    def __init__(
        self,
        before: ir.PolicySet,
        after: ir.PolicySet,
        group: Sequence[Environment],
        vocabulary: Vocabulary,
        engine: Engine,
    ) -> None:
        self._before, self._after, self._group = before, after, group
        self._vocabulary = vocabulary
        self.doubts: list[str] = []
        self.is_thorough = True

        def build(encoder: Encoder) -> tuple[Outcomes, Outcomes, int]:
            return encoder.decide(before.rules), encoder.decide(after.rules), encoder.valid()

        self._encoder, (self._old, self._new, self._valid) = encode(
            before.schema, group, build, Encoder
        )
        circuit = self._encoder.circuit
        self._changes = circuit.any_of(
            circuit.all_of((_literal(self._old, one), _literal(self._new, other)))
            for one in Outcome
            for other in Outcome
            if one is not other
        )
        names = dict.fromkeys((*self._old.rules, *self._new.rules))
        differs = {name: self._difference(name) for name in names}
        self._differs = {name: item for name, item in differs.items() if item != FALSE}
        self._is_tag = {
            (name, tag): self._encoder.is_tag(self._encoder.root(name), tag)
            for name in ("principal", "action", "resource")
            for tag in self._encoder.tags(self._encoder.root(name))
        }
        # A variable of its own, so that what was found is left out of the search and of nothing else.
        self._is_new = circuit.atom("is in no region found so far")
        roots = [
            self._valid,
            self._changes,
            self._is_new,
            *self._is_tag.values(),
            *self._differs.values(),
        ]
        for outcomes in (self._old, self._new):
            roots += [outcomes.permit, outcomes.hold, outcomes.deny]
        self._posed = pose(self._encoder, [item for item in roots if item not in (TRUE, FALSE)])
        self._session = Session(self._posed.problem, engine)

    def _difference(self, name: str) -> int:
        """Whether a rule says something else of a request than before."""
        circuit = self._encoder.circuit
        old, new = self._old.rules.get(name), self._new.rules.get(name)
        if old is None or new is None or old.rule.effect is not new.rule.effect:
            return circuit.any_of(
                literal
                for rule in (old, new)
                if rule is not None
                for literal in _says(circuit, rule)
            )
        pairs = zip(_says(circuit, old), _says(circuit, new), strict=True)
        return circuit.any_of(-circuit.equal(one, other) for one, other in pairs)

    def regions(self) -> Iterator[Region]:
        """One region after another, each by the outcomes and a smallest set of rules that make the change."""
        if self._changes == FALSE:
            return
        while True:
            answer = self._solve((self._valid, self._changes, self._is_new))
            if isinstance(answer, Undecided):
                self.doubts.append(answer.why)
                return
            if not isinstance(answer, Model):
                self._look_beyond_slots()
                return
            before, after = self._outcome(answer, self._old), self._outcome(answer, self._new)
            outcomes = (_literal(self._old, before), _literal(self._new, after))
            causes, model = self._smallest(outcomes, answer)
            found = self._reproduce(model)
            if found is None or (found[1].outcome, found[0].decision.outcome) != (before, after):
                self.doubts.append(
                    "; ".join(self._encoder.approximations) or "a change that does not reproduce"
                )
                return
            key = (*outcomes, *(self._differs[name] for name in causes))
            yield self._region(key, causes, model, *found)
            # The solver need not know of `TRUE`.
            found_now = (-literal for literal in key if literal != TRUE)
            self._session.add([(-self._is_new, *found_now)])

    def _look_beyond_slots(self) -> None:
        """Whether there may be changes for sets that have more elements than are told apart."""
        if self._encoder.within_slots:
            changes = (self._valid, self._changes, self._is_new)
            answer = self._session.solve([literal for literal in changes if literal != TRUE])
            if isinstance(answer, Undecided):
                self.doubts.append(answer.why)
            elif isinstance(answer, Model):
                self.doubts += (f"compared only where {each}" for each in self._encoder.bounds)

    def _solve(self, literals: Sequence[int]) -> Answer:
        """Answers for sets whose elements are told apart."""
        literals = (*literals, *self._encoder.within_slots)
        return self._session.solve([literal for literal in literals if literal != TRUE])

    def _outcome(self, model: Model, outcomes: Outcomes) -> Outcome:
        return next(item for item in Outcome if _holds(model, _literal(outcomes, item)))

    def _smallest(self, outcomes: tuple[int, int], model: Model) -> tuple[tuple[str, ...], Model]:
        """Rules without any of which the outcomes of a model would not be these, and a model with only such."""
        causes = self._causes(model)
        for name in causes:
            if name in causes:
                others = [-self._differs[item] for item in self._differs if item not in causes]
                fewer = (*outcomes, *others, -self._differs[name])
                answer = self._solve((self._valid, self._is_new, *fewer))
                if isinstance(answer, Model):
                    model, causes = answer, self._causes(answer)
        return causes, model

    def _causes(self, model: Model) -> tuple[str, ...]:
        return tuple(name for name, literal in self._differs.items() if _holds(model, literal))

    def _reproduce(self, model: Model) -> tuple[Replay, Decision] | None:
        try:
            found = situation(self._encoder, model, self._posed.numbers, self._vocabulary)
        except NoWitnessError:
            return None
        again = replay(self._after, found)
        old = decide(self._before, found.request, again.entities)
        if old.outcome is again.decision.outcome:
            return None
        wanted = (old.outcome, old.rules, again.decision.outcome, again.decision.rules)

        def changes(request: Request, entities: Entities, decision: Decision) -> bool:
            other = decide(self._before, request, entities)
            found = (other.outcome, other.rules, decision.outcome, decision.rules)
            return found == wanted and not other.problems

        smallest = minimal(self._after, again, changes)
        return smallest, decide(self._before, smallest.situation.request, smallest.entities)

    def _region(
        self,
        key: tuple[int, ...],
        causes: Iterable[str],
        model: Model,
        found: Replay,
        old: Decision,
    ) -> Region:
        example = Counterexample(
            found.situation.request,
            found.entities,
            found.decision,
            dict(found.situation.described.parents),
        )
        kinds = tuple(self._kinds(key))
        deciding = (*causes, *old.rules, *found.decision.rules)
        facts = self._facts(key, model, deciding, kinds) if self.is_thorough else Facts()
        return Region(
            old.outcome,
            found.decision.outcome,
            tuple(map(self._cause, causes)),
            facts,
            example,
            old,
            kinds,
            len(self._group) <= MAX_ENVIRONMENTS,
        )

    def _cause(self, name: str) -> Cause:
        old, new = self._old.rules.get(name), self._new.rules.get(name)
        if new is not None:
            return Cause(name, Edit.ADDED if old is None else Edit.CHANGED, new.rule.span)
        assert old is not None
        return Cause(name, Edit.DELETED, old.rule.span)

    def _kinds(self, key: tuple[int, ...]) -> Iterator[Environment]:
        """The kinds of request in which the region has one."""
        for item in self._group[:MAX_ENVIRONMENTS]:
            answer = self._solve((self._valid, *key, *self._tags(item)))
            if isinstance(answer, Model):
                yield item
            elif isinstance(answer, Undecided):
                self.doubts.append(f"whether {item} changes too: {answer.why}")

    def _tags(self, item: Environment) -> tuple[int, int, int]:
        return (
            self._is_tag["principal", item.principal],
            self._is_tag["action", item.action],
            self._is_tag["resource", item.resource],
        )

    def _facts(
        self,
        key: tuple[int, ...],
        model: Model,
        rules: Iterable[str],
        kinds: Sequence[Environment],
    ) -> Facts:
        """What the requests of the region have in common, as far as these rules ask for it."""
        if self._encoder.within_slots:
            return Facts()
        circuit = self._encoder.circuit
        roots = [
            literal
            for outcomes in (self._old, self._new)
            for name in dict.fromkeys(rules)
            if name in outcomes.rules
            for literal in (_does(circuit, outcomes.rules[name]), outcomes.rules[name].applies)
        ]
        size = self._posed.problem.variables
        known = {abs(literal) for literal in self._is_tag.values()}
        memberships = self._encoder.memberships
        asked = {abs(literal) for literal in memberships}
        questions = [
            variable
            for variable in sorted(circuit.cone(roots), key=lambda item: (item not in asked, item))
            if (circuit.is_atom(variable) or variable in asked)
            and TRUE < variable <= size
            and variable not in known
        ]
        found = common(self._solve, (self._valid, *key), model, questions)
        said = told(found, {**self._posed.meanings, **memberships})
        if len(kinds) > MAX_EXACT:
            return Facts(tuple(said))
        facts = (self._valid, *said.values())
        is_exact = all(
            isinstance(self._solve((*facts, *self._tags(item), -literal)), Unsatisfiable)
            for item in kinds
            for literal in key
        )
        return Facts(tuple(said), is_exact)


def _holds(model: Model, literal: int) -> bool:
    if literal in (TRUE, FALSE):
        return literal == TRUE
    return model.holds(abs(literal)) == (literal > 0)


def _does(circuit: Circuit, rule: RuleFormulas) -> int:
    """When a rule has its effect: a require has it only where a need is open."""
    return circuit.any_of(rule.unmet) if rule.rule.effect is Effect.REQUIRE else rule.applies


def _says(circuit: Circuit, rule: RuleFormulas) -> tuple[int, int, int]:
    """When a rule has its effect, when it fails, and when one of its needs does."""
    return _does(circuit, rule), rule.fails, rule.needs_fail


def _literal(outcomes: Outcomes, outcome: Outcome) -> int:
    match outcome:
        case Outcome.PERMIT:
            return outcomes.permit
        case Outcome.HOLD:
            return outcomes.hold
        case Outcome.DENY:
            return outcomes.deny


def _merged(before: Schema, after: Schema) -> tuple[Schema, list[str]]:
    """A schema in which both sets can be read, and what differs too much for that."""
    doubts: list[str] = []
    before = _renewed(before, after.enums)
    entities: dict[str, EntityDeclaration] = {**before.entities, **after.entities}
    for name in sorted(before.entities.keys() & after.entities.keys()):
        old, new = before.entities[name], after.entities[name]
        attributes = {**old.attributes, **new.attributes}
        for attribute in old.attributes.keys() & new.attributes.keys():
            one, other = old.attributes[attribute], new.attributes[attribute]
            type = _merged_type(one.type, other.type)
            if type is None:
                doubts.append(f"`{name}.{attribute}` has another type than before")
            else:
                optional = one.optional or other.optional
                attributes[attribute] = replace(other, type=type, optional=optional)
        entities[name] = replace(
            new,
            attributes=attributes,
            concrete=old.concrete | new.concrete,
            parents=old.parents | new.parents,
        )
    actions: dict[str, ActionDeclaration] = {**before.actions, **after.actions}
    for name in sorted(before.actions.keys() & after.actions.keys()):
        context = _merged_type(before.actions[name].context, after.actions[name].context)
        if isinstance(context, RecordOf):
            actions[name] = replace(after.actions[name], context=context)
        else:
            doubts.append(f"the context of `{name}` has other types than before")
    groups = {**before.groups, **after.groups}
    return Schema({**before.enums, **after.enums}, entities, actions, groups), doubts


def _merged_type(old: Type, new: Type) -> Type | None:
    """A type for the values of both; records have the fields of both. `None` where they have nothing in common."""
    match old, new:
        case RecordOf(), RecordOf():
            fields = []
            names = dict.fromkeys(item.name for item in (*old.fields, *new.fields))
            for name in names:
                one, other = old.field(name), new.field(name)
                if one is None or other is None:
                    known = one or other
                    assert known is not None
                    fields.append(replace(known, optional=True))
                    continue
                type = _merged_type(one.type, other.type)
                if type is None:
                    return None
                fields.append(RecordField(name, type, one.optional or other.optional))
            return RecordOf(tuple(fields))
        case SetOf(one), SetOf(other):
            element = _merged_type(one, other)
            return None if element is None else SetOf(element)
        case _:
            return join(old, new)


def _renewed(schema: Schema, enums: Mapping[str, EnumType]) -> Schema:
    """The schema with enums as they are now, where what they say of their former members has not changed."""

    def renewed(type: Type) -> Type:
        match type:
            case RecordOf(fields):
                return RecordOf(tuple(replace(item, type=renewed(item.type)) for item in fields))
            case SetOf(element):
                return SetOf(renewed(element))
            case EnumType(name) if name in enums and _goes_on(type, enums[name]):
                return enums[name]
            case _:
                return type

    entities = {
        name: replace(
            entity,
            attributes={
                key: replace(attribute, type=renewed(attribute.type))
                for key, attribute in entity.attributes.items()
            },
        )
        for name, entity in schema.entities.items()
    }
    actions = {
        name: replace(action, context=context)
        for name, action in schema.actions.items()
        if isinstance(context := renewed(action.context), RecordOf)
    }
    return replace(schema, entities=entities, actions=actions)


def _goes_on(old: EnumType, new: EnumType) -> bool:
    """Whether the members of an enum are there still, and compare as they did."""
    kept = tuple(member for member in new.members if member in old.members)
    if new.ordered or old.ordered:
        return kept == old.members
    return len(kept) == len(old.members)


def _ranked(rule: ir.Rule, schema: Schema) -> ir.Rule:
    """The rule with the members of enums where the schema has them."""

    def ranked(term: ir.Term) -> ir.Term:
        if not isinstance(term, ir.EnumMember):
            return rebuild(term, ranked)
        value = term.value
        members = schema.enums[value.enum].members
        if value.name not in members:
            return term
        return replace(term, value=replace(value, rank=members.index(value.name)))

    return rebuild_rule(rule, ranked)
