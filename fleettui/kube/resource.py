"""Addresses on an API server: what is served, and the path where it stands.

Knows the URL scheme of the Kubernetes API; knows nothing of HTTP, of which
requests are allowed (``gate``) or of what a cluster serves (``discovery``).

Source: Kubernetes API concepts, "Resource URIs".
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """One served kind: what discovery says of it, and where its objects stand."""

    group: str
    """Empty for the core group."""
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    verbs: frozenset[str] = frozenset()
    """Verbs that the server says it implements; not what this person may do."""
    short_names: tuple[str, ...] = ()
    subresources: frozenset[str] = frozenset()
    """``status``, ``scale``, … as far as discovery lists them."""

    @property
    def api_version(self) -> str:
        """``group/version``, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """Path of the group version: ``/api/v1`` or ``/apis/GROUP/VERSION``."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def label(self) -> str:
        """``machines.cluster.x-k8s.io``: how RBAC rules and messages call it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, *, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Path of the collection, of one object, or of a subresource of it."""
        parts = [self.root]
        if namespace and self.namespaced:
            parts.append(f"namespaces/{namespace}")
        parts.append(self.plural)
        parts.extend(part for part in (name, subresource) if part)
        return "/".join(parts)
