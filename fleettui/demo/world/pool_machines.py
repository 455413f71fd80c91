"""Machines of a MachinePool whose infrastructure provider makes machine objects.

Source: InfraMachinePool contract (status.infrastructureMachineKind); CAPZ AzureMachinePool.
"""

from __future__ import annotations

from fleettui.demo.world.catalogue import api_version
from fleettui.demo.world.conditions import classic
from fleettui.demo.world.drafts import (
    Document,
    Draft,
    Drafts,
    contract_reference,
    metadata,
    owner_of,
)
from fleettui.demo.world.machines import MachinePlan, machine_document
from fleettui.demo.world.providers import INFRASTRUCTURE

_KIND = "AzureMachinePoolMachine"


def add_pool_machines(drafts: Drafts, pool: Document, infra: Document, group: str) -> None:
    """Add a Machine and an AzureMachinePoolMachine for each instance of a scale set."""
    base = infra["metadata"]["name"]
    labels = {
        "cluster.x-k8s.io/cluster-name": "${name}",
        "cluster.x-k8s.io/pool-name": pool["metadata"]["name"],
    }
    for index, instance in enumerate(infra["status"]["instances"]):
        name = f"{base}-{index}"
        own = _infrastructure(name, group, index, instance, infra, labels)
        plan = MachinePlan(
            group=group,
            number=60 + index,
            name=name,
            provider="azure",
            bootstrap_kind="KubeadmConfig",
            template="",
            labels=labels,
            is_checked=False,
        )
        machine = machine_document(plan, role=f"machine/{group}/{index}", owner=pool)
        machine["spec"]["bootstrap"] = {"dataSecretName": base}
        machine["spec"]["infrastructureRef"] = contract_reference(own)
        machine["spec"]["providerID"] = own["spec"]["providerID"]
        status = machine["status"]
        status["conditions"] = [item for item in status["conditions"] if item["type"] != "UpToDate"]
        own["metadata"]["ownerReferences"].append(owner_of(machine))
        drafts.add(Draft(f"machine/{group}/{index}", machine, writer="manager"))
        drafts.add(Draft(f"infra/{group}/{index}", own, writer="capz-manager"))


def _infrastructure(
    name: str,
    group: str,
    index: int,
    instance: Document,
    infra: Document,
    labels: dict[str, str],
) -> Document:
    return {
        "apiVersion": api_version(INFRASTRUCTURE, _KIND),
        "kind": _KIND,
        "metadata": metadata(
            name,
            role=f"infra/{group}/{index}",
            created="${t4}",
            labels=dict(labels),
            finalizers=["azuremachinepoolmachine.infrastructure.cluster.x-k8s.io"],
            ownerReferences=[owner_of(infra, controller=True)],
        ),
        "spec": {
            "instanceID": instance["instanceID"],
            "providerID": f"{infra['spec']['providerID']}/virtualMachines/{index}",
        },
        "status": {
            "conditions": [classic("Ready"), classic("NodeHealthy")],
            "instanceName": instance["instanceName"],
            "latestModelApplied": True,
            "nodeRef": {"name": name},
            "provisioningState": "Succeeded",
            "ready": True,
            "version": "${version}",
        },
    }
