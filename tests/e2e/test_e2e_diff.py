"""Drift of the demo fleet against its real git repository, over real HTTP, with get alone."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.e2e
Words = Callable[..., subprocess.CompletedProcess[str]]
ARTIFACT_ONLY = {"policies", "management-monitoring"}
"""Appliers whose source is no git repository: closed to those who only read."""
HELM = shutil.which("helm")


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """Two management clusters with the planned drift."""
    return start_demo("--clusters", "4", "--contexts", "2", "--churn", "0")


def _diff(words: Words, kubeconfig: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    done = words("diff", "--kubeconfig", str(kubeconfig), *arguments, "-o", "json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["items"]


def _found(items: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [
        (item["context"], change["change"], change["name"])
        for item in items
        for change in item["objects"]
    ]


def test_diff_of_the_demo_finds_the_planned_drift_and_nothing_else(words: Words, demo: Any) -> None:
    """False differences on untouched objects would make everybody ignore the true ones."""
    oncall = demo.kubeconfig.parent / "kubeconfig-oncall"
    code, items = _diff(words, oncall, "--all-contexts", "--read-only")
    assert code == 3
    failed = {item["name"] for item in items if item["error"]}
    assert failed <= ARTIFACT_ONLY
    found = [(context, name) for context, change, name in _found(items) if change == "ignored"]
    assert found == _planned_by_hand(demo)
    drifted = {item["name"] for item in items if "changed" in item["counts"]}
    assert drifted <= {name for _, name in _drifted_releases(demo)}
    compared = sum(sum(item["counts"].values()) for item in items)
    assert compared > 100


def _planned_by_hand(demo: Any) -> list[tuple[str, str]]:
    found = []
    for context in demo.contexts:
        listing = demo.call(context, "/api/v1/configmaps")
        found += [
            (context, item["metadata"]["name"])
            for item in listing["items"]
            if (item.get("data") or {}).get("environment") == "by-hand"
        ]
    return found


def _drifted_releases(demo: Any) -> list[tuple[str, str]]:
    """Context and name of the releases whose controller has found drift."""
    return [
        (context, item["metadata"]["name"])
        for context in demo.contexts
        for item in demo.call(context, "/apis/helm.toolkit.fluxcd.io/v2/helmreleases")["items"]
        if any(one["type"] == "Drifted" for one in item["status"]["conditions"])
    ]


@pytest.mark.skipif(HELM is None, reason="helm is not installed")
def test_diff_of_a_release_finds_the_object_that_was_edited(
    words: Words, start_demo: Callable[..., Any]
) -> None:
    """Helm's own drift detection only says that something differs, not who changed what."""
    fleet = ("--clusters", "4", "--contexts", "1", "--churn", "0")
    demo = start_demo(*fleet, "--incidents", "helm-drift")
    (drifted,) = _drifted_releases(demo)
    oncall = demo.kubeconfig.parent / "kubeconfig-oncall"
    code, items = _diff(words, oncall, "--read-only", "--exit-code")
    releases = {item["name"]: item for item in items if item["kind"] == "HelmRelease"}
    assert len(releases) > 4
    changed = [(item["name"], change) for item in releases.values() for change in item["objects"]]
    ((name, change),) = changed
    assert (name, change["name"]) == (drifted[1], f"{drifted[1]}-settings")
    (hunk,) = change["hunks"]
    assert (hunk["path"], hunk["before"], hunk["after"]) == ("data.logLevel", "debug", "info")
    assert hunk["reason"].startswith("set by kubectl-edit")
    assert change["source"] == "templates/settings.yaml"
    assert code == 3  # releases of other clusters are only rendered


def test_diff_of_an_artifact_comes_through_its_controller_and_is_verified(
    words: Words, demo: Any
) -> None:
    """Sources of registries have no git: only the controller has their files."""
    name = "kustomization/flux-system/policies"
    context = ("--context", demo.contexts[0])
    code, items = _diff(words, demo.kubeconfig, name, *context, "--exit-code")
    assert (code, _found(items), items[0]["error"]) == (0, [], "")
    assert items[0]["counts"] == {"unchanged": 2}
    assert items[0]["revision"].startswith("latest@sha256:")
    code, items = _diff(words, demo.kubeconfig, name, *context, "--read-only")
    assert (code, "only be had through the cluster" in items[0]["error"]) == (3, True)
    assert "--local oci://registry.example.com/platform/policies=PATH" in items[0]["hint"]
    path = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/ocirepositories/policies"
    digest = f"sha256:{'0' * 64}"
    patch = {"status": {"artifact": {"digest": digest}}}
    demo.call(demo.contexts[0], f"{path}/status", method="PATCH", body=patch)
    code, items = _diff(words, demo.kubeconfig, name, *context)
    assert (code, "its source promises 000000000000" in items[0]["error"]) == (3, True)


