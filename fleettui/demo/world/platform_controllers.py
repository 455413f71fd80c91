"""Controllers of the management cluster with what tells whether they live.

Deployment, ReplicaSet, Pod, ServiceAccount, Lease, Service, EndpointSlice, webhook
configurations with their certificates, and the inventory entry of clusterctl.
Source: k8s.io/api apps/v1, core/v1; clusterctl's installed components.
"""

from __future__ import annotations

from typing import Any

from fleettui.demo.world.drafts import Document, Drafts
from fleettui.demo.world.fleet import suffix
from fleettui.demo.world.objects import add_object


def add_controller(drafts: Drafts, entry: dict[str, Any]) -> None:
    """Add all objects of one controller of the data file."""
    name, namespace = entry["name"], entry["namespace"]
    base: Document = {"namespace": namespace, "writer": "clusterctl", "operation": "Update"}
    labels = {"control-plane": name, "app.kubernetes.io/name": name}
    image, account = entry["image"], {"role": f"account/{name}", "kind": "ServiceAccount"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"image": image, "name": "manager"}], "serviceAccountName": name},
    }
    add_object(drafts, base | account | {"name": name})
    if entry.get("kind") == "StatefulSet":
        pod = f"{name}-0"
        add_object(drafts, base | _stateful_set(name, labels, template))
        add_object(drafts, base | _pod(name, pod, labels, image, owner=f"statefulset/{name}"))
    else:
        hash_ = suffix(name, "rs", length=9)
        pod = f"{name}-{hash_}-{suffix(name, 'pod')}"
        add_object(drafts, base | _deployment(name, labels, template))
        own = labels | {"pod-template-hash": hash_}
        add_object(drafts, base | _replica_set(name, hash_, own, template))
        add_object(drafts, base | _pod(name, pod, own, image, owner=f"replicaset/{name}"))
    if "lease" in entry:
        spec = {
            "acquireTime": "${t4}",
            "holderIdentity": f"{pod}_${{x8}}-5d0c-4a61-9d0e-6f1c${{x8}}",
            "leaseDurationSeconds": 15,
            "leaseTransitions": 7,
            "renewTime": "${today}",
        }
        lease = {"role": f"lease/{name}", "kind": "Lease", "group": "coordination.k8s.io"}
        add_object(drafts, base | lease | {"name": entry["lease"], "spec": spec})
    if "webhook" in entry:
        _add_webhook(drafts, entry, pod, base)
    if "provider" in entry:
        kind = {"role": f"provider/{name}", "kind": "Provider"}
        add_object(
            drafts,
            base
            | kind
            | {
                "group": "clusterctl.cluster.x-k8s.io",
                "name": f"{_PREFIX[entry['type']]}{entry['provider']}",
                "labels": {"clusterctl.cluster.x-k8s.io": ""},
                "providerName": entry["provider"],
                "type": entry["type"],
                "version": entry["version"],
            },
        )


_PREFIX = {
    "CoreProvider": "",
    "BootstrapProvider": "bootstrap-",
    "ControlPlaneProvider": "control-plane-",
    "InfrastructureProvider": "infrastructure-",
    "AddonProvider": "addon-",
    "IPAMProvider": "ipam-",
}
"""Source: clusterctl cmd/clusterctl/client/config ManifestLabel."""


def _deployment(name: str, labels: dict[str, str], template: Document) -> Document:
    return {
        "role": f"deployment/{name}",
        "group": "apps",
        "kind": "Deployment",
        "name": name,
        "labels": labels,
        "annotations": {"deployment.kubernetes.io/revision": "3"},
        "generation": 3,
        "controller": "kube-controller-manager",
        "scheme": "bare",
        "conditions": [
            {
                "type": "Progressing",
                "status": "True",
                "reason": "NewReplicaSetAvailable",
                "message": f'ReplicaSet "{name}" has successfully progressed.',
                "lastUpdateTime": "${t4}",
            },
            {
                "type": "Available",
                "status": "True",
                "reason": "MinimumReplicasAvailable",
                "message": "Deployment has minimum availability.",
                "lastUpdateTime": "${t4}",
            },
        ],
        "spec": {
            "progressDeadlineSeconds": 600,
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": template,
        },
        "status": {
            "availableReplicas": 1,
            "observedGeneration": 3,
            "readyReplicas": 1,
            "replicas": 1,
            "updatedReplicas": 1,
        },
    }


def _replica_set(name: str, hash_: str, labels: dict[str, str], template: Document) -> Document:
    own = {"metadata": {"labels": labels}, "spec": template["spec"]}
    return {
        "role": f"replicaset/{name}",
        "group": "apps",
        "kind": "ReplicaSet",
        "name": f"{name}-{hash_}",
        "labels": labels,
        "annotations": {"deployment.kubernetes.io/revision": "3"},
        "created": "${t4}",
        "owner": f"deployment/{name}",
        "controller": "kube-controller-manager",
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": own},
        "status": {
            "availableReplicas": 1,
            "fullyLabeledReplicas": 1,
            "observedGeneration": 1,
            "readyReplicas": 1,
            "replicas": 1,
        },
    }


