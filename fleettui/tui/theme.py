"""Tones to styles: the only place that knows colours.

Everything drawn names a ``Tone`` (what it means) and a ``Look`` (what the line it
stands on is in); a ``Theme`` turns the pair into a style. Without colours meaning
stays readable: glyphs and words carry it, weight and inversion stress it.
Source: https://no-color.org.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from rich.style import Style
from textual.theme import BUILTIN_THEMES
from textual.theme import Theme as TextualTheme

from fleettui.kinds.record import Verdict


class Tone(StrEnum):
    """What a piece of text means."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    TITLE = "title"
    ACCENT = "accent"
    FAILED = "failed"
    STALLED = "stalled"
    PROGRESS = "progress"
    UNKNOWN = "unknown"
    CURRENT = "current"
    PAUSED = "paused"
    DELETING = "deleting"
    LINK = "link"
    KEY = "key"
    MATCH = "match"
    BADGE = "badge"
    """A word that must be seen: READ-ONLY."""
    ALARM = "alarm"
    """A word that must not be missed: INSECURE, a protected context."""
    RED = "red"
    GREEN = "green"
    YELLOW = "yellow"
    BLUE = "blue"
    MAGENTA = "magenta"
    CYAN = "cyan"
    """Grounds of contexts' banners, by the names that the settings file takes."""


class Look(Enum):
    """What the line is on which something stands."""

    PLAIN = "plain"
    BAR = "bar"
    CURSOR = "cursor"
    BLURRED_CURSOR = "blurred_cursor"
    MARKED = "marked"
    MARKED_CURSOR = "marked_cursor"


VERDICT_TONES: dict[Verdict, Tone] = {
    Verdict.FAILED: Tone.FAILED,
    Verdict.STALLED: Tone.STALLED,
    Verdict.IN_PROGRESS: Tone.PROGRESS,
    Verdict.UNKNOWN: Tone.UNKNOWN,
    Verdict.CURRENT: Tone.CURRENT,
}


@dataclass(frozen=True, slots=True)
class _Colours:
    """Colours of one theme, as hexadecimal RGB."""

    tones: dict[Tone, str]
    grounds: dict[Look, str]
    badge: str
    alarm: str
    on_badge: str


_DARK = _Colours(
    tones={
        Tone.PLAIN: "#d0d7de",
        Tone.DIM: "#7d8794",
        Tone.STRONG: "#ffffff",
        Tone.TITLE: "#8b98a8",
        Tone.ACCENT: "#5fc9d8",
        Tone.FAILED: "#ff6a69",
        Tone.STALLED: "#ff9d4d",
        Tone.PROGRESS: "#6cb2ff",
        Tone.UNKNOWN: "#c49bff",
        Tone.CURRENT: "#5fd47a",
        Tone.PAUSED: "#f2cc60",
        Tone.DELETING: "#e08bb8",
        Tone.LINK: "#7fb8e6",
        Tone.KEY: "#f2cc60",
        Tone.MATCH: "#f2cc60",
    },
    grounds={
        Look.PLAIN: "#0f141a",
        Look.BAR: "#1a222c",
        Look.CURSOR: "#2b4467",
        Look.BLURRED_CURSOR: "#222c3a",
        Look.MARKED: "#3a3212",
        Look.MARKED_CURSOR: "#5a4d17",
    },
    badge="#f2cc60",
    alarm="#ff6a69",
    on_badge="#0f141a",
)
_LIGHT = _Colours(
    tones={
        Tone.PLAIN: "#24292f",
        Tone.DIM: "#6a737d",
        Tone.STRONG: "#000000",
        Tone.TITLE: "#57606a",
        Tone.ACCENT: "#0a6c7d",
        Tone.FAILED: "#c4232e",
        Tone.STALLED: "#a64b00",
        Tone.PROGRESS: "#0860c4",
        Tone.UNKNOWN: "#7a45c4",
        Tone.CURRENT: "#177a37",
        Tone.PAUSED: "#8a6100",
        Tone.DELETING: "#a3316f",
        Tone.LINK: "#1d63a8",
        Tone.KEY: "#8a6100",
        Tone.MATCH: "#8a6100",
    },
    grounds={
        Look.PLAIN: "#ffffff",
        Look.BAR: "#eaeef2",
        Look.CURSOR: "#c6dcf7",
        Look.BLURRED_CURSOR: "#e3e9f0",
        Look.MARKED: "#fff3c4",
        Look.MARKED_CURSOR: "#f5df8c",
    },
    badge="#8a6100",
    alarm="#c4232e",
    on_badge="#ffffff",
)

