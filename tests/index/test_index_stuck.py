"""Stuck things told in sentences: each with evidence, what blocks, and what to do."""

import fnmatch

import pytest
from demo_truth import Planted, plant

from fleettui.index.stuck import Story, stories_of

CASES = {
    "stuck-delete-finalizer": ("*Machine", "stuck in deletion", "finalizer"),
    "cluster-delete-finalizer": ("Cluster", "stuck in deletion", "finalizer"),
    "drain-blocked": ("Machine", "stuck in deletion", "drain"),
    "pre-drain-hook": ("Machine", "stuck in deletion", "hook"),
    "volume-detach": ("Machine", "stuck in deletion", "volume"),
    "control-plane-upgrade-stuck": ("*ControlPlane", "rollout under way", "machine"),
    "version-skew": ("MachineDeployment", "rollout under way", "version"),
    "rollout-paused": ("MachineDeployment", "rollout under way", "paused"),
    "upgrade-hook-blocked": ("Cluster", "upgrade under way", "hook"),
    "kubelet-never-joins": ("Machine", "not ready", "node"),
    "cloud-quota": ("Machine", "not ready", "infrastructure"),
    "git-authentication": ("GitRepository", "not reconciled", "failed to checkout"),
    "dependency-not-ready": ("Kustomization", "not reconciled", "depends on"),
    "helm-retries-exhausted": ("HelmRelease", "not reconciled", "reset"),
    "forgotten-suspend": ("Kustomization", "not reconciled", "suspended"),
    "unreachable": ("Cluster", "unreachable", "API server"),
    "health-check-blocked": ("MachineHealthCheck", "remediation blocked", "limit"),
}
"""Incident to the kind that ``X`` is pressed on, the story's title and a word of it."""


@pytest.fixture(scope="module")
def planted() -> Planted:
    """A fleet with every case."""
    return plant(sorted(CASES), clusters=140)


def _stories(planted: Planted, incident: str, kind: str) -> list[Story]:
    truth = next(t for t in planted.world.truths() if t.incident == incident)
    named = [truth.root, *truth.also_right, *truth.consequences]
    named += [truth.cluster] if truth.cluster is not None else []
    patterns = [str(reference) for reference in named]
    found = []
    for row in planted.index.rows():
        text = f"{row.kind}/{row.namespace}/{row.name}"
        is_near = any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)
        is_part = truth.cluster is not None and row.cluster == truth.cluster.name
        if fnmatch.fnmatchcase(row.kind, kind) and (is_near or is_part):
            found += stories_of(planted.index, row, planted.now)
    return found


@pytest.mark.parametrize("incident", sorted(CASES))
def test_stuck_thing_is_told_with_evidence_and_next_step(planted: Planted, incident: str) -> None:
    """At 03:00 nobody knows by heart which field of which object to look at."""
    kind, title, word = CASES[incident]
    stories = [s for s in _stories(planted, incident, kind) if s.title == title]
    assert stories
    said = [sentence for story in stories for sentence in story.sentences]
    text = " ".join([*(s.text for s in said), *(step for s in stories for step in s.next_steps)])
    assert word.lower() in text.lower()
    assert all(sentence.text.endswith((".", ":")) or sentence.evidence for sentence in said)
    assert any(sentence.evidence for sentence in said)
    assert any(sentence.is_blocking for sentence in said)
    assert all(story.next_steps for story in stories)
