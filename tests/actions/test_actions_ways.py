"""Every way of a verb that a kind has can be chosen, and none that it has not."""

import pytest

from fleettui.actions.options import Options
from fleettui.actions.ways import ways_for
from fleettui.kinds import load_table

TABLE = load_table()


def labels(verb, word):
    """What a person is offered."""
    (spec,) = TABLE.find(word)
    return [way.label for way in ways_for(verb, spec)]


@pytest.mark.parametrize(
    ("verb", "kind", "offered"),
    [
        ("resync", "Kustomization", ["", "source first"]),
        ("resync", "HelmRelease", ["", "source first", "forced", "with a reset"]),
        ("resync", "GitRepository", [""]),
        ("resync", "Alert", []),
        ("rollout", "MachineDeployment", ["", "past the topology"]),
        ("scale", "MachineSet", [""]),
        ("delete", "Machine", [""]),
    ],
)
def test_ways_are_those_of_the_kind(verb, kind, offered):
    """A way that a kind refuses is a dead end in the middle of an incident."""
    assert labels(verb, kind) == offered


def test_ways_to_pause_say_what_they_stop():
    """A rollout pause that is taken for a pause lets the scaling go on."""
    spec = TABLE.spec_for("cluster.x-k8s.io", "MachineDeployment")
    by_label = {way.label: way for way in ways_for("pause", spec)}
    assert {"", "rollouts only", "detach from git"} <= set(by_label)
    assert "scaling still happens" in by_label["rollouts only"].note
    assert Options(**by_label["rollouts only"].wishes).form == "rollout"


def test_ways_of_an_application_reach_every_form_of_sync():
    """Argo CD's refresh and sync are two things, pruning a third."""
    spec = TABLE.spec_for("argoproj.io", "Application")
    wishes = [Options(**way.wishes) for way in ways_for("resync", spec)]
    found = {(w.form, w.prune, w.argo_dry_run) for w in wishes}
    assert found >= {("", False, False), ("hard", False, False), ("sync", True, False)}
