"""What all documents add up to: rows, edges, roll-ups, views."""

from fleettui.index.changes import Transition
from fleettui.index.index import Edge, Index
from fleettui.index.rollup import Rollup
from fleettui.index.rows import Row
from fleettui.index.view import Line, TreeView

__all__ = ["Edge", "Index", "Line", "Rollup", "Row", "Transition", "TreeView"]
