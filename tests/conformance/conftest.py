"""A server to hold against the facts: the demo's own, or a real one.

`FLEETTUI_TEST_KUBECONFIG` names a kubeconfig (token or client certificate) of a real API server
on which a throw-away definition and namespace may be created.
"""

import base64
import json
import os
import ssl
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from fleettui.demo.apiserver.authz import demo_access
from fleettui.demo.apiserver.builtins import NAMESPACES
from fleettui.demo.apiserver.memory import MemorySeeds
from fleettui.demo.apiserver.server import ApiServer
from fleettui.demo.apiserver.store import Store

GROUP = "conformance.fleettui.dev"
NAMESPACE = "fleettui-conformance"
KUBECONFIG = os.environ.get("FLEETTUI_TEST_KUBECONFIG", "")


def definition(plural: str = "widgets", kind: str = "Widget") -> dict[str, Any]:
    """A definition with status and scale, and an open schema."""
    opened = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": opened, "status": opened},
                        }
                    },
                    "subresources": {
                        "status": {},
                        "scale": {
                            "specReplicasPath": ".spec.replicas",
                            "statusReplicasPath": ".status.replicas",
                        },
                    },
                }
            ],
        },
    }


def widget(name: str, **spec: Any) -> dict[str, Any]:
    """One object of the definition."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Widget",
        "metadata": {"name": name, "labels": {"parity": str(len(name) % 2)}},
        "spec": {"replicas": 1, **spec},
    }


class Api:
    """A server as its clients see it."""

    def __init__(self, session: aiohttp.ClientSession, url: str, *, is_demo: bool) -> None:
        self.session = session
        self.url = url
        self.is_demo = is_demo
        self.widgets = f"/apis/{GROUP}/v1/namespaces/{NAMESPACE}/widgets"

    async def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """Status and JSON (or text) of one request."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        async with self.session.request(method, self.url + path, data=data, headers=sent) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(text) if is_json and text else text

    async def get(self, path: str, **headers: str) -> Any:
        """The JSON of a GET that must succeed."""
        status, document = await self.call("GET", path, **headers)
        assert status == 200, document
        return document

    async def patch(self, path: str, body: Any, *, media: str = "merge-patch+json") -> Any:
        """Status and JSON of a PATCH."""
        return await self.call("PATCH", path, body, Content_Type=f"application/{media}")

    async def watch(self, path: str, **headers: str) -> tuple[int, list[dict[str, Any]]]:
        """Status and events of a watch until it ends."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.get(self.url + path, headers=sent) as answer:
            lines = (await answer.text()).splitlines()
            return answer.status, [json.loads(line) for line in lines]


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """A server with the definition installed and 30 widgets, w-00 to w-29."""
    opened = _real() if KUBECONFIG else _demo()
    async with opened as found:
        await found.call(
            "POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}, "kind": "Namespace"}
        )
        await found.call(
            "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition()
        )
        await _until_served(found)
        for number in range(30):
            status, answer = await found.call("POST", found.widgets, widget(f"w-{number:02d}"))
            assert status == 201, answer
        yield found
        for plural in ("widgets", "gadgets"):
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
            await found.call("DELETE", f"{path}{plural}.{GROUP}")


async def _until_served(api: Api) -> None:
    for _ in range(200):
        status, _ = await api.call("GET", api.widgets)
        if status == 200:
            return
        await api.call("GET", "/readyz")
    raise AssertionError("the definition is not served")


class _demo:
    async def __aenter__(self) -> Api:
        namespaces = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            for name in ("default", "kube-system")
        ]
        access = demo_access(admin="admin", oncall="oncall", tenant="tenant")
        self.server = ApiServer(
            Store(MemorySeeds([NAMESPACES], namespaces)), access, too_large_wait_s=0.05
        )
        await self.server.start()
        self.session = aiohttp.ClientSession(headers={"Authorization": "Bearer admin"})
        return Api(self.session, self.server.url, is_demo=True)

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        await self.server.stop()


class _real:
    async def __aenter__(self) -> Api:
        document = yaml.safe_load(Path(KUBECONFIG).read_text())
        named = {
            kind: {entry["name"]: entry[kind[:-1]] for entry in document[kind]}
            for kind in ("clusters", "users", "contexts")
        }
        context = named["contexts"][document["current-context"]]
        cluster, user = named["clusters"][context["cluster"]], named["users"][context["user"]]
        tls = ssl.create_default_context()
        if "certificate-authority-data" in cluster:
            data = base64.b64decode(cluster["certificate-authority-data"]).decode()
            tls = ssl.create_default_context(cadata=data)
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as file:
                for key in ("client-certificate-data", "client-key-data"):
                    file.write(base64.b64decode(user[key]))
                file.flush()
                tls.load_cert_chain(file.name)
        headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        self.session = aiohttp.ClientSession(
            headers=headers, connector=aiohttp.TCPConnector(ssl=tls)
        )
        return Api(self.session, cluster["server"].rstrip("/"), is_demo=False)

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
