"""Objects of a demo fleet brought to another API server, as tests need them there.

Everything goes over the API itself: definitions that are missing, namespaces of this
run's own, objects with their owners' new uids, and their status as a controller would
have written it. What was made is taken away again.
"""

import base64
import json
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

DROPPED = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")
MERGE = "application/merge-patch+json"
SETTLE_S = 60.0


class Refused(Exception):
    """The server's own words."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Api:
    """The current context of a kubeconfig, with nothing of the program in between."""

    def __init__(self, kubeconfig: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        wanted = document.get("current-context") or document["contexts"][0]["name"]
        context = _named(document["contexts"], wanted)["context"]
        cluster = _named(document["clusters"], context["cluster"])["cluster"]
        user = _named(document["users"], context["user"])["user"]
        self.name = wanted
        self.server = cluster["server"].rstrip("/")
        self._token = user.get("token", "")
        self._tls = _tls(cluster, user)

    def call(self, path: str, *, method: str = "GET", body: Any = None, kind: str = "") -> Any:
        """The JSON answer.

        Raises:
            Refused: any other status than success.
        """
        headers = {"Content-Type": kind or "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(
            self.server + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers=headers,
        )
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._tls) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            with suppress(ValueError, KeyError):
                text = json.loads(text)["message"]
            raise Refused(error.code, text) from None


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["name"] == name)


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    data = cluster.get("certificate-authority-data")
    text = base64.b64decode(data).decode() if data else None
    context = ssl.create_default_context(
        cadata=text, cafile=cluster.get("certificate-authority") if text is None else None
    )
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if user.get("client-certificate-data"):
        with tempfile.NamedTemporaryFile("wb", suffix=".pem") as both:
            both.write(base64.b64decode(user["client-certificate-data"]) + b"\n")
            both.write(base64.b64decode(user["client-key-data"]))
            both.flush()
            context.load_cert_chain(both.name)
    elif user.get("client-certificate"):
        context.load_cert_chain(user["client-certificate"], user.get("client-key"))
    return context


def _owner_uids(document: Mapping[str, Any]) -> set[str]:
    return {owner["uid"] for owner in document["metadata"].get("ownerReferences", ())}


def definitions(folder: Path, groups: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Definitions of these groups, the newest of each in the shared folder."""
    wanted, found = frozenset(groups), {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(folder.rglob("*.yaml"), reverse=True):  # newest Cluster API last
        text = path.read_text()
        if not any(f"  group: {group}\n" in text for group in wanted):
            continue
        for document in yaml.load_all(text, Loader=loader):
            is_definition = bool(document) and document["kind"] == "CustomResourceDefinition"
            if is_definition and document["spec"]["group"] in wanted:
                document["spec"].pop("conversion", None)  # no webhook answers here
                found[document["metadata"]["name"]] = document
    yield from found.values()


def install(api: Api, folder: Path, groups: Iterable[str]) -> None:
    """Adds definitions that the server does not have, and waits until they are served."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    known = {item["metadata"]["name"] for item in api.call(path)["items"]}
    added = [one for one in definitions(folder, groups) if one["metadata"]["name"] not in known]
    for one in added:
        api.call(path, method="POST", body=one)
    until = time.monotonic() + SETTLE_S
    for one in added:
        while not _is_established(api.call(f"{path}/{one['metadata']['name']}")):
            assert time.monotonic() < until, f"{one['metadata']['name']} is never served"
            time.sleep(0.2)


def _is_established(document: Mapping[str, Any]) -> bool:
    conditions = document.get("status", {}).get("conditions", ())
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


class Guest:
    """What a test run brought to a server, in namespaces of its own."""

    def __init__(self, api: Api, prefix: str) -> None:
        self.api = api
        self.prefix = prefix
        self.made: list[str] = []
        self.refused: dict[str, str] = {}
        """Object to the server's words, for objects that it would not take."""
        self.silent: dict[str, str] = {}
        """The same for objects whose status it would not take."""
        self._namespaces: dict[str, str] = {}
        self._uids: dict[str, str] = {}

    def settle(self, namespaces: Iterable[str]) -> None:
        """Makes this run's own namespaces for those of elsewhere."""
        for name in namespaces:
            own = self._namespaces[name] = f"{self.prefix}-{name}"[:63].rstrip("-")
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": own}}
            self.api.call("/api/v1/namespaces", method="POST", body=body)

    def bring_all(self, found: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Objects with their resource, owners before what they own."""
        waiting = list(found)
        while waiting:
            uids = {document["metadata"]["uid"] for _, document in waiting}
            ready = [item for item in waiting if not uids & _owner_uids(item[1])]
            for plural, document in ready or waiting:
                self.bring(plural, document)
            waiting = [item for item in waiting if item not in ready] if ready else []

    def bring(self, plural: str, document: Mapping[str, Any]) -> None:
        """One object as it stands elsewhere, its status included."""
        namespace = document["metadata"].get("namespace", "")
        where = f"/namespaces/{self._namespaces[namespace]}" if namespace else ""
        body = self._translated(document)
        metadata = body["metadata"]
        for name in DROPPED:
            metadata.pop(name, None)
        metadata.pop("finalizers", None)  # nobody here would take them away
        owners = [self._owner(owner) for owner in metadata.get("ownerReferences", ())]
        metadata["ownerReferences"] = [owner for owner in owners if owner is not None]
        status = body.pop("status", None)
        collection = f"/apis/{document['apiVersion']}{where}/{plural}"
        name = f"{document['kind']}/{namespace}/{metadata['name']}"
        try:
            made = self.api.call(collection, method="POST", body=body)
            one = f"{collection}/{metadata['name']}"
            self.made.append(one)
            self._uids[document["metadata"]["uid"]] = made["metadata"]["uid"]
        except Refused as error:
            self.refused[name] = str(error)
            return
        try:
            if status:
                self._tell_status(one, status)
        except Refused as error:
            self.silent[name] = str(error)

    def _tell_status(self, path: str, status: Any) -> None:
        for place in (f"{path}/status", path):
            try:
                self.api.call(
                    place,
                    method="PATCH",
                    body={"status": status},
                    kind=MERGE,
                )
                return
            except Refused as error:
                if error.code != 404:  # kinds without the subresource keep it in the body
                    raise

    def _translated(self, value: Any, key: str = "") -> Any:
        """A copy in which namespaces that were brought are this run's own."""
        if isinstance(value, Mapping):
            return {name: self._translated(below, name) for name, below in value.items()}
        if isinstance(value, list):
            return [self._translated(below, key) for below in value]
        is_place = isinstance(value, str) and key.lower().endswith("namespace")
        return self._namespaces.get(value, value) if is_place else value

    def _owner(self, owner: Mapping[str, Any]) -> dict[str, Any] | None:
        uid = self._uids.get(owner["uid"])
        return {**owner, "uid": uid} if uid else None

    def leave(self) -> None:
        """Takes away what was made; a server without controllers keeps nothing behind."""
        for path in reversed(self.made):
            self._delete(path)
        for name in self._namespaces.values():
            place = f"/api/v1/namespaces/{name}"
            self._delete(place)
            try:
                document = self.api.call(place)
                document["spec"]["finalizers"] = []
                self.api.call(f"{place}/finalize", method="PUT", body=document)
            except Refused:
                continue  # a namespace controller was quicker

    def _delete(self, path: str) -> None:
        try:
            self.api.call(path, method="DELETE", body={"propagationPolicy": "Background"})
        except Refused as error:
            if error.code != 404:
                raise
