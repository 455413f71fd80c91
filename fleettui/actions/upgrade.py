"""Upgrade: another Kubernetes version for a whole cluster.

Knows the topology's one field, and the order control plane then workers without
one; off unless the configuration enables it.

Source: Cluster API ``spec.topology.version``, ClusterClass
``spec.kubernetesVersions`` (chained upgrades), Kubernetes version skew policy.
"""

from collections.abc import Iterator
from typing import Any

from fleettui.actions.compose import Recipe
from fleettui.actions.documents import group_of, nested, text_at, value_at
from fleettui.actions.drafts import (
    Case,
    Draft,
    DraftStep,
    command,
    merge_patch,
    revert_warnings,
    still,
    target_needs,
    written_paths,
)
from fleettui.actions.facts import Document, FactRequest, Facts, ListRequest, ref_of, refuse
from fleettui.actions.forms import form_for, forms
from fleettui.actions.plan import (
    Acknowledgement,
    Check,
    Danger,
    Impact,
    Refusal,
    Signal,
    Target,
    Warning,
)
from fleettui.actions.stillness import paused_refusal
from fleettui.actions.topology import TOPOLOGY, topology_acknowledgement
from fleettui.actions.versions import is_same_version, step_problem
from fleettui.kinds.record import ObjectRef

VERB = "upgrade"
GATE = "upgrade"
UPGRADE_TIMEOUT_S = 4 * 3600
VERSION = (*TOPOLOGY, "version")
WORKER_VERSION = ("spec", "template", "spec", "version")
_BRAKE = "before-upgrade.hook.cluster.cluster.x-k8s.io"


def _wishes(facts: Facts) -> FactRequest:
    """Clusters, their classes, control planes and workers, and who applies them."""
    bodies: list[ObjectRef | None] = []
    lists: list[ListRequest] = []
    for ref in facts.refs:
        body = facts.body(ref)
        if body is None:
            continue
        if value_at(body, TOPOLOGY) is not None:
            bodies.append(class_of(ref, body))
        else:
            bodies.append(control_plane_of(ref, body))
            lists += worker_lists(ref)
    more = target_needs(facts, bodies)
    missing = facts.missing((), lists)
    return FactRequest(more.bodies, missing.lists, ())


def class_of(ref: ObjectRef, body: Document) -> ObjectRef | None:
    """The ClusterClass of a Cluster, in either API version."""
    name = text_at(body, (*TOPOLOGY, "classRef", "name")) or text_at(body, (*TOPOLOGY, "class"))
    namespace = text_at(body, (*TOPOLOGY, "classRef", "namespace")) or text_at(
        body, (*TOPOLOGY, "classNamespace")
    )
    if not name:
        return None
    return ref._replace(kind="ClusterClass", namespace=namespace or ref.namespace, name=name)


def control_plane_of(ref: ObjectRef, body: Document) -> ObjectRef | None:
    """The control plane of a Cluster, None when it names none."""
    pointer = value_at(body, ("spec", "controlPlaneRef"))
    if not isinstance(pointer, dict):
        return None
    group = str(pointer.get("apiGroup") or group_of(str(pointer.get("apiVersion") or "")))
    name = str(pointer.get("name") or "")
    return ref._replace(group=group, kind=str(pointer.get("kind")), name=name) if name else None


def worker_lists(ref: ObjectRef) -> tuple[ListRequest, ListRequest]:
    """Deployments and pools of a Cluster."""
    kinds = ("MachineDeployment", "MachinePool")
    first, second = (
        ListRequest(ref.context, ref.group, kind, ref.namespace, ref.name) for kind in kinds
    )
    return first, second


