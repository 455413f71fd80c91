"""Delete: one machine, or a whole cluster.

Knows what holds a deletion up and what comes back after it; deletes nothing
that another object owns the life of. Clusters are off unless enabled.

Source: Cluster API machine deletion order and hooks; a Cluster's deletion
cascades workers, control plane, infrastructure.
"""

from fleettui.actions.compose import Recipe
from fleettui.actions.documents import text_at, uid_of
from fleettui.actions.drafts import (
    Case,
    Draft,
    DraftStep,
    command,
    target_needs,
)
from fleettui.actions.facts import Document, FactRequest, Facts, ListRequest, refuse
from fleettui.actions.forms import form_for, forms
from fleettui.actions.machines import (
    cluster_name_of,
    hooks_of,
    is_control_plane,
    owner_ref,
    peers_request,
    quorum_problem,
)
from fleettui.actions.managed import appliers_of, is_stopped
from fleettui.actions.options import Options
from fleettui.actions.plan import (
    Acknowledgement,
    Check,
    ContentType,
    Danger,
    Impact,
    Method,
    Patch,
    Preconditions,
    Refusal,
    Signal,
    Target,
    Warning,
)
from fleettui.actions.stillness import paused_refusal
from fleettui.kinds.record import ObjectRef

VERB = "delete"
GATE = "delete-cluster"
MACHINE_TIMEOUT_S = 3600


def _wishes(facts: Facts) -> FactRequest:
    """The objects, the other machines of their clusters, and who applies them."""
    lists = []
    for ref in facts.refs:
        body = facts.body(ref)
        if body is not None:
            request = _machines(facts, ref, body)
            lists += [request] if request else []
    return FactRequest(target_needs(facts).bodies, facts.missing((), lists).lists, ())


def _machines(facts: Facts, ref: ObjectRef, body: Document) -> ListRequest | None:
    form = _form(facts, ref)
    if form == "cluster":
        return ListRequest(ref.context, ref.group, "Machine", ref.namespace, ref.name)
    return peers_request(ref, body) if form == "machine" else None


def _form(facts: Facts, ref: ObjectRef) -> str:
    spec = facts.spec_of(ref.group, ref.kind)
    form = form_for(forms().delete, spec) if spec else None
    return form.form if form else ""


def _plan_one(case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    options = case.options
    form = form_for(forms().delete, case.spec)
    if form is None or form.refuse:
        reason = form.refuse if form else "this kind is not deleted from here"
        return refuse(ref, reason, hint=form.hint if form else "")
    refusal = paused_refusal(facts, ref, body, command(VERB, ref))
    if refusal is not None:
        return refusal
    if form.form == "cluster":
        return _cluster(facts, ref, body, target, options)
    return _machine(facts, ref, body, target)


def _machine(facts: Facts, ref: ObjectRef, body: Document, target: Target) -> Draft | Refusal:
    problem = quorum_problem(facts, ref, body)
    if problem:
        return refuse(ref, problem)
    texts = []
    hooks = hooks_of(body)
    if hooks:
        texts.append(f"its deletion waits for {', '.join(hooks)}")
    if owner_ref(ref, body) is None:
        texts.append("it has no owner, so nobody makes a new one")
    if is_control_plane(body):
        texts.append("it is one of the control plane's machines and a member of its etcd")
    patch = _delete_patch(target, body, Signal.GONE, "it is gone", MACHINE_TIMEOUT_S)
    return Draft(
        target,
        (DraftStep(patch, title="delete"),),
        warnings=tuple(Warning(text=text, target=str(ref)) for text in texts),
        impacts=(
            Impact(
                str(ref),
                "is drained, then deleted with its node and its infrastructure",
                cluster_name_of(ref, body),
            ),
        ),
        danger=Danger.DESTRUCTIVE,
    )


def _cluster(
    facts: Facts, ref: ObjectRef, body: Document, target: Target, options: Options
) -> Draft | Refusal:
    if not options.allows(ref.context, GATE):
        return refuse(
            ref,
            "deleting a cluster is off in this context",
            hint=f"add {GATE} to the allow list of every entry that fits the context",
        )
    machines = facts.list(ListRequest(ref.context, ref.group, "Machine", ref.namespace, ref.name))
    count = "an unknown number of" if machines is None else str(len(machines))
    patch = _delete_patch(target, body, Signal.DELETING, "deletion has begun", 120)
    return Draft(
        target,
        (DraftStep(patch, title="delete the cluster"),),
        warnings=_comes_back(facts, ref, body),
        impacts=(
            Impact(
                str(ref),
                f"ends with {count} machines, its control plane, its infrastructure and all data",
                ref.name,
            ),
        ),
        danger=Danger.DESTRUCTIVE,
    )


def _comes_back(facts: Facts, ref: ObjectRef, body: Document) -> tuple[Warning, ...]:
    """Appliers that will make the cluster again; the order that works ends in git."""
    return tuple(
        Warning(
            text=f"{owner} applies it and will make it again",
            target=str(ref),
            sequence=("remove it from git", command("resync", owner, "--with-source")),
        )
        for owner in appliers_of(body, ref.context)
        if not is_stopped(facts.body(owner))
    )


def _delete_patch(
    target: Target, body: Document, signal: Signal, words: str, timeout_s: int
) -> Patch:
    return Patch(
        target=target,
        method=Method.DELETE,
        content_type=ContentType.NONE,
        preconditions=Preconditions(
            uid=uid_of(body),
            pin_resource_version=True,
            resource_version=text_at(body, ("metadata", "resourceVersion")),
        ),
        acknowledged_by=Acknowledgement(checks=(Check(signal),), words=words, timeout_s=timeout_s),
    )


RECIPE = Recipe(VERB, _plan_one, wishes=_wishes)
needs, plan = RECIPE.needs, RECIPE.plan
