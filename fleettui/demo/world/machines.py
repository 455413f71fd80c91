"""Machines with their bootstrap and infrastructure objects, and the Secrets they leave.

Source: cluster-api internal/controllers/machineset, controlplane/kubeadm (what they create).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from fleettui.demo.world.catalogue import api_version, group_of
from fleettui.demo.world.conditions import classic, fine
from fleettui.demo.world.drafts import (
    Document,
    Draft,
    Drafts,
    contract_reference,
    metadata,
    owner_of,
)
from fleettui.demo.world.parts import MachineParts
from fleettui.demo.world.providers import (
    failure_domain,
    infrastructure_machine,
    machine_extra,
    provider,
)
from fleettui.demo.world.settle_machines import COMPONENTS

CORE = "cluster.x-k8s.io"
BOOTSTRAP = "bootstrap.cluster.x-k8s.io"

_WORKER = ("Available", "Ready", "UpToDate", "BootstrapConfigReady", "InfrastructureReady")
_NODE = ("NodeHealthy", "NodeReady")
_TAIL = ("Updating", "Paused", "Deleting")
_GATES = ("NodeKubeadmLabelsAndTaintsSet", *COMPONENTS)
_LISTED = (_GATES[0], *COMPONENTS[3:], *COMPONENTS[:3])
"""Readiness gates, and their conditions in the order in which the control plane sets them."""


@dataclass(frozen=True, slots=True)
class MachinePlan:
    """What a new Machine is made from."""

    group: str
    """`cp` or the worker group, such as `md-0`."""
    number: int
    """Counts all machines of the cluster; ids and addresses follow from it."""
    name: str
    provider: str
    bootstrap_kind: str
    template: str
    """Name of the infrastructure template it is cloned from."""
    labels: dict[str, str]
    version: str = "${version}"
    created: str = "${t4}"
    is_checked: bool = True
    """Whether a MachineHealthCheck selects it."""

    @property
    def is_control_plane(self) -> bool:
        """Whether it carries the control plane."""
        return self.group == "cp"


def add_machine(drafts: Drafts, plan: MachinePlan, *, owner: Document, index: int) -> MachineParts:
    """Add one healthy Machine with all its objects; roles end in `<group>/<index>`."""
    where = f"{plan.group}/{index}"
    by = "capi-machineset" if plan.group != "cp" else f"capi-{owner['kind'].lower()}"
    machine = machine_document(plan, role=f"machine/{where}", owner=owner)
    bootstrap = bootstrap_document(plan, role=f"bootstrap/{where}", machine=machine)
    infra = infrastructure_machine(
        plan.provider, plan.name, role=f"infra/{where}", number=plan.number
    )
    own = owner_of(machine, controller=True)
    infra["metadata"] |= {
        "annotations": infra["metadata"].get("annotations", {}) | _cloned(infra, plan),
        "creationTimestamp": plan.created,
        "generation": 2,
        "labels": dict(plan.labels),
        "ownerReferences": [own],
    }
    machine["spec"]["providerID"] = infra["spec"]["providerID"]
    machine["spec"]["infrastructureRef"] = contract_reference(infra)
    machine["status"]["addresses"] = machine_addresses(infra)
    _place(plan, machine, infra, where)
    for role, document in (("machine", machine), ("bootstrap", bootstrap), ("infra", infra)):
        drafts.add(Draft(f"{role}/{where}", document, written=plan.created, writer=by))
    _add_extra(drafts, plan, where, infra)
    _add_data_secret(drafts, plan, where, bootstrap)
    return MachineParts(machine, infra, bootstrap)


def _place(plan: MachinePlan, machine: Document, infra: Document, where: str) -> None:
    """Tell the failure domain: the control plane asks for one, providers say which it is."""
    wanted = failure_domain(plan.provider, role=f"machine/{where}", number=plan.number)
    if wanted:
        machine["spec"]["failureDomain"] = wanted
        if provider(plan.provider)["machine"].get("asks_failure_domain"):
            infra["spec"]["failureDomain"] = wanted
    found = infra["status"].get("failureDomain") or wanted
    if found:
        machine["status"]["failureDomain"] = found


def machine_addresses(infra: Document) -> list[Document]:
    """status.addresses as the Machine copies them from its infrastructure."""
    return copy.deepcopy(infra["status"].get("addresses", []))


def machine_document(plan: MachinePlan, *, role: str, owner: Document) -> Document:
    """The Machine itself in its healthy state."""
    kinds = [*_WORKER, *_NODE]
    if plan.is_control_plane and plan.bootstrap_kind == "KubeadmConfig":
        kinds += _LISTED
    if plan.is_checked:
        kinds.append("HealthCheckSucceeded")
    kinds += _TAIL
    annotations = {}
    spec: Document = {
        "bootstrap": {
            "configRef": {
                "apiGroup": BOOTSTRAP,
                "kind": plan.bootstrap_kind,
                "name": plan.name,
            },
            "dataSecretName": plan.name,
        },
        "clusterName": "${name}",
        "deletion": {"nodeDeletionTimeoutSeconds": 10, "nodeDrainTimeoutSeconds": 600},
        "infrastructureRef": {},
        "version": plan.version,
    }
    if _GATES[0] in kinds:
        spec["readinessGates"] = [{"conditionType": kind} for kind in _GATES]
        annotations["pre-terminate.delete.hook.machine.cluster.x-k8s.io/kcp-cleanup"] = ""
    return {
        "apiVersion": api_version(CORE, "Machine"),
        "kind": "Machine",
        "metadata": metadata(
            plan.name,
            role=role,
            created=plan.created,
            generation=3,
            labels=dict(plan.labels),
            annotations=annotations,
            finalizers=["machine.cluster.x-k8s.io"],
            ownerReferences=[owner_of(owner, controller=True)],
        ),
        "spec": spec,
        "status": _machine_status(plan, kinds),
    }


def _machine_status(plan: MachinePlan, kinds: list[str]) -> Document:
    status: Document = {
        "conditions": [fine(kind, at="${t4}", generation=3) for kind in kinds],
        "deprecated": {"v1beta1": {"conditions": _classic_conditions(kinds)}},
        "initialization": {"bootstrapDataSecretCreated": True, "infrastructureProvisioned": True},
        "lastUpdated": "${t4}",
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "${x8}-6a8e-4b0e-9d11-5a0f${x8}",
            "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.8.0-85-generic",
            "kubeProxyVersion": "",
            "kubeletVersion": plan.version,
            "machineID": "ec2${x8}0b7c4d1e9f5a8362",
            "operatingSystem": "linux",
            "osImage": "Ubuntu 24.04.3 LTS",
            "systemUUID": "ec2${x8}-0b7c-4d1e-9f5a-8362${x8}",
        },
        "nodeRef": {"name": plan.name},
        "observedGeneration": 3,
        "phase": "Running",
    }
    if plan.is_control_plane:
        status["certificatesExpiryDate"] = "${expiry}"
    return status


def _classic_conditions(kinds: list[str]) -> list[dict[str, Any]]:
    old = ["Ready", "BootstrapReady", "InfrastructureReady", "NodeHealthy"]
    old += [kind for kind in (*COMPONENTS, "HealthCheckSucceeded") if kind in kinds]
    return [classic(kind, at="${t4}") for kind in (old[0], *sorted(old[1:]))]


def _cloned(infra: Document, plan: MachinePlan) -> dict[str, str]:
    kind, group = f"{infra['kind']}Template", group_of(infra["apiVersion"])
    return {
        "cluster.x-k8s.io/cloned-from-groupkind": f"{kind}.{group}",
        "cluster.x-k8s.io/cloned-from-name": plan.template,
    }


def bootstrap_document(plan: MachinePlan, *, role: str, machine: Document) -> Document:
    """The bootstrap object of a Machine in its healthy state."""
    kind = plan.bootstrap_kind
    status: Document = {"dataSecretName": plan.name}
    if not kind.startswith("K0s"):
        status["observedGeneration"] = 2
    if kind in _EKS_SPECS:
        status["conditions"] = [classic(item, at="${t4}") for item in _EKS_CONDITIONS]
        status["ready"] = True
    elif kind == "TalosConfig":
        status |= {"initialization": {"dataSecretCreated": True}}
        status["conditions"] = [fine("Ready", at="${t4}", generation=2)]
    else:
        kinds = ["Ready", "CertificatesAvailable", "DataSecretAvailable", "Paused"]
        status["conditions"] = [fine(item, at="${t4}", generation=2) for item in kinds]
        status["initialization"] = {"dataSecretCreated": True}
    if kind == "KubeadmConfig":
        old = ("Ready", "CertificatesAvailable", "DataSecretAvailable")
        status["deprecated"] = {
            "v1beta1": {"conditions": [classic(item, at="${t4}") for item in old]}
        }
    return {
        "apiVersion": api_version(BOOTSTRAP, kind),
        "kind": kind,
        "metadata": metadata(
            plan.name,
            role=role,
            created=plan.created,
            generation=2,
            labels=dict(plan.labels),
            annotations=_bootstrap_annotations(plan),
            ownerReferences=[owner_of(machine, controller=True)],
        ),
        "spec": bootstrap_spec(kind, is_control_plane=plan.is_control_plane),
        "status": status,
    }


def _bootstrap_annotations(plan: MachinePlan) -> dict[str, str]:
    """What the owner of a Machine writes on its bootstrap object."""
    if not plan.is_control_plane:
        return {
            "cluster.x-k8s.io/cloned-from-groupkind": f"{plan.bootstrap_kind}Template.{BOOTSTRAP}",
            "cluster.x-k8s.io/cloned-from-name": plan.template,
        }
    if plan.bootstrap_kind != "KubeadmConfig":
        return {}
    return {"machine.cluster.x-k8s.io/certificates-expiry": "${expiry}"}


def bootstrap_spec(kind: str, *, is_control_plane: bool) -> Document:
    """spec of a bootstrap object of a kind."""
    if kind == "KubeadmConfig":
        return _kubeadm_spec(is_control_plane)
    if kind == "RKE2Config":
        return {"agentConfig": {"kubelet": {"extraArgs": ["--max-pods=110"]}}}
    if kind in ("K0sWorkerConfig", "K0sControllerConfig"):
        return {"args": ["--labels=fleet.example.com/tier=${tier}"], "version": "${version}+k0s.0"}
    if kind in _EKS_SPECS:
        return copy.deepcopy(_EKS_SPECS[kind])
    generate = "controlplane" if is_control_plane else "worker"
    return {"generateType": generate, "talosVersion": "v1.11"}


_EKS_CONDITIONS = ("Ready", "DataSecretAvailable")
_EKS_SPECS: dict[str, Document] = {
    "EKSConfig": {
        "kubeletExtraArgs": {"node-labels": "fleet.example.com/tier=${tier}"},
        "useMaxPods": False,
    },
    "NodeadmConfig": {
        "kubelet": {
            "config": {"maxPods": 110},
            "flags": ["--node-labels=fleet.example.com/tier=${tier}"],
        }
    },
}
"""spec of the bootstrap kinds of EKS; their conditions carry a severity. Source: CAPA api."""


def _kubeadm_spec(is_control_plane: bool) -> Document:
    registration = {
        "kubeletExtraArgs": [
            {"name": "cloud-provider", "value": "external"},
            {"name": "eviction-hard", "value": "nodefs.available<5%,memory.available<200Mi"},
            {"name": "node-labels", "value": "fleet.example.com/tier=${tier}"},
        ],
        "name": "{{ ds.meta_data.local_hostname }}",
    }
    spec: Document = {
        "files": [
            {
                "content": '[plugins."io.containerd.grpc.v1.cri".registry]\n'
                'config_path = "/etc/containerd/certs.d"\n',
                "owner": "root:root",
                "path": "/etc/containerd/conf.d/registry.toml",
                "permissions": "0644",
            }
        ],
        "joinConfiguration": {
            "discovery": {
                "bootstrapToken": {
                    "apiServerEndpoint": "${host}:6443",
                    "caCertHashes": [_CA_HASH],
                    "token": "redact.redactedredacted",
                }
            },
            "nodeRegistration": registration,
        },
        "preKubeadmCommands": ["hostnamectl set-hostname {{ ds.meta_data.local_hostname }}"],
        "users": [{"name": "ops", "sudo": "ALL=(ALL) NOPASSWD:ALL"}],
    }
    if is_control_plane:
        spec["clusterConfiguration"] = {
            "apiServer": {
                "certSANs": ["${host}"],
                "extraArgs": [{"name": "audit-log-maxage", "value": "30"}],
            },
            "controlPlaneEndpoint": "${host}:6443",
            "etcd": {"local": {"dataDir": "/var/lib/etcddisk/etcd"}},
            "featureGates": {"ControlPlaneKubeletLocalMode": True},
        }
        spec["joinConfiguration"]["controlPlane"] = {"localAPIEndpoint": {"bindPort": 6443}}
    return spec


def _add_extra(drafts: Drafts, plan: MachinePlan, where: str, infra: Document) -> None:
    role = f"extra/{where}"
    extra = machine_extra(plan.provider, plan.name, role=role, number=plan.number)
    if extra is None:
        return
    extra["metadata"]["creationTimestamp"] = plan.created
    if "serverID" in extra["spec"]:
        extra["spec"]["serverID"] += plan.number
    if "consumerRef" in extra["spec"]:
        extra["spec"]["consumerRef"] = {
            "apiVersion": infra["apiVersion"],
            "kind": infra["kind"],
            "name": plan.name,
            "namespace": "${ns}",
        }
    else:
        extra["metadata"]["labels"] = dict(plan.labels)
        extra["metadata"]["ownerReferences"] = [owner_of(infra, controller=True)]
    drafts.add(Draft(role, extra, writer="manager", operation="Update", written=plan.created))


def _add_data_secret(drafts: Drafts, plan: MachinePlan, where: str, bootstrap: Document) -> None:
    role = f"data/{where}"
    secret = secret_document(plan.name, role=role, key="value", value=_CLOUD_INIT)
    secret["data"]["format"] = "Y2xvdWQtY29uZmln"
    secret["metadata"]["creationTimestamp"] = plan.created
    secret["metadata"]["ownerReferences"] = [owner_of(bootstrap, controller=True)]
    drafts.add(Draft(role, secret, writer="manager", operation="Update", written=plan.created))


_CA_HASH = "sha256:${x8}5b7e01c4a9d2f8e36b1d0c7a45f9e2b8d613a07c5e4f9b12d8a6c3e0${x8}"
_CLOUD_INIT = "IyMgdGVtcGxhdGU6IGppbmphCiNjbG91ZC1jb25maWcKcnVuY21kOgogIC0ga3ViZWFkbSBqb2luCg=="


def secret_document(name: str, *, role: str, key: str, value: str) -> Document:
    """A Secret of Cluster API's own type."""
    meta = metadata(name, role=role, labels={"cluster.x-k8s.io/cluster-name": "${name}"})
    del meta["generation"]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "data": {key: value},
        "metadata": meta,
        "type": "cluster.x-k8s.io/secret",
    }
