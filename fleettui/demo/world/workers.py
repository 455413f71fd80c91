"""MachineDeployments with their MachineSets, Machines, templates and health checks.

Source: cluster-api api/core/v1beta2 MachineDeployment, MachineSet, MachineHealthCheck.
"""

from __future__ import annotations

from dataclasses import dataclass

from fleettui.demo.world.catalogue import api_version, group_of
from fleettui.demo.world.conditions import classic, fine
from fleettui.demo.world.control_planes import ControlPlane
from fleettui.demo.world.drafts import (
    Document,
    Draft,
    Drafts,
    contract_reference,
    metadata,
    owner_of,
)
from fleettui.demo.world.fleet import Flavour, suffix
from fleettui.demo.world.machines import CORE, MachinePlan, add_machine
from fleettui.demo.world.parts import DeploymentParts, MachineParts, SetParts
from fleettui.demo.world.providers import machine_template
from fleettui.demo.world.topology import OWNED, topology_deployment_labels

CLUSTER_NAME = "cluster.x-k8s.io/cluster-name"


@dataclass(frozen=True, slots=True)
class WorkerGroup:
    """A MachineDeployment to be made."""

    name: str
    replicas: int
    has_old_set: bool = False


def declared(role: str, document: Document, flavour: Flavour, file: str) -> Draft:
    """A draft that git declares, or that the topology controller made."""
    if flavour.is_topology:
        return Draft(role, document, writer="capi-topology")
    return Draft(role, document, file=file)


def template_draft(
    document: Document, cluster: Document, flavour: Flavour, file: str, role: str
) -> Draft:
    """A template that belongs to a Cluster, declared by git or made by the topology."""
    document["metadata"]["ownerReferences"] = [owner_of(cluster)]
    document["metadata"]["labels"] = {CLUSTER_NAME: "${name}"}
    if flavour.is_topology:
        document["metadata"]["labels"] |= OWNED
        group = group_of(document["apiVersion"])
        document["metadata"]["annotations"] = {
            "cluster.x-k8s.io/cloned-from-groupkind": f"{document['kind']}.{group}",
            "cluster.x-k8s.io/cloned-from-name": "standard",
        }
    return declared(role, document, flavour, file)


def add_deployment(
    drafts: Drafts,
    flavour: Flavour,
    facts: ControlPlane,
    cluster: Document,
    group: WorkerGroup,
    counter: int,
) -> DeploymentParts:
    """Add a MachineDeployment with templates, sets, Machines and its health check."""
    base = f"${{name}}-{group.name}"
    name = base + ("-b${h4}" if flavour.is_topology else "")
    template = machine_template(flavour.provider, base, role=f"template/{group.name}")
    drafts.add(template_draft(template, cluster, flavour, "workers.yaml", f"template/{group.name}"))
    config = bootstrap_template(facts, base, role=f"config/{group.name}")
    drafts.add(template_draft(config, cluster, flavour, "workers.yaml", f"config/{group.name}"))
    labels = {CLUSTER_NAME: "${name}", "cluster.x-k8s.io/deployment-name": name}
    if flavour.is_topology:
        labels |= topology_deployment_labels(group.name)
    document = deployment_document(group, name, labels, facts, template, cluster)
    drafts.add(declared(f"md/{group.name}", document, flavour, "workers.yaml"))
    part = DeploymentParts(document)
    for set_index, role in enumerate(("ms", "ms-old") if group.has_old_set else ("ms",)):
        replicas = group.replicas if set_index == 0 else 0
        part.sets.append(
            _add_set(drafts, flavour, facts, document, group, labels, replicas, role, counter)
        )
    check = health_check(name, labels, cluster, group)
    if flavour.is_topology:
        check["metadata"]["labels"] |= OWNED
    drafts.add(declared(f"mhc/{group.name}", check, flavour, "workers.yaml"))
    check["status"] = _check_status(part.machines)
    return part


def deployment_document(
    group: WorkerGroup,
    name: str,
    labels: dict[str, str],
    facts: ControlPlane,
    template: Document,
    cluster: Document,
) -> Document:
    """A MachineDeployment without derived status."""
    selector = dict(labels)
    annotations = {
        "machinedeployment.clusters.x-k8s.io/revision": "2" if group.has_old_set else "1"
    }
    document: Document = {
        "apiVersion": api_version(CORE, "MachineDeployment"),
        "kind": "MachineDeployment",
        "metadata": metadata(
            name,
            role=f"md/{group.name}",
            generation=2 if group.has_old_set else 1,
            labels={
                key: value
                for key, value in labels.items()
                if "deployment-name" not in key or key.startswith("topology")
            },
            annotations=annotations,
            finalizers=["cluster.x-k8s.io/machinedeployment"],
            ownerReferences=[owner_of(cluster)],
        ),
        "spec": {
            "clusterName": "${name}",
            "replicas": group.replicas,
            "rollout": {
                "strategy": {
                    "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
                    "type": "RollingUpdate",
                }
            },
            "selector": {"matchLabels": selector},
            "template": _machine_template(labels, facts, template),
        },
        "status": {
            "selector": ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
        },
    }
    return document


