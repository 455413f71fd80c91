"""An API server without Cluster API and GitOps: namespaces, pods, deployments, nothing more."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

GROUPS = {
    "": ("v1", [("Namespace", "namespaces", False), ("Pod", "pods", True)]),
    "apps": ("v1", [("Deployment", "deployments", True)]),
    "apiextensions.k8s.io": (
        "v1",
        [("CustomResourceDefinition", "customresourcedefinitions", False)],
    ),
}


def _resources(group: str) -> dict[str, Any]:
    version, kinds = GROUPS[group]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}".lstrip("/"),
        "resources": [
            {
                "name": plural,
                "singularName": kind.lower(),
                "namespaced": namespaced,
                "kind": kind,
                "verbs": ["get", "list", "watch"],
            }
            for kind, plural, namespaced in kinds
        ],
    }


def _answer(path: str) -> tuple[int, dict[str, Any]]:
    groups = [
        {
            "name": group,
            "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
            "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version},
        }
        for group, (version, _) in GROUPS.items()
        if group
    ]
    known: dict[str, dict[str, Any]] = {
        "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        "/api/v1": _resources(""),
    }
    for group, (version, _) in GROUPS.items():
        if group:
            known[f"/apis/{group}/{version}"] = _resources(group)
    if path in known:
        return 200, known[path]
    for group, (version, kinds) in GROUPS.items():
        for kind, plural, _ in kinds:
            if path.endswith(f"/{version}/{plural}"):
                api_version = f"{group}/{version}".lstrip("/")
                empty = {"metadata": {"resourceVersion": "7"}, "items": []}
                return 200, {"kind": f"{kind}List", "apiVersion": api_version, **empty}
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}
    return 404, {**status, "reason": "NotFound", "message": "not found"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answers; a watch stays silent and ends by itself."""
        url = urlsplit(self.path)
        if parse_qs(url.query).get("watch"):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")
            self.end_headers()
            self.server.is_over.wait(30)  # type: ignore[attr-defined]  # set below
            return
        code, document = _answer(url.path)
        self._send(code, document)

    def do_POST(self) -> None:
        """Access reviews are not known here."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._send(404, _answer("/nowhere")[1])

    def _send(self, code: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def plain_server() -> Iterator[str]:
    """The URL of such a server on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.is_over = threading.Event()  # type: ignore[attr-defined]  # what watches wait for
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.is_over.set()  # type: ignore[attr-defined]  # see above
    server.shutdown()
    server.server_close()


def write_kubeconfig(file: Path, url: str, *, name: str = "plain") -> Path:
    """A kubeconfig of one context."""
    file.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": name,
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
                "clusters": [{"name": name, "cluster": {"server": url}}],
                "users": [{"name": name, "user": {"token": "any"}}],
            }
        )
    )
    return file
