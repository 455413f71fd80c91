"""Writes, access and discovery as a real API server answers them."""

from typing import Any

import pytest

APPLY = "apply-patch+yaml"


async def test_merge_patch_bumps_the_generation_for_spec_only(api: Any) -> None:
    """Observed generations could never be compared."""
    path = f"{api.widgets}/w-00"
    _, first = await api.patch(path, {"metadata": {"labels": {"a": "b"}}})
    _, second = await api.patch(path, {"spec": {"paused": True}})
    _, third = await api.patch(f"{path}/status", {"status": {"replicas": 3}})
    assert [d["metadata"]["generation"] for d in (first, second, third)] == [1, 2, 2]
    _, again = await api.patch(path, {"spec": {"paused": True}})
    assert again["metadata"]["resourceVersion"] == third["metadata"]["resourceVersion"]


async def test_status_and_main_resource_never_touch_each_other(api: Any) -> None:
    """A patch meant for one would change the other."""
    path = f"{api.widgets}/w-00"
    _, main = await api.patch(path, {"spec": {"a": 1}, "status": {"replicas": 9}})
    assert "status" not in main
    _, status = await api.patch(f"{path}/status", {"spec": {"a": 2}, "status": {"replicas": 9}})
    assert (status["spec"]["a"], status["status"]) == (1, {"replicas": 9})


async def test_patch_with_a_stale_resource_version_conflicts(api: Any) -> None:
    """Optimistic locks would not lock."""
    path = f"{api.widgets}/w-00"
    stale = (await api.get(path))["metadata"]["resourceVersion"]
    await api.patch(path, {"spec": {"a": 1}})
    status, answer = await api.patch(
        path, {"metadata": {"resourceVersion": stale}, "spec": {"a": 2}}
    )
    assert (status, answer["reason"]) == (409, "Conflict")
    status, answer = await api.patch(path, {"metadata": {"uid": "other"}, "spec": {"a": 2}})
    assert status == 409


async def test_json_patch_test_failure_is_422_and_changes_nothing(api: Any) -> None:
    """Preconditions of an action would be void."""
    path = f"{api.widgets}/w-00"
    before = await api.get(path)
    operations = [
        {"op": "test", "path": "/spec/replicas", "value": 5},
        {"op": "replace", "path": "/spec/replicas", "value": 6},
    ]
    status, _ = await api.patch(path, operations, media="json-patch+json")
    assert (status, await api.get(path)) == (422, before)


async def test_strategic_merge_of_a_custom_resource_is_415(api: Any) -> None:
    """A wrong patch type would pass here and fail in production."""
    status, answer = await api.patch(
        f"{api.widgets}/w-00", {"spec": {}}, media="strategic-merge-patch+json"
    )
    assert (status, answer["reason"]) == (415, "UnsupportedMediaType")


async def test_dry_run_changes_nothing_but_a_misspelled_one_mutates(api: Any) -> None:
    """A read-only guard could not be shown to guard."""
    path = f"{api.widgets}/w-00"
    before = await api.get(path)
    status, shown = await api.patch(f"{path}?dryRun=All", {"spec": {"a": 1}})
    assert (status, shown["spec"]["a"]) == (200, 1)
    assert await api.get(path) == before
    status, _ = await api.patch(f"{path}?dryRun=all", {"spec": {"a": 1}})
    assert status == 422
    assert await api.get(path) == before
    await api.patch(f"{path}?dryrun=All", {"spec": {"a": 1}})
    assert (await api.get(path))["spec"]["a"] == 1


async def test_dry_run_of_a_deletion_beside_a_body_counts_only_in_the_body(api: Any) -> None:
    """A query that is not looked at would turn a question into a deletion."""
    path = f"{api.widgets}/w-00"
    options = {"kind": "DeleteOptions", "apiVersion": "v1"}
    status, _ = await api.call("DELETE", path, {**options, "dryRun": ["All"]})
    assert status == 200
    status, _ = await api.call("DELETE", f"{path}?dryRun=All")
    assert status == 200
    assert "deletionTimestamp" not in (await api.get(path))["metadata"]
    status, _ = await api.call("DELETE", f"{path}?dryRun=All", options)
    assert status == 200
    assert (await api.call("GET", path))[0] == 404


