"""Seeded fleets: what pretend management clusters contain, and what is wrong in them.

Knows Cluster API, Flux, Argo CD and their neighbours; knows nothing of HTTP. Deterministic:
the same arguments give the same bytes.
"""

from fleettui.demo.world.world import World, build_world

__all__ = ["World", "build_world"]
