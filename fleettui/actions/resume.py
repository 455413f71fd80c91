"""Resume: take every pause of an object away, and the notes that came with it.

Knows which pauses hold now, also several at once; knows not who set them.

Source: as for pause; ``null`` rather than ``false`` so that no ownership of the
field stays behind for git to fight with.
"""

from fleettui.actions.compose import Recipe
from fleettui.actions.documents import annotation, leaves
from fleettui.actions.drafts import (
    Case,
    Draft,
    DraftStep,
    command,
    merge_patch,
    revert_warnings,
    still,
    undo_merge,
)
from fleettui.actions.facts import Document, Facts, refuse
from fleettui.actions.pausing import PAUSED_BY, acknowledgement, resume_body
from fleettui.actions.plan import Impact, Refusal, Warning
from fleettui.actions.relations import dependencies_of
from fleettui.actions.stillness import active_pauses, paused_cluster
from fleettui.kinds.record import ObjectRef

VERB = "resume"


def _plan_one(case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    options = case.options
    pauses = active_pauses(facts, ref, body)
    active = tuple(f for f in pauses if not options.form or f.name == options.form)
    if not active:
        return _not_paused(facts, ref, body)
    patch_body = resume_body(active, body)
    patch = merge_patch(
        target,
        body,
        patch_body,
        relies_on=tuple(still(body, form.path) for form in active),
        acknowledged_by=acknowledgement(active[0], body, pausing=False),
    )
    step = DraftStep(patch, title=VERB, undo=undo_merge(patch, body))
    return Draft(
        target,
        (step,),
        warnings=(
            *revert_warnings(facts, ref, leaves(patch_body), command(VERB, ref)),
            *_still_paused(facts, ref, body),
            *_foreign(ref, body),
        ),
        impacts=tuple(Impact(str(ref), f"starts again: {form.stops}") for form in active),
        depends_on=dependencies_of(ref, body),
    )


def _not_paused(facts: Facts, ref: ObjectRef, body: Document) -> Refusal:
    cluster = paused_cluster(facts, ref, body)
    if cluster is None:
        return refuse(ref, "it is not paused")
    return refuse(
        ref,
        f"it is not paused itself; {cluster} is",
        hint="resume the Cluster",
        offer=(command(VERB, cluster),),
    )


def _still_paused(facts: Facts, ref: ObjectRef, body: Document) -> tuple[Warning, ...]:
    cluster = paused_cluster(facts, ref, body)
    if cluster is None:
        return ()
    return (
        Warning(
            text=f"it stays paused, because {cluster} is",
            target=str(ref),
            sequence=(command(VERB, cluster),),
        ),
    )


def _foreign(ref: ObjectRef, body: Document) -> tuple[Warning, ...]:
    """A pause that carries somebody's name is told before it is ended."""
    who = annotation(body, PAUSED_BY)
    return (Warning(text=f"paused by {who}", target=str(ref)),) if who else ()


RECIPE = Recipe(VERB, _plan_one)
needs, plan = RECIPE.needs, RECIPE.plan
