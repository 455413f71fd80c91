"""All verbs, as data: what front ends offer, ask facts for and plan with.

Knows every verb module; knows no kind. CLI words, palette entries, help and the
journal derive from this table.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from fleettui.actions import (
    annotate,
    approve,
    delete,
    label,
    pause,
    remediate,
    replan,
    resume,
    resync,
    rollout,
    scale,
    upgrade,
)
from fleettui.actions.compose import Recipe, rights_of
from fleettui.actions.facts import AccessRequest, FactRequest, Facts
from fleettui.actions.forms import can_pause, form_for, forms
from fleettui.actions.options import Options
from fleettui.actions.plan import Plan, Refusal
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import KindSpec


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that can be done to objects."""

    recipe: Recipe
    label: str
    covers: Callable[[KindSpec], bool]
    """Whether the verb means anything for a kind."""
    asks_for: tuple[str, ...] = ()
    """Fields of ``Options`` that a person has to fill in."""
    gate: str = ""
    """Name in a context's allow list without which the verb is off; empty: always on."""
    gated_kinds: Callable[[KindSpec], bool] = lambda spec: True
    """Kinds for which the gate counts."""

    @property
    def id(self) -> str:
        """Name of the verb."""
        return self.recipe.verb

    def plan(self, facts: Facts, *, now: datetime, options: Options) -> Plan | Refusal:
        """Pure: the same facts give the same plan."""
        return self.recipe.plan(facts, now=now, options=options)


def _resyncs(spec: KindSpec) -> bool:
    form = form_for(forms().resync, spec)
    return form is not None and not form.refuse


def _deletes(spec: KindSpec) -> bool:
    form = form_for(forms().delete, spec)
    return form is not None and not form.refuse


def _is_cluster(spec: KindSpec) -> bool:
    form = form_for(forms().delete, spec)
    return form is not None and form.form == "cluster"


VERBS: dict[str, Verb] = {
    verb.id: verb
    for verb in (
        Verb(
            pause.RECIPE,
            "Pause",
            can_pause,
        ),
        Verb(
            resume.RECIPE,
            "Resume",
            can_pause,
        ),
        Verb(
            resync.RECIPE,
            "Resync",
            _resyncs,
        ),
        Verb(
            rollout.RECIPE,
            "Roll out",
            lambda spec: form_for(forms().rollout, spec) is not None,
        ),
        Verb(
            scale.RECIPE,
            "Scale",
            lambda spec: form_for(forms().scale, spec) is not None,
            asks_for=("replicas",),
        ),
        Verb(
            upgrade.RECIPE,
            "Upgrade",
            lambda spec: form_for(forms().upgrade, spec) is not None,
            asks_for=("version",),
            gate=upgrade.GATE,
        ),
        Verb(
            remediate.RECIPE,
            "Remediate",
            lambda spec: form_for(forms().remediate, spec) is not None,
        ),
        Verb(
            delete.RECIPE,
            "Delete",
            _deletes,
            gate=delete.GATE,
            gated_kinds=_is_cluster,
        ),
        Verb(
            approve.RECIPE,
            "Approve plan",
            lambda spec: form_for(forms().terraform, spec) is not None,
            asks_for=("plan_id",),
            gate=approve.GATE,
        ),
        Verb(
            replan.RECIPE,
            "Plan again",
            lambda spec: form_for(forms().terraform, spec) is not None,
        ),
        Verb(
            annotate.RECIPE,
            "Annotate",
            lambda spec: True,
            asks_for=("set",),
        ),
        Verb(label.RECIPE, "Label", lambda spec: True, asks_for=("set",)),
    )
}
"""Id to verb, in the order in which they are offered."""


_CLUSTERS = ("cluster.x-k8s.io", "clusters")
"""Group and plural of what owns a topology; source: the Cluster API contract."""


def verbs_for(spec: KindSpec) -> tuple[Verb, ...]:
    """Verbs that mean anything for a kind."""
    return tuple(verb for verb in VERBS.values() if verb.covers(spec))


def why_not(
    verb: Verb, spec: KindSpec, *, allowed: Iterable[str], is_paused: bool, is_deleting: bool
) -> str:
    """Why a verb is greyed for a row, from what the row shows; empty when it is not.

    Cheap enough for every repaint; the plan itself looks closer. ``allowed`` is
    the allow list of the row's context.
    """
    if verb.gate and verb.gated_kinds(spec) and verb.gate not in allowed:
        return f"off in this context: {verb.gate} is not in its allow list"
    if is_deleting and verb.id not in (annotate.VERB, label.VERB):
        return "it is being deleted"
    if verb.id == pause.VERB and is_paused:
        return "it is paused already"
    if verb.id == resume.VERB and not is_paused:
        return "it is not paused"
    return ""


def usual_rights(verb: Verb, spec: KindSpec, ref: ObjectRef) -> tuple[AccessRequest, ...]:
    """Rights of which a verb takes one, before its plan is known: enough to grey it.

    What a topology may own is written through the object or through its Cluster.
    """
    namespace = ref.namespace if spec.namespaced else ""

    def right(action: str, group: str, plural: str, subresource: str = "") -> AccessRequest:
        return AccessRequest(ref.context, action, group, plural, subresource, namespace)

    if verb.id == delete.VERB:
        return (right("delete", spec.group, spec.plural),)
    table = {scale.VERB: forms().scale, rollout.VERB: forms().rollout}.get(verb.id, ())
    form = form_for(table, spec)
    subresource = "scale" if form is not None and form.subresource else ""
    own = right("patch", spec.group, spec.plural, subresource)
    if form is not None and (form.topology_list or form.topology_control_plane):
        return (own, right("patch", *_CLUSTERS))
    return (own,)


def needs(verb: Verb, facts: Facts, *, now: datetime, options: Options) -> FactRequest:
    """Facts still missing; once none are, the rights that the plan would take."""
    missing = verb.recipe.needs(facts, options=options)
    if missing:
        return missing
    plan = verb.plan(facts, now=now, options=options)
    return facts.missing((), access=rights_of(plan) if isinstance(plan, Plan) else ())
