"""Actions against the demo fleet over HTTP: plan, dry run, write, journal, undo."""

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from transplant import MERGE, Api, Guest, install

from fleettui.accounts import accounts
from fleettui.actions.documents import leaves, text_at, value_at
from fleettui.actions.options import Options
from fleettui.actions.plan import Acknowledgement, ContentType, Method, Patch, Plan, Refusal
from fleettui.audit import Journal, Result, What, Who
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
CAPI = "cluster.x-k8s.io"
FLUX = "toolkit.fluxcd.io"
PLANNABLE = (
    (f"addons.{CAPI}", "ClusterResourceSet"),
    (f"addons.{CAPI}", "HelmChartProxy"),
    ("argoproj.io", "Application"),
    ("argoproj.io", "ApplicationSet"),
    (f"bootstrap.{CAPI}", "KubeadmConfig"),
    (CAPI, "Cluster"),
    (CAPI, "ClusterClass"),
    (CAPI, "Machine"),
    (CAPI, "MachineDeployment"),
    (CAPI, "MachineHealthCheck"),
    (CAPI, "MachinePool"),
    (CAPI, "MachineSet"),
    ("containerservice.azure.com", "ManagedCluster"),
    ("containerservice.azure.com", "ManagedClustersAgentPool"),
    (f"controlplane.{CAPI}", "AWSManagedControlPlane"),
    (f"controlplane.{CAPI}", "KubeadmControlPlane"),
    ("fluxcd.controlplane.io", "FluxInstance"),
    ("fluxcd.controlplane.io", "ResourceSet"),
    ("fluxcd.controlplane.io", "ResourceSetInputProvider"),
    (f"helm.{FLUX}", "HelmRelease"),
    (f"image.{FLUX}", "ImagePolicy"),
    (f"image.{FLUX}", "ImageRepository"),
    (f"image.{FLUX}", "ImageUpdateAutomation"),
    ("infra.contrib.fluxcd.io", "Terraform"),
    (f"infrastructure.{CAPI}", "AWSMachine"),
    (f"infrastructure.{CAPI}", "AzureASOManagedControlPlane"),
    (f"infrastructure.{CAPI}", "AzureCluster"),
    (f"infrastructure.{CAPI}", "GCPManagedMachinePool"),
    (f"infrastructure.{CAPI}", "VSphereMachine"),
    ("k0smotron.io", "Cluster"),
    (f"kustomize.{FLUX}", "Kustomization"),
    (f"notification.{FLUX}", "Alert"),
    (f"notification.{FLUX}", "Receiver"),
    ("resources.azure.com", "ResourceGroup"),
    ("source.extensions.fluxcd.io", "ArtifactGenerator"),
    (f"source.{FLUX}", "Bucket"),
    (f"source.{FLUX}", "GitRepository"),
    (f"source.{FLUX}", "HelmChart"),
    (f"source.{FLUX}", "HelmRepository"),
    (f"source.{FLUX}", "OCIRepository"),
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


async def documents(kubeconfig: Path) -> list[tuple[str, dict[str, Any]]]:
    """Every object of the kinds of ``PLANNABLE``, with its resource."""
    found = []
    async with opened(kubeconfig) as context:
        for group, kind in PLANNABLE:
            resource = await context.discovery.resolve(group, kind)
            assert resource is not None, f"the demo serves no {kind}"
            head = {"apiVersion": resource.api_version, "kind": kind}
            items = await context.client.list_objects(resource)
            found += [(resource.plural, {**msgspec.json.decode(item), **head}) for item in items]
    return found


@pytest.fixture(scope="module")
def kubeconfig(start_demo, shared_folder):
    """A running demo fleet, or the server of FLEETTUI_TEST_KUBECONFIG with objects like it.

    Definitions that the server lacks are taken from the shared folder; no controllers.
    """
    demo = start_demo("--clusters", "6", "--contexts", "1", "--churn", "0")
    if not REAL:
        yield demo.kubeconfig
        return
    api = Api(Path(REAL))
    install(api, shared_folder / "crds", {group for group, _ in PLANNABLE})
    found = asyncio.run(documents(demo.kubeconfig))
    guest = Guest(api, f"fleettui-{os.getpid()}")
    try:
        guest.settle(dict.fromkeys(document["metadata"]["namespace"] for _, document in found))
        guest.bring_all(found)
        assert not guest.refused, guest.refused
        for path in guest.made:
            if "/terraforms/" in path:
                waiting = {"status": {"plan": {"pending": "plan-main-1f0c5f0a7b"}}}
                api.call(f"{path}/status", method="PATCH", body=waiting, kind=MERGE)
        yield Path(REAL)
    finally:
        guest.leave()


@asynccontextmanager
async def opened(kubeconfig: Path, *, writes: bool = True):
    """The current context, connected."""
    contexts = load_kubeconfig(os.environ, home=Path.home(), explicit=kubeconfig)
    around = Surroundings(environment=dict(os.environ))
    policy = Policy(writes=writes)
    context = await open_context(contexts.context(), policy=policy, around=around)
    await context.connect()
    try:
        yield context
    finally:
        await context.close()


@pytest.fixture
async def world(kubeconfig, tmp_path):
    """The first context of the demo."""
    async with opened(kubeconfig) as context:
        yield World(context, tmp_path)


WISHES = (
    *(("pause", Options(form=form, who="ann", reason="x", expires_s=60))
      for form in ("", "rollout", "freeze", "legacy", "detach")),
    *(("resync", Options(form=form)) for form in ("", "hard", "sync")),
    ("resync", Options(with_source=True)),
    ("resync", Options(force=True, reset=True)),
    ("resume", Options()),
    ("rollout", Options()),
    ("rollout", Options(form="direct")),
    ("scale", Options(replicas=7)),
    ("remediate", Options()),
    ("approve", Options()),
    ("replan", Options()),
    ("label", Options(set={"example.com/a": "b"})),
    ("annotate", Options(set={"example.com/a": "b"})),
    ("upgrade", Options()),
    ("delete", Options()),
)  # fmt: skip


@pytest.mark.parametrize(("group", "kind"), PLANNABLE, ids=[kind for _, kind in PLANNABLE])
async def test_every_plan_is_accepted_by_the_server(group, kind, world):
    """A body that a server refuses would be found out in the middle of an incident.

    On a real server it is written as well, and what can be undone is: the demo's
    controllers would answer in between, and have tests of their own.
    """
    planned: set[str] = set()
    for ref in await world.refs(group, kind, most=6 if REAL else LOOKED_AT.get(kind, 1)):
        offered = world.acts.verbs(ref, is_paused=False, is_deleting=False)
        ids = {choice.verb.id for choice in offered}
        for verb, options in WISHES:
            if verb not in ids:
                continue
            plan = await world.acts.plan(verb, [ref], await filled(world, ref, options))
            if isinstance(plan, Refusal):
                continue
            planned.add(verb)
            await tried(world, unwaited(plan))
            if REAL:
                await written(world, unwaited(plan))
    assert "label" in planned
    missing = (EXPECTED.get((group, kind), frozenset()) if REAL else frozenset()) - planned
    assert not missing, "an action was never tried"


LOOKED_AT = {"Cluster": 2, "MachineDeployment": 2, "Application": 2}
"""Objects tried of kinds that come in several forms, where the demo's server takes them."""
EXPECTED = {
    (CAPI, "Cluster"): {"pause", "resync", "upgrade", "delete"},
    (CAPI, "Machine"): {"remediate", "delete"},
    (CAPI, "MachineDeployment"): {"rollout", "scale"},
    (CAPI, "MachinePool"): {"scale"},
    (f"controlplane.{CAPI}", "KubeadmControlPlane"): {"rollout", "scale"},
    ("infra.contrib.fluxcd.io", "Terraform"): {"approve", "replan"},
}
"""What has to have been tried of the kinds that have more than the common verbs."""


async def filled(world: World, ref: ObjectRef, options: Options) -> Options:
    """The wishes with the plan that waits for approval and the next minor version."""
    body = await world.hands.body(ref)
    version = text_at(body, ("spec", "topology", "version"))
    if not version and ref.kind == "Cluster" and value_at(body, ("spec", "controlPlaneRef")):
        above = value_at(body, ("spec", "controlPlaneRef"))
        plane = ref._replace(group=above["apiGroup"], kind=above["kind"], name=above["name"])
        version = text_at(await world.hands.body(plane) or {}, ("spec", "version"))
    minor = int(version.split(".")[1]) + 1 if version else 0
    pending = text_at(body, ("status", "plan", "pending"))
    return replace(options, plan_id=pending, version=f"v1.{minor}.0")


async def tried(world: World, plan: Plan) -> None:
    """Lets the server check every step and store nothing."""
    outcome = await world.run(plan, dry_run=True)
    states = {report.state for report in outcome.reports}
    assert outcome.state(plan.steps[0].id) is StepState.DONE, (plan, outcome.stopped_by)
    assert states <= {StepState.DONE, StepState.NOT_SENT, StepState.REFUSED}, outcome.stopped_by
    intents = [e for e in world.journal.read() if e.what is What.INTENT and e.plan == plan.id]
    assert intents
    assert all(entry.dry_run for entry in intents[-len(plan.steps) :])


async def written(world: World, plan: Plan) -> None:
    """Writes every step, looks that the server kept all of it, and puts it back."""
    specs = {step.patch.ref: await world.hands.body(step.patch.ref) for step in plan.steps}
    outcome = await world.run(plan)
    assert outcome.exit_code is ExitCode.OK, (plan, outcome.stopped_by)
    for step in plan.steps:
        if step.patch.method is Method.PATCH and not step.is_cleanup:
            await kept(world, plan, step.patch)
    if plan.undo is None:
        return
    undone = await world.run(unwaited(plan.undo))
    assert undone.exit_code is ExitCode.OK, (plan.undo, undone.stopped_by)
    for ref, before in specs.items():
        after = await world.hands.body(ref)
        assert after.get("spec") == before.get("spec"), plan.undo


async def kept(world: World, plan: Plan, patch: Patch) -> None:
    """Nothing that was sent has been dropped, and it is under our name."""
    if [step.patch for step in plan.steps if step.patch.ref == patch.ref][-1] is not patch:
        return  # a later step has written over it
    body = await world.hands.body(patch.ref)
    managers = {entry["manager"] for entry in body["metadata"].get("managedFields", ())}
    assert "fleettui" in managers, patch
    if patch.content_type is ContentType.MERGE:
        for path in leaves(patch.body):
            assert value_at(body, path) == value_at(patch.body, path), (patch, path)


def unwaited(plan: Plan) -> Plan:
    """The plan without a rate, and without waiting for controllers that are not there."""
    steps = tuple(
        msgspec.structs.replace(
            step, patch=msgspec.structs.replace(step.patch, acknowledged_by=Acknowledgement())
        )
        for step in plan.steps
    )
    return msgspec.structs.replace(plan, steps=steps, rate_per_s=0.0)


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
    async with opened(kubeconfig, writes=False) as context:
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
