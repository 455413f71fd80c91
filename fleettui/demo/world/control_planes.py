"""Control planes of self-managed clusters: kubeadm, RKE2, k0s, k0smotron, Kamaji, Talos.

Source: each provider's types and status; facts gathered in domain notes per provider.
"""

from __future__ import annotations

from dataclasses import dataclass

from fleettui.demo.world.catalogue import api_version
from fleettui.demo.world.conditions import classic, fine, modern
from fleettui.demo.world.drafts import Document, Draft, Drafts, metadata, owner_of
from fleettui.demo.world.fleet import Flavour
from fleettui.demo.world.machines import bootstrap_spec
from fleettui.demo.world.providers import infrastructure_group, provider
from fleettui.demo.world.topology import OWNED

GROUP = "controlplane.cluster.x-k8s.io"


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """What differs between control-plane providers."""

    kind: str
    bootstrap: str
    """Kind of its Machines' bootstrap objects."""
    bootstrap_worker: str
    has_machines: bool
    suffix: str
    finalizer: str
    conditions: tuple[str, ...]
    is_classic: bool = False

    def worker_spec(self) -> Document:
        """spec of a worker's bootstrap template."""
        return bootstrap_spec(self.bootstrap_worker, is_control_plane=False)


_TAIL = ("RollingOut", "ScalingDown", "ScalingUp", "MachinesReady", "MachinesUpToDate")
_KUBEADM = (
    "Available",
    "CertificatesAvailable",
    "Initialized",
    "EtcdClusterHealthy",
    "ControlPlaneComponentsHealthy",
    "RollingOut",
    "Remediating",
    "ScalingDown",
    "ScalingUp",
    "MachinesReady",
    "MachinesUpToDate",
    "Paused",
    "Deleting",
)

_PLANES = {
    "kubeadm": ControlPlane(
        "KubeadmControlPlane",
        "KubeadmConfig",
        "KubeadmConfig",
        has_machines=True,
        suffix="-cp",
        finalizer="kubeadm.controlplane.cluster.x-k8s.io",
        conditions=_KUBEADM,
    ),
    "rke2": ControlPlane(
        "RKE2ControlPlane",
        "RKE2Config",
        "RKE2Config",
        has_machines=True,
        suffix="-cp",
        finalizer="rke2.controleplane.cluster.x-k8s.io",
        conditions=(
            "Available", "Initialized", "CertificatesAvailable", "EtcdClusterHealthy",
            "ControlPlaneComponentsHealthy", "NodeMetadataUpToDate", *_TAIL, "Paused",
        ),
    ),
    "k0s": ControlPlane(
        "K0sControlPlane",
        "K0sControllerConfig",
        "K0sWorkerConfig",
        has_machines=True,
        suffix="-cp",
        finalizer="k0s.controlplane.cluster.x-k8s.io",
        conditions=("Available", "Initialized", "CertificatesAvailable", "Paused"),
    ),
    "k0smotron": ControlPlane(
        "K0smotronControlPlane",
        "K0sControllerConfig",
        "K0sWorkerConfig",
        has_machines=False,
        suffix="-cp",
        finalizer="k0smotron.controlplane.cluster.x-k8s.io",
        conditions=("Available", "Initialized", "Paused"),
    ),
    "kamaji": ControlPlane(
        "KamajiControlPlane",
        "KubeadmConfig",
        "KubeadmConfig",
        has_machines=False,
        suffix="",
        finalizer="kamaji.clastix.io/controlplane",
        conditions=(
            "TenantControlPlaneCreated", "TenantControlPlaneAddressReady",
            "ControlPlaneEndpointPatched", "InfrastructureClusterPatched",
            "KamajiControlPlaneIsInitialized", "KamajiControlPlaneIsReady",
            "KubeadmResourcesCreated", "Available",
        ),
    ),
    "talos": ControlPlane(
        "TalosControlPlane",
        "TalosConfig",
        "TalosConfig",
        has_machines=True,
        suffix="-cp",
        finalizer="talos.controlplane.cluster.x-k8s.io",
        conditions=(
            "Ready", "Available", "ControlPlaneComponentsHealthy", "EtcdClusterHealthy",
            "MachinesReady", "Resized",
        ),
        is_classic=True,
    ),
}  # fmt: skip


def control_plane_of(name: str) -> ControlPlane:
    """Facts of a control-plane provider by its short name."""
    return _PLANES[name]


def add_control_plane(
    drafts: Drafts, flavour: Flavour, facts: ControlPlane, cluster: Document, *, replicas: int
) -> Document:
    """Add the control plane in its healthy state, without what its Machines tell."""
    name = "${name}" + ("-z${h3}" if flavour.is_topology else facts.suffix)
    labels = {"cluster.x-k8s.io/cluster-name": "${name}"}
    document: Document = {
        "apiVersion": api_version(GROUP, facts.kind),
        "kind": facts.kind,
        "metadata": metadata(
            name,
            role="control-plane",
            labels=labels | (OWNED if flavour.is_topology else {}),
            finalizers=[facts.finalizer],
            ownerReferences=[owner_of(cluster, controller=True)],
        ),
        "spec": _spec(facts, flavour, replicas),
        "status": _status(facts, replicas),
    }
    draft = Draft("control-plane", document, file="control-plane.yaml")
    if flavour.is_topology:
        draft.writer, draft.file = "capi-topology", ""
    drafts.add(draft)
    return document


