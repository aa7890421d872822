"""What stays true whatever happens: `always exists`, as a formula over one step and as a check on a concrete store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..compiler import ir
from ..compiler.backends.smt.circuit import FALSE
from ..compiler.backends.smt.encoder import Encoder
from ..compiler.backends.smt.values import Place, only
from ..compiler.decision import Request
from ..compiler.entities import Entities, EntityData
from ..compiler.reference import Failed, evaluate
from ..compiler.rewrite import rebuild
from ..lang.typesystem import EntityType
from ..lang.values import EntityId, Record, Value

Effects = Mapping[str, tuple[tuple[ir.Attribute, ir.Term], ...]]
"""Action → the attributes that it changes, with their new values in terms of the store before."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """There is an entity of the type, called `name`, for which the condition holds."""

    name: str
    type: EntityType
    condition: ir.Term
    effects: Effects


def loses(encoder: Encoder, invariant: Invariant) -> int:
    """Whether the request, carried out, takes away what the invariant asks for.

    Before it there is one for which it holds; after it, none: neither that one nor another that rules speak about.
    """
    circuit = encoder.circuit
    only_one = encoder.place(None, invariant.name, invariant.type)
    parts = [
        _holds(encoder, invariant, only_one, invariant.condition),
        -_holds_after(encoder, invariant, only_one),
    ]
    for place in list(encoder.places.values()):
        of_type = encoder.is_type(place, invariant.type.types)
        if place is not only_one and isinstance(place.type, EntityType) and of_type != FALSE:
            survives = (encoder.there(place), of_type, _holds_after(encoder, invariant, place))
            parts.append(-circuit.all_of(survives))
    return circuit.all_of(parts)


def _holds(encoder: Encoder, invariant: Invariant, place: Place, condition: ir.Term) -> int:
    value, ok = encoder.condition(condition, {invariant.name: only(place)})
    return encoder.circuit.all_of((value, ok))


def _holds_after(encoder: Encoder, invariant: Invariant, place: Place) -> int:
    action = encoder.root("action")
    found = []
    for name in encoder.tags(action):
        after = _after(invariant.condition, invariant.effects.get(name, ()))
        found.append(
            encoder.circuit.all_of(
                (encoder.is_tag(action, name), _holds(encoder, invariant, place, after))
            )
        )
    return encoder.circuit.any_of(found)


def _after(term: ir.Term, effects: tuple[tuple[ir.Attribute, ir.Term], ...]) -> ir.Term:
    """The term in the store after the effects, in terms of the store before."""
    term = rebuild(term, lambda part: _after(part, effects))
    if not isinstance(term, ir.Attribute | ir.Has):
        return term
    result: ir.Term = term
    for target, value in effects:
        if target.name == term.name:
            is_target = ir.Equal(term.base, target.base, span=term.span)
            new = value if isinstance(term, ir.Attribute) else ir.TRUE
            result = ir.If(is_target, new, result, span=term.span)
    return result


# On a concrete store


def takes_the_last(invariant: Invariant, request: Request, entities: Entities) -> bool:
    """Whether an entity fulfils the condition before the request is carried out, and none does after it."""
    changed: dict[EntityId, dict[str, Value]] = {}
    for target, value in invariant.effects.get(request.action, ()):
        entity = evaluate(target.base, request, entities)
        new = evaluate(value, request, entities)
        if not isinstance(entity, EntityId) or isinstance(new, Failed):
            return False
        changed.setdefault(entity, {})[target.name] = new
    known = dict(entities.known)
    for entity, attributes in changed.items():
        if entity in known:
            old = known[entity]
            known[entity] = EntityData(Record({**old.attributes, **attributes}), old.ancestors)
    return _exists(invariant, request, entities) and not _exists(
        invariant, request, Entities(known, entities.invalid)
    )


def _exists(invariant: Invariant, request: Request, entities: Entities) -> bool:
    return any(
        evaluate(_named(invariant.condition, invariant.name, entity), request, entities) is True
        for entity in entities.known
        if entity.type in invariant.type.types
    )


def _named(term: ir.Term, name: str, entity: EntityId) -> ir.Term:
    if isinstance(term, ir.Variable) and term.name == name:
        return ir.Entity(entity, span=term.span)
    if isinstance(term, ir.Quantifier) and term.name == name:
        return replace(term, set=_named(term.set, name, entity))
    return rebuild(term, lambda part: _named(part, name, entity))
