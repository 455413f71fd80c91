"""What a request is about: verb, resource, namespace, name and subresource of a URL.

Source: k8s.io/apiserver endpoints/request/requestinfo.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleettui.demo.apiserver.authz import Attributes

_ITEM_VERBS = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_COLLECTION_VERBS = {
    "GET": "list",
    "HEAD": "list",
    "POST": "create",
    "DELETE": "deletecollection",
}
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a request; `plural` is empty for paths that are no resource."""

    verb: str
    path: str
    group: str = ""
    version: str = ""
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def attributes(self) -> Attributes:
        """What the authorizer decides on."""
        if not self.plural:
            return Attributes(self.verb, path=self.path)
        resource = f"{self.plural}/{self.subresource}" if self.subresource else self.plural
        return Attributes(
            self.verb,
            group=self.group,
            resource=resource,
            namespace=self.namespace,
            name=self.name,
        )

    @property
    def type_name(self) -> str:
        """`plural.group`, as definitions are named; empty for paths that are no resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def spelled(self) -> str:
        """`plural.group/subresource` for logs."""
        if not self.plural:
            return ""
        sub = f"/{self.subresource}" if self.subresource else ""
        return f"{self.plural}.{self.group}{sub}" if self.group else f"{self.plural}{sub}"


def target_of(method: str, path: str, query: Mapping[str, str]) -> Target:
    """The target of a request; anything unknown is a path with the method as verb."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return Target({"GET": "get"}.get(method, method.lower()), path)
    namespace = ""
    is_in_namespace = (
        rest[0] == "namespaces"
        and len(rest) > 2
        and not (not group and len(rest) == 3 and rest[2] in _NAMESPACE_SUBRESOURCES)
    )
    if is_in_namespace:
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest[:3], "", "")[:3]
    if plural == "namespaces" and not group and name:
        namespace = name
    verbs = _ITEM_VERBS if name else _COLLECTION_VERBS
    verb = verbs.get(method, method.lower())
    if method == "POST" and name:
        verb = "create"
    if method == "GET" and verb in ("list", "get") and query.get("watch") in ("true", "1"):
        verb = "watch"
    return Target(verb, path, group, version, plural, namespace, name, subresource)
