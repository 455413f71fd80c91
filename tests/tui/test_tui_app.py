"""The whole program on a fleet in memory: what keys do and what stands on the screen."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pilots import becomes, shows
from textual.pilot import Pilot

from fleettui.fleet.context import ContextState, EventLine
from fleettui.index.view import TreeView
from fleettui.kinds.record import Condition, ObjectRef, Verdict
from fleettui.tui.app import FleetApp
from fleettui.tui.theme import LIGHT, MONO
from fleettui.tui.widgets.line_pane import LinePane
from fleettui.tui.widgets.prompt import Prompt

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]")


@asynccontextmanager
async def running(fleet, *, size=(120, 30), theme=None) -> AsyncIterator[Pilot[int]]:
    """The program on this fleet."""
    app = FleetApp(fleet, fleet.index, TreeView(fleet.index), theme=theme)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield pilot


def screen_text(pilot: Pilot[int]) -> list[str]:
    """What the terminal shows, line by line."""
    width, height = pilot.app.size
    lines = pilot.app.screen._compositor.render_strips()
    assert len(lines) == height
    for strip in lines:
        assert strip.cell_length == width
    return [strip.text for strip in lines]


def tree_of(pilot: Pilot[int]) -> LinePane:
    return pilot.app.main.tree_pane


def cursor_name(pilot: Pilot[int]) -> str:
    line = pilot.app.main.keys.line
    return line.label if line else ""


async def test_app_first_frame_shows_contexts_clusters_and_keys(small_fleet):
    """The first screen has to say what there is and how to go on."""
    async with running(small_fleet) as pilot:
        text = "\n".join(screen_text(pilot))
    for word in ("mgmt-eu", "live", "prod-00", "REASON", "? help", "alice", "6✗"):
        assert word in text
    assert small_fleet.started
    assert small_fleet.closed


async def test_app_read_only_shows_the_badge_and_no_write_key(read_only_fleet):
    """On call one must see at a glance that nothing can be broken from here."""
    async with running(read_only_fleet, size=(200, 30)) as pilot:
        text = "\n".join(screen_text(pilot))
        assert "READ-ONLY" in text
        assert "pause" not in text
        assert "resume" not in text
        for key in ("s", "r", "R", "W", "a", "ctrl+d"):
            before = len(pilot.app.screen_stack)
            await pilot.press(key)
            assert len(pilot.app.screen_stack) == before


async def test_tree_moving_keys_reach_every_end(small_fleet):
    """k9s's and vim's keys are in everybody's fingers."""
    async with running(small_fleet, size=(120, 14)) as pilot:
        await pilot.press("asterisk")
        last = len(tree_of(pilot).source) - 1
        for key, place in (("G", last), ("g", 0), ("end", last), ("home", 0), ("j", 1), ("k", 0)):
            await pilot.press(key)
            assert tree_of(pilot).cursor == place
        await pilot.press("ctrl+f")
        page = tree_of(pilot).cursor
        assert 3 < page < last
        await pilot.press("pageup")
        assert tree_of(pilot).cursor == 0


async def test_tree_expand_and_collapse_walk_the_hierarchy(small_fleet):
    """Right opens, then goes in; left folds, then goes out."""
    async with running(small_fleet) as pilot:
        await pilot.press("j", "j")
        assert cursor_name(pilot) == "prod-00"
        before = len(tree_of(pilot).source)
        await pilot.press("l")
        assert len(tree_of(pilot).source) == before + 1
        await pilot.press("l")
        assert cursor_name(pilot) == "prod-00-md-0"
        await pilot.press("h")
        assert cursor_name(pilot) == "prod-00"
        await pilot.press("h")
        assert len(tree_of(pilot).source) == before
        await pilot.press("h")
        assert cursor_name(pilot) == "fleet"


