"""What the server serves, told in both discovery dialects.

Source: metav1 APIGroupList/APIResourceList; apidiscovery.k8s.io/v2 (KEP-3352). The core group's
item of aggregated discovery has no metadata.name on a real server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from fleettui.demo.apiserver.resources import Resource, api_version_of

AGGREGATED = "APIGroupDiscoveryList"
_REVIEWS = (
    ("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
    ("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    ("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
)


def review_resources() -> list[Resource]:
    """The review types: created, answered, never stored."""
    return [
        Resource(
            group=group,
            version="v1",
            kind=kind,
            plural=plural,
            singular=kind.lower(),
            served=("v1",),
            namespaced=False,
            has_status=False,
            is_crd=False,
            verbs=("create",),
        )
        for group, plural, kind in _REVIEWS
    ]


def _with_reviews(resources: Iterable[Resource]) -> list[Resource]:
    return [*resources, *review_resources()]


def groups_of(resources: Iterable[Resource]) -> dict[str, list[str]]:
    """Groups and their served versions, preferred first; the core group left out."""
    groups: dict[str, list[str]] = {}
    for resource in _with_reviews(resources):
        if resource.group:
            versions = groups.setdefault(resource.group, [])
            ordered = (resource.version, *resource.served)
            versions += [
                v
                for i, v in enumerate(ordered)
                if v not in versions and v in resource.served and v not in ordered[:i]
            ]
    return groups


def core_versions(server: str) -> dict[str, Any]:
    """The answer to GET /api."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": server}],
    }


def group_list(resources: Iterable[Resource]) -> dict[str, Any]:
    """The answer to GET /apis."""
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(name, versions) for name, versions in groups_of(resources).items()],
    }


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    spelled = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    return {"name": name, "versions": spelled, "preferredVersion": spelled[0]}


def group_document(resources: Iterable[Resource], name: str) -> dict[str, Any] | None:
    """The answer to GET /apis/GROUP, None if there is no such group."""
    versions = groups_of(resources).get(name)
    if versions is None:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}


def resource_list(resources: Iterable[Resource], group: str, version: str) -> dict[str, Any] | None:
    """The answer to GET /api/v1 and /apis/GROUP/VERSION, None if it is not served."""
    found = [r for r in _with_reviews(resources) if r.group == group and version in r.served]
    if not found:
        return None
    entries: list[dict[str, Any]] = []
    for resource in found:
        entry: dict[str, Any] = {
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": list(resource.verbs),
        }
        if resource.short_names:
            entry["shortNames"] = list(resource.short_names)
        if resource.categories:
            entry["categories"] = list(resource.categories)
        entries.append(entry)
        entries += [_legacy_subresource(resource, sub) for sub in _subresources(resource)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": api_version_of(group, version),
        "resources": entries,
    }


def _subresources(resource: Resource) -> list[tuple[str, str, str, str, list[str]]]:
    """(name, response group, version, kind, verbs) of each subresource."""
    found = []
    if resource.has_status:
        found.append(
            ("status", resource.group, resource.version, resource.kind, ["get", "patch", "update"])
        )
    if resource.scale is not None:
        found.append(("scale", "autoscaling", "v1", "Scale", ["get", "patch", "update"]))
    if resource.key == ("", "pods"):
        found.append(("log", "", "v1", "Pod", ["get"]))
    return found


def _legacy_subresource(
    resource: Resource, sub: tuple[str, str, str, str, list[str]]
) -> dict[str, Any]:
    name, group, version, kind, verbs = sub
    entry: dict[str, Any] = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": kind,
        "verbs": verbs,
    }
    if name == "scale":
        entry |= {"group": group, "version": version}
    return entry


def aggregated(resources: Iterable[Resource], *, is_core: bool, version: str) -> dict[str, Any]:
    """The aggregated answer to GET /api (`is_core`) or /apis; `version` is v2 or v2beta1."""
    everything = _with_reviews(resources)
    groups = {"": ["v1"]} if is_core else groups_of(everything)
    items: list[dict[str, Any]] = []
    for name, versions in groups.items():
        metadata: dict[str, Any] = {"creationTimestamp": None}
        if name:
            metadata["name"] = name
        items.append(
            {
                "metadata": metadata,
                "versions": [
                    {
                        "version": served,
                        "resources": [
                            _aggregated_resource(resource, served)
                            for resource in everything
                            if resource.group == name and served in resource.served
                        ],
                        "freshness": "Current",
                    }
                    for served in versions
                ],
            }
        )
    return {
        "kind": AGGREGATED,
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _aggregated_resource(resource: Resource, version: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    subresources = [
        {
            "subresource": name,
            "responseKind": {"group": group, "version": answer, "kind": kind},
            "verbs": verbs,
        }
        for name, group, answer, kind, verbs in _subresources(resource)
    ]
    if subresources:
        entry["subresources"] = subresources
    return entry


def etag_of(document: dict[str, Any]) -> tuple[bytes, str]:
    """The encoded document and its ETag."""
    body = msgspec.json.encode(document)
    return body, f'"{hashlib.sha256(body).hexdigest().upper()}"'


def wanted_dialect(accept: str) -> str | None:
    """v2 or v2beta1 if the Accept header prefers aggregated discovery, else None."""
    for choice in accept.split(","):
        media, *parameters = (part.strip() for part in choice.split(";"))
        wanted = dict(part.partition("=")[::2] for part in parameters)
        if media != "application/json":
            continue
        if not wanted.get("as"):
            return None
        if wanted.get("as") == AGGREGATED and wanted.get("v") in ("v2", "v2beta1"):
            return wanted["v"]
    return None
