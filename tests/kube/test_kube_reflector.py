"""The state machine of list and watch, step by step, without any input or output."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from fleettui.kinds.batch import Mark, Phase
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.reflection import (
    Begin,
    CatalogChanged,
    Closed,
    CredentialsChanged,
    Due,
    Effect,
    Failed,
    Input,
    LinkChanged,
    Mode,
    Opened,
    PageRead,
    Probe,
    Probed,
    ReadPage,
    Resolve,
    Resolved,
    Retry,
    Saved,
    Seen,
    State,
    Tell,
    Wait,
    Watch,
)
from fleettui.kube.reflector import step
from fleettui.kube.resource import Resource

MACHINE = Resource("cluster.x-k8s.io", "v1beta2", "machines", "Machine")


class Walk:
    """A reflector under a clock that the test moves."""

    def __init__(self, state: State | None = None, *, chance: float = 0.0) -> None:
        self.state = state or State()
        self.now = 1000.0
        self.chance = chance
        self.effects: tuple[Effect, ...] = ()

    def after(self, seconds: float) -> "Walk":
        """Lets time pass."""
        self.now += seconds
        return self

    def on(self, *inputs: Input) -> "Walk":
        """Takes inputs one after another; keeps the last effects."""
        for happened in inputs:
            self.state, self.effects = step(
                self.state, happened, now=self.now, chance=lambda: self.chance
            )
        return self

    @property
    def request(self) -> Effect:
        """What is to be done."""
        return next(effect for effect in self.effects if not isinstance(effect, Tell))

    @property
    def marks(self) -> list[Mark]:
        """Marks told by the last step."""
        return [e.mark for e in self.effects if isinstance(e, Tell) and e.mark is not None]

    @property
    def delay_s(self) -> float:
        """How long is waited."""
        assert isinstance(self.request, Wait)
        return self.request.delay_s


def fault(kind: Fault, *, code: int = 0, retry_after_s: float = 0.0) -> Failed:
    """A failure of a class."""
    return Failed(ApiError(kind.value, fault=kind, code=code, retry_after_s=retry_after_s))


LISTED = (Begin(), Resolved(MACHINE), PageRead(3, "50"))
LIVE = (*LISTED, Opened())


def test_start_to_live_asks_for_one_list_and_one_watch() -> None:
    """The ordinary way: anything else would load the API server more than kubectl does."""
    walk = Walk().on(Begin())
    assert walk.request == Resolve()
    assert walk.on(Resolved(MACHINE)).request == ReadPage(500)
    assert walk.marks == [Mark.INIT]
    assert walk.state.phase is Phase.SYNCING
    walk.on(PageRead(500, "50", "token", 700, 4_000_000))
    assert walk.request == ReadPage(500, "token")
    assert walk.state.listing is not None
    assert walk.state.listing.expected == 1200
    walk.on(PageRead(700, "50", "", None, 5_600_000))
    assert walk.request == Watch("50", 240, 150.0)
    assert walk.marks == [Mark.INIT_DONE]
    assert walk.on(Opened()).state.mode is Mode.WATCHING
    assert walk.state.phase is Phase.LIVE


def test_watch_timeout_is_spread_between_240_and_290() -> None:
    """All watches of all people ending at once would be a herd."""
    assert Walk(chance=0.0).on(*LISTED).request == Watch("50", 240, 150.0)
    assert Walk(chance=0.9999).on(*LISTED).request == Watch("50", 290, 150.0)


def test_eof_after_a_while_reopens_at_the_last_version_without_alarm() -> None:
    """A server ends every watch after minutes; that must be invisible."""
    walk = Walk().on(*LIVE, Seen(2, "57")).after(250).on(Closed(250, 2))
    assert walk.delay_s <= 0.5
    assert walk.state.phase is Phase.LIVE
    assert walk.on(Due()).request == Watch("57", 240, 150.0)


def test_eof_at_once_backs_off_further_each_time() -> None:
    """A server that closes every watch must not be asked a thousand times a second."""
    walk = Walk().on(*LIVE)
    delays = []
    for _ in range(7):
        delays.append(walk.on(Closed(0.2, 0)).delay_s)
        walk.after(delays[-1]).on(Due(), Opened())
    assert delays == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]


def test_backoff_is_reset_after_two_quiet_minutes_and_jittered_to_twice() -> None:
    """Otherwise one bad hour makes every later hiccup cost half a minute."""
    walk = Walk(chance=0.5).on(*LIVE)
    assert walk.on(fault(Fault.SERVER)).delay_s == pytest.approx(1.2)
    assert walk.on(Due(), fault(Fault.SERVER)).delay_s == pytest.approx(2.4)
    walk.on(Due(), Opened()).after(121)
    assert walk.on(fault(Fault.SERVER)).delay_s == pytest.approx(1.2)


def test_410_drops_the_version_and_relists_without_blanking() -> None:
    """The rows stay; what was deleted meanwhile is found by the new list."""
    walk = Walk().on(*LIVE, Seen(1, "60")).on(fault(Fault.GONE, code=410))
    assert walk.state.resource_version == ""
    assert walk.delay_s <= 0.5
    assert walk.state.phase is Phase.LIVE
    walk.on(Due())
    assert walk.request == ReadPage(500)
    assert walk.marks == [Mark.INIT]
    assert walk.state.phase is Phase.LIVE


def test_410_again_and_again_backs_off_and_then_streams() -> None:
    """A server whose lists are always too old must neither be hammered nor given up."""
    walk = Walk().on(*LIVE)
    delays = []
    for _ in range(5):
        delays.append(walk.on(fault(Fault.GONE, code=410)).delay_s)
        walk.after(delays[-1]).on(Due())
        if isinstance(walk.request, ReadPage):
            walk.on(PageRead(3, "50"), Opened())
    assert delays[1:] == [0.8, 1.6, 3.2, 6.4]
    assert isinstance(walk.request, Watch)
    assert walk.request.is_initial


def test_410_on_a_continue_token_starts_over_with_larger_pages() -> None:
    """A token that died of old age means the pages were too small for this link."""
    walk = Walk().on(Begin(), Resolved(MACHINE), PageRead(500, "50", "t", 900))
    walk.on(fault(Fault.GONE, code=410), Due())
    assert walk.request == ReadPage(1000)
    assert walk.marks == [Mark.INIT]


@pytest.mark.parametrize(("asked", "waited"), [(0.0, 1.0), (7.0, 7.0), (0.1, 0.5)])
def test_429_on_watch_keeps_the_version_and_waits_as_told(asked: float, waited: float) -> None:
    """After a CRD change every watch gets 429: relisting them all would be the incident."""
    walk = Walk().on(*LIVE, Seen(1, "60"))
    walk.on(fault(Fault.THROTTLED, code=429, retry_after_s=asked))
    assert walk.delay_s == pytest.approx(waited)
    assert walk.state.mode is Mode.THROTTLED
    assert walk.on(Due()).request == Watch("60", 240, 150.0)


def test_429_on_a_page_goes_on_with_the_same_token() -> None:
    """A busy server must not be asked for everything again."""
    walk = Walk().on(Begin(), Resolved(MACHINE), PageRead(500, "50", "t", 900))
    walk.on(fault(Fault.THROTTLED, code=429), Due())
    assert walk.request == ReadPage(500, "t")


def test_401_waits_for_credentials_and_goes_on_when_they_change() -> None:
    """A rejected sign-in must not run the plug-in in a loop, nor lose the place."""
    walk = Walk().on(*LIVE, Seen(1, "60")).on(fault(Fault.UNAUTHORIZED, code=401))
    assert walk.state.mode is Mode.AUTH_WAIT
    assert walk.delay_s >= 30
    assert walk.state.phase is Phase.STALE
    assert walk.on(CredentialsChanged()).request == Watch("60", 240, 150.0)


def test_403_is_asked_again_ever_more_rarely_and_rows_go_after_ten_minutes() -> None:
    """Rights that are gone must be named at once, and old rows must not stay for ever."""
    walk = Walk().on(*LIVE).on(fault(Fault.FORBIDDEN, code=403))
    assert walk.state.phase is Phase.FORBIDDEN
    delays = [walk.delay_s]
    for _ in range(5):
        walk.after(delays[-1]).on(Due())
        if Mark.FORGET in walk.marks:
            break
        delays.append(walk.on(fault(Fault.FORBIDDEN, code=403)).delay_s)
    assert delays == [60, 120, 240, 480]
    assert walk.marks[0] is Mark.FORGET


def test_404_of_the_path_asks_discovery_before_rows_are_dropped() -> None:
    """A proxy's 404 must not empty the screen; a deleted CRD must."""
    walk = Walk().on(*LIVE).after(10).on(fault(Fault.NOT_SERVED, code=404))
    assert walk.request == Resolve(fresh=True)
    still_there = Walk(walk.state)
    still_there.now = walk.now
    assert still_there.on(Resolved(MACHINE)).state.mode is Mode.BACKOFF
    walk.on(Resolved(None))
    assert walk.marks == [Mark.INIT, Mark.INIT_DONE]
    assert walk.state.phase is Phase.ABSENT
    assert walk.on(CatalogChanged()).request == Resolve()


