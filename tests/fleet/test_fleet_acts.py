"""Acting as front ends see it: facts are read anew, settings hold, doubts refuse."""

from datetime import UTC, datetime

import pytest

from fleettui.actions.facts import Access
from fleettui.actions.options import Options
from fleettui.actions.plan import Plan, Refusal
from fleettui.audit import Journal, Who
from fleettui.config import BulkSettings, ContextSettings, Settings
from fleettui.errors import ConnectError, ExitCode, UsageError
from fleettui.fleet.acts import Acts
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Dialect, KindSpec, Role

FLUX = "kustomize.toolkit.fluxcd.io"
SPECS = {
    (FLUX, "Kustomization"): KindSpec(
        FLUX, "Kustomization", "kustomizations", Role.APPLIER, dialect=Dialect.FLUX
    ),
    ("source.toolkit.fluxcd.io", "GitRepository"): KindSpec(
        "source.toolkit.fluxcd.io",
        "GitRepository",
        "gitrepositories",
        Role.SOURCE,
        dialect=Dialect.FLUX,
    ),
}


class Outside:
    """A cluster of a few documents that counts what it is asked."""

    def __init__(self) -> None:
        self.documents: dict[ObjectRef, dict] = {}
        self.asked: list[ObjectRef] = []
        self.denied: set[str] = set()
        self.is_silent = False
        self.writes = 0

    def add(self, name: str, kind: str = "Kustomization", **spec) -> ObjectRef:
        group = next(group for group, known in SPECS if known == kind)
        ref = ObjectRef("prod", group, kind, "ns", name)
        metadata = {"name": name, "namespace": "ns", "uid": f"u-{name}", "resourceVersion": "1"}
        self.documents[ref] = {
            "apiVersion": f"{group}/v1",
            "kind": kind,
            "metadata": metadata,
            "spec": spec,
        }
        return ref

    async def body(self, ref):
        self.asked.append(ref)
        if self.is_silent:
            raise ConnectError("does not answer")
        return self.documents.get(ref)

    async def list(self, request):
        raise ConnectError("forbidden")

    async def access(self, request):
        if self.is_silent:
            raise ConnectError("does not answer")
        return Access(request.verb not in self.denied)

    async def schema(self, request):
        return None

    async def patch(self, target, body, *, content_type, subresource, dry_run):
        self.writes += 1
        return self.documents[target.ref]

    async def delete(self, target, body, *, dry_run):
        self.writes += 1
        return {}

    async def create_event(self, target, event):
        pass


class Clock:
    """Time that stands still."""

    def now(self) -> datetime:
        return datetime(2026, 8, 23, 10, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, delay_s: float) -> None:
        raise AssertionError("nothing here has to wait")


@pytest.fixture
def outside():
    """A cluster to act upon."""
    return Outside()


@pytest.fixture
def make_acts(outside, tmp_path):
    """Acts with given settings."""

    def make(**settings) -> Acts:
        return Acts(
            outside,
            spec_of=lambda group, kind: SPECS.get((group, kind)),
            journal=Journal(tmp_path / "state"),
            settings=Settings(**settings),
            clock=Clock(),
        )

    return make


async def test_plan_reads_target_and_source_once_each(outside, make_acts):
    """Plans are made from what is there now, at the price of one read an object."""
    pointer = {"kind": "GitRepository", "name": "git"}
    refs = [outside.add(name, sourceRef=pointer) for name in ("a", "b")]
    outside.add("git", "GitRepository")
    plan = await make_acts().plan("resync", [*refs, refs[0]], Options(with_source=True))
    assert isinstance(plan, Plan)
    assert len(plan.targets) == 2, "doubles count once"
    assert len(outside.asked) == len(set(outside.asked)) == 3


async def test_plan_and_execute_write_once(outside, make_acts):
    """The whole way through the facade."""
    acts = make_acts()
    plan = await acts.plan("pause", [outside.add("a")])
    outcome = await acts.execute(plan, who=Who(local="ann@desk"), why="disk")
    assert outcome.exit_code is ExitCode.OK
    assert outside.writes == 1
    assert next(acts.journal.read()).why == "disk"


async def test_plan_without_right_is_refused_before_anything_is_sent(outside, make_acts):
    """Two hundred 403s are a poor way to learn of a missing right."""
    outside.denied.add("patch")
    plan = await make_acts().plan("pause", [outside.add("a")])
    assert isinstance(plan, Refusal)
    assert plan.missing_rule == f"patch kustomizations.{FLUX} in namespace ns"


async def test_plan_of_a_silent_cluster_is_refused(outside, make_acts):
    """What cannot be read is not acted upon."""
    ref = outside.add("a")
    outside.is_silent = True
    assert isinstance(await make_acts().plan("pause", [ref]), Refusal)


async def test_plan_of_an_incomplete_filter_is_refused_and_writes_nothing(outside, make_acts):
    """One namespace answers 403: "all" would not be all."""
    plan = await make_acts().plan(
        "pause",
        [outside.add("a")],
        Options(all_matching=True),
        scope_gaps=["forbidden: kustomizations in b"],
    )
    assert isinstance(plan, Refusal)
    assert "forbidden: kustomizations in b" in plan.reason
    assert outside.writes == 0


async def test_settings_decide_limits_and_protection(outside, make_acts):
    """A flag on the command line cannot lift what the configuration holds."""
    acts = make_acts(
        bulk=BulkSettings(limit=1, in_flight=3, per_minute=60),
        contexts=(ContextSettings(pattern="prod*", protected=True),),
    )
    plan = await acts.plan("pause", [outside.add("a"), outside.add("b")])
    assert isinstance(plan, Plan)
    assert (plan.in_flight, plan.rate_per_s) == (3, 1.0)
    assert plan.typed_confirmation == "prod/2"


async def test_read_only_context_in_settings_is_refused(outside, make_acts):
    """The strictest source wins, also over a program that may write elsewhere."""
    acts = make_acts(contexts=(ContextSettings(pattern="prod", read_only=True),))
    plan = await acts.plan("pause", [outside.add("a")])
    assert isinstance(plan, Refusal)
    assert "read-only" in plan.reason


async def test_verbs_of_a_row_say_why_they_are_greyed(outside, make_acts):
    """A dead key without a reason looks like a bug."""
    choices = make_acts().verbs(outside.add("a"), is_paused=True, is_deleting=False)
    reasons = {choice.verb.id: choice.why_not for choice in choices}
    assert reasons["pause"] == "it is paused already"
    assert reasons["resume"] == ""
    stranger = ObjectRef("prod", "x", "Y", "", "z")
    assert make_acts().verbs(stranger, is_paused=False, is_deleting=False) == ()


async def test_unknown_verb_is_a_usage_error(make_acts):
    """The command line tells which words there are."""
    with pytest.raises(UsageError) as error:
        await make_acts().plan("explode", [])
    assert "pause" in error.value.hint


async def test_rights_name_the_missing_rule_of_each_verb(outside, make_acts):
    """A greyed action without the rule sends people to ask for the wrong right."""
    ref = outside.add("a")
    assert await make_acts().rights(ref) == {}
    outside.denied.add("patch")
    rights = await make_acts().rights(ref)
    assert rights["pause"] == f"patch kustomizations.{FLUX} in namespace ns"
    assert "delete" not in rights


async def test_rights_that_the_server_will_not_tell_are_not_denied(outside, make_acts):
    """A broken authorizer must not take every action away."""
    ref = outside.add("a")
    outside.is_silent = True
    assert await make_acts().rights(ref) == {}