_BOLD = frozenset(
    {Tone.STRONG, Tone.TITLE, Tone.FAILED, Tone.MATCH, Tone.BADGE, Tone.ALARM, Tone.KEY}
)
_MONO_LOOKS: dict[Look, Style] = {
    Look.PLAIN: Style(),
    Look.BAR: Style(),
    Look.CURSOR: Style(reverse=True),
    Look.BLURRED_CURSOR: Style(underline=True),
    Look.MARKED: Style(bold=True),
    Look.MARKED_CURSOR: Style(bold=True, reverse=True),
}
_MONO_TONES: dict[Tone, Style] = {
    Tone.DIM: Style(dim=True),
    Tone.BADGE: Style(reverse=True, bold=True),
    Tone.ALARM: Style(reverse=True, bold=True),
    Tone.MATCH: Style(underline=True, bold=True),
}
_BANNERS = {
    Tone.RED: "#c4232e",
    Tone.GREEN: "#177a37",
    Tone.YELLOW: "#8a6100",
    Tone.BLUE: "#0860c4",
    Tone.MAGENTA: "#a3316f",
    Tone.CYAN: "#0a6c7d",
}
"""Grounds of contexts' banners; text on them is white."""


def banner_tone(colour: str) -> Tone:
    """The tone of a context's banner by the settings' word; an alarm without one."""
    return Tone(colour) if colour in _BANNERS else Tone.ALARM


@dataclass(frozen=True, slots=True)
class Theme:
    """Styles of everything that is drawn."""

    name: str
    is_mono: bool = False
    """Without any colour."""
    _styles: dict[tuple[Tone, Look, bool], Style] = field(default_factory=dict, repr=False)

    def style(self, tone: Tone, look: Look = Look.PLAIN, *, is_faded: bool = False) -> Style:
        """The style of a tone on a line of this look; faded lines are stale."""
        key = (tone, look, is_faded)
        known = self._styles.get(key)
        if known is None:
            known = self._styles[key] = self._made(tone, look, is_faded)
        return known

    def _made(self, tone: Tone, look: Look, is_faded: bool) -> Style:
        bold = tone in _BOLD and not is_faded
        if tone in _BANNERS:
            is_plain = self.is_mono
            ground = None if is_plain else _BANNERS[tone]
            white = None if is_plain else "#ffffff"
            return Style(color=white, bgcolor=ground, bold=True, reverse=is_plain or None)
        if self.is_mono:
            style = _MONO_LOOKS[look] + _MONO_TONES.get(tone, Style())
            return style + Style(bold=bold or None, dim=is_faded or None)
        colours = _COLOURS[self.name]
        if tone in (Tone.BADGE, Tone.ALARM):
            ground = colours.badge if tone is Tone.BADGE else colours.alarm
            return Style(color=colours.on_badge, bgcolor=ground, bold=True)
        shown = Tone.DIM if is_faded and tone is not Tone.FAILED else tone
        return Style(
            color=colours.tones[shown],
            bgcolor=colours.grounds[look],
            bold=bold or None,
            italic=is_faded or None,
        )


_COLOURS = {"dark": _DARK, "light": _LIGHT}
DARK = Theme("dark")
LIGHT = Theme("light")
MONO = Theme("mono", is_mono=True)
THEMES = {theme.name: theme for theme in (DARK, LIGHT, MONO)}


def theme_for(setting: str, *, no_color: bool, colour_hint: str = "") -> Theme:
    """The theme to start with.

    Args:
        setting: ``auto``, ``dark`` or ``light``.
        no_color: whether ``NO_COLOR`` is set.
        colour_hint: value of ``COLORFGBG`` (``foreground;background``), by which some
            terminals tell a light background.
    """
    if no_color:
        return MONO
    if setting in ("dark", "light"):
        return THEMES[setting]
    ground = colour_hint.rpartition(";")[2]
    return LIGHT if ground in ("7", "15") else DARK


def theme_of(setting: str, environment: Mapping[str, str]) -> Theme:
    """The theme to start with, by the setting and what the environment says."""
    return theme_for(
        setting,
        no_color="NO_COLOR" in environment,
        colour_hint=environment.get("COLORFGBG", ""),
    )


def textual_theme(theme: Theme) -> TextualTheme:
    """The same colours for the few stock widgets in use: inputs, scroll bars, toasts."""
    if theme.is_mono:
        plain = "ansi_default"
        return TextualTheme(
            name="fleettui-mono",
            primary=plain,
            foreground=plain,
            background=plain,
            surface=plain,
            panel=plain,
            ansi=True,
            variables=dict(BUILTIN_THEMES["ansi-dark"].variables),
        )
    colours = _COLOURS[theme.name]
    return TextualTheme(
        name=f"fleettui-{theme.name}",
        primary=colours.tones[Tone.PROGRESS],
        secondary=colours.tones[Tone.ACCENT],
        accent=colours.tones[Tone.ACCENT],
        warning=colours.tones[Tone.STALLED],
        error=colours.tones[Tone.FAILED],
        success=colours.tones[Tone.CURRENT],
        foreground=colours.tones[Tone.PLAIN],
        background=colours.grounds[Look.PLAIN],
        surface=colours.grounds[Look.PLAIN],
        panel=colours.grounds[Look.BAR],
        dark=theme.name == "dark",
    )
