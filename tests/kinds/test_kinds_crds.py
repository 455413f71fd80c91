"""Every CRD that upstream ships is understood, and every path of an entry exists there."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from crds import Crd, crds_of

from fleettui.kinds.loader import package_roles
from fleettui.kinds.paths import EACH, parse_path, parts_of
from fleettui.kinds.points import relation_paths
from fleettui.kinds.spec import UNLESS, Dialect, KindSpec, Role

INHERITED = package_roles().parts


@pytest.fixture(scope="module")
def crds(shared_folder) -> tuple[Crd, ...]:
    """All CRDs of the folder."""
    return crds_of(shared_folder / "crds")


def has_path(schema: Mapping[str, Any], steps: tuple[str | int, ...]) -> bool:
    """Whether a schema knows a path; what it preserves unknown is known."""
    for step in steps:
        if schema.get("x-kubernetes-preserve-unknown-fields") or schema.get(
            "x-kubernetes-embedded-resource"
        ):
            return True
        if isinstance(step, int):
            schema = schema.get("items")
        elif step in schema.get("properties", {}):
            schema = schema["properties"][step]
        else:
            schema = schema.get("additionalProperties")
        if not isinstance(schema, Mapping):
            return schema is True
    return True


def exists(crd: Crd, version: str, text: str) -> bool:
    for part in parts_of(text):
        if part.startswith(("label:", "annotation:", "metadata.")):
            continue
        path = parse_path(part)
        steps = (*path.keys, *(EACH if isinstance(step, int) else step for step in path.rest))
        if not has_path(crd.schemas[version], steps):
            return False
    return True


def own_paths(spec: KindSpec) -> Iterator[tuple[str, ...]]:
    """Alternatives that an entry names beyond its role, one group for each thing."""
    role = INHERITED[spec.role]
    for column in spec.columns:
        if column not in role.columns:
            yield column.paths
    if spec.replica_paths != role.values.get("replica_paths"):
        yield from spec.replica_paths.values()
    for name in (
        "desired_replicas",
        "version_paths",
        "cluster_paths",
        "ready_paths",
        "failure_paths",
        "pause_paths",
    ):
        paths = getattr(spec, name)
        if paths and paths != role.values.get(name):
            yield tuple(path.removeprefix(UNLESS) for path in paths)
    for column in spec.history.columns if spec.history is not None else ():
        yield tuple(f"{spec.history.path}[].{path}" for path in column.paths)
    for relation in spec.relations:
        if relation not in role.relations and (paths := relation_paths(relation)):
            yield paths


def test_table_every_crd_has_an_entry(crds, table):
    """A kind that upstream installs would be read without knowing what it is."""
    missing = sorted(
        {f"{crd.kind}.{crd.group}" for crd in crds if table.spec_for(crd.group, crd.kind) is None}
    )
    assert missing == []


def test_table_names_agree_with_crds(crds, table):
    """Lists would ask the server for a plural or scope that does not exist."""
    wrong = []
    for crd in crds:
        spec = table.spec_for(crd.group, crd.kind)
        if spec is None:
            continue
        if spec.plural != crd.plural:
            wrong.append(f"{crd.kind}: plural {spec.plural}, not {crd.plural}")
        if spec.namespaced != (crd.scope == "Namespaced"):
            wrong.append(f"{crd.kind}: scope is {crd.scope}")
        lacking = set(crd.short_names) - set(spec.short_names) - {spec.plural}
        if lacking and "v1.10" not in crd.file and spec.role is not Role.TEMPLATE:
            wrong.append(f"{crd.kind}: short names {sorted(lacking)} of upstream are not known")
        if spec.versions and not set(spec.versions) & set(crd.schemas):
            wrong.append(f"{crd.kind}: understands {spec.versions}, served {sorted(crd.schemas)}")
    assert wrong == []


ONE_VERSION_ONLY = {
    ("Terraform", "infra.contrib.fluxcd.io"),
    ("Cluster", "k0smotron.io"),
    ("ClusterClass", "cluster.x-k8s.io"),
    ("Cluster", "cluster.x-k8s.io"),
    ("Extension", "kubernetesconfiguration.azure.com"),
    ("DevMachine", "infrastructure.cluster.x-k8s.io"),
    ("Metal3Machine", "infrastructure.cluster.x-k8s.io"),
}
"""Kinds of which an older or newer version lacks something that the other one tells."""


GONE = {
    ("HelmRelease", "status.lastAppliedRevision"),
    ("ImagePolicy", "status.latestImage"),
}
"""Paths of versions that the folder's releases no longer serve."""


def test_table_every_path_exists_in_every_version_understood(crds, table):
    """A misspelt or moved path would show an empty column for ever."""
    wrong, lacking = [], set()
    for crd in crds:
        spec = table.spec_for(crd.group, crd.kind)
        if spec is None:
            continue
        served = [v for v in crd.schemas if not v.endswith("storage")]
        understood = [v for v in served if v in spec.versions] if spec.versions else served
        for paths in own_paths(spec):
            good = [v for v in understood if any(exists(crd, v, path) for path in paths)]
            if len(good) < len(understood):
                lacking.add((crd.kind, crd.group))
            if not good and (crd.kind, crd.group) not in ONE_VERSION_ONLY:
                wrong.append(f"{crd.kind}.{crd.group}: none of {', '.join(paths)}")
    assert wrong == []
    assert lacking <= ONE_VERSION_ONLY


def test_table_every_single_path_exists_somewhere(crds, table):
    """An alternative that no version has would stand there for nothing."""
    found: dict[tuple[str, str], dict[str, bool]] = {}
    for crd in crds:
        spec = table.spec_for(crd.group, crd.kind)
        if spec is None:
            continue
        known = found.setdefault((crd.group, crd.kind), {})
        for paths in own_paths(spec):
            for path in paths:
                known[path] = known.get(path, False) or any(
                    exists(crd, version, path) for version in crd.schemas
                )
    lost = {
        (kind, path) for (_, kind), known in found.items() for path, ok in known.items() if not ok
    }
    assert lost == GONE


def test_table_ready_flag_exists_in_every_version_understood(crds, table):
    """Absence of the flag means not ready: a kind without the field would never be well."""
    wrong = []
    for crd in crds:
        spec = table.spec_for(crd.group, crd.kind)
        if spec is None or not spec.ready_paths or spec.dialect not in (Dialect.CAPI, Dialect.FLAG):
            continue
        for version in set(spec.versions) & set(crd.schemas):
            if not any(exists(crd, version, path) for path in spec.ready_paths):
                wrong.append(f"{crd.kind}.{crd.group}/{version}")
    assert wrong == []
