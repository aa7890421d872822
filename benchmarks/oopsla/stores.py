"""The stores, requests and recorded decisions of the Cedar paper's applications, from `../shared/corpora`."""

import gzip
import json
from pathlib import Path
from typing import Any

from peers import Workload

HERE = Path(__file__).parent
CORPUS = HERE.parents[2] / "shared" / "corpora" / "oopsla2024"
APPLICATIONS = ("gdrive", "github", "tinytodo")
SIZES = (5, 10, 20, 50)

Json = Any


def load(application: str, size: int) -> list[Workload]:
    """The four stores of one size, each with its 500 requests and what Cedar 4.12 decided."""
    texts = {path.suffix[1:]: path.read_text() for path in sorted(HERE.glob(f"{application}.*"))}
    texts["cedar"] = (CORPUS / application / "policies.cedar").read_text()
    with gzip.open(CORPUS / application / f"stores-N{size}.json.gz") as file:
        stores = json.load(file)
    return [
        Workload(
            f"{application}, N = {size}",
            texts,
            complete(store["entities"]),
            [
                {key: request[key] for key in ("principal", "action", "resource", "context")}
                for request in store["requests"]
            ],
            {"ilk": [request["decision"] == "allow" for request in store["requests"]]},
        )
        for store in stores
    ]


def complete(entities: list[Json]) -> list[Json]:
    """The same store, where every parent that nobody describes is an entity with no attributes and no parents.

    The generator of gdrive names parents `View::"User 3"` that it describes as `View::"User user_3"`. To Cedar such a
    parent is an entity that is in nothing. Interlock would deny what is in it, since what it is in is not known.
    Saying aloud that it is in nothing gives both the same store.
    """
    described = {(uid(e["uid"])["type"], uid(e["uid"])["id"]) for e in entities}
    named = {(uid(p)["type"], uid(p)["id"]) for e in entities for p in e["parents"]}
    added = [
        {"uid": {"type": type, "id": id}, "attrs": {}, "parents": []}
        for type, id in sorted(named - described)
    ]
    return [*entities, *added]


def uid(entity: Json) -> Json:
    return entity.get("__entity", entity)
