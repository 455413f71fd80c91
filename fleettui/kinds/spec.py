"""What a kind's data entry says, as values.

Knows the vocabulary of ``kinds/data/*.yaml`` (roles, depths, dialects, relations
by name); names no kind itself. Loading is in ``loader``, what a document means is
in ``reader``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

UNLESS = "!"
"""Before a pause path whose false, and not its true, pauses."""


class Role(StrEnum):
    """What an object is to the fleet; decides its place in trees and how much is read of it."""

    CLUSTER = "cluster"
    """A cluster-level row: a Cluster API Cluster."""
    INFRA_CLUSTER = "infra_cluster"
    CONTROL_PLANE = "control_plane"
    WORKERS = "workers"
    """A MachineDeployment."""
    MACHINE_SET = "machine_set"
    MACHINE_POOL = "machine_pool"
    INFRA_POOL = "infra_pool"
    MACHINE = "machine"
    INFRA_MACHINE = "infra_machine"
    BOOTSTRAP = "bootstrap"
    TEMPLATE = "template"
    CLASS = "class"
    """A ClusterClass."""
    HEALTH_CHECK = "health_check"
    POLICY = "policy"
    """Rules that act on others: drain rules, projects, admission policies."""
    ADDON = "addon"
    """Things put into a workload cluster from here: resource sets, chart proxies."""
    ADDRESS = "address"
    INVENTORY = "inventory"
    """What is installed: providers, operators' instances and reports, extensions."""
    SOURCE = "source"
    APPLIER = "applier"
    """Makes objects from a source: Kustomization, HelmRelease, Application, Terraform."""
    IMAGE = "image"
    NOTIFICATION = "notification"
    CLOUD_CLUSTER = "cloud_cluster"
    """A cloud operator's own cluster object: cluster-level when no Cluster API object owns it."""
    CLOUD_POOL = "cloud_pool"
    CLOUD = "cloud"
    """Any other resource of a cloud operator."""
    CONTROLLER = "controller"
    """Workloads that run controllers, their leases, webhooks and endpoints."""
    PLATFORM = "platform"
    """Built-in kinds that others refer to: Secret metadata, ConfigMap metadata, Namespace."""
    OTHER = "other"


class Depth(StrEnum):
    """When a kind is read."""

    SPINE = "spine"
    LEAF = "leaf"
    ASKED = "asked"
    """Only when a view, cause or command asks for it by name."""


class Dialect(StrEnum):
    """How conditions and flags of a kind are read; functions of ``conditions``."""

    CAPI = "capi"
    """Either Cluster API scheme, decided by the object's shape."""
    FLUX = "flux"
    FLUX_REPORT = "flux_report"
    """Flux Operator's report, whose own Ready says nothing of what it reports."""
    ARGO = "argo"
    ARGO_SET = "argo_set"
    ASO = "aso"
    FLAG = "flag"
    """Only a ready flag; no conditions."""
    KSTATUS = "kstatus"
    """Generic: Ready, Reconciling, Stalled, observedGeneration."""
    POOL = "pool"
    """MachinePool: the old list and the counters."""
    TERRAFORM = "terraform"
    STATIC = "static"
    """No controller writes status: always current."""
    WORKLOAD = "workload"
    """Built-in kinds: available against desired replicas, containers, phases."""
    ACK = "ack"
    """AWS Controllers for Kubernetes."""
    CONFIG_CONNECTOR = "config_connector"
    CROSSPLANE = "crossplane"
    """Synced and Ready."""


@dataclass(frozen=True, slots=True)
class RelationSpec:
    """One way in which objects of a kind point at others."""

    relation: str
    """Name of a function in ``kinds.relations``."""
    path: str = ""
    """Path of the pointer in the document, where the function takes one."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Whatever else the function takes: fixed group, kind, namespace path."""


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A fact that a kind adds: a column, a searchable word."""

    name: str
    title: str
    paths: tuple[str, ...]
    """The first path that gives something wins."""
    searchable: bool = False
    render: str = "text"
    """Name of a function in ``kinds.columns``: text, revision, count, …"""


@dataclass(frozen=True, slots=True)
class HistorySpec:
    """Where an object keeps what happened to it before: a list of entries in its status."""

    path: str
    columns: tuple[ColumnSpec, ...]
    """What is shown of an entry; their paths begin at the entry."""
    is_newest_last: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How long something may take before it counts as failed, in seconds; 0: no limit."""

    in_progress_s: int = 1800
    terminating_s: int = 900


@dataclass(frozen=True, slots=True)
class KindSpec:
    """One data entry: a kind of object and how it is to be understood."""

    group: str
    kind: str
    plural: str
    role: Role
    versions: tuple[str, ...] = ()
    """Versions understood, best first; empty: whatever the server prefers."""
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    depth: Depth = Depth.SPINE
    dialect: Dialect = Dialect.KSTATUS
    provider: str = ""
    """Infrastructure family in words: Azure, AWS, vSphere, Flux, …"""
    summary: tuple[str, ...] = ("Available", "Ready")
    """Condition types that sum up the object, best first."""
    desired_replicas: tuple[str, ...] = ()
    replica_paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Counter name (current, ready, available, up_to_date) to paths."""
    version_paths: tuple[str, ...] = ()
    cluster_paths: tuple[str, ...] = ()
    """Paths of the Cluster's name besides the cluster-name label."""
    ready_paths: tuple[str, ...] = ()
    """Paths of the ready flag, for flag-only kinds and provisioning state."""
    failure_paths: tuple[str, ...] = ()
    """Paths of texts that, when set, are a failure (failureMessage and the like)."""
    pause_paths: tuple[str, ...] = ()
    """Paths of booleans that pause the object; a leading ``!``: false pauses it."""
    pause_annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotation to the value that pauses (``*``: its presence)."""
    relations: tuple[RelationSpec, ...] = ()
    home: tuple[str, ...] = ()
    """Relations whose target is the home parent, in order of preference; a leading ``~``
    means the reverse: whoever points here by that relation."""
    columns: tuple[ColumnSpec, ...] = ()
    limits: Limits = Limits()
    history: HistorySpec | None = None
    """Read out of the whole object when somebody asks; rows do not carry it."""
    metadata_only: bool = False
    """Listed as PartialObjectMetadata: no row needs its body."""
    deprecated: str = ""
    """Why upstream deprecates this kind, in one line; empty if it does not."""
    deprecated_versions: Mapping[str, str] = field(default_factory=dict)
    """API version to why upstream deprecates it, in one line."""
    actions: tuple[str, ...] = ()
    """Verbs that apply: names of modules in ``actions``."""
    origin: str = ""
    """File that the entry came from; ``contract`` for kinds known only by the contract."""
