"""What a blast radius costs on graphs of up to a million edges, beside plain reachability; and what building costs."""

import json
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import networkx
import rustworkx

from interlock.plans.blast import radius
from interlock.plans.graph import (
    Does,
    Edge,
    Event,
    Fragment,
    Graph,
    Networkx,
    Origin,
    Resource,
    build,
    dump,
    load,
)
from interlock.plans.graph_builders import postgres
from interlock.plans.model import (
    Artifact,
    Asset,
    Change,
    Effect,
    Identity,
    Plan,
    Position,
    Reversibility,
    Selector,
)

SIZES = (1_000, 10_000, 100_000, 1_000_000)
EDGES_PER_NODE = 4
NEAR = 50
"""An edge leads at most so far ahead, so that a query near the end is local, and one from the start reaches all."""
LOCAL = 200
SEED = 20_260_302
NOW = datetime(2026, 3, 2, tzinfo=UTC)
CATALOG_ROWS = 10_000


class Rustworkx:
    """Edges in a `rustworkx` multigraph, behind the interface that `networkx` has in the product."""

    def __init__(self, keys: Iterable[str], edges: Sequence[Edge]) -> None:
        self._network: Any = rustworkx.PyDiGraph()
        names = list(keys)
        self._numbers = dict(zip(names, self._network.add_nodes_from(names), strict=True))
        numbers = self._numbers
        self._network.add_edges_from(
            [(numbers[edge.source], numbers[edge.target], edge) for edge in edges]
        )

    def edges_from(self, key: str) -> Iterator[Edge]:
        for _, _, edge in self._network.out_edges(self._numbers[key]):
            yield edge


NETWORKS = {"networkx": Networkx, "rustworkx": Rustworkx}


