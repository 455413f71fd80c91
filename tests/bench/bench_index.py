"""Figures of the index: build, memory, events, views, filters.

Run as ``python tests/bench/bench_index.py [clusters …]``; prints a table, one line
a figure. Objects look like those of a real fleet: 60 a cluster, a dozen conditions
on most, unique names, uids, provider ids; 3 % of clusters are broken.
"""

import gc
import json
import random
import sys
import time
from pathlib import Path

from fleettui.index.index import Index
from fleettui.index.query import parse
from fleettui.index.search import Searcher
from fleettui.index.view import TreeView
from fleettui.kinds.batch import Batch, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import Condition, Owner, Record, Reference, Replicas, Verdict
from fleettui.kinds.spec import ColumnSpec, Depth, KindSpec, Role

NOW = 1_700_000_000
CAPI = "cluster.x-k8s.io"
INFRA = "infrastructure.cluster.x-k8s.io"
CP = "controlplane.cluster.x-k8s.io"
BOOT = "bootstrap.cluster.x-k8s.io"
SPECS = {
    (group, kind): KindSpec(
        group, kind, f"{kind.lower()}s", role, depth=depth, home=home, columns=columns
    )
    for group, kind, role, depth, home, columns in [
        (CAPI, "Cluster", Role.CLUSTER, Depth.SPINE, (), ()),
        (INFRA, "AzureCluster", Role.INFRA_CLUSTER, Depth.SPINE, ("owner", "~infrastructure"), ()),
        (CP, "KubeadmControlPlane", Role.CONTROL_PLANE, Depth.SPINE, ("owner",), ()),
        (CAPI, "MachineDeployment", Role.WORKERS, Depth.SPINE, ("owner", "cluster"), ()),
        (CAPI, "MachineSet", Role.MACHINE_SET, Depth.LEAF, ("owner", "cluster"), ()),
        (
            CAPI,
            "Machine",
            Role.MACHINE,
            Depth.LEAF,
            ("owner", "cluster"),
            (
                ColumnSpec("node", "NODE", (), searchable=True),
                ColumnSpec("provider_id", "PROVIDER ID", (), searchable=True),
            ),
        ),
        (INFRA, "AzureMachine", Role.INFRA_MACHINE, Depth.LEAF, ("owner", "~infrastructure"), ()),
        (BOOT, "KubeadmConfig", Role.BOOTSTRAP, Depth.LEAF, ("owner", "~bootstrap"), ()),
        (
            "kustomize.toolkit.fluxcd.io",
            "Kustomization",
            Role.APPLIER,
            Depth.SPINE,
            ("source",),
            (),
        ),
        ("source.toolkit.fluxcd.io", "GitRepository", Role.SOURCE, Depth.SPINE, (), ()),
    ]
}
TYPES = {
    "Machine": "Ready Available UpToDate BootstrapConfigReady InfrastructureReady NodeReady "
    "NodeHealthy Updating Deleting Paused APIServerPodHealthy EtcdPodHealthy",
    "Cluster": "Available InfrastructureReady ControlPlaneAvailable WorkersAvailable "
    "ControlPlaneInitialized RemoteConnectionProbe RollingOut ScalingUp ScalingDown Paused",
}
OTHERS = "Ready Available Deleting Paused"


class Table:
    """The kinds of the bench."""

    def spec_for(self, group, kind):
        return SPECS.get((group, kind))


def conditions(kind, rng):
    names = TYPES.get(kind, OTHERS).split()
    return tuple(
        Condition(name, "True", name + "Ok", "", NOW - rng.randrange(10**6), "", 2)
        for name in names
    )


def record(rng, group, kind, ns, name, cluster, owner=None, refs=(), facts=(), verdict="current"):
    uid = f"{rng.getrandbits(128):032x}"
    uid = "-".join([uid[:8], uid[8:12], uid[12:16], uid[16:20], uid[20:]])
    owners = (Owner(*owner, True),) if owner else ()
    labels = [(f"{CAPI}/cluster-name", cluster), (f"{CAPI}/watch-filter", "capi")]
    if owner and owner[1] == "MachineSet":
        labels += [(f"{CAPI}/deployment-name", owner[2][:-6]), (f"{CAPI}/set-name", owner[2])]
    bad = verdict != "current"
    return uid, Record(
        group=group,
        version="v1beta2",
        kind=kind,
        namespace=ns,
        name=name,
        uid=uid,
        resource_version=str(rng.randrange(10**9)),
        generation=2,
        observed_generation=2,
        created_at=NOW - rng.randrange(10**7),
        verdict=Verdict(verdict),
        condition="Ready",
        reason="QuotaExceeded" if bad else "",
        message=f"operation {uid} exceeded approved cores quota" if bad else "",
        since=NOW - rng.randrange(10**6),
        owners=owners,
        references=tuple(refs),
        conditions=conditions(kind, rng),
        replicas=Replicas(3, 3, 3, 3, 3) if kind.endswith(("Set", "Deployment", "Plane")) else None,
        cluster=cluster,
        kubernetes_version="v1.33.4",
        labels=tuple(sorted(labels)),
        facts=tuple(facts),
    )


