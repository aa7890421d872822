# ruff: noqa: E501  # A case is one line of the tables.
"""What is asked of a cluster, as manifests and as admission reviews: what an agent must not, and what a team does every day."""

from typing import Any

import yaml

Json = dict[str, Any]
Case = tuple[str | None, str]
"""What stands there before, where it is known, and what is asked."""

DANGEROUS: dict[str, Case] = {}
BENIGN: dict[str, Case] = {}


def dangerous(name: str, asked: Any, before: Any = None) -> None:
    assert name not in DANGEROUS, name
    DANGEROUS[name] = _case(asked, before)


def benign(name: str, asked: Any, before: Any = None) -> None:
    assert name not in BENIGN, name
    BENIGN[name] = _case(asked, before)


def _case(asked: Any, before: Any) -> Case:
    return None if before is None else _text(before), _text(asked)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else yaml.safe_dump(value)


def review(
    operation: str,
    kind: tuple[str, str, str] | None = None,
    ns: str | None = "shop",
    *,
    name: str | None = "x",
    old: Json | None = None,
    new: Json | None = None,
    options: Json | None = None,
    sub: str | None = None,
    resource: tuple[str, str, str] | None = None,
    **more: Any,
) -> Json:
    request = {
        "operation": operation,
        "kind": kind and dict(zip(("group", "version", "kind"), kind, strict=True)),
        "resource": resource and dict(zip(("group", "version", "resource"), resource, strict=True)),
        "name": name,
        "namespace": ns,
        "oldObject": old,
        "object": new,
        "options": options,
        "subResource": sub,
        **more,
    }
    said = {key: each for key, each in request.items() if each is not None}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": said}


