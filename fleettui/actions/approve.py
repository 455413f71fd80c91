"""Approve: let a Terraform object apply the plan that a person has read.

Knows that an approval is a field tied to one plan id and must not outlive it;
off unless the configuration enables it.

Source: tofu-controller ``spec.approvePlan`` (applied when it equals the pending
plan *or is a prefix of it*, so the full id is written and put back afterwards).
"""

from fleettui.actions.acknowledge import turned
from fleettui.actions.compose import Recipe
from fleettui.actions.documents import nested, text_at, value_at
from fleettui.actions.drafts import (
    Case,
    Draft,
    DraftStep,
    command,
    merge_patch,
    revert_warnings,
    still,
)
from fleettui.actions.facts import Document, Facts, refuse
from fleettui.actions.forms import form_for, forms
from fleettui.actions.options import Options
from fleettui.actions.plan import (
    Acknowledgement,
    Check,
    Danger,
    FieldTest,
    Impact,
    Refusal,
    Signal,
    Warning,
)
from fleettui.actions.stillness import paused_refusal
from fleettui.kinds.record import ObjectRef

VERB = "approve"
GATE = "approve"
APPROVED = ("spec", "approvePlan")
PENDING = ("status", "plan", "pending")
APPLY_TIMEOUT_S = 3600
FAILED_RUN = "TFExec"
"""Begin of the reasons of a run that failed: TFExecApplyFailed, TFExecInitFailed, …"""


def _plan_one(case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    options = case.options
    pending = text_at(body, PENDING)
    refusal = (
        terraform_refusal(facts, ref)
        or _gate_refusal(ref, options)
        or paused_refusal(facts, ref, body, command(VERB, ref, f"--plan {pending}"))
        or _plan_refusal(ref, body, pending, options)
    )
    if refusal is not None:
        return refusal
    approval = merge_patch(
        target,
        body,
        nested(APPROVED, pending),
        relies_on=(still(body, APPROVED), FieldTest(PENDING, pending)),
        pin=True,
        acknowledged_by=Acknowledgement(
            checks=(Check(Signal.EQUALS, ("status", "plan", "lastApplied"), pending),),
            judge="Apply",
            words="the plan is applied",
            timeout_s=APPLY_TIMEOUT_S,
            fails_by=(turned(body, "Apply"), turned(body, "Ready", FAILED_RUN)),
        ),
    )
    first = DraftStep(approval, title="approve the plan")
    restored = merge_patch(
        target,
        body,
        nested(APPROVED, value_at(body, APPROVED)),
        relies_on=(FieldTest(APPROVED, pending),),
    )
    second = DraftStep(restored, title="end the approval", after=(first,), is_cleanup=True)
    again = command(VERB, ref, f"--plan {pending}")
    destroys = value_at(body, ("status", "plan", "isDestroyPlan")) is True
    words = "destroys what it made" if destroys else "applies the plan"
    return Draft(
        target,
        (first, second),
        warnings=(
            *revert_warnings(facts, ref, (APPROVED,), again),
            *_destroy_warnings(ref, destroys),
        ),
        impacts=(Impact(str(ref), f"{words} {pending}"),),
        danger=Danger.DESTRUCTIVE,
    )


def terraform_refusal(facts: Facts, ref: ObjectRef) -> Refusal | None:
    """Why an object of another kind has no plans."""
    spec = facts.spec_of(ref.group, ref.kind)
    if spec is not None and form_for(forms().terraform, spec) is not None:
        return None
    return refuse(ref, "this kind has no plan to approve")


def _gate_refusal(ref: ObjectRef, options: Options) -> Refusal | None:
    if options.allows(ref.context, GATE):
        return None
    return refuse(
        ref,
        "approving plans is off in this context",
        hint=f"add {GATE} to the allow list of every entry that fits the context",
    )


def _plan_refusal(ref: ObjectRef, body: Document, pending: str, options: Options) -> Refusal | None:
    if not pending:
        return refuse(ref, "no plan is waiting for approval", offer=(command("replan", ref),))
    if not options.plan_id:
        return refuse(
            ref,
            "no plan id is given, so it is not known which plan was read",
            hint=f"read the plan, then give its id: {pending}",
        )
    if options.plan_id != pending:
        return refuse(
            ref,
            f"the waiting plan is {pending}, not {options.plan_id}",
            hint="read the new plan first",
        )
    if value_at(body, ("spec", "planOnly")) is True:
        return refuse(ref, "it only plans (spec.planOnly), so an approval would do nothing")
    if text_at(body, APPROVED) == "auto":
        return refuse(ref, "it applies every plan by itself (spec.approvePlan: auto)")
    return None


def _destroy_warnings(ref: ObjectRef, destroys: bool) -> tuple[Warning, ...]:
    if not destroys:
        return ()
    return (Warning(text="this plan destroys resources", target=str(ref)),)


RECIPE = Recipe(VERB, _plan_one)
needs, plan = RECIPE.needs, RECIPE.plan