async def test_tree_cursor_stays_on_its_object_and_place_under_churn(small_fleet, record_of):
    """A row that jumps away under the cursor gets the next key instead of the one meant."""
    async with running(small_fleet, size=(120, 12)) as pilot:
        await pilot.press("asterisk", *["j"] * 14)
        name, pane = cursor_name(pilot), tree_of(pilot)
        offset = pane.cursor - round(pane.scroll_y)
        small_fleet.put(*[record_of("Cluster", f"aaa-{n}") for n in range(7)])
        pilot.app.bridge.flush()
        await pilot.pause()
        assert cursor_name(pilot) == name
        assert pane.cursor - round(pane.scroll_y) == offset
        assert any(name in line for line in screen_text(pilot))


async def test_tree_cursor_on_deleted_object_stays_in_place(small_fleet):
    """When the object is gone the cursor must stand on something that exists."""
    async with running(small_fleet) as pilot:
        await pilot.press("j", "j", "j")
        assert cursor_name(pilot) == "prod-01"
        place = tree_of(pilot).cursor
        small_fleet.drop("Cluster", "prod-01")
        pilot.app.bridge.flush()
        await pilot.pause()
        assert tree_of(pilot).cursor == place
        assert cursor_name(pilot) == "prod-02"


async def test_tree_next_match_finds_what_is_broken(small_fleet):
    """n must lead from one broken thing to the next and round again."""
    async with running(small_fleet) as pilot:
        seen = []
        for _ in range(4):
            await pilot.press("n")
            seen.append(cursor_name(pilot))
        assert seen == ["prod-01", "prod-04", "apps", "prod-01"]
        await pilot.press("N")
        assert cursor_name(pilot) == "apps"


async def test_tree_faults_only_hides_what_is_healthy(small_fleet):
    """ctrl-z is how one sees only what is broken."""
    async with running(small_fleet) as pilot:
        await pilot.press("ctrl+z")
        text = "\n".join(screen_text(pilot))
        assert "prod-01" in text
        assert "prod-00 " not in text
        assert "only what is broken" in text
        await pilot.press("escape")
        assert "prod-00 " in "\n".join(screen_text(pilot))


async def test_tree_change_repaints_only_the_lines_that_differ(small_fleet, record_of):
    """A frame should cost what changed, not what is visible."""
    async with running(small_fleet) as pilot:
        await pilot.pause()
        pane = tree_of(pilot)
        regions = []
        refresh = pane.refresh
        pane.refresh = lambda *r, **k: (regions.extend(r), refresh(*r, **k))[1]
        small_fleet.put(
            record_of(
                "Cluster", "prod-02", verdict=Verdict.FAILED, reason="Boom", kubernetes_version="v2"
            )
        )
        pilot.app.bridge.flush()
        changed = {y for region in regions for y in region.line_range}
        assert changed == {0, 1, 4}, "the cluster and the groups that count it"


async def test_detail_pane_follows_the_cursor_and_jumps_to_references(small_fleet):
    """Details are of the row under the cursor; enter on a reference goes there."""
    small_fleet.event_lines = [
        EventLine(
            small_fleet.clock, "Warning", "FailedCreate", "no quota", 3, "capi", "Machine", "x"
        )
    ]
    async with running(small_fleet, size=(180, 40)) as pilot:
        await pilot.press("j", "j", "j", "i")
        await shows(pilot, "Cluster prod-01", "POINTED AT BY")
        await pilot.press("tab", "G")
        detail = pilot.app.main.detail.pane
        source = detail.source
        place = next(i for i, line in enumerate(source.lines) if line.target is not None)
        detail.move_to(place)
        await pilot.press("enter")
        assert cursor_name(pilot) == "prod-01-md-0-1", "the machine at fault comes first"


async def test_detail_pane_stands_beside_or_below_by_width(small_fleet):
    """Narrow terminals have no room beside the tree."""
    async with running(small_fleet, size=(180, 40)) as pilot:
        await pilot.press("j", "j", "i")
        detail = pilot.app.main.detail
        await becomes(pilot, lambda: detail.region.x > 60)
        await pilot.resize_terminal(90, 30)
        await becomes(pilot, lambda: detail.region.x == 0 and detail.region.y > 8)


