"""What Kubernetes manifests and admission reviews do: every cascade of the design, and what cannot be read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.plans.model import Change, Effect, Reading, Selector
from interlock.plans.sources import Options, detect
from interlock.plans.sources.kubernetes.source import ACTION_NAMES, compare, read

Json = dict[str, Any]


def kubernetes_object(kind: str, name: str = "x", namespace: str = "shop", **fields: Any) -> Json:
    """`apps/v1.StatefulSet` and its fields; an empty namespace is none."""
    version, _, kind = kind.rpartition(".")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    metadata |= fields.pop("metadata", {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def text_of(*objects: Json) -> str:
    """Documents, each as JSON, which is YAML."""
    return "\n---\n".join(json.dumps(each, indent=1) for each in objects)


def review(operation: str, **request: Any) -> Json:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"uid": "1", "operation": operation, **request},
    }


def changes_of(*objects: Json) -> tuple[Change, ...]:
    reading = read("a.yaml", text_of(*objects), Options())
    assert reading.problems == ()
    return reading.changes


def only(*objects: Json) -> Change:
    (change,) = changes_of(*objects)
    return change


def step(before: list[Json], after: list[Json]) -> list[Change]:
    """The changes from one state to the next that do something."""
    readings = compare(
        [("before.yaml", text_of(*before))] if before else [],
        [("after.yaml", text_of(*after))] if after else [],
        Options(),
    )
    assert [reading.problems for reading in readings] == [()] * len(readings)
    changes = [change for reading in readings for change in reading.changes]
    return [change for change in changes if change.action != "kubernetes.no_op"]


def one_step(before: Json | None, after: Json | None) -> Change:
    (change,) = step([before] if before else [], [after] if after else [])
    return change


def does(change: Change) -> tuple[str, str, str]:
    return change.action.partition(".")[2], str(change.effect), str(change.selector)


STATEFUL_SET = kubernetes_object(
    "apps/v1.StatefulSet",
    "db",
    spec={
        "replicas": 3,
        "serviceName": "db",
        "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
    },
)
CLAIM = kubernetes_object("v1.PersistentVolumeClaim", "data-db-0", spec={"volumeName": "pv0"})
VOLUME = kubernetes_object(
    "v1.PersistentVolume", "pv0", "", spec={"persistentVolumeReclaimPolicy": "Delete"}
)
RETAINED = kubernetes_object(
    "v1.PersistentVolume", "pv0", "", spec={"persistentVolumeReclaimPolicy": "Retain"}
)
NAMESPACE = kubernetes_object("v1.Namespace", "shop", "")
DEPLOYMENT = kubernetes_object(
    "apps/v1.Deployment",
    "web",
    spec={"template": {"spec": {"containers": [{"name": "web", "image": "web:1"}]}}},
)


def changed(value: Json, **fields: Any) -> Json:
    """The object with another specification."""
    return {**value, "spec": {**value.get("spec", {}), **fields}}


# How a change is said


def test_a_manifest_alone_creates_or_updates_and_says_what_is_unknown() -> None:
    change = only(DEPLOYMENT)
    assert does(change) == ("apply", "update", "one")
    assert change.unknown_until_apply == ("before",)
    assert "not known" in change.summary
    assert (change.resource.id, change.resource.kind) == (
        "Deployment.apps/shop/web",
        "apps/v1.Deployment",
    )
    assert change.operation == "apply Deployment"


def test_between_two_states_objects_are_made_changed_kept_and_deleted() -> None:
    config = kubernetes_object("v1.ConfigMap", "c", data={"a": "1"})
    other = kubernetes_object("v1.ConfigMap", "d", data={})
    found = step(
        [config, DEPLOYMENT, NAMESPACE], [{**config, "data": {"a": "2"}}, NAMESPACE, other]
    )
    assert [does(change) for change in found] == [
        ("delete", "update", "one"),
        ("update", "update", "one"),
        ("create", "create", "one"),
    ]
    assert [change.source.file for change in found] == ["before.yaml", "after.yaml", "after.yaml"]


def test_an_object_that_moves_to_another_file_or_version_is_the_same() -> None:
    old, new = (
        kubernetes_object(f"policy/{version}.PodDisruptionBudget", spec={"minAvailable": 1})
        for version in ("v1beta1", "v1")
    )
    readings = compare(
        [("a.yaml", text_of(old))], [("b.yaml", ""), ("c.yaml", text_of(new))], Options()
    )
    assert [change.action for each in readings for change in each.changes] == ["kubernetes.update"]


def test_what_the_server_stamps_is_no_change() -> None:
    stamped = {
        **NAMESPACE,
        "metadata": {**NAMESPACE["metadata"], "resourceVersion": "9", "uid": "u"},
    }
    assert step([NAMESPACE], [stamped]) == []


def test_a_review_of_an_update_says_both_states() -> None:
    change = only(
        review(
            "UPDATE",
            kind={"group": "apps", "version": "v1", "kind": "StatefulSet"},
            name="db",
            namespace="shop",
            oldObject=STATEFUL_SET,
            object=changed(STATEFUL_SET, replicas=0),
        )
    )
    assert does(change) == ("update", "update", "all")
    assert "3 → 0" in change.summary


def test_a_review_of_a_creation_and_a_deletion() -> None:
    assert does(only(review("CREATE", object=DEPLOYMENT))) == ("create", "create", "one")
    deleted = only(review("DELETE", name="web", namespace="shop", oldObject=DEPLOYMENT))
    assert does(deleted) == ("delete", "update", "one")
    assert deleted.operation == "delete Deployment"


def test_a_deletion_without_the_old_object_takes_the_worse() -> None:
    kind = {"group": "", "version": "v1", "kind": "PersistentVolume"}
    assert does(only(review("DELETE", kind=kind, name="pv0"))) == ("delete", "delete_data", "all")


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE", "DELETE"])
def test_a_dry_run_stores_nothing(operation: str) -> None:
    request: Json = {"name": "shop", "dryRun": True, "options": {"dryRun": ["All"]}}
    if operation != "CREATE":
        request["oldObject"] = NAMESPACE
    if operation != "DELETE":
        request["object"] = {**NAMESPACE, "metadata": {"name": "shop", "labels": {"a": "b"}}}
    assert does(only(review(operation, **request))) == ("dry_run", "read", "none")


@pytest.mark.parametrize(
    "said",
    [
        {"dryRun": "true"},
        {"dryRun": True, "options": {"dryRun": []}},
        {"options": {"dryRun": ["All"]}},
    ],
)
def test_a_dry_run_that_is_said_half_is_none(said: Json) -> None:
    assert only(review("DELETE", name="shop", oldObject=NAMESPACE, **said)).effect == "delete_data"


def test_a_command_in_a_pod_is_never_a_dry_run() -> None:
    resource = {"group": "", "version": "v1", "resource": "pods"}
    change = only(review("CONNECT", resource=resource, subResource="exec", name="p", dryRun=True))
    assert does(change) == ("exec", "execute", "one")


def test_lists_are_their_elements() -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": [DEPLOYMENT, NAMESPACE]}
    nested = {"apiVersion": "v1", "kind": "List", "items": [items, CLAIM]}
    assert [change.resource.name for change in changes_of(nested)] == ["web", "shop", "data-db-0"]


def test_an_element_of_a_typed_list_has_its_kind() -> None:
    typed = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleList",
        "items": [{"metadata": {"name": "r", "namespace": "shop"}, "rules": []}],
    }
    assert only(typed).resource.kind == "rbac.authorization.k8s.io/v1.Role"


def test_a_patch_that_deletes_is_a_deletion() -> None:
    change = only({**CLAIM, "$patch": "delete"})
    assert does(change) == ("delete", "delete_data", "all")
    assert change.unknown_until_apply == ("before",)


def test_a_change_stands_at_its_object_or_at_the_field_that_makes_it_bad() -> None:
    head = "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: pv0}\nspec:\n  capacity: 1Gi\n"
    before = f"{head}  persistentVolumeReclaimPolicy: Retain\n"
    after = f"# one\n---\n{head}  persistentVolumeReclaimPolicy: Delete\n"
    readings = compare([("b.yaml", before)], [("a.yaml", after)], Options())
    (change,) = [change for reading in readings for change in reading.changes]
    assert (change.source.file, change.source.line, change.source.column) == ("a.yaml", 8, 3)
    (alone,) = read("a.yaml", f"{head}", Options()).changes
    assert alone.source.line == 1


# What cannot be read


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"a": 1}, "no `apiVersion` and `kind`"),
        ({"apiVersion": "v1", "kind": "Secret"}, "no `metadata`"),
        ({"apiVersion": "v1", "kind": "Secret", "metadata": {}}, "no name"),
        ({"apiVersion": "v1", "kind": "List", "items": {}}, "`items` is not a list"),
        ({"apiVersion": "v1", "kind": "List", "items": [1]}, "not an object"),
        ({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}, "kustomize build"),
        ({**DEPLOYMENT, "$patch": "replace"}, "patch directive"),
        ({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}, "no `request`"),
        (review("DESTROY", object=DEPLOYMENT), "`operation`"),
        (review("UPDATE", oldObject=DEPLOYMENT), "no `object`"),
        (review("CREATE", name="x", kind={"kind": "Pod"}), "no `object`"),
        (review("CREATE", object=DEPLOYMENT, oldObject=DEPLOYMENT), "`oldObject`"),
        (review("DELETE", name="x"), "does not say the `kind`"),
        (review("UPDATE", object=[1]), "is not an object"),
        (review("CONNECT", object=DEPLOYMENT), "without a subresource"),
        (review("DELETE", subResource="odd", name="x", kind={"kind": "Pod"}), "`delete odd`"),
        (review("DELETE", name="other", oldObject=NAMESPACE), "different `name`"),
        (review("DELETE", kind={"kind": "Event", "version": "v1"}, oldObject=NAMESPACE), "different `kind`"),
        (review("DELETE", namespace="dev", oldObject=CLAIM), "different `namespace`"),
        (review("DELETE", kind={"group": "acme", "kind": "Deployment"}, oldObject=DEPLOYMENT), "different `group`"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_unread_change_with_the_reason(value: Json, named: str) -> None:
    change = only(value)
    assert does(change) == ("unread", "unknown", "unknown")
    assert named in (change.opaque or "")
    assert change.resource.type == "Unread"


def test_a_document_that_is_no_yaml_is_an_unread_change_and_the_others_are_read() -> None:
    reading = read("a.yaml", f"a: [\n---\n{json.dumps(NAMESPACE)}\n---\n- 1\n", Options())
    assert [does(change)[0] for change in reading.changes] == ["unread", "apply", "unread"]
    assert reading.changes[0].source.line == 2


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_a_file_without_objects_is_a_problem(text: str) -> None:
    reading = read("a.yaml", text, Options())
    assert reading.changes == ()
    assert reading.problems


def test_a_review_is_no_state_to_compare_with() -> None:
    found = step([review("DELETE", name="shop", oldObject=NAMESPACE)], [])
    assert [does(change)[0] for change in found] == ["unread"]


def test_the_deletion_of_an_unknown_kind_is_unknown() -> None:
    change = one_step(kubernetes_object("acme.example/v1.Thing"), None)
    assert (change.effect, change.selector) == ("unknown", "unknown")
    assert "`acme.example/Thing` is not in the taxonomy" in (change.opaque or "")


def test_names_cannot_pose_as_more() -> None:
    change = only(kubernetes_object("v1.ConfigMap", "a\n2 deletes b\x1b[2J"))
    assert change.summary.isprintable()
    assert change.resource.id.isprintable()


# Cascades


def test_a_namespace_takes_what_is_in_it() -> None:
    change = next(
        each for each in step([NAMESPACE, CLAIM, DEPLOYMENT], []) if each.resource.name == "shop"
    )
    assert does(change) == ("delete", "delete_data", "all")
    assert change.reversibility == "irreversible"
    assert "takes 2 known with it" in change.summary
    assert "PersistentVolumeClaim/shop/data-db-0" in change.summary


def test_a_namespace_is_the_same_in_a_review_and_in_a_manifest() -> None:
    change = only(review("DELETE", name="shop", namespace="shop", oldObject=NAMESPACE))
    assert change.resource.id == "Namespace/shop"
    assert change.effect == "delete_data"


def test_a_namespace_takes_the_ways_back_that_are_in_it() -> None:
    snapshot = kubernetes_object("snapshot.storage.k8s.io/v1.VolumeSnapshot", "s")
    change = next(each for each in step([NAMESPACE, snapshot], []) if each.resource.name == "shop")
    assert does(change) == ("delete", "delete_recovery", "all")


def test_a_definition_takes_every_resource_of_its_kind() -> None:
    definition = kubernetes_object(
        "apiextensions.k8s.io/v1.CustomResourceDefinition",
        "things.acme.example",
        "",
        spec={"group": "acme.example", "names": {"kind": "Thing", "plural": "things"}},
    )
    thing = kubernetes_object("acme.example/v1.Thing", "t")
    change = next(each for each in step([definition, thing], []) if each.resource.name != "t")
    assert does(change) == ("delete", "delete_data", "all")
    assert "Thing.acme.example/shop/t" in change.summary


def owned(value: Json, kind: str, name: str) -> Json:
    owner = {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "1"}
    return {**value, "metadata": {**value["metadata"], "ownerReferences": [owner]}}


def deleted(value: Json, world: tuple[Json, ...] = (), **options: Any) -> Change:
    """The deletion of an object, beside reviews that show others as they stand."""
    metadata = value["metadata"]
    asked = review(
        "DELETE",
        name=metadata["name"],
        namespace=metadata.get("namespace", ""),
        oldObject=value,
        options={"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", **options},
    )
    shown = [
        review("UPDATE", name=each["metadata"]["name"], object=each, oldObject=each)
        for each in world
    ]
    return changes_of(asked, *shown)[0]


@pytest.mark.parametrize("policy", ["Foreground", "Background"])
def test_what_is_owned_goes_with_its_owner(policy: str) -> None:
    claim = owned(CLAIM, "Deployment", "web")
    change = deleted(DEPLOYMENT, (claim,), propagationPolicy=policy)
    assert does(change) == ("delete", "delete_data", "all")
    assert "data-db-0" in change.summary


def test_a_long_chain_of_owners_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlock.plans.sources.kubernetes.cascades.MAX_STEPS", 20)
    chain = [kubernetes_object("v1.ConfigMap", "c0")]
    chain += [
        owned(kubernetes_object("v1.ConfigMap", f"c{n}"), "ConfigMap", f"c{n - 1}")
        for n in range(1, 30)
    ]
    change = step(chain, [])[0]
    assert change.opaque == "more goes with it than is counted here"


def test_what_is_owned_by_what_is_owned_goes_too() -> None:
    replica_set = owned(kubernetes_object("apps/v1.ReplicaSet", "web-1"), "Deployment", "web")
    claim = owned(CLAIM, "ReplicaSet", "web-1")
    assert deleted(DEPLOYMENT, (replica_set, claim)).effect == "delete_data"


def test_orphans_stay() -> None:
    claim = owned(CLAIM, "Deployment", "web")
    assert does(deleted(DEPLOYMENT, (claim,), propagationPolicy="Orphan")) == (
        "delete",
        "update",
        "one",
    )
    assert does(deleted(STATEFUL_SET, propagationPolicy="Orphan")) == ("delete", "update", "one")
    assert deleted(DEPLOYMENT, propagationPolicy="Orphan").operation == "delete Deployment (orphan)"
    assert deleted(DEPLOYMENT, propagationPolicy="Foreground").operation == "delete Deployment"


def test_no_kind_poses_as_an_orphaning_deletion() -> None:
    assert deleted(kubernetes_object("acme.example/v1.Orphan")).operation == "delete Orphan"
    posing = kubernetes_object("kubedb.com/v1.MySQL (orphan)")
    assert deleted(posing).action == "kubernetes.unread"


def test_orphaning_does_not_save_what_a_namespace_holds() -> None:
    assert deleted(NAMESPACE, propagationPolicy="Orphan").effect == "delete_data"


@pytest.mark.parametrize(
    ("policy", "effect"),
    [
        (None, "update"),
        ({"whenDeleted": "Retain"}, "update"),
        ({"whenScaled": "Delete"}, "update"),
        ({"whenDeleted": "Delete"}, "delete_data"),
        ({"whenDeleted": "Unheard"}, "delete_data"),
    ],
)
def test_claims_go_with_their_set_as_its_policy_says(policy: Json | None, effect: str) -> None:
    value = changed(STATEFUL_SET, persistentVolumeClaimRetentionPolicy=policy)
    change = one_step(value, None)
    assert does(change) == ("delete", effect, "all")


def test_claims_go_with_replicas_where_the_set_says_so() -> None:
    value = changed(STATEFUL_SET, persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"})
    assert does(one_step(value, changed(value, replicas=2))) == ("update", "delete_data", "all")
    assert does(one_step(value, changed(value, replicas=4))) == ("update", "update", "one")
    scale = review(
        "UPDATE",
        resource={"group": "apps", "version": "v1", "resource": "statefulsets"},
        subResource="scale",
        name="db",
        namespace="shop",
        oldObject={"spec": {"replicas": 3}},
        object={"spec": {"replicas": 2}},
    )
    shown = review("UPDATE", name="db", namespace="shop", object=value, oldObject=value)
    assert does(changes_of(scale, shown)[0]) == ("scale", "delete_data", "all")
    assert does(only(scale)) == ("scale", "update", "one")


def test_a_job_that_makes_backups_is_a_way_back() -> None:
    backup = kubernetes_object("batch/v1.CronJob", "db-backup", spec={"schedule": "0 3 * * *"})
    report = kubernetes_object("batch/v1.CronJob", "report", spec={"schedule": "0 3 * * *"})
    assert one_step(backup, None).effect == "disarm"
    assert one_step(backup, changed(backup, suspend=True)).effect == "disarm"
    assert one_step(backup, changed(backup, schedule="0 4 * * *")).effect == "update"
    assert one_step(report, None).effect == "update"
    assert one_step(report, changed(report, suspend=True)).effect == "update"


def test_a_claim_takes_its_disk_unless_its_volume_is_retained() -> None:
    assert deleted(CLAIM).effect == "delete_data"
    assert deleted(CLAIM, (VOLUME,)).effect == "delete_data"
    kept = deleted(CLAIM, (RETAINED,))
    assert (kept.effect, kept.reversibility) == ("update", "recoverable")


def test_a_claim_is_not_kept_by_a_volume_that_the_same_plan_lets_go() -> None:
    found = step([CLAIM, RETAINED], [VOLUME])
    assert {str(change.effect) for change in found} == {"disarm", "delete_data"}


def test_a_volume_that_is_only_in_the_plan_keeps_nothing() -> None:
    found = step([CLAIM], [RETAINED])
    assert [each.effect for each in found if each.action == "kubernetes.delete"] == ["delete_data"]


def test_a_volume_takes_its_disk_unless_it_is_retained() -> None:
    assert deleted(VOLUME).effect == "delete_data"
    assert deleted(RETAINED).effect == "update"


@pytest.mark.parametrize(
    ("policy", "effect"), [("Delete", "delete_recovery"), ("Retain", "update"), (None, "delete_recovery")]
)  # fmt: skip
def test_a_snapshot_goes_as_its_content_says(policy: str | None, effect: str) -> None:
    group = "snapshot.storage.k8s.io/v1"
    snapshot = kubernetes_object(
        f"{group}.VolumeSnapshot", "s", status={"boundVolumeSnapshotContentName": "c"}
    )
    content = kubernetes_object(
        f"{group}.VolumeSnapshotContent", "c", "", spec={"deletionPolicy": policy}
    )
    assert deleted(snapshot, (content,) if policy else ()).effect == effect
    assert deleted(content).effect == effect


def test_a_renamed_cluster_is_a_deletion_and_a_creation() -> None:
    old, new = (
        kubernetes_object("postgresql.cnpg.io/v1.Cluster", name, spec={"instances": 3})
        for name in ("pg", "postgres")
    )
    gone, made = step([old], [new])
    assert does(made) == ("create", "create", "one")
    assert does(gone) == ("delete", "delete_data", "all")
    assert "renamed to `shop/postgres`, which starts empty" in gone.summary


def test_a_move_to_another_namespace_is_a_deletion_and_a_creation() -> None:
    moved = {**CLAIM, "metadata": {"name": "data-db-0", "namespace": "other"}}
    gone, _ = step([CLAIM], [moved])
    assert gone.effect == "delete_data"
    assert "`other/data-db-0`" in gone.summary


@pytest.mark.parametrize(
    ("before", "field", "value", "effect"),
    [
        (STATEFUL_SET, "volumeClaimTemplates", [{"metadata": {"name": "new"}}], "update"),
        (STATEFUL_SET, "serviceName", "other", "update"),
        (CLAIM, "volumeName", "pv1", "delete_data"),
        (changed(STATEFUL_SET, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"}),
         "serviceName", "other", "delete_data"),
    ],
)  # fmt: skip
def test_what_cannot_change_in_place_is_replaced(
    before: Json, field: str, value: Any, effect: str
) -> None:
    change = one_step(before, changed(before, **{field: value}))
    assert does(change) == ("replace", effect, "all")


def test_a_new_release_in_another_namespace_replaces_nothing() -> None:
    release = kubernetes_object(
        "helm.toolkit.fluxcd.io/v2.HelmRelease", spec={"targetNamespace": "b"}
    )
    assert does(one_step(None, release)) == ("create", "create", "one")
    assert one_step(changed(release, targetNamespace="a"), release).effect == "delete_data"


def test_a_database_that_is_to_be_absent_is_dropped() -> None:
    value = kubernetes_object("postgresql.cnpg.io/v1.Database", spec={"ensure": "absent"})
    assert one_step(None, value).effect == "delete_data"
    assert only(value).effect == "delete_data"


def test_new_claim_templates_start_empty() -> None:
    after = changed(STATEFUL_SET, volumeClaimTemplates=[{"metadata": {"name": "new"}}])
    assert "new, empty volumes" in one_step(STATEFUL_SET, after).summary


def test_a_collection_is_all_of_it() -> None:
    kind = {"group": "", "version": "v1", "kind": "PersistentVolumeClaim"}
    assert does(only(review("DELETE", kind=kind, namespace="shop"))) == (
        "delete_collection",
        "delete_data",
        "all",
    )
    pods = {"group": "", "version": "v1", "kind": "Pod"}
    assert does(only(review("DELETE", kind=pods, namespace="shop"))) == (
        "delete_collection",
        "update",
        "all",
    )


def test_a_collection_that_shows_its_objects_is_each_of_them_too() -> None:
    old = {"apiVersion": "v1", "kind": "PersistentVolumeClaimList", "items": [CLAIM, CLAIM]}
    kind = {"group": "", "version": "v1", "kind": "PersistentVolumeClaim"}
    found = changes_of(review("DELETE", kind=kind, namespace="shop", oldObject=old))
    assert [does(change)[0] for change in found] == ["delete_collection", "delete", "delete"]


# What is taken off, raised and run

WEBHOOK = kubernetes_object(
    "admissionregistration.k8s.io/v1.ValidatingWebhookConfiguration",
    "guard",
    "",
    webhooks=[
        {"name": "a", "failurePolicy": "Fail", "rules": [{"operations": ["DELETE"]}]},
        {"name": "b", "failurePolicy": "Fail", "rules": []},
    ],
)


def webhooks(*edits: Json) -> Json:
    return {
        **WEBHOOK,
        "webhooks": [{**old, **new} for old, new in zip(WEBHOOK["webhooks"], edits, strict=False)],
    }


BUDGET = kubernetes_object("policy/v1.PodDisruptionBudget", "b", spec={"minAvailable": "50%"})
QUOTA = kubernetes_object("v1.ResourceQuota", "q", spec={"hard": {"pods": "10"}})
POLICY = kubernetes_object(
    "networking.k8s.io/v1.NetworkPolicy", "n", spec={"podSelector": {}, "ingress": []}
)
CLASS = kubernetes_object("storage.k8s.io/v1.StorageClass", "s", "", reclaimPolicy="Retain")
SCHEDULE = kubernetes_object(
    "velero.io/v1.Schedule", "daily", spec={"template": {"ttl": "720h0m0s"}}
)
CONSTRAINT = kubernetes_object(
    "constraints.gatekeeper.sh/v1beta1.K8sRequiredLabels", "c", "", spec={}
)
FINAL = {**CLAIM, "metadata": {**CLAIM["metadata"], "finalizers": ["kubernetes.io/pvc-protection"]}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (WEBHOOK, None),
        (WEBHOOK, webhooks({"failurePolicy": "Ignore"}, {})),
        (WEBHOOK, webhooks({})),
        (WEBHOOK, webhooks({"rules": []}, {})),
        (WEBHOOK, webhooks({"namespaceSelector": {"matchLabels": {"a": "b"}}}, {})),
        (BUDGET, None),
        (BUDGET, changed(BUDGET, minAvailable="10%")),
        (BUDGET, changed(BUDGET, minAvailable=None)),
        (BUDGET, changed(BUDGET, minAvailable=None, maxUnavailable="100%")),
        (POLICY, None),
        (POLICY, changed(POLICY, ingress=[{}])),
        (QUOTA, None),
        (QUOTA, changed(QUOTA, hard={"pods": "1000"})),
        (kubernetes_object("v1.LimitRange"), None),
        (RETAINED, VOLUME),
        (CLASS, {**CLASS, "reclaimPolicy": "Delete"}),
        (CLASS, {key: value for key, value in CLASS.items() if key != "reclaimPolicy"}),
        (SCHEDULE, changed(SCHEDULE, paused=True)),
        (SCHEDULE, changed(SCHEDULE, template={"ttl": "24h0m0s"})),
        (CONSTRAINT, changed(CONSTRAINT, enforcementAction="dryrun")),
        (CONSTRAINT, None),
        (FINAL, CLAIM),
        (STATEFUL_SET, changed(STATEFUL_SET, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})),
    ],
)  # fmt: skip
def test_a_protection_that_goes_is_disarmed(before: Json, after: Json | None) -> None:
    assert one_step(before, after).effect == "disarm"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BUDGET, changed(BUDGET, minAvailable="60%")),
        (SCHEDULE, changed(SCHEDULE, template={"ttl": "1000h"})),
        (VOLUME, RETAINED),
        (CLAIM, FINAL),
        (CONSTRAINT, changed(CONSTRAINT, enforcementAction="deny")),
        (DEPLOYMENT, changed(DEPLOYMENT, replicas=1)),
        (STATEFUL_SET, changed(STATEFUL_SET, replicas=5)),
    ],
)
def test_a_protection_that_grows_is_an_update(before: Json, after: Json) -> None:
    assert does(one_step(before, after)) == ("update", "update", "one")


@pytest.mark.parametrize(
    "value",
    [VOLUME, {**CLASS, "reclaimPolicy": "Delete"}, webhooks({"failurePolicy": "Ignore"}, {})],
)
def test_a_guard_that_an_apply_may_take_off_counts_as_taken_off(value: Json) -> None:
    change = only(value)
    assert change.action == "kubernetes.apply"
    assert change.effect in ("disarm", "escalate")
    assert one_step(None, VOLUME).effect == "create"


def test_a_protected_object_says_so() -> None:
    assert only(FINAL).resource.protected
    assert not only(CLAIM).resource.protected


def rule(**fields: Any) -> Json:
    return {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], **fields}


def role(*rules: Json, kind: str = "ClusterRole", **fields: Any) -> Json:
    namespace = "" if kind.startswith("Cluster") else "shop"
    return kubernetes_object(
        f"rbac.authorization.k8s.io/v1.{kind}", "r", namespace, rules=list(rules), **fields
    )


def binding(name: str, *subjects: str, kind: str = "ClusterRoleBinding") -> Json:
    namespace = "" if kind.startswith("Cluster") else "shop"
    return kubernetes_object(
        f"rbac.authorization.k8s.io/v1.{kind}",
        "b",
        namespace,
        roleRef={"kind": "ClusterRole", "name": name},
        subjects=[{"kind": "Group", "name": each} for each in subjects],
    )


@pytest.mark.parametrize(
    "value",
    [
        role(rule(apiGroups=["*"], resources=["*"], verbs=["*"])),
        role(rule(resources=["secrets"], verbs=["list"])),
        role(rule(resources=["*"])),
        role(rule(resources=["pods/exec"], verbs=["create"]), kind="Role"),
        role(rule(apiGroups=["rbac.authorization.k8s.io"], resources=["clusterroles"], verbs=["bind"])),
        role(rule(resources=["users"], verbs=["impersonate"], resourceNames=["root"])),
        role(rule(resources=["serviceaccounts/token"], verbs=["create"])),
        role(rule(resources=["nodes/proxy"])),
        role(aggregationRule={"clusterRoleSelectors": [{}]}),
        binding("cluster-admin", "dev"),
        binding("admin", "dev", kind="RoleBinding"),
        binding("view", "system:unauthenticated"),
        binding("never-heard-of", "dev"),
        kubernetes_object("v1.Secret", type="kubernetes.io/service-account-token"),
        WEBHOOK,
    ],
)  # fmt: skip
def test_rights_that_grow_are_an_escalation(value: Json) -> None:
    assert only(value).effect == "escalate"
    assert one_step(None, value).effect == "escalate"


@pytest.mark.parametrize(
    "value",
    [
        role(rule(verbs=["get", "list", "watch"])),
        role(rule(resources=["secrets"], verbs=["get"], resourceNames=["tls"])),
        role(rule(apiGroups=["apps"], resources=["*"], verbs=["get"])),
        binding("view", "dev"),
        kubernetes_object("v1.ServiceAccount"),
    ],
)
def test_narrow_rights_are_made(value: Json) -> None:
    assert does(one_step(None, value)) == ("create", "create", "one")


def test_only_what_is_added_escalates() -> None:
    broad = role(rule(resources=["*"], verbs=["*"]))
    labelled = {**broad, "metadata": {**broad["metadata"], "labels": {"a": "b"}}}
    assert one_step(broad, labelled).effect == "update"
    assert one_step(role(), broad).effect == "escalate"
    assert one_step(broad, role()).effect == "update"
    assert one_step(binding("cluster-admin", "dev"), None).effect == "update"
    assert (
        one_step(binding("cluster-admin", "dev"), binding("cluster-admin", "dev", "more")).effect
        == "escalate"
    )


def test_a_binding_is_as_broad_as_the_role_that_the_plan_shows() -> None:
    narrow, broad = role(rule()), role(rule(resources=["secrets"]))
    assert [change.effect for change in step([], [narrow, binding("r", "dev")])] == ["create"] * 2
    assert [change.effect for change in step([], [broad, binding("r", "dev")])] == ["escalate"] * 2


def pod(**specification: Any) -> Json:
    return kubernetes_object("v1.Pod", spec={"containers": [{"name": "a"}], **specification})


def in_container(**fields: Any) -> Json:
    return pod(containers=[{"name": "a", **fields}])


@pytest.mark.parametrize(
    "value",
    [
        pod(hostPID=True),
        pod(hostNetwork=True),
        pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
        in_container(securityContext={"privileged": True}),
        in_container(securityContext={"privileged": "y"}),
        in_container(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}),
        pod(initContainers=[{"name": "i", "securityContext": {"privileged": True}}]),
        changed(DEPLOYMENT, template={"spec": {"hostIPC": True}}),
    ],
)
def test_a_pod_that_reaches_its_node_is_an_escalation(value: Json) -> None:
    assert only(value).effect == "escalate"
    assert one_step(None, value).effect == "escalate"
    labelled = {**value, "metadata": {**value["metadata"], "labels": {"a": "b"}}}
    assert one_step(value, labelled).effect == "update"


@pytest.mark.parametrize(
    "value",
    [
        pod(),
        in_container(securityContext={"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}),
        in_container(securityContext={"privileged": False}, image="a:2"),
        pod(volumes=[{"name": "v", "emptyDir": {}}]),
    ],
)  # fmt: skip
def test_a_plain_pod_is_made(value: Json) -> None:
    assert does(one_step(None, value)) == ("create", "create", "one")


def test_another_image_is_an_update() -> None:
    newer = changed(
        DEPLOYMENT, template={"spec": {"containers": [{"name": "web", "image": "web:2"}]}}
    )
    assert does(one_step(DEPLOYMENT, newer)) == ("update", "update", "one")


def job(command: list[str]) -> Json:
    return kubernetes_object(
        "batch/v1.Job",
        spec={"template": {"spec": {"containers": [{"name": "a", "command": command}]}}},
    )


def test_a_job_is_made_for_its_command() -> None:
    assert one_step(None, job(["python", "wipe.py"])).effect == "execute"
    assert one_step(None, job([])).effect == "create"
    ran = job(["python", "wipe.py"])
    labelled = {**ran, "metadata": {**ran["metadata"], "labels": {"a": "b"}}}
    assert one_step(ran, labelled).effect == "update"


def test_a_server_with_a_program_of_its_own_is_made() -> None:
    value = changed(
        DEPLOYMENT,
        template={
            "spec": {"containers": [{"name": "a", "command": ["nginx", "-g", "daemon off;"]}]}
        },
    )
    assert one_step(None, value).effect == "create"


def test_a_command_that_destroys_is_known_wherever_it_hides() -> None:
    wipe = ["sh", "-c", "psql -c 'DROP TABLE users'"]
    assert one_step(None, job(wipe)).effect in ("delete_data", "execute")
    hook = {"name": "a", "lifecycle": {"postStart": {"exec": {"command": wipe}}}}
    value = changed(DEPLOYMENT, template={"spec": {"containers": [hook]}})
    assert one_step(None, value).effect == "delete_data"


def subresource(operation: str, resource: str, name: str, group: str = "", **rest: Any) -> Change:
    asked = {"group": group, "version": "v1", "resource": resource}
    return only(
        review(operation, resource=asked, subResource=name, name="x", namespace="shop", **rest)
    )


@pytest.mark.parametrize(
    ("operation", "resource", "name", "group", "rest", "expected"),
    [
        ("CONNECT", "pods", "exec", "", {"object": {"command": ["rm"]}}, ("exec", "execute", "one")),
        ("CONNECT", "pods", "attach", "", {}, ("attach", "execute", "one")),
        ("CONNECT", "pods", "portforward", "", {}, ("port_forward", "execute", "one")),
        ("CONNECT", "nodes", "proxy", "", {}, ("proxy", "execute", "one")),
        ("UPDATE", "pods", "ephemeralcontainers", "", {"object": {}}, ("debug", "execute", "one")),
        ("CREATE", "pods", "eviction", "", {"object": {"kind": "Eviction"}}, ("evict", "update", "one")),
        ("CREATE", "serviceaccounts", "token", "", {"object": {}}, ("issue_token", "escalate", "one")),
        ("UPDATE", "certificatesigningrequests", "approval", "certificates.k8s.io", {"object": {}},
         ("approve", "escalate", "one")),
        ("UPDATE", "namespaces", "finalize", "", {"object": {}}, ("finalize", "disarm", "all")),
        ("UPDATE", "statefulsets", "scale", "apps", {"object": {"spec": {}}}, ("scale", "update", "all")),
        ("UPDATE", "statefulsets", "scale", "apps", {"object": {"spec": {"replicas": 2}}}, ("scale", "update", "one")),
        ("UPDATE", "deployments", "scale", "apps", {"object": {"spec": {"replicas": 0}}}, ("scale", "update", "all")),
        ("UPDATE", "persistentvolumeclaims", "status", "", {"object": {}}, ("status", "update", "one")),
    ],
)  # fmt: skip
def test_subresources_are_what_they_do(
    operation: str,
    resource: str,
    name: str,
    group: str,
    rest: Json,
    expected: tuple[str, str, str],
) -> None:
    assert does(subresource(operation, resource, name, group, **rest)) == expected


def test_a_pod_of_a_set_that_is_deleted_without_waiting_may_write_twice() -> None:
    value = owned(pod(), "StatefulSet", "db")
    assert deleted(value).effect == "update"
    assert deleted(value, gracePeriodSeconds=0).effect == "disarm"
    assert deleted(pod(), gracePeriodSeconds=0).effect == "update"


def test_an_order_to_delete_is_the_deletion() -> None:
    value = kubernetes_object("velero.io/v1.DeleteBackupRequest", spec={"backupName": "b"})
    assert does(only(value)) == ("apply", "delete_recovery", "all")
    assert does(one_step(None, value)) == ("create", "delete_recovery", "all")


def test_an_application_without_a_finalizer_leaves_what_it_deployed() -> None:
    value = kubernetes_object("argoproj.io/v1alpha1.Application", "a")
    assert one_step(value, None).effect == "update"
    held = {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}
    value = kubernetes_object("argoproj.io/v1alpha1.Application", "a", metadata=held)
    assert one_step(value, None).effect == "delete_data"


def test_a_secret_is_never_quoted() -> None:
    old, new = (
        kubernetes_object("v1.Secret", data={"key": value}) for value in ("aGFsbG8=", "d2VsdA==")
    )
    text = (
        one_step(old, new).model_dump_json()
        + one_step({**old, "immutable": True}, new).model_dump_json()
    )
    assert "aGFsbG8=" not in text
    assert "d2VsdA==" not in text


# Detection


@pytest.mark.parametrize(
    ("file", "text", "kind"),
    [
        ("a.yaml", "apiVersion: v1\nkind: Pod\n", "kubernetes"),
        ("-", "---\nkind: Pod\napiVersion: v1\n", "kubernetes"),
        ("review.json", json.dumps(review("DELETE")), "kubernetes"),
        ("plan.json", '{"format_version": "1.2", "resource_changes": []}', "terraform"),
        ("-", '{"terraform_version": "1.9.0"}', "terraform"),
        ("x.json", '{"resource_changes": [{"change": {"after": {"apiVersion": "v1", "kind": "Pod"}}}]}', "terraform"),
        ("x.json", '{"resource_changes": [{"after": {"apiVersion": "v1", "kind": "Po', "terraform"),
        ("x.json", json.dumps(kubernetes_object("v1.ConfigMap", data={"plan": '"resource_changes"'})), "kubernetes"),
        ("a.tfplan", "PK", "terraform"),
        ("a.sh", "kubectl apply -f - <<EOF\napiVersion: v1\nkind: Pod\nEOF\n", "shell"),
        ("-", "#!/bin/sh\nkubectl apply -f - <<EOF\napiVersion: v1\nkind: Pod\nEOF\n", "shell"),
    ],
)  # fmt: skip
def test_neither_source_takes_the_files_of_the_other(file: str, text: str, kind: str) -> None:
    source = detect(file, text)
    assert source is not None
    assert source.kind == kind


# Whatever comes

names = st.sampled_from(["x", "db", "shop", ""])
kinds = st.sampled_from(
    ["v1.Namespace", "v1.Pod", "v1.PersistentVolumeClaim", "apps/v1.StatefulSet", "v1.Secret",
     "rbac.authorization.k8s.io/v1.ClusterRole", "rbac.authorization.k8s.io/v1.RoleBinding",
     "admissionregistration.k8s.io/v1.ValidatingWebhookConfiguration", "velero.io/v1.Schedule",
     "apiextensions.k8s.io/v1.CustomResourceDefinition", "acme.example/v1.Thing"]
)  # fmt: skip
keys = st.sampled_from(
    ["spec", "metadata", "labels", "finalizers", "ownerReferences", "rules", "verbs", "subjects",
     "roleRef", "kind", "name", "webhooks", "template", "containers", "command", "volumes",
     "volumeClaimTemplates", "persistentVolumeClaimRetentionPolicy", "whenDeleted", "spec", "spec",
     "replicas", "minAvailable", "ttl", "items", "status", "apiGroups", "namespace"]
)  # fmt: skip
junk = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["*", "x", "0", "Delete", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
bodies = st.dictionaries(keys, junk, max_size=5)


@st.composite
def objects(draw: st.DrawFn) -> Json:
    return {**kubernetes_object(draw(kinds), draw(names)), **draw(bodies)}


def review_of(request: Json) -> Json:
    return {**review(""), "request": request}


requests = st.fixed_dictionaries(
    {"operation": st.sampled_from(["CREATE", "UPDATE", "DELETE", "CONNECT", "", "x"])},
    optional={
        "object": objects() | junk,
        "oldObject": objects() | junk,
        "kind": junk,
        "resource": junk | st.just({"group": "apps", "resource": "statefulsets"}),
        "subResource": st.sampled_from(["scale", "exec", "status", "", "x"]) | junk,
        "options": junk,
        "name": junk,
        "namespace": junk,
        "dryRun": junk,
    },
)


def well_formed(reading: Reading, count: int) -> None:
    assert len(reading.changes) >= count
    assert not reading.problems or not reading.changes
    for change in reading.changes:
        assert change.action in ACTION_NAMES
        assert (change.effect is Effect.UNKNOWN) == (change.selector is Selector.UNKNOWN)
        assert (change.effect is Effect.UNKNOWN) == (change.opaque is not None)


@given(
    st.lists(
        objects() | requests.map(review_of) | junk.filter(lambda value: value is not None),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_a_document_holds_is_a_change(values: list[Any]) -> None:
    lists = sum(
        isinstance(value, dict) and isinstance(value.get("items"), list) for value in values
    )
    well_formed(read("a.yaml", text_of(*values), Options()), len(values) - lists)


def identity(value: Json) -> str:
    metadata = value["metadata"]
    name = metadata.get("name") if isinstance(metadata, dict) else metadata
    return json.dumps([value["apiVersion"].rpartition("/")[0], value["kind"], name])


states = st.lists(objects(), max_size=4, unique_by=identity)


@given(states, states)
def test_whatever_two_states_hold_is_compared(before: list[Json], after: list[Json]) -> None:
    readings = compare([("b", text_of(*before))], [("a", text_of(*after))], Options())
    assert len(readings) == 2
    for reading in readings:
        well_formed(reading, 0)
    same = compare([("b", text_of(*before))], [("a", text_of(*before))], Options())
    harm = {each.effect for reading in same for each in reading.changes}
    assert harm <= {Effect.READ, Effect.UNKNOWN}
