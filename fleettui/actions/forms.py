"""Which way a verb is done to which family of kinds: a table, read once.

Knows the vocabulary of ``data/forms.yaml``; names no kind itself. The table is
part of the package, so reading it is not input in the sense of the core.
Source: the recipes of Cluster API, Flux, Argo CD, ASO and tofu-controller, each
cited beside the verb that uses it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import msgspec

from fleettui.kinds.spec import Dialect, KindSpec


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which kinds an entry is about; what is empty matches everything."""

    groups: tuple[str, ...] = ()
    """API groups; ``*.`` in front stands for any group below."""
    kinds: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    dialects: tuple[str, ...] = ()

    def covers(self, spec: KindSpec) -> bool:
        """Whether the kind is meant."""
        return (
            (not self.kinds or spec.kind in self.kinds)  # cheapest and rarest first
            and (not self.groups or matches_group(spec.group, self.groups))
            and (not self.roles or spec.role.value in self.roles)
            and (not self.dialects or spec.dialect.value in self.dialects)
        )


def matches_group(group: str, patterns: Iterable[str]) -> bool:
    """Whether a group is one of those named, ``*.`` standing for anything in front."""
    return any(
        group.endswith(pattern[1:]) if pattern.startswith("*.") else group == pattern
        for pattern in patterns
    )


class PauseForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field or annotation that stops reconciling."""

    match: Match
    path: tuple[str, ...]
    value: Any
    """What pauses; None: the field's absence does."""
    name: str = ""
    """Asked for by ``Options.form``; empty: the usual way."""
    word: str = "pause"
    """The family's own word."""
    resumed: Any = None
    """What resumes; None: the field's absence does."""
    presence: bool = False
    """Any value pauses, even ``"false"``."""
    keep_false: bool = False
    """Resuming writes false rather than removing the field."""
    acknowledge: str = ""
    """Condition that shows the pause, where the object has that condition at all."""
    acknowledge_resumed: str = ""
    """Condition that is written again once the object is reconciled."""
    stops_controller: bool = True
    """Whether the object's own controller stops, so that requests are left lying."""
    stops: str = ""
    """What no longer happens, in words."""
    requires: tuple[str, ...] = ()
    """Path that must be there for the pause to mean anything."""
    requires_words: str = ""
    unless_owned_by: tuple[str, ...] = ()
    """Groups whose controllers put the field back: their object is to be paused instead."""
    without_field: str = ""
    """Name of the form to use where the server's schema does not have the path."""

    @property
    def is_annotation(self) -> bool:
        """Whether the pause is an annotation."""
        return self.path[:2] == ("metadata", "annotations")


class UselessWhen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field value with which the verb does nothing."""

    path: tuple[str, ...]
    value: Any


class ResyncForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an object is asked to reconcile now."""

    match: Match
    form: str = ""
    """token, annotation, argo, flip or nudge; empty when refused."""
    refuse: str = ""
    hint: str = ""
    annotation: str = ""
    value: str = ""
    source: tuple[str, ...] = ()
    """Path of a reference to the source."""
    chart: bool = False
    """Sources are reached through a chart reference or a generated HelmChart."""
    force: bool = False
    reset: bool = False
    useless_when: UselessWhen | None = None
    useless_words: str = ""


class ReplicaForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where replicas or the rollout moment of an object are asked for."""

    match: Match
    subresource: bool = False
    """Written through ``/scale``; else ``spec.replicas`` of the object itself."""
    minimum: int = 0
    odd_unless: tuple[str, ...] = ()
    """Counts must be odd unless this path is set."""
    decided_by: tuple[str, ...] = ()
    """Kinds of owners that decide the number themselves."""
    topology_list: str = ""
    """List under ``spec.topology.workers`` that may hold the field instead."""
    topology_name_label: str = ""
    """Label with the name of the entry in that list."""
    topology_control_plane: bool = False
    """``spec.topology.controlPlane`` may hold the field instead."""


class PlainForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A verb that a kind has, or the reason why it has not."""

    match: Match
    form: str = ""
    refuse: str = ""
    hint: str = ""


class RevertingManager(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field manager that puts its fields back."""

    by: str
    """How its owner is found: kustomize, helm, argo, topology, resourceset, controller."""
    words: str


class Forms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table."""

    pause: tuple[PauseForm, ...]
    resync: tuple[ResyncForm, ...]
    rollout: tuple[ReplicaForm, ...]
    scale: tuple[ReplicaForm, ...]
    upgrade: tuple[PlainForm, ...]
    remediate: tuple[PlainForm, ...]
    delete: tuple[PlainForm, ...]
    terraform: tuple[PlainForm, ...]
    token_lifetimes: Mapping[str, str]
    """Kind of control plane to what lapses while it is paused."""
    copied_down: Mapping[str, str]
    """Kind to the kinds (in words) that its annotations are copied to."""
    reverting_managers: Mapping[str, RevertingManager]
    flux_words: Mapping[str, str]
    """Kind to the words of the flux program."""


@cache
def forms() -> Forms:
    """The table of this package."""
    text = resources.files("fleettui.actions").joinpath("data/forms.yaml").read_bytes()
    return msgspec.yaml.decode(text, type=Forms)


_AnyForm = TypeVar("_AnyForm", PauseForm, ResyncForm, ReplicaForm, PlainForm)


def form_for(entries: Iterable[_AnyForm], spec: KindSpec) -> _AnyForm | None:
    """The first entry that is about the kind, None when there is none."""
    return next((entry for entry in entries if entry.match.covers(spec)), None)


def pause_forms(spec: KindSpec) -> tuple[PauseForm, ...]:
    """Every way to pause a kind, the usual ones first; the first of a name wins.

    Ways of which the table says nothing follow from how the kind's entry reads pauses.
    """
    found = [form for form in forms().pause if form.match.covers(spec)]
    known = {form.path for form in found}
    found += [form for form in _read_forms(spec) if form.path not in known]
    return tuple(sorted(found, key=lambda form: form.name != ""))


def can_pause(spec: KindSpec) -> bool:
    """Whether a kind has a usual way to be paused."""
    return any(form.name == "" for form in pause_forms(spec))


def _read_forms(spec: KindSpec) -> Iterator[PauseForm]:
    """Pauses as the kind's own entry knows them: annotations before fields."""
    acknowledge = "Paused" if spec.dialect in (Dialect.CAPI, Dialect.POOL) else ""
    for name, value in spec.pause_annotations.items():
        is_presence = value == "*"
        yield PauseForm(
            match=Match(),
            path=("metadata", "annotations", name),
            value="true" if is_presence else value,
            presence=is_presence,
            acknowledge=acknowledge,
            stops=_THIS_ALONE,
        )
    for text in spec.pause_paths:
        if not _PLAIN_PATH.match(text):
            continue
        yield PauseForm(match=Match(), path=tuple(text.split(".")), value=True, stops=_THIS_ALONE)


_THIS_ALONE = "this object alone"
_PLAIN_PATH = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)+\Z")
"""Paths that can be written to: no lists, no choices."""
