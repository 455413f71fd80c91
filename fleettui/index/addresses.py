"""Names and addresses that GitOps objects know clusters by, in one form each.

Knows URLs of API servers, endpoints and destinations; refuses to know which object is
meant (``joins``). Source: domain.md section 16, the caveat about EKS endpoints.
"""

from typing import Final
from urllib.parse import urlsplit

from fleettui.index.rows import Row

ENDPOINT_FACTS: Final = ("endpoint", "control_plane_endpoint")


def destinations_of(applier: Row) -> list[str]:
    """Return the names or addresses of the clusters that an applier deploys into."""
    named = [name for shape, name in applier.pointers() if shape.relation == "destination"]
    return [address_form(name) or name for name in named]


def forms_of(cluster: Row) -> list[str]:
    """Return the names and addresses that others may know the cluster by.

    Addresses are in the form of ``address_form``.
    """
    name, namespace = cluster.name, cluster.namespace
    forms = [name, f"{namespace}/{name}", f"{namespace}-{name}"]
    for fact in ENDPOINT_FACTS:
        form = address_form(cluster.fact(fact), is_address=True)
        if form:
            forms.append(form)
    return forms


def address_form(text: str, *, is_address: bool = False) -> str:
    """Return ``//host:port`` of a server's URL or address, empty if it is neither.

    Case and trailing slashes do not matter. EKS endpoints hold a whole URL where
    others hold a bare host; 443 stands in for a missing port.

    Args:
        is_address: take a bare ``host`` or ``host:port`` for an address, too.
    """
    if not text or ("://" not in text and not is_address):
        return ""
    # An EKS endpoint is written as URL and port: https://host:443.
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    return f"//{host}:{port or 443}" if host else ""
