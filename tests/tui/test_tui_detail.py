"""The lines about one object: what is at fault comes before everything else."""

from typing import Any

from fleettui.index.rows import Row
from fleettui.kinds.record import Verdict
from fleettui.tui.detail import detail_lines
from fleettui.tui.lines import Line
from fleettui.tui.prose import wrapped


def _row(fleet: Any, kind: str, name: str) -> Row:
    found: Row = next(r for r in fleet.index.rows() if (r.kind, r.name) == (kind, name))
    return found


def _lines(fleet: Any, kind: str, name: str) -> list[Line]:
    row = _row(fleet, kind, name)
    return detail_lines(row, fleet.index, now=fleet.now(), width=70)


def _broken_cluster(fleet: Any) -> str:
    return next(
        str(row.name)
        for row in fleet.index.rows()
        if row.kind == "Cluster" and fleet.index.rollup(row).failed
    )


def test_detail_of_a_red_cluster_names_the_machine_at_fault_and_leads_to_it(
    small_fleet: Any,
) -> None:
    """A person on call must not walk down four levels to read the reason."""
    name = _broken_cluster(small_fleet)
    lines = _lines(small_fleet, "Cluster", name)
    texts = [line.text for line in lines]
    place = texts.index("BECAUSE")
    assert place < texts.index("POINTED AT BY")
    assert "Machine/" in texts[place + 1]
    assert "quota exceeded" in " ".join(texts[place + 2 : place + 5])
    target = lines[place + 1].target
    assert small_fleet.index.get(target).verdict is Verdict.FAILED


def test_detail_of_what_is_well_or_is_its_own_cause_has_no_because(small_fleet: Any) -> None:
    """The same reason twice, or a heading over nothing, is noise."""
    failed = next(r for r in small_fleet.index.rows() if r.verdict is Verdict.FAILED)
    well = next(r for r in small_fleet.index.rows() if r.health is Verdict.CURRENT)
    for row in (failed, well):
        assert "BECAUSE" not in [line.text for line in _lines(small_fleet, row.kind, row.name)]


def test_wrapped_text_with_signs_breaks_at_spaces_and_fits() -> None:
    """`✗ control plane` in two halves of a word cannot be read."""
    text = "✓ applied 11m ago → … infrastructure NotReady → ✗ control plane 0/1 → – add-ons"
    lines = wrapped(text, 20)
    assert " ".join(lines) == text
    assert all(len(line) <= 20 for line in lines)
    assert wrapped("✗" + "x" * 30, 20) == ["✗" + "x" * 19, "x" * 11]
