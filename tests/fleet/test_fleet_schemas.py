"""Schemas are sent by a server once, and again when it has others."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from fleettui.actions.facts import SchemaRequest
from fleettui.fleet.schemas import Schemas
from fleettui.kube.calls import Call
from fleettui.kube.faults import ApiError, error_of

PATH = "/openapi/v3/apis/cluster.x-k8s.io/v1beta2"
REQUEST = SchemaRequest("mgmt", "cluster.x-k8s.io", "v1beta2", "Cluster")


class Server:
    """Publishes one document with a tag, or answers with an error."""

    def __init__(self, *fields: str) -> None:
        self.fields = fields
        self.fails_with = 0
        self.calls: list[Call] = []
        self.sent = 0
        self.status = 200
        self.body = b""
        self.headers: dict[str, str] = {}

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator["Server"]:
        self.calls.append(call)
        if self.fails_with:
            raise error_of(self.fails_with, {}, b"")
        tag = str(hash(self.fields))
        self.status = 304 if call.if_none_match == tag else 200
        self.headers = {"ETag": tag}
        yield self

    async def read(self, *, limit_bytes: int) -> bytes:
        self.sent += 1
        kind = {
            "type": "object",
            "properties": {name: {"type": "string"} for name in self.fields},
            "x-kubernetes-group-version-kind": [{"kind": "Cluster"}],
        }
        return json.dumps({"components": {"schemas": {"x": kind}}}).encode()


class Context:
    """As much of a context as schemas need."""

    def __init__(self, server: Server) -> None:
        self.transport = server


async def test_schema_is_sent_once_and_again_when_the_server_has_another():
    """Megabytes for each key pressed would be felt; an upgrade must be seen all the same."""
    server = Server("spec")
    schemas, context = Schemas(), Context(server)
    for _ in range(3):
        schema = await schemas.schema(context, REQUEST)
        assert schema.has(("spec",)) is True
        assert schema.has(("status",)) is False
    assert (server.sent, server.calls[0].path) == (1, PATH)
    server.fields = ("spec", "status")
    schema = await schemas.schema(context, REQUEST)
    assert schema.has(("status",)) is True
    assert server.sent == 2


@pytest.mark.parametrize("status", [403, 404])
async def test_schema_that_is_not_published_is_not_known(status):
    """A server without OpenAPI must not refuse every action."""
    server = Server("spec")
    server.fails_with = status
    assert await Schemas().schema(Context(server), REQUEST) is None


async def test_schema_of_a_broken_server_is_an_error_and_of_rubbish_is_not_known():
    """What cannot be told is told apart from what does not exist."""
    server = Server("spec")
    server.fails_with = 500
    with pytest.raises(ApiError):
        await Schemas().schema(Context(server), REQUEST)
    server.fails_with = 0

    async def read(*, limit_bytes):
        return b"<html>"

    rubbish = SimpleNamespace(open=server.open)
    server.read = read
    assert await Schemas().schema(Context(rubbish), REQUEST) is None