async def test_yaml_masks_secrets_and_hides_managed_fields_until_asked(small_fleet):
    """A shoulder surfer must not read a token, a reader not scroll over managedFields."""
    ref = ObjectRef("mgmt-eu", "cluster.x-k8s.io", "Cluster", "fleet", "prod-00")
    small_fleet.bodies[ref] = {
        "kind": "Cluster",
        "metadata": {"name": "prod-00", "managedFields": [{"manager": "capi"}]},
        "spec": {"token": "s3cr3t-value", "paused": False},
    }
    async with running(small_fleet) as pilot:
        await pilot.press("j", "j", "y")
        text = await shows(pilot, "name: prod-00")
        assert "s3cr3t-value" not in text
        assert "manager: capi" not in text
        await pilot.press("m", "x")
        await shows(pilot, "manager: capi", "s3cr3t-value")
        await pilot.press("x")
        await shows(pilot, "name: prod-00", no=("s3cr3t-value",))
        await pilot.press("escape")
        await becomes(pilot, lambda: pilot.app.screen is pilot.app.main)


async def test_text_screen_failing_fetch_is_a_calm_line(small_fleet):
    """An object that cannot be read is an answer, not a traceback."""
    async with running(small_fleet) as pilot:
        await pilot.press("j", "j", "y")
        await shows(pilot, "cannot be read", "try again")


async def test_text_screen_search_finds_and_wraps(small_fleet):
    """/ and n work in text as in every pager."""
    small_fleet.log_lines = [f"line {n}" for n in range(100)]
    async with running(small_fleet) as pilot:
        ref = ObjectRef("prod", "", "Pod", "fleet", "capi-controller-manager-0")
        pilot.app.read(pilot.app.triage.log(ref))
        await shows(pilot, "line 99")
        await pilot.press("slash", *"line 7", "enter")
        pane = pilot.app.screen.pane
        first = pane.cursor
        assert pane.source.lines[first].text.startswith("line 7")
        await pilot.press("n")
        assert pane.cursor > first
        assert "11 matches" in screen_text(pilot)[0]


async def test_filter_that_is_entered_leaves_the_cursor_on_what_was_found(small_fleet):
    """Enter, then a key that acts: it must mean what was looked for, not the group above."""
    async with running(small_fleet) as pilot:
        await pilot.press("slash", *"prod-04", "enter")
        assert cursor_name(pilot) == "prod-04"
        await pilot.press("escape", "slash", *"nothing-like-it", "enter")
        assert pilot.app.main.prompt.is_open is False


async def test_filter_offers_to_read_what_it_could_not_search(small_fleet):
    """Whoever looks for a machine that was not read would take "0 found" for an answer."""
    async with running(small_fleet) as pilot:
        small_fleet.index.declare("mgmt-eu", [("x.example", "Widget")])
        await pilot.press("slash", *"prod")
        assert "not searched: Widget, ctrl-l reads them" in "\n".join(screen_text(pilot))
        await pilot.press("ctrl+l")
        assert small_fleet.asked == [("x.example", "Widget")]
        assert pilot.app.main.prompt.is_open


async def test_filter_entered_before_its_last_letters_arrived_is_the_whole_filter(small_fleet):
    """A terminal delivers a pasted line at once: enter must not be faster than the text."""
    async with running(small_fleet) as pilot:
        await pilot.press("slash")
        pilot.app.main.on_prompt_submitted(Prompt.Submitted("/", "prod-04"))
        assert cursor_name(pilot) == "prod-04"


