"""Kubernetes objects to the graph: what the API server and its controllers delete along with what.

Each rule follows the documentation of Kubernetes, which `RULES` names.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..graph import Does, Edge, Event, Fragment, Link, Origin, Resource, WayBack
from ..sources.kubernetes.objects import Name, operations
from ..sources.kubernetes.values import field
from ..taxonomy.kubernetes import Class, shipped

RULES = {
    "namespace": "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",
    "owner": "https://kubernetes.io/docs/concepts/architecture/garbage-collection/",
    "definition": "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/",
    "claims": "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention",
    "reclaiming": "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reclaiming",
    "snapshot": "https://kubernetes.io/docs/concepts/storage/volume-snapshots/#deletionpolicy",
    "service": "https://kubernetes.io/docs/concepts/services-networking/service/",
}
MAX_REPLICAS = 1000
GOES = (Event.DESTROY, Event.ORPHAN)
Object = Mapping[str, Any]


def build(files: Iterable[tuple[str, str]], name: str = "cluster") -> Fragment:
    """The part of the graph that the objects of some manifests are; each file is its name and its text."""
    builder = _Builder(name)
    for file, text in files:
        builder.read(file, text)
    return builder.fragment()


class _Builder:
    def __init__(self, name: str) -> None:
        self.source = f"kubernetes:{name}"
        self.found = Fragment(Origin("kubernetes", name))
        self.objects: dict[Name, Object] = {}
        self.by_uid: dict[str, Name] = {}
        self.taxonomy = shipped()
        self.made: set[Name] = set()

    def read(self, file: str, text: str) -> None:
        for each in operations(file, text):
            value = each.before if each.before is not None else each.after
            if each.verb == "unread" or value is None:
                line, _ = each.place
                reason = each.reason or "this is no object"
                self.found.problems.append(f"{file}:{line}: {reason}")
                continue
            self.objects[each.name] = value
            uid = field(value, "metadata", "uid")
            if isinstance(uid, str):
                self.by_uid[uid] = each.name

    def fragment(self) -> Fragment:
        self._add_claims()
        self.volumes = dict(self._bound())
        for name, value in self.objects.items():
            self.found.resources.append(self._resource(name, value))
        self._add_definitions()
        for name, value in list(self.objects.items()):
            self._in_namespace(name)
            self._owned(name, value)
            match name.table_kind:
                case "apps/StatefulSet":
                    self._claims(name, value)
                case "PersistentVolumeClaim":
                    self._volume(name)
                case "snapshot.storage.k8s.io/VolumeSnapshot":
                    self._snapshot(name, value)
                case "Service":
                    self._selected(name, value)
                case _:
                    pass
            self._references(name, value)
        return self.found

    # Resources

    def key(self, name: Name) -> str:
        return f"{self.source}:{name}"[:1000]

    def _resource(self, name: Name, value: Object) -> Resource:
        facts = self.taxonomy.facts(name.table_kind)
        is_claim = name.table_kind == "PersistentVolumeClaim"
        stateful = facts is None or facts.is_a is Class.STATEFUL
        claims = field(value, "spec", "volumeClaimTemplates")
        if name.table_kind == "Namespace" or claims or (is_claim and name in self.volumes):
            # What they hold is counted where it is.
            stateful = False
        version = field(value, "apiVersion")
        offers = [f"kubernetes:{name}"[:1000]]
        handle = _handle(value) if name.table_kind == "PersistentVolume" else None
        if handle is not None:
            if _reclaims(value):
                offers.append(f"volume:{handle}"[:1000])
            else:
                link = Link(self.key(name), f"volume:{handle}"[:1000], "the volume is stored there")
                self.found.links.append(link)
        extra: dict[str, Any] = {} if facts is None else {"criticality": facts.criticality}
        return Resource(
            key=self.key(name),
            type="KubernetesResource",
            id=str(name)[:1000],
            name=name.name[:1000],
            kind=f"{version}.{name.kind}"[:1000] if isinstance(version, str) else name.kind[:1000],
            source=self.source,
            stateful=stateful,
            recovery=facts is not None and facts.is_a is Class.RECOVERY,
            container=self._namespace(name),
            bytes=_bytes(value),
            offers=tuple(offers),
            **extra,
        )

    def _namespace(self, name: Name) -> str | None:
        if not name.namespace:
            return None
        place = Name("", "Namespace", "", name.namespace)
        if place not in self.objects and place not in self.made:
            self.made.add(place)
            self.found.resources.append(self._resource(place, {"apiVersion": "v1"}))
        return self.key(place)

    def _add_claims(self) -> None:
        """The claims that a StatefulSet makes, where they are not among the objects."""
        for name, value in list(self.objects.items()):
            if name.table_kind != "apps/StatefulSet":
                continue
            for claim in _claim_names(name, value):
                self.objects.setdefault(claim, {"apiVersion": "v1"})

    def _bound(self) -> Iterator[tuple[Name, Name]]:
        """Claim → volume, as either of them says."""
        for name, value in self.objects.items():
            if name.table_kind == "PersistentVolumeClaim":
                volume = field(value, "spec", "volumeName")
                found = (
                    Name("", "PersistentVolume", "", volume) if isinstance(volume, str) else None
                )
                if found in self.objects and found is not None:
                    yield name, found
            elif name.table_kind == "PersistentVolume":
                claim = field(value, "spec", "claimRef", "name")
                namespace = field(value, "spec", "claimRef", "namespace")
                if isinstance(claim, str) and isinstance(namespace, str):
                    found = Name("", "PersistentVolumeClaim", namespace, claim)
                    if found in self.objects:
                        yield found, name

    # Edges

    def edge(
        self,
        source: Name,
        target: Name,
        does: Does,
        why: str,
        on: tuple[Event, ...] = GOES,
        then: Event | None = Event.DESTROY,
        *,
        certain: bool = True,
    ) -> None:
        if source != target:
            self.found.edges.append(
                Edge(
                    self.key(source), self.key(target), on, does, why[:1000], then, certain=certain
                )
            )

    def _in_namespace(self, name: Name) -> None:
        if name.namespace:
            place = Name("", "Namespace", "", name.namespace)
            self.edge(place, name, Does.DESTROYS, f"is in the namespace `{name.namespace}`")

    def _owned(self, name: Name, value: Object) -> None:
        for reference in _list(field(value, "metadata", "ownerReferences")):
            owner = self._owner(name, reference)
            if owner is None:
                continue
            why = f"is owned by {owner.kind} `{owner.name}`"
            self.edge(owner, name, Does.DESTROYS, why, (Event.DESTROY,))
            why = f"was owned by {owner.kind} `{owner.name}`, which is deleted with Orphan"
            self.edge(owner, name, Does.ORPHANS, why, (Event.ORPHAN,), None)

    def _owner(self, name: Name, reference: Any) -> Name | None:
        uid = field(reference, "uid")
        if isinstance(uid, str) and uid in self.by_uid:
            return self.by_uid[uid]
        kind, owner = field(reference, "kind"), field(reference, "name")
        version = field(reference, "apiVersion")
        if not (isinstance(kind, str) and isinstance(owner, str) and isinstance(version, str)):
            self.found.problems.append(f"{name}: an owner reference has no kind, name or version")
            return None
        group = version.rpartition("/")[0]
        for namespace in (name.namespace, ""):
            found = Name(group, kind, namespace, owner)
            if found in self.objects:
                return found
        return None

    def _add_definitions(self) -> None:
        by_kind: dict[tuple[str, str], list[Name]] = {}
        for name in self.objects:
            by_kind.setdefault((name.group, name.kind), []).append(name)
        for name, value in self.objects.items():
            if name.table_kind != "apiextensions.k8s.io/CustomResourceDefinition":
                continue
            kind = (field(value, "spec", "group"), field(value, "spec", "names", "kind"))
            if isinstance(kind[0], str) and isinstance(kind[1], str):
                for each in by_kind.get((kind[0], kind[1]), ()):
                    why = f"is a {each.kind}, which the definition `{name.name}` defines"
                    self.edge(name, each, Does.DESTROYS, why)

    def _claims(self, name: Name, value: Object) -> None:
        policy = field(value, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted")
        for claim in _claim_names(name, value):
            if policy == "Delete":
                why = "persistentVolumeClaimRetentionPolicy.whenDeleted is Delete"
                self.edge(name, claim, Does.DESTROYS, why, (Event.DESTROY,))
            else:
                why = "the claims of a StatefulSet stay, by persistentVolumeClaimRetentionPolicy"
                self.edge(name, claim, Does.NONE, why, GOES, None)

    def _volume(self, claim: Name) -> None:
        volume = self.volumes.get(claim)
        if volume is None:
            return
        if _reclaims(self.objects[volume]):
            self.edge(claim, volume, Does.DESTROYS, "the reclaim policy of its volume is Delete")
        else:
            why = "the reclaim policy is Retain: the volume stays, released"
            self.edge(claim, volume, Does.NONE, why, GOES, None)
        self.edge(volume, claim, Does.DESTROYS, "the claim has its data in this volume")

    def _snapshot(self, name: Name, value: Object) -> None:
        claim_name = field(value, "spec", "source", "persistentVolumeClaimName")
        claim = Name("", "PersistentVolumeClaim", name.namespace, str(claim_name))
        content = Name(
            name.group,
            "VolumeSnapshotContent",
            "",
            str(field(value, "status", "boundVolumeSnapshotContentName")),
        )
        holder = name
        if content in self.objects:
            policy = field(self.objects[content], "spec", "deletionPolicy")
            if policy == "Retain":
                why = "the deletion policy of the snapshot is Retain"
                self.edge(name, content, Does.NONE, why, GOES, None)
                holder = content
            else:
                self.edge(
                    name, content, Does.DESTROYS, "the deletion policy of the snapshot is Delete"
                )
        if claim in self.objects:
            for each in (claim, self.volumes.get(claim)):
                if each is not None:
                    way = WayBack(self.key(holder), self.key(each), "a snapshot of the volume")
                    self.found.ways_back.append(way)

    def _selected(self, service: Name, value: Object) -> None:
        selector = field(value, "spec", "selector")
        if not isinstance(selector, dict) or not selector:
            return
        for name, other in self.objects.items():
            if name.namespace != service.namespace:
                continue
            labels = field(other, "spec", "template", "metadata", "labels")
            if name.table_kind == "Pod":
                labels = field(other, "metadata", "labels")
            if isinstance(labels, dict) and selector.items() <= labels.items():
                why = f"Service `{service.name}` sends its traffic there"
                self.edge(name, service, Does.DISABLES, why, GOES, None)

    def _references(self, name: Name, value: Object) -> None:
        """What a workload, an Ingress or an autoscaler cannot do without."""
        for kind, group, referred, words in dict.fromkeys(_referred(value)):
            target = Name(group, kind, name.namespace, referred)
            if target in self.objects and target != name:
                why = f"{name.kind} `{name.name}` {words}"
                self.edge(target, name, Does.DISABLES, why, GOES, None)


def _referred(value: Object) -> Iterator[tuple[str, str, str, str]]:
    spec = field(value, "spec")
    for template in (
        field(spec, "template", "spec"),
        field(spec, "jobTemplate", "spec", "template", "spec"),
        spec,
    ):
        if not isinstance(template, dict):
            continue
        for volume in _list(template.get("volumes")):
            for kind, path in _VOLUMES.items():
                found = field(volume, *path)
                if isinstance(found, str):
                    yield kind, "", found, "mounts it"
        for container in (
            *_list(template.get("containers")),
            *_list(template.get("initContainers")),
        ):
            yield from _environment(container)
        account = template.get("serviceAccountName")
        if isinstance(account, str):
            yield "ServiceAccount", "", account, "runs as it"
    target = field(spec, "scaleTargetRef")
    kind, referred = field(target, "kind"), field(target, "name")
    version = field(target, "apiVersion")
    if isinstance(kind, str) and isinstance(referred, str) and isinstance(version, str):
        yield kind, version.rpartition("/")[0], referred, "scales it"
    for rule in _list(field(spec, "rules")):
        for path_ in _list(field(rule, "http", "paths")):
            service = field(path_, "backend", "service", "name")
            if isinstance(service, str):
                yield "Service", "", service, "routes to it"


def _environment(container: Any) -> Iterator[tuple[str, str, str, str]]:
    for each in _list(field(container, "envFrom")):
        for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            found = field(each, key, "name")
            if isinstance(found, str):
                yield kind, "", found, "reads its environment from it"
    for each in _list(field(container, "env")):
        for kind, key in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            found = field(each, "valueFrom", key, "name")
            if isinstance(found, str):
                yield kind, "", found, "reads its environment from it"


_VOLUMES = {
    "PersistentVolumeClaim": ("persistentVolumeClaim", "claimName"),
    "ConfigMap": ("configMap", "name"),
    "Secret": ("secret", "secretName"),
}


def _claim_names(name: Name, value: Object) -> Iterator[Name]:
    replicas = field(value, "spec", "replicas")
    count = replicas if isinstance(replicas, int) and not isinstance(replicas, bool) else 1
    for template in _list(field(value, "spec", "volumeClaimTemplates")):
        called = field(template, "metadata", "name")
        if isinstance(called, str):
            for number in range(min(max(count, 1), MAX_REPLICAS)):
                claim = f"{called}-{name.name}-{number}"
                yield Name("", "PersistentVolumeClaim", name.namespace, claim)


def _reclaims(volume: Object) -> bool:
    """Whether the storage goes with its claim; only Retain says that it stays."""
    return bool(field(volume, "spec", "persistentVolumeReclaimPolicy") != "Retain")


def _handle(volume: Object) -> str | None:
    for kind, key in _HANDLES.items():
        found = field(volume, "spec", kind, key)
        if isinstance(found, str) and found:
            # The in-tree driver of AWS writes `aws://ZONE/ID`.
            return found.rpartition("/")[2] if kind == "awsElasticBlockStore" else found
    return None


_HANDLES = {
    "csi": "volumeHandle",
    "awsElasticBlockStore": "volumeID",
    "gcePersistentDisk": "pdName",
    "azureDisk": "diskURI",
}
_QUANTITY = re.compile(r"(\d{1,15})(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?")
_UNITS = {
    unit: base**power
    for base, units in ((1024, ("Ki", "Mi", "Gi", "Ti", "Pi")), (1000, ("k", "M", "G", "T", "P")))
    for power, unit in enumerate(units, start=1)
}


def _bytes(value: Object) -> int | None:
    for path in (("capacity", "storage"), ("resources", "requests", "storage")):
        text = field(value, "spec", *path)
        match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
        if match is not None:
            size = int(match[1]) * _UNITS.get(match[2], 1)
            return size if size < 2**63 else None
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
