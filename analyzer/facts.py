"""What the requests of a region have in common: conditions that hold of all of them, as the language writes them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..compiler.backends.smt.values import (
    AtMost,
    Contains,
    Exactly,
    Glob,
    Inside,
    Is,
    Number,
    Place,
    Present,
    Same,
    Truth,
    Within,
)
from ..lang.typesystem import DECIMAL, DURATION, INSTANT, EnumType, SetOf, Type
from ..lang.values import Decimal, Duration, EntityId, EnumValue, Instant, quote
from .solver import Answer, Model, Unsatisfiable

MAX_QUESTIONS = 200
"""The most questions that are asked about one region."""

Solve = Callable[[Sequence[int]], Answer]


@dataclass(frozen=True, slots=True)
class Facts:
    """What holds of every request of a region; `is_exact` says that it holds of no other."""

    texts: tuple[str, ...] = ()
    is_exact: bool = False


def common(solve: Solve, key: Sequence[int], model: Model, atoms: Iterable[int]) -> list[int]:
    """The literals of atoms that hold in every model of the key, of which `model` is one."""
    candidates = [atom if model.holds(atom) else -atom for atom in atoms][:MAX_QUESTIONS]
    found: list[int] = []
    while candidates:
        literal = candidates.pop(0)
        answer = solve((*key, -literal))
        if isinstance(answer, Unsatisfiable):
            found.append(literal)
        elif isinstance(answer, Model):
            candidates = [item for item in candidates if answer.holds(abs(item)) == (item > 0)]
    return found


def told(literals: Iterable[int], meanings: Mapping[int, object]) -> dict[str, int]:
    """Each literal that can be said, in words; of limits on one number only the closest."""
    above: dict[Place, tuple[int, int]] = {}
    below: dict[Place, tuple[int, int]] = {}
    named: dict[Place, int] = {}
    others: dict[str, int] = {}
    for literal in literals:
        match meanings.get(abs(literal)):
            case AtMost(place, limit) if is_readable(place):
                if literal > 0:
                    below[place] = min(below.get(place, (limit, literal)), (limit, literal))
                else:
                    above[place] = max(above.get(place, (limit, literal)), (limit, literal))
            case Is(place) if literal > 0:
                named[place] = literal
            case _:
                pass
    for literal in literals:
        # An atom is asked by its variable, a membership by the literal of its formula.
        meaning = meanings.get(literal, meanings.get(-literal))
        match meaning:
            case Is(place) if literal < 0 and place in named:
                continue
            case AtMost(place, limit):
                if (limit, literal) not in (above.get(place), below.get(place)):
                    continue
            case _:
                pass
        text = _text(meaning, literal in meanings)
        if text is not None:
            others[text] = literal
    return others


def is_readable(place: Place) -> bool:
    """Whether the path of a place is an expression: slots of sets and the insides of entities have none."""
    return "[" not in place.path and "#" not in place.path


def _text(atom: object, holds: bool) -> str | None:
    """The answer to a question as a condition; nothing where there is no short one."""
    match atom:
        case Truth(place) if is_readable(place):
            return place.path if holds else f"not {place.path}"
        case Present(place) if is_readable(place) and place.parent is not None:
            has = f"{place.parent.path} has {place.name}"
            return has if holds else f"not {has}"
        case Is(place, tag) if isinstance(place.type, EnumType) and is_readable(place):
            return f"{place.path} {'==' if holds else '!='} {tag}"
        case Glob(place, (literal,)) if is_readable(place):
            return f"{place.path} {'==' if holds else '!='} {quote(literal)}"
        case Glob(place, pattern) if is_readable(place) and "*" not in "".join(pattern):
            like = f"{place.path} like {quote('*'.join(pattern))}"
            return like if holds else f"not {like}"
        case Same(left, right) if is_readable(left) and is_readable(right):
            return f"{left.path} {'==' if holds else '!='} {right.path}"
        case AtMost(place, limit) if is_readable(place):
            return f"{place.path} {_limit(place, limit, holds)}"
        case Inside(place, ancestor) if is_readable(place) and is_readable(ancestor):
            inside = f"{place.path} in {ancestor.path}"
            return inside if holds else f"not {inside}"
        case Contains(place, element) if is_readable(place):
            contains = f"{place.path} contains {_element(place, element)}"
            return contains if holds else f"not {contains}"
        case Within(place, network) if is_readable(place):
            within = f"{place.path} in ip({quote(str(network))})"
            return within if holds else f"not {within}"
        case Exactly(place, network) if is_readable(place):
            return f"{place.path} {'==' if holds else '!='} ip({quote(str(network))})"
        case _:
            return None


def _element(place: Place, element: str | EnumValue | EntityId | Number) -> str:
    match element:
        case str():
            return quote(element)
        case Number(constant):
            assert isinstance(place.type, SetOf)
            return _number(place.type.element, constant)
        case _:
            return str(element)


def _limit(place: Place, limit: int, holds: bool) -> str:
    """A limit as a comparison with the number beside it that is the rounder one, since people write round numbers."""
    at, beside = _number(place.type, limit), _number(place.type, limit + 1)
    if _roundness(beside) >= _roundness(at):
        return f"{'<' if holds else '>='} {beside}"
    return f"{'<=' if holds else '>'} {at}"


def _roundness(text: str) -> tuple[int, int]:
    digits = text.rstrip("0")
    return len(text) - len(digits), -len(text)


def _number(type: Type, number: int) -> str:
    if type == DECIMAL:
        return str(Decimal(number))
    if type == DURATION:
        return str(Duration(number))
    if type == INSTANT:
        return f"instant({quote(str(Instant(number)))})"
    return str(number)
