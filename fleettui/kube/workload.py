"""Reads the kubeconfig that a management cluster holds for a workload cluster.

Such a file comes from a cluster, not from the person, so it may name neither
programs nor files of this machine: only data that stands in it is accepted.

Source: Cluster API contract (Secret ``<cluster>-kubeconfig``, key ``value``).
"""

import base64
import binascii
from dataclasses import replace
from pathlib import Path

import msgspec

from fleettui.errors import UnreadableError
from fleettui.kube.framing import DECODE_ERRORS
from fleettui.kube.kubeconfig import ContextEntry, Kubeconfig, parse_kubeconfig
from fleettui.kube.kubeconfig_document import Problem
from fleettui.kube.resource import Resource

SECRET = Resource("", "v1", "secrets", "Secret")
SECRET_KEY = "value"  # noqa: S105 - the name of a field, not a secret


class _Secret(msgspec.Struct):
    data: dict[str, str] | None = None


def secret_name(cluster: str) -> str:
    """Name of the Secret that holds a workload cluster's kubeconfig."""
    return f"{cluster}-kubeconfig"


def workload_kubeconfig(secret: bytes) -> Kubeconfig:
    """The kubeconfig in a Secret; contexts that reach outside of it are broken.

    Args:
        secret: the Secret as JSON.

    Raises:
        UnreadableError: the Secret holds no kubeconfig.
        UsageError: what it holds is no YAML mapping.
    """
    try:
        value = (msgspec.json.decode(secret, type=_Secret).data or {}).get(SECRET_KEY, "")
        content = base64.b64decode(value, validate=True)
    except (*DECODE_ERRORS, binascii.Error, ValueError):
        # The decoder's words may quote the Secret, so they are dropped.
        raise UnreadableError("the Secret holds no kubeconfig") from None
    if not content:
        raise UnreadableError("the Secret holds no kubeconfig")
    config = parse_kubeconfig(content, Path("Secret"))
    contexts = {name: _confined(entry) for name, entry in config.contexts.items()}
    return replace(config, contexts=contexts)


def _confined(entry: ContextEntry) -> ContextEntry:
    reason = _reach_of(entry)
    if not reason or entry.problem is not None:
        return entry
    return replace(
        entry,
        problem=Problem(
            f"the workload kubeconfig {reason}, which is only accepted from the person's own files",
            entry.file,
            entry.line,
            "Export the kubeconfig and open it with --kubeconfig if you trust it.",
        ),
    )


def _reach_of(entry: ContextEntry) -> str:
    user, cluster = entry.user, entry.cluster
    if cluster.ca.file is not None:
        return "names a certificate file"
    if user is None:
        return ""
    if user.plugin is not None:
        return "runs a program"
    if user.token_file is not None or user.certificate.file or user.key.file:
        return "names files of this machine"
    return ""