async def test_command_line_runs_completes_and_reports_mistakes(small_fleet):
    """What is typed wrong must say so and leave the screen as it was."""
    async with running(small_fleet) as pilot:
        await pilot.press("colon", *"overv", "tab")
        assert pilot.app.screen.query_one(Prompt)._input.value == "overview"
        await pilot.press("enter")
        await becomes(pilot, lambda: pilot.app.screen is not pilot.app.main)
        await shows(pilot, "clusters")
        await pilot.press("q", "colon", *"nonsense", "enter")
        await becomes(pilot, lambda: any("nonsense" in n.message for n in pilot.app._notifications))
        await becomes(pilot, lambda: pilot.app.screen is pilot.app.main)
        await becomes(pilot, lambda: not pilot.app.main.query_one(Prompt).is_open)


async def test_command_kind_alias_shows_every_object_of_the_kind(small_fleet):
    """:machines is how k9s shows machines."""
    async with running(small_fleet) as pilot:
        pilot.app.run_command("machines")
        await shows(pilot, "prod-00-md-0-0")
        await pilot.press("escape")
        await becomes(pilot, lambda: pilot.app.main.state.is_home)


async def test_boards_open_from_the_command_line_and_lead_to_the_object(small_fleet):
    """From a board enter goes to the object in the tree."""
    async with running(small_fleet) as pilot:
        pilot.app.run_command("paused")
        await shows(pilot, "Kustomization/apps", "spec.suspend")
        await pilot.press("enter")
        await becomes(pilot, lambda: pilot.app.screen is pilot.app.main)
        await becomes(pilot, lambda: cursor_name(pilot) == "apps")


async def test_namespace_and_order_pickers_change_the_tree(small_fleet, record_of):
    """Namespaces and order change without a restart, and the header says so."""
    small_fleet.put(record_of("Cluster", "other", namespace="elsewhere"))
    async with running(small_fleet) as pilot:
        await pilot.press("ctrl+n", *"else", "enter")
        await shows(pilot, "other", "ns elsewhere", no=("prod-00",))
        pilot.app.run_command("ns all")
        await pilot.press("S", *"health", "enter")

        def first() -> str:
            return next((line for line in screen_text(pilot) if "prod-" in line), "")

        await becomes(pilot, lambda: "prod-01" in first())


async def test_contexts_open_and_close_without_restart(small_fleet):
    """:ctx is how one looks at another management cluster."""
    async with running(small_fleet) as pilot:

        def names() -> list[str]:
            return [info.name for info in small_fleet.contexts()]

        pilot.app.run_command("ctx +mgmt-us")
        await becomes(pilot, lambda: names() == ["mgmt-eu", "mgmt-us"])
        pilot.app.run_command("ctx mgmt-us")
        await becomes(pilot, lambda: names() == ["mgmt-us"])
        await shows(pilot, "connecting")


async def test_context_stale_keeps_rows_and_says_so(small_fleet):
    """After a lost connection the last known state is better than an empty screen."""
    async with running(small_fleet) as pilot:
        small_fleet.set_info(state=ContextState.STALE, since=small_fleet.clock - 300)
        pilot.app.bridge.flush()
        await shows(pilot, "stale 5m", "prod-00")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": ContextState.CONNECTING}, "connecting"),
        (
            {
                "state": ContextState.FAILED,
                "error": "connection refused",
                "hint": "is the VPN up?",
            },
            "is the VPN up?",
        ),
        ({"state": ContextState.LIVE}, "nothing to show"),
        ({"state": ContextState.LIVE, "missing": ("forbidden: clusters",)}, "forbidden: clusters"),
    ],
)
async def test_empty_fleet_shows_a_calm_screen(empty_fleet, changes, words):
    """An empty tree must say why it is empty and what to do next."""
    empty_fleet.set_info(**changes)
    async with running(empty_fleet, size=(80, 24)) as pilot:
        await shows(pilot, words)


async def test_terminal_too_small_says_so_and_recovers(small_fleet):
    """A tiny pane must not show a broken tree."""
    async with running(small_fleet, size=(40, 8)) as pilot:
        await shows(pilot, "too small")
        await pilot.resize_terminal(80, 24)
        await shows(pilot, "prod-00", no=("too small",))


