"""The management cluster's own content: controllers, the platform's GitOps, other operators.

Told by data/platform; controllers come with what tells whether they live (Deployment, Pod,
Lease, Service, EndpointSlice, webhook configurations with their certificates).
"""

from __future__ import annotations

from typing import Any

from fleettui.demo.world.drafts import Document, Drafts
from fleettui.demo.world.fleet import suffix
from fleettui.demo.world.objects import add_object, add_objects
from fleettui.demo.world.providers import data_file

_NAMESPACES = (
    "azure-landing",
    "aws-landing",
    "edge-network",
    "fleet-classes",
    "fleet-extensions",
    "google-landing",
    "kube-system",
    "default",
    "monitoring",
)


def platform_drafts() -> Drafts:
    """Everything in a management cluster that belongs to no team."""
    drafts = Drafts()
    controllers = data_file("platform/controllers.yaml")
    namespaces = {entry["namespace"] for entry in controllers} | set(_NAMESPACES)
    for name in sorted(namespaces):
        _add_namespace(drafts, name)
    for entry in controllers:
        _add_controller(drafts, entry)
    for file in ("gitops", "argo", "clouds", "identities"):
        add_objects(drafts, data_file(f"platform/{file}.yaml"))
    _fill_inventories(drafts)
    return drafts


def _add_namespace(drafts: Drafts, name: str) -> None:
    add_object(
        drafts,
        {
            "role": f"namespace/{name}",
            "kind": "Namespace",
            "namespace": "",
            "name": name,
            "labels": {"kubernetes.io/metadata.name": name},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        },
    )


def _add_controller(drafts: Drafts, entry: dict[str, Any]) -> None:
    name, namespace = entry["name"], entry["namespace"]
    base: Document = {"namespace": namespace, "writer": "clusterctl", "operation": "Update"}
    labels = {"control-plane": name, "app.kubernetes.io/name": name}
    pod = f"{name}-{suffix(name, 'rs', length=9)}-{suffix(name, 'pod')}"
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"image": entry["image"], "name": "manager"}]},
    }
    add_object(drafts, base | _deployment(name, labels, template))
    add_object(drafts, base | _pod(name, pod, labels, entry["image"]))
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


def _pod(name: str, pod: str, labels: dict[str, str], image: str) -> Document:
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        "role": f"pod/{name}",
        "kind": "Pod",
        "name": pod,
        "labels": labels,
        "created": "${t4}",
        "owner": f"deployment/{name}",
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


def inventory_id(document: Document) -> dict[str, str]:
    """An inventory entry as kustomize-controller writes it."""
    group, slash, version = document["apiVersion"].rpartition("/")
    namespace = document["metadata"].get("namespace", "")
    name = document["metadata"]["name"].replace(":", "__")
    return {
        "id": f"{namespace}_{name}_{group if slash else ''}_{document['kind']}",
        "v": version,
    }


APPLIES_TO_TEAMS = {"flux-system": "inventorysync", "tenants": "inventorytenants"}
"""Kustomizations of the platform that also apply objects of every team, with the hole for them."""


def _fill_inventories(drafts: Drafts) -> None:
    prefix = "kustomize.toolkit.fluxcd.io"
    for draft in drafts.matching("ks/*"):
        document = draft.document
        entries = document["status"]["inventory"]["entries"]
        for other in drafts:
            labels = other.document["metadata"].get("labels", {})
            if labels.get(f"{prefix}/name") != document["metadata"]["name"]:
                continue
            entry = inventory_id(other.document)
            if other is not draft and entry not in entries:
                entries.append(entry)
        name = document["metadata"]["name"]
        if name in APPLIES_TO_TEAMS:
            entries.append(f"${{{APPLIES_TO_TEAMS[name]}}}")
