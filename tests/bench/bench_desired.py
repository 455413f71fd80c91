"""Figures of desired state: a fleet of Kustomizations from one monorepo.

Run as ``python tests/bench/bench_desired.py [kustomizations]``; prints one line a
figure. A quarter of the Kustomizations have an overlay of their own over a shared
base and are built by kustomize, the rest are plain folders; each holds three objects.
The cluster answers from memory, so only our own work is measured: the first run finds it
empty, the second one finds everything applied.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleettui.desired.build import Builder
from fleettui.desired.desired_diff import DesiredDiff, Tools, with_provenance
from fleettui.desired.git import GitCache
from fleettui.desired.kustomization_diff import diff_kustomization
from fleettui.desired.references import Target, compare_references
from fleettui.desired.sources import Sources, Wanted

URL = "https://git.example.org/fleet.git"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
OVERLAY_EVERY = 4


def _objects(index: int) -> str:
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{index}, namespace: apps}}\n"
        f"data: {{zone: '${{zone}}', index: 'n{index}'}}\n---\n"
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: s{index}, namespace: apps}}\n"
        "spec:\n  selector: {app: web}\n  ports: [{port: 80, targetPort: 8080}]\n---\n"
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d{index}, namespace: apps}}\n"
        "spec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n  template:\n"
        "    metadata: {labels: {app: web}}\n    spec:\n      containers:\n"
        "        - {name: web, image: 'web:1.0', ports: [{containerPort: 8080}]}\n"
    )


def _write(folder: Path, count: int) -> None:
    base = folder / "base"
    base.mkdir(parents=True)
    (base / "all.yaml").write_text(_objects(0))
    (base / "kustomization.yaml").write_text("resources: [all.yaml]\n")
    for index in range(count):
        app = folder / "apps" / f"a{index}"
        app.mkdir(parents=True)
        if index % OVERLAY_EVERY == 0:
            text = f"resources: [../../base]\nnameSuffix: '-{index}'\n"
            (app / "kustomization.yaml").write_text(text)
        else:
            (app / "all.yaml").write_text(_objects(index))


def _git(folder: Path, *arguments: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    subprocess.run(
        ["git", *identity, "-c", "init.defaultBranch=main", *arguments],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
    )


class _Cluster:
    """A cluster that holds what was applied."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str, str], Mapping[str, object]] = {}

    def apply(self, results: Iterable[DesiredDiff]) -> None:
        """Stores what a run would create, as its manager."""
        for item in (item for result in results for item in result.objects if item.desired):
            document: dict[str, Any] = json.loads(json.dumps(item.desired))
            entry = {"manager": "kustomize-controller", "operation": "Apply"}
            owned = {**entry, "apiVersion": item.api_version, "fieldsV1": _fields(document)}
            document["metadata"]["managedFields"] = [owned]
            self._objects[item.id.kind, item.id.namespace, item.id.name] = document

    async def get(
        self, api_version: str, kind: str, namespace: str, name: str
    ) -> Mapping[str, object] | None:
        return self._objects.get((kind, namespace, name))


def _fields(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    return {f"f:{name}": _fields(item) for name, item in value.items()}


def _kustomization(index: int) -> dict[str, Any]:
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": f"a{index}", "namespace": "flux-system"},
        "spec": {
            "path": f"./apps/a{index}",
            "prune": True,
            "sourceRef": {"kind": "GitRepository", "name": "fleet"},
            "postBuild": {"substitute": {"zone": "north"}},
        },
    }


SOURCE: dict[str, Any] = {
    "kind": "GitRepository",
    "metadata": {"name": "fleet", "namespace": "flux-system"},
    "spec": {"url": URL, "ref": {"branch": "main"}},
}


def _tools(work: Path, bundle: Path) -> Tools:
    cache = GitCache(work / "cache" / "git", local={URL: bundle})
    return Tools(Sources(cache), Builder(work / "cache" / "builds"), blames=False)


async def _run(count: int, tools: Tools, cluster: _Cluster) -> list[DesiredDiff]:
    gate = asyncio.Semaphore(os.cpu_count() or 2)

    async def one(index: int) -> DesiredDiff:
        async with gate:
            return await diff_kustomization(
                _kustomization(index),
                SOURCE,
                cluster,
                tools,
                now=NOW,
                wanted=Wanted(reference="main"),
            )

    return list(await asyncio.gather(*(one(index) for index in range(count))))


def _figure(name: str, value: str) -> None:
    print(f"{name:<52} {value}")


async def _measure(count: int, work: Path, bundle: Path) -> None:
    cluster = _Cluster()
    for name in ("first run", "second run, nothing changed"):
        tools = _tools(work, bundle)
        began, cpu = time.perf_counter(), time.process_time()
        results = await _run(count, tools, cluster)
        results = await with_provenance(results)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        errors = sum(bool(item.error) for item in results)
        different = sum(item.has_differences for item in results)
        objects = sum(len(item.objects) for item in results)
        cluster.apply(results)
        fetches, builds = tools.sources.git.fetches, tools.builder.builds
        _figure(f"{name}: {count} Kustomizations, {objects} objects", f"{seconds:.2f} s")
        _figure(f"{name}: our own CPU time", f"{cpu:.2f} s")
        _figure(f"{name}: Kustomizations that differ", str(different))
        _figure(f"{name}: fetches, kustomize runs, errors", f"{fetches}, {builds}, {errors}")
    tools = _tools(work, bundle)
    began = time.perf_counter()
    targets = [Target(f"c{i % 50}", _kustomization(i), SOURCE) for i in range(count)]
    found = await compare_references(
        targets, tools, before=Wanted(reference="main"), after=Wanted(reference="topic")
    )
    seconds = time.perf_counter() - began
    changed = sum(found.counts.values())
    _figure(
        f"branch against main: {changed} objects in {len(found.contexts)} contexts",
        f"{seconds:.2f} s",
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _figure("peak memory", f"{peak:.0f} MB")


def main(count: int) -> None:
    """Makes the repository, measures and prints."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        repository = work / "repository"
        _write(repository, count)
        _git(repository, "init", "--quiet")
        _git(repository, "add", "--all")
        _git(repository, "commit", "--quiet", "-m", "First")
        _git(repository, "checkout", "--quiet", "-b", "topic")
        target = repository / "base" / "all.yaml"
        target.write_text(target.read_text().replace("web:1.0", "web:2.0"))
        _git(repository, "commit", "--quiet", "-am", "New image")
        bundle = work / "fleet.bundle"
        _git(repository, "bundle", "create", str(bundle), "main", "topic")
        asyncio.run(_measure(count, work, bundle))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
