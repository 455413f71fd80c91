"""Demo fleets for figures: started, asked for what they served, ended."""

import base64
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import yaml


class Servers:
    """A running demo fleet."""

    def __init__(
        self,
        clusters: int,
        *,
        churn: float = 0,
        link: str = "",
        contexts: int = 1,
        incidents: str = "",
    ) -> None:
        """Starts it and waits until it serves."""
        arguments = ["--clusters", str(clusters), "--churn", str(churn)]
        arguments += ["--contexts", str(contexts), *(["--link", link] if link else [])]
        arguments += ["--incidents", incidents] if incidents else []
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fleettui", "demo", "--serve", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.kubeconfig = Path(self.process.stdout.readline().strip())
        self.ready_s = time.perf_counter() - begun
        document = yaml.safe_load(self.kubeconfig.read_text())
        tokens = {u["name"]: u["user"]["token"] for u in document["users"]}
        servers = {c["name"]: c["cluster"] for c in document["clusters"]}
        context = document["contexts"][0]
        self.context = context["name"]
        self._token = tokens[context["context"]["user"]]
        cluster = servers[context["context"]["cluster"]]
        self._server = cluster["server"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._trust = ssl.create_default_context(cadata=authority)

    def get(self, path: str, *, method: str = "GET") -> bytes:
        """The body of an answer."""
        request = urllib.request.Request(
            self._server + path, method=method, headers={"Authorization": f"Bearer {self._token}"}
        )
        with urllib.request.urlopen(request, timeout=120, context=self._trust) as answer:
            return bytes(answer.read())

    def stats(self) -> dict[str, Any]:
        """Requests, bytes on the wire and objects scanned so far."""
        found: dict[str, Any] = json.loads(self.get("/demo/stats"))
        return found

    def requests(self) -> list[dict[str, Any]]:
        """The last requests, oldest first."""
        found: list[dict[str, Any]] = json.loads(self.get("/demo/requests"))
        return found

    def clear(self) -> None:
        """Forgets what was asked."""
        self.get("/demo/requests", method="DELETE")

    def close(self) -> None:
        """Ends it."""
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
