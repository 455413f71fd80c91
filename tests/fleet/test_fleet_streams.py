"""What real controllers do on an ordinary day, event by event: nothing of it is a failure."""

from collections import Counter
from pathlib import Path

import pytest
from streams import played

from fleettui.index.causes import CauseState, explain


@pytest.mark.parametrize("stream", ["create", "rollout", "delete"])
def test_ordinary_day_has_no_failing_cause_at_any_moment(shared_folder: Path, stream: str) -> None:
    """A creation, rollout or deletion that rings an alarm for seconds teaches to ignore alarms."""
    alarms: Counter[tuple[str, str, str, str]] = Counter()
    events = 0
    for replay, title in played(shared_folder / "recordings/capi/streams" / stream):
        events += 1
        clusters = [row for row in replay.index.rows() if row.kind == "Cluster"]
        for finding in (f for row in clusters for f in explain(replay.index, row, replay.now)):
            if finding.signal.state is CauseState.FAILING:
                signal = finding.signal
                alarms[(str(finding.root), signal.condition, signal.reason, title)] += 1
    assert events > 50
    assert not alarms
