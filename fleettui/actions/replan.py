"""Replan: let a Terraform object make a new plan.

Knows the two writes that it takes; approves nothing.

Source: tfctl ``replan``: clears the plan in status, then asks for a run.
"""

from datetime import datetime

from fleettui.actions.approve import PENDING, terraform_refusal
from fleettui.actions.compose import compose
from fleettui.actions.documents import text_at, token_text, value_at
from fleettui.actions.drafts import (
    Case,
    Draft,
    DraftStep,
    command,
    deleting_refusal,
    merge_patch,
    still,
    target_needs,
)
from fleettui.actions.facts import Document, FactRequest, Facts
from fleettui.actions.options import Options
from fleettui.actions.plan import Impact, Plan, Refusal, Warning
from fleettui.actions.resync_flux import token_patch
from fleettui.actions.stillness import paused_refusal
from fleettui.kinds.record import ObjectRef

VERB = "replan"


def needs(facts: Facts, *, options: Options) -> FactRequest:
    """The Terraform objects and who applies them."""
    return target_needs(facts)


def plan(facts: Facts, *, now: datetime, options: Options) -> Plan | Refusal:
    """The plan in status is cleared, then a run is asked for."""
    return compose(VERB, facts, _plan_one, now=now, options=options)


def _plan_one(case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    now = case.now
    refusal = (
        terraform_refusal(facts, ref)
        or deleting_refusal(ref, body)
        or paused_refusal(facts, ref, body, command(VERB, ref))
    )
    if refusal is not None:
        return refusal
    cleared = merge_patch(
        target,
        body,
        {
            "status": {
                "plan": {"pending": ""},
                "lastPlannedRevision": "",
                "lastAttemptedRevision": "",
            }
        },
        relies_on=(still(body, PENDING),),
        subresource="status",
    )
    first = DraftStep(cleared, title="forget the plan")
    asked = DraftStep(token_patch(target, body, token_text(now)), title="resync", after=(first,))
    return Draft(
        target,
        (first, asked),
        warnings=_apply_warnings(ref, body),
        impacts=(Impact(str(ref), "makes a new plan"),),
    )


def _apply_warnings(ref: ObjectRef, body: Document) -> tuple[Warning, ...]:
    if text_at(body, ("spec", "approvePlan")) != "auto" or value_at(body, ("spec", "planOnly")):
        return ()
    text = "it applies every plan by itself (spec.approvePlan: auto)"
    return (Warning(text=text, target=str(ref)),)
