"""What all documents add up to: rows, edges, roll-ups, views."""

from typing import TYPE_CHECKING

from fleettui.deferred import deferred

if TYPE_CHECKING:
    from fleettui.index.changes import Transition
    from fleettui.index.index import Edge, Index
    from fleettui.index.rollup import Rollup
    from fleettui.index.rows import Row
    from fleettui.index.view import Line, TreeView

__getattr__ = deferred(
    __name__,
    {
        "Edge": "index",
        "Index": "index",
        "Line": "view",
        "Rollup": "rollup",
        "Row": "rows",
        "Transition": "changes",
        "TreeView": "view",
    },
)

__all__ = ["Edge", "Index", "Line", "Rollup", "Row", "Transition", "TreeView"]
