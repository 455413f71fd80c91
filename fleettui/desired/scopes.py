"""Which built-in kinds are cluster-wide, to give the others their default namespace.

Source: Kubernetes 1.36 API discovery.
"""

from collections.abc import Callable

from fleettui.desired.objects import ObjectId

ScopeOf = Callable[[str, str], bool | None]
"""Whether (apiVersion, kind) is namespaced; None: not known."""

_CLUSTER_WIDE = frozenset(
    {
        "APIService",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "CSIDriver",
        "CSINode",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
        "ClusterIssuer",
        "ClusterPolicy",
        "GatewayClass",
    }
)


def is_cluster_wide(identity: ObjectId, api_version: str, scope_of: ScopeOf | None) -> bool:
    """Whether an object has no namespace: as discovery says, else by its kind's name."""
    namespaced = scope_of(api_version, identity.kind) if scope_of else None
    if namespaced is not None:
        return not namespaced
    return identity.kind in _CLUSTER_WIDE
