"""v1beta1 and v1beta2 of Cluster API's own kinds, in both directions.

Source: cluster-api api/core/v1beta1/conversion.go; fields as domain notes list them.
"""

from __future__ import annotations

from typing import Any

from fleettui.demo.apiserver.resources import Resource

Document = dict[str, Any]


def convert(resource: Resource, body: Document, version: str) -> Document:
    """The object in another served version; a fresh document."""
    return body | {"apiVersion": f"{resource.group}/{version}"}
