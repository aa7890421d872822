# ruff: noqa: E501  # A case is one line of the tables.
"""Ways in which clusters lose data, by an agent in production, each beside what a team does every day."""

from collections import Counter

import kubernetes_cases
import pytest

import interlock
from interlock.compiler.decision import Outcome
from interlock.gate.gate import Verdict, gate
from interlock.plans.model import Identity, Plan, numbered
from interlock.plans.sources import Options
from interlock.plans.sources.kubernetes.source import compare, read_all
from interlock.policies import Policies

AGENT = Identity(type="Agent", id="bot")

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: flags, namespace: shop}\ndata: {new: 'off'}\n"
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data-db-0, namespace: shop}
spec: {resources: {requests: {storage: 10Gi}}, storageClassName: fast, accessModes: [ReadWriteOnce]}
"""
VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv0}
spec: {persistentVolumeReclaimPolicy: Retain, csi: {driver: ebs.csi.aws.com, volumeHandle: vol-1}}
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template: {spec: {containers: [{name: web, image: "shop/web:1.4"}]}}
"""
STATEFUL_SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  replicas: 3
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {spec: {containers: [{name: db, image: "postgres:16.3"}]}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast}}]
"""
CLUSTER = """
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg, namespace: shop}
spec: {instances: 3, storage: {size: 20Gi}, backup: {retentionPolicy: 30d}}
"""
RELEASE = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: flux-system}
spec: {chart: {spec: {chart: shop, version: 1.2.0}}, releaseName: shop, values: {image: {tag: "1.4"}}}
"""
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: clusters.postgresql.cnpg.io}
spec: {group: postgresql.cnpg.io, scope: Namespaced, names: {kind: Cluster, plural: clusters}, versions: [{name: v1}]}
"""
BUDGET = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: db, namespace: shop}
spec: {minAvailable: 2, selector: {matchLabels: {app: db}}}
"""
WEBHOOK = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: gatekeeper}
webhooks: [{name: validation.gatekeeper.sh, failurePolicy: Fail, rules: [{operations: [DELETE]}]}]
"""
SNAPSHOT = """
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {name: nightly, namespace: shop}
spec: {source: {persistentVolumeClaimName: data-db-0}}
"""
SCHEDULE = """
apiVersion: velero.io/v1
kind: Schedule
metadata: {name: daily, namespace: velero}
spec: {schedule: "0 3 * * *", template: {ttl: 720h0m0s, includedNamespaces: [shop]}}
"""
CREDENTIALS = """
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}
stringData: {password: "from a store"}
"""
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
"""
NETWORK = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: []}
"""
QUOTA = """
apiVersion: v1
kind: ResourceQuota
metadata: {name: shop, namespace: shop}
spec: {hard: {persistentvolumeclaims: "5"}}
"""
APPLICATION = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec: {source: {targetRevision: v1}, destination: {namespace: shop}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: web, image: "shop/web:1.4"}]}
"""
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: task, namespace: shop}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: task, image: shop/tool}]}}}
"""


def review(operation: str, request: str) -> str:
    return f"apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest:\n  operation: {operation}\n{request}"


def exec_into(command: str) -> str:
    return review(
        "CONNECT",
        "  resource: {group: '', version: v1, resource: pods}\n  subResource: exec\n  name: db-0\n"
        f"  namespace: shop\n  object: {{kind: PodExecOptions, command: {command}}}\n",
    )


def scale(resource: str, replicas: int) -> str:
    return review(
        "UPDATE",
        f"  resource: {{group: apps, version: v1, resource: {resource}}}\n  subResource: scale\n"
        f"  name: db\n  namespace: shop\n  object: {{spec: {{replicas: {replicas}}}}}\n",
    )


DANGEROUS: dict[str, tuple[str | None, str]] = {
    "kubectl delete namespace shop": (NAMESPACE, ""),
    "kubectl delete crd clusters.postgresql.cnpg.io": (DEFINITION, ""),
    "kubectl delete pvc data-db-0": (CLAIM, ""),
    "kubectl delete pvc --all": (None, review("DELETE", "  kind: {group: '', version: v1, kind: PersistentVolumeClaim}\n  namespace: shop\n")),
    "kubectl delete statefulset db": (STATEFUL_SET, ""),
    "kubectl scale statefulset db --replicas=0": (None, scale("statefulsets", 0)),
    "kubectl scale deployment db --replicas=0": (None, scale("deployments", 0)),
    "replicas: 0 in the manifest": (STATEFUL_SET, STATEFUL_SET.replace("replicas: 3", "replicas: 0")),
    "replicas: 0 with no state to compare": (None, STATEFUL_SET.replace("replicas: 3", "replicas: 0")),
    "StatefulSet renamed": (STATEFUL_SET, STATEFUL_SET.replace("name: db, namespace", "name: database, namespace")),
    "volumeClaimTemplates renamed": (STATEFUL_SET, STATEFUL_SET.replace("name: data}", "name: fresh}")),
    "claim moved to another class": (CLAIM, CLAIM.replace("fast", "slow")),
    "claims deleted with their set": (STATEFUL_SET, STATEFUL_SET.replace("  replicas", "  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}\n  replicas")),
    "Retain to Delete": (VOLUME, VOLUME.replace("Retain", "Delete")),
    "CNPG Cluster renamed (homelab, 2026-04)": (CLUSTER, CLUSTER.replace("name: pg", "name: postgres")),
    "CNPG Cluster with fewer instances": (CLUSTER, CLUSTER.replace("instances: 3", "instances: 1")),
    "CNPG backups removed": (CLUSTER, CLUSTER.replace(", backup: {retentionPolicy: 30d}", "")),
    "HelmRelease renamed (homelab, 2026-04)": (RELEASE, RELEASE.replace("name: shop, namespace", "name: store, namespace")),
    "HelmRelease in another namespace": (RELEASE, RELEASE.replace("spec: {chart", "spec: {targetNamespace: other, chart")),
    "Argo CD Application deleted": (APPLICATION, ""),
    "disruption budget deleted": (BUDGET, ""),
    "disruption budget loosened": (BUDGET, BUDGET.replace("minAvailable: 2", "minAvailable: 0")),
    "admission webhook deleted": (WEBHOOK, ""),
    "admission webhook ignored": (WEBHOOK, WEBHOOK.replace("Fail,", "Ignore,")),
    "admission webhook narrowed": (WEBHOOK, WEBHOOK.replace("[{operations: [DELETE]}]", "[]")),
    "network policy deleted": (NETWORK, ""),
    "network policy opened": (NETWORK, NETWORK.replace("ingress: []", "ingress: [{}]")),
    "quota deleted": (QUOTA, ""),
    "snapshot deleted": (SNAPSHOT, ""),
    "backup schedule deleted": (SCHEDULE, ""),
    "backup schedule paused": (SCHEDULE, SCHEDULE.replace("spec: {", "spec: {paused: true, ")),
    "backups expire sooner": (SCHEDULE, SCHEDULE.replace("720h", "1h")),
    "velero backup delete": (None, "apiVersion: velero.io/v1\nkind: DeleteBackupRequest\nmetadata: {name: x, namespace: velero}\nspec: {backupName: b}\n"),
    "secret deleted": (CREDENTIALS, ""),
    "finalizer patched away": (CLAIM.replace("shop}", "shop, finalizers: [kubernetes.io/pvc-protection]}"), CLAIM),
    "namespace finalized": (None, review("UPDATE", "  resource: {group: '', version: v1, resource: namespaces}\n  subResource: finalize\n  name: shop\n  object: {}\n")),
    "cluster-admin bound": (None, "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: x}\nroleRef: {kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: ServiceAccount, name: bot}]\n"),
    "role with wildcards": (ROLE, ROLE.replace("[pods]", "['*']").replace("[get, list]", "['*']")),
    "token of an account": (None, review("CREATE", "  resource: {group: '', version: v1, resource: serviceaccounts}\n  subResource: token\n  name: admin\n  object: {}\n")),
    "kubectl exec -- rm -rf /data": (None, exec_into("[rm, -rf, /data]")),
    "privileged pod": (None, POD.replace("image:", "securityContext: {privileged: true}, image:")),
    "pod on the node's files": (None, POD.replace("spec: {", "spec: {volumes: [{name: v, hostPath: {path: /}}], ")),
    "job with a script": (None, JOB.replace("image: shop/tool", "image: shop/tool, command: [python, wipe.py]")),
    "pod forced away": (None, review("DELETE", "  name: db-0\n  namespace: shop\n  options: {gracePeriodSeconds: 0}\n  oldObject: {apiVersion: v1, kind: Pod, metadata: {name: db-0, namespace: shop, ownerReferences: [{kind: StatefulSet, name: db}]}}\n")),
    "unknown kind deleted": ("apiVersion: acme.example/v1\nkind: Ledger\nmetadata: {name: x, namespace: shop}\n", ""),
    "exempt from policies": (None, "apiVersion: kyverno.io/v2\nkind: PolicyException\nmetadata: {name: x, namespace: shop}\nspec: {}\n"),
    "recipe instead of objects": (None, "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\n"),
    "a template that was not rendered": (None, "apiVersion: v1\nkind: Secret\nmetadata: {name: {{ .Release.Name }}}\n"),
    "a key that stands twice": (None, VOLUME + "spec: {persistentVolumeReclaimPolicy: Delete}\n"),
}  # fmt: skip

BENIGN: dict[str, tuple[str | None, str]] = {
    "namespace made": (None, NAMESPACE),
    "namespace labelled": (NAMESPACE, NAMESPACE.replace("{name: shop}", "{name: shop, labels: {team: a}}")),
    "custom resource definition with one more version": (DEFINITION, DEFINITION.replace("[{name: v1}]", "[{name: v1}, {name: v2}]")),
    "claim made": (None, CLAIM),
    "claim grown": (CLAIM, CLAIM.replace("10Gi", "20Gi")),
    "claim of a retained volume deleted": (f"{VOLUME}---{CLAIM.replace('spec: {', 'spec: {volumeName: pv0, ')}", VOLUME),
    "stateful set grown": (STATEFUL_SET, STATEFUL_SET.replace("replicas: 3", "replicas: 5")),
    "kubectl scale statefulset db --replicas=5": (None, scale("statefulsets", 5)),
    "kubectl scale deployment db --replicas=1": (None, scale("deployments", 1)),
    "new image of a database": (STATEFUL_SET, STATEFUL_SET.replace("16.3", "16.4")),
    "Delete to Retain": (VOLUME.replace("Retain", "Delete"), VOLUME),
    "CNPG Cluster with more instances": (CLUSTER, CLUSTER.replace("instances: 3", "instances: 5")),
    "HelmRelease upgraded": (RELEASE, RELEASE.replace("1.2.0", "1.3.0")),
    "Argo CD Application at another revision": (APPLICATION, APPLICATION.replace("v1}", "v2}")),
    "disruption budget tightened": (BUDGET, BUDGET.replace("minAvailable: 2", "minAvailable: 3")),
    "admission webhook fails closed": (WEBHOOK.replace("Fail,", "Ignore,"), WEBHOOK),
    "network policy made": (None, NETWORK),
    "snapshot made": (None, SNAPSHOT),
    "backup schedule made": (None, SCHEDULE),
    "backups kept longer": (SCHEDULE, SCHEDULE.replace("720h", "1440h")),
    "secret made": (None, CREDENTIALS),
    "narrow role": (None, ROLE),
    "deployment made": (None, DEPLOYMENT),
    "deployment rolled out": (DEPLOYMENT, DEPLOYMENT.replace("1.4", "1.5")),
    "deployment deleted": (DEPLOYMENT, ""),
    "configuration changed": (CONFIG, CONFIG.replace("off", "on")),
    "configuration deleted": (CONFIG, ""),
    "pod made": (None, POD),
    "pod deleted": (POD, ""),
    "job of an image": (None, JOB),
    "nothing": (STATEFUL_SET, STATEFUL_SET),
    "dry run of a deletion": (None, review("DELETE", "  name: shop\n  dryRun: true\n  oldObject: {apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n")),
    "question": (None, "apiVersion: authorization.k8s.io/v1\nkind: SelfSubjectAccessReview\nmetadata: {name: x}\nspec: {}\n"),
    "new object of an unknown kind": (None, "apiVersion: acme.example/v1\nkind: Ledger\nmetadata: {name: x, namespace: shop}\n"),
}  # fmt: skip

DANGEROUS.update(kubernetes_cases.DANGEROUS)
BENIGN.update(kubernetes_cases.BENIGN)


@pytest.fixture(scope="module")
def policies() -> Policies:
    return interlock.load("production_guardrails", "std.kubernetes", cache=False)


def decided(policies: Policies, case: tuple[str | None, str]) -> Verdict:
    before, after = case
    if before is None:
        readings = read_all([("after.yaml", after)], Options())
    else:
        kept = [("after.yaml", after)] if after else []
        readings = compare([("before.yaml", before)], kept, Options())
    plan = Plan(
        author=AGENT,
        environment="production",
        artifacts=tuple(reading.artifact for reading in readings),
        changes=numbered(change for reading in readings for change in reading.changes),
        problems=tuple(problem for reading in readings for problem in reading.problems),
    )
    return gate(policies, plan)


@pytest.mark.parametrize("name", DANGEROUS)
def test_what_loses_data_is_not_permitted(policies: Policies, name: str) -> None:
    verdict = decided(policies, DANGEROUS[name])
    changes = [
        result
        for result in verdict.results
        if result.change and result.decision.outcome is not Outcome.PERMIT
    ]
    assert changes, [result.change for result in verdict.results]
    assert verdict.outcome is Outcome.DENY


@pytest.mark.parametrize("name", BENIGN)
def test_what_a_team_does_every_day_is_permitted(policies: Policies, name: str) -> None:
    verdict = decided(policies, BENIGN[name])
    assert verdict.outcome is Outcome.PERMIT, [
        (result.change and result.change.summary, result.decision.outcome, result.decision)
        for result in verdict.results
        if result.decision.outcome is not Outcome.PERMIT
    ]


def test_the_table(policies: Policies) -> None:
    """Run with `-s` to see both kinds of error counted."""
    missed = [
        name for name in DANGEROUS if decided(policies, DANGEROUS[name]).outcome is Outcome.PERMIT
    ]
    alarms = [
        name for name in BENIGN if decided(policies, BENIGN[name]).outcome is not Outcome.PERMIT
    ]
    effects = Counter(
        str(result.change.effect)
        for case in DANGEROUS.values()
        for result in decided(policies, case).results
        if result.change and result.decision.outcome is not Outcome.PERMIT
    )
    print(
        f"\n{len(DANGEROUS)} dangerous, {len(missed)} missed; {len(BENIGN)} benign, {len(alarms)} false alarms"
    )
    for effect, count in effects.most_common():
        print(f"{effect:<18}{count:>4}")
    assert (missed, alarms) == ([], [])
