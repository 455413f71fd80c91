"""Makes the tree of a description from an inventory.

Source: clusterctl ``client/tree/discovery.go`` (order, headings, what is left out)
and ``tree.go`` (echo and grouping). Deviations, each on purpose: MachineDeployments
are shown though there is no worker Machine yet; a MachinePool has a status; a group
whose members fail for different reasons says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fleettui.fleet.describe.inventory import (
    CONTROL_PLANE_LABEL,
    Body,
    Inventory,
    at,
    group_of,
    maps_at,
    name_of,
)
from fleettui.fleet.describe.node import Node, heading, object_node, state_of
from fleettui.kinds.spec import Role

SUMMARIES = ("Available", "Ready", "UpToDate")


@dataclass(frozen=True, slots=True)
class Options:
    """What is shown; the defaults are clusterctl's."""

    show_conditions: str = ""
    """Comma list of ``all``, ``Kind``, ``Kind/name``, each with ``+`` for abnormal ones only."""
    show_machine_sets: bool = False
    show_resource_sets: bool = False
    show_templates: bool = False
    echo: bool = False
    grouping: bool = True


class _Tree:
    """Adds nodes by clusterctl's rules of echo and grouping."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._filters = _filters(options.show_conditions)

    def add(
        self, parent: Node, node: Node, *, echoes: bool = True, grouping: bool = False, z: int = 0
    ) -> bool:
        """Hangs a node below another; False when it was left out or merged into a group."""
        if not echoes and not self._options.echo and _is_echo(parent, node):
            return False
        node.is_grouping = grouping and self._options.grouping
        node.z_order = z
        self.show_conditions(node)
        if parent.is_grouping and not node.is_virtual and self._merged(parent, node):
            return False
        parent.children.append(node)
        return True

    def show_conditions(self, node: Node) -> None:
        for wanted, abnormal_only in self._filters:
            if wanted in ("all", node.kind.lower(), f"{node.kind}/{node.name}".lower()):
                node.shows_conditions = True
                node.abnormal_only = abnormal_only
                return

    @staticmethod
    def _merged(parent: Node, node: Node) -> bool:
        marks = [node.mark(kind) for kind in SUMMARIES]
        for position, sibling in enumerate(parent.children):
            if sibling.is_group:
                if sibling.kind == f"{node.kind}Group" and marks == [
                    sibling.mark(kind) for kind in SUMMARIES
                ]:
                    _join(sibling, node)
                    return True
            elif sibling.kind == node.kind and marks == [sibling.mark(kind) for kind in SUMMARIES]:
                parent.children[position] = _group(sibling, node)
                return True
        return False


def _filters(text: str) -> list[tuple[str, bool]]:
    found = []
    for element in filter(None, text.split(",")):
        wanted, abnormal_only = element.lower().removesuffix("+"), element.endswith("+")
        found.append((wanted.partition("/")[0] if wanted.count("/") > 1 else wanted, abnormal_only))
    return found


def _is_echo(parent: Node, node: Node) -> bool:
    ready = node.mark("Ready")
    return ready == parent.mark("Ready") or bool(ready and ready[0] == "True")


def _group(first: Node, second: Node) -> Node:
    group = replace(
        first,
        kind=f"{first.kind}Group",
        body=None,
        is_virtual=True,
        shows_conditions=False,
        z_order=second.z_order,
        children=[],
        states=list(first.states),
        members=[],
        counts=dict.fromkeys(SUMMARIES, 0),
        complaints=set(),
    )
    _join(group, first)
    _join(group, second)
    return group


def _join(group: Node, node: Node) -> None:
    group.members = sorted([*group.members, node.name])
    for kind in SUMMARIES:
        group.counts[kind] += _is_true(node, kind)
    ready, other = group.state("Ready"), node.state("Ready")
    if ready is None or other is None:
        return
    oldest = min((since for since in (ready.since, other.since) if since), default=0)
    group.states[group.states.index(ready)] = replace(ready, since=oldest, message="")
    if other.status != "True":
        group.complaints.add(other.message.replace(node.name, ""))


def _is_true(node: Node, kind: str) -> bool:
    state = node.state(kind)
    return state is not None and state.status == "True"


def build_tree(cluster: Body, inventory: Inventory, options: Options) -> Node:
    """The description's tree, the Cluster as its root."""
    tree = _Tree(options)
    root = object_node(cluster, Role.CLUSTER)
    tree.show_conditions(root)
    infrastructure = inventory.referred(at(cluster, "spec", "infrastructureRef"))
    if infrastructure is not None:
        tree.add(root, object_node(infrastructure, Role.INFRA_CLUSTER))
    if options.show_resource_sets:
        _add_resource_sets(tree, root, inventory)
    placed: set[str] = set()
    control_plane = _add_control_plane(tree, root, inventory, options)
    machines = inventory.of_role(Role.MACHINE, root.name)
    if control_plane is not None:
        for machine in machines:
            if _is_control_plane(machine):
                placed.add(name_of(machine))
                _add_machine(tree, control_plane, machine, inventory)
    _add_workers(tree, root, machines, placed, inventory, options)
    return root


def _is_control_plane(machine: Body) -> bool:
    labels = at(machine, "metadata", "labels") or {}
    return CONTROL_PLANE_LABEL in labels


