"""What the API server deletes along with what, each cascade from manifests to a radius."""

from typing import Any

import pytest
import yaml
from graphs import NOW, change, plan

from interlock.plans.blast import Radius, radius
from interlock.plans.blast_score import Fate
from interlock.plans.blast_spread import Harm
from interlock.plans.graph import Graph, build
from interlock.plans.graph_builders import kubernetes
from interlock.plans.model import Asset, Identity, Plan, numbered
from interlock.plans.sources import Options
from interlock.plans.sources.kubernetes.source import compare


def manifest(kind: str, name: str, namespace: str = "shop", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    metadata |= fields.pop("metadata", {})
    version = fields.pop("version", "v1")
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def graph_of(*objects: dict[str, Any]) -> Graph:
    return build([kubernetes.build([("all.yaml", yaml.safe_dump_all(objects))])], NOW)


def deleted(some: Graph, id: str, operation: str = "delete") -> Radius:
    asset = Asset(type="KubernetesResource", id=id, name=id, kind="v1.X", stateful=True)
    asked = change(id, "kubernetes.delete", resource=asset, operation=operation)
    found = radius(plan(asked), some, NOW)
    assert found.unmapped == ()
    return found


def harms(found: Radius) -> dict[str, str]:
    return {each.resource.id: str(each.harm) for each in found.reached}


def owner(kind: str, name: str, version: str = "apps/v1") -> dict[str, Any]:
    return {"ownerReferences": [{"apiVersion": version, "kind": kind, "name": name}]}


NAMESPACE = manifest("Namespace", "shop", "")
CLAIM = manifest("PersistentVolumeClaim", "data", spec={"volumeName": "pv"})
SET = manifest(
    "StatefulSet",
    "db",
    version="apps/v1",
    spec={"replicas": 2, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]},
)


def volume(policy: str, **spec: Any) -> dict[str, Any]:
    return manifest(
        "PersistentVolume", "pv", "", spec={"persistentVolumeReclaimPolicy": policy, **spec}
    )


def test_a_namespace_takes_what_is_in_it() -> None:
    some = graph_of(NAMESPACE, manifest("Secret", "key"), manifest("Secret", "other", "elsewhere"))
    assert harms(deleted(some, "Namespace/shop")) == {
        "Namespace/shop": "destroyed",
        "Secret/shop/key": "destroyed",
    }


def test_a_namespace_that_no_manifest_shows_is_known_by_what_is_in_it() -> None:
    some = graph_of(manifest("Secret", "key"))
    assert "Secret/shop/key" in harms(deleted(some, "Namespace/shop"))


def test_a_definition_takes_every_object_of_its_kind() -> None:
    definition = manifest(
        "CustomResourceDefinition",
        "clusters.example.org",
        "",
        version="apiextensions.k8s.io/v1",
        spec={"group": "example.org", "names": {"kind": "Cluster"}},
    )
    other = manifest("Cluster", "c", version="other.org/v1")
    some = graph_of(definition, manifest("Cluster", "a", version="example.org/v1"), other)
    found = harms(
        deleted(some, "CustomResourceDefinition.apiextensions.k8s.io/clusters.example.org")
    )
    assert set(found) == {
        "CustomResourceDefinition.apiextensions.k8s.io/clusters.example.org",
        "Cluster.example.org/shop/a",
    }


def test_what_is_owned_goes_with_its_owner_and_what_that_owns() -> None:
    replicas = manifest("ReplicaSet", "r", version="apps/v1", metadata=owner("Deployment", "d"))
    pod = manifest("Pod", "p", metadata=owner("ReplicaSet", "r"))
    some = graph_of(manifest("Deployment", "d", version="apps/v1"), replicas, pod)
    found = deleted(some, "Deployment.apps/shop/d")
    assert harms(found)["Pod/shop/p"] == "destroyed"
    path = found.by_key["kubernetes:cluster:Pod/shop/p"].path
    assert [each.why for each in path] == [
        "is owned by Deployment `d`",
        "is owned by ReplicaSet `r`",
    ]


def test_orphan_leaves_what_is_owned() -> None:
    replicas = manifest("ReplicaSet", "r", version="apps/v1", metadata=owner("Deployment", "d"))
    pod = manifest("Pod", "p", metadata=owner("ReplicaSet", "r"))
    some = graph_of(manifest("Deployment", "d", version="apps/v1"), replicas, pod)
    found = harms(deleted(some, "Deployment.apps/shop/d", "delete Deployment (orphan)"))
    assert found == {"Deployment.apps/shop/d": "destroyed", "ReplicaSet.apps/shop/r": "orphaned"}


def test_an_owner_is_meant_by_its_uid_first() -> None:
    one = manifest("Deployment", "d", version="apps/v1", metadata={"uid": "1"})
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "renamed", "uid": "1"}
    pod = manifest("Pod", "p", metadata={"ownerReferences": [reference]})
    assert "Pod/shop/p" in harms(deleted(graph_of(one, pod), "Deployment.apps/shop/d"))


def test_the_claims_of_a_stateful_set_stay() -> None:
    found = deleted(graph_of(SET), "StatefulSet.apps/shop/db")
    assert set(harms(found)) == {"StatefulSet.apps/shop/db"}
    stay = sorted(edge.target.rpartition("/")[2] for edge, _ in found.stopped)
    assert stay == ["data-db-0", "data-db-1"]


