"""Names that clouds give their Kubernetes clusters, in one form each.

Knows ARNs of EKS clusters, resource ids of AKS clusters and paths of GKE clusters, and
which facts of a row make one up; refuses to know kinds. Source: domain.md section 16
(keys of a ConfigMap that stands in for a kubeconfig).
"""

import re
from typing import Final

from fleettui.index.rows import Row

_ARN: Final = re.compile(r"arn:aws[\w-]*:eks:([\w-]+):\d*:cluster/(.+)")
_AKS: Final = (
    "/subscriptions/{}/resourcegroups/{}/providers/microsoft.containerservice/managedclusters/{}"
)


def cloud_form(text: str) -> str:
    """Return the one form of a cloud's name for a cluster, empty if it is none.

    Accounts of ARNs do not count: objects do not tell theirs. Case of Azure's ids neither.
    """
    arn = _ARN.fullmatch(text)
    if arn is not None:
        return f"eks:{arn[1]}/{arn[2]}"
    lower = text.lower().rstrip("/")
    if lower.startswith("/subscriptions/"):
        return lower
    return text if text.startswith("projects/") else ""


def cloud_forms_of(row: Row) -> list[str]:
    """Return the names that the cloud has for what a row describes, as its facts tell."""
    found = []
    name, region = row.fact("eks_name"), row.fact("region")
    if name and region:
        found.append(f"eks:{region}/{name}")
    if azure_id := cloud_form(row.fact("azure_id")):
        found.append(azure_id)
    subscription, group = row.fact("subscription"), row.fact("resource_group")
    if subscription and group:
        found.append(_AKS.format(subscription, group, row.name).lower())
    project, location = row.fact("project"), row.fact("location")
    if project and location:
        cluster = row.fact("gke_name") or row.name
        found.append(f"projects/{project}/locations/{location}/clusters/{cluster}")
    return found
