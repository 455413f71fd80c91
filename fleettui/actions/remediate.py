"""Remediate: let a health check replace a machine.

Knows when the mark would do nothing at all: without a health check that selects
the machine, and an owner that would replace it.

Source: Cluster API MachineHealthCheck (remediate-machine annotation), owner
remediation of MachineSet and control planes.
"""

from fleettui.actions.compose import Recipe
from fleettui.actions.documents import annotation, condition, nested, text_at, value_at
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
from fleettui.actions.forms import form_for, forms
from fleettui.actions.machines import (
    checks_request,
    cluster_name_of,
    is_control_plane,
    matching_checks,
    owner_ref,
    peers_request,
    quorum_problem,
)
from fleettui.actions.plan import (
    Acknowledgement,
    Check,
    Danger,
    Impact,
    Refusal,
    Signal,
    Warning,
)
from fleettui.actions.stillness import paused_refusal
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

VERB = "remediate"
MARK = ("metadata", "annotations", "cluster.x-k8s.io/remediate-machine")
SKIP = "cluster.x-k8s.io/skip-remediation"
PAUSED = "cluster.x-k8s.io/paused"
IN_PROGRESS = "controlplane.cluster.x-k8s.io/remediation-in-progress"


def _wishes(facts: Facts) -> FactRequest:
    """Machines, their owners and peers, and the health checks of their namespaces."""
    owners, lists = [], []
    for ref in facts.refs:
        body = facts.body(ref)
        if body is not None:
            owners.append(owner_ref(ref, body))
            lists += [checks_request(ref), peers_request(ref, body)]
    more = target_needs(facts, owners)
    return FactRequest(more.bodies, facts.missing((), [r for r in lists if r]).lists, ())


def _plan_one(case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    spec = facts.spec_of(ref.group, ref.kind)
    if spec is None or form_for(forms().remediate, spec) is None:
        return refuse(ref, "only machines can be remediated")
    refusal = (
        _owner_refusal(facts, ref, body)
        or _mark_refusal(ref, body)
        or paused_refusal(facts, ref, body, command(VERB, ref))
        or _guard_refusal(facts, ref, body)
    )
    if refusal is not None:
        return refusal
    checks = matching_checks(facts, ref, body)
    if not checks:
        return _no_check(ref, checks is None)
    working = [c for c in checks if annotation(c, PAUSED) is None]
    if not working:
        return refuse(ref, "every health check that selects it is paused")
    patch = merge_patch(
        target,
        body,
        nested(MARK, ""),
        relies_on=(still(body, MARK),),
        acknowledged_by=Acknowledgement(
            checks=(Check(Signal.CONDITION, ("HealthCheckSucceeded",), "False"),),
            words="a health check has marked it unhealthy",
            timeout_s=300,
            may_vanish=True,
        ),
    )
    return Draft(
        target,
        (DraftStep(patch, title=VERB, undo=undo_merge(patch, body)),),
        warnings=_limits(ref, working),
        impacts=(
            Impact(str(ref), "is deleted and replaced by its owner", cluster_name_of(ref, body)),
        ),
        danger=Danger.DELICATE,
    )


def _owner_refusal(facts: Facts, ref: ObjectRef, body: Document) -> Refusal | None:
    owner = owner_ref(ref, body)
    spec = facts.spec_of(owner.group, owner.kind) if owner else None
    if owner is not None and (spec is None or spec.role in (Role.MACHINE_SET, Role.CONTROL_PLANE)):
        return None
    what = f"machines of a {owner.kind} are" if owner else "a machine without an owner is"
    return refuse(
        ref,
        f"{what} not remediated by health checks",
        hint="delete it instead" if owner else "nobody would make a new one",
        offer=(command("delete", ref),) if owner else (),
    )


def _mark_refusal(ref: ObjectRef, body: Document) -> Refusal | None:
    if annotation(body, SKIP) is not None:
        return refuse(ref, f"it carries {SKIP}", hint="remove that annotation first")
    if annotation(body, MARK[2]) is not None:
        return refuse(ref, "it is marked for remediation already")
    return None


def _guard_refusal(facts: Facts, ref: ObjectRef, body: Document) -> Refusal | None:
    problem = quorum_problem(facts, ref, body)
    if problem:
        return refuse(ref, problem)
    owner = owner_ref(ref, body)
    if is_control_plane(body) and annotation(facts.body(owner), IN_PROGRESS) is not None:
        return refuse(ref, "its control plane is still remediating another machine")
    return None


def _no_check(ref: ObjectRef, is_unknown: bool) -> Refusal:
    if is_unknown:
        return refuse(ref, "the health checks of its namespace cannot be read")
    return refuse(
        ref,
        "no health check selects it, so the mark would do nothing",
        hint="delete the machine; its owner makes a new one",
        offer=(command("delete", ref),),
    )


def _limits(ref: ObjectRef, checks: list[Document]) -> tuple[Warning, ...]:
    """Health checks that may not act at the moment."""
    found = []
    for check in checks:
        allowed = condition(check, "RemediationAllowed") or {}
        if allowed.get("status") == "False":
            name = text_at(check, ("metadata", "name"))
            count = value_at(check, ("status", "remediationsAllowed"))
            text = f"{name} may not act: {allowed.get('reason', '')} (allowed now: {count})"
            found.append(Warning(text=text, target=str(ref)))
    return tuple(found)


RECIPE = Recipe(VERB, _plan_one, wishes=_wishes)
needs, plan = RECIPE.needs, RECIPE.plan
