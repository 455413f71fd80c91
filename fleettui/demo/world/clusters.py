"""Self-managed workload clusters: Cluster, control plane, workers and what belongs to them.

Source: Cluster API v1beta2 types; shapes as its controllers leave them.
"""

from __future__ import annotations

from dataclasses import replace

from fleettui.demo.world.catalogue import api_version
from fleettui.demo.world.conditions import classic
from fleettui.demo.world.control_planes import (
    ControlPlane,
    add_control_plane,
    control_plane_of,
)
from fleettui.demo.world.drafts import (
    Document,
    Draft,
    Drafts,
    contract_reference,
    metadata,
    owner_of,
)
from fleettui.demo.world.fleet import Flavour, suffix
from fleettui.demo.world.machines import CORE, MachinePlan, add_machine, secret_document
from fleettui.demo.world.parts import (
    ClusterParts,
    DeploymentParts,
    MachineParts,
    PoolParts,
    SetParts,
)
from fleettui.demo.world.pools import add_pools
from fleettui.demo.world.providers import infrastructure_cluster, machine_template
from fleettui.demo.world.satellites import add_satellites
from fleettui.demo.world.topology import OWNED, add_topology
from fleettui.demo.world.workers import (
    CLUSTER_NAME,
    WorkerGroup,
    add_deployment,
    declared,
    template_draft,
)

SIZES: dict[str, tuple[int, tuple[WorkerGroup, ...]]] = {
    "S": (1, (WorkerGroup("md-0", 2),)),
    "M": (
        3,
        (
            WorkerGroup("md-0", 3, has_old_set=True),
            WorkerGroup("md-1", 3),
            WorkerGroup("md-infra", 2),
        ),
    ),
    "L": (
        3,
        (
            WorkerGroup("md-0", 4, has_old_set=True),
            WorkerGroup("md-1", 3),
            WorkerGroup("md-infra", 2, has_old_set=True),
            WorkerGroup("md-gpu", 2),
        ),
    ),
}
"""Control-plane machines and worker groups by size."""


def add_self_managed(drafts: Drafts, flavour: Flavour, size: str) -> ClusterParts:
    """Add all Cluster API objects of a self-managed cluster in its healthy state."""
    replicas, groups = SIZES[size]
    plane_facts = control_plane_of(flavour.control_plane)
    cluster = cluster_document(flavour, size)
    drafts.add(Draft("cluster", cluster, file="cluster.yaml"))
    parts = ClusterParts(cluster)
    name = "${name}" + ("-y${h5}" if flavour.is_topology else "")
    infra = infrastructure_cluster(flavour.provider, name, role="infra-cluster")
    infra["metadata"] |= {
        "generation": 2,
        "labels": {CLUSTER_NAME: "${name}"} | (OWNED if flavour.is_topology else {}),
        "ownerReferences": [owner_of(cluster, controller=True)],
    }
    parts.infrastructure = infra
    drafts.add(declared("infra-cluster", infra, flavour, "cluster.yaml"))
    cluster["spec"]["infrastructureRef"] = contract_reference(infra)
    plane = add_control_plane(drafts, flavour, plane_facts, cluster, replicas=replicas)
    parts.control_plane = plane
    cluster["spec"]["controlPlaneRef"] = contract_reference(plane)
    counter = _add_plane_machines(drafts, flavour, plane_facts, parts, replicas)
    for group in groups if not flavour.has_pools else groups[:1]:
        workers = replace(flavour, provider=flavour.workers or flavour.provider)
        parts.deployments.append(
            add_deployment(drafts, workers, plane_facts, cluster, group, counter)
        )
        counter += group.replicas
    if flavour.has_pools:
        parts.pools += add_pools(drafts, flavour, cluster)
    _add_secrets(drafts, plane)
    add_satellites(drafts, flavour.provider)
    if flavour.is_topology:
        add_topology(drafts, parts, size)
    return parts


