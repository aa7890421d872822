"""What depends on itself, found without recursion. Imports nothing of this project."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def components(graph: Mapping[K, Sequence[K]]) -> Iterator[list[K]]:
    """Tarjan's strongly connected components: keys that reach each other, and what they lead to before them."""
    index: dict[K, int] = {}
    low: dict[K, int] = {}
    open_keys: dict[K, None] = {}
    for root in graph:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        open_keys[root] = None
        work = [(root, iter(graph[root]))]
        while work:
            key, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[key])
                if low[key] == index[key]:
                    component: list[K] = []
                    while not component or component[-1] != key:
                        component.append(open_keys.popitem()[0])
                    yield component
            elif following not in graph:
                continue
            elif following not in index:
                index[following] = low[following] = len(index)
                open_keys[following] = None
                work.append((following, iter(graph[following])))
            elif following in open_keys:
                low[key] = min(low[key], index[following])


def is_cycle(component: Sequence[K], graph: Mapping[K, Sequence[K]]) -> bool:
    """Whether the keys of a component depend on themselves."""
    return len(component) > 1 or component[0] in graph[component[0]]
