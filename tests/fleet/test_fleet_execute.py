"""The driver of plans against a small server that can go wrong in every way."""

import asyncio
import errno
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from fleettui.accounts import accounts
from fleettui.actions.bulk import remaining, waves
from fleettui.actions.documents import apply_merge
from fleettui.actions.options import Limits
from fleettui.actions.plan import (
    Acknowledgement,
    Check,
    ContentType,
    FieldTest,
    Method,
    Patch,
    Plan,
    Preconditions,
    Refusal,
    Signal,
    Step,
    Target,
    to_json,
)
from fleettui.audit import Journal, JournalError, Result, Who
from fleettui.errors import ConnectError, ExitCode
from fleettui.fleet.execute import execute
from fleettui.fleet.outcome import Errand, StepState
from fleettui.fleet.writing import RereadingObserver, WriteFailure

REQUESTED = ("metadata", "annotations", "reconcile.fluxcd.io/requestedAt")
HANDLED = ("status", "lastHandledReconcileAt")


def target_of(name: str) -> Target:
    return Target("mgmt", "kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "ks", "ns", name)


def patch_of(name: str, token: str = "t", **more) -> Patch:
    values = {
        "target": target_of(name),
        "body": {"metadata": {"annotations": {REQUESTED[2]: token}}},
        "preconditions": Preconditions(uid=f"uid-{name}", resource_version="1"),
        "acknowledged_by": Acknowledgement(
            checks=(Check(Signal.EQUALS, HANDLED, token),), judge="Ready", timeout_s=60
        ),
    }
    return Patch(**(values | more))


def plan_of(*steps: Step, limits: Limits | None = None, rate: float = 0.0) -> Plan:
    limits = limits or Limits()
    return Plan(
        id="p1",
        verb="resync",
        created_at="2026-08-23T10:00:00Z",
        targets=tuple(step.patch.target for step in steps),
        steps=steps,
        waves=waves(steps, limits),
        in_flight=limits.in_flight,
        rate_per_s=rate,
    )


def step_of(number: int, **more) -> Step:
    values = {"id": number, "patch": patch_of(f"k{number}"), "title": "resync", "unit": number}
    return Step(**(values | more))


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 8, 23, 10, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, delay_s: float) -> None:
        self.seconds += delay_s
        await asyncio.sleep(0)


class Server:
    """Objects by name, a controller that handles tokens, and faults by name."""

    def __init__(self, *names: str) -> None:
        self.objects = {name: self.fresh(name) for name in names}
        self.writes: list[tuple[str, object, bool]] = []
        self.faults: dict[str, list[WriteFailure]] = {}
        self.is_lost_after_write: set[str] = set()
        self.handles = True
        self.failing: set[str] = set()
        self.events: list = []
        self.refuses_events = False
        self.running = 0
        self.most_running = 0
        self.before_write = lambda name: None

    @staticmethod
    def fresh(name: str, uid: str = "") -> dict:
        metadata = {"name": name, "uid": uid or f"uid-{name}", "resourceVersion": "1"}
        return {"kind": "Kustomization", "metadata": metadata, "spec": {}, "status": {}}

    async def body(self, ref):
        await asyncio.sleep(0)
        if ref.name == "unreadable":
            raise ConnectError("connection refused")
        return self.objects.get(ref.name)

    async def patch(self, target, body, *, content_type, subresource, dry_run):
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(0)
            self.before_write(target.name)
            faults = self.faults.get(target.name)
            if faults:
                raise faults.pop(0)
            return self._apply(target.name, body, dry_run)
        finally:
            self.running -= 1

    def _apply(self, name, body, dry_run):
        document = self.objects[name]
        self.writes.append((name, body, dry_run))
        if body["metadata"]["uid"] != document["metadata"]["uid"]:
            raise WriteFailure("uid in precondition does not match", status=409)
        if dry_run:
            return document
        version = str(int(document["metadata"]["resourceVersion"]) + 1)
        document = apply_merge(document, body)
        document["metadata"]["resourceVersion"] = version
        token = document["metadata"].get("annotations", {}).get(REQUESTED[2])
        if self.handles and token:
            status = "False" if name in self.failing else "True"
            ready = {"type": "Ready", "status": status, "reason": "Because"}
            document["status"] = {"lastHandledReconcileAt": token, "conditions": [ready]}
        self.objects[name] = document
        if name in self.is_lost_after_write:
            raise WriteFailure("connection reset", is_lost=True)
        return document

    async def create_event(self, target, event):
        self.events.append((target.name, event))
        if self.refuses_events:
            raise WriteFailure("forbidden", status=403)

    async def delete(self, target, body, *, dry_run):
        await asyncio.sleep(0)
        document = self.objects[target.name]
        self.writes.append((target.name, body, dry_run))
        if body["preconditions"]["resourceVersion"] != document["metadata"]["resourceVersion"]:
            raise WriteFailure("conflict", status=409)
        return self.objects.pop(target.name)