def parts_of(drafts: Drafts) -> ClusterParts | None:
    """The cluster's objects arranged for settling; None if there is no Cluster."""
    cluster = drafts.find("cluster")
    if cluster is None:
        return None
    parts = ClusterParts(cluster, drafts.find("infra-cluster"), drafts.find("control-plane"))
    parts.machines = [_machine_parts(drafts, draft) for draft in drafts.matching("machine/cp/*")]
    for draft in drafts.matching("md/*"):
        group = draft.role.removeprefix("md/")
        template_role = f"template/{group}"
        own = DeploymentParts(draft.document, template_exists=template_role in drafts)
        for each in drafts.matching(f"ms/{group}") + drafts.matching(f"ms-old/{group}"):
            uid = each.document["metadata"]["uid"]
            machines = [
                _machine_parts(drafts, machine)
                for machine in drafts.matching(f"machine/{group}/*")
                if machine.document["metadata"]["ownerReferences"][0]["uid"] == uid
            ]
            own.sets.append(SetParts(each.document, machines))
        parts.deployments.append(own)
    for draft in drafts.matching("pool/*"):
        infra = drafts.find(f"infra-pool/{draft.role.removeprefix('pool/')}")
        parts.pools.append(PoolParts(draft.document, infra))
    return parts


def _machine_parts(drafts: Drafts, draft: Draft) -> MachineParts:
    where = draft.role.removeprefix("machine/")
    return MachineParts(
        draft.document, drafts.find(f"infra/{where}"), drafts.find(f"bootstrap/{where}")
    )


def cluster_document(flavour: Flavour, size: str) -> Document:
    """The Cluster object without references and derived status."""
    labels = {
        "app.kubernetes.io/part-of": "${team}",
        "cni": "cilium",
        "cost-center": "${cost}",
        "environment": "${env}",
        "fleet.example.com/provider": flavour.provider,
        "kustomize.toolkit.fluxcd.io/name": "clusters-${ns}",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        "region": "${region}",
        "team": "${team}",
        "tier": "${tier}",
    }
    return {
        "apiVersion": api_version(CORE, "Cluster"),
        "kind": "Cluster",
        "metadata": metadata(
            "${name}",
            role="cluster",
            generation=2,
            labels=labels,
            finalizers=["cluster.cluster.x-k8s.io"],
        ),
        "spec": {
            "clusterNetwork": {
                "pods": {"cidrBlocks": ["192.168.0.0/16"]},
                "serviceDomain": "cluster.local",
                "services": {"cidrBlocks": ["10.128.0.0/12"]},
            },
            "controlPlaneEndpoint": {"host": "${host}", "port": 6443},
        },
        "status": {
            "deprecated": {"v1beta1": {"conditions": [classic(kind) for kind in _OLD]}},
            "initialization": {
                "controlPlaneInitialized": True,
                "infrastructureProvisioned": True,
            },
        },
    }


_OLD = ("Ready", "ControlPlaneInitialized", "ControlPlaneReady", "InfrastructureReady")


def _add_plane_machines(
    drafts: Drafts, flavour: Flavour, facts: ControlPlane, parts: ClusterParts, replicas: int
) -> int:
    plane = parts.control_plane
    if plane is None or not facts.has_machines:
        return 0
    labels = {
        CLUSTER_NAME: "${name}",
        "cluster.x-k8s.io/control-plane": "",
        "cluster.x-k8s.io/control-plane-name": plane["metadata"]["name"],
    }
    if flavour.is_topology:
        labels |= OWNED
    template = machine_template(flavour.provider, "${name}-cp", role="template/cp")
    drafts.add(
        template_draft(template, parts.cluster, flavour, "control-plane.yaml", "template/cp")
    )
    for index in range(replicas):
        plan = MachinePlan(
            group="cp",
            number=index,
            name=f"{plane['metadata']['name']}-{suffix('cp', index, length=2)}" + "${r0}",
            provider=flavour.provider,
            bootstrap_kind=facts.bootstrap,
            template="${name}-cp",
            labels=labels,
            is_checked=flavour.is_topology,
        )
        parts.machines.append(add_machine(drafts, plan, owner=plane, index=index))
    return replicas


def _add_secrets(drafts: Drafts, plane: Document) -> None:
    owner = owner_of(plane, controller=True)
    for kind in ("ca", "etcd", "kubeconfig", "proxy", "sa"):
        key = "value" if kind == "kubeconfig" else "tls.crt"
        value = "${kubeconfig}" if kind == "kubeconfig" else "${certificate}"
        secret = secret_document(f"${{name}}-{kind}", role=f"secret/{kind}", key=key, value=value)
        if kind != "kubeconfig":
            secret["data"]["tls.key"] = "UkVEQUNURUQ="
        secret["metadata"]["ownerReferences"] = [owner]
        drafts.add(Draft(f"secret/{kind}", secret, writer="manager", operation="Update"))