@pytest.mark.parametrize("kind", Fault)
def test_discovery_that_fails_is_never_asked_in_a_loop(kind: Fault) -> None:
    """A kubeconfig that points at some web server must not make us hammer it."""
    walk = Walk(State(metadata_only=True)).on(Begin(), fault(kind, code=404))
    assert isinstance(walk.request, Wait)
    assert walk.delay_s >= 0.5 or kind in (Fault.GONE, Fault.AHEAD)


def test_other_version_served_relists_at_that_version() -> None:
    """When v1beta1 is switched off the same rows must come from v1beta2."""
    newer = replace(MACHINE, version="v1beta3")
    walk = Walk().on(*LIVE).after(1).on(fault(Fault.NOT_SERVED), Resolved(newer))
    assert walk.state.resource == newer
    assert walk.request == ReadPage(500)


def test_html_of_a_proxy_keeps_rows_and_version() -> None:
    """A gateway's error page says nothing about the objects behind it."""
    walk = Walk().on(*LIVE, Seen(1, "60")).on(fault(Fault.SERVER, code=502))
    assert walk.state.phase is Phase.LIVE
    assert walk.after(6).on(Due(), fault(Fault.SERVER, code=502)).state.phase is Phase.STALE
    assert walk.on(Due()).request == Watch("60", 240, 150.0)