def _template_kind(name: str) -> str:
    return str(provider(name)["template"]["kind"])


def _spec(facts: ControlPlane, flavour: Flavour, replicas: int) -> Document:
    reference = {
        "apiGroup": infrastructure_group(flavour.provider),
        "kind": _template_kind(flavour.provider),
        "name": "${name}-cp",
    }
    rollout = {"strategy": {"rollingUpdate": {"maxSurge": 1}, "type": "RollingUpdate"}}
    match facts.kind:
        case "KubeadmControlPlane":
            return _kubeadm_spec(reference, replicas) | {"rollout": rollout}
        case "RKE2ControlPlane":
            return {
                "machineTemplate": {"spec": {"infrastructureRef": reference}},
                "replicas": replicas,
                "rolloutStrategy": {"rollingUpdate": {"maxSurge": 1}, "type": "RollingUpdate"},
                "serverConfig": {"cni": "cilium"},
                "version": "${version}+rke2r1",
            }
        case "K0sControlPlane":
            return {
                "k0sConfigSpec": {"args": ["--enable-worker"]},
                "machineTemplate": {"infrastructureRef": _old_reference(reference)},
                "replicas": replicas,
                "version": "${version}+k0s.0",
            }
        case "K0smotronControlPlane":
            return {
                "externalAddress": "${host}",
                "image": "images.example.com/k0sproject/k0s",
                "replicas": replicas,
                "service": {"type": "LoadBalancer", "apiPort": 6443},
                "version": "${version}-k0s.0",
            }
        case "KamajiControlPlane":
            return {
                "controlPlaneEndpoint": {"host": "${host}", "port": 6443},
                "dataStoreName": "default",
                "addons": {"coreDNS": {}, "kubeProxy": {}},
                "network": {"serviceType": "LoadBalancer"},
                "replicas": replicas,
                "version": "${version}",
            }
    return {
        "controlPlaneConfig": {"controlplane": {"generateType": "controlplane"}},
        "infrastructureTemplate": _old_reference(reference),
        "replicas": replicas,
        "version": "${version}",
    }


def _kubeadm_spec(reference: Document, replicas: int) -> Document:
    config = bootstrap_spec("KubeadmConfig", is_control_plane=True)
    join = config["joinConfiguration"]
    join.pop("discovery")
    config["initConfiguration"] = {"nodeRegistration": join["nodeRegistration"]}
    return {
        "kubeadmConfigSpec": config,
        "machineTemplate": {"spec": {"infrastructureRef": reference}},
        "replicas": replicas,
        "version": "${version}",
    }


def _old_reference(reference: Document) -> Document:
    group, kind = reference["apiGroup"], reference["kind"]
    return {"apiVersion": api_version(group, kind), "kind": kind, "name": reference["name"]}


def _status(facts: ControlPlane, replicas: int) -> Document:
    status: Document = {"version": "${version}"}
    if not facts.kind.startswith(("K0s", "Kamaji")):
        status["observedGeneration"] = 1
    if facts.is_classic:
        status["conditions"] = [classic(kind) for kind in facts.conditions]
        return status | {
            "bootstrapped": True,
            "initialized": True,
            "ready": True,
            "readyReplicas": replicas,
            "replicas": replicas,
            "selector": _SELECTOR,
            "unavailableReplicas": 0,
        }
    status["conditions"] = [_healthy(kind) for kind in facts.conditions]
    status["initialization"] = {"controlPlaneInitialized": True}
    if facts.kind != "KubeadmControlPlane":
        status |= {
            "availableReplicas": replicas,
            "readyReplicas": replicas,
            "replicas": replicas,
            "upToDateReplicas": replicas,
        }
    if not facts.has_machines:
        status["externalManagedControlPlane"] = True
    if facts.kind == "KamajiControlPlane":
        status["ready"] = True
    if facts.kind == "KubeadmControlPlane":
        old = (
            "Ready", "Available", "CertificatesAvailable", "ControlPlaneComponentsHealthy",
            "EtcdClusterHealthy", "MachinesCreated", "MachinesReady", "Resized",
        )  # fmt: skip
        status["deprecated"] = {"v1beta1": {"conditions": [classic(kind) for kind in old]}}
    return status if facts.kind == "RKE2ControlPlane" else status | {"selector": _SELECTOR}


_SELECTOR = "cluster.x-k8s.io/cluster-name=${name},cluster.x-k8s.io/control-plane"


def _healthy(kind: str) -> Document:
    if kind.startswith(("Kamaji", "Tenant", "Kubeadm", "ControlPlaneEndpoint", "Infrastructure")):
        return modern(kind, "True", kind)
    return fine(kind)