class Bench:
    """A server, a journal and a clock, and a plan run against them."""

    def __init__(self, folder, *names: str, journal: Journal | None = None) -> None:
        self.server = Server(*names)
        self.journal = journal or Journal(folder / "state")
        self.clock = Clock()
        self.news: list = []
        self.cancel = asyncio.Event()
        self.errand = Errand(who=Who(server="ann"), why="test")

    async def run(self, plan: Plan):
        return await execute(
            plan,
            writer=self.server,
            reader=self.server,
            observer=RereadingObserver(self.server, self.clock),
            journal=self.journal,
            clock=self.clock,
            errand=self.errand,
            progress=self.news.append,
            cancel=self.cancel,
        )

    def results(self) -> list[Result]:
        return [account.result for account in accounts(self.journal.read())]


@pytest.fixture
def bench(tmp_path):
    """A bench with three objects."""
    return Bench(tmp_path, "k0", "k1", "k2")


async def test_execute_step_is_journalled_sent_and_acknowledged(bench):
    """The plain case: written under our name, done once its token was handled."""
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.state(0) is StepState.DONE
    assert outcome.exit_code is ExitCode.OK
    assert outcome.token.is_finished
    ((name, body, dry_run),) = bench.server.writes
    assert (name, body["metadata"]["uid"], dry_run) == ("k0", "uid-k0", False)
    states = [report.state for report in bench.news]
    assert states == [
        StepState.CHECKING,
        StepState.SENDING,
        StepState.WAITING,
        StepState.DONE,
    ]
    (account,) = accounts(bench.journal.read())
    assert account.result is Result.ACKNOWLEDGED
    assert (account.intent.before, account.outcome.after) == ("1", "2")
    assert (account.intent.why, account.intent.who.server) == ("test", "ann")


async def test_execute_recreated_object_is_refused_without_a_write(bench):
    """Pausing the namesake of a deleted object is never what was confirmed."""
    bench.server.objects["k0"] = Server.fresh("k0", uid="another")
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.state(0) is StepState.REFUSED
    assert outcome.exit_code is ExitCode.REFUSED
    assert bench.server.writes == []
    assert list(bench.journal.read()) == []


async def test_execute_recreated_between_look_and_write_is_refused_by_the_server(bench):
    """The uid travels with the patch, so even the last millisecond is covered."""

    def recreate(name):
        bench.server.objects[name] = Server.fresh(name, uid="another")
        bench.server.before_write = lambda name: None

    bench.server.before_write = recreate
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.state(0) is StepState.REFUSED
    assert bench.server.objects["k0"]["metadata"].get("annotations") is None
    assert bench.results() == [Result.REJECTED]