def settle_replica_sets(drafts: Drafts) -> None:
    """Let every ReplicaSet say what its Deployment says of its Pods."""
    for draft in drafts.matching("replicaset/*"):
        deployment = drafts[f"deployment/{draft.role.removeprefix('replicaset/')}"].document
        own, status = draft.document, deployment["status"]
        own["spec"]["replicas"] = deployment["spec"]["replicas"]
        for key in ("availableReplicas", "readyReplicas", "replicas"):
            own["status"].pop(key, None)
            if key in status or key == "replicas":
                own["status"][key] = status.get(key, 0)
        own["status"]["fullyLabeledReplicas"] = own["status"]["replicas"]


def _stateful_set(name: str, labels: dict[str, str], template: Document) -> Document:
    return {
        "role": f"statefulset/{name}",
        "group": "apps",
        "kind": "StatefulSet",
        "name": name,
        "labels": labels,
        "controller": "kube-controller-manager",
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "serviceName": name,
            "template": template,
        },
        "status": {
            "availableReplicas": 1,
            "currentReplicas": 1,
            "observedGeneration": 1,
            "readyReplicas": 1,
            "replicas": 1,
            "updatedReplicas": 1,
        },
    }


def _pod(name: str, pod: str, labels: dict[str, str], image: str, *, owner: str) -> Document:
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        "role": f"pod/{name}",
        "kind": "Pod",
        "name": pod,
        "labels": labels,
        "created": "${t4}",
        "owner": owner,
        "controller": "kubelet",
        "scheme": "bare",
        "conditions": [{"type": kind, "status": "True"} for kind in kinds],
        "spec": {
            "containers": [{"image": image, "name": "manager"}],
            "nodeName": "mgmt-worker-2",
            "serviceAccountName": name,
        },
        "status": {
            "containerStatuses": [
                {
                    "image": image,
                    "name": "manager",
                    "ready": True,
                    "restartCount": 0,
                    "started": True,
                    "state": {"running": {"startedAt": "${t4}"}},
                }
            ],
            "phase": "Running",
            "podIP": "10.244.1.17",
            "startTime": "${t4}",
        },
    }


def _add_webhook(drafts: Drafts, entry: dict[str, Any], pod: str, base: Document) -> None:
    short, name = entry["webhook"], entry["name"]
    service = f"{short}-webhook-service"
    add_object(
        drafts,
        base
        | {
            "role": f"service/{name}",
            "kind": "Service",
            "name": service,
            "spec": {
                "clusterIP": "10.96.12.40",
                "ports": [{"port": 443, "protocol": "TCP", "targetPort": "webhook-server"}],
                "selector": {"control-plane": name},
                "type": "ClusterIP",
            },
            "status": {"loadBalancer": {}},
        },
    )
    target = {"kind": "Pod", "name": pod, "namespace": entry["namespace"]}
    add_object(
        drafts,
        base
        | {
            "role": f"endpoints/{name}",
            "group": "discovery.k8s.io",
            "kind": "EndpointSlice",
            "name": f"{service}-{suffix(service)}",
            "labels": {"kubernetes.io/service-name": service},
            "owner": f"service/{name}",
            "addressType": "IPv4",
            "endpoints": [
                {
                    "addresses": ["10.244.1.17"],
                    "conditions": {"ready": True, "serving": True, "terminating": False},
                    "targetRef": target,
                }
            ],
            "ports": [{"name": "", "port": 9443, "protocol": "TCP"}],
        },
    )
    add_object(drafts, base | _certificate(short, name, f"{service}.{entry['namespace']}.svc"))
    _add_configurations(drafts, entry, service, base)


def _certificate(short: str, name: str, host: str) -> Document:
    return {
        "role": f"certificate/{name}",
        "group": "cert-manager.io",
        "kind": "Certificate",
        "name": f"{short}-serving-cert",
        "conditions": [
            {
                "type": "Ready",
                "reason": "Ready",
                "message": "Certificate is up to date and has not expired",
            }
        ],
        "spec": {
            "dnsNames": [host],
            "issuerRef": {"kind": "Issuer", "name": f"{short}-selfsigned-issuer"},
            "secretName": f"{short}-webhook-service-cert",
        },
        "status": {"notAfter": "${later}", "notBefore": "${t4}", "revision": 4},
    }


def _add_configurations(
    drafts: Drafts, entry: dict[str, Any], service: str, base: Document
) -> None:
    short, name = entry["webhook"], entry["name"]
    client: Document = {"caBundle": "UkVEQUNURUQ="}
    client["service"] = {
        "name": service,
        "namespace": entry["namespace"],
        "path": "/convert",
        "port": 443,
    }
    for kind in ("Mutating", "Validating"):
        rules = [
            {
                "apiGroups": entry["groups"],
                "apiVersions": ["*"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["*"],
            }
        ]
        hook = {
            "admissionReviewVersions": ["v1"],
            "clientConfig": client,
            "failurePolicy": "Fail",
            "name": f"{kind.lower()}.{short}.fleet.local",
            "rules": rules,
            "sideEffects": "None",
        }
        add_object(
            drafts,
            base
            | {
                "role": f"{kind.lower()}/{name}",
                "group": "admissionregistration.k8s.io",
                "kind": f"{kind}WebhookConfiguration",
                "namespace": "",
                "name": f"{short}-{kind.lower()}-webhook-configuration",
                "annotations": {
                    "cert-manager.io/inject-ca-from": f"{entry['namespace']}/{short}-serving-cert"
                },
                "webhooks": [hook],
            },
        )
