"""Resync: ask a controller to look at an object now.

Knows the handshake of each family and when asking is useless; knows not how
long a run takes.

Source: Flux requestedAt/forceAt/resetAt (equal tokens in one patch), flux
``reconcile --with-source``; Argo CD refresh annotation and ``operation``; ASO
reacts to transitions to or from ``skip`` only; Cluster API reacts to any
metadata change.
"""

from datetime import datetime

from fleettui.actions import resync_argo, resync_flux
from fleettui.actions.compose import Recipe
from fleettui.actions.documents import annotation, condition, nested, token_text, value_at
from fleettui.actions.drafts import (
    Case,
    Draft,
    DraftStep,
    command,
    merge_patch,
    still,
    target_needs,
    undo_merge,
)
from fleettui.actions.facts import Document, FactRequest, Facts, refuse
from fleettui.actions.forms import ResyncForm, form_for, forms
from fleettui.actions.plan import (
    Acknowledgement,
    Check,
    Danger,
    FieldTest,
    Impact,
    Refusal,
    Signal,
    Target,
    Warning,
)
from fleettui.actions.stillness import active_pauses, paused_refusal
from fleettui.kinds.record import ObjectRef

VERB = "resync"


def _wishes(facts: Facts) -> FactRequest:
    """The objects, their sources down to the repository."""
    return target_needs(facts, resync_flux.chain_wishes(facts))


def _plan_one(case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    now, options = case.now, case.options
    form = form_for(forms().resync, case.spec)
    if form is None:
        return refuse(ref, "there is no way to ask for a run of this kind")
    refusal = useless(facts, ref, body, form)
    if refusal is not None:
        return refusal
    if form.form == "token":
        return resync_flux.draft(facts, ref, body, target, form, now=now, options=options)
    if form.form == "argo":
        return resync_argo.draft(facts, ref, body, target, now=now, options=options)
    if form.form == "annotation":
        return _annotation(ref, body, target, form)
    if form.form == "flip":
        return _flip(ref, body, target, form)
    return _nudge(ref, body, target, form, now)


def useless(facts: Facts, ref: ObjectRef, body: Document, form: ResyncForm) -> Refusal | None:
    """Why asking would do nothing, None when it does something."""
    if form.refuse:
        return refuse(ref, form.refuse, hint=form.hint)
    when = form.useless_when
    if when is not None and value_at(body, when.path) == when.value:
        return refuse(ref, form.useless_words)
    again = command(VERB, ref)
    if form.form != "argo":
        return paused_refusal(facts, ref, body, again, partial=False)
    frozen = [f for f in active_pauses(facts, ref, body) if f.name == "freeze"]
    if not frozen:
        return None
    return refuse(
        ref, "it is frozen, so a request would be left lying", offer=(command("resume", ref), again)
    )


def _annotation(ref: ObjectRef, body: Document, target: Target, form: ResyncForm) -> Draft:
    path = ("metadata", "annotations", form.annotation)
    patch = merge_patch(
        target,
        body,
        nested(path, form.value),
        acknowledged_by=Acknowledgement(
            checks=(Check(Signal.ABSENT, path),), words="its controller removes the annotation"
        ),
    )
    step = DraftStep(patch, title="refresh")
    return Draft(target, (step,), impacts=(Impact(str(ref), "is generated again"),))


def _flip(ref: ObjectRef, body: Document, target: Target, form: ResyncForm) -> Draft:
    """Skip, then back: the only way without a change of spec."""
    path = ("metadata", "annotations", form.annotation)
    before = annotation(body, form.annotation)
    away = merge_patch(target, body, nested(path, form.value), relies_on=(still(body, path),))
    ready = condition(body, "Ready") or {}
    since = ready.get("lastTransitionTime")
    held = FieldTest(path, form.value)
    back = merge_patch(target, body, nested(path, before), relies_on=(held,))
    first = DraftStep(away, title="skip")
    second = DraftStep(back, title="manage again", after=(first,), is_cleanup=True)
    stale = f", last seen {since}" if since else ""
    return Draft(
        target,
        (first, second),
        warnings=(
            Warning(
                text="ASO has no request: the policy is set to skip and back, and between the two "
                "a delete in Kubernetes would leave the Azure resource behind",
                target=str(ref),
            ),
        ),
        impacts=(Impact(str(ref), f"is compared with Azure again{stale}"),),
        danger=Danger.DELICATE,
    )


def _nudge(
    ref: ObjectRef, body: Document, target: Target, form: ResyncForm, now: datetime
) -> Draft:
    path = ("metadata", "annotations", form.annotation)
    patch = merge_patch(target, body, nested(path, token_text(now)))
    step = DraftStep(patch, title="nudge", undo=undo_merge(patch, body))
    return Draft(
        target,
        (step,),
        warnings=(
            Warning(
                text="this kind has no acknowledgement: what it did shows only in its conditions",
                target=str(ref),
            ),
        ),
        impacts=(Impact(str(ref), "is reconciled, as it is every ten minutes anyway"),),
    )


RECIPE = Recipe(VERB, _plan_one, wishes=_wishes)
needs, plan = RECIPE.needs, RECIPE.plan
