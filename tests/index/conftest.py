"""A small table of kinds and short ways to write records, shared by the index's tests."""

from dataclasses import dataclass

import pytest

from fleettui.kinds.batch import Batch, Deleted, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import Flag, ObjectRef, Owner, Record, Reference, Verdict
from fleettui.kinds.spec import ColumnSpec, Depth, Dialect, KindSpec, Limits, Role

CAPI = "cluster.x-k8s.io"
INFRA = "infrastructure.cluster.x-k8s.io"
NOW = 1_700_000_000


def _spec(group, kind, role, **more):
    return KindSpec(group, kind, f"{kind.lower()}s", role, **more)


LEAF = {"depth": Depth.LEAF}
SPECS = [
    _spec(CAPI, "Cluster", Role.CLUSTER, dialect=Dialect.CAPI),
    _spec("controlplane", "Plane", Role.CONTROL_PLANE, home=("owner", "~control_plane")),
    _spec(INFRA, "Net", Role.INFRA_CLUSTER, home=("owner", "~infrastructure"), provider="Net"),
    _spec(
        INFRA,
        "FlagNet",
        Role.INFRA_CLUSTER,
        home=("owner", "~infrastructure"),
        dialect=Dialect.FLAG,
    ),
    _spec(CAPI, "MachineDeployment", Role.WORKERS, home=("owner", "cluster")),
    _spec(CAPI, "MachineSet", Role.MACHINE_SET, home=("owner", "cluster"), **LEAF),
    _spec(
        CAPI,
        "Machine",
        Role.MACHINE,
        home=("owner", "cluster"),
        columns=(ColumnSpec("node", "NODE", ("status.nodeRef.name",), searchable=True),),
        **LEAF,
    ),
    _spec(INFRA, "Box", Role.INFRA_MACHINE, home=("owner", "~infrastructure"), **LEAF),
    _spec("bootstrap", "Config", Role.BOOTSTRAP, home=("owner", "~bootstrap"), **LEAF),
    _spec(CAPI, "MachinePool", Role.MACHINE_POOL, home=("owner", "cluster")),
    _spec(INFRA, "BoxPool", Role.INFRA_POOL, home=("~infrastructure", "owner")),
    _spec(CAPI, "MachineHealthCheck", Role.HEALTH_CHECK, home=("owner", "cluster")),
    _spec("source", "Repo", Role.SOURCE, dialect=Dialect.FLUX),
    _spec("kustomize", "Kustomization", Role.APPLIER, home=("source",), dialect=Dialect.FLUX),
    _spec("cloud", "Managed", Role.CLOUD_CLUSTER, home=("owner",), dialect=Dialect.ASO),
    _spec("cloud", "Cloudy", Role.CLOUD, home=("owner",), dialect=Dialect.ASO),
    _spec(CAPI, "ClusterClass", Role.CLASS, dialect=Dialect.STATIC),
    _spec("", "Namespace", Role.PLATFORM, namespaced=False, dialect=Dialect.STATIC),
    _spec("", "Secret", Role.PLATFORM, metadata_only=True, depth=Depth.ASKED),
    _spec("", "ConfigMap", Role.PLATFORM, depth=Depth.ASKED),
    _spec("loop", "Ring", Role.OTHER, home=("owner",)),
    _spec("quick", "Slow", Role.OTHER, limits=Limits(60, 30)),
    _spec("argo", "Application", Role.APPLIER, dialect=Dialect.ARGO),
]


class Table:
    """The smallest table of kinds."""

    def __init__(self, specs=SPECS):
        self.by_key = {(spec.group, spec.kind): spec for spec in specs}
        self.by_kind = {spec.kind: spec for spec in specs}

    def spec_for(self, group, kind):
        return self.by_key.get((group, kind))


