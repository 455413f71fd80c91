"""What a server serves: both forms of discovery, partial failures, CRDs that come and go."""

import asyncio

import msgspec
import pytest
from answers import Answers

from fleettui.kube.access import AccessReviews, Question
from fleettui.kube.calls import Call
from fleettui.kube.discovery import Discovery
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.resource import Resource


def aggregated(group: str, *versions: str, freshness: str = "Current") -> dict[str, object]:
    """One group of an aggregated document, with Machines and their status."""
    return {
        "metadata": {"name": group} if group else {},
        "versions": [
            {
                "version": version,
                "freshness": freshness,
                "resources": [
                    {
                        "resource": "machines",
                        "responseKind": {"group": group, "version": version, "kind": "Machine"},
                        "scope": "Namespaced",
                        "verbs": ["list", "watch"],
                        "shortNames": ["ma"],
                        "subresources": [{"subresource": "status", "verbs": ["get"]}],
                    }
                ],
            }
            for version in versions
        ],
    }


def document(*groups: dict[str, object]) -> dict[str, object]:
    """An aggregated document."""
    return {"kind": "APIGroupDiscoveryList", "items": list(groups)}


LEGACY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {
        "resources": [
            {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["list"]},
            {"name": "pods/log", "kind": "Pod", "namespaced": True},
        ]
    },
    "/apis": {
        "kind": "APIGroupList",
        "groups": [
            {
                "name": "x.test",
                "versions": [{"groupVersion": "x.test/v1"}, {"groupVersion": "x.test/v2"}],
                "preferredVersion": {"groupVersion": "x.test/v2"},
            },
            {"name": "dead.test", "versions": [{"groupVersion": "dead.test/v1"}]},
        ],
    },
    "/apis/x.test/v1": {"resources": [{"name": "things", "kind": "Thing", "namespaced": False}]},
    "/apis/x.test/v2": {"resources": [{"name": "things", "kind": "Thing", "namespaced": False}]},
    "/apis/dead.test/v1": 503,
}


async def test_aggregated_discovery_takes_two_requests_and_then_none() -> None:
    """Hundreds of CRDs must not cost hundreds of requests at every look."""
    caller = Answers(
        {"/api": document(aggregated("", "v1")), "/apis": document(aggregated("c", "v2", "v1"))}
    )
    discovery = Discovery(caller)
    found = await discovery.resolve("c", "Machine", versions=("v1", "v2"))
    assert found is not None
    assert (found.version, found.plural, found.short_names) == ("v1", "machines", ("ma",))
    assert found.subresources == {"status"}
    assert (await discovery.resolve("c", "Machine")).version == "v2"  # type: ignore[union-attr]  # found above
    assert await discovery.resolve("c", "Other") is None
    assert await discovery.resolve("", "Machine") is not None
    assert len(caller.calls) == 2
    before = discovery.generation
    await discovery.catalog(fresh=True)
    assert [call.if_none_match for call in caller.calls[2:]] == ['"/api"', '"/apis"']
    assert discovery.generation == before


async def test_legacy_discovery_keeps_all_that_answers() -> None:
    """One dead aggregated server must not hide every other kind."""
    discovery = Discovery(Answers(LEGACY))
    thing = await discovery.resolve("x.test", "Thing")
    assert thing is not None
    assert (thing.version, thing.namespaced) == ("v2", False)
    pod = await discovery.resolve("", "Pod")
    assert pod is not None
    assert pod.subresources == {"log"}
    with pytest.raises(ApiError) as caught:
        await discovery.resolve("dead.test", "Any")
    assert caught.value.fault is Fault.SERVER


async def test_group_that_goes_stale_keeps_its_kinds() -> None:
    """Rows of a group whose server restarts must not vanish as if its CRDs were deleted."""
    caller = Answers({"/api": document(), "/apis": document(aggregated("c", "v1"))})
    discovery = Discovery(caller)
    await discovery.catalog()
    stale = aggregated("c", "v1", freshness="Stale")
    stale["versions"][0]["resources"] = []  # type: ignore[index]  # built above
    caller.table["/apis"] = lambda call: document(stale)
    caller.table["/api"] = lambda call: document()
    discovery._documents.clear()
    assert await discovery.resolve("c", "Machine", fresh=True) is not None


async def test_one_fetch_serves_all_who_wait() -> None:
    """Forty kinds that start together must not each ask what is served."""
    caller = Answers({"/api": document(), "/apis": document(aggregated("c", "v1"))})
    discovery = Discovery(caller)
    await asyncio.gather(*(discovery.resolve("c", "Machine") for _ in range(40)))
    assert len(caller.calls) == 2
    await asyncio.gather(*(discovery.resolve("c", "Machine", fresh=True) for _ in range(40)))
    assert len(caller.calls) <= 6