def test_unreachable_is_stale_at_once_and_waits_for_the_link() -> None:
    """A killed server must show as stale within a second, and not be knocked at by all kinds."""
    walk = Walk().on(*LIVE).after(100).on(fault(Fault.UNREACHABLE))
    assert walk.state.phase is Phase.STALE
    walk.on(LinkChanged(False, "refused"))
    assert walk.delay_s == float("inf")
    assert walk.state.mode is Mode.WAIT_LINK
    walk.chance = 0.5
    assert walk.on(LinkChanged(True)).delay_s == 1.5
    assert walk.on(Due()).request == Watch("50", 265, 150.0)


def test_tls_trouble_is_not_retried_faster_than_half_a_minute() -> None:
    """A wrong certificate does not become right by asking often."""
    assert Walk().on(Begin(), Resolved(MACHINE), fault(Fault.TLS)).delay_s >= 30


def test_cut_stream_reopens_at_once_the_first_time() -> None:
    """A load balancer that cuts idle connections must be invisible."""
    walk = Walk().on(*LIVE, Seen(1, "60")).after(200)
    walk.on(Failed(ApiError("cut", fault=Fault.CUT), lasted_s=200))
    assert walk.delay_s <= 1
    assert walk.state.phase is Phase.LIVE
    assert walk.on(Due()).request == Watch("60", 240, 150.0)


def test_bookmark_that_goes_back_relists() -> None:
    """A server restored from a backup must not leave rows of its lost future on screen."""
    walk = Walk().on(*LIVE, Seen(1, "60")).on(Seen(0, "40", is_bookmark=True))
    assert walk.state.resource_version == ""
    assert isinstance(walk.request, Wait)
    assert walk.on(Due()).marks == [Mark.INIT]


