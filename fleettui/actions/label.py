"""Label: set or remove labels.

Knows only which field it is about; the rules are those of ``metadata``.

Source: Kubernetes object metadata.
"""

from datetime import datetime

from fleettui.actions.drafts import target_needs
from fleettui.actions.facts import FactRequest, Facts
from fleettui.actions.metadata import plan_metadata
from fleettui.actions.options import Options
from fleettui.actions.plan import Plan, Refusal

VERB = "label"


def needs(facts: Facts, *, options: Options) -> FactRequest:
    """The objects and who applies them."""
    return target_needs(facts)


def plan(facts: Facts, *, now: datetime, options: Options) -> Plan | Refusal:
    """One patch per object."""
    return plan_metadata(VERB, "labels", facts, now=now, options=options)
