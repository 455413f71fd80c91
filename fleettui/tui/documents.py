"""What fills a screen of text: description, YAML, Events, log.

Knows what to ask of the fleet and how the answer becomes lines; knows no widget.
Each document is fetched when it is opened and when asked again. Values that look
like secrets are masked unless revealed.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import yaml

from fleettui.fleet.context import EventLine
from fleettui.fleet.describe.single import history_lines
from fleettui.index.index import Index
from fleettui.kinds.past import Past, past_of
from fleettui.kinds.record import ObjectRef
from fleettui.redaction import masked
from fleettui.text import safe_text
from fleettui.tui.detail import detail_lines, event_lines
from fleettui.tui.lines import Line, Span, spans_line, text_line
from fleettui.tui.ports import FleetPort
from fleettui.tui.prose import wrapped
from fleettui.tui.staleness import staleness_of
from fleettui.tui.theme import Tone

MAX_LOG_LINES = 5000
MAX_SCALAR = 65_536
"""Longest text of one YAML value shown, in characters."""


class Manner:
    """How a person wants to read: wrapped, with managedFields, with masked values revealed."""

    __slots__ = ("managed", "revealed", "wrap")

    def __init__(self) -> None:
        """Start with what is shortest and safest."""
        self.wrap = True
        self.managed = False
        self.revealed = False


class Document(Protocol):
    """Something to read that can be fetched."""

    @property
    def title(self) -> str:
        """What it is, raw."""
        ...

    @property
    def manners(self) -> frozenset[str]:
        """Which of ``managed``, ``refresh``, ``reveal`` and ``wrap`` make a difference.

        ``tail``: the newest stands last, and is what is shown.
        """
        ...

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Ask for it; ``changed`` tells that more of it came.

        Raises:
            FleettuiError: it cannot be had.
        """
        ...

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return its lines as far as it is there."""
        ...


def _name_of(ref: ObjectRef) -> str:
    return f"{ref.kind}/{ref.name}"


class Description:
    """All that is known of an object, with its Events."""

    manners: frozenset[str] = frozenset({"refresh"})

    def __init__(self, fleet: FleetPort, index: Index, ref: ObjectRef) -> None:
        """Describe this object."""
        self.title = f"describe {_name_of(ref)}"
        self._fleet = fleet
        self._index = index
        self._ref = ref
        self._events: Sequence[EventLine] | None = None
        self._past = Past((), ())

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Ask for the object, where its kind keeps a past, and for the Events."""
        row = self._index.get(self._ref)
        if row is not None and row.spec.history is not None:
            self._past = past_of(row.spec, await self._fleet.body(self._ref))
            changed()
        self._events = await self._fleet.events(self._ref)

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return the description; says so when the object is gone."""
        row = self._index.get(self._ref)
        if row is None:
            return [text_line(f"{self._ref} is no longer there", Tone.DIM)]
        now = self._fleet.now()
        note = "" if self._events is not None else "not read yet"
        past = [text_line(words) for words in history_lines(self._past)]
        known = detail_lines(
            row,
            self._index,
            now=now,
            width=width,
            events=self._events,
            note=note,
            stale=staleness_of(self._index.coverage, self._fleet.contexts()),
        )
        return [*known, *past]


class EventList:
    """Events about an object."""

    manners: frozenset[str] = frozenset({"refresh"})

    def __init__(self, fleet: FleetPort, ref: ObjectRef) -> None:
        """List Events about this object."""
        self.title = f"events {_name_of(ref)}"
        self._fleet = fleet
        self._ref = ref
        self._events: Sequence[EventLine] | None = None

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Ask for the Events."""
        self._events = await self._fleet.events(self._ref)

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return the Events, newest first."""
        if self._events is None:
            return []
        if not self._events:
            return [text_line("no Events about it are kept", Tone.DIM)]
        return list(event_lines(self._events, now=self._fleet.now(), width=width))


class Manifest:
    """The whole object as YAML, fetched now."""

    manners = frozenset({"managed", "refresh", "reveal", "wrap"})

    def __init__(self, fleet: FleetPort, ref: ObjectRef) -> None:
        """Show this object."""
        self.title = f"yaml {_name_of(ref)}"
        self._fleet = fleet
        self._ref = ref
        self._body: Mapping[str, Any] | None = None

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Ask for the object."""
        self._body = await self._fleet.body(self._ref)

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return the YAML; managedFields are folded away unless asked for."""
        if self._body is None:
            return []
        body = dict(self._body)
        if not manner.managed and isinstance(body.get("metadata"), Mapping):
            body["metadata"] = {k: v for k, v in body["metadata"].items() if k != "managedFields"}
        shown = _safe(body if manner.revealed else masked(body))
        text = yaml.dump(
            shown,
            Dumper=_YAML_DUMPER,
            sort_keys=False,
            allow_unicode=True,
            width=4096,
            default_flow_style=False,
        )
        return list(yaml_lines(text, width=width if manner.wrap else 0))


def _safe(value: Any) -> Any:
    """The JSON value with every text safe to show; YAML's own escapes would hide what it says."""
    if isinstance(value, str):
        return safe_text(value, limit=MAX_SCALAR, multiline=True)
    if isinstance(value, Mapping):
        return {safe_text(str(key)): _safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(item) for item in value]
    return value


_YAML_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The C one where PyYAML was built with it: ten times faster on large objects."""


def yaml_lines(text: str, *, width: int = 0) -> Iterator[Line]:
    """YAML with its keys told apart; long lines are wrapped when a width is given."""
    for line in text.splitlines():
        key, colon, rest = line.partition(":")
        bare = key.strip().removeprefix("- ")
        is_key = bool(colon) and (not rest or rest.startswith(" ")) and " " not in bare
        parts = wrapped(line, width) if width else [line]
        if is_key and parts[0].startswith(key + colon):
            first = parts[0][len(key) + 1 :]
            yield spans_line(Span(key + colon, Tone.ACCENT), Span(first))
        else:
            yield text_line(parts[0])
        for part in parts[1:]:
            yield text_line("  " + part)


class Log:
    """Lines of a log, as they come."""

    manners: frozenset[str] = frozenset({"refresh", "tail", "wrap"})

    def __init__(self, fleet: FleetPort, ref: ObjectRef) -> None:
        """Follow the log of this object."""
        self.title = f"logs {_name_of(ref)}"
        self._fleet = fleet
        self._ref = ref
        self._lines: deque[str] = deque(maxlen=MAX_LOG_LINES)

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Follow the log until it ends."""
        self._lines.clear()
        async for line in self._fleet.logs(self._ref):
            self._lines.append(line)
            changed()

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return what came so far."""
        found: list[Line] = []
        for line in self._lines:
            tone = Tone.FAILED if _is_error(line) else Tone.PLAIN
            parts = wrapped(line.rstrip("\n"), width) if manner.wrap else [line.rstrip("\n")]
            found.extend(text_line(part, tone) for part in parts)
        return found


def _is_error(line: str) -> bool:
    """Whether a line of a controller's log tells of an error (klog, zap, logr)."""
    is_klog = line.startswith("E") and line[1:5].isdigit()
    return is_klog or '"level":"error"' in line
