"""Whatever happens in whatever order, what is shown ends equal to what the server holds."""

import asyncio
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from kube_model import SCOPE, ModelServer, Table, quick_rhythm, run_quickly
from kube_server import MACHINE, read_machine

from fleettui.kinds.batch import Deleted, Mark
from fleettui.kinds.record import Record
from fleettui.kube.driver import Following, Wanted
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.reflection import CatalogChanged, LinkChanged, Mode, Retry

_names = st.sampled_from([f"m{number}" for number in range(9)])
_faults = st.sampled_from(
    [
        (Fault.SERVER, 500),
        (Fault.SERVER, 503),
        (Fault.GONE, 410),
        (Fault.AHEAD, 504),
        (Fault.THROTTLED, 429),
        (Fault.UNREACHABLE, 0),
        (Fault.CUT, 0),
        (Fault.UNAUTHORIZED, 401),
        (Fault.FORBIDDEN, 403),
        (Fault.NOT_SERVED, 404),
        (Fault.MALFORMED, 200),
        (Fault.BAD_TOKEN, 400),
        (Fault.TLS, 0),
        (Fault.UNACCEPTABLE, 406),
        (Fault.INVALID, 422),
    ]
)
_happenings = st.lists(
    st.one_of(
        st.tuples(st.just("put"), _names),
        st.tuples(st.just("put"), _names),
        st.tuples(st.just("drop"), _names),
        st.tuples(st.just("pause"), st.floats(0, 400)),
        st.tuples(st.just("pause"), st.floats(0, 0.1)),
        st.tuples(st.just("compact"), st.none()),
        st.tuples(st.just("miss"), _names),
        st.tuples(st.just("end"), st.none()),
        st.tuples(st.just("cut"), _faults),
        st.tuples(st.just("fault"), _faults),
        st.tuples(st.just("link"), st.booleans()),
        st.tuples(st.just("serve"), st.booleans()),
    ),
    max_size=30,
)


def _error(fault: tuple[Fault, int]) -> ApiError:
    kind, code = fault
    return ApiError(kind.value, fault=kind, code=code)


def _apply(table: Table, batch_events: object) -> None:
    for event in batch_events:  # type: ignore[attr-defined]  # a batch's events
        if isinstance(event, Record):
            table.upsert(event)
        elif isinstance(event, Deleted):
            table.rows.pop(event.name, None)
        elif event is Mark.INIT:
            table.seen = set()
        elif event is Mark.INIT_DONE and table.seen is not None:
            table.rows = {n: v for n, v in table.rows.items() if n in table.seen}
            table.seen = None
        elif event is Mark.FORGET:
            table.rows.clear()


async def _happen(server: ModelServer, following: Following, what: str, how: object) -> None:
    if what == "put":
        server.put(str(how))
    elif what == "drop":
        server.drop(str(how))
    elif what == "pause":
        await asyncio.sleep(float(how))  # type: ignore[arg-type]  # a float with "pause"
    elif what == "miss":
        server.cut(_error((Fault.CUT, 0)))
        server.drop(str(how))
        server.compact()
    elif what == "compact":
        server.compact()
    elif what == "end":
        server.cut(None)
    elif what == "cut":
        server.cut(_error(how))  # type: ignore[arg-type]  # a fault with "cut"
    elif what == "fault":
        server.faults.append(_error(how))  # type: ignore[arg-type]  # a fault with "fault"
    elif what == "link":
        following.signal(LinkChanged(bool(how)))
    else:
        server.served = MACHINE if how else None
        following.signal(CatalogChanged())


async def _converges(happenings: list[tuple[str, object]], chunk_bytes: int) -> None:
    server = ModelServer()
    server.chunk_bytes = chunk_bytes
    for name in ("m1", "m2", "m3", "m4", "m5"):
        server.put(name)
    following = Following(server, Wanted(SCOPE, lambda _: read_machine), rhythm=quick_rhythm())
    table = Table()

    async def consume() -> None:
        async for batch in following.batches():
            _apply(table, batch.events)

    task = asyncio.create_task(consume())
    await asyncio.sleep(1)
    for what, how in happenings:
        await _happen(server, following, what, how)
        await asyncio.sleep(0)
    server.served = MACHINE
    server.faults.clear()
    following.signal(LinkChanged(True))
    following.signal(CatalogChanged())
    following.signal(Retry())
    before = server.requests
    await asyncio.sleep(1500)
    assert following.state.mode is Mode.WATCHING, following.state
    assert table.rows == server.held
    assert server.requests - before < 60
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@settings(max_examples=150, deadline=None)
@given(_happenings, st.integers(1, 400))
def test_following_any_interleaving_ends_equal_to_the_server(
    happenings: list[tuple[str, object]], chunk_bytes: int
) -> None:
    """Rows that never come, or never go, are the worst a fleet view can show."""
    run_quickly(_converges(happenings, chunk_bytes))


def test_following_quiet_hour_costs_a_handful_of_requests() -> None:
    """Forty quiet kinds on ten clusters must not be noticed by anybody."""

    async def main() -> None:
        server = ModelServer()
        server.put("m1")
        following = Following(server, Wanted(SCOPE, lambda _: read_machine), rhythm=quick_rhythm())

        async def consume() -> None:
            async for _ in following.batches():
                pass

        task = asyncio.create_task(consume())
        await asyncio.sleep(3600)
        assert server.requests <= 2 + 3600 / 150
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run_quickly(main())


def test_following_flapping_network_stays_below_a_third_of_a_request_a_second() -> None:
    """A bad network must not become a request storm when it recovers."""

    async def main() -> None:
        server = ModelServer()
        server.put("m1")
        following = Following(server, Wanted(SCOPE, lambda _: read_machine), rhythm=quick_rhythm())

        async def consume() -> None:
            async for _ in following.batches():
                pass

        task = asyncio.create_task(consume())
        for _ in range(600):
            server.faults = [_error((Fault.UNREACHABLE, 0))]
            server.cut(_error((Fault.CUT, 0)))
            await asyncio.sleep(1)
        assert server.requests <= 0.34 * 600
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run_quickly(main())