async def test_discovery_failure_is_told_and_not_remembered() -> None:
    """A server that was down at start must be found once it is up."""
    caller = Answers({"/api": 503, "/apis": 503})
    discovery = Discovery(caller)
    with pytest.raises(ApiError):
        await discovery.catalog()
    caller.table.update({"/api": document(), "/apis": document(aggregated("c", "v1"))})
    assert await discovery.resolve("c", "Machine") is not None


@pytest.mark.parametrize(
    "body", ["text", [], {"kind": 7}, {"kind": "APIGroupDiscoveryList", "items": 3}]
)
async def test_discovery_nonsense_is_malformed(body: object) -> None:
    """What is no discovery must not look like a cluster without kinds."""
    with pytest.raises(ApiError) as caught:
        await Discovery(Answers({"/api": lambda _: body, "/apis": lambda _: body})).catalog()
    assert caught.value.fault is Fault.MALFORMED


async def test_names_a_person_may_use_are_found() -> None:
    """`ma`, `machines`, `Machine` and `machines.c` all mean the same."""
    caller = Answers({"/api": document(), "/apis": document(aggregated("c", "v1"))})
    catalog = await Discovery(caller).catalog()
    for name in ("ma", "machines", "Machine", "machines.c"):
        assert [found.kind for found in catalog.named(name)] == ["Machine"]
    assert list(catalog.named("pods")) == []
    assert catalog.serves_any(["x", "c"])
    assert not catalog.serves_any(["x"])


async def test_printer_columns_of_the_served_version_and_none_without_rights() -> None:
    """Kinds nobody described are still shown with their own columns."""
    columns = [{"name": "Phase", "type": "string", "jsonPath": ".status.phase"}]
    spec = {"versions": [{"name": "v1"}, {"name": "v2", "additionalPrinterColumns": columns}]}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/machines.c"
    discovery = Discovery(Answers({path: {"spec": spec}}))
    found = await discovery.printer_columns(Resource("c", "v2", "machines", "Machine"))
    assert [column.json_path for column in found] == [".status.phase"]
    assert await discovery.printer_columns(Resource("c", "v1", "machines", "Machine")) == ()
    denied = Discovery(Answers({path: 403}))
    assert await denied.printer_columns(Resource("c", "v2", "machines", "Machine")) == ()


async def test_discovery_of_something_else_than_an_api_server_says_what_it_may_be() -> None:
    """A log-in page in front of the server looks like a fault of the program."""
    caller = Answers({"/api": ["no", "discovery"], "/apis": ["no", "discovery"]})
    with pytest.raises(ApiError, match="cannot be read") as refused:
        await Discovery(caller).catalog()
    assert refused.value.fault is Fault.MALFORMED
    assert "log-in page" in (refused.value.hint or "")


# Access ----------------------------------------------------------------------------------

_SSAR = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
MACHINE = Resource("c", "v1", "machines", "Machine")


def _allow(call: Call) -> object:
    attributes = msgspec.json.decode(call.body)["spec"]["resourceAttributes"]
    allowed = attributes.get("namespace") != "closed" and attributes["verb"] != "delete"
    return {"status": {"allowed": allowed, "reason": "because"}}


async def test_access_is_asked_once_and_again_after_doubt_or_ten_minutes() -> None:
    """Greyed actions must be right, and must not cost a request per key."""
    moment = [0.0]
    caller = Answers({_SSAR: _allow})
    access = AccessReviews(caller, clock=lambda: moment[0])
    question = Question("delete", "c", "machines", "team")
    for _ in range(3):
        answer = await access.may(question)
        assert (answer.allowed, answer.reason) == (False, "because")
    assert len(caller.calls) == 1
    access.doubt("c", "machines")
    await access.may(question)
    assert len(caller.calls) == 2
    moment[0] = 601.0
    await access.may(question)
    assert len(caller.calls) == 3


@pytest.mark.parametrize(("verb", "most"), [("patch", 8), ("delete", 104)])
async def test_access_in_many_namespaces_is_asked_for_all_at_once(verb: str, most: int) -> None:
    """A bulk over a hundred namespaces must not begin with a hundred questions."""
    caller = Answers({_SSAR: _allow})
    access = AccessReviews(caller)
    places = [f"team-{number}" for number in range(100)]
    answers = await asyncio.gather(
        *(access.may(Question(verb, "c", "machines", place)) for place in places)
    )
    assert {answer.allowed for answer in answers} == {verb == "patch"}
    assert len(caller.calls) <= most


async def test_identity_is_who_the_server_says_or_nobody() -> None:
    """The cache of one person must not be shown to another; old servers do not tell."""
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    told = {"status": {"userInfo": {"username": "jane", "groups": ["g"]}}}
    identity = await AccessReviews(Answers({path: told})).identity()
    assert identity is not None
    assert (identity.username, identity.groups) == ("jane", ("g",))
    assert await AccessReviews(Answers({path: 404})).identity() is None
    with pytest.raises(ApiError):
        await AccessReviews(Answers({path: 503})).identity()
