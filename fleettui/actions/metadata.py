"""What annotate and label share: which keys may be set, and by which rules.

Knows the syntax of metadata keys and values and keys that belong to other verbs
or to controllers; knows no kind.

Source: Kubernetes labels and annotations, syntax and character set.
"""

import re
from collections.abc import Mapping

from fleettui.actions.compose import Recipe
from fleettui.actions.documents import value_at
from fleettui.actions.drafts import (
    Case,
    Draft,
    DraftStep,
    command,
    merge_patch,
    revert_warnings,
    still,
    undo_merge,
    written_paths,
)
from fleettui.actions.facts import refuse
from fleettui.actions.plan import Impact, Refusal

MAX_ANNOTATION_BYTES = 256 * 1024
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\Z")
_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\Z")
_OTHER_VERBS: Mapping[str, str] = {
    "cluster.x-k8s.io/paused": "pause",
    "cluster.x-k8s.io/remediate-machine": "remediate",
    "reconcile.fluxcd.io/requestedAt": "resync",
    "argocd.argoproj.io/refresh": "resync",
    "serviceoperator.azure.com/reconcile-policy": "pause",
}
_CONTROLLERS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "kustomize.toolkit.fluxcd.io/name",
    "kustomize.toolkit.fluxcd.io/namespace",
    "helm.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/namespace",
    "cluster.x-k8s.io/cluster-name",
    "topology.cluster.x-k8s.io/owned",
)


def metadata_recipe(verb: str, field: str) -> Recipe:
    """One patch per object that sets or removes keys of ``metadata.<field>``."""

    def plan_one(case: Case) -> Draft | Refusal:
        reason, hint = _problem(field, case.options.set)
        return refuse(case.ref, reason, hint=hint) if reason else _draft(verb, field, case)

    return Recipe(verb, plan_one, is_for_deleting=True)


def _draft(verb: str, field: str, case: Case) -> Draft | Refusal:
    facts, ref, body, target = case.parts
    root = ("metadata", field)
    changes = {
        key: value
        for key, value in case.options.set.items()
        if value_at(body, (*root, key)) != value
    }
    if not changes:
        return refuse(ref, "it is that way already")
    patch = merge_patch(
        target,
        body,
        {"metadata": {field: changes}},
        relies_on=tuple(still(body, (*root, key)) for key in changes),
    )
    flags = [f"{key}={value}" if value is not None else f"{key}-" for key, value in changes.items()]
    return Draft(
        target,
        (DraftStep(patch, title=verb, undo=undo_merge(patch, body)),),
        warnings=revert_warnings(facts, ref, written_paths(patch), command(verb, ref, *flags)),
        impacts=(Impact(str(ref), f"changes {len(changes)} {field}; its controller looks again"),),
    )


def _problem(field: str, wishes: Mapping[str, str | None]) -> tuple[str, str]:
    """Reason and hint when a wish cannot be met, empty texts when all can."""
    if not wishes:
        return "no key is given", "write KEY=VALUE, or KEY- to remove one"
    for key, value in wishes.items():
        if key in _OTHER_VERBS and value is not None:
            return f"{key} has a verb of its own", f"use {_OTHER_VERBS[key]}"
        if key in _CONTROLLERS:
            return f"{key} belongs to a controller", "leave it alone"
        if not is_key(key):
            return f"{key!r} is no key such as team or example.com/team", ""
        if value is not None and field == "labels" and value and not _NAME.match(value):
            return f"{value!r} is no value for a label", "at most 63 letters, digits, - _ ."
        if value is not None and len(value.encode()) > MAX_ANNOTATION_BYTES:
            return f"the value of {key} is larger than 256 KiB", ""
    return "", ""


def is_key(text: str) -> bool:
    """Whether the text can be the key of a label or annotation."""
    prefix, slash, name = text.rpartition("/")
    return bool(_NAME.match(name)) and (not slash or bool(_PREFIX.match(prefix)))
