"""Lists: consistent pages, continue tokens and resourceVersion semantics.

Unchanged objects are never decoded here unless a selector or a Table needs it.
Source: k8s.io/apiserver registry/generic, resourceVersion semantics of the API concepts page,
facts of a real kube-apiserver.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from fleettui.demo.apiserver.errors import ApiError, bad_request, expired, too_large
from fleettui.demo.apiserver.representation import Form
from fleettui.demo.apiserver.selectors import Selector
from fleettui.demo.apiserver.store import Store
from fleettui.demo.apiserver.table import Key, Slot, Snapshot, Table

_SLICE = 500
"""Items rendered before other requests get a turn in an unpaginated list."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The parameters of a list request."""

    limit: int = 0
    token: str = ""
    resource_version: str = ""
    match: str = ""


@dataclass(slots=True)
class Cost:
    """What a request made the server do."""

    scanned: int = 0
    """Objects read from the store, also those a selector dropped."""
    returned: int = 0


class _Token(msgspec.Struct):
    v: str
    rv: int
    start: list[str]
    left: int


@dataclass(slots=True)
class _Position:
    revision: int
    after: Key | None = None
    left: int | None = None
    """Objects behind `after`, None if not counted (selectors)."""
    snapshot: Snapshot | None = field(default=None)


