"""Resource types that a real API server has compiled in, as far as the demo serves them.

Plain values. Source: k8s.io/api core/v1, apps/v1, apiextensions/v1, apiregistration/v1.
"""

from __future__ import annotations

from fleettui.demo.apiserver.resources import PrinterColumn, Resource

_AGE = PrinterColumn("Age", "date", ".metadata.creationTimestamp")


def _core(
    kind: str,
    plural: str,
    *,
    short_names: tuple[str, ...] = (),
    namespaced: bool = True,
    has_status: bool = False,
    columns: tuple[PrinterColumn, ...] = (_AGE,),
    categories: tuple[str, ...] = (),
) -> Resource:
    return Resource(
        group="",
        version="v1",
        kind=kind,
        plural=plural,
        singular=kind.lower(),
        served=("v1",),
        short_names=short_names,
        categories=categories,
        namespaced=namespaced,
        has_status=has_status,
        printer_columns=columns,
        is_crd=False,
    )


NAMESPACES = _core(
    "Namespace",
    "namespaces",
    short_names=("ns",),
    namespaced=False,
    has_status=True,
    columns=(PrinterColumn("Status", "string", ".status.phase"), _AGE),
)
NODES = _core(
    "Node",
    "nodes",
    short_names=("no",),
    namespaced=False,
    has_status=True,
    columns=(
        PrinterColumn("Status", "string", '.status.conditions[?(@.type=="Ready")].reason'),
        _AGE,
        PrinterColumn("Version", "string", ".status.nodeInfo.kubeletVersion"),
    ),
)
EVENTS = _core(
    "Event",
    "events",
    short_names=("ev",),
    columns=(
        PrinterColumn("Last Seen", "date", ".lastTimestamp"),
        PrinterColumn("Type", "string", ".type"),
        PrinterColumn("Reason", "string", ".reason"),
        PrinterColumn("Object", "string", ".involvedObject.name"),
        PrinterColumn("Message", "string", ".message"),
    ),
)
SECRETS = _core(
    "Secret",
    "secrets",
    columns=(
        PrinterColumn("Type", "string", ".type"),
        PrinterColumn("Data", "integer", ".data"),
        _AGE,
    ),
)
CONFIGMAPS = _core(
    "ConfigMap",
    "configmaps",
    short_names=("cm",),
    columns=(PrinterColumn("Data", "integer", ".data"), _AGE),
)
SERVICE_ACCOUNTS = _core("ServiceAccount", "serviceaccounts", short_names=("sa",))
PODS = _core(
    "Pod",
    "pods",
    short_names=("po",),
    has_status=True,
    categories=("all",),
    columns=(
        PrinterColumn("Ready", "string", ".status.containerStatuses[0].ready"),
        PrinterColumn("Status", "string", ".status.phase"),
        PrinterColumn("Restarts", "integer", ".status.containerStatuses[0].restartCount"),
        _AGE,
        PrinterColumn("IP", "string", ".status.podIP", 1),
        PrinterColumn("Node", "string", ".spec.nodeName", 1),
    ),
)
DEFINITIONS = Resource(
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    singular="customresourcedefinition",
    served=("v1",),
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    namespaced=False,
    has_status=True,
    printer_columns=(PrinterColumn("Created At", "string", ".metadata.creationTimestamp"),),
    is_crd=False,
)
API_SERVICES = Resource(
    group="apiregistration.k8s.io",
    version="v1",
    kind="APIService",
    plural="apiservices",
    singular="apiservice",
    served=("v1",),
    categories=("api-extensions",),
    namespaced=False,
    has_status=True,
    printer_columns=(_AGE,),
    is_crd=False,
)

BUILTINS: tuple[Resource, ...] = (
    NAMESPACES,
    NODES,
    EVENTS,
    SECRETS,
    CONFIGMAPS,
    SERVICE_ACCOUNTS,
    PODS,
    DEFINITIONS,
    API_SERVICES,
)
"""Always served; Seeds may declare any of them too and give its content."""