def test_the_claims_of_a_stateful_set_go_when_it_says_so() -> None:
    spec = {**SET["spec"], "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}
    found = deleted(graph_of({**SET, "spec": spec}), "StatefulSet.apps/shop/db")
    assert harms(found)["PersistentVolumeClaim/shop/data-db-1"] == "destroyed"


def test_the_volume_goes_with_its_claim_when_it_is_reclaimed() -> None:
    found = deleted(graph_of(CLAIM, volume("Delete")), "PersistentVolumeClaim/shop/data")
    assert harms(found)["PersistentVolume/pv"] == "destroyed"
    assert found.by_key["kubernetes:cluster:PersistentVolume/pv"].fate is Fate.LOST


def test_the_volume_stays_when_it_is_retained() -> None:
    found = deleted(graph_of(CLAIM, volume("Retain")), "PersistentVolumeClaim/shop/data")
    assert set(harms(found)) == {"PersistentVolumeClaim/shop/data"}
    assert [edge.why for edge, _ in found.stopped] == [
        "the reclaim policy is Retain: the volume stays, released"
    ]


def test_a_volume_says_itself_which_claim_it_is_bound_to() -> None:
    claim = manifest("PersistentVolumeClaim", "data")
    bound = volume("Delete", claimRef={"name": "data", "namespace": "shop"})
    found = harms(deleted(graph_of(claim, bound), "PersistentVolumeClaim/shop/data"))
    assert found["PersistentVolume/pv"] == "destroyed"


def test_from_namespace_to_volume_in_one_path() -> None:
    found = deleted(graph_of(NAMESPACE, CLAIM, volume("Delete")), "Namespace/shop")
    path = found.by_key["kubernetes:cluster:PersistentVolume/pv"].path
    assert [each.why for each in path] == [
        "is in the namespace `shop`",
        "the reclaim policy of its volume is Delete",
    ]


SNAPSHOT = manifest(
    "VolumeSnapshot",
    "nightly",
    version="snapshot.storage.k8s.io/v1",
    spec={"source": {"persistentVolumeClaimName": "data"}},
    status={"boundVolumeSnapshotContentName": "content"},
)


def content(policy: str) -> dict[str, Any]:
    version = "snapshot.storage.k8s.io/v1"
    return manifest(
        "VolumeSnapshotContent", "content", "", version=version, spec={"deletionPolicy": policy}
    )


def test_a_snapshot_brings_back_the_volume_of_a_claim() -> None:
    found = deleted(
        graph_of(CLAIM, volume("Delete"), SNAPSHOT, content("Delete")),
        "PersistentVolumeClaim/shop/data",
    )
    assert found.by_key["kubernetes:cluster:PersistentVolume/pv"].fate is Fate.RETURNS


@pytest.mark.parametrize(("policy", "fate"), [("Delete", Fate.LOST), ("Retain", Fate.RETURNS)])
def test_a_namespace_takes_its_snapshots_unless_their_content_is_retained(
    policy: str, fate: Fate
) -> None:
    some = graph_of(NAMESPACE, CLAIM, volume("Delete"), SNAPSHOT, content(policy))
    found = deleted(some, "Namespace/shop")
    assert found.by_key["kubernetes:cluster:PersistentVolume/pv"].fate is fate
    assert bool(found.recovery) is (fate is Fate.LOST)


def test_a_service_loses_the_pods_it_selects() -> None:
    labels = {"app": "db", "tier": "back"}
    workload = manifest(
        "Deployment", "d", version="apps/v1", spec={"template": {"metadata": {"labels": labels}}}
    )
    chosen = manifest("Service", "s", spec={"selector": {"app": "db"}})
    other = manifest("Service", "o", spec={"selector": {"app": "web"}})
    found = harms(deleted(graph_of(workload, chosen, other), "Deployment.apps/shop/d"))
    assert found == {"Deployment.apps/shop/d": "destroyed", "Service/shop/s": "disabled"}


def test_a_workload_cannot_do_without_what_it_mounts() -> None:
    template = {
        "spec": {
            "volumes": [{"secret": {"secretName": "key"}}],
            "containers": [{"envFrom": [{"configMapRef": {"name": "settings"}}]}],
        }
    }
    workload = manifest("Deployment", "d", version="apps/v1", spec={"template": template})
    some = graph_of(workload, manifest("Secret", "key"), manifest("ConfigMap", "settings"))
    for name in ("Secret/shop/key", "ConfigMap/shop/settings"):
        assert harms(deleted(some, name))["Deployment.apps/shop/d"] == "disabled"


def test_renaming_what_holds_data_destroys_it() -> None:
    """A rename is a deletion and a creation; the deletion has the radius."""
    before = [("a.yaml", yaml.safe_dump_all([CLAIM, volume("Delete")]))]
    renamed = {**CLAIM, "metadata": {"name": "other", "namespace": "shop"}}
    after = [("b.yaml", yaml.safe_dump_all([renamed, volume("Delete")]))]
    readings = compare(before, after, Options())
    asked = Plan(
        author=Identity(type="Agent", id="bot"),
        environment="production",
        artifacts=tuple(each.artifact for each in readings),
        changes=numbered(one for each in readings for one in each.changes),
    )
    found = radius(asked, graph_of(CLAIM, volume("Delete")), NOW)
    volumes = [each for each in found.reached if each.resource.id == "PersistentVolume/pv"]
    assert [(each.harm, each.fate) for each in volumes] == [(Harm.DESTROYED, Fate.LOST)]


def test_what_cannot_be_read_is_a_problem() -> None:
    found = kubernetes.build([("a.yaml", "kind: [")])
    assert found.problems and found.problems[0].startswith("a.yaml:2: ")