def cluster_records(number, rng):
    """About 60 objects of one cluster, by kind."""
    cluster = f"prod-{number:05d}"
    ns = f"team-{number % 97}"
    bad = rng.random() < 0.03
    refs = [
        Reference("infrastructure", INFRA, "AzureCluster", ns, cluster, "spec.infrastructureRef"),
        Reference(
            "control_plane", CP, "KubeadmControlPlane", ns, f"{cluster}-cp", "spec.controlPlaneRef"
        ),
    ]
    uid, top = record(rng, CAPI, "Cluster", ns, cluster, cluster, refs=refs)
    yield top
    owner = (CAPI, "Cluster", cluster, uid)
    yield record(rng, INFRA, "AzureCluster", ns, cluster, cluster, owner)[1]
    cp_uid, cp = record(rng, CP, "KubeadmControlPlane", ns, f"{cluster}-cp", cluster, owner)
    yield cp
    parents = [(CP, "KubeadmControlPlane", f"{cluster}-cp", cp_uid, 3)]
    in_cluster = Reference("cluster", CAPI, "Cluster", ns, cluster, f"label {CAPI}/cluster-name")
    for pool in range(3):
        md = f"{cluster}-md-{pool}"
        md_uid, found = record(rng, CAPI, "MachineDeployment", ns, md, cluster, owner, [in_cluster])
        yield found
        ms = f"{md}-{rng.getrandbits(20):05x}"
        ms_owner = (CAPI, "MachineDeployment", md, md_uid)
        ms_uid, found = record(rng, CAPI, "MachineSet", ns, ms, cluster, ms_owner, [in_cluster])
        yield found
        parents.append((CAPI, "MachineSet", ms, ms_uid, 5))
    for group, kind, name, parent_uid, count in parents:
        for _ in range(count):
            machine = f"{name}-{rng.getrandbits(25):05x}"
            refs = [
                in_cluster,
                Reference(
                    "bootstrap", BOOT, "KubeadmConfig", ns, machine, "spec.bootstrap.configRef"
                ),
                Reference(
                    "infrastructure", INFRA, "AzureMachine", ns, machine, "spec.infrastructureRef"
                ),
            ]
            facts = [
                ("node", machine),
                (
                    "provider_id",
                    f"azure:///subscriptions/8b1f/resourceGroups/{cluster}/vm/{machine}",
                ),
            ]
            verdict = "failed" if bad and rng.random() < 0.2 else "current"
            m_uid, found = record(
                rng,
                CAPI,
                "Machine",
                ns,
                machine,
                cluster,
                (group, kind, name, parent_uid),
                refs,
                facts,
                verdict,
            )
            yield found
            m_owner = (CAPI, "Machine", machine, m_uid)
            yield record(
                rng, INFRA, "AzureMachine", ns, machine, cluster, m_owner, verdict=verdict
            )[1]
            yield record(rng, BOOT, "KubeadmConfig", ns, machine, cluster, m_owner)[1]


def rss():
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def timed(run, *, times=1):
    """Milliseconds of the fastest of so many runs, and the last result."""
    best, found = 1e9, None
    for _ in range(times):
        start = time.process_time()
        found = run()
        best = min(best, time.process_time() - start)
    return best * 1000, found


def build(clusters):
    """An index of so many clusters, with seconds spent in it and bytes it takes."""
    rng = random.Random(7)
    index = Index(Table())
    for group, kind in SPECS:
        scope = Scope("one", group, kind)
        index.apply(Batch(scope, [ScopeStatus(Phase.LIVE, NOW)]), NOW)
    index.apply(Batch(Scope("one", CAPI, "Cluster"), [Mark.INIT]), NOW)
    before, spent, page = rss(), 0.0, []
    slowest = 0.0
    for number in range(clusters):
        page.extend(cluster_records(number, rng))
        if len(page) < 480 and number + 1 < clusters:
            continue
        for first in range(0, len(page), 100):
            events = page[first : first + 100]
            start = time.process_time()
            index.apply(Batch(Scope("one", CAPI, "Cluster"), events), NOW)
            took = time.process_time() - start
            spent += took
            slowest = max(slowest, took)
        page.clear()
    index.advance(NOW)
    gc.collect()
    return index, spent, rss() - before, slowest