@pytest.mark.parametrize(
    ("size", "theme"), [((80, 24), None), ((50, 10), LIGHT), ((200, 50), MONO), ((300, 80), LIGHT)]
)
async def test_every_size_and_theme_paints_whole_lines(small_fleet, size, theme):
    """Every line is as wide as the terminal, whatever is open."""
    async with running(small_fleet, size=size, theme=theme) as pilot:
        screen_text(pilot)
        await pilot.press("asterisk", "i", "j", "space")
        await becomes(pilot, lambda: pilot.app.main.detail.pane.source)
        screen_text(pilot)
        await pilot.press("question_mark")
        await becomes(pilot, lambda: pilot.app.screen is not pilot.app.main)
        await pilot.pause()
        screen_text(pilot)


async def test_no_color_emits_no_colour_anywhere(small_fleet, monkeypatch):
    """Who sets NO_COLOR gets none, not even from scroll bars and inputs."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(small_fleet, size=(90, 16)) as pilot:
        await pilot.press("asterisk", "i", "slash", *"prod")
        await pilot.pause(0.1)
        for strip in pilot.app.screen._compositor.render_strips():
            for _, style, _ in strip:
                for colour in (style.color, style.bgcolor) if style else ():
                    assert colour is None or colour.is_default


async def test_leaving_needs_two_presses_of_q(small_fleet, monkeypatch):
    """One stray q must not close the screen of an incident."""
    monkeypatch.setattr("fleettui.tui.app.LEAVE_S", 3600.0)
    async with running(small_fleet) as pilot:
        await pilot.press("q")
        assert pilot.app.is_running
        await pilot.press("q")
        await becomes(pilot, lambda: not pilot.app.is_running or pilot.app.return_code == 0)


async def test_mouse_selects_folds_and_scrolls(small_fleet):
    """People do click."""
    async with running(small_fleet, size=(120, 12)) as pilot:
        pane = tree_of(pilot)
        await pilot.click(pane, offset=(20, 2))
        assert pane.cursor == 2
        before = len(pane.source)
        await pilot.click(pane, offset=(4, 2))
        assert len(pane.source) == before + 1


_HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31m",
    "[@click=app.quit]click[/]",
    "[bold red]not markup[/bold",
    "[/]]][",
    "\u202egnp.exe",
    "z" + "\u0301" * 500,
    "a\r\nb\tc\x00d\x7f",
    "日本語" * 40,
    "\ud800 lone",
    "x" * 5000,
    "👩‍👩‍👧‍👦" * 30,
)


def _evil_record(record_of, text: str, number: int):
    """A cluster with hostile text in every field."""
    now = 1_790_000_000
    return record_of(
        "Cluster",
        f"{number}{text[:200]}",
        namespace=text[:60],
        uid=f"uid-{number}",
        verdict=Verdict.FAILED,
        reason=text,
        message=text,
        paused_by=text,
        flags=1,
        deleted_at=now - 5,
        kubernetes_version=text,
        labels=tuple((t, t) for t in _HOSTILE),
        annotations=((text, text),),
        finalizers=_HOSTILE,
        facts=((text, text),),
        conditions=tuple(Condition(t, "False", t, t, now) for t in _HOSTILE),
    )


async def test_hostile_text_reaches_no_pane_as_control_or_markup(empty_fleet, record_of):
    """A condition message must not write the clipboard, run an action or crash the program."""
    fleet = empty_fleet
    fleet.put(*[_evil_record(record_of, text, n) for n, text in enumerate(_HOSTILE)])
    fleet.sync()
    everything = " ".join(_HOSTILE)
    fleet.set_info(
        user=_HOSTILE[1], error=everything, hint=everything, missing=_HOSTILE, banner=_HOSTILE[3]
    )
    fleet.event_lines = [EventLine(fleet.clock, t, t, t, 2, t, t, t) for t in _HOSTILE]
    fleet.log_lines = list(_HOSTILE)
    body = {"metadata": {"name": everything}, "spec": {t: t for t in _HOSTILE}}
    fleet.bodies = {row.ref: body for row in fleet.index.rows()}
    async with running(fleet, size=(160, 60)) as pilot:
        app, views = pilot.app, []
        app.main.reshape(app.main.source.view.expand_all)
        await pilot.press("j", "j", "i")
        await pilot.pause(0.1)
        views += screen_text(pilot)
        for key in ("d", "y", "E", "L", "t"):
            await pilot.press(key)
            await pilot.pause(0.1)
            assert len(app.screen_stack) == 3
            views += screen_text(pilot)
            app.screen.pane.move_page(1)
            await pilot.pause()
            views += screen_text(pilot)
            await pilot.press("escape")
        for command in ("paused", "kinds", "overview", "controllers", "ns", "ctx"):
            app.run_command(command)
            await pilot.pause(0.05)
            views += screen_text(pilot)
            await pilot.press("escape")
        await pilot.press("c", "C")
        for text in _HOSTILE[:4]:
            app.say(text)
        await pilot.pause(0.05)
        views += screen_text(pilot)
        assert app.is_running
    assert not [line for line in views if _CONTROL.search(line)]


async def test_cursor_before_a_key_stays_on_the_first_line_while_rows_arrive(
    empty_fleet, record_of
) -> None:
    """A tree that scrolls by itself while lists load cannot be read."""
    fleet = empty_fleet
    async with running(fleet, size=(120, 20)) as pilot:
        app = pilot.app
        for number in range(40):
            fleet.put(record_of("Machine", f"orphan-{number}"))
        fleet.put(record_of("Cluster", "zulu"), context="zz")
        app.repaint()
        await pilot.pause()
        assert app.main.tree_pane.cursor == 0
        fleet.put(*(record_of("Cluster", f"c{number:02}") for number in range(40)))
        fleet.put(record_of("Cluster", "alpha"), context="aa")
        app.repaint()
        await pilot.pause()
        pane = app.main.tree_pane
        assert (pane.cursor, pane.scroll_y) == (0, 0)
        await pilot.press("j", "j")
        held = pane.cursor_key
        fleet.put(record_of("Cluster", "before"), context="a")
        app.repaint()
        await pilot.pause()
        assert pane.cursor_key == held
        assert pane.cursor > 2


async def test_rows_that_come_cost_no_layout_and_the_scroll_bar_knows_them(
    empty_fleet, record_of
) -> None:
    """Under churn every new machine would lay out the whole screen, and keys would wait."""
    fleet = empty_fleet
    async with running(fleet, size=(120, 20)) as pilot:
        app = pilot.app
        fleet.put(*(record_of("Cluster", f"c{number:03}") for number in range(50)))
        app.repaint()
        await pilot.pause()
        pane = app.main.tree_pane
        layouts = []
        original = app.screen._refresh_layout
        app.screen._refresh_layout = lambda *a, **k: (layouts.append(1), original(*a, **k))[1]
        fleet.put(*(record_of("Cluster", f"d{number:03}") for number in range(50)))
        app.repaint()
        await pilot.pause()
        assert layouts == []
        assert pane.vertical_scrollbar.window_virtual_size == len(pane.source) > 100
        await pilot.press("G")
        assert pane.cursor == len(pane.source) - 1
        assert pane.max_scroll_y == len(pane.source) - pane.visible_lines
        for number in range(50):
            fleet.drop("Cluster", f"c{number:03}")
            fleet.drop("Cluster", f"d{number:03}") if number else None
        app.repaint()
        await pilot.pause()
        assert pane.scroll_y == 0
        assert any("d000" in line for line in screen_text(pilot))


async def test_tick_while_the_program_is_left_does_nothing(small_fleet):
    """A timer that fires during the last moments must not end the program with a traceback."""
    async with running(small_fleet) as pilot:
        app = pilot.app
    assert not app.screen_stack
    app.tick()
    assert app.return_code in (0, None)
