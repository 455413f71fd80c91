"""Annotations that matter, and pauses in words.

Source: Cluster API annotations (api/core/v1beta2/common_types.go); Flux, Argo CD, ASO
and Terraform switches as their documentation names them.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from fleettui.kinds.spec import UNLESS, KindSpec

_DOMAINS = (
    "cluster.x-k8s.io",
    "clusters.x-k8s.io",
    "fluxcd.io",
    "controlplane.io",
    "argoproj.io",
    "serviceoperator.azure.com",
    "sigs.k8s.io",
    "crossplane.io",
    "services.k8s.aws",
    "cnrm.cloud.google.com",
    "infra.contrib.fluxcd.io",
    "tf-controller",
    "metal3.io",
    "fleettui.dev",
    "meta.helm.sh",
)
_BULKY = frozenset(
    {
        "cluster.x-k8s.io/conversion-data",
        "controlplane.cluster.x-k8s.io/kubeadm-cluster-configuration",
        "controlplane.cluster.x-k8s.io/kubeadm-config",
        "sigs.k8s.io/cluster-api-provider-azure-last-applied-tags",
    }
)
_LONGEST = 1024
"""Longer values are data of a controller, not a switch."""


@lru_cache(maxsize=4096)
def is_kept(name: str) -> bool:
    """Whether an annotation can change what happens to its object."""
    domain, slash, _ = name.partition("/")
    if not slash or name in _BULKY:
        return False
    return domain.endswith(_DOMAINS)


def kept_annotations(spec: KindSpec, annotations: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Annotations that switch, hook, track or pause, sorted by name."""
    kept = [
        (name, value)
        for name, value in annotations.items()
        if (is_kept(name) or name in spec.pause_annotations) and len(value) <= _LONGEST
    ]
    kept.sort()
    return tuple(kept)


def pause_of(spec: KindSpec, annotations: Mapping[str, str], fields: Iterable[str]) -> str:
    """What pauses the object, in words; empty if nothing does.

    Args:
        spec: the entry, which names annotations and the values that pause.
        annotations: all of the object's.
        fields: pause paths of the entry that pause the object.
    """
    for field in fields:
        return f"{field.removeprefix(UNLESS)}: false" if field.startswith(UNLESS) else field
    if annotations:
        for name, value in spec.pause_annotations.items():
            found = annotations.get(name)
            if found is not None and (value == "*" or found.lower() == value.lower()):
                return f"annotation {name}"
    return ""