def query_of(parameters: Mapping[str, str]) -> ListQuery:
    """The list parameters of a URL's query.

    Raises:
        ApiError: 400 or 422 for combinations a real server refuses.
    """
    limit_text = parameters.get("limit", "") or "0"
    if not limit_text.lstrip("-").isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{limit_text}": invalid syntax')
    query = ListQuery(
        limit=max(int(limit_text), 0),
        token=parameters.get("continue", ""),
        resource_version=parameters.get("resourceVersion", ""),
        match=parameters.get("resourceVersionMatch", ""),
    )
    if parameters.get("sendInitialEvents"):
        raise _forbidden_option("sendInitialEvents", "sendInitialEvents is forbidden for list")
    if query.match and query.match not in ("Exact", "NotOlderThan"):
        raise _forbidden_option("resourceVersionMatch", f'Unsupported value: "{query.match}"')
    if query.match and not query.resource_version:
        raise _forbidden_option(
            "resourceVersionMatch",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        )
    if query.match == "Exact" and query.resource_version == "0":
        raise _forbidden_option(
            "resourceVersionMatch",
            'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        )
    if query.token and query.resource_version not in ("", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")
    return query


def _forbidden_option(name: str, message: str) -> ApiError:
    return ApiError(
        422,
        "Invalid",
        f'ListOptions.meta.k8s.io "" is invalid: {name}: {message}',
        details={
            "group": "meta.k8s.io",
            "kind": "ListOptions",
            "causes": [{"reason": "FieldValueForbidden", "message": message, "field": name}],
        },
    )


class Lister:
    """Answers list requests of one store."""

    def __init__(self, store: Store, *, too_large_wait_s: float = 3.0) -> None:
        self._store = store
        self._too_large_wait_s = too_large_wait_s

    async def pieces(
        self,
        form: Form,
        query: ListQuery,
        *,
        namespace: str | None,
        selector: Selector,
        cost: Cost,
    ) -> AsyncIterator[bytes]:
        """The body of the answer in pieces; errors are raised before the first piece.

        Raises:
            ApiError: 400, 410 or 504 as a real server answers.
        """
        table = self._store.table(form.resource)
        position = await self._position(table, query, namespace, selector)
        limit = 0 if query.resource_version == "0" and not query.token else query.limit
        if limit:
            yield self._page(table, form, position, limit, namespace, selector, cost)
            return
        async for piece in self._everything(table, form, position, namespace, selector, cost):
            yield piece

    async def _position(
        self, table: Table, query: ListQuery, namespace: str | None, selector: Selector
    ) -> _Position:
        store = self._store
        if query.token:
            return self._resumed(table, query.token)
        text = query.resource_version
        if text and not text.isdigit():
            raise bad_request(f'resourceVersion: Invalid value: "{text}": invalid resource version')
        wanted = int(text or "0")
        if wanted > store.revision:
            await asyncio.sleep(self._too_large_wait_s)
            if wanted > store.revision:
                raise too_large(wanted, store.revision)
        position = _Position(store.revision)
        is_exact = query.match == "Exact" or (wanted and query.limit and not query.match)
        if is_exact and wanted != store.revision:
            if wanted < store.ledger.compacted:
                raise expired("The resourceVersion for the provided list is too old.")
            position = _Position(wanted, snapshot=table.snapshot(wanted))
            if position.snapshot is None:
                raise expired("The resourceVersion for the provided list is too old.")
        if selector.is_empty:
            position.left = table.total(namespace, position.snapshot)
        return position

    def _resumed(self, table: Table, text: str) -> _Position:
        store = self._store
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            token = msgspec.json.decode(raw, type=_Token)
            after = (token.start[0], token.start[1])
        except (binascii.Error, msgspec.DecodeError, ValueError, IndexError) as exc:
            raise bad_request(f"continue key is not valid: {exc}") from exc
        left = token.left if token.left >= 0 else None
        if token.rv < 0:
            return _Position(store.revision, after=after, left=left)
        snapshot = None
        if token.rv != store.revision:
            snapshot = table.snapshot(token.rv) if token.rv >= store.ledger.compacted else None
            if snapshot is None:
                raise _dead_token(token)
        elif token.rv < store.ledger.compacted:
            raise _dead_token(token)
        return _Position(token.rv, after=after, left=left, snapshot=snapshot)

    def _page(
        self,
        table: Table,
        form: Form,
        position: _Position,
        limit: int,
        namespace: str | None,
        selector: Selector,
        cost: Cost,
    ) -> bytes:
        items: list[bytes] = []
        last: Slot | None = None
        more = False
        is_plain = form.is_stored
        for slot, data in self._matching(table, position, namespace, selector, cost):
            if len(items) == limit:
                more = True
                cost.scanned -= selector.is_empty
                break
            items.append(data if is_plain else self._item(form, data))
            last = slot
        cost.returned += len(items)
        meta = b'{"resourceVersion":"%d"}' % position.revision
        if more and last is not None:
            left = -1 if position.left is None else position.left - len(items)
            token = _encoded(
                _Token("meta.k8s.io/v1", position.revision, list(table.key_of(last)), left)
            )
            if position.snapshot is None and position.revision == self._store.revision:
                table.snapshot(position.revision)
            rest = b"" if left < 0 else b',"remainingItemCount":%d' % left
            meta = b'{"continue":"%b"%b,"resourceVersion":"%d"}' % (
                token.encode(),
                rest,
                position.revision,
            )
        elif position.after is not None or limit:
            meta = b'{"continue":"","resourceVersion":"%d"}' % position.revision
        head, tail = form.envelope(meta)
        if not items:
            return head + tail
        # One copy of a page of several megabytes instead of two.
        items[0] = head + items[0]
        items[-1] += tail
        return b",".join(items)

    async def _everything(
        self,
        table: Table,
        form: Form,
        position: _Position,
        namespace: str | None,
        selector: Selector,
        cost: Cost,
    ) -> AsyncIterator[bytes]:
        if position.snapshot is None and position.revision == self._store.revision:
            position.snapshot = table.snapshot(position.revision)
        meta = b'{"continue":"","resourceVersion":"%d"}' % position.revision
        head, tail = form.envelope(meta)
        yield head
        is_first = True
        while True:
            found = list(islice(self._matching(table, position, namespace, selector, cost), _SLICE))
            cost.returned += len(found)
            piece = b",".join(self._item(form, data) for _, data in found)
            yield piece if is_first or not piece else b"," + piece
            if len(found) < _SLICE:
                break
            is_first = False
            position.after = table.key_of(found[-1][0])
            await asyncio.sleep(0)
        yield tail

    def _matching(
        self,
        table: Table,
        position: _Position,
        namespace: str | None,
        selector: Selector,
        cost: Cost,
    ) -> Iterator[tuple[Slot, bytes]]:
        name = selector.exact_name
        if name is not None and (namespace is not None or not table.resource.namespaced):
            key = (namespace or "", name)
            data = table.get(key) if position.after is None else None
            cost.scanned += data is not None
            if data is not None and selector.matches(data):
                yield table.slot_of(key), data
            return
        if namespace is None and table.resource.namespaced:
            namespace = selector.exact_namespace
        found = table.scan(namespace=namespace, after=position.after, snapshot=position.snapshot)
        if selector.is_empty:
            for pair in found:
                cost.scanned += 1
                yield pair
            return
        for pair in found:
            cost.scanned += 1
            if selector.matches(pair[1]):
                yield pair

    def _item(self, form: Form, data: bytes) -> bytes:
        item = form.item(self._store, data)
        if form.name != "object" or form.resource.is_crd:
            return item
        head = f'{{"apiVersion":"{form.api_version}","kind":"{form.resource.kind}",'.encode()
        return b"{" + item[len(head) :] if item.startswith(head) else item


def _encoded(token: _Token) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def _dead_token(token: _Token) -> ApiError:
    fresh = _encoded(_Token(token.v, -1, token.start, token.left))
    return expired(
        "The provided continue parameter is too old to display a consistent list result. You can "
        "start a new list without the continue parameter, or use the continue token in this "
        "response to retrieve the remainder of the results. Continuing with the provided token "
        "results in an inconsistent list - objects that were created, modified, or deleted "
        "between the time the first chunk was returned and now may show up in the list.",
        continue_token=fresh,
    )
