"""The words of list-and-watch: states, what happens, and what is to be done.

Values only; the rules are in ``reflector``, the doing in ``driver``. Moments are
seconds of a monotonic clock unless they say otherwise.

Source: client-go ``tools/cache/reflector.go`` and kube-rs ``watcher.rs`` (states
and error classes), KEP-3157 (streaming lists).
"""

from dataclasses import dataclass, field
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class Saved:
    """Where an earlier run of the program stopped watching."""

    resource_version: str
    age_s: float
    """How long ago that was, by the wall clock."""


@dataclass(frozen=True, slots=True)
class Counters:
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


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is under way."""

    token: str = ""
    resource_version: str = ""
    pages: int = 0
    loaded: int = 0
    expected: int = -1
    decoded_bytes: int = 0
    started_at: float = 0.0


@dataclass(frozen=True, slots=True)
class State:
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
    counters: Counters = field(default_factory=Counters)


# What happens ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """The scope is wanted."""

    is_link_up: bool = True


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The probe of the whole link found it up or down."""

    is_up: bool
    error: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Discovery knows the kind; None: it knows that it is not served."""

    resource: Resource | None


@dataclass(frozen=True, slots=True)
class Probed:
    """The resourceVersion of now, before a watch is resumed."""

    resource_version: str


@dataclass(frozen=True, slots=True)
class PageRead:
    """A page has been read and told."""

    items: int
    resource_version: str
    token: str = ""
    remaining: int | None = None
    decoded_bytes: int = 0
    garbled: int = 0
    """Items that could not be read."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The watch is answered."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Some events have been read and told."""

    events: int = 0
    resource_version: str = ""
    """Of the last event or bookmark, empty if none had any."""
    is_bookmark: bool = False
    """Whether that version came from a bookmark."""
    is_initial_end: bool = False
    skipped: int = 0
    garbled: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """The watch ended properly."""

    lasted_s: float
    events: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A request, or the stream of a watch, failed."""

    error: ApiError
    lasted_s: float = 0.0
    """How long the stream lived, 0 if it never did."""


@dataclass(frozen=True, slots=True)
class Due:
    """A wait is over."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A person does not want to wait."""


@dataclass(frozen=True, slots=True)
class CredentialsChanged:
    """There are other credentials than those that were rejected."""


@dataclass(frozen=True, slots=True)
class CatalogChanged:
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


@dataclass(frozen=True, slots=True)
class Resolve:
    """Ask discovery for the kind; ``fresh``: ask the server again."""

    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask for one object, to learn the resourceVersion of now."""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Read one page of a list."""

    limit: int
    token: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """Open a watch; ``is_initial``: it begins with the whole list."""

    resource_version: str
    timeout_s: int
    idle_s: float
    is_initial: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing until the time is over or somebody calls."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Pass news of the scope on."""

    mark: Mark | None = None
    """None: the status has changed."""


Request = Resolve | Probe | ReadPage | Watch | Wait
"""One at a time: a new request ends the one before."""

Effect = Request | Tell
