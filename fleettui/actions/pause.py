"""Pause: stop reconciling, with a note of who, why and until when.

Knows what each form stops and what lapses meanwhile; nothing of resuming.

Source: Cluster API util/paused, Flux spec.suspend, flux-operator and
source-watcher reconcile annotations, Argo CD syncPolicy.automated, ASO
reconcile-policy.
"""

from typing import Any

from fleettui.actions.compose import Recipe
from fleettui.actions.documents import controller_of, group_of, leaves, text_at, value_at
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
)
from fleettui.actions.facts import Document, FactRequest, Facts, refuse
from fleettui.actions.forms import PauseForm, forms, matches_group, pause_forms
from fleettui.actions.options import Options
from fleettui.actions.pausing import acknowledgement, is_on, pause_body
from fleettui.actions.plan import Danger, Impact, Refusal, Warning
from fleettui.kinds.record import ObjectRef

VERB = "pause"


def _wishes(facts: Facts) -> FactRequest:
    """The objects, who applies them, their clusters, and fields that not every server has."""
    request = target_needs(facts)
    return with_schemas(facts, request) if _depends_on_fields(facts) else request


def _depends_on_fields(facts: Facts) -> bool:
    kinds = {(ref.group, ref.kind) for ref in facts.refs}
    specs = [spec for kind in kinds if (spec := facts.spec_of(*kind)) is not None]
    return any(form.without_field for spec in specs for form in pause_forms(spec))


def _form(case: Case, available: tuple[PauseForm, ...]) -> PauseForm | None:
    """The way that was asked for, or the one that serves where its field does not exist."""
    by_name = {form.name: form for form in reversed(available)}
    form = by_name.get(case.options.form)
    if form is None or not form.without_field:
        return form
    is_missing = case.facts.has_field(case.target, form.path) is False
    return by_name.get(form.without_field) if is_missing else form


def _plan_one(case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    now, options = case.now, case.options
    available = pause_forms(case.spec)
    form = _form(case, available)
    refusal = _form_refusal(ref, body, form, available, options)
    if refusal is not None or form is None:
        return refusal or refuse(ref, "this kind cannot be paused")
    patch_body = pause_body(form, body, now=now, options=options)
    patch = merge_patch(
        target,
        body,
        patch_body,
        relies_on=(still(body, form.path),),
        acknowledged_by=acknowledgement(form, body, pausing=True),
    )
    step = DraftStep(patch, title=form.word, undo=undo_merge(patch, body))
    again = command(VERB, ref)
    lapse = _lapse_warnings(ref, body)
    return Draft(
        target,
        (step,),
        warnings=(
            *revert_warnings(facts, ref, leaves(patch_body), again),
            *lapse,
            *_propagation_warnings(ref, form),
        ),
        impacts=(Impact(str(ref), f"stops {form.stops}", _cluster_words(ref, body)),),
        danger=Danger.DELICATE if lapse else Danger.ORDINARY,
        depends_on=_owners(ref, body),
    )


def _form_refusal(
    ref: ObjectRef,
    body: Document,
    form: PauseForm | None,
    available: tuple[PauseForm, ...],
    options: Options,
) -> Refusal | None:
    if form is None:
        names = ", ".join(dict.fromkeys(f.name or "the usual one" for f in available))
        hint = f"ways of this kind: {names}" if names else "pause the object that owns it"
        what = f"in the way {options.form!r}" if options.form else "at all"
        return refuse(ref, f"this kind cannot be paused {what}", hint=hint)
    if is_on(form, body):
        return refuse(ref, "it is paused already", offer=(command("resume", ref),))
    if form.requires and value_at(body, form.requires) is None:
        return refuse(ref, form.requires_words)
    owner = controller_of(body)
    if owner and matches_group(group_of(str(owner.get("apiVersion", ""))), form.unless_owned_by):
        above = ref._replace(
            group=group_of(str(owner["apiVersion"])),
            kind=str(owner.get("kind", "")),
            name=str(owner.get("name", "")),
        )
        return refuse(
            ref,
            f"{above.kind}/{above.name} owns it and writes this field itself",
            hint="pause the owner; it passes the pause on",
            offer=(command(VERB, above),),
        )
    return None


def _lapse_warnings(ref: ObjectRef, body: Document) -> tuple[Warning, ...]:
    """Credentials that expire while nothing reconciles the control plane.

    Source: EKS 15-minute token, GKE OAuth token of about an hour, Entra tokens;
    every Flux and Argo user of the kubeconfig secret breaks with it.
    """
    table = forms().token_lifetimes
    kind = text_at(body, ("spec", "controlPlaneRef", "kind")) or ref.kind
    if kind not in table:
        return ()
    text = (
        f"{table[kind]}: the connection into the cluster, and every Flux or Argo user of it, breaks"
    )
    return (Warning(text=text, target=str(ref)),)


def _propagation_warnings(ref: ObjectRef, form: PauseForm) -> tuple[Warning, ...]:
    """Some kinds hand their annotations down, the pause with them."""
    copied = forms().copied_down.get(ref.kind)
    if copied is None or not form.is_annotation:
        return ()
    text = f"annotations of a {ref.kind} are copied to its {copied}"
    return (Warning(text=text, target=str(ref)),)


def _cluster_words(ref: ObjectRef, body: Document) -> str:
    return ref.name if value_at(body, ("spec", "controlPlaneRef")) is not None else _cluster(body)


def _cluster(body: Document) -> str:
    labels: Any = value_at(body, ("metadata", "labels")) or {}
    return str(labels.get("cluster.x-k8s.io/cluster-name", ""))


def _owners(ref: ObjectRef, body: Document) -> tuple[ObjectRef, ...]:
    """Owners in the same selection are paused first, so that they do not fight."""
    owners = value_at(body, ("metadata", "ownerReferences"))
    if not isinstance(owners, list):
        return ()
    return tuple(
        ref._replace(
            group=group_of(str(owner.get("apiVersion", ""))),
            kind=str(owner.get("kind", "")),
            name=str(owner.get("name", "")),
        )
        for owner in owners
        if isinstance(owner, dict)
    )


RECIPE = Recipe(VERB, _plan_one, wishes=_wishes)
needs, plan = RECIPE.needs, RECIPE.plan
