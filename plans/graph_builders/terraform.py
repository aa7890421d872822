"""Terraform states and plans to the graph: what names what, and what the cloud deletes along with what."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..graph import Does, Edge, Event, Fragment, Origin, Resource, WayBack
from ..sources.json_text import Fault, decode
from ..sources.terraform.effects import is_protected
from ..taxonomy.graph_terraform import Is, Relation, table
from ..taxonomy.terraform import Class, shipped

MAX_RESOURCES = 200_000
_INDEX = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|-?\d+)\]')
_GOES = (Event.DESTROY,)


@dataclass(slots=True)
class _Managed:
    """One resource as a state or a plan tells it."""

    address: str
    type: str
    provider: str | None
    values: Mapping[str, Any]
    depends_on: set[str] = field(default_factory=set)
    """Addresses, mostly without instance keys."""


def build(files: Iterable[tuple[str, str]], name: str = "terraform") -> Fragment:
    """The part of the graph that the resources of states and plans are; each file is its name and its text."""
    found = Fragment(Origin("terraform", name))
    resources: dict[str, _Managed] = {}
    for file, text in files:
        document = decode(text, frozenset())
        if isinstance(document, Fault):
            found.problems.append(f"{file}: {document.message}")
            continue
        count = 0
        for each in _managed(document.value):
            count += 1
            if count > MAX_RESOURCES:
                found.problems.append(f"{file}: has more than {MAX_RESOURCES:,} resources")
                break
            known = resources.get(each.address)
            if known is None:
                resources[each.address] = each
            else:
                known.depends_on |= each.depends_on
                known.values = {**each.values, **known.values}
        if count == 0 and not _is_terraform(document.value):
            found.problems.append(f"{file}: this is neither a state nor a plan")
    _Builder(found, f"terraform:{name}", resources).build()
    return found


# Documents


def _is_terraform(document: Any) -> bool:
    """Whether it is one at least, though nothing in it exists yet."""
    signs = ("resource_changes", "planned_values", "values", "terraform_version", "lineage")
    return isinstance(document, dict) and any(sign in document for sign in signs)


def _managed(document: Any) -> Iterator[_Managed]:
    if not isinstance(document, dict):
        return
    if isinstance(document.get("resources"), list):
        yield from _raw_state(document["resources"])
    for state in (document, document.get("prior_state")):
        values = state.get("values") if isinstance(state, dict) else None
        if isinstance(values, dict):
            yield from _module(values.get("root_module"))
    references = dict(_references(document.get("configuration")))
    for change in _list(document.get("resource_changes")):
        if not isinstance(change, dict) or change.get("mode") != "managed":
            continue
        address, kind = change.get("address"), change.get("type")
        inner = change.get("change")
        before = inner.get("before") if isinstance(inner, dict) else None
        # What a plan creates is not there to be lost.
        if isinstance(address, str) and isinstance(kind, str) and isinstance(before, dict):
            provider = change.get("provider_name")
            names = references.get(_INDEX.sub("", address), set())
            yield _Managed(address, kind, _text(provider), before, set(names))


def _raw_state(resources: list[Any]) -> Iterator[_Managed]:
    """The format of `terraform.tfstate`, version 4."""
    for resource in resources:
        if not isinstance(resource, dict) or resource.get("mode") != "managed":
            continue
        kind, name, module = resource.get("type"), resource.get("name"), resource.get("module")
        if not (isinstance(kind, str) and isinstance(name, str)):
            continue
        prefix = f"{module}." if isinstance(module, str) else ""
        for instance in _list(resource.get("instances")):
            if not isinstance(instance, dict):
                continue
            key = instance.get("index_key")
            index = "" if key is None else f"[{_quoted(key)}]"
            attributes = instance.get("attributes")
            depends = {
                each for each in _list(instance.get("dependencies")) if isinstance(each, str)
            }
            match = re.fullmatch(r'provider\["([^"]+)"\].*', str(resource.get("provider")))
            yield _Managed(
                f"{prefix}{kind}.{name}{index}",
                kind,
                match[1] if match else None,
                attributes if isinstance(attributes, dict) else {},
                depends,
            )


def _quoted(key: Any) -> str:
    return str(key) if isinstance(key, int) else '"' + str(key).replace('"', '\\"') + '"'


def _module(root: Any) -> Iterator[_Managed]:
    """`values.root_module` of a state or a plan as JSON."""
    modules = [root]
    while modules:
        module = modules.pop()
        if not isinstance(module, dict):
            continue
        modules += _list(module.get("child_modules"))
        for resource in _list(module.get("resources")):
            if not isinstance(resource, dict) or resource.get("mode") != "managed":
                continue
            address, kind, values = (resource.get(key) for key in ("address", "type", "values"))
            if isinstance(address, str) and isinstance(kind, str):
                yield _Managed(
                    address,
                    kind,
                    _text(resource.get("provider_name")),
                    values if isinstance(values, dict) else {},
                    {each for each in _list(resource.get("depends_on")) if isinstance(each, str)},
                )


def _references(configuration: Any) -> Iterator[tuple[str, set[str]]]:
    """What the expressions of each resource name, by address without instance keys."""
    root = configuration.get("root_module") if isinstance(configuration, dict) else None
    modules: list[tuple[str, Any]] = [("", root)]
    while modules:
        prefix, module = modules.pop()
        if not isinstance(module, dict):
            continue
        for resource in _list(module.get("resources")):
            if isinstance(resource, dict) and isinstance(resource.get("address"), str):
                named = {
                    prefix + ".".join(each.split(".")[:2])
                    for each in _named(resource.get("expressions"))
                    if not each.startswith(
                        ("var.", "local.", "data.", "each.", "count.", "module.")
                    )
                }
                yield prefix + resource["address"], named
        calls = module.get("module_calls")
        for name, call in calls.items() if isinstance(calls, dict) else ():
            if isinstance(call, dict):
                modules.append((f"{prefix}module.{name}.", call.get("module")))


def _named(expressions: Any) -> Iterator[str]:
    waiting = [expressions]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield from (name for name in _list(each.get("references")) if isinstance(name, str))
            waiting += [value for key, value in each.items() if key != "references"]
        elif isinstance(each, list):
            waiting += each


# The graph


class _Builder:
    def __init__(self, found: Fragment, source: str, resources: Mapping[str, _Managed]) -> None:
        self.found = found
        self.source = source
        self.resources = resources
        self.table = table()
        self.taxonomy = shipped()
        self.by_plain: dict[str, list[str]] = {}
        self.by_value: dict[tuple[str, str], list[str]] = {}
        for address, each in resources.items():
            self.by_plain.setdefault(_INDEX.sub("", address), []).append(address)
            for attribute in _NAMING:
                value = each.values.get(attribute)
                if isinstance(value, str) and value:
                    for kind in (each.type, "*"):
                        self.by_value.setdefault((kind, value), []).append(address)
        self.related: set[tuple[str, str]] = set()
        self.container: dict[str, str] = {}

    def build(self) -> None:
        for each in self.resources.values():
            for relation in self.table.relations:
                if relation.type in ("*", each.type):
                    self._relate(each, relation)
        for each in self.resources.values():
            self.found.resources.append(self._resource(each))
            self._kept_inside(each)
            for named in sorted(each.depends_on):
                for other in self.by_plain.get(_INDEX.sub("", named), ()):
                    pair = (other, each.address)
                    if other != each.address and pair not in self.related:
                        self.related.add(pair)
                        why = f"`{each.address}` refers to it"
                        self._edge(other, each.address, Does.DISABLES, why, None, certain=False)

    def key(self, address: str) -> str:
        return f"{self.source}:{address}"[:1000]

    def _resource(self, each: _Managed) -> Resource:
        facts = self.taxonomy.facts(each.type, each.provider)
        offers = []
        for row in self.table.identifiers:
            if row.type in ("*", each.type):
                value = each.values.get(row.attribute)
                if isinstance(value, str) and value:
                    offers.append(_identifier(row.scheme, value))
        extra: dict[str, Any] = {} if facts is None else {"criticality": facts.criticality}
        container = self.container.get(each.address)
        return Resource(
            key=self.key(each.address),
            type="TerraformResource",
            id=each.address[:1000],
            name=_name(each)[:1000],
            kind=each.type[:1000],
            source=self.source,
            stateful=facts is None or facts.is_a is Class.STATEFUL,
            recovery=facts is not None and facts.is_a is Class.RECOVERY,
            protected=is_protected(self.taxonomy, facts, each.values),
            container=None if container is None else self.key(container),
            bytes=_bytes(each.values),
            offers=tuple(dict.fromkeys(offers)),
            **extra,
        )

    def _relate(self, each: _Managed, relation: Relation) -> None:
        for value in _values(each.values, relation.attribute):
            for other in self.by_value.get((relation.of, value), ()):
                if other == each.address:
                    continue
                self.related.add((other, each.address))
                match relation.is_:
                    case Is.PART:
                        self.container.setdefault(each.address, other)
                        self._edge(other, each.address, Does.DESTROYS, relation.why, Event.DESTROY)
                    case Is.WAY_BACK:
                        self.found.ways_back.append(
                            WayBack(self.key(each.address), self.key(other), relation.why)
                        )
                        self._edge(other, each.address, Does.NONE, relation.why, None)
                    case Is.KEY:
                        self._edge(other, each.address, Does.DESTROYS, relation.why, Event.DESTROY)
                    case Is.REFUSES:
                        self._edge(other, each.address, Does.REFUSES, relation.why, None)

    def _kept_inside(self, each: _Managed) -> None:
        """Backups that are no resource of their own."""
        for row in self.table.kept_inside:
            if row.type != each.type or not any(map(_is_on, _values(each.values, row.attribute))):
                continue
            stays = bool(row.kept_when) and all(
                name in each.values and each.values[name] == value
                for name, value in row.kept_when.items()
            )
            key = f"{self.key(each.address)[:950]}#{row.name}"
            self.found.resources.append(
                Resource(
                    key=key,
                    type="TerraformResource",
                    id=f"{each.address[:950]}#{row.name}",
                    name=f"{row.name} of {_name(each)}"[:1000],
                    kind=f"{each.type}.backups",
                    source=self.source,
                    recovery=True,
                    container=self.key(each.address),
                )
            )
            self.found.ways_back.append(WayBack(key, self.key(each.address), row.name))
            does = Does.NONE if stays else Does.DESTROYS
            words = "stay" if stays else "go with it"
            then = None if stays else Event.DESTROY
            self.found.edges.append(
                Edge(self.key(each.address), key, _GOES, does, f"{row.name} {words}", then)
            )

    def _edge(
        self,
        source: str,
        target: str,
        does: Does,
        why: str,
        then: Event | None,
        *,
        certain: bool = True,
    ) -> None:
        self.found.edges.append(
            Edge(self.key(source), self.key(target), _GOES, does, why[:1000], then, certain=certain)
        )


_NAMING = ("id", "arn", "name", "identifier", "cluster_identifier", "bucket", "self_link")


def _identifier(scheme: str, value: str) -> str:
    if scheme == "host":
        value = value.lower().rstrip(".")
    return f"{scheme}:{value}"[:1000]


def _name(each: _Managed) -> str:
    for attribute in ("identifier", "cluster_identifier", "bucket", "name"):
        value = each.values.get(attribute)
        if isinstance(value, str) and value:
            return value
    return each.address


def _values(values: Any, path: str) -> list[Any]:
    """The values at a dotted path; a block may stand as itself or in a list."""
    found = [values]
    for step in path.split("."):
        inner = [each.get(step) for each in found if isinstance(each, dict)]
        found = [part for each in inner for part in (each if isinstance(each, list) else [each])]
    return [each for each in found if each is not None]


def _is_on(value: Any) -> bool:
    return (
        value is True
        or (isinstance(value, (int, float)) and value > 0)
        or bool(isinstance(value, str) and value and value != "false" and value != "0")
    )


def _bytes(values: Mapping[str, Any]) -> int | None:
    for name in ("allocated_storage", "size", "disk_size"):
        size = values.get(name)
        if isinstance(size, int) and not isinstance(size, bool) and 0 < size < 10**9:
            return size * 1024**3
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