def _add_resource_sets(tree: _Tree, root: Node, inventory: Inventory) -> None:
    binding = inventory.named("ClusterResourceSetBinding", root.name)
    if binding is None:
        return
    group = heading("ClusterResourceSetGroup", root.namespace, "ClusterResourceSets")
    tree.add(root, group)
    for entry in maps_at(binding, "spec", "bindings"):
        name = str(at(entry, "clusterResourceSetName") or "")
        node = heading("ClusterResourceSet", root.namespace, name)
        node.is_virtual = False
        tree.add(group, node)


def _add_control_plane(
    tree: _Tree, root: Node, inventory: Inventory, options: Options
) -> Node | None:
    body = inventory.referred(at(root.body, "spec", "controlPlaneRef"))
    if body is None:
        return None
    node = object_node(body, Role.CONTROL_PLANE)
    has_new_counters = at(body, "status", "upToDateReplicas") is not None
    has_initialization = at(body, "status", "initialization") is not None
    node.contract = "v1beta2" if has_new_counters or has_initialization else "v1beta1"
    tree.add(root, node, grouping=True)
    if options.show_templates:
        reference = at(body, "spec", "machineTemplate", "spec", "infrastructureRef")
        reference = reference or at(body, "spec", "machineTemplate", "infrastructureRef")
        _add_templates(tree, node, [reference])
    return node


def _add_templates(tree: _Tree, parent: Node, references: list[object]) -> None:
    """Templates are shown as they are referred to, whether they exist or not."""
    found = [reference for reference in references if isinstance(reference, Mapping)]
    if not found:
        return
    group = heading("TemplateGroup", parent.namespace, "Templates")
    tree.add(parent, group, z=1)
    for reference in found:
        kind, name = str(reference.get("kind")), str(reference.get("name"))
        tree.add(group, Node(kind, parent.namespace, name, Role.TEMPLATE))


def _add_machine(tree: _Tree, parent: Node, machine: Body, inventory: Inventory) -> None:
    node = object_node(machine, Role.MACHINE)
    if not tree.add(parent, node):
        return
    for reference, role in (
        (at(machine, "spec", "infrastructureRef"), Role.INFRA_MACHINE),
        (at(machine, "spec", "bootstrap", "configRef"), Role.BOOTSTRAP),
    ):
        body = inventory.referred(reference)
        if body is not None:
            tree.add(node, object_node(body, role), echoes=False)


def _add_workers(
    tree: _Tree,
    root: Node,
    machines: list[Body],
    placed: set[str],
    inventory: Inventory,
    options: Options,
) -> None:
    pools = inventory.of_role(Role.MACHINE_POOL, root.name)
    deployments = inventory.of_role(Role.WORKERS, root.name)
    workers = heading("WorkerGroup", root.namespace, "Workers")
    loose = [m for m in machines if not _is_control_plane(m)]
    if not (loose or pools or deployments):
        return
    tree.add(root, workers)
    for body in deployments:
        _add_deployment(tree, workers, body, loose, placed, inventory, options)
    for body in pools:
        _add_pool(tree, workers, body, loose, placed, inventory)
    rest = [machine for machine in machines if name_of(machine) not in placed]
    if rest:
        other = heading("OtherGroup", root.namespace, "Other")
        tree.add(workers, other)
        for machine in rest:
            _add_machine(tree, other, machine, inventory)


def _add_deployment(
    tree: _Tree,
    workers: Node,
    body: Body,
    machines: list[Body],
    placed: set[str],
    inventory: Inventory,
    options: Options,
) -> None:
    node = object_node(body, Role.WORKERS)
    tree.add(workers, node, grouping=not options.show_machine_sets)
    if options.show_templates:
        template = at(body, "spec", "template", "spec")
        _add_templates(
            tree,
            node,
            [
                at(template, "bootstrap", "configRef"),
                at(template, "infrastructureRef"),
            ],
        )
    cluster = str(at(body, "spec", "clusterName") or "")
    for machine_set in inventory.of_role(Role.MACHINE_SET, cluster):
        if not _is_controlled_by(machine_set, body):
            continue
        parent = node
        if options.show_machine_sets:
            parent = object_node(machine_set, Role.MACHINE_SET)
            tree.add(node, parent, grouping=True)
        for machine in machines:
            if _is_controlled_by(machine, machine_set):
                placed.add(name_of(machine))
                _add_machine(tree, parent, machine, inventory)


def _add_pool(
    tree: _Tree,
    workers: Node,
    body: Body,
    machines: list[Body],
    placed: set[str],
    inventory: Inventory,
) -> None:
    node = object_node(body, Role.MACHINE_POOL)
    node.judged = state_of(inventory.judged(body))
    tree.add(workers, node, grouping=True)
    template = at(body, "spec", "template", "spec")
    for reference, role in (
        (at(template, "bootstrap", "configRef"), Role.BOOTSTRAP),
        (at(template, "infrastructureRef"), Role.INFRA_POOL),
    ):
        found = inventory.referred(reference)
        if found is not None:
            tree.add(node, object_node(found, role), echoes=False)
    for machine in machines:
        if _is_controlled_by(machine, body):
            placed.add(name_of(machine))
            _add_machine(tree, node, machine, inventory)


def _is_controlled_by(body: Body, owner: Body) -> bool:
    for reference in maps_at(body, "metadata", "ownerReferences"):
        if reference.get("controller"):
            group = str(reference.get("apiVersion") or "").rpartition("/")[0]
            return bool(
                group == group_of(owner)
                and reference.get("kind") == owner.get("kind")
                and reference.get("uid") == at(owner, "metadata", "uid")
            )
    return False
