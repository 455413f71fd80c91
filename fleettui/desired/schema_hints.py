"""What the API server does with fields, for those who may not read its schema.

Knows list-map keys, atomic maps, defaults of key fields, fields whose empty value
means something and fields that never change, of the built-in kinds. Knows nothing of
values.

Source: Kubernetes 1.36 API types (``listType``, ``listMapKey``, ``omitempty``,
pointers) and validation; structs that client-go's typed conversion always writes.
"""

from fleettui.desired.objects import Manifest, nested, text_of

_LIST_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "containers": (("name",),),
    "initContainers": (("name",),),
    "ephemeralContainers": (("name",),),
    "volumes": (("name",),),
    "env": (("name",),),
    "imagePullSecrets": (("name",),),
    "secrets": (("name",),),
    "volumeMounts": (("mountPath",),),
    "volumeDevices": (("devicePath",),),
    "hostAliases": (("ip",),),
    "webhooks": (("name",),),
    "validations": (),
    "conditions": (("type",),),
    "ownerReferences": (("uid",),),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "resourceClaims": (("name",),),
}
KEY_DEFAULTS: dict[str, object] = {"protocol": "TCP"}
"""Values of key fields that may be left out."""

DROPPED_EMPTY = frozenset(
    {
        "annotations",
        "labels",
        "limits",
        "loadBalancer",
        "matchLabels",
        "metadata",
        "nodeSelector",
        "podSelector",
        "requests",
        "resources",
        "rollingUpdate",
        "securityContext",
        "selector",
        "status",
        "strategy",
        "updateStrategy",
    }
)
"""Structs and maps that mean the same empty, defaulted or absent."""

_POINTERS = frozenset(
    {
        "activeDeadlineSeconds",
        "allowPrivilegeEscalation",
        "automountServiceAccountToken",
        "blockOwnerDeletion",
        "controller",
        "enableServiceLinks",
        "fsGroup",
        "hostUsers",
        "immutable",
        "mode",
        "optional",
        "privileged",
        "readOnlyRootFilesystem",
        "runAsGroup",
        "runAsNonRoot",
        "runAsUser",
        "setHostnameAsFQDN",
        "shareProcessNamespace",
        "storageClassName",
        "tolerationSeconds",
        "ttlSecondsAfterFinished",
    }
)
"""Optional fields without a default: false, 0 or empty differ from absent."""

_NO_DEFAULTS = frozenset(
    {
        "matchExpressions",
        "matchFields",
        "matchLabels",
        "nodeSelector",
        "nodeSelectorTerms",
        "podSelector",
        "selector",
        "tolerations",
    }
)

_TEMPLATED = ("spec.selector",)
_IMMUTABLE: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): _TEMPLATED,
    ("apps", "DaemonSet"): _TEMPLATED,
    ("apps", "ReplicaSet"): _TEMPLATED,
    ("apps", "StatefulSet"): (
        *_TEMPLATED,
        "spec.serviceName",
        "spec.podManagementPolicy",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): (*_TEMPLATED, "spec.template", "spec.completions", "spec.completionMode"),
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.storageClassName",
        "spec.volumeMode",
        "spec.selector",
        "spec.volumeName",
        "spec.dataSource",
    ),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("scheduling.k8s.io", "PriorityClass"): ("value", "preemptionPolicy"),
    ("storage.k8s.io", "StorageClass"): (
        "provisioner",
        "parameters",
        "reclaimPolicy",
        "volumeBindingMode",
    ),
    ("networking.k8s.io", "IngressClass"): ("spec.controller",),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): ("spec.scope", "spec.group"),
}


_BUILT_IN = frozenset(
    ["", "apps", "autoscaling", "batch", "policy"]
    + [
        f"{name}.k8s.io"
        for name in (
            "admissionregistration",
            "apiextensions",
            "apiregistration",
            "certificates",
            "coordination",
            "discovery",
            "flowcontrol.apiserver",
            "networking",
            "node",
            "rbac.authorization",
            "resource",
            "scheduling",
            "storage",
        )
    ]
)


def is_built_in(group: str) -> bool:
    """Whether Kubernetes itself serves a group, with typed structs."""
    return group in _BUILT_IN


def list_keys(name: str, items: list[object]) -> tuple[str, ...]:
    """Key fields of a built-in list-map that all items carry (or may leave out)."""
    for keys in _LIST_KEYS.get(name, ()):
        required = [key for key in keys if key not in KEY_DEFAULTS]
        if all(isinstance(item, dict) and all(key in item for key in required) for item in items):
            return keys
    return ()


def empty_is_absent(name: str, value: object, *, built_in: bool) -> bool:
    """Whether the server stores nothing for an empty value of a field."""
    if value is None:
        return True
    if name in DROPPED_EMPTY and value == {}:
        return True
    if not built_in or name in _POINTERS:
        return False
    return value in ("", [], 0) and not isinstance(value, dict)


def has_no_defaults(group: str, name: str) -> bool:
    """Whether the server adds nothing inside a list or map that is replaced as a whole.

    Elsewhere a field that only the live object has may be a default.
    """
    if name == "rules":
        return group == "rbac.authorization.k8s.io"
    return is_built_in(group) and name in _NO_DEFAULTS


def immutable_reason(group: str, kind: str, path: str, live: Manifest) -> str:
    """Why a change at a path cannot be made; empty if it can.

    Args:
        group: API group.
        kind: the object's kind.
        path: fields joined by dots.
        live: the object as it is.
    """
    for field in _IMMUTABLE.get((group, kind), ()):
        if path == field or path.startswith((f"{field}.", f"{field}[")):
            if (group, kind, field) == ("", "Service", "spec.clusterIP") and not _has_ip(live):
                continue
            return f"{field} is immutable"
    frozen = (group, kind) in {("", "ConfigMap"), ("", "Secret")} and live.get("immutable") is True
    if frozen and path.split(".")[0].split("[")[0] in {"data", "binaryData", "immutable"}:
        return f"this {kind} is marked immutable"
    return ""


def often_immutable(group: str, kind: str, path: str) -> str:
    """A warning where most, not all, providers refuse a change."""
    template = kind.endswith("MachineTemplate") and group == "infrastructure.cluster.x-k8s.io"
    if template and path.startswith("spec.template.spec"):
        return "most infrastructure providers refuse changes to a machine template: copy it instead"
    return ""


def _has_ip(live: Manifest) -> bool:
    return text_of(nested(live, "spec", "clusterIP")) not in ("", "None")