def events(index, count, first=2 * 10**9):
    """Seconds for so many updates of machines."""
    rng = random.Random(3)
    machines = list(index.rows((CAPI, "Machine")))
    records = []
    for number in range(count):
        row = rng.choice(machines)
        verdict = Verdict.FAILED if number % 10 == 0 else Verdict.CURRENT
        records.append(
            Record(
                group=CAPI,
                version="v1beta2",
                kind="Machine",
                namespace=row.namespace,
                name=row.name,
                uid=row.uid,
                resource_version=str(first + number),
                verdict=verdict,
                owners=row.owners,
                references=row.references,
                conditions=row.conditions,
                cluster=row.cluster,
                labels=row.labels,
                facts=row.facts,
            )
        )
    start = time.process_time()
    for first in range(0, count, 50):
        index.apply(Batch(Scope("one", CAPI, "Machine"), records[first : first + 50]), NOW)
    return time.process_time() - start


def figures(clusters):
    """All figures at one size, by name."""
    index, spent, size, slowest = build(clusters)
    count = len(index)
    found = {
        "floor: a million additions, ms": timed(lambda: sum(one + 1 for one in range(10**6)))[0],
        "objects": count,
        "build us/object": spent / count * 1e6,
        "slowest slice of 100, ms": slowest * 1000,
        "bytes/object": size / count,
    }
    view_ms, view = timed(lambda: TreeView(index))
    found["view built, ms"] = view_ms
    found["expand all, ms"] = timed(view.expand_all)[0]
    found["lines"] = len(view)
    found["50 lines in the middle, ms"] = timed(
        lambda: view.lines(len(view) // 2, len(view) // 2 + 50), times=3
    )[0]
    found["50 lines at the end, ms"] = timed(lambda: view.lines(len(view) - 50, len(view)))[0]
    key = view.lines(len(view) // 3, len(view) // 3 + 1)[0].key
    found["position, ms"] = timed(lambda: view.position(key), times=3)[0]
    view.settle()
    found["events/s"] = 5000 / events(index, 5000)
    found["settle after 5,000 events, ms"] = timed(view.settle)[0]
    events(index, 70, first=3 * 10**9)
    found["settle after 70 events, ms"] = timed(view.settle)[0]
    found["collapse all, ms"] = timed(view.collapse_all)[0]
    found["faults only, ms"] = timed(lambda: view.set_faults_only(faults_only=True))[0]
    view.set_faults_only(faults_only=False)
    searcher = Searcher(index)
    found["texts for search made, ms"] = timed(lambda: list(searcher.warming()))[0]
    found["bytes/object of texts"] = sum(map(len, searcher.texts())) / count
    for name, text in [
        ("rare", "md-1-0a7c"),
        ("common", "prod"),
        ("none", "zzzqqq"),
        ("cluster", "prod-00123"),
        ("typed", "kind:Machine health:failed"),
        ("regex", "/prod-0.*md-2/"),
    ]:
        query = searcher.bind(parse(text))
        found[f"find {name}, ms"], hits = timed(lambda query=query: searcher.find(query), times=3)
        found[f"find {name}, hits"] = hits.count
        found[f"filter {name}, ms"] = timed(
            lambda query=query: (view.set_filter(query), view.lines(0, 50))
        )[0]
    view.set_filter(None)
    found["fuzzy cluster, ms"], _ = timed(
        lambda: searcher.find(searcher.bind(parse("~prd123"))), times=3
    )
    found["sort by health, ms"] = timed(lambda: (view.sort("health"), view.lines(0, 50)))[0]
    return found


def main():
    """Print the figures at every size asked for."""
    gc.disable()
    sizes = [int(text) for text in sys.argv[1:] if text.isdigit()] or [170, 1667]
    columns = [figures(size) for size in sizes]
    if "--json" in sys.argv:
        print(json.dumps(columns))
        return
    for name in columns[0]:
        print(f"{name:36}", *[f"{column[name]:>14,.3f}" for column in columns])


if __name__ == "__main__":
    main()
