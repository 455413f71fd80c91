"""Objects that providers keep beside their machines, templates and clusters.

Cloud configurations, credentials, a host's data: told by the providers' data files under
`beside_cluster`, `beside_template` and `beside_machine`; their roles begin with `beside/`.
"""

from __future__ import annotations

from fleettui.demo.world.drafts import Drafts
from fleettui.demo.world.objects import add_objects
from fleettui.demo.world.providers import provider


def add_satellites(drafts: Drafts, provider_name: str) -> None:
    """Add what belongs to a cluster's objects of a provider, once those exist."""
    data = provider(provider_name)
    add_objects(drafts, data.get("beside_cluster", []))
    for draft in drafts.matching("template/*"):
        marks = {"group": draft.role.removeprefix("template/"), "template": draft.name}
        add_objects(drafts, data.get("beside_template", []), marks)
    for number, draft in enumerate(drafts.matching("infra/*")):
        annotations = draft.document["metadata"].get("annotations", {})
        marks = {
            "where": draft.role.removeprefix("infra/"),
            "machine": draft.name,
            "host": annotations.get("metal3.io/BareMetalHost", "").rpartition("/")[2],
            "number": str(number),
        }
        add_objects(drafts, data.get("beside_machine", []), marks)