def test_diff_after_one_edit_in_a_list_map_is_one_hunk_with_its_commit(
    words: Words, start_demo: Callable[..., Any]
) -> None:
    """Whoever is woken at night needs the one line that differs, and whom to ask."""
    demo = start_demo("--clusters", "4", "--contexts", "1", "--churn", "0")
    context = demo.contexts[0]
    path = "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations"
    chosen = next(
        item
        for item in demo.call(context, path)["items"]
        if item["metadata"]["labels"].get("kustomize.toolkit.fluxcd.io/name") == "flux-system"
        and item["spec"].get("dependsOn")
    )
    namespace, name = chosen["metadata"]["namespace"], chosen["metadata"]["name"]
    spec = {"spec": {"dependsOn": [{**chosen["spec"]["dependsOn"][0], "name": "edited-by-hand"}]}}
    one = f"/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{namespace}/kustomizations/{name}"
    demo.call(context, f"{one}?fieldManager=kubectl-edit", method="PATCH", body=spec)
    code, items = _diff(
        words, demo.kubeconfig, "kustomization/flux-system/flux-system", "--exit-code"
    )
    assert code == 1
    changes = [change for item in items for change in item["objects"]]
    assert [(change["kind"], change["name"]) for change in changes] == [("Kustomization", name)]
    (hunk,) = changes[0]["hunks"]
    assert hunk["path"].startswith("spec.dependsOn")
    assert hunk["reason"].startswith("set by kubectl-edit")
    repository = demo.kubeconfig.parent / "git"
    log = ["git", "-C", str(repository), "log", "-1", "--format=%H", "main", "--"]
    commit = subprocess.run([*log, changes[0]["source"]], capture_output=True, text=True)
    assert changes[0]["commit"]["sha"] == commit.stdout.strip() != ""


def test_diff_of_a_branch_tells_what_the_merge_would_delete_in_the_fleet(
    words: Words, demo: Any, tmp_path: Path
) -> None:
    """A branch that removes a cluster must say so before it is merged."""
    clone = tmp_path / "clone"
    _git(None, "clone", "-q", str(demo.kubeconfig.parent / "git"), str(clone))
    _git(clone, "checkout", "-q", "-b", "tidy-up")
    listing = clone / "infrastructure" / "controllers" / "sources.yaml"
    listing.write_text(listing.read_text().replace("v2.9.1", "v2.9.2"))
    team = next((clone / "tenants").glob("*/*/tenant.yaml"))
    kept = team.read_text().split("---\n")[:-1]
    team.write_text("---\n".join(kept))
    _git(clone, "commit", "-qam", "tidy up")
    arguments = ("--all-contexts", "--ref", "tidy-up", "-o", "json", "--exit-code")
    url = "ssh://git@git.example.com/platform/fleet.git"
    done = words("diff", "--kubeconfig", str(demo.kubeconfig), *arguments, f"--local={url}={clone}")
    found = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    gone = [change for target in found["targets"] for change in target["objects"]]
    gone = [change for change in gone if change["change"] == "pruned"]
    assert found["counts"] == {"changed": 2, "pruned": len(gone)}
    # The Kustomization that the branch drops goes, and with it what that one applied.
    assert ("Kustomization", "partner-site") in {(item["kind"], item["name"]) for item in gone}
    assert ("Namespace", "addons") in {(item["kind"], item["name"]) for item in gone}
    assert found["contexts"] == demo.contexts
    first = found["targets"][0]["objects"][0]
    assert (first["change"], first["commit"]["subject"]) == ("pruned", "tidy up")
    assert found["compared"] > 10


def _git(folder: Path | None, *arguments: str) -> None:
    where = ["-C", str(folder)] if folder else []
    names = {f"GIT_{who}_NAME": "demo" for who in ("AUTHOR", "COMMITTER")}
    mails = {f"GIT_{who}_EMAIL": "demo@example.com" for who in ("AUTHOR", "COMMITTER")}
    environment = {**os.environ, **names, **mails, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *where, *arguments], check=True, env=environment, capture_output=True)


