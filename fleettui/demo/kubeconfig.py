"""The kubeconfig files of a demo: one context per management cluster.

Source: client-go clientcmd/api/v1.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to reach one management cluster, and the tokens of the people known there."""

    name: str
    server: str
    ca_pem: bytes
    tokens: tuple[tuple[str, str], ...]
    """(role, bearer token)."""


def kubeconfig_of(endpoints: Sequence[Endpoint], *, role: str) -> dict[str, Any]:
    """A kubeconfig whose contexts act as `role`; all users are listed, the first is current."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": endpoints[0].name,
        "clusters": [
            {
                "name": endpoint.name,
                "cluster": {
                    "server": endpoint.server,
                    "certificate-authority-data": base64.b64encode(endpoint.ca_pem).decode(),
                },
            }
            for endpoint in endpoints
        ],
        "contexts": [
            {
                "name": endpoint.name,
                "context": {"cluster": endpoint.name, "user": f"{endpoint.name}-{role}"},
            }
            for endpoint in endpoints
        ],
        "users": [
            {"name": f"{endpoint.name}-{name}", "user": {"token": token}}
            for endpoint in endpoints
            for name, token in endpoint.tokens
        ],
    }


def write_kubeconfigs(folder: Path, endpoints: Sequence[Endpoint]) -> Path:
    """Write `kubeconfig` (admin), `kubeconfig-oncall` and `kubeconfig-tenant` beside it.

    Files are readable by their owner only. The path of the administrator's file.

    Raises:
        OSError: the folder cannot be written to.
    """
    for role in ("admin", "oncall", "tenant"):
        name = "kubeconfig" if role == "admin" else f"kubeconfig-{role}"
        text = yaml.safe_dump(kubeconfig_of(endpoints, role=role), sort_keys=False)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(folder / name, flags, 0o600), "w") as file:
            file.write(text)
    return folder / "kubeconfig"