async def test_execute_changed_field_that_was_relied_on_is_refused(bench):
    """Somebody else decided in the meantime; their change is not overwritten."""
    held = Preconditions("uid-k0", (FieldTest(("spec", "suspend"), absent=True),))
    bench.server.objects["k0"]["spec"]["suspend"] = True
    outcome = await bench.run(plan_of(step_of(0, patch=patch_of("k0", preconditions=held))))
    assert outcome.state(0) is StepState.REFUSED
    assert "spec.suspend has changed" in outcome.stopped_by
    assert bench.server.writes == []


async def test_execute_unreadable_target_is_not_written(tmp_path):
    """What cannot be looked at again is not written blindly."""
    bench = Bench(tmp_path, "unreadable")
    held = Preconditions(uid="uid-unreadable")
    step = step_of(0, patch=patch_of("unreadable", preconditions=held))
    outcome = await bench.run(plan_of(step))
    assert outcome.state(0) is StepState.REFUSED
    assert bench.server.writes == []


@pytest.mark.parametrize("was_done", [True, False])
async def test_execute_lost_answer_is_unknown_and_never_sent_again(was_done, bench):
    """Success would be a guess, and a second request could do it twice."""
    if was_done:
        bench.server.is_lost_after_write.add("k0")
    else:
        bench.server.faults["k0"] = [WriteFailure("time-out", is_lost=True)]
    plan = plan_of(step_of(0), step_of(1))
    outcome = await bench.run(plan)
    assert outcome.state(0) is StepState.UNKNOWN
    assert outcome.state(1) is StepState.NOT_SENT
    assert len(bench.server.writes) == int(was_done)
    assert bench.results() == [Result.UNKNOWN]
    seen = "shows the change" if was_done else "does not show it"
    assert seen in outcome.stopped_by
    assert outcome.token.unknown == (0,)
    assert isinstance(remaining(plan, outcome.token), Refusal)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_execute_server_error_is_unknown(status, bench):
    """A gateway that gives up does not know what the server did."""
    bench.server.faults["k0"] = [WriteFailure("bad gateway", status=status)]
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.state(0) is StepState.UNKNOWN


async def test_execute_conflict_is_looked_at_again_once(bench):
    """A busy object conflicts now and then; that is no reason to fail."""
    bench.server.faults["k0"] = [WriteFailure("conflict", status=409)]
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.state(0) is StepState.DONE
    assert bench.results() == [Result.REJECTED, Result.ACKNOWLEDGED]


async def test_execute_conflict_storm_ends(bench):
    """Conflicts for ever must not become requests for ever."""
    bench.server.faults["k0"] = [WriteFailure("conflict", status=409) for _ in range(50)]
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.state(0) is StepState.REJECTED
    assert len(bench.server.faults["k0"]) == 48
    assert bench.results() == [Result.REJECTED, Result.REJECTED]


async def test_execute_slow_down_is_waited_for(bench):
    """429 says that nothing was done and when to ask again."""
    bench.server.faults["k0"] = [WriteFailure("slow down", status=429, retry_after_s=7)]
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.state(0) is StepState.DONE
    assert bench.clock.seconds >= 7


async def test_execute_forbidden_is_rejected_and_stops(bench):
    """A right that was taken away stops the bulk, and nothing claims to have been done."""
    bench.server.faults["k0"] = [WriteFailure("forbidden", status=403)]
    outcome = await bench.run(plan_of(step_of(0), step_of(1)))
    assert [report.state for report in outcome.reports] == [
        StepState.REJECTED,
        StepState.NOT_SENT,
    ]
    assert outcome.exit_code is ExitCode.FAILED


async def test_execute_failed_run_is_told_as_failure(bench):
    """The token was handled, but the run failed: that is no success."""
    bench.server.failing.add("k0")
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.state(0) is StepState.FAILED
    assert outcome.token.done == (0,), "it was written, so it is not to be written again"
    assert bench.results() == [Result.FAILED]


