"""What goes on in a cluster without anything being wrong: an upgrade, a birth, a repair.

Told in files of courses/ by the steps that incidents are written in; what follows on parents is
settled by the rules that make objects at rest.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from fleettui.demo.world.clusters import parts_of
from fleettui.demo.world.drafts import Drafts
from fleettui.demo.world.incident_steps import apply_step
from fleettui.demo.world.settle import settle_cluster


@cache
def _course(name: str) -> dict[str, Any]:
    text = files(__package__).joinpath(f"courses/{name}.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data: dict[str, Any] = yaml.load(text, Loader=loader)  # noqa: S506  the faster safe loader
    return data


def take_course(drafts: Drafts, name: str) -> None:
    """Change a cluster's drafts as far as its course has come."""
    course = _course(name)
    for step in course["steps"]:
        apply_step(drafts, step)
    parts = parts_of(drafts)
    if parts is not None:
        settle_cluster(parts, at="${since}")
    for step in course.get("after", ()):
        apply_step(drafts, step)
