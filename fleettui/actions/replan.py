"""Replan: let a Terraform object make a new plan.

Knows the two writes that it takes; approves nothing.

Source: tfctl ``replan``: clears the plan in status, then asks for a run.
"""

import msgspec

from fleettui.actions.acknowledge import turned
from fleettui.actions.approve import FAILED_RUN, PENDING, terraform_refusal
from fleettui.actions.compose import Recipe
from fleettui.actions.documents import text_at, token_text, value_at
from fleettui.actions.drafts import (
    Case,
    Draft,
    DraftStep,
    command,
    merge_patch,
    still,
)
from fleettui.actions.facts import Document
from fleettui.actions.plan import Check, Impact, Patch, Refusal, Signal, Warning
from fleettui.actions.resync_flux import token_patch
from fleettui.actions.stillness import paused_refusal
from fleettui.kinds.record import ObjectRef

VERB = "replan"
PLANNED = ("status", "lastPlannedRevision")


def _plan_one(case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    refusal = terraform_refusal(facts, ref) or paused_refusal(facts, ref, body, command(VERB, ref))
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
    asked = DraftStep(_request(case), title="resync", after=(first,))
    return Draft(
        target,
        (first, asked),
        warnings=_apply_warnings(ref, body),
        impacts=(Impact(str(ref), "makes a new plan"),),
    )


def _request(case: Case) -> Patch:
    """The request for a run; what is red from before says nothing about the new plan."""
    _, _, body, target = case.parts
    patch = token_patch(target, body, token_text(case.now))
    awaited = msgspec.structs.replace(
        patch.acknowledged_by,
        checks=(*patch.acknowledged_by.checks, Check(Signal.PRESENT, PLANNED)),
        judge="",
        words="there is a new plan",
        fails_by=(turned(body, "Plan"), turned(body, "Ready", FAILED_RUN)),
    )
    return msgspec.structs.replace(patch, acknowledged_by=awaited)


def _apply_warnings(ref: ObjectRef, body: Document) -> tuple[Warning, ...]:
    if text_at(body, ("spec", "approvePlan")) != "auto" or value_at(body, ("spec", "planOnly")):
        return ()
    text = "it applies every plan by itself (spec.approvePlan: auto)"
    return (Warning(text=text, target=str(ref)),)


RECIPE = Recipe(VERB, _plan_one)
needs, plan = RECIPE.needs, RECIPE.plan
