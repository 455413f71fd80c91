"""MachinePools of self-managed clusters with their infrastructure pools.

A MachinePool has no real v1beta2 condition but Paused; its health stands in the old list.
Source: cluster-api core/reconcilers/machinepool; CAPZ AzureMachinePool; CAPA AWSMachinePool.
"""

from __future__ import annotations

from fleettui.demo.world.catalogue import api_version
from fleettui.demo.world.conditions import classic, fine
from fleettui.demo.world.drafts import Document, Draft, Drafts, metadata, owner_of
from fleettui.demo.world.fleet import Flavour
from fleettui.demo.world.machines import BOOTSTRAP, CORE, bootstrap_spec
from fleettui.demo.world.parts import PoolParts
from fleettui.demo.world.pool_machines import add_pool_machines
from fleettui.demo.world.providers import INFRASTRUCTURE, marked, provider

_OLD = ("Ready", "BootstrapReady", "InfrastructureReady", "ReplicasReady")


def pool_document(
    name: str,
    *,
    role: str,
    cluster: Document,
    infrastructure: Document,
    replicas: int,
    bootstrap: Document | None = None,
) -> Document:
    """A healthy MachinePool that refers to an infrastructure pool."""
    reference = {
        "apiGroup": INFRASTRUCTURE,
        "kind": infrastructure["kind"],
        "name": infrastructure["metadata"]["name"],
    }
    boot: Document = {"dataSecretName": name}
    if bootstrap is not None:
        boot["configRef"] = {"apiGroup": BOOTSTRAP, "kind": bootstrap["kind"], "name": name}
    else:
        boot["dataSecretName"] = ""
    return {
        "apiVersion": api_version(CORE, "MachinePool"),
        "kind": "MachinePool",
        "metadata": metadata(
            name,
            role=role,
            generation=2,
            labels={"cluster.x-k8s.io/cluster-name": "${name}"},
            finalizers=["machinepool.cluster.x-k8s.io"],
            ownerReferences=[owner_of(cluster)],
        ),
        "spec": {
            "clusterName": "${name}",
            "providerIDList": [f"{name}-{index}" for index in range(replicas)],
            "replicas": replicas,
            "template": {
                "spec": {
                    "bootstrap": boot,
                    "clusterName": "${name}",
                    "infrastructureRef": reference,
                    "version": "${version}",
                }
            },
        },
        "status": _pool_status(name, replicas),
    }


def _pool_status(name: str, replicas: int) -> Document:
    return {
        "availableReplicas": replicas,
        "conditions": [fine("Paused", generation=2)],
        "deprecated": {
            "v1beta1": {
                "availableReplicas": replicas,
                "conditions": [classic(kind) for kind in _OLD],
                "readyReplicas": replicas,
                "unavailableReplicas": 0,
            }
        },
        "initialization": {
            "bootstrapDataSecretCreated": True,
            "infrastructureProvisioned": True,
        },
        "nodeRefs": [{"name": f"{name}-{index}"} for index in range(replicas)],
        "observedGeneration": 2,
        "phase": "Running",
        "readyReplicas": replicas,
        "replicas": replicas,
        "upToDateReplicas": replicas,
        "versions": [{"replicas": replicas, "version": "${version}"}],
    }


def add_pools(drafts: Drafts, flavour: Flavour, cluster: Document) -> list[PoolParts]:
    """Add two MachinePools with bootstrap and infrastructure."""
    return [
        _add_pool(drafts, flavour, cluster, f"mp-{index}", replicas)
        for index, replicas in enumerate((3, 4))
    ]


def _add_pool(
    drafts: Drafts, flavour: Flavour, cluster: Document, group: str, replicas: int
) -> PoolParts:
    name = f"${{name}}-{group}"
    infra = _infrastructure(flavour, name, group, replicas)
    bootstrap = _bootstrap(name, group)
    pool = pool_document(
        name,
        role=f"pool/{group}",
        cluster=cluster,
        infrastructure=infra,
        replicas=replicas,
        bootstrap=bootstrap,
    )
    pool["spec"]["providerIDList"] = list(infra["spec"]["providerIDList"])
    for document in (infra, bootstrap):
        document["metadata"]["ownerReferences"] = [owner_of(pool, controller=True)]
    drafts.add(Draft(f"pool/{group}", pool, file="workers.yaml"))
    drafts.add(Draft(f"infra-pool/{group}", infra, file="workers.yaml"))
    drafts.add(Draft(f"bootstrap-pool/{group}", bootstrap, file="workers.yaml"))
    if "infrastructureMachineKind" in infra["status"]:
        add_pool_machines(drafts, pool, infra, group)
    return PoolParts(pool, infra)


def _infrastructure(flavour: Flavour, name: str, group: str, replicas: int) -> Document:
    data = provider(flavour.provider)["pool"]
    marks = {"pool": name, "n": "0", "id": "4c1d77e0"}
    infra: Document = {
        "apiVersion": api_version(INFRASTRUCTURE, data["kind"]),
        "kind": data["kind"],
        "metadata": metadata(
            name,
            role=f"infra-pool/{group}",
            generation=2,
            labels={"cluster.x-k8s.io/cluster-name": "${name}"},
            finalizers=list(data["finalizers"]),
        ),
        "spec": marked(data["spec"], marks),
        "status": marked(data["status"], marks)
        | {
            "conditions": [
                fine(kind) if data.get("scheme") == "modern" else classic(kind)
                for kind in data["conditions"]
            ],
            "replicas": replicas,
        },
    }
    if "instance" in data:
        infra["status"]["instances"] = [
            marked(data["instance"], marks | {"n": str(index), "id": f"{index:08x}"})
            for index in range(replicas)
        ]
    base = marked({"id": data["provider_id"]}, marks)["id"]
    infra["spec"]["providerIDList"] = [f"{base}/{index}" for index in range(replicas)]
    return infra


def _bootstrap(name: str, group: str) -> Document:
    return {
        "apiVersion": api_version(BOOTSTRAP, "KubeadmConfig"),
        "kind": "KubeadmConfig",
        "metadata": metadata(
            name,
            role=f"bootstrap-pool/{group}",
            labels={"cluster.x-k8s.io/cluster-name": "${name}"},
        ),
        "spec": bootstrap_spec("KubeadmConfig", is_control_plane=False),
        "status": {
            "conditions": [fine("Ready"), fine("DataSecretAvailable"), fine("Paused")],
            "dataSecretName": name,
            "initialization": {"dataSecretCreated": True},
            "observedGeneration": 1,
        },
    }