def test_event_with_an_older_version_does_not_move_the_watch_back() -> None:
    """Reordered events must not make the next watch replay or miss anything."""
    walk = Walk().on(*LIVE, Seen(1, "60"), Seen(1, "55"))
    assert walk.state.resource_version == "60"


def test_versions_that_are_no_numbers_are_taken_as_they_come() -> None:
    """Aggregated servers may use opaque versions."""
    walk = Walk().on(*LIVE, Seen(1, "abc"), Seen(1, "abb", is_bookmark=True))
    assert walk.state.resource_version == "abb"


def test_object_too_large_to_read_relists_once() -> None:
    """One monstrous object must neither be missed nor put the kind into a loop."""
    walk = Walk().on(*LIVE).on(Seen(skipped=1))
    assert walk.on(Due()).marks == [Mark.INIT]
    walk.on(PageRead(3, "61"), Opened()).after(5).on(Seen(skipped=1))
    assert walk.effects == ()


def test_garbled_lines_are_survived_until_there_are_too_many() -> None:
    """One bad line is nothing; many mean that events were missed."""
    walk = Walk().on(*LIVE, Seen(1, "51", garbled=1), Seen(1, "52", garbled=2))
    assert walk.effects == ()
    assert isinstance(walk.on(Seen(1, "53", garbled=1)).request, Wait)


def test_500_in_the_stream_is_rewatched_three_times_and_then_relisted() -> None:
    """A version that a server cannot serve any more must not be asked for for ever."""
    walk = Walk().on(*LIVE, Seen(1, "60"))
    for _ in range(3):
        walk.on(fault(Fault.SERVER, code=500), Due())
        assert isinstance(walk.request, Watch)
        walk.on(Opened())
    assert isinstance(walk.on(fault(Fault.SERVER, code=500), Due()).request, ReadPage)


def test_streamed_list_refused_falls_back_to_pages() -> None:
    """Servers without streaming lists answer 422; nobody should notice."""
    walk = Walk(State(streams_first=True)).on(Begin(), Resolved(MACHINE))
    assert isinstance(walk.request, Watch)
    assert walk.request.is_initial
    assert walk.on(fault(Fault.INVALID, code=422)).request == ReadPage(500)


def test_streamed_list_is_whole_at_its_end_bookmark() -> None:
    """Until then a missing row means nothing."""
    walk = Walk(State(streams_first=True)).on(Begin(), Resolved(MACHINE), Opened(), Seen(5, "40"))
    assert walk.state.phase is Phase.SYNCING
    assert not walk.state.is_synced
    walk.on(Seen(0, "50", is_bookmark=True, is_initial_end=True))
    assert walk.marks == [Mark.INIT_DONE]
    assert (walk.state.mode, walk.state.phase) == (Mode.WATCHING, Phase.LIVE)


@pytest.mark.parametrize("end", [Closed(20, 5), fault(Fault.CUT)])
def test_streamed_list_that_never_ends_falls_back_to_pages(end: Input) -> None:
    """Some servers ignore the parameters and send no end: the list must come all the same."""
    walk = Walk(State(streams_first=True)).on(Begin(), Resolved(MACHINE), Opened(), Seen(5, "40"))
    walk.on(end, Due())
    assert walk.request == ReadPage(500)
    assert walk.marks == [Mark.INIT]


def test_metadata_only_refused_asks_for_whole_objects() -> None:
    """Some aggregated servers know only one representation."""
    walk = Walk(State(metadata_only=True)).on(Begin(), Resolved(MACHINE))
    walk.on(fault(Fault.UNACCEPTABLE, code=406))
    assert not walk.state.metadata_only
    assert walk.request == ReadPage(500)


def test_malformed_list_is_broken_for_a_minute() -> None:
    """A conversion webhook that fails must be shown with its words, not as an empty kind."""
    walk = Walk().on(Begin(), Resolved(MACHINE), fault(Fault.MALFORMED))
    assert walk.state.phase is Phase.BROKEN
    assert walk.delay_s >= 60
    assert walk.on(Retry()).request == ReadPage(500)