async def test_execute_unhandled_token_times_out(bench):
    """A controller that is away must not hold a terminal for ever."""
    bench.server.handles = False
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.state(0) is StepState.TIMED_OUT
    assert 60 <= bench.clock.seconds < 70
    assert bench.results() == [Result.TIMED_OUT]


async def test_execute_cancelled_while_waiting_sends_nothing_more(bench):
    """Cancel means: finish the request under way, start no other, wait for none."""
    bench.server.handles = False

    def on_news(report):
        if report.state is StepState.WAITING:
            bench.cancel.set()

    bench.news = type("News", (), {"append": staticmethod(on_news)})()
    outcome = await bench.run(plan_of(step_of(0), step_of(1)))
    assert [report.state for report in outcome.reports] == [
        StepState.CANCELLED,
        StepState.NOT_SENT,
    ]
    assert bench.results() == [Result.CANCELLED]


async def test_execute_task_killed_in_mid_request_is_journalled_as_unknown(bench):
    """Closing the program between request and answer must not look like "not done"."""
    started = asyncio.Event()

    async def hang(*args, **kwargs):
        started.set()
        await asyncio.Event().wait()

    bench.server.patch = hang
    task = asyncio.ensure_future(bench.run(plan_of(step_of(0))))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (account,) = accounts(bench.journal.read())
    assert account.outcome is not None
    assert account.result is Result.UNKNOWN


async def test_execute_source_is_acknowledged_before_its_user_is_asked(bench):
    """Asked too early, the applier would apply the old revision again."""
    first = step_of(0, unit=0)
    second = step_of(1, unit=0, after=(0,))
    seen = []
    bench.server.before_write = lambda name: seen.append(
        (name, bench.server.objects["k0"]["status"].get("lastHandledReconcileAt"))
    )
    outcome = await bench.run(plan_of(first, second))
    assert outcome.exit_code is ExitCode.OK
    assert seen == [("k0", None), ("k1", "t")]


async def test_execute_in_flight_of_one_does_not_wait_for_itself(bench):
    """A step that waits for another must not hold the only slot."""
    steps = (step_of(0, unit=0, after=(1,)), step_of(1, unit=0))
    outcome = await bench.run(plan_of(*steps, limits=Limits(in_flight=1)))
    assert outcome.exit_code is ExitCode.OK


async def test_execute_put_back_runs_though_the_step_before_timed_out(bench):
    """A policy set aside for a moment must come back, whatever else happens."""
    bench.server.handles = False
    back = patch_of("k0", "back", acknowledged_by=Acknowledgement())
    steps = (step_of(0, unit=0), step_of(1, unit=0, patch=back, after=(0,), is_cleanup=True))
    outcome = await bench.run(plan_of(*steps))
    assert [report.state for report in outcome.reports] == [StepState.TIMED_OUT, StepState.DONE]


async def test_execute_put_back_is_left_out_when_nothing_was_put_aside(bench):
    """Putting back what was never changed would be a write nobody asked for."""
    bench.server.faults["k0"] = [WriteFailure("forbidden", status=403)]
    steps = (step_of(0, unit=0), step_of(1, unit=0, after=(0,), is_cleanup=True))
    outcome = await bench.run(plan_of(*steps))
    assert outcome.state(1) is StepState.NOT_SENT
    assert bench.server.writes == []


async def test_execute_waves_hold_the_limit_and_the_rate(tmp_path):
    """Three thousand requests at once would take the git server down."""
    names = [f"k{number}" for number in range(40)]
    bench = Bench(tmp_path, *names)
    limits = Limits(canary=1, wave=10, in_flight=3)
    plan = plan_of(*(step_of(number) for number in range(40)), limits=limits, rate=2.0)
    assert [len(wave) for wave in plan.waves] == [1, 10, 10, 10, 9]
    outcome = await bench.run(plan)
    assert outcome.exit_code is ExitCode.OK
    assert bench.server.most_running <= 3
    assert bench.clock.seconds >= 39 / 2