def _machine_template(labels: dict[str, str], facts: ControlPlane, template: Document) -> Document:
    return {
        "metadata": {"labels": dict(labels)},
        "spec": {
            "bootstrap": {
                "configRef": {
                    "apiGroup": "bootstrap.cluster.x-k8s.io",
                    "kind": f"{facts.bootstrap_worker}Template",
                    "name": template["metadata"]["name"],
                }
            },
            "clusterName": "${name}",
            "infrastructureRef": contract_reference(template),
            "version": "${version}",
        },
    }


def _add_set(
    drafts: Drafts,
    flavour: Flavour,
    facts: ControlPlane,
    deployment: Document,
    group: WorkerGroup,
    labels: dict[str, str],
    replicas: int,
    role: str,
    counter: int,
) -> SetParts:
    is_old = role == "ms-old"
    letter, hash_ = ("c", "${h1}") if is_old else ("k", "${h0}")
    name = f"{deployment['metadata']['name']}-{letter}{hash_}"
    own = labels | {"machine-template-hash": f"{2591100802 - is_old}-{letter}{hash_}"}
    document = set_document(deployment, name, own, group, role=role, replicas=replicas)
    if flavour.is_topology:
        document["metadata"]["finalizers"].append("machineset.topology.cluster.x-k8s.io")
    drafts.add(Draft(f"{role}/{group.name}", document, writer="capi-machinedeployment"))
    part = SetParts(document)
    for index in range(replicas):
        short = suffix(group.name, index, length=2)
        plan = MachinePlan(
            group=group.name,
            number=counter + index,
            name=f"{name}-{short}${{r0}}",
            provider=flavour.provider,
            bootstrap_kind=facts.bootstrap_worker,
            template=f"${{name}}-{group.name}",
            labels=own | {"cluster.x-k8s.io/set-name": name},
        )
        part.machines.append(add_machine(drafts, plan, owner=document, index=index))
    return part


def set_document(
    deployment: Document,
    name: str,
    labels: dict[str, str],
    group: WorkerGroup,
    *,
    role: str,
    replicas: int,
) -> Document:
    """A MachineSet of a MachineDeployment without derived status."""
    is_old = role == "ms-old"
    revision = "1" if is_old or not group.has_old_set else "2"
    template = dict(deployment["spec"]["template"]["spec"])
    if is_old:
        template["version"] = "${oldversion}"
    return {
        "apiVersion": api_version(CORE, "MachineSet"),
        "kind": "MachineSet",
        "metadata": metadata(
            name,
            role=f"{role}/{group.name}",
            created="${t1}" if is_old else "${t4}",
            labels=dict(labels),
            annotations={
                "cluster.x-k8s.io/disable-machine-create": "true" if is_old else "false",
                "machinedeployment.clusters.x-k8s.io/desired-replicas": str(group.replicas),
                "machinedeployment.clusters.x-k8s.io/max-replicas": str(group.replicas + 1),
                "machinedeployment.clusters.x-k8s.io/revision": revision,
            },
            finalizers=["cluster.x-k8s.io/machineset"],
            ownerReferences=[owner_of(deployment, controller=True)],
        ),
        "spec": {
            "clusterName": "${name}",
            "replicas": replicas,
            "selector": {"matchLabels": dict(labels)},
            "template": {"metadata": {"labels": dict(labels)}, "spec": template},
        },
        "status": {"selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items()))},
    }


def bootstrap_template(facts: ControlPlane, name: str, *, role: str) -> Document:
    """The bootstrap template of a worker group."""
    kind = f"{facts.bootstrap_worker}Template"
    return {
        "apiVersion": api_version("bootstrap.cluster.x-k8s.io", kind),
        "kind": kind,
        "metadata": metadata(name, role=role),
        "spec": {"template": {"spec": facts.worker_spec()}},
    }


def health_check(
    name: str, labels: dict[str, str], cluster: Document, group: WorkerGroup
) -> Document:
    """A MachineHealthCheck of a worker group."""
    return {
        "apiVersion": api_version(CORE, "MachineHealthCheck"),
        "kind": "MachineHealthCheck",
        "metadata": metadata(
            name,
            role=f"mhc/{group.name}",
            labels={CLUSTER_NAME: "${name}"},
            ownerReferences=[owner_of(cluster)],
        ),
        "spec": {
            "checks": {
                "nodeStartupTimeoutSeconds": 600,
                "unhealthyNodeConditions": [
                    {"status": "Unknown", "timeoutSeconds": 300, "type": "Ready"},
                    {"status": "False", "timeoutSeconds": 300, "type": "Ready"},
                ],
            },
            "clusterName": "${name}",
            "remediation": {"triggerIf": {"unhealthyLessThanOrEqualTo": "40%"}},
            "selector": {
                "matchLabels": {
                    key: value for key, value in labels.items() if "deployment-name" in key
                }
            },
        },
    }


def _check_status(machines: list[MachineParts]) -> Document:
    total = len(machines)
    return {
        "conditions": [fine("RemediationAllowed"), fine("Paused")],
        "currentHealthy": total,
        "deprecated": {"v1beta1": {"conditions": [classic("RemediationAllowed")]}},
        "expectedMachines": total,
        "observedGeneration": 1,
        "remediationsAllowed": max(1, total * 2 // 5),
        "targets": sorted(part.machine["metadata"]["name"] for part in machines),
    }
