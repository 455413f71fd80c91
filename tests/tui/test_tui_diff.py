"""Comparing with git on screen: D, the drift board, hunks, provenance."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pilots import becomes, shown, shows
from rich.cells import cell_len
from textual.pilot import Pilot

from fleettui.desired.desired_diff import DesiredDiff, Mode
from fleettui.desired.history import Commit
from fleettui.desired.hunks import Hunk
from fleettui.desired.object_diff import Change, ObjectDiff
from fleettui.desired.objects import ObjectId
from fleettui.desired.references import ReferenceDiff, TargetDiff
from fleettui.desired.sources import Provenance, Want
from fleettui.errors import UsageError
from fleettui.index.view import TreeView
from fleettui.kinds.batch import Batch, Scope
from fleettui.kinds.record import ObjectRef, Record, Reference, Verdict
from fleettui.tui.app import FleetApp
from fleettui.tui.diff_text import ObjectDifference
from fleettui.tui.documents import Manner

MOMENT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
CONTEXT = "mgmt-eu"
FLUX = "kustomize.toolkit.fluxcd.io"
CAPI = "cluster.x-k8s.io"
APPLIER = ObjectRef(CONTEXT, FLUX, "Kustomization", "fleet", "clusters")
CLUSTER = ObjectId(CAPI, "Cluster", "fleet", "hand-made")
HOSTILE = "evil\x1b]52;c;QUJD\x07[@click=app.quit]x[/]"


def _changed(identity: ObjectId, subject: str = "a cluster more") -> tuple[ObjectDiff, Provenance]:
    live = {"kind": identity.kind, "spec": {"paused": True, "text": HOSTILE, "version": 3}}
    desired = {"kind": identity.kind, "spec": {"paused": False, "text": HOSTILE, "version": 5}}
    hunks = (
        Hunk(("spec", "paused"), True, False, "set by kubectl-edit at noon"),
        Hunk(("spec", "version"), 3, 5),
    )
    item = ObjectDiff(
        identity,
        f"{identity.group}/v1beta2",
        Change.CHANGED,
        hunks,
        source="clusters/a.yaml",
        live=live,
        desired=desired,
    )
    commit = Commit("0123456789abcdef", "Mira Keller", MOMENT, subject)
    return item, Provenance("clusters/a.yaml", "https://git.example.com/x/clusters/a.yaml", commit)


def _result(*items: ObjectDiff, behind: Provenance | None = None) -> DesiredDiff:
    provenance = {behind.path: behind} if behind else {}
    return DesiredDiff(
        "Kustomization",
        "fleet",
        "clusters",
        Mode.READ_ONLY,
        "current",
        MOMENT,
        "main@sha1:0123",
        items,
        provenance=provenance,
    )


class FakeDiffs:
    """Comparisons that are there at once."""

    def __init__(self, result: DesiredDiff, branch: ReferenceDiff | None = None) -> None:
        self.result = result
        self.branch = branch
        self.asked: list[ObjectRef] = []
        self.questions: list[Any] = []
        self.stopped = 0
        self.is_slow = False

    async def diff_all(
        self, refs: Iterable[ObjectRef], question: Any = None, *, progress: Any = None, **more: Any
    ) -> Mapping[ObjectRef, DesiredDiff]:
        chosen = list(refs)
        self.asked += chosen
        self.questions.append(question)
        for place, ref in enumerate(chosen):
            if len(chosen) == 1:
                await self._rest()
            progress(place + 1, len(chosen), ref, self.result)
            await self._rest()
        return dict.fromkeys(chosen, self.result)

    async def compare_reference(
        self, refs: Iterable[ObjectRef], url: str, reference: str, *, progress: Any = None
    ) -> ReferenceDiff:
        self.asked += list(refs)
        progress(3, 8)
        await self._rest()
        if self.branch is None:
            raise UsageError(f"whose branch is {reference!r}?", hint="--repository URL")
        return self.branch

    async def _rest(self) -> None:
        """For ever, where somebody is to stop it."""
        if self.is_slow:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.stopped += 1
                raise


def _put(fleet: Any, kind: str, name: str, **more: Any) -> None:
    group = FLUX if kind == "Kustomization" else CAPI
    fields: dict[str, Any] = {
        "group": group,
        "version": "v1",
        "kind": kind,
        "namespace": "fleet",
        "name": name,
        "uid": f"uid-{kind}-{name}",
        "resource_version": "77",
        "created_at": 1_789_000_000,
        "verdict": Verdict.CURRENT,
    }
    record = Record(**(fields | more))
    fleet.index.apply(Batch(Scope(CONTEXT, group, kind), [record]), fleet.clock)
    fleet.on_change()


def _put_pair(fleet: Any) -> None:
    _put(fleet, "Kustomization", "clusters")
    made = Reference("created_by", FLUX, "Kustomization", "fleet", "clusters", "its labels")
    _put(fleet, "Cluster", "hand-made", references=(made,))


@asynccontextmanager
async def running(fleet: Any, diffs: FakeDiffs) -> AsyncIterator[Pilot[int]]:
    app = FleetApp(fleet, fleet.index, TreeView(fleet.index), diffs=lambda: diffs)
    async with app.run_test(size=(180, 40), notifications=True) as pilot:
        await pilot.pause()
        yield pilot


async def tells(pilot: Pilot[int], *words: str) -> str:
    """The screen once a board that is painted anew shows the words."""

    def has_all() -> bool:
        pilot.app.repaint()  # type: ignore[attr-defined]  # the app of the pilot
        return all(word in shown(pilot) for word in words)

    await becomes(pilot, has_all)
    return shown(pilot)


async def test_drift_board_leads_to_objects_and_to_the_lines_that_differ(small_fleet: Any) -> None:
    """From a red fleet to the line and the person must take two keys."""
    item, behind = _changed(CLUSTER)
    diffs = FakeDiffs(_result(item, behind=behind))
    _put_pair(small_fleet)
    async with running(small_fleet, diffs) as pilot:
        pilot.app.run_command("drift")  # type: ignore[attr-defined]  # the app of the pilot
        await tells(pilot, "compared", "~1 changed")
        while "Kustomization/clusters" not in _current(pilot):
            await pilot.press("j")
        await pilot.press("enter")
        await tells(pilot, "spec.paused +1", "01234567 Mira Keller")
        await pilot.press("enter")
        text = await shows(
            pilot,
            "https://git.example.com/x/clusters/a.yaml",
            "Mira Keller, 2026-11-25: a cluster more",
            "set by kubectl-edit at noon",
            "paused: true",
            "paused: false",
        )
        assert "\x1b" not in text
    assert APPLIER in diffs.asked


def _current(pilot: Pilot[int]) -> str:
    row = pilot.app.screen.row  # type: ignore[attr-defined]  # a board is in front
    return "".join(span.text for cell in row.cells for span in cell)


async def test_diff_key_on_a_made_object_opens_its_difference_and_keys_jump(
    small_fleet: Any,
) -> None:
    """D on any row must not ask people to find the Kustomization first."""
    item, behind = _changed(CLUSTER, subject=HOSTILE)
    diffs = FakeDiffs(_result(item, behind=behind))
    _put_pair(small_fleet)
    async with running(small_fleet, diffs) as pilot:
        app: Any = pilot.app
        app.diffs.diffing.show(ObjectRef(CONTEXT, CAPI, "Cluster", "fleet", "hand-made"))
        await shows(pilot, "change 0/2")
        await pilot.press("n")
        await shows(pilot, "change 1/2")
        await pilot.press("n")
        await shows(pilot, "change 2/2")
        await pilot.press("N")
        await shows(pilot, "change 1/2", " │ ")
        await pilot.press("v")
        text = await shows(pilot, "[@click=app.quit]", no=(" │ ",))
        assert "\x1b" not in text
    assert diffs.asked == [APPLIER]


async def test_diff_key_on_an_object_of_nobody_says_so(small_fleet: Any) -> None:
    """Silence would look like no difference."""
    diffs = FakeDiffs(_result())
    _put(small_fleet, "Cluster", "orphan")
    async with running(small_fleet, diffs) as pilot:
        app: Any = pilot.app
        app.diffs.diffing.show(ObjectRef(CONTEXT, CAPI, "Cluster", "fleet", "orphan"))
        await shows(pilot, "nothing says which")
    assert diffs.asked == []


@given(width=st.integers(24, 200), text=st.text(max_size=40))
def test_difference_side_by_side_is_as_wide_as_asked_whatever_it_says(
    width: int, text: str
) -> None:
    """A wide character in a value would otherwise shift the right side out of sight."""
    live = {"kind": "X", "spec": {"a": text, "b": "same"}}
    desired = {"kind": "X", "spec": {"a": f"{text}!", "b": "same"}}
    hunk = Hunk(("spec", "a"), text, f"{text}!")
    item = ObjectDiff(
        ObjectId("", "X", "n", "x"), "v1", Change.CHANGED, (hunk,), live=live, desired=desired
    )

    async def nothing() -> DesiredDiff:
        raise AssertionError("known already")

    document = ObjectDifference(item.id, nothing, known=_result(item))
    document.beside = True
    lines = document.lines(width=width, manner=Manner())
    halves = ["".join(span.text for span in line.cells[0]) for line in lines if line.cells[0]]
    beside = [half for half in halves if " │ " in half]
    assert beside
    assert all(cell_len(half) <= width for half in beside)
    assert any(isinstance(line.target, tuple) for line in lines)


def _branch() -> ReferenceDiff:
    item, behind = _changed(CLUSTER)
    gone = ObjectDiff(ObjectId("", "ConfigMap", "fleet", "settings"), "v1", Change.PRUNED)
    targets = (
        TargetDiff("mgmt-us", "fleet", "broken", error="no such path"),
        TargetDiff(CONTEXT, "fleet", "clusters", (item,), behind={CLUSTER: behind}),
        TargetDiff("mgmt-us", "fleet", "clusters", (item, gone), behind={CLUSTER: behind}),
    )
    return ReferenceDiff("current", "my-branch", targets, 40)


async def test_branch_board_shows_deletions_first_with_commits_and_the_lines(
    small_fleet: Any,
) -> None:
    """What a merge would delete in which cluster must be seen before it is merged."""
    diffs = FakeDiffs(_result(), _branch())
    _put_pair(small_fleet)
    async with running(small_fleet, diffs) as pilot:
        pilot.app.run_command("diff --ref my-branch")  # type: ignore[attr-defined]  # the app of the pilot
        head = "branch my-branch against current  1 pruned, 2 changed in 2 management clusters"
        board = await tells(pilot, head, "no such path", "- pruned", "a cluster more")
        lines = [line for line in board.splitlines() if "Cluster/" in line or "ConfigMap/" in line]
        assert "- pruned" in lines[0]
        assert "mgmt-us" in lines[0]
        assert "01234567 Mira Keller: a cluster more" in lines[1]
        await pilot.press("j", "enter")
        await shows(pilot, "my-branch, against what is current", "paused: false")
    assert APPLIER in diffs.asked


async def test_branch_that_is_not_understood_or_of_nobody_is_told(small_fleet: Any) -> None:
    """A typing error must not compare the fleet with something else."""
    diffs = FakeDiffs(_result())
    async with running(small_fleet, diffs) as pilot:
        pilot.app.run_command("diff --ref a b c")  # type: ignore[attr-defined]  # the app of the pilot
        await shows(pilot, "diff --ref BRANCH")
        pilot.app.run_command("drift --ref x")  # type: ignore[attr-defined]  # the app of the pilot
        await tells(pilot, "whose branch is 'x'? (--repository URL)")


async def test_leaving_stops_what_is_compared_and_tells_how_far_it_came(small_fleet: Any) -> None:
    """A run over hundreds of appliers must end when nobody looks at it any more."""
    diffs = FakeDiffs(_result(), _branch())
    diffs.is_slow = True
    _put_pair(small_fleet)
    _put(small_fleet, "Kustomization", "others")
    async with running(small_fleet, diffs) as pilot:
        pilot.app.run_command("drift")  # type: ignore[attr-defined]  # the app of the pilot
        await tells(pilot, "esc stops")
        await pilot.press("escape")
        await shows(pilot, "stopped comparing: 1 of")
        await becomes(pilot, lambda: diffs.stopped == 1)
        pilot.app.run_command("diff --ref my-branch")  # type: ignore[attr-defined]  # the app of the pilot
        await tells(pilot, "rendered 3/8, esc stops")
        await pilot.press("escape")
        await shows(pilot, "stopped comparing the branch")
        await becomes(pilot, lambda: diffs.stopped == 2)
        pilot.app.run_command("drift kustomization/clusters")  # type: ignore[attr-defined]  # the app of the pilot
        await becomes(pilot, lambda: len(diffs.questions) == 2)
        await pilot.press("escape")
        await shows(pilot, "stopped comparing Kustomization/clusters")
        await becomes(pilot, lambda: diffs.stopped == 3)


async def test_words_behind_diff_choose_the_revision_and_ask_the_server(small_fleet: Any) -> None:
    """The server's own answer must be one word away from the guess."""
    diffs = FakeDiffs(_result())
    _put_pair(small_fleet)
    async with running(small_fleet, diffs) as pilot:
        app: Any = pilot.app
        app.run_command("diff --dry-run --latest kustomization/clusters")
        await becomes(pilot, lambda: diffs.questions)
        (question,) = diffs.questions
        assert (question.mode, question.wanted.want) == (Mode.DRY_RUN, Want.LATEST)
        await pilot.press("escape")
        app.run_command("diff --applied --latest kustomization/clusters")
        await shows(pilot, "at most one revision")
        app.run_command("diff --everything kustomization/clusters")
        await shows(pilot, "not understood: --everything")
    assert len(diffs.questions) == 1