async def test_apply_conflicts_name_manager_and_field_and_force_takes_over(api: Any) -> None:
    """A person could not be told who owns a field."""
    path = f"{api.widgets}/w-00"
    await api.patch(f"{path}?fieldManager=alice", {"spec": {"replicas": 4}})
    config = {
        "apiVersion": f"{api.widgets.split('/')[2]}/v1",
        "kind": "Widget",
        "metadata": {"name": "w-00"},
        "spec": {"replicas": 5},
    }
    status, answer = await api.patch(f"{path}?fieldManager=bob", config, media=APPLY)
    assert (status, answer["reason"]) == (409, "Conflict")
    cause = answer["details"]["causes"][0]
    assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".spec.replicas")
    assert '"alice"' in cause["message"]
    status, dry = await api.patch(
        f"{path}?fieldManager=bob&force=true&dryRun=All", config, media=APPLY
    )
    fields = {(f["manager"], f["operation"]) for f in dry["metadata"]["managedFields"]}
    assert (status, ("bob", "Apply") in fields) == (200, True)
    assert (await api.get(path))["spec"]["replicas"] == 4
    _, forced = await api.patch(f"{path}?fieldManager=bob&force=true", config, media=APPLY)
    owners = [
        f["manager"]
        for f in forced["metadata"]["managedFields"]
        if "f:replicas" in f["fieldsV1"].get("f:spec", {})
    ]
    assert owners == ["bob"]


async def test_apply_removes_what_its_manager_no_longer_sends(api: Any) -> None:
    """Dropping a field from git would leave it in the cluster."""
    path = f"{api.widgets}/w-new?fieldManager=git"
    config = {"apiVersion": f"{api.widgets.split('/')[2]}/v1", "kind": "Widget"}
    status, _ = await api.patch(
        path, {**config, "metadata": {"name": "w-new"}, "spec": {"a": 1, "b": 2}}, media=APPLY
    )
    assert status == 201
    _, changed = await api.patch(
        path, {**config, "metadata": {"name": "w-new"}, "spec": {"a": 1}}, media=APPLY
    )
    assert changed["spec"] == {"a": 1}
    status, _ = await api.patch(f"{api.widgets}/w-new", config, media=APPLY)
    assert status in (400, 422)


async def test_delete_waits_for_finalizers(api: Any) -> None:
    """A stuck deletion could not be shown."""
    path = f"{api.widgets}/w-00"
    await api.patch(path, {"metadata": {"finalizers": ["fleettui.dev/hold"]}})
    status, _ = await api.call("DELETE", path)
    held = await api.get(path)
    assert (status, "deletionTimestamp" in held["metadata"]) == (200, True)
    assert held["metadata"]["generation"] == 2
    await api.patch(path, {"metadata": {"finalizers": None}})
    status, answer = await api.call("GET", path)
    assert (status, answer["reason"]) == (404, "NotFound")


async def test_delete_checks_its_preconditions(api: Any) -> None:
    """Another object of the same name would be deleted."""
    path = f"{api.widgets}/w-00"
    status, _ = await api.call("DELETE", path, {"preconditions": {"uid": "other"}})
    assert status == 409
    uid = (await api.get(path))["metadata"]["uid"]
    status, _ = await api.call("DELETE", path, {"preconditions": {"uid": uid}})
    assert status == 200


async def test_scale_reads_and_writes_replicas(api: Any) -> None:
    """Scaling from the screen would not work."""
    path = f"{api.widgets}/w-00/scale"
    scale = await api.get(path)
    assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 1)
    await api.patch(path, {"spec": {"replicas": 6}})
    assert (await api.get(f"{api.widgets}/w-00"))["spec"]["replicas"] == 6


