"""Actions against the demo fleet over HTTP: plan, dry run, write, journal, undo."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fleettui.accounts import accounts
from fleettui.actions.options import Options
from fleettui.actions.plan import Plan, Refusal
from fleettui.audit import Journal, Result, Who
from fleettui.config import ContextSettings, Settings
from fleettui.errors import ExitCode
from fleettui.fleet.acts import Acts
from fleettui.fleet.hands import Hands
from fleettui.fleet.outcome import StepState
from fleettui.fleet.writing import WriteFailure
from fleettui.kinds import ObjectRef, load_table
from fleettui.kube.context import Surroundings, open_context
from fleettui.kube.gate import Policy
from fleettui.kube.kubeconfig import load_kubeconfig

REAL = os.environ.get("FLEETTUI_TEST_KUBECONFIG", "")
ALLOWED = Settings(
    contexts=(ContextSettings(allow=("approve", "delete-cluster", "upgrade")),),
)
PLANNABLE = (
    ("cluster.x-k8s.io", "Cluster"),
    ("cluster.x-k8s.io", "MachineDeployment"),
    ("cluster.x-k8s.io", "MachinePool"),
    ("cluster.x-k8s.io", "Machine"),
    ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"),
    ("infrastructure.cluster.x-k8s.io", "AzureCluster"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ("source.toolkit.fluxcd.io", "GitRepository"),
    ("source.extensions.fluxcd.io", "ArtifactGenerator"),
    ("resources.azure.com", "ResourceGroup"),
)


class World:
    """One demo context, opened for writing."""

    def __init__(self, context, folder: Path) -> None:
        self.context = context
        self.name = context.name
        self.journal = Journal(folder / "state")
        self.table = load_table()
        self.hands = Hands(lambda name: context if name == self.name else None)
        self.acts = Acts(
            self.hands, spec_of=self.table.spec_for, journal=self.journal, settings=ALLOWED
        )

    async def refs(self, group: str, kind: str, *, most: int = 3) -> list[ObjectRef]:
        resource = await self.context.discovery.resolve(group, kind)
        found = await self.context.client.list_objects(resource)
        heads = [msgspec.json.decode(item)["metadata"] for item in found]
        names = [ObjectRef(self.name, group, kind, h["namespace"], h["name"]) for h in heads]
        return names[:most]

    async def run(self, plan: Plan, *, dry_run: bool = False):
        return await self.acts.execute(plan, who=Who(local="test"), why="test", dry_run=dry_run)


def kubectl(kubeconfig: Path, *arguments: str, document: object = None) -> Any:
    """What kubectl prints as JSON, None where it says that something is there already."""
    program = shutil.which("kubectl", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        pytest.skip("no kubectl to bring objects to the server with")
    done = subprocess.run(
        [program, "--kubeconfig", str(kubeconfig), *arguments, "-o", "json"],
        input=None if document is None else json.dumps(document),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 or "already exists" in done.stderr, done.stderr
    return json.loads(done.stdout) if done.stdout.strip().startswith("{") else None


def transplant(source: Path, server: Path) -> None:
    """Brings a few objects of each kind to another server, as their specs alone."""
    namespaces: set[str] = set()
    for group, kind in PLANNABLE:
        items = kubectl(source, "get", f"{kind}.{group}", "-A")["items"][:2]
        for item in items:
            meta = item["metadata"]
            if meta["namespace"] not in namespaces:
                namespaces.add(meta["namespace"])
                kubectl(server, "create", "namespace", meta["namespace"])
            kept = {key: meta[key] for key in ("name", "namespace", "labels") if key in meta}
            whole = {key: item[key] for key in ("apiVersion", "kind", "spec")}
            kubectl(server, "create", "-f", "-", document={**whole, "metadata": kept})


@pytest.fixture(scope="module")
def kubeconfig(start_demo):
    """A running demo fleet, or the server of FLEETTUI_TEST_KUBECONFIG with objects like it.

    That server needs the real definitions of ``PLANNABLE``; no controllers.
    """
    demo = start_demo()
    if not REAL:
        return demo.kubeconfig
    transplant(demo.kubeconfig, Path(REAL))
    return Path(REAL)


@pytest.fixture
async def world(kubeconfig, tmp_path):
    """The first context of the demo."""
    contexts = load_kubeconfig(os.environ, home=Path.home(), explicit=kubeconfig)
    entry = contexts.context(next(iter(contexts.contexts)))
    around = Surroundings(environment=dict(os.environ))
    context = await open_context(entry, policy=Policy(writes=True), around=around)
    await context.connect()
    yield World(context, tmp_path)
    await context.close()


WISHES = (
    ("pause", Options(who="ann", reason="x", expires_s=60)),
    ("pause", Options(form="rollout")),
    ("resync", Options()),
    ("resync", Options(with_source=True)),
    ("resume", Options()),
    ("rollout", Options()),
    ("rollout", Options(form="direct")),
    ("scale", Options(replicas=7)),
    *(("upgrade", Options(version=f"v1.{minor}.0")) for minor in range(30, 38)),
    ("remediate", Options()),
    ("delete", Options()),
    ("label", Options(set={"example.com/a": "b"})),
)


@pytest.mark.parametrize(("group", "kind"), PLANNABLE, ids=[kind for _, kind in PLANNABLE])
async def test_every_plan_is_accepted_by_the_server_in_a_dry_run(group, kind, world):
    """A body that a server refuses would be found out in the middle of an incident."""
    planned: set[str] = set()
    for ref in await world.refs(group, kind, most=2):
        offered = world.acts.verbs(ref, is_paused=False, is_deleting=False)
        ids = {choice.verb.id for choice in offered}
        for verb, options in WISHES:
            if verb not in ids or (verb == "upgrade" and verb in planned):
                continue
            plan = await world.acts.plan(verb, [ref], options)
            if isinstance(plan, Refusal):
                continue
            planned.add(verb)
            outcome = await world.run(replace_rate(plan), dry_run=True)
            states = {report.state for report in outcome.reports}
            assert outcome.state(0) is StepState.DONE, (ref, verb, outcome.stopped_by)
            fine = {StepState.DONE, StepState.NOT_SENT, StepState.REFUSED}
            assert states <= fine, (ref, verb, outcome.stopped_by)
    assert {"pause", "label"} <= planned
    assert {entry.dry_run for entry in world.journal.read() if entry.patch} == {True}


def replace_rate(plan: Plan) -> Plan:
    """The plan without a limit on the rate, so that tests do not wait."""
    return msgspec.structs.replace(plan, rate_per_s=0.0)


async def test_pause_is_written_under_our_name_and_undone(world):
    """The whole way: read, plan, write, see, journal, undo."""
    (ref,) = await world.refs("kustomize.toolkit.fluxcd.io", "Kustomization", most=1)
    before = await world.hands.body(ref)
    plan = await world.acts.plan("pause", [ref], Options(who="ann@desk", reason="disk"))
    if isinstance(plan, Refusal):
        plan = await world.acts.plan("resume", [ref])
    assert isinstance(plan, Plan)
    outcome = await world.run(plan)
    assert outcome.state(0) in (StepState.DONE, StepState.TIMED_OUT)
    after = await world.hands.body(ref)
    assert after["spec"] != before["spec"]
    assert "fleettui" in {entry["manager"] for entry in after["metadata"]["managedFields"]}
    undone = await world.run(plan.undo)
    assert undone.exit_code is ExitCode.OK, undone.stopped_by
    restored = await world.hands.body(ref)
    assert restored["spec"] == before["spec"]
    assert len(accounts(world.journal.read())) == 2


async def test_plan_for_a_recreated_object_is_refused_by_the_server_too(world):
    """The uid in the patch is checked by the server, not only by us."""
    (ref,) = await world.refs("source.toolkit.fluxcd.io", "GitRepository", most=1)
    plan = await world.acts.plan("label", [ref], Options(set={"team": "a"}))
    assert isinstance(plan, Plan)
    (step,) = plan.steps
    held = msgspec.structs.replace(step.patch.preconditions, uid="another")
    wrong = msgspec.structs.replace(step.patch, preconditions=held)
    body = await world.hands.body(ref)
    stranger = msgspec.structs.replace(plan, steps=(msgspec.structs.replace(step, patch=wrong),))
    outcome = await world.run(stranger)
    assert outcome.state(0) is StepState.REFUSED
    with pytest.raises(WriteFailure) as error:
        await world.hands.patch(
            wrong.target,
            wrong.wire_body(),
            content_type=wrong.content_type,
            subresource="",
            dry_run=False,
        )
    assert error.value.status in (409, 422)
    assert await world.hands.body(ref) == body


async def test_bulk_of_labels_goes_in_waves_and_is_recorded(world):
    """Three at once: a canary, then the rest, each with its own line."""
    refs = await world.refs("kustomize.toolkit.fluxcd.io", "Kustomization", most=12)
    plan = await world.acts.plan("label", refs, Options(set={"example.com/bulk": "x"}))
    assert isinstance(plan, Plan)
    assert [len(wave) for wave in plan.waves] == [1, 11]
    outcome = await world.run(replace_rate(plan))
    assert outcome.exit_code is ExitCode.OK, outcome.stopped_by
    assert {account.result for account in accounts(world.journal.read())} == {Result.WRITTEN}
    for ref in refs:
        body = await world.hands.body(ref)
        assert body["metadata"]["labels"]["example.com/bulk"] == "x"


async def test_read_only_context_has_no_writer(kubeconfig, tmp_path):
    """Whatever is planned elsewhere, a read-only context sends nothing."""
    contexts = load_kubeconfig(os.environ, home=Path.home(), explicit=kubeconfig)
    entry = contexts.context(next(iter(contexts.contexts)))
    around = Surroundings(environment=dict(os.environ))
    context = await open_context(entry, policy=Policy(writes=False), around=around)
    await context.connect()
    try:
        world = World(context, tmp_path)
        (ref,) = await world.refs("source.toolkit.fluxcd.io", "GitRepository", most=1)
        body = await world.hands.body(ref)
        plan = await world.acts.plan("label", [ref], Options(set={"team": "b"}))
        assert isinstance(plan, Plan)
        outcome = await world.run(plan)
        assert outcome.state(0) is StepState.REJECTED
        assert "read-only" in outcome.stopped_by
        assert await world.hands.body(ref) == body
        strict = replace(ALLOWED, read_only=True)
        acts = Acts(
            world.hands, spec_of=world.table.spec_for, journal=world.journal, settings=strict
        )
        assert isinstance(await acts.plan("label", [ref], Options(set={"team": "b"})), Refusal)
    finally:
        await context.close()