def test_list_that_stays_500_shows_the_webhooks_words() -> None:
    """A broken conversion webhook is the cluster's trouble, and has to be read to be repaired."""
    walk = Walk().on(Begin(), Resolved(MACHINE))
    for _ in range(2):
        assert walk.on(fault(Fault.SERVER, code=500)).state.phase is not Phase.BROKEN
        walk.on(Due())
    assert walk.on(fault(Fault.SERVER, code=500)).state.phase is Phase.BROKEN
    assert walk.state.error == "server"


def test_garbage_token_starts_the_list_again() -> None:
    """A token that the server does not understand must not be repeated."""
    walk = Walk().on(Begin(), Resolved(MACHINE), PageRead(500, "50", "t", 9))
    assert walk.on(fault(Fault.BAD_TOKEN, code=400), Due()).request == ReadPage(500)


def test_slow_list_takes_larger_pages_and_then_streams() -> None:
    """Tokens die after five minutes; a list that needs longer would never end."""
    walk = Walk().on(Begin(), Resolved(MACHINE))
    loaded = 0
    for _ in range(3):
        loaded += 500
        walk.after(5).on(PageRead(500, "50", "t", 600_000 - loaded, 2_000_000))
    assert isinstance(walk.request, ReadPage)
    assert walk.request.limit == 2000
    for _ in range(6):
        loaded += 500
        walk.after(20).on(PageRead(500, "50", "t", 600_000 - loaded, 2_000_000))
    assert isinstance(walk.request, Watch)
    assert walk.request.is_initial


def test_slow_list_of_large_objects_keeps_its_pages_small() -> None:
    """Behind a slow link one page of 20 MB would hold up everything, and come uncompressed."""
    walk = Walk().on(Begin(), Resolved(MACHINE))
    loaded = 0
    for _ in range(4):
        loaded += 400
        walk.after(20).on(PageRead(400, "50", "t", 10_000 - loaded, 4_000_000))
    assert isinstance(walk.request, ReadPage)
    assert walk.request.limit == 800


def test_page_size_follows_the_size_of_objects() -> None:
    """Large objects in large pages would block every key while they are decoded."""
    walk = Walk().on(Begin(), Resolved(MACHINE), PageRead(500, "50", "t", 900, 20_000_000))
    assert walk.request == ReadPage(100, "t")


@pytest.mark.parametrize(
    ("saved", "now", "resumes"),
    [("100", "150", True), ("100", "100", True), ("200", "150", False), ("x", "150", False)],
)
def test_resume_needs_a_version_the_server_has_seen(saved: str, now: str, resumes: bool) -> None:
    """A watch at a version of the future is silent for ever: rows would look live and be dead."""
    walk = Walk(State(saved=Saved(saved, age_s=60))).on(Begin(), Resolved(MACHINE))
    assert walk.request == Probe()
    assert walk.state.phase is Phase.CACHED
    walk.on(Probed(now))
    assert isinstance(walk.request, Watch) is resumes


def test_resume_after_an_hour_lists_instead() -> None:
    """Nobody promises an hour of history; a list is cheaper than a refused watch."""
    walk = Walk(State(saved=Saved("100", age_s=4000))).on(Begin(), Resolved(MACHINE), Probed("150"))
    assert isinstance(walk.request, ReadPage)


ALL_INPUTS: Iterable[Input] = (
    Begin(),
    Begin(is_link_up=False),
    LinkChanged(True),
    LinkChanged(False),
    Resolved(MACHINE),
    Resolved(None),
    Probed("5"),
    PageRead(1, "5"),
    PageRead(1, "5", "t", 3),
    Opened(),
    Seen(1, "7"),
    Closed(5, 0),
    Due(),
    Retry(),
    CredentialsChanged(),
    CatalogChanged(),
    *(fault(kind, code=500) for kind in Fault),
)


@pytest.mark.parametrize("mode", Mode)
def test_every_input_in_every_mode_is_survived(mode: Mode) -> None:
    """Whatever a server does in whatever order, a scope never dies."""
    for happened in ALL_INPUTS:
        walk = Walk(State(mode=mode, resource=MACHINE, resource_version="5")).on(happened)
        waits = [e for e in walk.effects if isinstance(e, Wait)]
        assert all(wait.delay_s >= 0 for wait in waits)
        assert sum(not isinstance(e, Tell) for e in walk.effects) <= 1
