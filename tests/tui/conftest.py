"""A small fleet in memory: real index, real view, no cluster, a clock that stands still."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from pilots import pilot_waits_for_the_loop as pilot_waits_for_the_loop

from fleettui.errors import ConnectError, FleettuiError
from fleettui.fleet.context import ContextInfo, ContextState, EventLine
from fleettui.fleet.depth import LoadPlan
from fleettui.fleet.pacer import Pacer
from fleettui.index.index import Index
from fleettui.index.view import TreeView
from fleettui.kinds.batch import Batch, Deleted, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import (
    Condition,
    Flag,
    ObjectRef,
    Owner,
    Record,
    Reference,
    Replicas,
    Verdict,
)
from fleettui.kinds.spec import Depth, Dialect, KindSpec, Role
from fleettui.recorded.shards import Head

NOW = 1_790_000_000
CAPI = "cluster.x-k8s.io"
FLUX = "kustomize.toolkit.fluxcd.io"
CONTEXT = "mgmt-eu"


def _spec(
    kind: str, role: Role, home: tuple[str, ...] = (), group: str = CAPI, **more: Any
) -> KindSpec:
    plural = f"{kind.lower()}s"
    return KindSpec(group, kind, plural, role, home=home, **more)


SPECS = (
    _spec("Cluster", Role.CLUSTER, short_names=("cl",)),
    _spec("MachineDeployment", Role.WORKERS, ("owner",), short_names=("md",)),
    _spec("Machine", Role.MACHINE, ("owner",), depth=Depth.LEAF, short_names=("ma",)),
    _spec("Kustomization", Role.APPLIER, group=FLUX, dialect=Dialect.FLUX, short_names=("ks",)),
)


class SmallTable:
    """Enough of a table of kinds for an index."""

    def __init__(self) -> None:
        self._specs = {(spec.group, spec.kind): spec for spec in SPECS}

    def __iter__(self) -> Any:
        return iter(self._specs.values())

    def spec_for(self, group: str, kind: str) -> KindSpec | None:
        return self._specs.get((group, kind))

    def find(self, word: str) -> list[KindSpec]:
        word = word.lower()
        return [s for s in SPECS if word in (s.kind.lower(), s.plural, *s.short_names)]

    def words(self) -> list[str]:
        return [w for s in SPECS for w in (s.kind.lower(), s.plural, *s.short_names)]


def make_record(kind: str, name: str, **more: Any) -> Record:
    """A record of one of the kinds above, current unless told otherwise."""
    fields: dict[str, Any] = {
        "group": FLUX if kind == "Kustomization" else CAPI,
        "version": "v1beta2",
        "kind": kind,
        "namespace": "fleet",
        "name": name,
        "uid": f"uid-{kind}-{name}",
        "resource_version": "1",
        "created_at": NOW - 86_400,
        "verdict": Verdict.CURRENT,
        "reason": "Available",
        "since": NOW - 3600,
    }
    owner = more.pop("owner", None)
    if owner is not None:
        owner_kind, owner_name = owner
        fields["owners"] = (
            Owner(CAPI, owner_kind, owner_name, f"uid-{owner_kind}-{owner_name}", True),
        )
    return Record(**(fields | more))


class SmallFleet:
    """What the screens need of a fleet, in memory."""

    def __init__(self, *, read_only: bool = False) -> None:
        self.table = SmallTable()
        self.index = Index(self.table)
        self.read_only = read_only
        self.pacer = Pacer()
        self.on_change: Callable[[], None] = lambda: None
        self.clock = NOW
        self.infos = {
            CONTEXT: ContextInfo(
                CONTEXT, "https://eu.example:6443", ContextState.LIVE, NOW - 60, user="alice"
            )
        }
        self.bodies: dict[ObjectRef, Mapping[str, Any]] = {}
        self.event_lines: list[EventLine] = []
        self.log_lines: list[str] = []
        self.started = False
        self.closed = False
        self.revision = 1
        self.housekept = 0
        self.wanted: dict[str, list[ObjectRef]] = {}
        self.wants_all = False
        self.asked: list[tuple[str, str]] = []
        self.plans: tuple[LoadPlan, ...] = ()
        self.last_heads: dict[str, Head] = {}

    def put(self, *records: Record, context: str = CONTEXT) -> None:
        """Bring records into the index as a watch would."""
        for record in records:
            self.revision += 1
            fresh = {f: getattr(record, f) for f in record.__struct_fields__}
            fresh["resource_version"] = str(self.revision)
            scope = Scope(context, record.group, record.kind)
            self.index.apply(Batch(scope, [Record(**fresh)]), self.clock)
        self.on_change()

    def drop(self, kind: str, name: str, *, context: str = CONTEXT) -> None:
        """Delete an object."""
        group = FLUX if kind == "Kustomization" else CAPI
        scope = Scope(context, group, kind)
        self.index.apply(Batch(scope, [Deleted(group, kind, "fleet", name)]), self.clock)
        self.on_change()

    def sync(self, *contexts: str) -> None:
        """Say that everything has been read."""
        for context in contexts or (CONTEXT,):
            for spec in SPECS:
                scope = Scope(context, spec.group, spec.kind)
                self.index.apply(Batch(scope, [ScopeStatus(Phase.LIVE, NOW)]), self.clock)

    def set_info(self, name: str = CONTEXT, **changes: Any) -> None:
        """Change how a context stands."""
        self.infos[name] = replace(self.infos.get(name, ContextInfo(name)), **changes)
        self.on_change()

    def now(self) -> int:
        return self.clock

    async def read_row(self, ref: ObjectRef) -> None:
        raise FleettuiError("is not followed", where=str(ref))

    def contexts(self) -> tuple[ContextInfo, ...]:
        return tuple(self.infos.values())

    def left_out(self) -> tuple[ContextInfo, ...]:
        return ()

    def available_contexts(self) -> tuple[str, ...]:
        return (*self.infos, "mgmt-us")

    async def start(self) -> None:
        self.started = True

    async def close(self) -> None:
        self.closed = True

    def settle(self) -> None:
        self.index.advance(self.clock)

    def housekeep(self) -> None:
        self.housekept += 1

    def want(self, source: str, clusters: Iterable[ObjectRef]) -> None:
        self.wanted[source] = list(clusters)

    def ask(self, kinds: Iterable[tuple[str, str]], *, where_they_fit: bool = False) -> None:
        self.asked.extend(kinds)

    def load_all(self) -> None:
        self.wants_all = True

    def load_plan(self) -> tuple[LoadPlan, ...]:
        return self.plans

    def heads(self) -> Mapping[str, Head]:
        return self.last_heads

    async def open_context(self, name: str) -> None:
        self.set_info(name, state=ContextState.CONNECTING, since=self.clock)

    async def close_context(self, name: str) -> None:
        self.infos.pop(name, None)
        for spec in SPECS:
            self.index.apply(Batch(Scope(name, spec.group, spec.kind), [Mark.FORGET]), self.clock)
        self.on_change()

    async def set_namespace(self, namespace: str) -> None:
        for name in self.infos:
            self.set_info(name, namespace=namespace)

    async def body(self, ref: ObjectRef) -> Mapping[str, Any]:
        if ref not in self.bodies:
            raise ConnectError(f"{ref} cannot be read", hint="try again")
        return self.bodies[ref]

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        return self.event_lines

    async def logs(
        self, ref: ObjectRef, *, container: str = "", tail: int = 200
    ) -> AsyncIterator[str]:
        for line in self.log_lines:
            await asyncio.sleep(0)
            yield line


def fill(fleet: SmallFleet, *, clusters: int = 6) -> None:
    """A few clusters with workers and machines, some of them broken."""
    records: list[Record] = []
    for number in range(clusters):
        name = f"prod-{number:02d}"
        is_broken = number % 3 == 1
        records.append(make_record("Cluster", name, kubernetes_version="v1.33.2"))
        records.append(
            make_record(
                "MachineDeployment",
                f"{name}-md-0",
                owner=("Cluster", name),
                cluster=name,
                replicas=Replicas(3, 3, 2 if is_broken else 3, 3, 3),
                kubernetes_version="v1.33.2",
                verdict=Verdict.IN_PROGRESS if is_broken else Verdict.CURRENT,
                reason="ScalingUp" if is_broken else "Available",
                message="Scaling up from 2 to 3 replicas" if is_broken else "",
            )
        )
        for place in range(3):
            failed = is_broken and place == 1
            records.append(
                make_record(
                    "Machine",
                    f"{name}-md-0-{place}",
                    owner=("MachineDeployment", f"{name}-md-0"),
                    cluster=name,
                    kubernetes_version="v1.33.2",
                    verdict=Verdict.FAILED if failed else Verdict.CURRENT,
                    reason="QuotaExceeded" if failed else "Ready",
                    condition="InfrastructureReady" if failed else "Ready",
                    message="* InfrastructureReady: 403 Forbidden: vCPU quota exceeded"
                    if failed
                    else "",
                    conditions=(
                        Condition(
                            "Ready", "False" if failed else "True", "NotReady", "", NOW - 900
                        ),
                        Condition("Paused", "False", "NotPaused", "", NOW, negative=True),
                    ),
                    labels=(("env", "prod"), ("region", "westeurope")),
                )
            )
    records.append(
        make_record(
            "Kustomization",
            "apps",
            verdict=Verdict.STALLED,
            reason="BuildFailed",
            flags=int(Flag.PAUSED),
            paused_by="spec.suspend",
            message="kustomize build failed: accumulating resources",
            references=(
                Reference("depends_on", FLUX, "Kustomization", "fleet", "base", "spec.dependsOn"),
            ),
        )
    )
    fleet.put(*records)
    fleet.sync()


@pytest.fixture
def small_fleet() -> SmallFleet:
    """A filled fleet in which changes are possible."""
    fleet = SmallFleet()
    fill(fleet)
    return fleet


@pytest.fixture
def empty_fleet() -> SmallFleet:
    """A fleet with one context and no rows."""
    return SmallFleet()


@pytest.fixture
def record_of() -> Callable[..., Record]:
    """Makes records of the fleet's kinds."""
    return make_record


@pytest.fixture
def read_only_fleet() -> SmallFleet:
    """A filled fleet that may only be looked at."""
    fleet = SmallFleet(read_only=True)
    fill(fleet)
    return fleet


@pytest.fixture
def view_of() -> Callable[[SmallFleet], TreeView]:
    """Makes a view of a fleet."""
    return lambda fleet: TreeView(fleet.index)