async def test_execute_broken_canary_spares_the_rest(tmp_path):
    """One failure instead of forty: that is what the canary is for."""
    bench = Bench(tmp_path, *(f"k{number}" for number in range(40)))
    bench.server.failing.add("k0")
    outcome = await bench.run(plan_of(*(step_of(number) for number in range(40))))
    assert [name for name, _, _ in bench.server.writes] == ["k0"]
    assert len(outcome.token.left) == 39


async def test_execute_token_expired_in_the_middle_of_500_goes_on_where_it_stopped(tmp_path):
    """Nobody may have to find out by hand which of five hundred were done."""
    bench = Bench(tmp_path, *(f"k{number}" for number in range(500)))
    expired = {
        f"k{number}": [WriteFailure("unauthorized", status=401)] for number in range(250, 500)
    }
    bench.server.faults = expired
    plan = plan_of(*(step_of(number) for number in range(500)))
    outcome = await bench.run(plan)
    written = {name for name, _, _ in bench.server.writes}
    assert 230 <= len(written) <= 250
    assert set(outcome.token.done) == {int(name[1:]) for name in written}
    assert "unauthorized" in outcome.stopped_by
    counts = Counter(bench.results())
    assert counts[Result.ACKNOWLEDGED] == len(written)
    assert counts[Result.REJECTED] >= 1
    bench.server.faults = {}
    rest = remaining(plan, outcome.token)
    assert isinstance(rest, Plan)
    again = await bench.run(rest)
    assert again.exit_code is ExitCode.OK
    assert Counter(name for name, _, _ in bench.server.writes).most_common(1)[0][1] == 1
    assert len(bench.server.writes) == 500


class FullDisk:
    """A disk that takes a number of writes and then no more."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    def write(self, descriptor: int, data: bytes) -> int:
        if self.left <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.left -= 1
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)


async def test_execute_full_disk_before_the_intent_sends_nothing(tmp_path):
    """Without a line in the journal there is no write."""
    journal = Journal(tmp_path / "state", files=FullDisk(0))
    bench = Bench(tmp_path, "k0", journal=journal)
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.state(0) is StepState.NOT_SENT
    assert "journal" in outcome.stopped_by
    assert bench.server.writes == []


async def test_execute_full_disk_after_the_intent_stops_and_tells_the_truth(tmp_path):
    """The write was done and cannot be recorded: say so, and send nothing more."""
    journal = Journal(tmp_path / "state", files=FullDisk(1))
    bench = Bench(tmp_path, "k0", "k1", journal=journal)
    outcome = await bench.run(plan_of(step_of(0), step_of(1)))
    assert [report.state for report in outcome.reports] == [StepState.DONE, StepState.NOT_SENT]
    assert "not recorded" in outcome.stopped_by
    assert bench.results() == [Result.UNKNOWN], "the journal alone cannot know"


async def test_execute_unsafe_journal_raises_before_anything_is_read(tmp_path):
    """A journal that is a link to elsewhere stops the whole plan."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.jsonl").symlink_to(tmp_path / "elsewhere")
    bench = Bench(tmp_path, "k0")
    with pytest.raises(JournalError):
        await bench.run(plan_of(step_of(0)))
    assert bench.server.writes == []


async def test_execute_dry_run_changes_nothing_and_waits_for_nothing(bench):
    """A preview that waits for an acknowledgement would wait for ever."""
    bench.errand = Errand(dry_run=True)
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.exit_code is ExitCode.OK
    assert bench.server.writes[0][2] is True
    assert bench.server.objects["k0"]["metadata"]["resourceVersion"] == "1"
    assert next(bench.journal.read()).dry_run is True