@dataclass
class Make:
    """Short ways to write records, batches and scopes."""

    table: Table
    now: int = NOW
    context: str = "one"

    def ref(self, kind, name, ns="ns", context=None):
        spec = self.table.by_kind[kind]
        namespace = ns if spec.namespaced else ""
        return ObjectRef(context or self.context, spec.group, kind, namespace, name)

    def record(self, kind, name, verdict="current", *, ns="ns", rv=1, uid=None, **more):
        """A record; ``owner``/``refs`` hold ``Kind/name`` or ``relation=Kind/name`` words."""
        spec = self.table.by_kind[kind]
        owners = []
        if owner := more.pop("owner", None):
            owner_kind, owner_name = owner.split("/")
            group = self.table.by_kind[owner_kind].group
            owners.append(Owner(group, owner_kind, owner_name, f"uid-{owner_name}", True))
        references = []
        for word in more.pop("refs", ()):
            relation, target = word.split("=")
            target_kind, *path = target.split("/")
            group = self.table.by_kind[target_kind].group
            namespace = path[0] if len(path) == 2 else ns
            references.append(
                Reference(relation, group, target_kind, namespace, path[-1], f"spec.{relation}")
            )
        return Record(
            group=spec.group,
            version="v1",
            kind=kind,
            namespace=ns if spec.namespaced else "",
            name=name,
            uid=uid or f"uid-{kind}-{ns}-{name}",
            resource_version=str(rv),
            verdict=Verdict(verdict),
            owners=tuple(owners),
            references=tuple(references),
            **more,
        )

    def scope(self, kind, ns="", cluster="", context=None):
        spec = self.table.by_kind[kind]
        return Scope(context or self.context, spec.group, kind, ns, cluster)

    def deleted(self, record):
        return Deleted(record.group, record.kind, record.namespace, record.name, record.uid)

    def put(self, index, *records, now=None, context=None):
        """Apply records as watched events, each in the scope of its kind."""
        found = []
        for record in records:
            scope = self.scope(record.kind, context=context)
            found += index.apply(Batch(scope, [record]), now or self.now)
        return found

    def drop(self, index, record, now=None, context=None):
        scope = self.scope(record.kind, context=context)
        return index.apply(Batch(scope, [self.deleted(record)]), now or self.now)

    def list(self, index, kind, *records, now=None, scope=None):
        """Apply records as one complete list of the kind."""
        events = [Mark.INIT, *records, Mark.INIT_DONE]
        return index.apply(Batch(scope or self.scope(kind), events), now or self.now)

    def status(self, index, kind, phase, *, now=None, ns="", cluster="", **more):
        scope = self.scope(kind, ns, cluster)
        status = ScopeStatus(Phase(phase), self.now, **more)
        return index.apply(Batch(scope, [status]), now or self.now)

    def cluster(self, name="c1", ns="ns", *, machines=2, verdict="current", **more):
        """Records of one whole cluster, parents first."""
        within = {"ns": ns, "cluster": name}
        records = [
            self.record(
                "Cluster",
                name,
                verdict,
                refs=[f"infrastructure=Net/{name}", f"control_plane=Plane/{name}-cp"],
                **within,
                **more,
            ),
            self.record("Net", name, owner=f"Cluster/{name}", **within),
            self.record("Plane", f"{name}-cp", owner=f"Cluster/{name}", **within),
            self.record("MachineDeployment", f"{name}-md", owner=f"Cluster/{name}", **within),
            self.record("MachineSet", f"{name}-ms", owner=f"MachineDeployment/{name}-md", **within),
        ]
        for number in range(machines):
            records += self.machine(f"{name}-m{number}", f"MachineSet/{name}-ms", **within)
        return records

    def machine(self, name, owner, verdict="current", **within):
        refs = [f"infrastructure=Box/{name}", f"bootstrap=Config/{name}"]
        if within.get("cluster"):
            refs.append(f"cluster=Cluster/{within['cluster']}")
        return [
            self.record("Machine", name, verdict, owner=owner, refs=refs, **within),
            self.record("Box", name, owner=f"Machine/{name}", **within),
            self.record("Config", name, owner=f"Machine/{name}", **within),
        ]


@pytest.fixture(scope="session")
def table():
    return Table()


@pytest.fixture(scope="session")
def make(table):
    return Make(table)


__all__ = ["Flag", "Make", "Table"]
