"""Where a person may read when all namespaces at once are forbidden, and what asking costs."""

import asyncio
from collections.abc import Sequence

import msgspec
from answers import Answers

from fleettui.kube.access import AccessReviews
from fleettui.kube.calls import METADATA_LIST, Call
from fleettui.kube.resource import Resource
from fleettui.kube.tenancy import KEEP_S, Tenancy

_SSAR = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_SSRR = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
MACHINE = Resource("c", "v1", "machines", "Machine")
KINDS = [Resource("c", "v1", f"things{number}", f"Thing{number}") for number in range(100)]


def _rules_of(*readable: str, incomplete: bool = False) -> object:
    def answer(call: Call) -> object:
        namespace = msgspec.json.decode(call.body)["spec"]["namespace"]
        rule = {"verbs": ["get", "list", "watch"], "apiGroups": ["c"], "resources": ["*"]}
        rules = [rule] if namespace in readable else []
        return {"status": {"resourceRules": rules, "incomplete": incomplete}}

    return answer


def _namespaces(*names: str) -> object:
    items = [{"metadata": {"name": name}} for name in names]
    return {"metadata": {"resourceVersion": "1"}, "items": items}


def _tenancy(table: dict[str, object], moment: Sequence[float] = (0.0,)) -> tuple[Tenancy, Answers]:
    caller = Answers(table)
    return Tenancy(caller, AccessReviews(caller), clock=lambda: moment[0]), caller


async def test_readable_namespaces_are_found_when_all_at_once_is_forbidden() -> None:
    """A person with rights in two namespaces must see those two."""
    table = {_SSRR: _rules_of("a", "b"), "/api/v1/namespaces": _namespaces("a", "closed", "b")}
    tenancy, caller = _tenancy(table)
    assert list(await tenancy.readable(MACHINE, candidates=())) == ["a", "b"]
    assert caller.calls[0].accept == METADATA_LIST
    denied, _ = _tenancy({_SSRR: _rules_of("mine"), "/api/v1/namespaces": 403})
    assert list(await denied.readable(MACHINE, candidates=("mine", ""))) == ["mine"]


async def test_readable_namespaces_of_a_hundred_kinds_cost_one_list_and_one_review_each() -> None:
    """A person without rights must not wait for hundreds of reviews before the first line."""
    moment = [0.0]
    table = {_SSRR: _rules_of("a"), "/api/v1/namespaces": _namespaces("a", "b", "d")}
    tenancy, caller = _tenancy(table, moment)
    found = await asyncio.gather(*(tenancy.readable(kind, candidates=()) for kind in KINDS))
    assert {tuple(names) for names in found} == {("a",)}
    assert len(caller.calls) == 1 + 3
    moment[0] = KEEP_S
    await tenancy.readable(MACHINE, candidates=())
    assert len(caller.calls) == 2 * (1 + 3)


async def test_readable_namespaces_with_incomplete_rules_are_asked_one_by_one_while_few() -> None:
    """Rights that a web hook grants do not stand in the rules, and must not be lost."""

    def granted(call: Call) -> object:
        attributes = msgspec.json.decode(call.body)["spec"]["resourceAttributes"]
        return {"status": {"allowed": attributes["namespace"] == "hooked"}}

    rules = _rules_of(incomplete=True)
    few = {_SSRR: rules, _SSAR: granted, "/api/v1/namespaces": _namespaces("hooked", "other")}
    tenancy, _ = _tenancy(few)
    assert list(await tenancy.readable(MACHINE, candidates=())) == ["hooked"]
    many = [*(f"team-{number}" for number in range(50)), "hooked"]
    crowd = {**few, "/api/v1/namespaces": _namespaces(*many)}
    tenancy, caller = _tenancy(crowd)
    assert list(await tenancy.readable(MACHINE, candidates=("hooked",))) == ["hooked"]
    assert sum(call.path == _SSAR for call in caller.calls) == 2


async def test_readable_namespaces_of_a_rule_for_named_objects_are_none() -> None:
    """A right to read one named object is no right to list."""
    rule = {
        "verbs": ["*"],
        "apiGroups": ["*"],
        "resources": ["machines"],
        "resourceNames": ["one"],
    }
    reviewed = {"status": {"resourceRules": [rule], "incomplete": False}}
    tenancy, _ = _tenancy({_SSRR: reviewed, "/api/v1/namespaces": _namespaces("a")})
    assert list(await tenancy.readable(MACHINE, candidates=())) == []
