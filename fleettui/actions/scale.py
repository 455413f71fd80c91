"""Scale: another number of machines, where it will stay.

Knows the scale subresource, topology entries, autoscalers and the parity of
etcd; knows no kind beyond the table.

Source: Cluster API contract (replicas, scale subresource), KubeadmControlPlane
webhook, cluster-autoscaler node-group annotations, MachinePool
``replicas-managed-by``.
"""

from typing import Any

from fleettui.actions.compose import Recipe
from fleettui.actions.documents import annotation, controller_of, group_of, value_at
from fleettui.actions.drafts import (
    Case,
    Draft,
    DraftStep,
    command,
    merge_patch,
    revert_warnings,
    still,
    undo_merge,
    written_paths,
)
from fleettui.actions.facts import Document, refuse
from fleettui.actions.forms import ReplicaForm, form_for, forms
from fleettui.actions.managed import cluster_ref
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
from fleettui.actions.topology import TOPOLOGY, Place, place_of, topology_patch
from fleettui.kinds.record import ObjectRef

VERB = "scale"
SCALE_TIMEOUT_S = 3600
REPLICAS = ("spec", "replicas")
MANAGED_BY = "cluster.x-k8s.io/replicas-managed-by"
NODE_GROUP = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-{}-size"


def _plan_one(case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    options = case.options
    form = form_for(forms().scale, case.spec)
    if form is None:
        return refuse(ref, "this kind has no replicas")
    wanted = options.replicas
    if wanted is None:
        return refuse(ref, "no number is given", hint="say how many replicas")
    place = None if options.form == "direct" else place_of(facts, ref, body, form)
    if isinstance(place, Refusal):
        return place
    if place is not None and value_at(place.entry, ("replicas",)) is None:
        place = None
    refusal = (
        _owner_refusal(ref, body, form)
        or _number_refusal(ref, body, form, wanted)
        or _autoscaler_refusal(ref, body)
        or paused_refusal(facts, ref, body, _again(ref, wanted), partial=False)
    )
    if refusal is not None:
        return refusal
    step, written = _step(body, target, form, place, wanted)
    above = again = _again(ref, wanted)
    if options.form:
        again = f"{again} --form {options.form}"
    return Draft(
        target,
        (step,),
        warnings=(
            *revert_warnings(
                facts, written, written_paths(step.patch, "replicas"), again, above=above
            ),
            *_warnings(ref, body, place, wanted),
        ),
        impacts=(_impact(ref, body, wanted),),
        danger=Danger.DELICATE if wanted < _current(body) else Danger.ORDINARY,
    )


def _again(ref: ObjectRef, wanted: int) -> str:
    return command(VERB, ref, f"--replicas {wanted}")


def _current(body: Document) -> int:
    value = value_at(body, REPLICAS)
    return value if isinstance(value, int) else 0


def _step(
    body: Document, target: Target, form: ReplicaForm, place: Place | None, wanted: int
) -> tuple[DraftStep, ObjectRef]:
    if place is not None:
        patch, back = topology_patch(place, ("replicas",), wanted)
        return DraftStep(patch, title="scale through the topology", undo=back), place.cluster
    patch = merge_patch(
        target,
        body,
        {"spec": {"replicas": wanted}},
        relies_on=(still(body, REPLICAS),),
        acknowledged_by=Acknowledgement(
            checks=(Check(Signal.SETTLED),),
            words=f"{wanted} machines, up to date",
            timeout_s=SCALE_TIMEOUT_S,
        ),
        subresource="scale" if form.subresource else "",
    )
    has_number = value_at(body, REPLICAS) is not None
    undo = undo_merge(patch, body) if has_number or not form.subresource else None
    return DraftStep(patch, title=VERB, undo=undo), target.ref


def _owner_refusal(ref: ObjectRef, body: Document, form: ReplicaForm) -> Refusal | None:
    """The number may belong to the object's owner."""
    owner = controller_of(body)
    if owner is None or owner.get("kind") not in form.decided_by:
        return None
    above = ref._replace(
        group=group_of(str(owner.get("apiVersion", ""))),
        kind=str(owner.get("kind")),
        name=str(owner.get("name", "")),
    )
    return refuse(
        ref,
        f"{above.kind}/{above.name} decides its number and would put it back",
        offer=(command(VERB, above, "--replicas N"),),
    )


def _number_refusal(
    ref: ObjectRef, body: Document, form: ReplicaForm, wanted: int
) -> Refusal | None:
    if value_at(body, REPLICAS) == wanted:
        return refuse(ref, f"{wanted} replicas are asked for already")
    if wanted < form.minimum:
        return refuse(ref, f"it cannot have fewer than {form.minimum} replicas")
    is_stacked = bool(form.odd_unless) and value_at(body, form.odd_unless) is None
    if is_stacked and wanted % 2 == 0:
        return refuse(
            ref,
            f"{wanted} is even: etcd runs on the control plane and needs an odd number",
            hint=f"ask for {wanted - 1} or {wanted + 1}",
        )
    return None


def _autoscaler_refusal(ref: ObjectRef, body: Document) -> Refusal | None:
    manager = annotation(body, MANAGED_BY)
    if manager is None or manager == "false":
        return None
    return refuse(
        ref,
        f"its number is decided outside ({MANAGED_BY}: {manager}) and only shown here",
        hint="change the limits of the autoscaler",
    )


def _warnings(
    ref: ObjectRef, body: Document, place: Place | None, wanted: int
) -> tuple[Warning, ...]:
    texts = []
    low, high = (annotation(body, NODE_GROUP.format(end)) for end in ("min", "max"))
    if low is not None or high is not None:
        is_inside = _number(low, 0) <= wanted <= _number(high, wanted)
        what = "may change it again" if is_inside else "moves it back into its limits"
        texts.append(f"an autoscaler ({low or '…'} to {high or '…'}) {what}")
    if wanted == 0:
        texts.append("with 0 replicas every workload on them has to go elsewhere")
    elif wanted < _current(body):
        texts.append(
            "machines marked with cluster.x-k8s.io/delete-machine go first; "
            "during a rollout another MachineSet may be chosen"
        )
    if place is not None and _is_upgrading(place.document):
        texts.append("the cluster is upgrading: the topology scales only when this group's turn is")
    return tuple(Warning(text=text, target=str(ref)) for text in texts)


def _number(text: Any, default: int) -> int:
    try:
        return int(text)
    except (TypeError, ValueError):
        return default


def _is_upgrading(cluster: Document) -> bool:
    conditions = value_at(cluster, ("status", "conditions")) or []
    return value_at(cluster, (*TOPOLOGY, "version")) is not None and any(
        entry.get("type") == "TopologyReconciled" and entry.get("reason") == "ClusterUpgrading"
        for entry in conditions
    )


def _impact(ref: ObjectRef, body: Document, wanted: int) -> Impact:
    cluster = cluster_ref(body, ref.context)
    before = _current(body)
    what = f"adds {wanted - before}" if wanted > before else f"deletes {before - wanted}"
    return Impact(str(ref), f"{what} machines", cluster.name if cluster else "")


RECIPE = Recipe(VERB, _plan_one)
needs, plan = RECIPE.needs, RECIPE.plan
