"""Every verb against running controllers over HTTP, and its effect seen through the watch."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fleettui.accounts import accounts
from fleettui.actions.options import Options
from fleettui.actions.plan import Plan
from fleettui.audit import Result, Who
from fleettui.config import ContextSettings, Settings
from fleettui.errors import ExitCode
from fleettui.fleet import Fleet
from fleettui.fleet.acts import person
from fleettui.fleet.opening import Opening, open_fleet
from fleettui.fleet.outcome import StepState
from fleettui.fleet.selection import named
from fleettui.index import Row

pytestmark = pytest.mark.e2e
ALLOWED = Settings(contexts=(ContextSettings(allow=("approve", "delete-cluster", "upgrade")),))
SEEN_S = 120.0
Body = Mapping[str, Any]


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """One management cluster whose controllers react."""
    return start_demo("--clusters", "6", "--contexts", "1", "--churn", "0")


@asynccontextmanager
async def opened(demo: Any, *, settings: Settings = ALLOWED) -> AsyncIterator[Fleet]:
    """The fleet, followed, as front ends open it."""
    fleet = open_fleet(Opening(kubeconfig=demo.kubeconfig, settings=settings))
    await fleet.start()
    try:
        assert await fleet.wait_synced(120)
        fleet.settle()
        yield fleet
    finally:
        await fleet.close()


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLEETTUI_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("FLEETTUI_READ_ONLY", raising=False)


async def seen(fleet: Fleet, wanted: Callable[[], bool]) -> None:
    """Returns once the watch has brought what is wanted."""
    until = time.monotonic() + SEEN_S
    while not wanted():
        assert time.monotonic() < until, "the watch never brought it"
        await asyncio.sleep(0.05)
        fleet.settle()


async def do(fleet: Fleet, verb: str, word: str, options: Options | None = None) -> Plan:
    """Plans and carries out; every step has to be done."""
    assert fleet.acts is not None
    refs = named(fleet, [word]).refs
    plan = await fleet.acts.plan(verb, refs, options)
    assert isinstance(plan, Plan), plan
    plan = msgspec.structs.replace(plan, rate_per_s=0.0)
    who = person(fleet.contexts())
    outcome = await fleet.acts.execute(plan, who=who, why="test")
    assert outcome.exit_code is ExitCode.OK, outcome.stopped_by
    told = {account.result for account in accounts(fleet.acts.journal.read())}
    assert told <= {Result.ACKNOWLEDGED, Result.WRITTEN}
    return plan


@dataclass(frozen=True)
class Case:
    """A verb, what it is done to, and what the watch then shows."""

    verb: str
    word: str
    options: Options = field(default_factory=Options)
    shows: Callable[[Row], bool] = lambda row: True
    holds: Callable[[Body, Body], bool] = lambda before, after: True

    def __str__(self) -> str:
        return f"{self.verb} {self.word} {self.options.form}".strip()


def at(body: Body, *path: str) -> Any:
    for key in path:
        body = body.get(key) or {}
    return body


def handled(before: Body, after: Body) -> bool:
    """The controller took the token that we wrote."""
    token = at(after, "metadata", "annotations", "reconcile.fluxcd.io/requestedAt")
    return bool(token) and at(after, "status", "lastHandledReconcileAt") == token


def annotated(name: str, value: str | None) -> Callable[[Body, Body], bool]:
    return lambda before, after: (after["metadata"].get("annotations") or {}).get(name) == value


def condition(body: Body, name: str) -> str:
    found = [c for c in at(body, "status").get("conditions", ()) if c["type"] == name]
    return found[0]["status"] if found else ""


FRA = "payments-eu/payments-prod-fra1-1"
CLUSTER = "cluster.cluster.x-k8s.io/payments-eu/payments-prod-euw1-1"
CASES = (
    Case("pause", CLUSTER, shows=lambda row: row.is_paused,
         holds=lambda before, after: condition(after, "Paused") == "True"),
    Case("resume", CLUSTER, shows=lambda row: not row.is_paused,
         holds=lambda before, after: condition(after, "Paused") == "False"),
    Case("pause", f"machinedeployment/{FRA}-md-0", shows=lambda row: row.is_paused),
    Case("resume", f"machinedeployment/{FRA}-md-0", shows=lambda row: not row.is_paused),
    Case("pause", "ks/flux-system/policies", Options(who="ann", reason="disk", expires_s=60),
         shows=lambda row: row.is_paused,
         holds=annotated("fleettui.dev/paused-reason", "disk")),
    Case("resume", "ks/flux-system/policies", shows=lambda row: not row.is_paused,
         holds=annotated("fleettui.dev/paused-reason", None)),
    Case("resync", "ks/flux-system/policies", Options(with_source=True), holds=handled),
    Case("resync", "gitrepository/flux-system/fleet", holds=handled),
    Case("resync", "helmrelease/payments-eu/payments-cache", Options(force=True, reset=True),
         holds=lambda b, a: handled(b, a) and at(a, "status", "lastHandledForceAt")
         == at(a, "status", "lastHandledResetAt") == at(a, "status", "lastHandledReconcileAt")),
    Case("pause", "fluxinstance/flux-system/flux", shows=lambda row: row.is_paused),
    Case("resume", "fluxinstance/flux-system/flux", shows=lambda row: not row.is_paused),
    Case("resync", "application/argocd/management-monitoring",
         holds=annotated("argocd.argoproj.io/refresh", None)),
    Case("resync", "application/argocd/management-monitoring", Options(form="sync"),
         holds=lambda b, a: at(a, "status", "operationState", "startedAt")
         != at(b, "status", "operationState", "startedAt")),
    Case("pause", "application/argocd/management-monitoring", shows=lambda row: row.is_paused),
    Case("resume", "application/argocd/management-monitoring",
         shows=lambda row: not row.is_paused),
    Case("pause", "managedcluster/azure-landing/legacy-billing",
         shows=lambda row: row.is_paused,
         holds=annotated("serviceoperator.azure.com/reconcile-policy", "skip")),
    Case("resume", "managedcluster/azure-landing/legacy-billing",
         shows=lambda row: not row.is_paused),
    Case("resync", "managedcluster/azure-landing/legacy-reports",
         holds=annotated("serviceoperator.azure.com/reconcile-policy", None)),
    Case("pause", "terraform/flux-system/landing-network", shows=lambda row: row.is_paused),
    Case("resume", "terraform/flux-system/landing-network", shows=lambda row: not row.is_paused),
    Case("replan", "terraform/flux-system/landing-network", holds=handled),
    Case("label", CLUSTER, Options(set={"tier": "gold"}),
         shows=lambda row: ("tier", "gold") in tuple(row.labels)),
    Case("annotate", CLUSTER, Options(set={"example.com/note": "x"}),
         holds=annotated("example.com/note", "x")),
    Case("scale", f"machinedeployment/{FRA}-md-0", Options(replicas=4),
         holds=lambda b, a: a["spec"]["replicas"] == a["status"]["replicas"] == 4),
    Case("rollout", f"machinedeployment/{FRA}-md-0",
         holds=lambda b, a: at(a, "spec", "rollout", "after")
         and a["status"]["upToDateReplicas"] == a["spec"]["replicas"]),
)  # fmt: skip


@pytest.mark.parametrize(
    "verbs",
    [("pause", "resume"), ("resync", "replan"), ("label", "annotate", "scale", "rollout")],
    ids="+".join,
)
async def test_verbs_are_acknowledged_and_seen_through_the_watch(
    verbs: tuple[str, ...], demo: Any
) -> None:
    """What a person does to a fleet must show in the same program without a refresh."""
    async with opened(demo) as fleet:
        for case in [case for case in CASES if case.verb in verbs]:
            await carry_through(fleet, case)


async def carry_through(fleet: Fleet, case: Case) -> None:
    """Does what the case says, and looks at the object and its row."""
    ref = named(fleet, [case.word]).refs[0]
    before = await fleet.body(ref)
    await do(fleet, case.verb, case.word, case.options)
    after = await fleet.body(ref)
    assert case.holds(before, after), (str(case), after)
    if case.verb in ("pause", "label"):
        assert "fleettui" in {entry["manager"] for entry in after["metadata"]["managedFields"]}

    def shows() -> bool:
        row = fleet.index.get(ref)
        return row is not None and case.shows(row)

    await seen(fleet, shows)


def machine_of(fleet: Fleet, deployment: str) -> Row:
    """A Machine of a MachineDeployment."""
    label = "cluster.x-k8s.io/deployment-name"
    rows = fleet.index.rows(("cluster.x-k8s.io", "Machine"))
    return next(r for r in rows if (label, deployment) in tuple(r.labels) and not r.is_deleting)


@pytest.mark.parametrize("verb", ["remediate", "delete"])
async def test_machine_is_replaced_after_the_verb(verb: str, demo: Any) -> None:
    """A broken machine goes and another comes; the row goes by itself."""
    async with opened(demo) as fleet:
        machine = machine_of(fleet, "payments-prod-euw1-1-md-1").ref
        body = await fleet.body(machine)
        assert fleet.acts is not None
        plan = await fleet.acts.plan(verb, [machine])
        assert isinstance(plan, Plan), plan
        assert verb != "delete" or plan.typed_confirmation == machine.name
        await do(fleet, verb, f"machine/{machine.namespace}/{machine.name}")

        def is_gone() -> bool:
            row = fleet.index.get(machine)
            return row is None or row.is_deleting or row.uid != body["metadata"]["uid"]

        await seen(fleet, is_gone)


@pytest.mark.parametrize("fails", [False, True])
async def test_terraform_plan_is_approved_with_its_full_id(demo: Any, fails: bool) -> None:
    """The plan that was read is applied, or told as failed at once; the approval ends with it."""
    name = "landing-peering" if fails else "landing-dns"
    pending, text = "plan-main-1f2e3d4c5b", "creating Route: it is there already"
    status: dict[str, Any] = {"plan": {"pending": pending}}
    if fails:
        broken = {"type": "Apply", "status": "False", "reason": "TFExecApplyFailed"}
        since = {"lastTransitionTime": "2026-01-01T00:00:00Z"}
        status["conditions"] = [{**broken, **since, "message": text}]
    path = f"/apis/infra.contrib.fluxcd.io/v1alpha2/namespaces/flux-system/terraforms/{name}/status"
    demo.call(demo.contexts[0], path, method="PATCH", body={"status": status})
    async with opened(demo) as fleet:
        ref = named(fleet, [f"terraform/flux-system/{name}"]).refs[0]
        assert fleet.acts is not None
        plan = await fleet.acts.plan("approve", [ref], Options(plan_id=pending))
        assert isinstance(plan, Plan), plan
        outcome = await fleet.acts.execute(plan, who=Who(local="test"), why="test")
        assert outcome.state(0) is (StepState.FAILED if fails else StepState.DONE)
        assert outcome.state(1) is StepState.DONE, "the approval is ended all the same"
        after = await fleet.body(ref)
        assert not after["spec"].get("approvePlan")
        assert (after["status"]["plan"].get("lastApplied") == pending) is not fails
        results = [entry.result for entry in fleet.acts.journal.read() if entry.result]
        assert (Result.FAILED in results) is fails
        if fails:
            assert text in outcome.reports[0].message
            await seen(fleet, lambda: text in getattr(fleet.index.get(ref), "message", ""))


async def test_upgrade_of_a_topology_reaches_its_machines(demo: Any) -> None:
    """One field of the Cluster, and the control plane follows."""
    async with opened(demo) as fleet:
        rows = list(fleet.index.rows(("cluster.x-k8s.io", "Cluster")))
        bodies = [(row.ref, await fleet.body(row.ref)) for row in rows]
        ref, body = next((r, b) for r, b in bodies if at(b, "spec", "topology"))
        version = body["spec"]["topology"]["version"]
        major, minor, patch = version.split(".")
        target = f"{major}.{minor}.{int(patch) + 1}"
        word = f"cluster.cluster.x-k8s.io/{ref.namespace}/{ref.name}"
        assert fleet.acts is not None
        plan = await fleet.acts.plan("upgrade", [ref], Options(version=target))
        assert isinstance(plan, Plan), plan
        step = plan.steps[0]
        quick = msgspec.structs.replace(
            step,
            patch=msgspec.structs.replace(
                step.patch, acknowledged_by=type(step.patch.acknowledged_by)()
            ),
        )
        plan = msgspec.structs.replace(plan, steps=(quick, *plan.steps[1:]))
        outcome = await fleet.acts.execute(plan, who=person(fleet.contexts()))
        assert outcome.exit_code is ExitCode.OK, outcome.stopped_by
        assert (await fleet.body(named(fleet, [word]).refs[0]))["spec"]["topology"][
            "version"
        ] == target


async def test_dangerous_verbs_are_off_until_the_settings_enable_them(demo: Any) -> None:
    """Nobody deletes a cluster with a tool that was just installed."""
    async with opened(demo, settings=Settings()) as fleet:
        ref = named(fleet, [CLUSTER]).refs[0]
        assert fleet.acts is not None
        for verb, options in (("delete", None), ("upgrade", Options(version="v1.99.0"))):
            refused = await fleet.acts.plan(verb, [ref], options)
            assert not isinstance(refused, Plan)
        greyed = {
            choice.verb.id: choice.why_not
            for choice in fleet.acts.verbs(ref, is_paused=False, is_deleting=False)
        }
        assert "allow list" in greyed["delete"]
        assert "allow list" in greyed["upgrade"]


DOOMED = "search-ap/search-dev-aps1-1"


@pytest.mark.long
async def test_cluster_is_deleted_by_words_and_the_watch_shows_it_to_its_end(
    demo: Any, words: Callable[..., Any], tmp_path: Path
) -> None:
    """The most dangerous verb: off, then asked for by name, then seen until nothing is left."""
    arguments = (
        "delete", f"cluster.cluster.x-k8s.io/{DOOMED}", "--kubeconfig", str(demo.kubeconfig),
        "-o", "json",
    )  # fmt: skip
    off = words(*arguments, "--yes")
    assert off.returncode == 5
    assert "add delete-cluster to the allow list" in off.stderr
    settings = tmp_path / "config" / "config.yaml"
    settings.parent.mkdir()
    settings.write_text('contexts: {"demo-*": {allow: [delete-cluster]}}\n')
    unnamed = words(*arguments, "--yes")
    assert unnamed.returncode == 5
    assert "--confirm search-dev-aps1-1" in unnamed.stderr
    dry = words(*arguments, "--server-dry-run")
    assert dry.returncode == 0, dry.stderr
    async with opened(demo) as fleet:
        ref = named(fleet, [f"cluster.cluster.x-k8s.io/{DOOMED}"]).refs[0]
        row = fleet.index.get(ref)
        assert row is not None
        assert not row.is_deleting, "a dry run of a deletion deletes nothing"
        done = await asyncio.to_thread(words, *arguments, "--confirm", ref.name)
        assert done.returncode == 0, done.stderr
        (item,) = json.loads(done.stdout)["items"]
        assert item["state"] == "done"
        await seen(fleet, lambda: (r := fleet.index.get(ref)) is None or r.is_deleting)
        await seen(fleet, lambda: fleet.index.get(ref) is None)
        left = [r.ref for r in fleet.index.rows() if r.cluster == ref.name]
        assert not [r for r in left if r.kind in ("Machine", "MachineDeployment")]


# Words ------------------------------------------------------------------------------------


def test_words_pause_journal_and_undo(demo: Any, words: Callable[..., Any]) -> None:
    """The whole story by words alone: plan, do, look up, put back."""
    kubeconfig = ("--kubeconfig", str(demo.kubeconfig))
    target = "ks/flux-system/tenants"
    path = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/tenants"
    plan = words("pause", target, *kubeconfig, "--dry-run", "-o", "json")
    assert plan.returncode == 0, plan.stderr
    document = json.loads(plan.stdout)
    assert document["schema"] == "fleettui.plan/v1"
    assert document["steps"][0]["patch"]["body"]["spec"] == {"suspend": True}
    assert document["commands"]["flux"] == [
        f"flux --context {demo.contexts[0]} -n flux-system suspend kustomization tenants"
    ]
    assert not demo.call(demo.contexts[0], path)["spec"].get("suspend")

    unasked = words("pause", target, *kubeconfig)
    assert unasked.returncode == 5
    assert "--yes" in unasked.stderr

    done = words("pause", target, *kubeconfig, "--yes", "--reason", "disk full", "-o", "json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert [item["state"] for item in outcome["items"]] == ["done"]
    assert demo.call(demo.contexts[0], path)["spec"]["suspend"] is True

    told = json.loads(words("journal", "--last", "-o", "json").stdout)["items"]
    assert [(item["verb"], item["result"], item["why"]) for item in told] == [
        ("pause", "written", "disk full")
    ]
    assert told[0]["who"]["server"] == "demo-admin"

    undone = words("undo", outcome["plan"], *kubeconfig, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert not demo.call(demo.contexts[0], path)["spec"].get("suspend")


def test_words_of_a_filter_need_the_count_above_the_limit(
    demo: Any, words: Callable[..., Any], tmp_path: Path
) -> None:
    """A filter that means more than one thought is not covered by a plain yes."""
    settings = tmp_path / "config" / "config.yaml"
    settings.parent.mkdir()
    settings.write_text("bulk:\n  limit: 2\n  per_minute: 6000\n")
    arguments = (
        "label", "example.com/wave=1", "--all-matching", "kind:Kustomization ns:flux-system",
        "--kubeconfig", str(demo.kubeconfig), "-o", "json",
    )  # fmt: skip
    refused = words(*arguments, "--yes")
    assert refused.returncode == 5
    count = refused.stderr.partition("--confirm ")[2].split()[0]
    assert int(count) > 2
    done = words(*arguments, "--confirm", count)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["items"]) == int(count)
