"""Who may change nothing is told so, and nobody else is."""

import asyncio

import pytest

from fleettui.errors import ConnectError
from fleettui.fleet import write_rights
from fleettui.fleet.write_rights import WriteRights
from fleettui.kinds.spec import Dialect, KindSpec, Role
from fleettui.kube.access import Rule, Rules

CAPI, FLUX = "cluster.x-k8s.io", "kustomize.toolkit.fluxcd.io"
SPECS = (
    KindSpec(CAPI, "Cluster", "clusters", Role.CLUSTER),
    KindSpec(FLUX, "Kustomization", "kustomizations", Role.APPLIER, dialect=Dialect.FLUX),
)
VIEW = Rule(["get", "list", "watch"], ["*"], ["*"])
REVIEW = Rule(["create"], ["authorization.k8s.io"], ["selfsubjectaccessreviews"])
FOREIGN = Rule(["update"], ["apps"], ["deployments"])
EDIT = Rule(["get", "patch"], [FLUX], ["kustomizations"])
ALL = Rule(["*"], ["*"], ["*"])


class Server:
    """Answers rules reviews from a table; everything else may only be looked at."""

    def __init__(self, *namespaces, incomplete=False, **rules) -> None:
        self.listed = namespaces
        self.by_namespace = rules
        self.incomplete = incomplete
        self.asked: list[str] = []
        self.at_once: set[int] = set()
        self.under_way = 0
        self.doubted = asyncio.Event()
        self.is_down = False

    async def rules(self, namespace):
        self.asked.append(namespace)
        self.under_way += 1
        self.at_once.add(self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if self.is_down:
            raise ConnectError("does not answer")
        more = self.by_namespace.get(namespace.replace("-", "_"), [])
        return Rules([VIEW, REVIEW, FOREIGN, *more], self.incomplete)

    async def namespaces(self):
        return self.listed


async def rule(server, specs=SPECS, *, namespace=""):
    """What is told about this server."""
    rights = WriteRights(server)
    return await rights.lacking(specs, namespace=namespace, others=server.namespaces)


async def test_rights_of_an_administrator_take_one_question():
    """Whoever may everything must not cost a question for each namespace."""
    server = Server("a", "b", default=[ALL])
    assert await rule(server) == ""
    assert server.asked == ["default"]


async def test_rights_to_look_only_name_the_missing_rule():
    """On call sees at once that nothing can be changed, before pressing anything."""
    server = Server("a", "default", "b")
    assert await rule(server) == "patch clusters.cluster.x-k8s.io"
    assert server.asked == ["default", "a", "b"]


async def test_rights_in_one_namespace_are_enough():
    """A tenant who may pause their own things is not read-only."""
    assert await rule(Server("a", "team-b", team_b=[EDIT])) == ""
    limited = Server("a", "team-b", team_b=[EDIT])
    assert await rule(limited, namespace="a") == "patch clusters.cluster.x-k8s.io in namespace a"


async def test_rights_that_are_not_known_are_not_denied():
    """Servers with other authorizers cannot list rules; that says nothing."""
    assert await rule(Server("a", incomplete=True)) == ""
    assert await rule(Server("a"), ()) == ""


async def test_rights_in_thousands_of_namespaces_are_known_and_not_asked_for_again_at_once():
    """One namespace for each of 3,000 clusters: on call is told all the same, once an hour."""
    moment = [0.0]
    server = Server(*(f"team-{number}" for number in range(3000)))
    rights = WriteRights(server, clock=lambda: moment[0])

    async def told(specs=SPECS):
        server.asked.clear()
        return await rights.lacking(specs, namespace="", others=server.namespaces)

    assert await told() == "patch clusters.cluster.x-k8s.io"
    assert (len(server.asked), max(server.at_once)) == (3001, write_rights.AT_ONCE)
    assert await told() == "patch clusters.cluster.x-k8s.io"
    assert server.asked == ["default"]
    moment[0] = write_rights.DENIED_S
    server.by_namespace = {"team_2999": [EDIT]}
    assert await told() == ""
    assert await told(SPECS[:1]) != ""
    assert len(server.asked) == 3001, "other kinds are another question"


@pytest.mark.parametrize("is_down", [False, True])
async def test_rights_are_asked_again_after_a_refusal(is_down, monkeypatch):
    """Rights that are taken away or given in the middle of a night are noticed."""
    monkeypatch.setattr(write_rights, "QUIET_S", 0.0)
    server = Server("a", default=[ALL])
    told: asyncio.Queue[str] = asyncio.Queue()
    rights = WriteRights(server, tell=told.put_nowait)
    running = asyncio.create_task(
        rights.run(lambda: SPECS, namespace=lambda: "", others=server.namespaces)
    )
    assert await told.get() == ""
    server.by_namespace, server.is_down = {}, is_down
    server.doubted.set()
    assert await told.get() == ("" if is_down else "patch clusters.cluster.x-k8s.io")
    running.cancel()
