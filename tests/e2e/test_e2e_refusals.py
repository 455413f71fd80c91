"""Whenever something is in doubt nothing is written: the server's own record says so."""

import json
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fleettui.accounts import accounts
from fleettui.actions.bulk import remaining
from fleettui.actions.options import Options
from fleettui.actions.plan import Plan, Refusal
from fleettui.audit import Result
from fleettui.config import ContextSettings, Settings
from fleettui.errors import ExitCode
from fleettui.fleet import Fleet
from fleettui.fleet.acts import person
from fleettui.fleet.opening import Opening, open_fleet
from fleettui.fleet.outcome import StepState
from fleettui.fleet.selection import matching, named
from fleettui.fleet.shelf import token_of
from fleettui.index.query import parse

pytestmark = pytest.mark.e2e
FLUX = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations"
READS = {"get", "list", "watch", ""}
REVIEWS = {
    "selfsubjectaccessreviews.authorization.k8s.io",
    "selfsubjectrulesreviews.authorization.k8s.io",
    "selfsubjectreviews.authentication.k8s.io",
}


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """A small fleet that stands still."""
    return start_demo("--clusters", "4", "--contexts", "1", "--churn", "0")


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo: Any) -> None:
    monkeypatch.setenv("FLEETTUI_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("FLEETTUI_READ_ONLY", raising=False)
    control(demo, "/demo/faults", method="DELETE")
    control(demo, "/demo/requests", method="DELETE")


def control(demo: Any, path: str, *, method: str = "GET", body: Any = None) -> Any:
    """What the demo's server is told or asked outside the API."""
    return demo.call(demo.contexts[0], path, method=method, body=body)


def writes(demo: Any) -> list[tuple[str, str]]:
    """Requests of others than this test that were neither reads nor reviews."""
    return [
        (entry["method"], entry["path"])
        for entry in control(demo, "/demo/requests")
        if entry["headers"].get("User-Agent", "").startswith("fleettui")
        and entry["verb"] not in READS
        and not (entry["verb"] == "create" and entry["resource"] in REVIEWS)
    ]


@asynccontextmanager
async def opened(kubeconfig: Path, settings: Settings | None = None) -> AsyncIterator[Fleet]:
    """The fleet, followed, as front ends open it."""
    fleet = open_fleet(Opening(kubeconfig=kubeconfig, settings=settings or Settings()))
    await fleet.start()
    try:
        assert await fleet.wait_synced(120)
        fleet.settle()
        yield fleet
    finally:
        await fleet.close()


def recreated(demo: Any, name: str) -> None:
    """Deletes a Kustomization and creates another of the same name."""
    body = demo.call(demo.contexts[0], f"{FLUX}/{name}")
    # It is deleted with what it applied left alone, as a person would who means only it.
    demo.call(
        demo.contexts[0],
        f"{FLUX}/{name}",
        method="PATCH",
        body={"metadata": {"finalizers": None}},
    )
    demo.call(demo.contexts[0], f"{FLUX}/{name}", method="DELETE")
    kept = {key: body["metadata"][key] for key in ("name", "namespace")}
    again = {**{key: body[key] for key in ("apiVersion", "kind", "spec")}, "metadata": kept}
    demo.call(demo.contexts[0], FLUX, method="POST", body=again)


async def test_target_recreated_behind_a_cut_watch_is_refused(demo: Any) -> None:
    """The row shows an object that is gone; its namesake must not be paused in its place."""
    async with opened(demo.kubeconfig) as fleet:
        assert fleet.acts is not None
        refs = named(fleet, ["ks/flux-system/tenants"]).refs
        plan = await fleet.acts.plan("pause", refs)
        assert isinstance(plan, Plan)
        control(
            demo,
            "/demo/faults",
            method="POST",
            body=[
                {"verb": "watch", "count": -1, "status": 503},
                {"verb": "list", "count": -1, "status": 503},
                {"close_watches": True},
            ],
        )
        recreated(demo, "tenants")
        control(demo, "/demo/requests", method="DELETE")
        outcome = await fleet.acts.execute(plan, who=person(fleet.contexts()))
        assert outcome.exit_code is ExitCode.REFUSED
        assert outcome.state(0) is StepState.REFUSED
        assert writes(demo) == []
        assert not list(fleet.acts.journal.read()), "nothing was even intended"


async def test_filter_with_a_forbidden_namespace_is_refused(demo: Any) -> None:
    """Of "all" only a part was seen: nobody may take that for all."""
    control(
        demo,
        "/demo/faults",
        method="POST",
        body=[
            {"path": "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations",
             "count": -1, "status": 403},
            {"path": "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/payments-eu",
             "count": -1, "status": 403},
        ],
    )  # fmt: skip
    async with opened(demo.kubeconfig) as fleet:
        assert fleet.acts is not None
        selection = matching(fleet, parse("kind:Kustomization"))
        assert selection.gaps
        found = await fleet.acts.plan(
            "pause", selection.refs,
            Options(all_matching=True), scope_gaps=selection.gaps,
        )  # fmt: skip
        assert isinstance(found, Refusal)
        assert "not completely known" in found.reason
        assert not matching(fleet, parse("kind:HelmRelease")).gaps, "what is asked for is known"
    assert writes(demo) == []


def test_words_of_a_tenant_cannot_mean_all(demo: Any, words: Callable[..., Any]) -> None:
    """The same by words: exit code 5, the gap named, no write."""
    tenant = demo.kubeconfig.with_name("kubeconfig-tenant")
    done = words(
        "pause", "--all-matching", "kind:Kustomization", "--kubeconfig", str(tenant), "--yes"
    )
    assert done.returncode == 5, done.stderr
    assert "not completely known" in done.stderr
    assert writes(demo) == []


def test_words_without_the_right_name_the_missing_rule(
    demo: Any, words: Callable[..., Any]
) -> None:
    """On call may look and not touch: which rule is missing has to be said."""
    oncall = demo.kubeconfig.with_name("kubeconfig-oncall")
    done = words(
        "pause", "ks/flux-system/policies", "--kubeconfig", str(oncall), "--yes", "-o", "json"
    )
    assert done.returncode == 5, done.stderr
    (item,) = json.loads(done.stdout)["items"]
    assert item["missing_rule"] == (
        "patch kustomizations.kustomize.toolkit.fluxcd.io in namespace flux-system"
    )
    assert writes(demo) == []


@pytest.mark.parametrize("way", ["flag", "environment", "settings", "context"])
def test_words_in_read_only_mode_write_nothing(
    way: str, demo: Any, words: Callable[..., Any], tmp_path: Path
) -> None:
    """Each of the four ways of saying read-only is enough."""
    settings = tmp_path / "config" / "config.yaml"
    settings.parent.mkdir()
    text = {"settings": "read_only: true\n", "context": 'contexts: {"demo-*": {read_only: true}}\n'}
    settings.write_text(text.get(way, "{}\n"))
    done: subprocess.CompletedProcess[str] = words(
        "pause", "ks/flux-system/policies", "--kubeconfig", str(demo.kubeconfig), "--yes",
        *(["--read-only"] if way == "flag" else []),
        **({"FLEETTUI_READ_ONLY": "1"} if way == "environment" else {}),
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "read-only" in done.stderr
    assert writes(demo) == []


async def test_expired_token_in_a_bulk_is_told_step_by_step_and_resumed(
    demo: Any, tmp_path: Path
) -> None:
    """A bulk that dies in the middle: what was done, what was not, and how to go on."""
    async with opened(demo.kubeconfig) as fleet:
        assert fleet.acts is not None
        selection = matching(fleet, parse("kind:Kustomization"))
        assert len(selection.refs) > 10
        options = Options(set={"example.com/bulk": "1"}, all_matching=True)
        plan = await fleet.acts.plan("label", selection.refs, options, scope_gaps=selection.gaps)
        assert isinstance(plan, Plan)
        plan = msgspec.structs.replace(plan, rate_per_s=0.0, in_flight=2)
        control(
            demo,
            "/demo/faults",
            method="POST",
            body={"method": "PATCH", "skip": 6, "count": -1, "status": 401},
        )
        outcome = await fleet.acts.execute(plan, who=person(fleet.contexts()))
        control(demo, "/demo/faults", method="DELETE")
        assert outcome.exit_code is ExitCode.FAILED
        token = token_of(plan, fleet.acts.journal.read())
        assert len(token.done) == 6
        assert set(token.left) | set(token.done) == {step.id for step in plan.steps}
        told = [account.result for account in accounts(fleet.acts.journal.read())]
        assert told.count(Result.WRITTEN) == 6
        assert Result.UNKNOWN not in told, "an expired token is a refusal, not a lost answer"
        kept = fleet.acts.shelf
        assert kept is not None
        rest = remaining(kept.load(plan.id), token)
        assert isinstance(rest, Plan)
        again = await fleet.acts.execute(rest, who=person(fleet.contexts()))
        assert again.exit_code is ExitCode.OK, again.stopped_by
        for ref in selection.refs:
            body = await fleet.body(ref)
            assert body["metadata"]["labels"]["example.com/bulk"] == "1"


async def test_lost_answer_is_unknown_and_never_sent_again(demo: Any) -> None:
    """The connection ends between request and answer: it may have been done."""
    async with opened(demo.kubeconfig) as fleet:
        assert fleet.acts is not None
        refs = named(fleet, ["ks/flux-system/infra-configs"]).refs
        plan = await fleet.acts.plan("label", refs, Options(set={"example.com/lost": "1"}))
        assert isinstance(plan, Plan)
        control(demo, "/demo/faults", method="POST", body={"method": "PATCH", "cut_bytes": 20})
        control(demo, "/demo/requests", method="DELETE")
        outcome = await fleet.acts.execute(plan, who=person(fleet.contexts()))
        assert outcome.state(0) is StepState.UNKNOWN
        assert len(writes(demo)) == 1
        (account,) = accounts(fleet.acts.journal.read())
        assert account.result is Result.UNKNOWN


async def test_protected_context_wants_its_name_typed(demo: Any) -> None:
    """Production is not paused by a key too many."""
    settings = Settings(contexts=(ContextSettings(pattern="demo-*", protected=True),))
    async with opened(demo.kubeconfig, settings) as fleet:
        assert fleet.acts is not None
        refs = named(fleet, ["ks/flux-system/policies"]).refs
        plan = await fleet.acts.plan("pause", refs)
        assert isinstance(plan, Plan)
        assert plan.typed_confirmation == demo.contexts[0]
