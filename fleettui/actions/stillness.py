"""Why a request would be left lying: the object or its Cluster is paused.

Knows every pause form and the Cluster's own; knows no verb.
"""

from fleettui.actions.documents import value_at
from fleettui.actions.drafts import command
from fleettui.actions.facts import Document, Facts, refuse
from fleettui.actions.forms import PauseForm, pause_forms
from fleettui.actions.managed import cluster_ref
from fleettui.actions.pausing import is_on
from fleettui.actions.plan import Refusal
from fleettui.kinds.record import ObjectRef


def active_pauses(facts: Facts, ref: ObjectRef, body: Document) -> tuple[PauseForm, ...]:
    """Pauses that hold on the object itself, one per field."""
    spec = facts.spec_of(ref.group, ref.kind)
    forms = pause_forms(spec) if spec else ()
    return tuple({form.path: form for form in forms if is_on(form, body)}.values())


def paused_cluster(facts: Facts, ref: ObjectRef, body: Document) -> ObjectRef | None:
    """The Cluster above, when it is paused."""
    cluster = cluster_ref(body, ref.context)
    if cluster is None or cluster == ref:
        return None
    return cluster if value_at(facts.body(cluster), ("spec", "paused")) is True else None


def paused_refusal(
    facts: Facts, ref: ObjectRef, body: Document, again: str, *, partial: bool = True
) -> Refusal | None:
    """Why nothing would come of a request, None when something would.

    Args:
        facts: with the Cluster above.
        ref: the object.
        body: the object's document.
        again: command line of what was asked, offered after resuming.
        partial: whether a pause of rollouts alone counts as well.
    """
    pauses = [
        form
        for form in active_pauses(facts, ref, body)
        if form.stops_controller and (partial or form.name != "rollout")
    ]
    if pauses:
        return refuse(
            ref,
            f"it is paused ({pauses[0].word}), so the request would be left lying",
            hint="resume it first",
            offer=(command("resume", ref), again),
        )
    cluster = paused_cluster(facts, ref, body)
    if cluster is None:
        return None
    return refuse(
        ref,
        f"{cluster} is paused, so nothing in it is reconciled",
        hint="resume the Cluster first",
        offer=(command("resume", cluster), again),
    )