def main() -> None:
    if len(sys.argv) == 3:
        print(json.dumps(one(int(sys.argv[1]), sys.argv[2])))
        return
    print(
        f"Python {platform.python_version()}, {platform.machine()}, each row in a process of its own\n"
    )
    head = (
        "edges",
        "behind",
        "build s",
        "load s",
        "MB",
        "local ms",
        "reached",
        "whole s",
        "reached",
    )
    print(("{:>9} {:>10}" + " {:>9}" * 7 + " {:>16}").format(*head, "descendants ms/s"))
    for size in SIZES:
        for name in NETWORKS:
            command = [sys.executable, __file__, str(size), name]
            found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            row = (
                "{:>9,} {:>10} {:>9.2f} {:>9.2f} {:>9.0f} {:>9.2f} {:>9,} {:>9.3f} {:>9,}"
            ).format(size, name, *found["row"])
            plain = "{:.2f} / {:.3f}".format(*found["plain"])
            print(f"{row} {plain:>16}")
    print(f"\n{'building from a catalog':<45}{'rows':>10}{'seconds':>10}")
    for tables in (100, CATALOG_ROWS // 10, CATALOG_ROWS):
        rows = catalog_rows(tables)
        seconds = timed(lambda rows=rows: postgres.build(rows))  # type: ignore[misc]
        count = sum(map(len, rows.values()))
        print(f"{f'{tables:,} tables with keys and indexes':<45}{count:>10,}{seconds:>10.2f}")


def one(size: int, name: str) -> dict[str, Any]:
    fragment = synthetic(size)
    before = memory()
    start = time.perf_counter()
    graph = build([fragment], NOW, NETWORKS[name])
    built = time.perf_counter() - start
    used = memory() - before
    nodes = size // EDGES_PER_NODE
    local, whole = plan_of(nodes - LOCAL), plan_of(0)
    near = radius(local, graph, NOW)
    local_ms = 1000 * statistics.median(timed(lambda: radius(local, graph, NOW)) for _ in range(9))
    start = time.perf_counter()
    far = radius(whole, graph, NOW)
    whole_s = time.perf_counter() - start
    row = [built, loading(graph), used, local_ms, len(near.reached), whole_s, len(far.reached)]
    return {"row": row, "plain": plain(fragment, name, nodes)}


def loading(graph: Graph) -> float:
    text = dump(graph)
    start = time.perf_counter()
    found = load(text)
    seconds = time.perf_counter() - start
    assert isinstance(found, Graph)
    return seconds


def plain(fragment: Fragment, name: str, nodes: int) -> tuple[float, float]:
    """The library's own `descendants`, which knows no events and no paths: near the end in ms, from the start in s."""
    descendants: Callable[[int], Any]
    pairs = [(int(edge.source[1:]), int(edge.target[1:])) for edge in fragment.edges]
    if name == "networkx":
        network: Any = networkx.MultiDiGraph(pairs)

        def descendants(root: int) -> Any:
            return networkx.descendants(network, root)
    else:
        compact: Any = rustworkx.PyDiGraph()
        compact.add_nodes_from(range(nodes))
        compact.add_edges_from_no_data(pairs)

        def descendants(root: int) -> Any:
            return rustworkx.descendants(compact, root)

    near = statistics.median(timed(lambda: descendants(nodes - LOCAL)) for _ in range(9))
    return 1000 * near, timed(lambda: descendants(0))


def synthetic(size: int) -> Fragment:
    """Tables whose keys lead ahead, nearly always to what is near."""
    choose = random.Random(SEED)  # noqa: S311  (a graph, not a secret)
    nodes = size // EDGES_PER_NODE
    found = Fragment(Origin("synthetic", str(size)))
    found.resources = [
        Resource(
            f"t{number}", "Table", f"t{number}", f"t{number}", "postgres.table", "x", stateful=True
        )
        for number in range(nodes)
    ]
    for number in range(nodes):
        ahead = [number + 1, *(number + choose.randint(1, NEAR) for _ in range(EDGES_PER_NODE - 1))]
        found.edges += [
            Edge(
                f"t{number}",
                f"t{other}",
                (Event.DELETE,),
                Does.DESTROYS,
                f"foreign key `k{number}_{step}` ON DELETE CASCADE",
                Event.DELETE,
            )
            for step, other in enumerate(ahead)
            if other < nodes
        ]
    return found


def plan_of(root: int) -> Plan:
    asset = Asset(type="Table", id=f"t{root}", name="t", kind="postgres.table", stateful=True)
    change = Change(
        id="1",
        action="sql.delete",
        resource=asset,
        effect=Effect.DELETE_DATA,
        selector=Selector.ALL,
        reversibility=Reversibility.IRREVERSIBLE,
        summary="deletes",
        source=Position(file="x.sql", line=1, column=1),
    )
    return Plan(
        author=Identity(type="Agent", id="bot"),
        environment="production",
        artifacts=(Artifact(kind="sql", file="x.sql", sha256="0" * 64),),
        changes=(change,),
    )


def catalog_rows(tables: int) -> dict[str, list[tuple[Any, ...]]]:
    """What PostgreSQL's catalogs would answer about so many tables, each with a key, an index and a foreign key."""
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in postgres.QUERIES}
    rows["database"] = [("big",)]
    rows["schemas"] = [(2200, "public")]
    for number in range(tables):
        table, index, key, foreign = (20_000 + 4 * number + step for step in range(4))
        name = f"t{number}"
        rows["relations"].append((table, "public", name, "r", False, 100.0, 8192, None, None))
        rows["relations"].append((index, "public", f"{name}_i", "i", False, 0.0, 8192, None, table))
        identity = f"{name}_pkey on public.{name}"
        rows["objects"].append(("pg_constraint", key, "table constraint", "public", None, identity))
        rows["owners"].append(("pg_constraint", key, table))
        rows["dependencies"].append(("pg_constraint", key, 0, "pg_class", table, 1, "a"))
        rows["dependencies"].append(("pg_class", index, 0, "pg_class", table, 1, "a"))
        if number:
            parent = 20_000 + 4 * (number // 2)
            identity = f"{name}_fkey on public.{name}"
            rows["objects"].append(
                ("pg_constraint", foreign, "table constraint", "public", None, identity)
            )
            rows["owners"].append(("pg_constraint", foreign, table))
            rows["dependencies"].append(("pg_constraint", foreign, 0, "pg_class", table, 2, "a"))
            rows["dependencies"].append(("pg_constraint", foreign, 0, "pg_class", parent, 1, "n"))
            rows["foreign_keys"].append((foreign, f"{name}_fkey", table, parent, "c", "a", 0.0))
    return rows


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def memory() -> float:
    """Megabytes at the highest so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
