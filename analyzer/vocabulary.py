"""Names that readers of a policy set know: those of its own tests, and of an inventory if one is given."""

from collections import defaultdict
from collections.abc import Iterator

from ..compiler.entities import NO_ENTITIES, Entities
from ..compiler.testing import request_of
from ..lang.checked import Checked
from ..lang.values import EntityId, Instant, Record, Value
from .witness import Vocabulary

MAX_NAMES = 50
MAX_INVENTORY = 10_000


def vocabulary_of(checked: Checked, inventory: Entities = NO_ENTITIES) -> Vocabulary:
    """The ids, texts and instants that the tests use, most used first; so are the types of the ids."""
    ids: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    texts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    instants: dict[Instant, None] = {}
    for test in checked.tests:
        request, entities = request_of(checked, test)
        named = [request.principal, request.resource, *entities.known]
        records = [request.context, *(data.attributes for data in entities.known.values())]
        for record in records:
            for name, value in _inside(record):
                match value:
                    case EntityId():
                        named.append(value)
                    case str():
                        texts[name][value] += 1
                    case Instant():
                        instants[value] = None
                    case _:
                        pass
        for entity in named:
            ids[entity.type][entity.id] += 1
    for entity in list(inventory.known)[:MAX_INVENTORY]:
        ids[entity.type][entity.id] += 1
    return Vocabulary(
        {type: _most_used(ids[type]) for type in sorted(ids, key=lambda t: -sum(ids[t].values()))},
        {name: _most_used(known) for name, known in texts.items()},
        tuple(instants)[:MAX_NAMES],
    )


def _most_used(known: dict[str, int]) -> tuple[str, ...]:
    return tuple(sorted(known, key=lambda name: (-known[name], name))[:MAX_NAMES])


def _inside(record: Record) -> Iterator[tuple[str, Value]]:
    for name, value in record.items():
        for item in value if isinstance(value, frozenset) else (value,):
            if isinstance(item, Record):
                yield from _inside(item)
            else:
                yield name, item
