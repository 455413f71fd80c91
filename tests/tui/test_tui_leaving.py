"""Keys typed faster than screens close must not end the program."""

from textual import events
from textual.app import App

from fleettui.tui.screens.leaving import LeavableScreen


class Page(LeavableScreen[str]):
    """Leaves at every key."""

    def on_key(self, event: events.Key) -> None:
        self.dismiss(event.key)


async def test_screen_left_twice_in_one_breath_gives_its_first_result():
    """esc esc, typed fast, must close one screen and not crash."""
    results: list[str | None] = []
    app: App[None] = App()
    async with app.run_test() as pilot:
        await app.push_screen(Page(), results.append)
        for key in ("a", "b", "c"):
            app.post_message(events.Key(key, key))
        await pilot.pause()
        assert results == ["a"]
        assert not isinstance(app.screen, Page)


async def test_screen_under_another_one_is_not_left():
    """A late key must not take away what has just been opened on top."""
    results: list[str | None] = []
    app: App[None] = App()
    async with app.run_test() as pilot:
        below = Page()
        await app.push_screen(below, results.append)
        await app.push_screen(Page())
        below.dismiss("late")
        await pilot.pause()
        assert results == []
        assert isinstance(app.screen, Page)
