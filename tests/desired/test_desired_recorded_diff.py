"""The same answers as the real ``flux diff kustomization`` on the same objects and files."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleettui.desired.build import Builder
from fleettui.desired.desired_diff import DesiredDiff, Tools
from fleettui.desired.git import GitCache
from fleettui.desired.hunks import MISSING, Hunk
from fleettui.desired.kustomization_diff import diff_kustomization
from fleettui.desired.sources import Sources, Wanted

NOW = datetime(2026, 11, 23, 8, 10, tzinfo=UTC)

FILES = [
    *("healthy/apps-staging", "healthy/apps", "healthy/edge-1-addons"),
    *("healthy/flux-system-recursive", "healthy/infra-common", "healthy/secrets"),
    *("incidents/billing", "incidents/dispatch", "incidents/geo-strict", "incidents/geo"),
    *("incidents/harbor", "incidents/ledger", "incidents/loyalty", "incidents/media"),
    *("incidents/metrics-rules", "incidents/pricing", "incidents/profile-applied-revision"),
    *("incidents/profile-new-commit", "incidents/teams"),
]

LEGACY = "flux prints it without a name and as deleted; in git and disabled means left alone"

DEVIATIONS: dict[tuple[str, str], tuple[str, str]] = {
    # (file, object): (what we say, why it differs from the recorded line)
    ("healthy/edge-1-addons", "Namespace/addons"): (
        "unchanged",
        "compared with the workload cluster that it applies to, not with this one",
    ),
    ("incidents/profile-applied-revision", "ConfigMap/profile/profile-legacy"): ("ignored", LEGACY),
    ("incidents/profile-new-commit", "ConfigMap/profile/profile-legacy"): ("ignored", LEGACY),
    ("incidents/billing", "Deployment/billing/billing"): (
        "immutable",
        "flux stops at the first refusal and prints it as an error",
    ),
    ("incidents/pricing", "Deployment/pricing/pricing"): (
        "refused",
        "flux stops at the first refusal and prints it as an error",
    ),
    ("incidents/metrics-rules", "AlertRule/metrics/latency"): (
        "refused",
        "flux stops at the first refusal and prints it as an error",
    ),
}

ERRORS = {
    # what our error says where flux prints another
    "incidents/dispatch": "may not add resource with an already registered id: Deployment.v1",
    "incidents/geo-strict": 'variable not set (strict mode): "geo_tile_host"',
    "incidents/media": "service.yaml does not exist",
}

WORDS = {
    "created": "created",
    "changed": "drifted",
    "pruned": "deleted",
    "ignored": "skipped",
    "unchanged": "",
}


@dataclass
class Printed:
    """What the real program printed."""

    repository: str
    commit: str
    namespace: str
    name: str
    path: str
    strict: bool
    actions: dict[str, str] = field(default_factory=dict)
    fields: set[tuple[str, str, str, str]] = field(default_factory=set)
    error: str = ""


def _parse(text: str) -> Printed:
    lines = text.splitlines()
    head = re.match(r"# (\S+) at (\S+)", lines[0])
    command = re.match(r"\$ flux diff kustomization (\S+) -n (\S+) --path (\S+)", lines[1])
    assert head and command
    printed = Printed(
        head[1], head[2], command[2], command[1], command[3], "--strict-substitute" in lines[1]
    )
    current = path = ""
    before: list[str] = []
    for line in lines[2:]:
        if match := re.match(r"► (\S+) (\w+)$", line):
            current = match[1]
            printed.actions[current] = match[2]
        elif line.startswith("✗"):
            printed.error = line
        elif re.match(r"^[a-z]\S*$", line) and not line.startswith("exit"):
            path, before = line, []
        elif line.startswith("- "):
            before.append(line[2:])
        elif line.startswith("+ ") and path != "metadata.generation":
            printed.fields.add((current, path, before[0], line[2:]))
    printed.actions.pop("ConfigMap/", None)
    return printed


def _flux_path(hunk: Hunk) -> str:
    steps = [step if isinstance(step, str) else str(step[0][1]) for step in hunk.path]  # type: ignore[index]  # no indexes in these recordings
    return ".".join(steps)


def _shown(value: object) -> str:
    return "" if value is MISSING else str(value)


async def _ours(
    printed: Printed, recording: Any, bundles: dict[str, Path], folder: Path, reader: Any
) -> DesiredDiff:
    kustomization = recording.find("Kustomization", printed.namespace, printed.name)
    kustomization = {**kustomization, "spec": {**kustomization["spec"], "path": printed.path}}
    reference = kustomization["spec"]["sourceRef"]
    source = recording.find(
        reference["kind"], reference.get("namespace", printed.namespace), reference["name"]
    )
    tools = Tools(
        Sources(GitCache(folder / "git", local=bundles)),
        Builder(folder / "builds"),
        strict=printed.strict,
    )
    return await diff_kustomization(
        kustomization,
        source,
        reader,
        tools,
        now=NOW,
        wanted=Wanted(reference=printed.commit),
        variables_reader=recording.reader,
    )


@pytest.mark.parametrize("name", FILES)
async def test_recorded_diff_says_what_flux_said(
    name: str,
    flux_folder: Path,
    recordings: dict[str, Any],
    bundles: dict[str, Path],
    tmp_path: Path,
) -> None:
    """People who trust flux diff would otherwise not trust ours."""
    part, _, stem = name.partition("/")
    printed = _parse((flux_folder / part / "cli" / "diff" / f"{stem}.txt").read_text())
    recording = recordings[part]
    remote = recordings["edge-1"]
    reader = remote.reader if stem == "edge-1-addons" else recording.reader
    ours = await _ours(printed, recording, bundles, tmp_path, reader)
    if name in ERRORS:
        assert ERRORS[name] in ours.error
        assert not ours.objects
        return
    assert ours.error == ""
    changes = {str(item.id): item.change.value for item in ours.objects}
    for (file, identity), (change, _) in DEVIATIONS.items():
        if file == name:
            assert changes.pop(identity) == change
            printed.actions.pop(identity, None)
    said = {identity: WORDS[change] for identity, change in changes.items() if WORDS[change]}
    assert said == printed.actions
    fields = {
        (str(item.id), _flux_path(hunk), _shown(hunk.before), _shown(hunk.after))
        for item in ours.objects
        for hunk in item.hunks
        if item.change.value == "changed"
    }
    assert fields == printed.fields


def test_recorded_diff_files_are_all_walked(flux_folder: Path) -> None:
    """A recording added later would otherwise never be compared."""
    found = {f"{path.parents[2].name}/{path.stem}" for path in flux_folder.glob("*/cli/diff/*.txt")}
    assert found == set(FILES)


async def test_recorded_healthy_set_has_no_false_difference(
    recordings: dict[str, Any], bundle_tools: Tools
) -> None:
    """A drift board that is red on a healthy fleet would be switched off at once."""
    recording = recordings["healthy"]
    remote = recordings["edge-1"]
    seen = 0
    for (_, kind, namespace, _), document in sorted(recording.reader.documents.items()):
        if kind != "Kustomization":
            continue
        reference = document["spec"]["sourceRef"]
        source = recording.find(
            reference["kind"], reference.get("namespace", namespace), reference["name"]
        )
        reader = remote.reader if "kubeConfig" in document["spec"] else recording.reader
        found = await diff_kustomization(
            document, source, reader, bundle_tools, now=NOW, variables_reader=recording.reader
        )
        assert found.error == ""
        assert {change.value for change in found.counts} == {"unchanged"}, document["metadata"]
        seen += len(found.objects)
    assert seen == 77
    assert bundle_tools.sources.git.fetches == 2


async def test_recorded_difference_names_commit_file_and_person(
    recordings: dict[str, Any], bundle_tools: Tools
) -> None:
    """Without the commit behind a line nobody knows whom to ask."""
    recording = recordings["incidents"]
    found = await diff_kustomization(
        recording.find("Kustomization", "profile", "profile"),
        recording.find("GitRepository", "profile", "profile"),
        recording.reader,
        bundle_tools,
        now=NOW,
    )
    provenance = found.provenance["apps/profile/profile.yaml"]
    assert provenance.commit is not None
    assert (provenance.commit.sha[:7], provenance.commit.author) == ("a500b19", "Platform Team")
    assert provenance.commit.subject == "profile-manual"
    deployment = next(item for item in found.objects if item.id.kind == "Deployment")
    assert deployment.source == "apps/profile/profile.yaml"
    assert [hunk.reason for hunk in deployment.hunks] == [
        "set by kubectl-edit at 2026-11-23T07:50:34Z"
    ] * 2
