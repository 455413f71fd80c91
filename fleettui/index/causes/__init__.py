"""Why things are not well: signals, explanations, causes."""

from fleettui.index.causes.board import Cause, CauseBoard
from fleettui.index.causes.explain import Finding, explain
from fleettui.index.causes.signal import CauseState, Signal

__all__ = ["Cause", "CauseBoard", "CauseState", "Finding", "Signal", "explain"]