async def test_control_characters_are_stored_as_they_are(api: Any) -> None:
    """Hostile text could not be tried."""
    hostile = "\x1b]52;c;AAAA\x07\x9b"
    await api.patch(f"{api.widgets}/w-00", {"metadata": {"annotations": {"x": hostile}}})
    assert (await api.get(f"{api.widgets}/w-00"))["metadata"]["annotations"]["x"] == hostile


async def test_unserved_resource_is_a_plain_text_404(api: Any) -> None:
    """A missing definition would be taken for a missing object."""
    status, body = await api.call("GET", "/apis/nobody.example.com/v1/things")
    assert (status, body) == (404, "404 page not found\n")
    status, answer = await api.call("GET", f"{api.widgets}/nobody")
    assert (status, answer["kind"], answer["code"]) == (404, "Status", 404)


async def test_without_a_token_everything_is_401(api: Any) -> None:
    """Expired credentials could not be tried."""
    status, answer = await api.call("GET", api.widgets, Authorization="Bearer wrong")
    assert (status, answer["kind"], answer["reason"]) == (401, "Status", "Unauthorized")


@pytest.mark.parametrize(
    ("group", "plural", "kind"),
    [
        ("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
        ("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
        ("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
    ],
)
async def test_access_reviews_are_answered_with_201(
    api: Any, group: str, plural: str, kind: str
) -> None:
    """What a person may do could not be asked."""
    body = {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "spec": {
            "namespace": "default",
            "resourceAttributes": {"verb": "list", "resource": "pods"},
        },
    }
    if kind == "SelfSubjectReview":
        del body["spec"]
    elif kind == "SelfSubjectRulesReview":
        body["spec"] = {"namespace": "default"}
    else:
        body["spec"] = {"resourceAttributes": {"verb": "list", "resource": "pods"}}
    status, answer = await api.call("POST", f"/apis/{group}/v1/{plural}", body)
    assert (status, answer["kind"]) == (201, kind)
    assert answer["status"]


async def test_aggregated_discovery_has_an_etag_and_no_name_for_the_core_group(api: Any) -> None:
    """A client's cheap re-discovery would not be exercised."""
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    async with api.session.get(api.url + "/api", headers={"Accept": accept}) as answer:
        document = await answer.json()
        etag = answer.headers["ETag"]
    assert document["kind"] == "APIGroupDiscoveryList"
    assert "name" not in document["items"][0]["metadata"]
    headers = {"Accept": accept, "If-None-Match": etag}
    async with api.session.get(api.url + "/api", headers=headers) as answer:
        assert answer.status == 304
    groups = await api.get("/apis", Accept=accept)
    names = [item["metadata"]["name"] for item in groups["items"]]
    assert api.widgets.split("/")[2] in names
    legacy = await api.get("/apis")
    assert sorted(group["name"] for group in legacy["groups"]) == sorted(names)


async def test_definition_installed_and_removed_at_run_time(api: Any) -> None:
    """A kind nobody knows would never appear, or never go away."""
    group = api.widgets.split("/")[2]
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    document = await api.get(f"{path}/widgets.{group}")
    spec = document["spec"]
    spec["names"] = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"}
    body = {**document, "metadata": {"name": f"gadgets.{group}"}, "spec": spec, "status": None}
    status, _ = await api.call("POST", path, body)
    assert status == 201
    gadgets = api.widgets.replace("widgets", "gadgets")
    for _ in range(100):
        status, _ = await api.call("GET", gadgets)
        if status == 200:
            break
    gadget = {"apiVersion": f"{group}/v1", "kind": "Gadget", "metadata": {"name": "g"}}
    status, _ = await api.call("POST", gadgets, gadget)
    assert status == 201
    start = (await api.get(gadgets))["metadata"]["resourceVersion"]
    url = f"{api.url}{gadgets}?watch=1&resourceVersion={start}&timeoutSeconds=20"
    async with api.session.get(url) as answer:
        await api.call("DELETE", f"{path}/gadgets.{group}")
        assert (await answer.content.readline()).startswith(b'{"type":"DELETED"')
        assert await answer.content.read() == b""
    status, _ = await api.call("GET", gadgets)
    assert status == 404
