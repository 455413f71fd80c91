"""Rollout: replace the machines of a control plane or deployment, in order.

Knows where the moment is written in either API version and in a topology; knows
no kind beyond the table. Kinds without the field are refused.

Source: Cluster API ``spec.rollout.after`` (v1beta1: ``spec.rolloutAfter``),
topology entries since 1.13, ``clusterctl alpha rollout restart``.
"""

from datetime import datetime

from fleettui.actions.compose import Recipe
from fleettui.actions.documents import moment_of, nested, seconds_text, value_at
from fleettui.actions.drafts import (
    Case,
    Draft,
    DraftStep,
    command,
    merge_patch,
    revert_warnings,
    still,
    target_needs,
    undo_merge,
    with_schemas,
    written_paths,
)
from fleettui.actions.facts import Document, FactRequest, Facts, refuse
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
from fleettui.actions.topology import Place, place_of, topology_patch
from fleettui.kinds.record import ObjectRef

VERB = "rollout"
ROLLOUT_TIMEOUT_S = 7200
AFTER = ("rollout", "after")
OLD_VERSION = "v1beta1"


def _wishes(facts: Facts) -> FactRequest:
    """The objects, their Clusters, who applies either, and which fields they have."""
    return with_schemas(facts, target_needs(facts))


def _plan_one(case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    now, options = case.now, case.options
    form = form_for(forms().rollout, case.spec)
    if form is None:
        return refuse(
            ref,
            "this kind has no field that asks for a rollout",
            hint="change its template, or delete its machines one by one",
        )
    place = None if options.form == "direct" else _place(facts, ref, body, form)
    if isinstance(place, Refusal):
        return place
    path = rollout_path(facts, target)
    if path is None:
        return refuse(ref, "this installation's schema has no field that asks for a rollout")
    refusal = paused_refusal(facts, ref, body, command(VERB, ref)) or _future_refusal(
        ref, body, place, path, now
    )
    if refusal is not None:
        return refusal
    step, written = _step(body, target, place, path, now)
    above = again = command(VERB, ref)
    if options.form:
        again = f"{again} --form {options.form}"
    return Draft(
        target,
        (step,),
        warnings=(
            *revert_warnings(facts, written, written_paths(step.patch, *AFTER), again, above=above),
            *_strategy_warnings(ref, body),
        ),
        impacts=(_impact(ref, body),),
        danger=Danger.DELICATE,
    )


def _place(
    facts: Facts, ref: ObjectRef, body: Document, form: ReplicaForm
) -> Place | Refusal | None:
    """Where the topology asks for a rollout; None where it cannot.

    Topologies have the field since Cluster API 1.13. Before, the object itself is
    written, where the moment stays because the topology says nothing about it.
    """
    place = place_of(facts, ref, body, form)
    if not isinstance(place, Place):
        return place
    can_be_told = facts.has_field(place.target, (*place.path, *AFTER))
    is_old = place.target.version == OLD_VERSION
    return None if can_be_told is False or (can_be_told is None and is_old) else place


def rollout_path(facts: Facts, target: Target) -> tuple[str, ...] | None:
    """Path of the moment in the object itself; None when the server has no such field.

    The server's schema decides; where it says nothing, the API version does.
    """
    usual = (("spec", *AFTER), ("spec", "rolloutAfter"))
    paths = usual[::-1] if target.version == OLD_VERSION else usual
    known = {path: facts.has_field(target, path) for path in paths}
    for wanted in (True, None):
        for path in paths:
            if known[path] is wanted:
                return path
    return None


def _step(
    body: Document, target: Target, place: Place | None, path: tuple[str, ...], now: datetime
) -> tuple[DraftStep, ObjectRef]:
    moment = seconds_text(now)
    if place is not None:
        patch, undo = topology_patch(place, AFTER, moment)
        return DraftStep(patch, title="rollout through the topology", undo=undo), place.cluster
    patch = merge_patch(
        target,
        body,
        nested(path, moment),
        relies_on=(still(body, path),),
        acknowledged_by=Acknowledgement(
            checks=(Check(Signal.SETTLED),),
            words="as many machines up to date as asked for",
            timeout_s=ROLLOUT_TIMEOUT_S,
        ),
    )
    return DraftStep(patch, title=VERB, undo=undo_merge(patch, body)), target.ref


def _future_refusal(
    ref: ObjectRef, body: Document, place: Place | None, path: tuple[str, ...], now: datetime
) -> Refusal | None:
    """A rollout that is planned for later is somebody's intention; it is not moved."""
    seen = [value_at(body, path)]
    if place is not None:
        seen.append(value_at(place.entry, AFTER))
    for text in seen:
        moment = moment_of(text)
        if moment is not None and moment > now:
            return refuse(ref, f"a rollout is planned already for {text}")
    return None


def _strategy_warnings(ref: ObjectRef, body: Document) -> tuple[Warning, ...]:
    kinds = (("spec", "rollout", "strategy", "type"), ("spec", "strategy", "type"))
    if "OnDelete" not in (value_at(body, path) for path in kinds):
        return ()
    text = "its strategy is OnDelete: nothing moves until machines are deleted"
    return (Warning(text=text, target=str(ref)),)


def _impact(ref: ObjectRef, body: Document) -> Impact:
    cluster = cluster_ref(body, ref.context)
    count = value_at(body, ("spec", "replicas"))
    words = f"replaces {count if count is not None else 'all its'} machines, one after another"
    return Impact(str(ref), words, cluster.name if cluster else "")


RECIPE = Recipe(VERB, _plan_one, wishes=_wishes)
needs, plan = RECIPE.needs, RECIPE.plan
