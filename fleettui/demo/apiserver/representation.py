"""The forms in which one stored object leaves the server: whole, metadata only, Table.

Bytes in, bytes out; decodes no more than a form needs. Source: content negotiation of
k8s.io/apiserver (`as=Table`, `as=PartialObjectMetadata`, `as=PartialObjectMetadataList`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.resources import Resource, api_version_of
from fleettui.demo.apiserver.store import Store
from fleettui.demo.apiserver.tables import column_definitions, row_of

_JSON_TYPES = frozenset({"application/json", "application/*", "*/*"})


class _MetadataOnly(msgspec.Struct):
    metadata: msgspec.Raw


_METADATA = msgspec.json.Decoder(_MetadataOnly)


@dataclass(frozen=True, slots=True)
class Form:
    """One negotiated form of one served version of a resource."""

    resource: Resource
    version: str
    name: str = "object"
    """object, partial or table."""
    include: str = "Metadata"
    """What Table rows carry: None, Metadata or Object."""

    @property
    def api_version(self) -> str:
        """`v1` or `group/version` of this form's objects."""
        return api_version_of(self.resource.group, self.version)

    @property
    def is_stored(self) -> bool:
        """Whether objects leave exactly as they are stored."""
        return (
            self.name == "object" and self.resource.is_crd and self.version == self.resource.version
        )

    def item(self, store: Store, data: bytes) -> bytes:
        """One object of a list, or one watch event's object."""
        data = store.types.convert(self.resource, data, self.version)
        if self.name == "partial":
            return _partial(data)
        if self.name == "table":
            document = msgspec.json.decode(data)
            row = row_of(self.resource, document, include=self.include, now=store.now())
            return msgspec.json.encode(row)
        return data

    def single(self, store: Store, data: bytes) -> bytes:
        """One object as the answer to a get or a write."""
        item = self.item(store, data)
        if self.name != "table":
            return item
        meta = msgspec.json.decode(data)["metadata"]
        return self._table([item], f'{{"resourceVersion":"{meta["resourceVersion"]}"}}'.encode())

    def event_object(self, store: Store, data: bytes, *, is_first: bool) -> bytes:
        """One object of a watch event; the first Table repeats the column definitions."""
        item = self.item(store, data)
        if self.name != "table":
            return item
        return self._table([item], b"{}", with_columns=is_first)

    def bookmark(self, revision: int, *, is_end: bool) -> bytes:
        """The object of a BOOKMARK event."""
        meta = f'{{"resourceVersion":"{revision}"'
        if is_end:
            meta += ',"annotations":{"k8s.io/initial-events-end":"true"}'
        meta += "}"
        if self.name == "table":
            row = f'{{"cells":[],"object":{{"metadata":{meta}}}}}'
            return self._table([row.encode()], b'{"resourceVersion":"%d"}' % revision)
        kind, version = self.resource.kind, self.api_version
        if self.name == "partial":
            kind, version = "PartialObjectMetadata", "meta.k8s.io/v1"
        return f'{{"kind":"{kind}","apiVersion":"{version}","metadata":{meta}}}'.encode()

    def envelope(self, meta: bytes) -> tuple[bytes, bytes]:
        """What stands before and after a list's comma-separated items."""
        if self.name == "table":
            columns = msgspec.json.encode(column_definitions(self.resource))
            return (
                b'{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":%b,'
                b'"columnDefinitions":%b,"rows":[' % (meta, columns),
                b"]}\n",
            )
        if self.name == "partial":
            return (
                b'{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":%b,'
                b'"items":[' % meta,
                b"]}\n",
            )
        kind, version = f"{self.resource.kind}List".encode(), self.api_version.encode()
        if self.resource.is_crd:
            return (
                b'{"apiVersion":"%b","items":[' % version,
                b'],"kind":"%b","metadata":%b}\n' % (kind, meta),
            )
        return (
            b'{"kind":"%b","apiVersion":"%b","metadata":%b,"items":[' % (kind, version, meta),
            b"]}\n",
        )

    def _table(self, rows: Sequence[bytes], meta: bytes, *, with_columns: bool = True) -> bytes:
        columns = msgspec.json.encode(column_definitions(self.resource) if with_columns else None)
        return (
            b'{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":%b,"columnDefinitions":%b,'
            b'"rows":[%b]}' % (meta, columns, b",".join(rows))
        )


def _partial(data: bytes) -> bytes:
    metadata = bytes(_METADATA.decode(data).metadata)
    return (
        b'{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":%b}' % metadata
    )


def negotiate(accept: str, resource: Resource, version: str, *, include: str) -> Form:
    """The form a request's Accept header asks for.

    Raises:
        ApiError: 406 if nothing acceptable can be produced.
    """
    for choice in accept.split(",") if accept else ["application/json"]:
        media, *parameters = (part.strip() for part in choice.split(";"))
        if media not in _JSON_TYPES:
            continue
        wanted = dict(part.partition("=")[::2] for part in parameters)
        kind = wanted.get("as")
        if kind is None:
            return Form(resource, version)
        if wanted.get("g") != "meta.k8s.io" or wanted.get("v") != "v1":
            continue
        if kind == "Table":
            return Form(resource, version, "table", include or "Metadata")
        if kind in ("PartialObjectMetadata", "PartialObjectMetadataList"):
            return Form(resource, version, "partial")
    raise ApiError(
        406,
        "NotAcceptable",
        "only the following media types are accepted: application/json",
    )
