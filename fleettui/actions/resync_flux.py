"""Resync of Flux-like objects: a token, and who must be asked before.

Knows requestedAt, forceAt and resetAt and the chain source → chart → applier;
knows no other family.

Source: flux ``reconcile`` and ``--with-source``; helm-controller acts on forceAt
and resetAt only when they equal requestedAt of the same patch.
"""

from collections.abc import Iterable
from datetime import datetime

from fleettui.actions.documents import condition, items_at, token_text, value_at
from fleettui.actions.drafts import Draft, DraftStep, command, merge_patch
from fleettui.actions.facts import Document, Facts, refuse
from fleettui.actions.forms import ResyncForm, form_for, forms
from fleettui.actions.options import Options
from fleettui.actions.plan import (
    Acknowledgement,
    Check,
    Impact,
    Patch,
    Refusal,
    Signal,
    Target,
    Warning,
)
from fleettui.actions.relations import chart_of, dependencies_of, source_of
from fleettui.kinds.record import ObjectRef

REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
FORCE_AT = "reconcile.fluxcd.io/forceAt"
RESET_AT = "reconcile.fluxcd.io/resetAt"

HANDLED_TIMEOUT_S = 300


def source_step_of(facts: Facts, ref: ObjectRef) -> ObjectRef | None:
    """The object whose news this one waits for: its source, or its chart."""
    body = facts.body(ref)
    spec = facts.spec_of(ref.group, ref.kind)
    form = form_for(forms().resync, spec) if spec else None
    if body is None or form is None:
        return None
    if form.chart:
        return chart_of(ref, body)
    return source_of(ref, body, form.source) if form.source else None


def chain_wishes(facts: Facts) -> Iterable[ObjectRef]:
    """Sources of the targets, and the sources of those that are charts."""
    for ref in facts.refs:
        link = source_step_of(facts, ref)
        seen = {ref}
        while link is not None and link not in seen:
            yield link
            seen.add(link)
            link = source_step_of(facts, link)


def draft(
    facts: Facts,
    ref: ObjectRef,
    body: Document,
    target: Target,
    form: ResyncForm,
    *,
    now: datetime,
    options: Options,
) -> Draft | Refusal:
    """The request for one object, and with sources those before it."""
    refusal = _option_refusal(ref, form, options)
    if refusal is not None:
        return refusal
    token = token_text(now)
    before: tuple[DraftStep, ...] = ()
    if options.with_source:
        chain = _chain(facts, ref, token)
        if isinstance(chain, Refusal):
            return chain
        before = chain
    extra = {FORCE_AT: options.force and form.force, RESET_AT: options.reset and form.reset}
    keys = (REQUESTED_AT, *(key for key, wanted in extra.items() if wanted))
    step = DraftStep(
        token_patch(target, body, token, keys), title="resync", after=before, key=f"resync {ref}"
    )
    return Draft(
        target,
        (step,),
        warnings=(*_source_warnings(facts, ref, options), *_dependency_warnings(ref, body)),
        impacts=(_impact(ref, body),),
        depends_on=dependencies_of(ref, body),
        waits_for_dependencies=True,
    )


def _option_refusal(ref: ObjectRef, form: ResyncForm, options: Options) -> Refusal | None:
    if options.force and not form.force:
        return refuse(ref, "this kind cannot be forced")
    if options.reset and not form.reset:
        return refuse(ref, "this kind has no failure counters to reset")
    if options.form:
        return refuse(ref, f"this kind has no resync of the form {options.form!r}")
    return None


def token_patch(
    target: Target, body: Document, token: str, keys: tuple[str, ...] = (REQUESTED_AT,)
) -> Patch:
    """The patch that asks for a run; every key carries the same token."""
    handled = {REQUESTED_AT: "lastHandledReconcileAt", FORCE_AT: "lastHandledForceAt"}
    handled[RESET_AT] = "lastHandledResetAt"
    checks = tuple(Check(Signal.EQUALS, ("status", handled[key]), token) for key in keys)
    return merge_patch(
        target,
        body,
        {"metadata": {"annotations": dict.fromkeys(keys, token)}},
        acknowledged_by=Acknowledgement(
            checks=checks,
            judge="Ready",
            words="lastHandledReconcileAt carries the token",
            timeout_s=HANDLED_TIMEOUT_S,
        ),
    )


def _chain(facts: Facts, ref: ObjectRef, token: str) -> tuple[DraftStep, ...] | Refusal:
    """Steps before the request, the repository first."""
    link = source_step_of(facts, ref)
    if link is None or link == ref:
        return ()
    body, target = facts.body(link), facts.target(link)
    if body is None or target is None:
        return refuse(ref, f"its source {link} does not exist or may not be read")
    spec = facts.spec_of(link.group, link.kind)
    form = form_for(forms().resync, spec) if spec else None
    if form is None or form.refuse:
        return refuse(ref, f"its source {link} cannot be asked: {form.refuse if form else ''}")
    if value_at(body, ("spec", "suspend")) is True:
        return refuse(
            ref,
            f"its source {link} is suspended, so a request would never be handled",
            hint="resume the source first",
            offer=(command("resume", link), command("resync", ref, "--with-source")),
        )
    earlier = _chain(facts, link, token)
    if isinstance(earlier, Refusal):
        return earlier
    when = form.useless_when
    if when is not None and value_at(body, when.path) == when.value:
        return earlier
    patch = token_patch(target, body, token)
    return (DraftStep(patch, title="resync source", after=earlier, key=f"resync {link}"),)


def _source_warnings(facts: Facts, ref: ObjectRef, options: Options) -> tuple[Warning, ...]:
    source = source_step_of(facts, ref)
    if source is None or options.with_source:
        return ()
    if value_at(facts.body(source), ("spec", "suspend")) is not True:
        return ()
    return (
        Warning(
            text=f"its source {source} is suspended: the revision it has is applied again",
            target=str(ref),
            sequence=(command("resume", source), command("resync", ref, "--with-source")),
        ),
    )


def _dependency_warnings(ref: ObjectRef, body: Document) -> tuple[Warning, ...]:
    ready = condition(body, "Ready") or {}
    if ready.get("reason") != "DependencyNotReady":
        return ()
    text = "what it depends on is not ready: the request is acknowledged, but nothing is applied"
    return (Warning(text=text, target=str(ref)),)


def _impact(ref: ObjectRef, body: Document) -> Impact:
    entries = len(items_at(body, ("status", "inventory", "entries")))
    words = f"reconciles {entries} objects" if entries else "is fetched or reconciled"
    secret = value_at(body, ("spec", "kubeConfig", "secretRef", "name"))
    config = value_at(body, ("spec", "kubeConfig", "configMapRef", "name"))
    return Impact(str(ref), words, str(secret or config or ""))