async def test_execute_delete_carries_uid_and_fresh_version(bench):
    """A machine that changed since is deleted only if what was relied on still holds."""
    bench.server.objects["k0"]["metadata"]["resourceVersion"] = "9"
    held = Preconditions("uid-k0", pin_resource_version=True, resource_version="1")
    patch = patch_of(
        "k0",
        method=Method.DELETE,
        content_type=ContentType.NONE,
        body=None,
        preconditions=held,
        acknowledged_by=Acknowledgement(checks=(Check(Signal.GONE),)),
    )
    outcome = await bench.run(plan_of(step_of(0, patch=patch)))
    assert outcome.exit_code is ExitCode.OK
    assert bench.server.writes[0][1]["preconditions"] == {"uid": "uid-k0", "resourceVersion": "9"}


@pytest.mark.parametrize("is_refused", [True, False])
async def test_execute_event_is_a_courtesy(is_refused, bench):
    """Colleagues see who paused what; a missing right to say so stops nothing."""
    bench.errand = Errand(who=Who(server="ann"), why="disk", mirrors_events=True)
    bench.server.refuses_events = is_refused
    outcome = await bench.run(plan_of(step_of(0)))
    assert outcome.exit_code is ExitCode.OK
    ((name, event),) = bench.server.events
    assert (name, event["message"]) == ("k0", "resync by ann: disk")
    assert event["involvedObject"]["uid"] == "uid-k0"


async def test_execute_failed_test_of_a_list_patch_is_looked_at_again_once(bench):
    """A busy list changes between look and write; the entry's place is looked up anew."""
    entries = [{"name": "other"}, {"name": "mine", "replicas": 1}]
    bench.server.objects["k0"]["spec"] = {"list": entries}
    sent = []

    async def patch(target, body, **options):
        sent.append(body)
        if len(sent) == 1:
            bench.server.objects["k0"]["spec"] = {"list": entries[1:]}
            raise WriteFailure("test failed", status=422)
        return bench.server.objects["k0"]

    bench.server.patch = patch
    operations = [
        {"op": "test", "path": "/spec/list/1/name", "value": "mine"},
        {"op": "add", "path": "/spec/list/1/replicas", "value": 3},
    ]
    step = step_of(
        0,
        patch=patch_of(
            "k0",
            content_type=ContentType.JSON,
            body=operations,
            named_entry=("spec", "list", "mine"),
            acknowledged_by=Acknowledgement(),
            preconditions=Preconditions("uid-k0", pin_resource_version=True),
        ),
    )
    outcome = await bench.run(plan_of(step))
    assert outcome.exit_code is ExitCode.OK
    assert [body[-1]["path"] for body in sent] == ["/spec/list/1/replicas", "/spec/list/0/replicas"]


_KILLED = """
import asyncio, json, sys
from pathlib import Path
from fleettui.actions.plan import plan_of
from fleettui.audit import Journal
from fleettui.fleet.execute import execute
from fleettui.fleet.outcome import Errand
from fleettui.fleet.writing import RereadingObserver, SystemClock

class Outside:
    async def body(self, ref):
        return {"metadata": {"uid": "uid-k0", "resourceVersion": "1"}}
    async def patch(self, target, body, **options):
        print("sent", flush=True)
        await asyncio.sleep(60)

plan = plan_of(json.loads(sys.stdin.readline()))
outside, clock = Outside(), SystemClock()
asyncio.run(execute(plan, writer=outside, reader=outside, journal=Journal(Path(sys.argv[1])),
    observer=RereadingObserver(outside, clock), clock=clock, errand=Errand()))
"""


def test_execute_killed_between_request_and_answer_leaves_the_intent(tmp_path):
    """After kill -9 the journal says that something may have been done, and to what."""
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(to_json(plan_of(step_of(0)))) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "sent\n"
        process.send_signal(signal.SIGKILL)
    (account,) = accounts(Journal(tmp_path).read())
    assert account.outcome is None
    assert account.result is Result.UNKNOWN
    assert (account.intent.name, account.intent.uid) == ("k0", "uid-k0")