def test_diff_of_a_branch_on_screen_leads_to_the_lines_and_leaves_nothing_behind(
    start_demo: Callable[..., Any], open_terminal: Callable[..., Any]
) -> None:
    """Before a merge: which clusters, which objects, whose commit, in the terminal alone."""
    demo = start_demo("--clusters", "2", "--contexts", "1", "--churn", "0")
    repository = demo.kubeconfig.parent / "git"
    _git(repository, "checkout", "-q", "-b", "bump")
    listing = repository / "infrastructure" / "controllers" / "sources.yaml"
    listing.write_text(listing.read_text().replace("v2.9.1", "v2.9.2"))
    _git(repository, "commit", "-qam", "bump flux")
    _git(repository, "checkout", "-q", "main")
    terminal = open_terminal("--kubeconfig", str(demo.kubeconfig), "--read-only", columns=160)
    terminal.wait_for("live")
    terminal.press(":diff --ref bump\r")
    rows = (
        "1 changed in 1 management cluster",
        "ConfigMap/flux-system/controller-versions",
        "bump flux",
    )
    # A screen is read in pieces: its title alone does not mean that its rows are painted.
    terminal.wait_for(lambda text: all(words in text for words in rows))
    terminal.press("\r")
    lines = ("infrastructure/controllers/sources.yaml", "flux: v2.9.1", "flux: v2.9.2")
    # Once each: nothing of an earlier, narrower text is left.
    terminal.wait_for(lambda text: all(text.count(words) == 1 for words in lines))
    terminal.press("v")
    text = terminal.wait_for("@@")
    assert text.count("namespace: flux-system") <= 1
    terminal.press("qqq")


PLURALS = {
    "Cluster": "clusters",
    "MachineDeployment": "machinedeployments",
    "MachineHealthCheck": "machinehealthchecks",
}
FILLED_BY_CONTROLLERS = ("controlPlaneEndpoint", "providerIDList")


def _as_v1beta1(demo: Any, context: str, document: dict[str, Any]) -> dict[str, Any]:
    """The same object as somebody would have written it in the old version."""
    metadata = document["metadata"]
    where = f"namespaces/{metadata['namespace']}/{PLURALS[document['kind']]}/{metadata['name']}"
    old = demo.call(context, f"/apis/cluster.x-k8s.io/v1beta1/{where}")
    spec = {key: value for key, value in old["spec"].items() if key not in FILLED_BY_CONTROLLERS}
    if "paused" not in document["spec"]:
        spec.pop("paused", None)
    return {**document, "apiVersion": "cluster.x-k8s.io/v1beta1", "spec": spec}


def test_diff_of_old_versions_on_a_new_store_has_no_false_difference(
    words: Words, demo: Any, tmp_path: Path
) -> None:
    """Fleets whose git is still at v1beta1 would otherwise be red all over."""
    clone = tmp_path / "clone"
    _git(None, "clone", "-q", str(demo.kubeconfig.parent / "git"), str(clone))
    context, converted = demo.contexts[0], 0
    for file in sorted((clone / "clusters" / "mgmt-1").glob("*/*/*.yaml")):
        documents = [
            _as_v1beta1(demo, context, document)
            if document.get("apiVersion") == "cluster.x-k8s.io/v1beta2"
            and document["kind"] in PLURALS
            else document
            for document in yaml.safe_load_all(file.read_text())
        ]
        converted += sum(d["apiVersion"].endswith("/v1beta1") for d in documents)
        file.write_text(yaml.safe_dump_all(documents, sort_keys=False))
    assert converted > 5
    oncall = demo.kubeconfig.parent / "kubeconfig-oncall"
    url = "ssh://git@git.example.com/platform/fleet.git"
    run = ("--context", context, f"--local={url}={clone}", "--read-only", "--exit-code")
    code, items = _diff(words, oncall, *run)
    assert {change for _, change, _ in _found(items)} <= {"ignored"}
    assert not [item["error"] for item in items if item["error"]]
    assert code == 3  # what lives in other clusters is rendered only


def test_diff_dry_run_agrees_and_read_only_refuses_it(words: Words, demo: Any) -> None:
    """The server's own answer must say the same; and no PATCH may leave in read-only mode."""
    name = "kustomization/flux-system/flux-system"
    context = ("--context", demo.contexts[0])
    code, items = _diff(words, demo.kubeconfig, name, *context, "--mode", "dry-run")
    assert (code, _found(items)) == (0, [])
    assert items[0]["mode"] == "dry-run"
    code, items = _diff(words, demo.kubeconfig, name, *context, "--mode", "dry-run", "--read-only")
    assert code == 3
    assert "read-only" in items[0]["error"]


def test_diff_mistakes_are_usage_errors_with_a_hint(words: Words, demo: Any) -> None:
    """A script must tell a mistake from a difference."""
    run = ("diff", "--kubeconfig", str(demo.kubeconfig))
    both = words(*run, "--applied", "--latest")
    assert (both.returncode, "exclude each other" in both.stderr) == (2, True)
    nobody = words(*run, "kustomization/nowhere/nothing")
    assert (nobody.returncode, "nothing is called" in nobody.stderr) == (2, True)
    wrong = words(*run, "--local", "nonsense")
    assert (wrong.returncode, "URL=PATH" in wrong.stderr) == (2, True)
