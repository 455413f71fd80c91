"""Watches: replay, live events, bookmarks, WatchList and the ways a watch ends.

Yields lines; refuses to know about sockets. Source: facts of a real kube-apiserver (protocol
notes), KEP-956 (bookmarks), KEP-3157 (WatchList).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from itertools import islice

import msgspec

from fleettui.demo.apiserver.changes import Change, ChangeType, Subscription
from fleettui.demo.apiserver.errors import ApiError, expired, too_large
from fleettui.demo.apiserver.listing import Cost
from fleettui.demo.apiserver.representation import Form
from fleettui.demo.apiserver.selectors import Selector
from fleettui.demo.apiserver.store import Store
from fleettui.demo.apiserver.table import Slot, Table

_SLICE = 500
_LINES_KEPT = 512


@dataclass(frozen=True, slots=True)
class WatchQuery:
    """The parameters of a watch request."""

    resource_version: str = ""
    timeout_s: float = 0.0
    bookmarks: bool = False
    send_initial: bool | None = None
    """None if the parameter was not sent."""


def query_of(parameters: Mapping[str, str]) -> WatchQuery:
    """The watch parameters of a URL's query.

    Raises:
        ApiError: 422 for the combinations a real server refuses.
    """
    initial = parameters.get("sendInitialEvents")
    match = parameters.get("resourceVersionMatch", "")
    if initial is not None and match != "NotOlderThan":
        raise _forbidden_option(
            "resourceVersionMatch",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        )
    if initial is None and match:
        raise _forbidden_option(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        )
    timeout = parameters.get("timeoutSeconds", "")
    return WatchQuery(
        resource_version=parameters.get("resourceVersion", ""),
        timeout_s=float(timeout) if timeout.isdigit() else 0.0,
        bookmarks=parameters.get("allowWatchBookmarks", "") in ("true", "1"),
        send_initial=None if initial is None else initial in ("true", "1"),
    )


def _forbidden_option(name: str, message: str) -> ApiError:
    return ApiError(
        422,
        "Invalid",
        f'ListOptions.meta.k8s.io "" is invalid: {name}: Forbidden: {message}',
        details={
            "group": "meta.k8s.io",
            "kind": "ListOptions",
            "causes": [{"reason": "FieldValueForbidden", "message": message, "field": name}],
        },
    )


class Watcher:
    """Answers watch requests of one store."""

    def __init__(
        self, store: Store, *, bookmark_every_s: float = 60.0, too_large_wait_s: float = 3.0
    ) -> None:
        self._store = store
        self._bookmark_every_s = bookmark_every_s
        self._too_large_wait_s = too_large_wait_s
        self._lines: dict[tuple[int, Form], bytes] = {}

    async def lines(
        self,
        form: Form,
        query: WatchQuery,
        *,
        namespace: str | None,
        selector: Selector,
        cost: Cost,
    ) -> AsyncGenerator[bytes, None]:
        """Groups of event lines as they happen; ends with the watch.

        Raises:
            ApiError: 500 for a resourceVersion that is no number.
        """
        store = self._store
        table = store.table(form.resource)
        text = query.resource_version
        if text and not text.isdigit():
            raise ApiError(500, "InternalError", f'strconv.ParseUint: parsing "{text}"')
        run = _Run(self, form, query, namespace, selector, cost)
        wanted = int(text or "0")
        if wanted > store.revision and query.send_initial:
            await asyncio.sleep(self._too_large_wait_s)
            if wanted > store.revision:
                yield _error(too_large(wanted, store.revision))
                return
        is_initial = query.send_initial or (query.send_initial is None and wanted == 0)
        if not is_initial and wanted and wanted < table.floor:
            yield _error(expired(f"too old resource version: {wanted} ({table.floor})"))
            return
        subscription = store.ledger.subscribe([form.resource], is_watch=True)
        try:
            if is_initial:
                async for lines in run.initial(table):
                    yield lines
            else:
                run.sent = wanted
                replay = [c for c in table.log if c.revision > wanted] if wanted else []
                yield run.events(replay)
            async for lines in run.live(subscription):
                yield lines
        finally:
            subscription.close()

    def line(self, change: Change, form: Form, *, is_first: bool) -> bytes:
        """The line of one change without a selector, shared by all watches."""
        if is_first and form.name == "table":
            return self._rendered(change, form, is_first=True)
        known = self._lines.get((change.revision, form))
        if known is None:
            known = self._rendered(change, form, is_first=False)
            self._lines[(change.revision, form)] = known
            while len(self._lines) > _LINES_KEPT:
                del self._lines[next(iter(self._lines))]
        return known

    def _rendered(self, change: Change, form: Form, *, is_first: bool) -> bytes:
        body = form.event_object(self._store, change.new_bytes or b"", is_first=is_first)
        return event_line(change.type, body)

    @property
    def bookmark_every_s(self) -> float:
        """Seconds between bookmarks of a watch whose kind's revision moved."""
        return self._bookmark_every_s


