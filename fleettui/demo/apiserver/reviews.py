"""Access reviews: what the caller may do and who the caller is.

Source: authorization.k8s.io/v1, authentication.k8s.io/v1; nothing is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleettui.demo.apiserver.authz import Attributes, Authorizer, User


def reviewed(
    authorizer: Authorizer, user: User, plural: str, document: Mapping[str, Any]
) -> dict[str, Any]:
    """The review `document` with its status filled in; `plural` names its type."""
    spec = document.get("spec") or {}
    answer = {**document, "metadata": {"creationTimestamp": None}}
    if plural == "selfsubjectreviews":
        answer["status"] = {"userInfo": user.info()}
    elif plural == "selfsubjectrulesreviews":
        answer["spec"] = {}
        answer["status"] = authorizer.rules_review(user, str(spec.get("namespace") or ""))
    else:
        is_allowed = authorizer.is_allowed(user, _attributes(spec))
        answer["status"] = {"allowed": is_allowed}
        if is_allowed:
            answer["status"]["reason"] = "RBAC: allowed by a rule of the demo"
    return answer


def _attributes(spec: Mapping[str, Any]) -> Attributes:
    path = spec.get("nonResourceAttributes")
    if path:
        return Attributes(str(path.get("verb", "")), path=str(path.get("path", "")))
    wanted = spec.get("resourceAttributes") or {}
    resource = str(wanted.get("resource", ""))
    if wanted.get("subresource"):
        resource += f"/{wanted['subresource']}"
    return Attributes(
        str(wanted.get("verb", "")),
        group=str(wanted.get("group", "")),
        resource=resource,
        namespace=str(wanted.get("namespace", "")),
        name=str(wanted.get("name", "")),
    )