def _plan_one(case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    options = case.options
    spec = facts.spec_of(ref.group, ref.kind)
    if spec is None or form_for(forms().upgrade, spec) is None:
        return refuse(ref, "versions are changed at the Cluster", hint="choose its Cluster")
    if not options.allows(ref.context, GATE):
        return refuse(
            ref,
            "changing a version is off in this context",
            hint=f"add {GATE} to the allow list of every entry that fits the context",
        )
    again = command(VERB, ref, f"--version {options.version}")
    refusal = paused_refusal(facts, ref, body, again)
    if refusal is not None:
        return refusal
    if value_at(body, TOPOLOGY) is not None:
        return _through_topology(facts, ref, body, target, options.version, again)
    return _one_by_one(facts, ref, body, options.version, target, again)


def _through_topology(
    facts: Facts, ref: ObjectRef, body: Document, target: Target, version: str, again: str
) -> Draft | Refusal:
    problem = step_problem(text_at(body, VERSION), version)
    if problem and not _is_chained(facts, ref, body, version, problem):
        return refuse(ref, problem)
    patch = merge_patch(
        target,
        body,
        nested(VERSION, version),
        relies_on=(still(body, VERSION),),
        acknowledged_by=topology_acknowledgement(body),
    )
    step = DraftStep(patch, title="upgrade the topology")
    return Draft(
        target,
        (step,),
        warnings=(
            *revert_warnings(facts, ref, written_paths(patch), again),
            *_brakes(ref, body),
        ),
        impacts=(Impact(str(ref), f"replaces every machine with one of {version}", ref.name),),
        danger=Danger.DESTRUCTIVE,
    )


def _is_chained(facts: Facts, ref: ObjectRef, body: Document, version: str, problem: str) -> bool:
    """Whether the class lists the version, so that steps between are made for us."""
    if "skipped" not in problem:
        return False
    offered = value_at(facts.body(class_of(ref, body)), ("spec", "kubernetesVersions"))
    return isinstance(offered, list) and any(is_same_version(str(v), version) for v in offered)


def _brakes(ref: ObjectRef, body: Document) -> tuple[Warning, ...]:
    """Hooks that hold an upgrade until somebody removes them."""
    names = value_at(body, ("metadata", "annotations")) or {}
    found = [name for name in names if name.startswith(_BRAKE)]
    if not found:
        return ()
    return (Warning(text=f"it will wait at {', '.join(sorted(found))}", target=str(ref)),)


def _one_by_one(
    facts: Facts, ref: ObjectRef, body: Document, version: str, target: Target, again: str
) -> Draft | Refusal:
    above = control_plane_of(ref, body)
    document = facts.body(above)
    control_plane = facts.target(above) if above else None
    if above is None or document is None or control_plane is None:
        return refuse(ref, "its control plane is not named or cannot be read")
    workers = [facts.list(request) for request in worker_lists(ref)]
    if any(found is None for found in workers):
        return refuse(
            ref, "not all of its workers are known", hint="ask for the right to list them"
        )
    problem = step_problem(text_at(document, ("spec", "version")), version)
    if problem and "already" not in problem:
        return refuse(above, problem)
    first = () if problem else (_control_plane_step(document, control_plane, version),)
    rest = tuple(_worker_steps(facts, ref.context, workers, version, first))
    if not first and not rest:
        return refuse(ref, f"everything in it is at {version} already")
    return Draft(
        target,
        (*first, *rest),
        warnings=tuple(
            warning
            for step in (*first, *rest)
            for warning in revert_warnings(facts, step.patch.ref, written_paths(step.patch), again)
        ),
        impacts=(
            Impact(str(above), f"replaces the control plane with {version}", ref.name),
            Impact(str(ref), f"then replaces the machines of {len(rest)} worker groups", ref.name),
        ),
        danger=Danger.DESTRUCTIVE,
    )


def _control_plane_step(document: Document, target: Target, version: str) -> DraftStep:
    counted = value_at(document, ("spec", "replicas")) is not None
    checks = (Check(Signal.VERSION, ("status", "version"), version),)
    patch = merge_patch(
        target,
        document,
        {"spec": {"version": version}},
        relies_on=(still(document, ("spec", "version")),),
        acknowledged_by=Acknowledgement(
            checks=(*checks, Check(Signal.SETTLED)) if counted else checks,
            words=f"the control plane runs {version}",
            timeout_s=UPGRADE_TIMEOUT_S,
        ),
    )
    return DraftStep(patch, title="upgrade the control plane")


def _worker_steps(
    facts: Facts,
    context: str,
    workers: list[tuple[Document, ...] | None],
    version: str,
    after: tuple[DraftStep, ...],
) -> Iterator[DraftStep]:
    documents: list[Any] = [document for found in workers for document in found or ()]
    for document in documents:
        target = facts.with_more(bodies={ref_of(document, context): document}).target(
            ref_of(document, context)
        )
        if target is None or is_same_version(text_at(document, WORKER_VERSION), version):
            continue
        patch = merge_patch(
            target,
            document,
            nested(WORKER_VERSION, version),
            relies_on=(still(document, WORKER_VERSION),),
            acknowledged_by=Acknowledgement(
                checks=(Check(Signal.SETTLED),),
                words="as many machines up to date as asked for",
                timeout_s=UPGRADE_TIMEOUT_S,
            ),
        )
        yield DraftStep(patch, title="upgrade workers", after=after)


RECIPE = Recipe(VERB, _plan_one, wishes=_wishes)
needs, plan = RECIPE.needs, RECIPE.plan
