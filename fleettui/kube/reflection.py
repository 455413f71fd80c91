"""The words of list-and-watch: states, what happens, and what is to be done.

Values only; the rules are in ``reflector``, the doing in ``driver``. Moments are
seconds of a monotonic clock unless they say otherwise.

Source: client-go ``tools/cache/reflector.go`` and kube-rs ``watcher.rs`` (states
and error classes), KEP-3157 (streaming lists).
"""

from enum import StrEnum

import msgspec

from fleettui.kinds.batch import Mark, Phase
from fleettui.kube.faults import ApiError
from fleettui.kube.resource import Resource

NEVER = float("-inf")


class Mode(StrEnum):
    """Where one reflector stands."""

    WAIT_LINK = "wait_link"
    RESOLVE = "resolve"
    RESUME = "resume"
    LISTING = "listing"
    STREAMING = "streaming"
    """The first list comes as events of the watch."""
    WATCHING = "watching"
    RECONNECT = "reconnect"
    THROTTLED = "throttled"
    BACKOFF = "backoff"
    RELIST = "relist"
    AUTH_WAIT = "auth_wait"
    FORBIDDEN = "forbidden"
    ABSENT = "absent"
    BROKEN = "broken"
    STOPPED = "stopped"


class Saved(msgspec.Struct, frozen=True):
    """Where an earlier run of the program stopped watching."""

    resource_version: str
    age_s: float
    """How long ago that was, by the wall clock."""
    loaded: int = 0
    """Objects that are known from then."""


class Counters(msgspec.Struct, frozen=True):
    """How often things happened since the reflector began."""

    lists: int = 0
    pages: int = 0
    watches: int = 0
    events: int = 0
    gone: int = 0
    dead: int = 0
    throttled: int = 0
    skipped: int = 0
    """Objects that were too large to read."""
    garbled: int = 0
    """Documents that could not be decoded."""
    short_watches: int = 0
    failures: int = 0


class Listing(msgspec.Struct, frozen=True):
    """A list that is under way."""

    token: str = ""
    resource_version: str = ""
    pages: int = 0
    loaded: int = 0
    expected: int = -1
    decoded_bytes: int = 0
    started_at: float = 0.0


class State(msgspec.Struct, frozen=True):
    """Everything one reflector knows of itself."""

    mode: Mode = Mode.WAIT_LINK
    since: float = 0.0
    resource: Resource | None = None
    resource_version: str = ""
    """Where the next watch begins; empty: a list is needed first."""
    saved: Saved | None = None
    is_synced: bool = False
    """Whether a list was completed, so that what is shown is whole as of some moment."""
    listing: Listing | None = None
    limit: int = 500
    streams_first: bool = False
    """Whether the next list is asked for as a stream."""
    metadata_only: bool = False
    failures: int = 0
    """Failures in a row, as far as back-off is concerned."""
    failed_at: float = NEVER
    contact_at: float = 0.0
    """When the server last said something useful."""
    gone_in_row: int = 0
    forbidden_at: float = NEVER
    """When rights were first found missing, ``NEVER`` while they are there."""
    forbidden_s: float = 60.0
    """How long the next wait for rights is."""
    garbled_at: tuple[float, ...] = ()
    skipped_at: float = NEVER
    doubted_at: float = NEVER
    """When the server last said that the kind's path is unknown."""
    phase: Phase = Phase.PENDING
    error: str = ""
    retry_at: float = 0.0
    """0: nothing is planned."""
    counters: Counters = Counters()


# What happens ------------------------------------------------------------------


class Begin(msgspec.Struct, frozen=True):
    """The scope is wanted."""

    is_link_up: bool = True


class LinkChanged(msgspec.Struct, frozen=True):
    """The probe of the whole link found it up or down."""

    is_up: bool
    error: str = ""


class Resolved(msgspec.Struct, frozen=True):
    """Discovery knows the kind; None: it knows that it is not served."""

    resource: Resource | None


class Probed(msgspec.Struct, frozen=True):
    """The resourceVersion of now, before a watch is resumed."""

    resource_version: str


class PageRead(msgspec.Struct, frozen=True):
    """A page has been read and told."""

    items: int
    resource_version: str
    token: str = ""
    remaining: int | None = None
    decoded_bytes: int = 0
    garbled: int = 0
    """Items that could not be read."""


class Opened(msgspec.Struct, frozen=True):
    """The watch is answered."""


class Seen(msgspec.Struct, frozen=True):
    """Some events have been read and told."""

    events: int = 0
    resource_version: str = ""
    """Of the last event or bookmark, empty if none had any."""
    is_bookmark: bool = False
    """Whether that version came from a bookmark."""
    is_initial_end: bool = False
    skipped: int = 0
    garbled: int = 0


class Closed(msgspec.Struct, frozen=True):
    """The watch ended properly."""

    lasted_s: float
    events: int


class Failed(msgspec.Struct, frozen=True):
    """A request, or the stream of a watch, failed."""

    error: ApiError
    lasted_s: float = 0.0
    """How long the stream lived, 0 if it never did."""


class Due(msgspec.Struct, frozen=True):
    """A wait is over."""


class Retry(msgspec.Struct, frozen=True):
    """A person does not want to wait."""


class CredentialsChanged(msgspec.Struct, frozen=True):
    """There are other credentials than those that were rejected."""


class CatalogChanged(msgspec.Struct, frozen=True):
    """What the server serves has changed."""


Input = (
    Begin
    | LinkChanged
    | Resolved
    | Probed
    | PageRead
    | Opened
    | Seen
    | Closed
    | Failed
    | Due
    | Retry
    | CredentialsChanged
    | CatalogChanged
)

# What is to be done ------------------------------------------------------------


class Resolve(msgspec.Struct, frozen=True):
    """Ask discovery for the kind; ``fresh``: ask the server again."""

    fresh: bool = False


class Probe(msgspec.Struct, frozen=True):
    """Ask for one object, to learn the resourceVersion of now."""


class ReadPage(msgspec.Struct, frozen=True):
    """Read one page of a list."""

    limit: int
    token: str = ""


class Watch(msgspec.Struct, frozen=True):
    """Open a watch; ``is_initial``: it begins with the whole list."""

    resource_version: str
    timeout_s: int
    idle_s: float
    is_initial: bool = False


class Wait(msgspec.Struct, frozen=True):
    """Do nothing until the time is over or somebody calls."""

    delay_s: float


class Tell(msgspec.Struct, frozen=True):
    """Pass news of the scope on."""

    mark: Mark | None = None
    """None: the status has changed."""


Request = Resolve | Probe | ReadPage | Watch | Wait
"""One at a time: a new request ends the one before."""

Effect = Request | Tell