class _Run:
    """One watch in progress."""

    def __init__(
        self,
        watcher: Watcher,
        form: Form,
        query: WatchQuery,
        namespace: str | None,
        selector: Selector,
        cost: Cost,
    ) -> None:
        self._watcher = watcher
        self._store = watcher._store
        self._form = form
        self._query = query
        self._namespace = namespace
        self._selector = selector
        self._cost = cost
        self._is_first = True
        self.sent = 0
        """Everything up to this revision has been sent or is of no concern."""
        loop = asyncio.get_running_loop()
        timeout_s = query.timeout_s or random.uniform(1800, 3600)
        self._deadline = loop.time() + timeout_s
        self._bookmarked_at = loop.time()
        self._told = 0
        """The revision of the last event or bookmark."""
        self._has_last_word = timeout_s <= 2

    async def initial(self, table: Table) -> AsyncGenerator[bytes, None]:
        """ADDED for everything there is, then the bookmark that says so."""
        revision = self._store.revision
        snapshot = table.snapshot(revision)
        after = None
        while True:
            lines: list[bytes] = []
            last: Slot | None = None
            count = 0
            found = table.scan(namespace=self._namespace, after=after, snapshot=snapshot)
            for slot, data in islice(found, _SLICE):
                self._cost.scanned += 1
                count += 1
                last = slot
                if self._selector.matches(data):
                    lines.append(self._added(data))
            self._cost.returned += len(lines)
            yield b"".join(lines)
            if count < _SLICE or last is None:
                break
            after = table.key_of(last)
            await asyncio.sleep(0)
        self.sent = self._told = revision
        if self._query.send_initial and self._query.bookmarks:
            yield event_line("BOOKMARK", self._form.bookmark(revision, is_end=True))

    def _added(self, data: bytes) -> bytes:
        body = self._form.event_object(self._store, data, is_first=self._is_first)
        self._is_first = False
        return event_line(ChangeType.ADDED, body)

    def events(self, changes: list[Change]) -> bytes:
        """The lines of those changes that this watch is about."""
        lines = []
        for change in changes:
            if change.revision <= self.sent:
                continue
            line = self._event(change)
            self._cost.scanned += 1
            if line:
                self._is_first = False
                self._told = change.revision
                self._cost.returned += 1
                lines.append(line)
        return b"".join(lines)

    def _event(self, change: Change) -> bytes:
        if self._namespace is not None and change.namespace != self._namespace:
            return b""
        if self._selector.is_empty:
            return self._watcher.line(change, self._form, is_first=self._is_first)
        new, old = change.new_bytes, change.old_bytes
        matches_now = (
            change.type is not ChangeType.DELETED
            and new is not None
            and self._selector.matches(new)
        )
        matched = old is not None and self._selector.matches(old)
        if matches_now and new is not None:
            kind = ChangeType.MODIFIED if matched else ChangeType.ADDED
            body = self._form.event_object(self._store, new, is_first=self._is_first)
            return event_line(kind, body)
        if matched and old is not None:
            gone = _with_revision(old, change.revision)
            body = self._form.event_object(self._store, gone, is_first=self._is_first)
            return event_line(ChangeType.DELETED, body)
        return b""

    async def live(self, subscription: Subscription) -> AsyncGenerator[bytes, None]:
        """Events from now on until the deadline or the end of the subscription."""
        loop = asyncio.get_running_loop()
        self._told = max(self._told, self.sent)
        while True:
            next_word = min(
                self._deadline if self._has_last_word else self._deadline - 2,
                self._bookmarked_at + self._watcher.bookmark_every_s,
            )
            changes = await subscription.wait(max(next_word - loop.time(), 0))
            lines = self.events(changes)
            if lines:
                yield lines
            if subscription.is_ended:
                return
            now = loop.time()
            if now >= self._deadline:
                return
            if now >= self._deadline - 2 and not self._has_last_word:
                self._has_last_word = True
                yield self._bookmark(now)
            elif now >= self._bookmarked_at + self._watcher.bookmark_every_s:
                yield self._bookmark(now)

    def _bookmark(self, now: float) -> bytes:
        self._bookmarked_at = now
        revision = self._store.revision
        if not self._query.bookmarks or revision <= self._told:
            return b""
        self._told = revision
        return event_line("BOOKMARK", self._form.bookmark(revision, is_end=False))


def event_line(kind: str, body: bytes) -> bytes:
    """One watch event as it goes over the wire."""
    return b'{"type":"%b","object":%b}\n' % (kind.encode(), body)


def _error(error: ApiError) -> bytes:
    return event_line("ERROR", msgspec.json.encode(error.status()))


def _with_revision(data: bytes, revision: int) -> bytes:
    document = msgspec.json.decode(data)
    document["metadata"]["resourceVersion"] = str(revision)
    return msgspec.json.encode(document)