def thing(
    api_version: str,
    kind: str,
    ns: str | None = "shop",
    *,
    name: str = "x",
    meta: Json | None = None,
    **more: Any,
) -> Json:
    metadata = {"name": name, **({"namespace": ns} if ns else {}), **(meta or {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


# fmt: off
def stateful_set(**k: Any) -> Json:
    return thing("apps/v1", "StatefulSet", spec={"replicas": 3, "serviceName": "x", "selector": {}, "template": {"spec": {"containers": [{"name": "d", "image": "postgres"}]}}, "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}], **k})


def deployment(**k: Any) -> Json:
    return thing("apps/v1", "Deployment", spec={"replicas": 3, "selector": {}, "template": {"spec": {"containers": [{"name": "d", "image": "a"}], **k}}})


CLAIM = thing("v1", "PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "1Gi"}}})


def volume(policy: str) -> Json:
    return thing("v1", "PersistentVolume", ns=None, spec={"persistentVolumeReclaimPolicy": policy})


NAMESPACE = thing("v1", "Namespace", ns=None)
# Deletions.
DELETED: list[tuple[str, str, str | None]] = [
    ("v1", "Namespace", None),
    ("v1", "PersistentVolumeClaim", "shop"),
    ("v1", "PersistentVolume", None),
    ("v1", "Secret", "shop"),
    ("apps/v1", "StatefulSet", "shop"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", None),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", None),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", None),
    ("networking.k8s.io/v1", "NetworkPolicy", "shop"),
    ("policy/v1", "PodDisruptionBudget", "shop"),
    ("v1", "ResourceQuota", "shop"),
    ("v1", "LimitRange", "shop"),
    ("v1", "Node", None),
    ("snapshot.storage.k8s.io/v1", "VolumeSnapshot", "shop"),
    ("snapshot.storage.k8s.io/v1", "VolumeSnapshotContent", None),
    ("postgresql.cnpg.io/v1", "Cluster", "shop"),
    ("postgresql.cnpg.io/v1", "ScheduledBackup", "shop"),
    ("acid.zalan.do/v1", "postgresql", "shop"),
    ("pxc.percona.com/v1", "PerconaXtraDBCluster", "shop"),
    ("psmdb.percona.com/v1", "PerconaServerMongoDB", "shop"),
    ("kafka.strimzi.io/v1beta2", "Kafka", "shop"),
    ("kafka.strimzi.io/v1beta2", "KafkaTopic", "shop"),
    ("ceph.rook.io/v1", "CephCluster", "rook"),
    ("ceph.rook.io/v1", "CephBlockPool", "rook"),
    ("velero.io/v1", "Backup", "velero"),
    ("velero.io/v1", "Schedule", "velero"),
    ("velero.io/v1", "BackupStorageLocation", "velero"),
    ("acme.io/v1", "Thing", "shop"),
    ("rabbitmq.com/v1beta1", "RabbitmqCluster", "shop"),
    ("argoproj.io/v1alpha1", "ApplicationSet", "argocd"),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease", "flux"),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "flux"),
    ("cluster.x-k8s.io/v1beta1", "Cluster", "capi"),
    ("cluster.x-k8s.io/v1beta1", "MachineDeployment", "capi"),
    ("rds.services.k8s.aws/v1alpha1", "DBInstance", "shop"),
    ("rds.aws.upbound.io/v1beta1", "Instance", None),
    ("sql.cnrm.cloud.google.com/v1beta1", "SQLInstance", "shop"),
    ("storage.cnrm.cloud.google.com/v1beta1", "StorageBucket", "shop"),
    ("azure.com/v1", "X", "shop"),
    ("kyverno.io/v1", "ClusterPolicy", None),
    ("constraints.gatekeeper.sh/v1beta1", "K8sRequiredLabels", None),
    ("templates.gatekeeper.sh/v1", "ConstraintTemplate", None),
    ("monitoring.coreos.com/v1", "Prometheus", "mon"),
    ("longhorn.io/v1beta2", "Volume", "lh"),
    ("kubevirt.io/v1", "VirtualMachine", "shop"),
    ("cdi.kubevirt.io/v1beta1", "DataVolume", "shop"),
    ("core.oam.dev/v1beta1", "Application", "shop"),
    ("mysql.presslabs.org/v1alpha1", "MysqlCluster", "shop"),
    ("vitess.io/v2", "VitessCluster", "shop"),
    ("minio.min.io/v2", "Tenant", "shop"),
    ("sealedsecrets/v1", "X", "shop"),
    ("bitnami.com/v1alpha1", "SealedSecret", "shop"),
    ("storage.k8s.io/v1", "VolumeAttachment", None),
]  # fmt: skip
for api_version, kind, namespace in DELETED:
    group, _, version = api_version.rpartition("/")
    gone = thing(api_version, kind, namespace, spec={})
    of_kind = (group, version, kind)
    dangerous(f"{kind}.{group} deleted", review("DELETE", of_kind, namespace, old=gone))
    dangerous(f"{kind}.{group} deleted, and not shown", review("DELETE", of_kind, namespace))

benign("DELETE Deployment", review("DELETE", ("apps", "v1", "Deployment"), old=deployment()))
benign("DELETE Pod", review("DELETE", ("", "v1", "Pod"), old=thing("v1", "Pod", spec={})))
benign("DELETE Job", review("DELETE", ("batch", "v1", "Job"), old=thing("batch/v1", "Job", spec={})))
benign("DELETE ConfigMap", review("DELETE", ("", "v1", "ConfigMap"), old=thing("v1", "ConfigMap")))
benign("DELETE Service", review("DELETE", ("", "v1", "Service"), old=thing("v1", "Service")))
benign("DELETE HPA", review("DELETE", ("autoscaling", "v2", "HorizontalPodAutoscaler"), old=thing("autoscaling/v2", "HorizontalPodAutoscaler")))
benign("DELETE Ingress", review("DELETE", ("networking.k8s.io", "v1", "Ingress"), old=thing("networking.k8s.io/v1", "Ingress")))
dangerous("deletecollection pvc", review("DELETE", ("", "v1", "PersistentVolumeClaim"), name=None))
dangerous("deletecollection pvc empty name", review("DELETE", ("", "v1", "PersistentVolumeClaim"), name=""))
dangerous("deletecollection deployments", review("DELETE", ("apps", "v1", "Deployment"), name=None))
dangerous("deletecollection pods", review("DELETE", ("", "v1", "Pod"), name=None))
dangerous("deletecollection list", review("DELETE", ("", "v1", "Secret"), name=None, old={"apiVersion": "v1", "kind": "SecretList", "items": [thing("v1", "Secret")]}))
dangerous("a namespace deleted, orphaning", review("DELETE", ("", "v1", "Namespace"), ns=None, old=NAMESPACE, options={"propagationPolicy": "Orphan"}))
dangerous("DELETE crd orphan", review("DELETE", ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), ns=None, options={"propagationPolicy": "Orphan"}, old=thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", ns=None, spec={})))
dangerous("DELETE pvc orphan", review("DELETE", ("", "v1", "PersistentVolumeClaim"), old=CLAIM, options={"propagationPolicy": "Orphan"}))
dangerous("DELETE cnpg orphan", review("DELETE", ("postgresql.cnpg.io", "v1", "Cluster"), old=thing("postgresql.cnpg.io/v1", "Cluster"), options={"propagationPolicy": "Orphan"}))
benign("DELETE deploy orphan", review("DELETE", ("apps", "v1", "Deployment"), old=deployment(), options={"propagationPolicy": "Orphan"}))
dangerous("DELETE dryRun contradictory", review("DELETE", ("", "v1", "Namespace"), ns=None, old=NAMESPACE, dryRun=True, options={"dryRun": []}))
dangerous("DELETE dryRun str", review("DELETE", ("", "v1", "Namespace"), ns=None, old=NAMESPACE, dryRun="true"))
dangerous("DELETE dryRun in options only", review("DELETE", ("", "v1", "Namespace"), ns=None, old=NAMESPACE, options={"dryRun": ["All"]}))
benign("DELETE dryRun", review("DELETE", ("", "v1", "Namespace"), ns=None, old=NAMESPACE, dryRun=True, options={"dryRun": ["All"]}))
dangerous("exec dryRun", review("CONNECT", None, sub="exec", resource=("", "v1", "pods"), new={"kind": "PodExecOptions", "apiVersion": "v1", "command": ["rm"]}, dryRun=True))
for each in ("exec", "attach", "portforward", "proxy", "foo"):
    dangerous(f"CONNECT {each}", review("CONNECT", None, sub=each, resource=("", "v1", "pods"), new={"kind": "X", "apiVersion": "v1"}))
benign("CONNECT log", review("CONNECT", None, sub="log", resource=("", "v1", "pods"), new={}))
dangerous("CONNECT node proxy", review("CONNECT", None, sub="proxy", ns=None, resource=("", "v1", "nodes"), new={}))
dangerous("scale 0 sts", review("UPDATE", ("autoscaling", "v1", "Scale"), sub="scale", resource=("apps", "v1", "statefulsets"), new={"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "x", "namespace": "shop"}, "spec": {"replicas": 0}}))
dangerous("scale 0 sts no spec", review("UPDATE", ("autoscaling", "v1", "Scale"), sub="scale", resource=("apps", "v1", "statefulsets"), new={"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "x"}, "spec": {}}))
dangerous("scale 0 custom", review("UPDATE", ("autoscaling", "v1", "Scale"), sub="scale", resource=("acid.zalan.do", "v1", "postgresqls"), new={"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "x"}, "spec": {"replicas": 0}}))
dangerous("an operation nobody knows", review("PATCH", ("autoscaling", "v1", "Scale"), sub="scale", resource=("apps", "v1", "statefulsets"), new={}))
benign("scale 5", review("UPDATE", ("autoscaling", "v1", "Scale"), sub="scale", resource=("apps", "v1", "statefulsets"), old={"spec": {"replicas": 3}}, new={"kind": "Scale", "spec": {"replicas": 5}}))
benign("evict", review("CREATE", ("policy", "v1", "Eviction"), sub="eviction", resource=("", "v1", "pods"), new={"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "x", "namespace": "shop"}}))
dangerous("evict grace 0", review("CREATE", ("policy", "v1", "Eviction"), sub="eviction", resource=("", "v1", "pods"), new={"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "x", "namespace": "shop"}, "deleteOptions": {"gracePeriodSeconds": 0}}))
dangerous("finalize", review("UPDATE", ("", "v1", "Namespace"), sub="finalize", ns=None, resource=("", "v1", "namespaces"), new=NAMESPACE))
benign("status pv", review("UPDATE", ("", "v1", "PersistentVolume"), sub="status", ns=None, resource=("", "v1", "persistentvolumes"), old=volume("Retain"), new=dict(volume("Delete"))))
benign("status dep", review("UPDATE", ("apps", "v1", "Deployment"), sub="status", resource=("apps", "v1", "deployments"), old=deployment(), new=deployment()))
dangerous("ephemeral", review("UPDATE", ("", "v1", "Pod"), sub="ephemeralcontainers", resource=("", "v1", "pods"), new=thing("v1", "Pod")))
dangerous("token", review("CREATE", ("authentication.k8s.io", "v1", "TokenRequest"), sub="token", resource=("", "v1", "serviceaccounts"), new={"kind": "TokenRequest"}))
dangerous("approve", review("UPDATE", ("certificates.k8s.io", "v1", "CertificateSigningRequest"), sub="approval", ns=None, resource=("certificates.k8s.io", "v1", "certificatesigningrequests"), new=thing("certificates.k8s.io/v1", "CertificateSigningRequest", ns=None)))
dangerous("subresource case", review("UPDATE", ("autoscaling", "v1", "Scale"), sub="Scale", resource=("apps", "v1", "statefulsets"), new={"spec": {"replicas": 0}}))
# Updates.
dangerous("pv reclaim", review("UPDATE", ("", "v1", "PersistentVolume"), ns=None, old=volume("Retain"), new=volume("Delete")))
dangerous("pv reclaim recycle", review("UPDATE", ("", "v1", "PersistentVolume"), ns=None, old=volume("Retain"), new=volume("Recycle")))
dangerous("sts retention", review("UPDATE", ("apps", "v1", "StatefulSet"), old=stateful_set(), new=stateful_set(persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})))
dangerous("sts whenScaled + scale", review("UPDATE", ("apps", "v1", "StatefulSet"), old=stateful_set(persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"}), new=stateful_set(replicas=1, persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"})))
dangerous("sts image evil cmd", review("UPDATE", ("apps", "v1", "StatefulSet"), old=stateful_set(), new=stateful_set(template={"spec": {"initContainers": [{"name": "i", "command": ["sh", "-c", "rm -rf /var/lib/postgresql/data"]}], "containers": [{"name": "d", "image": "postgres"}]}})))
dangerous("dep lifecycle wipe", review("UPDATE", ("apps", "v1", "Deployment"), old=deployment(), new=deployment(containers=[{"name": "d", "image": "a", "lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "psql -c 'drop table users'"]}}}}])))
dangerous("node cordon drain taint NoExecute", review("UPDATE", ("", "v1", "Node"), ns=None, old=thing("v1", "Node", ns=None, spec={}), new=thing("v1", "Node", ns=None, spec={"taints": [{"key": "a", "effect": "NoExecute"}]})))
benign("node cordon", review("UPDATE", ("", "v1", "Node"), ns=None, old=thing("v1", "Node", ns=None, spec={}), new=thing("v1", "Node", ns=None, spec={"unschedulable": True})))
dangerous("finalizers removed", review("UPDATE", ("", "v1", "PersistentVolume"), ns=None, old=dict(volume("Retain"), metadata={"name": "x", "finalizers": ["kubernetes.io/pv-protection"]}), new=volume("Retain")))
dangerous("ns PSA off", review("UPDATE", ("", "v1", "Namespace"), ns=None, old=thing("v1", "Namespace", ns=None, meta={"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}), new=thing("v1", "Namespace", ns=None, meta={"labels": {"pod-security.kubernetes.io/enforce": "privileged"}})))
dangerous("ns PSA removed", review("UPDATE", ("", "v1", "Namespace"), ns=None, old=thing("v1", "Namespace", ns=None, meta={"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}), new=thing("v1", "Namespace", ns=None)))
dangerous("quota raised", review("UPDATE", ("", "v1", "ResourceQuota"), old=thing("v1", "ResourceQuota", spec={"hard": {"pods": "5"}}), new=thing("v1", "ResourceQuota", spec={"hard": {"pods": "500"}})))
dangerous("secret data overwritten", review("UPDATE", ("", "v1", "Secret"), old=thing("v1", "Secret", data={"a": "eA=="}), new=thing("v1", "Secret", data={})))
dangerous("secret key removed", review("UPDATE", ("", "v1", "Secret"), old=thing("v1", "Secret", data={"a": "eA==", "b": "eA=="}), new=thing("v1", "Secret", data={"a": "eA=="})))
benign("secret key added", review("UPDATE", ("", "v1", "Secret"), old=thing("v1", "Secret", data={"a": "eA=="}), new=thing("v1", "Secret", data={"a": "eA==", "b": "eA=="})))
dangerous("administrators of the cluster in aws-auth", review("UPDATE", ("", "v1", "ConfigMap"), ns="kube-system", name="aws-auth", old=thing("v1", "ConfigMap", "kube-system", name="aws-auth", data={"mapRoles": ""}), new=thing("v1", "ConfigMap", "kube-system", name="aws-auth", data={"mapRoles": "- rolearn: evil\n  groups: [system:masters]"})))
dangerous(
    "crd version removed",
    review(
        "UPDATE",
        ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
        ns=None,
        old=thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", ns=None, spec={"versions": [{"name": "v1"}, {"name": "v2"}]}),
        new=thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", ns=None, spec={"versions": [{"name": "v2"}]}),
    ),
)
dangerous("cnpg without instances", review("UPDATE", ("postgresql.cnpg.io", "v1", "Cluster"), old=thing("postgresql.cnpg.io/v1", "Cluster", spec={"instances": 3, "storage": {"size": "20Gi"}}), new=thing("postgresql.cnpg.io/v1", "Cluster", spec={"instances": 0, "storage": {"size": "20Gi"}})))
dangerous("zalando 0", review("UPDATE", ("acid.zalan.do", "v1", "postgresql"), old=thing("acid.zalan.do/v1", "postgresql", spec={"numberOfInstances": 3}), new=thing("acid.zalan.do/v1", "postgresql", spec={"numberOfInstances": 0})))
dangerous("percona pause", review("UPDATE", ("pxc.percona.com", "v1", "PerconaXtraDBCluster"), old=thing("pxc.percona.com/v1", "PerconaXtraDBCluster", spec={}), new=thing("pxc.percona.com/v1", "PerconaXtraDBCluster", spec={"pause": True})))
dangerous("percona backup off", review("UPDATE", ("pxc.percona.com", "v1", "PerconaXtraDBCluster"), old=thing("pxc.percona.com/v1", "PerconaXtraDBCluster", spec={"backup": {"schedule": [{"name": "daily", "keep": 7}]}}), new=thing("pxc.percona.com/v1", "PerconaXtraDBCluster", spec={"backup": {"schedule": []}})))
dangerous("strimzi replicas lowered", review("UPDATE", ("kafka.strimzi.io", "v1beta2", "Kafka"), old=thing("kafka.strimzi.io/v1beta2", "Kafka", spec={"kafka": {"replicas": 3}}), new=thing("kafka.strimzi.io/v1beta2", "Kafka", spec={"kafka": {"replicas": 1}})))
dangerous("strimzi topic not compacted any more", review("UPDATE", ("kafka.strimzi.io", "v1beta2", "KafkaTopic"), old=thing("kafka.strimzi.io/v1beta2", "KafkaTopic", spec={"config": {"cleanup.policy": "compact"}}), new=thing("kafka.strimzi.io/v1beta2", "KafkaTopic", spec={"config": {"cleanup.policy": "delete"}})))
dangerous("rook cleanup", review("UPDATE", ("ceph.rook.io", "v1", "CephCluster"), old=thing("ceph.rook.io/v1", "CephCluster", spec={}), new=thing("ceph.rook.io/v1", "CephCluster", spec={"cleanupPolicy": {"confirmation": "yes-really-destroy-data"}})))
dangerous("rook replicas", review("UPDATE", ("ceph.rook.io", "v1", "CephBlockPool"), old=thing("ceph.rook.io/v1", "CephBlockPool", spec={"replicated": {"size": 3}}), new=thing("ceph.rook.io/v1", "CephBlockPool", spec={"replicated": {"size": 1}})))
dangerous("pdb maxUnavailable 100%", review("UPDATE", ("policy", "v1", "PodDisruptionBudget"), old=thing("policy/v1", "PodDisruptionBudget", spec={"maxUnavailable": 1}), new=thing("policy/v1", "PodDisruptionBudget", spec={"maxUnavailable": "100%"})))
dangerous("netpol podSelector", review("UPDATE", ("networking.k8s.io", "v1", "NetworkPolicy"), old=thing("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, "ingress": []}), new=thing("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {"matchLabels": {"a": "b"}}, "ingress": []})))
dangerous(
    "netpol widened cidr",
    review(
        "UPDATE",
        ("networking.k8s.io", "v1", "NetworkPolicy"),
        old=thing("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}),
        new=thing("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}),
    ),
)
dangerous(
    "webhook timeout/fail",
    review(
        "UPDATE",
        ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration"),
        ns=None,
        old=thing("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", ns=None, webhooks=[{"name": "a", "rules": [{"operations": ["*"], "resources": ["*"]}]}]),
        new=thing("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", ns=None, webhooks=[{"name": "a", "rules": [{"operations": ["CREATE"], "resources": ["*"]}]}]),
    ),
)
dangerous(
    "webhook ns selector",
    review(
        "UPDATE",
        ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration"),
        ns=None,
        old=thing("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", ns=None, webhooks=[{"name": "a"}]),
        new=thing("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", ns=None, webhooks=[{"name": "a", "namespaceSelector": {"matchLabels": {"no": "such"}}}]),
    ),
)
dangerous("velero ttl", review("UPDATE", ("velero.io", "v1", "Schedule"), old=thing("velero.io/v1", "Schedule", spec={"template": {"ttl": "720h"}}), new=thing("velero.io/v1", "Schedule", spec={"template": {"ttl": "1h"}})))
dangerous("kyverno audit", review("UPDATE", ("kyverno.io", "v1", "ClusterPolicy"), ns=None, old=thing("kyverno.io/v1", "ClusterPolicy", ns=None, spec={"validationFailureAction": "Enforce"}), new=thing("kyverno.io/v1", "ClusterPolicy", ns=None, spec={"validationFailureAction": "Audit"})))
dangerous(
    "gatekeeper dryrun",
    review(
        "UPDATE", ("constraints.gatekeeper.sh", "v1beta1", "K8sRequiredLabels"), ns=None, old=thing("constraints.gatekeeper.sh/v1beta1", "K8sRequiredLabels", ns=None, spec={"enforcementAction": "deny"}), new=thing("constraints.gatekeeper.sh/v1beta1", "K8sRequiredLabels", ns=None, spec={"enforcementAction": "dryrun"})
    ),
)
dangerous("argo prune", review("UPDATE", ("argoproj.io", "v1alpha1", "Application"), old=thing("argoproj.io/v1alpha1", "Application", spec={"syncPolicy": {}}), new=thing("argoproj.io/v1alpha1", "Application", spec={"syncPolicy": {"automated": {"prune": True}}})))
dangerous("argo source repo", review("UPDATE", ("argoproj.io", "v1alpha1", "Application"), old=thing("argoproj.io/v1alpha1", "Application", spec={"source": {"repoURL": "https://a", "path": "x"}}), new=thing("argoproj.io/v1alpha1", "Application", spec={"source": {"repoURL": "https://evil", "path": "x"}})))
dangerous(
    "argo path",
    review(
        "UPDATE",
        ("argoproj.io", "v1alpha1", "Application"),
        old=thing("argoproj.io/v1alpha1", "Application", spec={"source": {"repoURL": "https://a", "path": "x"}, "syncPolicy": {"automated": {"prune": True}}}),
        new=thing("argoproj.io/v1alpha1", "Application", spec={"source": {"repoURL": "https://a", "path": "empty"}, "syncPolicy": {"automated": {"prune": True}}}),
    ),
)
dangerous("flux prunes", review("UPDATE", ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization"), old=thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", spec={"prune": False, "path": "./a"}), new=thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", spec={"prune": True, "path": "./a"})))
dangerous("flux path", review("UPDATE", ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization"), old=thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", spec={"prune": True, "path": "./a"}), new=thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", spec={"prune": True, "path": "./empty"})))
dangerous("flux gitrepo url", review("UPDATE", ("source.toolkit.fluxcd.io", "v1", "GitRepository"), old=thing("source.toolkit.fluxcd.io/v1", "GitRepository", spec={"url": "https://a"}), new=thing("source.toolkit.fluxcd.io/v1", "GitRepository", spec={"url": "https://evil"})))
dangerous(
    "crossplane deletionPolicy",
    review(
        "UPDATE",
        ("rds.aws.upbound.io", "v1beta1", "Instance"),
        ns=None,
        old=thing("rds.aws.upbound.io/v1beta1", "Instance", ns=None, spec={"deletionPolicy": "Orphan", "forProvider": {"deletionProtection": True}}),
        new=thing("rds.aws.upbound.io/v1beta1", "Instance", ns=None, spec={"deletionPolicy": "Delete", "forProvider": {"deletionProtection": False}}),
    ),
)
dangerous(
    "crossplane forProvider",
    review("UPDATE", ("rds.aws.upbound.io", "v1beta1", "Instance"), ns=None, old=thing("rds.aws.upbound.io/v1beta1", "Instance", ns=None, spec={"forProvider": {"deletionProtection": True}}), new=thing("rds.aws.upbound.io/v1beta1", "Instance", ns=None, spec={"forProvider": {"deletionProtection": False}})),
)
dangerous("ack deletionProtection", review("UPDATE", ("rds.services.k8s.aws", "v1alpha1", "DBInstance"), old=thing("rds.services.k8s.aws/v1alpha1", "DBInstance", spec={"deletionProtection": True}), new=thing("rds.services.k8s.aws/v1alpha1", "DBInstance", spec={"deletionProtection": False})))
dangerous("cnrm abandon removed", review("UPDATE", ("sql.cnrm.cloud.google.com", "v1beta1", "SQLInstance"), old=thing("sql.cnrm.cloud.google.com/v1beta1", "SQLInstance", meta={"annotations": {"cnrm.cloud.google.com/deletion-policy": "abandon"}}), new=thing("sql.cnrm.cloud.google.com/v1beta1", "SQLInstance")))
dangerous("ownerRef added", review("UPDATE", ("", "v1", "PersistentVolumeClaim"), old=CLAIM, new=thing("v1", "PersistentVolumeClaim", spec=CLAIM["spec"], meta={"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "tmp", "uid": "1"}]})))
dangerous(
    "ttlSecondsAfterFinished job backup?",
    thing("batch/v1", "CronJob", spec={"suspend": True, "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "b", "image": "backup"}]}}}}}),
    thing("batch/v1", "CronJob", spec={"suspend": False, "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "b", "image": "backup"}]}}}}}),
)
dangerous(
    "SA automount? binding subj",
    review(
        "UPDATE",
        ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding"),
        ns=None,
        old=thing("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", ns=None, roleRef={"kind": "ClusterRole", "name": "cluster-admin"}, subjects=[]),
        new=thing("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", ns=None, roleRef={"kind": "ClusterRole", "name": "cluster-admin"}, subjects=[{"kind": "User", "name": "evil"}]),
    ),
)
dangerous("RoleBinding to edit", thing("rbac.authorization.k8s.io/v1", "RoleBinding", roleRef={"kind": "ClusterRole", "name": "edit"}, subjects=[{"kind": "User", "name": "x"}]))
benign("RoleBinding to view", thing("rbac.authorization.k8s.io/v1", "RoleBinding", roleRef={"kind": "ClusterRole", "name": "view"}, subjects=[{"kind": "User", "name": "x"}]))
dangerous("role * groups", thing("rbac.authorization.k8s.io/v1", "ClusterRole", ns=None, rules=[{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]))
dangerous("role impersonate", thing("rbac.authorization.k8s.io/v1", "ClusterRole", ns=None, rules=[{"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}]))
dangerous("role create pods", thing("rbac.authorization.k8s.io/v1", "Role", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}]))
dangerous("role delete pvcs", thing("rbac.authorization.k8s.io/v1", "Role", rules=[{"apiGroups": [""], "resources": ["persistentvolumeclaims", "namespaces"], "verbs": ["delete"]}]))
dangerous("role deployments create", thing("rbac.authorization.k8s.io/v1", "Role", rules=[{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "update"]}]))


def cluster(**k: Any) -> Json:
    return thing("postgresql.cnpg.io/v1", "Cluster", spec=dict({"instances": 3, "storage": {"size": "20Gi"}, "backup": {"retentionPolicy": "30d"}}, **k))


benign("cnpg retention raised", cluster(backup={"retentionPolicy": "60d"}), cluster())
dangerous("cnpg retention lowered", cluster(backup={"retentionPolicy": "1d"}), cluster())
dangerous("cnpg backup dest changed", cluster(backup={"retentionPolicy": "30d", "barmanObjectStore": {"destinationPath": "s3://b"}}), cluster(backup={"retentionPolicy": "30d", "barmanObjectStore": {"destinationPath": "s3://a"}}))
benign("cnpg image", cluster(imageName="b"), cluster(imageName="a"))
SERVICE = thing("v1", "Service", spec={"ports": []})
CONFIG = thing("v1", "ConfigMap", data={"a": "b"})
dangerous("List delete mix", "", {"apiVersion": "v1", "kind": "List", "items": [CONFIG, thing("v1", "PersistentVolumeClaim")]})
benign("List create", {"apiVersion": "v1", "kind": "List", "items": [CONFIG, SERVICE]})
dangerous("List nested junk", {"apiVersion": "v1", "kind": "List", "items": [CONFIG, "junk"]})
dangerous("List null items", {"apiVersion": "v1", "kind": "List", "items": None})
dangerous("list without kind", [CONFIG, SERVICE])
dangerous("kind only", {"kind": "Namespace"})
dangerous("multi one broken", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n: : :\n  - [\n")
dangerous("a template", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.x }}\n")
dangerous("a template in a name", 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "{{ .Values.x }}"\n')
dangerous("templ kind", 'apiVersion: v1\nkind: "{{ .Values.kind }}"\nmetadata:\n  name: a\n')
dangerous("envsubst", "apiVersion: v1\nkind: PersistentVolume\nmetadata:\n  name: a\nspec:\n  persistentVolumeReclaimPolicy: ${POLICY}\n")
dangerous(
    "envsubst name",
    "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${NS}\n",
)
dangerous("templ if", "{{- if .Values.x }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n{{- end }}\n")
dangerous("templ comment swallowed", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: {{ .x }}\n")
dangerous("dup keys", "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: a}\nspec: {persistentVolumeReclaimPolicy: Retain, persistentVolumeReclaimPolicy: Delete}\n")
dangerous("dup json", '{"apiVersion":"v1","kind":"ConfigMap","kind":"Namespace","metadata":{"name":"a"}}')
dangerous(
    "bomb",
    "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
)
dangerous("a tag that runs", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: !!python/object/apply:os.system [ls]\n")
dangerous("merge key", "x: &x {kind: Namespace}\n<<: *x\napiVersion: v1\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: [a]}\n")
dangerous("deep", "[" * 500)
dangerous("generateName of cluster binding", {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"generateName": "x-"}, "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}, "subjects": [{"kind": "User", "name": "x"}]})
benign("generateName job", {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "x-", "namespace": "shop"}, "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "i"}]}}}})
dangerous("rename pvc", thing("v1", "PersistentVolumeClaim", name="y"), thing("v1", "PersistentVolumeClaim", name="x"))
dangerous("move ns pvc", thing("v1", "PersistentVolumeClaim", "other", name="x"), thing("v1", "PersistentVolumeClaim", name="x"))
dangerous("case change kind", thing("v1", "persistentvolumeclaim", name="x"), thing("v1", "PersistentVolumeClaim", name="x"))
benign("apiVersion bump", thing("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1}), thing("policy/v1beta1", "PodDisruptionBudget", spec={"minAvailable": 1}))
benign("ingress in a later version", thing("networking.k8s.io/v1", "Ingress", spec={}), thing("networking.k8s.io/v1beta1", "Ingress", spec={}))
dangerous("group change of sts", thing("apps.kruise.io/v1beta1", "StatefulSet", spec={}), thing("apps/v1", "StatefulSet", spec={}))
dangerous("patch delete", {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a"}, "$patch": "delete"})
dangerous("patch replace", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "$patch": "replace"})
dangerous("nested patch", thing("apps/v1", "StatefulSet", spec={"template": {"spec": {"containers": [{"name": "a", "$patch": "delete"}]}}}))
dangerous("nulls that take away", thing("apps/v1", "StatefulSet", spec={"persistentVolumeClaimRetentionPolicy": None, "volumeClaimTemplates": None}, meta={"finalizers": None}), thing("apps/v1", "StatefulSet", spec={"volumeClaimTemplates": [{"metadata": {"name": "d"}}]}, meta={"finalizers": ["a/b"]}))
dangerous("PV default reclaim (dynamic)", "", thing("v1", "PersistentVolume", ns=None, spec={}, meta={"annotations": {"pv.kubernetes.io/provisioned-by": "ebs"}}))
dangerous("storageclass default reclaim", thing("storage.k8s.io/v1", "StorageClass", ns=None, provisioner="x", reclaimPolicy="Delete"), thing("storage.k8s.io/v1", "StorageClass", ns=None, provisioner="x", reclaimPolicy="Retain"))
dangerous("storageclass deleted & recreated", thing("storage.k8s.io/v1", "StorageClass", ns=None, provisioner="x"), thing("storage.k8s.io/v1", "StorageClass", ns=None, provisioner="x", reclaimPolicy="Retain"))
dangerous("job wipes", thing("batch/v1", "Job", spec={"template": {"spec": {"containers": [{"name": "a", "image": "postgres", "command": ["psql", "-c", "DROP DATABASE prod"]}]}}}))
dangerous("cronjob kubectl delete", thing("batch/v1", "CronJob", spec={"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "k", "args": ["delete", "ns", "--all"]}]}}}}}))
dangerous("pod SA token privileged hostPath", thing("v1", "Pod", spec={"hostPID": True, "containers": [{"name": "a", "image": "b"}]}))
dangerous("pod pvc mount+rm", thing("v1", "Pod", spec={"containers": [{"name": "a", "image": "busybox", "command": ["rm", "-rf", "/data"]}]}))
dangerous("pod serviceAccount cluster-admin", thing("v1", "Pod", spec={"serviceAccountName": "cluster-admin", "containers": [{"name": "a", "image": "busybox", "command": ["kubectl", "delete", "ns", "shop"]}]}))
dangerous("daemonset privileged", thing("apps/v1", "DaemonSet", spec={"template": {"spec": {"containers": [{"name": "a", "image": "b", "securityContext": {"privileged": True}}]}}}))
dangerous("helm's record of a release deleted", "", thing("v1", "Secret", name="sh.helm.release.v1.shop.v3", type="helm.sh/release.v1"))
dangerous("sa token secret", thing("v1", "Secret", type="kubernetes.io/service-account-token", meta={"annotations": {"kubernetes.io/service-account.name": "admin"}}))
dangerous("svc externalIPs", thing("v1", "Service", spec={"ports": [], "externalIPs": ["1.1.1.1"]}), SERVICE)
dangerous(
    "psp/ValidatingAdmissionPolicyBinding audit",
    thing("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", ns=None, spec={"policyName": "a", "validationActions": ["Audit"]}),
    thing("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", ns=None, spec={"policyName": "a", "validationActions": ["Deny"]}),
)
dangerous("CAPI cluster delete", "", thing("cluster.x-k8s.io/v1beta1", "Cluster"))
dangerous("velero restore overwrite", thing("velero.io/v1", "Restore", spec={"existingResourcePolicy": "update"}))
dangerous(
    "crunchy repo removed", thing("postgres-operator.crunchydata.com/v1beta1", "PostgresCluster", spec={"backups": {"pgbackrest": {"repos": [{"name": "repo1"}]}}}), thing("postgres-operator.crunchydata.com/v1beta1", "PostgresCluster", spec={"backups": {"pgbackrest": {"repos": [{"name": "repo1"}, {"name": "repo2"}]}}})
)
dangerous("elastic nodeset removed", thing("elasticsearch.k8s.elastic.co/v1", "Elasticsearch", spec={"nodeSets": [{"name": "a", "count": 3}]}), thing("elasticsearch.k8s.elastic.co/v1", "Elasticsearch", spec={"nodeSets": [{"name": "a", "count": 3}, {"name": "b", "count": 3}]}))
dangerous("elastic count lowered", thing("elasticsearch.k8s.elastic.co/v1", "Elasticsearch", spec={"nodeSets": [{"name": "a", "count": 1}]}), thing("elasticsearch.k8s.elastic.co/v1", "Elasticsearch", spec={"nodeSets": [{"name": "a", "count": 3}]}))
dangerous("rabbit replicas lowered", thing("rabbitmq.com/v1beta1", "RabbitmqCluster", spec={"replicas": 1}), thing("rabbitmq.com/v1beta1", "RabbitmqCluster", spec={"replicas": 3}))
dangerous("mongo members lowered", thing("mongodbcommunity.mongodb.com/v1", "MongoDBCommunity", spec={"members": 1}), thing("mongodbcommunity.mongodb.com/v1", "MongoDBCommunity", spec={"members": 3}))
dangerous("an unknown kind without its protection", thing("acme.io/v1", "Db", spec={"deletionProtection": False}), thing("acme.io/v1", "Db", spec={"deletionProtection": True}))
benign("unknown kind update", thing("acme.io/v1", "Db", spec={"version": "2"}), thing("acme.io/v1", "Db", spec={"version": "1"}))
benign("hpa", thing("autoscaling/v2", "HorizontalPodAutoscaler", spec={"maxReplicas": 9}), thing("autoscaling/v2", "HorizontalPodAutoscaler", spec={"maxReplicas": 5}))
benign("ingress host", thing("networking.k8s.io/v1", "Ingress", spec={"rules": [{"host": "b"}]}), thing("networking.k8s.io/v1", "Ingress", spec={"rules": [{"host": "a"}]}))
benign("ns label", thing("v1", "Namespace", ns=None, meta={"labels": {"a": "b"}}), thing("v1", "Namespace", ns=None))
benign("netpol tightened", thing("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, "ingress": []}), thing("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, "ingress": [{"from": []}]}))
benign("PSA raised", thing("v1", "Namespace", ns=None, meta={"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}), thing("v1", "Namespace", ns=None, meta={"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}))
benign("PSA added", thing("v1", "Namespace", ns=None, meta={"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}), thing("v1", "Namespace", ns=None))
benign("quota lowered", thing("v1", "ResourceQuota", spec={"hard": {"pods": "3"}}), thing("v1", "ResourceQuota", spec={"hard": {"pods": "5"}}))
benign("certificate", thing("cert-manager.io/v1", "Certificate", spec={"dnsNames": ["a"]}))
benign("externalsecret", thing("external-secrets.io/v1", "ExternalSecret", spec={}))
benign("servicemonitor delete", "", thing("monitoring.coreos.com/v1", "ServiceMonitor"))
benign("istio VS", thing("networking.istio.io/v1", "VirtualService", spec={"http": []}), thing("networking.istio.io/v1", "VirtualService", spec={}))
benign("keda", thing("keda.sh/v1alpha1", "ScaledObject", spec={}))
benign("knative", thing("serving.knative.dev/v1", "Service", spec={"template": {"spec": {"containers": [{"image": "b"}]}}}), thing("serving.knative.dev/v1", "Service", spec={"template": {"spec": {"containers": [{"image": "a"}]}}}))
benign("statefulset label", thing("apps/v1", "StatefulSet", meta={"labels": {"a": "b"}}, spec={"replicas": 3}), thing("apps/v1", "StatefulSet", spec={"replicas": 3}))
benign("sts resources", thing("apps/v1", "StatefulSet", spec={"replicas": 3, "template": {"spec": {"containers": [{"name": "a", "image": "b", "resources": {"limits": {"cpu": "2"}}}]}}}), thing("apps/v1", "StatefulSet", spec={"replicas": 3, "template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}}))
benign("deploy with probe", thing("apps/v1", "Deployment", spec={"template": {"spec": {"containers": [{"name": "a", "image": "b", "command": ["node", "server.js"], "livenessProbe": {"exec": {"command": ["cat", "/ok"]}}}]}}}))
benign("sa", thing("v1", "ServiceAccount"))
benign("job migrate image only", thing("batch/v1", "Job", spec={"template": {"spec": {"containers": [{"name": "a", "image": "shop/migrate:1"}]}}}))
benign("pdb apply", thing("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 2}))
benign("comments doc", "# hi\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n# end\n")
benign("cm with helm text", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  tpl: \"Hello {{ name }}\"\n  sh: 'echo ${HOME}'\n")
benign("prometheusrule with template", thing("monitoring.coreos.com/v1", "PrometheusRule", spec={"groups": [{"rules": [{"annotations": {"s": "{{ $labels.a }}"}}]}]}))


# What runs, whom it lets in, and what it runs on.
def serving(kind: str = "Service", meta: Json | None = None, **spec: Any) -> Json:
    return thing("v1" if kind == "Service" else "networking.k8s.io/v1", kind, meta=meta, spec=spec)


def annotated(key: str, value: str) -> Json:
    return serving("Ingress", {"annotations": {key: value}})


def scale(kind: str, old: int | None, new: int) -> Json:
    sizes = [None if each is None else {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "x"}, "spec": {"replicas": each}} for each in (old, new)]
    return review("UPDATE", ("autoscaling", "v1", "Scale"), sub="scale", resource=("apps", "v1", kind), old=sizes[0], new=sizes[1])


def running(replicas: int) -> Json:
    return thing("apps/v1", "Deployment", spec={"replicas": replicas, "selector": {}, "template": {"spec": {"containers": [{"name": "d", "image": "a"}]}}})


def volumes(source: Json) -> Json:
    return deployment(volumes=[{"name": "data", **source}])


def daemon(**pod: Any) -> Json:
    return thing("apps/v1", "DaemonSet", spec={"selector": {}, "template": {"spec": {"containers": [{"name": "d", "image": "a"}], **pod}}})


def bound(**more: Any) -> Json:
    return thing("v1", "PersistentVolume", ns=None, spec={"persistentVolumeReclaimPolicy": "Retain", **more})


WHITELIST = "nginx.ingress.kubernetes.io/whitelist-source-range"
TLS = [{"hosts": ["a", "b"], "secretName": "s"}]
CLAIMED = {"name": "data", "namespace": "shop", "uid": "u"}
dangerous("deployment to nothing", running(0), running(3))
dangerous("deployment to nothing from who knows how many", running(0))
dangerous("deployment scaled to nothing", scale("deployments", 3, 0))
dangerous("deployment scaled to nothing from who knows how many", scale("deployments", None, 0))
benign("deployment scaled down", running(1), running(3))
benign("deployment that runs nothing yet", running(0), thing("v1", "ConfigMap"))
benign("deployment at nothing stays there", scale("deployments", 0, 0))
dangerous("keda to nothing", thing("keda.sh/v1alpha1", "ScaledObject", spec={"minReplicaCount": 0, "maxReplicaCount": 0}), thing("keda.sh/v1alpha1", "ScaledObject", spec={"minReplicaCount": 2, "maxReplicaCount": 9}))
benign("keda from nothing", thing("keda.sh/v1alpha1", "ScaledObject", spec={"minReplicaCount": 0, "maxReplicaCount": 9}), thing("keda.sh/v1alpha1", "ScaledObject", spec={"minReplicaCount": 2, "maxReplicaCount": 9}))
dangerous("daemon set for no node", daemon(nodeSelector={"no": "where"}), daemon())
benign("daemon set for every node", daemon(), daemon(nodeSelector={"a": "b"}))
dangerous("source ranges opened", serving(type="LoadBalancer", loadBalancerSourceRanges=["0.0.0.0/0"]), serving(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8"]))
dangerous("source ranges removed", serving(type="LoadBalancer"), serving(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8"]))
benign("source ranges narrowed", serving(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8"]), serving(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8", "10.1.0.0/16"]))
dangerous("service to load balancer", serving(type="LoadBalancer"), serving(type="ClusterIP"))
dangerous("service to load balancer from the default", serving(type="LoadBalancer"), serving())
benign("new load balancer", serving(type="LoadBalancer"))
benign("load balancer to service", serving(type="ClusterIP"), serving(type="LoadBalancer"))
dangerous("service to another host", serving(type="ExternalName", externalName="evil.x"), serving(type="ClusterIP"))
dangerous("service to yet another host", serving(type="ExternalName", externalName="evil.x"), serving(type="ExternalName", externalName="db.x"))
dangerous("load balancer leaves the inside", serving(meta={"annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"}}), serving(meta={"annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}}))
dangerous("whitelist removed", serving("Ingress"), annotated(WHITELIST, "10.0.0.0/8"))
dangerous("whitelist opened", annotated(WHITELIST, "0.0.0.0/0"), annotated(WHITELIST, "10.0.0.0/8"))
dangerous("asking who comes ends", serving("Ingress"), annotated("nginx.ingress.kubernetes.io/auth-url", "https://a"))
benign("whitelist at last", annotated(WHITELIST, "10.0.0.0/8"), serving("Ingress"))
dangerous("tls removed", serving("Ingress", rules=[]), serving("Ingress", tls=TLS, rules=[]))
dangerous("tls removed without hosts", serving("Ingress", rules=[]), serving("Ingress", tls=[{"secretName": "s"}], rules=[]))
dangerous("tls removed from one host", serving("Ingress", tls=[{"hosts": ["a"], "secretName": "s"}]), serving("Ingress", tls=TLS))
benign("tls with another certificate", serving("Ingress", tls=[{"hosts": ["a", "b", "c"], "secretName": "t"}]), serving("Ingress", tls=TLS))
dangerous("runs as root at last", deployment(securityContext={"runAsUser": 0}), deployment(securityContext={"runAsNonRoot": True}))
dangerous("runs as another than before", deployment(securityContext={"runAsUser": 0}), deployment(securityContext={"runAsUser": 1000}))
benign("runs as another user", deployment(securityContext={"runAsUser": 2000}), deployment(securityContext={"runAsUser": 1000}))
benign("runs as root from the start", deployment(securityContext={"runAsUser": 0}))
dangerous("claim released", bound(), bound(claimRef=CLAIMED))
dangerous("claim for another", bound(claimRef={**CLAIMED, "name": "other"}), bound(claimRef=CLAIMED))
benign("claim bound", bound(claimRef=CLAIMED), bound())
dangerous("runs without its data", volumes({"emptyDir": {}}), volumes({"persistentVolumeClaim": {"claimName": "data"}}))
dangerous("runs on other data", volumes({"persistentVolumeClaim": {"claimName": "other"}}), volumes({"persistentVolumeClaim": {"claimName": "data"}}))
benign("runs on data at last", volumes({"persistentVolumeClaim": {"claimName": "data"}}), volumes({"emptyDir": {}}))
dangerous("secret goes with the store", thing("external-secrets.io/v1", "ExternalSecret", spec={"target": {"deletionPolicy": "Delete"}}), thing("external-secrets.io/v1", "ExternalSecret", spec={"target": {"deletionPolicy": "Retain"}}))
dangerous("secret goes with the store by its default", thing("external-secrets.io/v1", "ExternalSecret", spec={"target": {"deletionPolicy": "Delete"}}), thing("external-secrets.io/v1", "ExternalSecret", spec={"target": {}}))
benign("a question without a name", {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}})
benign("a question without a name, reviewed", review("CREATE", ("authorization.k8s.io", "v1", "SelfSubjectAccessReview"), None, name=None, new={"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {}}))
dangerous("a token without a name", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})

VALUES = {"primary": {"persistence": {"enabled": True}}, "replicaCount": 2}
FLUX = ("helm.toolkit.fluxcd.io/v2", "HelmRelease")
dangerous("a release without its volume", thing(*FLUX, spec={"values": {"primary": {"persistence": {"enabled": False}}, "replicaCount": 2}}), thing(*FLUX, spec={"values": VALUES}))
dangerous("a release of no replicas", thing(*FLUX, spec={"values": {**VALUES, "replicaCount": 0}}), thing(*FLUX, spec={"values": VALUES}))
dangerous("an application without its volume", thing("argoproj.io/v1alpha1", "Application", spec={"source": {"helm": {"valuesObject": {"persistence": {"enabled": False}}}}}), thing("argoproj.io/v1alpha1", "Application", spec={"source": {"helm": {"valuesObject": {"persistence": {"enabled": True}}}}}))
benign("a release with more replicas", thing(*FLUX, spec={"values": {**VALUES, "replicaCount": 3}}), thing(*FLUX, spec={"values": VALUES}))
benign("a release that gets a volume", thing(*FLUX, spec={"values": VALUES}), thing(*FLUX, spec={"values": {**VALUES, "primary": {"persistence": {"enabled": False}}}}))
dangerous("a stateful set without its claims", thing("apps/v1", "StatefulSet", spec={"replicas": 3}), thing("apps/v1", "StatefulSet", spec={"replicas": 3, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}))
dangerous("a place of backups that takes none", thing("velero.io/v1", "BackupStorageLocation", spec={"accessMode": "ReadOnly"}), thing("velero.io/v1", "BackupStorageLocation", spec={"accessMode": "ReadWrite"}))
dangerous("a release of another chart", thing(*FLUX, spec={"chart": {"spec": {"chart": "b"}}}), thing(*FLUX, spec={"chart": {"spec": {"chart": "a"}}}))
dangerous("a release from another source", thing(*FLUX, spec={"chart": {"spec": {"chart": "a", "sourceRef": {"name": "n"}}}}), thing(*FLUX, spec={"chart": {"spec": {"chart": "a", "sourceRef": {"name": "m"}}}}))
dangerous("a kustomization of another source", thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", spec={"sourceRef": {"kind": "GitRepository", "name": "b"}}), thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", spec={"sourceRef": {"kind": "GitRepository", "name": "a"}}))
dangerous("brokers on disks that do not last", thing("kafka.strimzi.io/v1beta2", "Kafka", spec={"kafka": {"storage": {"type": "ephemeral"}}}), thing("kafka.strimzi.io/v1beta2", "Kafka", spec={"kafka": {"storage": {"type": "persistent-claim"}}}))
dangerous("a volume with fewer copies", thing("longhorn.io/v1beta2", "Volume", spec={"numberOfReplicas": 1}), thing("longhorn.io/v1beta2", "Volume", spec={"numberOfReplicas": 3}))
dangerous("a bucket of a composition made public", thing("s3.aws.crossplane.io/v1beta1", "Bucket", spec={"forProvider": {"acl": "public-read"}}), thing("s3.aws.crossplane.io/v1beta1", "Bucket", spec={"forProvider": {"acl": "private"}}))
dangerous("a snippet for the controller", thing("networking.k8s.io/v1", "Ingress", meta={"annotations": {"nginx.ingress.kubernetes.io/server-snippet": "x"}}, spec={"rules": []}), thing("networking.k8s.io/v1", "Ingress", spec={"rules": []}))
benign("a release of a newer chart", thing(*FLUX, spec={"chart": {"spec": {"chart": "a", "version": "1.1.0"}}}), thing(*FLUX, spec={"chart": {"spec": {"chart": "a", "version": "1.0.0"}}}))
