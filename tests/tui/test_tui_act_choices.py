"""What can be chosen: ways of a verb, all that a filter finds, plans of the journal."""

import pytest
from fake_acts import FakeActs, make_plan, running
from pilots import in_front, shows

from fleettui.actions.plan import Refusal
from fleettui.audit import Entry, Journal, What
from fleettui.kinds.batch import Batch, Phase, Scope, ScopeStatus
from fleettui.tui.screens.confirm import AskScreen, ConfirmScreen


@pytest.fixture
def acts(tmp_path) -> FakeActs:
    return FakeActs(Journal(tmp_path))


async def test_action_picker_asks_for_what_a_verb_needs(small_fleet, acts):
    """A scale without a number is no plan, and what is off says why."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "a")
        await shows(pilot, "off in this context")
        await pilot.press(*"scale", "enter")
        await in_front(pilot, AskScreen)
        await pilot.press("5", "enter")
        await in_front(pilot, ConfirmScreen)
    assert acts.asked[0][2].replicas == 5


async def test_action_picker_names_the_missing_right(small_fleet, acts):
    """What a person may not do is greyed with the rule to ask for."""
    acts.denied = {"scale": "patch clusters/scale.cluster.x-k8s.io in namespace fleet"}
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "a")
        await shows(pilot, "missing right: patch")
        await pilot.press(*"scale", "enter")
        await shows(pilot, "clusters/scale.cluster.x-k8s.io")
    assert not acts.asked


async def test_action_picker_offers_the_ways_of_a_verb(small_fleet, acts):
    """What takes an option on the command line must be within reach of keys as well."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "a")
        await shows(pilot, "Resync, source first")
        await pilot.press(*"source", "enter")
        await shows(pilot, "WHAT IS SENT")
    ((verb, _, options),) = acts.asked
    assert (verb, options.with_source, options.all_matching) == ("resync", True, False)


async def test_action_on_a_filter_means_all_it_finds_and_nothing_else(small_fleet, acts):
    """Three thousand rows are not marked one by one; a forgotten one is worse than none."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("slash", *"kind:cluster", "enter")
        await pilot.press("A")
        await shows(pilot, "act on 6 objects")
        await pilot.press(*"pause", "enter")
        await shows(pilot, "WHAT IS SENT")
    ((verb, refs, options),) = acts.asked
    assert (verb, options.all_matching) == ("pause", True)
    assert {ref.kind for ref in refs} == {"Cluster"}
    assert len(refs) == 6
    assert acts.gaps == ()


async def test_action_on_a_filter_by_word_carries_what_is_not_known(small_fleet, acts):
    """A kind that may not be read makes "all" a guess: the plan has to know."""
    scope = Scope("mgmt-eu", "kustomize.toolkit.fluxcd.io", "Kustomization", "")
    forbidden = ScopeStatus(Phase.FORBIDDEN, error="forbidden")
    small_fleet.index.apply(Batch(scope, [forbidden]), small_fleet.now())
    async with running(small_fleet, acts) as pilot:
        await pilot.press("slash", *"apps", "enter")
        await pilot.press("colon", *"all resync", "enter")
        await shows(pilot, "WHAT IS SENT")
    ((verb, _, options),) = acts.asked
    assert (verb, options.all_matching) == ("resync", True)
    assert any("Kustomization" in gap for gap in acts.gaps)


async def test_action_on_all_without_a_filter_is_not_the_whole_fleet(small_fleet, acts):
    """One key too many must not mean everything there is."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("A")
        await shows(pilot, "nothing narrows the tree")
        await pilot.press("slash", *"nosuchthing", "enter", "A")
        await shows(pilot, "nothing is found")
        await pilot.press("colon", *"all explode", "enter")
        await shows(pilot, "no verb")
    assert not acts.asked


async def test_pause_carries_when_it_ends_and_may_be_told_by_an_event(small_fleet, acts):
    """A pause that nobody ends is an incident of next week."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "s")
        await shows(pilot, "ends after")
        await pilot.press(*"disk", "tab", *"soon", "ctrl+e", "enter")
        await shows(pilot, "is no duration")
        await pilot.press(*["backspace"] * 4, *"2h", "enter")
        await shows(pilot, "1 done")
    assert acts.asked[-1][2].expires_s == 7200
    assert acts.asked[-1][2].reason == "disk"
    assert acts.told is True


async def test_journal_line_is_undone_and_gone_on_with(small_fleet, acts):
    """What was done in the night is taken back where it is seen."""
    ref = next(row.ref for row in small_fleet.index.rows() if row.kind == "Cluster")
    entry = Entry(
        what=What.INTENT, id="1", at="2026-01-01T00:00:00Z", plan="p1", step=0, verb="pause",
        context=ref.context, group=ref.group, kind=ref.kind, namespace=ref.namespace,
        name=ref.name,
    )  # fmt: skip
    acts.journal.append(entry)
    async with running(small_fleet, acts) as pilot:
        await pilot.press("z")
        await shows(pilot, "lines of the journal")
        await pilot.press("colon", *"journal", "enter")
        await shows(pilot, "no answer was r")
        await pilot.press("z")
        await shows(pilot, "is kept")
        acts.kept = make_plan([ref], verb="undo pause")
        await pilot.press("z")
        await shows(pilot, "undo pause")
        await pilot.press("enter")
        await shows(pilot, "1 done")
        await pilot.press("escape")
        acts.refusal = Refusal(target="", reason="nothing is left to do")
        await pilot.press("Z")
        await shows(pilot, "nothing is left to do")
    assert [plan.verb for plan, _, _ in acts.executed] == ["undo pause"]


async def test_pause_of_objects_that_changed_meanwhile_is_asked_again(small_fleet, acts):
    """What is carried out is what was read, not what it has become."""
    plans = [make_plan, lambda refs, **more: make_plan(refs[:1], **more)]

    async def plan(verb_id, refs, options=None, *, scope_gaps=()):
        acts.asked.append((verb_id, tuple(refs), options))
        make = plans[min(len(acts.asked), 2) - 1]
        return make(tuple(refs), verb=verb_id)

    acts.plan = plan
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "space", "space", "s")
        await shows(pilot, "2 objects")
        await pilot.press(*"why", "enter")
        await shows(pilot, "look again")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert not acts.executed
        await pilot.press(*"why", "enter")
        await shows(pilot, "1 done")
    assert len(acts.executed) == 1
