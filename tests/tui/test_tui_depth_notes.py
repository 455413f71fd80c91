"""What the line above the tree says of what was not read."""

from fleettui.fleet.depth import Cost, LoadPlan
from fleettui.tui.status import depth_notes

HELM = "helm.toolkit.fluxcd.io"
MACHINE = ("cluster.x-k8s.io", "Machine")


def test_depth_notes_name_kinds_that_were_too_many_and_how_to_read_them() -> None:
    """A fleet without its releases would look as if it had none."""
    kinds = tuple((HELM, f"Kind{number}") for number in range(5))
    plans = [
        LoadPlan("one", "auto", True, left_out=kinds[:4]),
        LoadPlan("two", "auto", True, left_out=kinds[3:]),
    ]
    ((words, _),) = depth_notes(plans)
    assert words == "too many to read unasked: Kind0, Kind1, Kind2 and 2 more (:load reads all)"


def test_depth_notes_tell_what_machines_would_cost() -> None:
    """Whoever loads everything over a VPN wants to know before."""
    plan = LoadPlan(
        "one",
        "auto",
        True,
        known_through_parent=(MACHINE,),
        clusters=3,
        missing=Cost(7000, 40_000_000, 5_000_000, 12.0),
    )
    ((words, _),) = depth_notes([plan])
    assert words == "machines read of 3 clusters, :load reads all (7.0k objects, 5MB, 12s)"
    assert not list(depth_notes([LoadPlan("one", "full", True)]))
