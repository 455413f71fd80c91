"""Which Deployment reconciles which kinds: a small table, and labels before it.

Knows names of well-known controllers; kinds follow from API groups and from the
provider that a kind's data entry names. A Deployment that carries the contract's
``cluster.x-k8s.io/provider`` label or holds a leader Lease is a controller too, of
kinds unknown. Source: the manifests that each project releases.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from fleettui.kinds.spec import KindSpec, Role

_INFRA: Final = (
    "infrastructure.cluster.x-k8s.io",
    "controlplane.cluster.x-k8s.io",
    "bootstrap.cluster.x-k8s.io",
    "vmware.infrastructure.cluster.x-k8s.io",
)
_UNWATCHED: Final = frozenset({Role.TEMPLATE, Role.POLICY})


@dataclass(frozen=True, slots=True)
class Charge:
    """What one controller is in charge of."""

    deployment: str
    """Name of the Deployment, a pattern."""
    groups: tuple[str, ...]
    """API groups, patterns."""
    provider: str = ""
    """Only kinds of this provider; empty: all of the groups."""
    kinds: tuple[str, ...] = ()
    """Only these kinds; empty: all."""

    def covers(self, spec: KindSpec) -> bool:
        """Whether the controller reconciles objects of a kind."""
        if spec.role in _UNWATCHED or (self.provider and spec.provider != self.provider):
            return False
        if self.kinds and spec.kind not in self.kinds:
            return False
        return any(fnmatchcase(spec.group, pattern) for pattern in self.groups)


_CORE: Final = ("cluster.x-k8s.io", "addons.cluster.x-k8s.io", "runtime.cluster.x-k8s.io")
CHARGES: Final = (
    Charge("capi-controller-manager", _CORE, "Cluster API"),
    Charge("capi-kubeadm-bootstrap-controller-manager", _INFRA, "kubeadm", ("KubeadmConfig",)),
    Charge(
        "capi-kubeadm-control-plane-controller-manager",
        _INFRA,
        "kubeadm",
        ("KubeadmControlPlane",),
    ),
    Charge("capa-controller-manager", _INFRA, "AWS"),
    Charge("capz-controller-manager", _INFRA, "Azure"),
    Charge("azureserviceoperator-controller-manager", ("*.azure.com",), "Azure"),
    Charge("capg-controller-manager", _INFRA, "Google"),
    Charge("capv-controller-manager", _INFRA, "vSphere"),
    Charge("capo-controller-manager", _INFRA, "OpenStack"),
    Charge("capm3-controller-manager", _INFRA, "Metal3"),
    Charge("baremetal-operator-controller-manager", ("metal3.io",), "Metal3"),
    Charge("caph-controller-manager", _INFRA, "Hetzner"),
    Charge("capx-controller-manager", _INFRA, "Nutanix"),
    Charge("capd-controller-manager", _INFRA, "Dev"),
    Charge("rke2-*-controller-manager", _INFRA, "RKE2"),
    Charge("k0smotron-controller-manager*", (*_INFRA, "k0smotron.io"), "k0smotron"),
    Charge("capi-kamaji-controller-manager", _INFRA, "Kamaji"),
    Charge("cacppt-controller-manager", _INFRA, "Talos", ("TalosControlPlane",)),
    Charge("cabpt-controller-manager", _INFRA, "Talos", ("TalosConfig",)),
    Charge("caaph-controller-manager", ("addons.cluster.x-k8s.io",), "Helm add-ons"),
    Charge("capi-operator-controller-manager", ("operator.cluster.x-k8s.io",)),
    Charge("source-controller*", ("source.toolkit.fluxcd.io",)),
    Charge("source-watcher", ("source.extensions.fluxcd.io",)),
    Charge("kustomize-controller*", ("kustomize.toolkit.fluxcd.io",)),
    Charge("helm-controller*", ("helm.toolkit.fluxcd.io",)),
    Charge("notification-controller", ("notification.toolkit.fluxcd.io",), "", ("Receiver",)),
    Charge(
        "image-reflector-controller",
        ("image.toolkit.fluxcd.io",),
        "",
        ("ImageRepository", "ImagePolicy"),
    ),
    Charge(
        "image-automation-controller", ("image.toolkit.fluxcd.io",), "", ("ImageUpdateAutomation",)
    ),
    Charge("flux-operator", ("fluxcd.controlplane.io",)),
    Charge("tofu-controller", ("infra.contrib.fluxcd.io",)),
    Charge("argocd-application-controller", ("argoproj.io",), "", ("Application",)),
    Charge("argocd-applicationset-controller", ("argoproj.io",), "", ("ApplicationSet",)),
    Charge("crossplane", ("*.crossplane.io", "*.upbound.io")),
    Charge("cnrm-controller-manager", ("*.cnrm.cloud.google.com",)),
    Charge("ack-*-controller", ("*.services.k8s.aws",)),
    Charge("cert-manager", ("cert-manager.io",)),
)


def charges_of(deployment: str) -> tuple[Charge, ...]:
    """What a Deployment of this name is in charge of, by the table."""
    return tuple(c for c in CHARGES if fnmatchcase(deployment, c.deployment))
