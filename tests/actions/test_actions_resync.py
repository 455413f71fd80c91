"""Resync: handshakes, chains, and when asking is useless."""

import shlex

import pytest

from fleettui.actions import resync
from fleettui.actions.acknowledge import Notice, answer_of
from fleettui.actions.commands import as_kubectl
from fleettui.actions.documents import apply_merge
from fleettui.actions.options import Options
from fleettui.actions.plan import Plan, Refusal

PLAIN = Options()
TOKEN = "2026-08-23T10:00:00.123456Z"
REQUESTED = "reconcile.fluxcd.io/requestedAt"


def planned(answer):
    assert isinstance(answer, Plan), answer
    return answer


def refused(answer):
    assert isinstance(answer, Refusal), answer
    return answer


def suspended(**more):
    return {"spec": {"suspend": True} | more}


def helm_release(make, name="web", **spec):
    source = {"kind": "HelmRepository", "name": "charts", "namespace": "flux-system"}
    return make("HelmRelease", name, {"spec": {"chart": {"spec": {"sourceRef": source}}} | spec})


def sources(make, **repository):
    at = {"metadata": {"namespace": "flux-system"}}
    chart = make(
        "HelmChart",
        "ns-web",
        at | {"spec": {"sourceRef": {"kind": "HelmRepository", "name": "charts"}}},
    )
    return chart, make("HelmRepository", "charts", at | repository)


def test_resync_kustomization_sends_a_token_and_waits_for_it(make, facts_of, now):
    """The token in status is the only proof that our request was handled."""
    document = make("Kustomization", "apps")
    answer = planned(resync.plan(facts_of(document), now=now, options=PLAIN))
    patch = answer.steps[0].patch
    assert patch.body == {"metadata": {"annotations": {REQUESTED: TOKEN}}}

    def judged(status):
        return answer_of(patch.acknowledged_by, document | {"status": status}, uid=uid).notice

    uid = document["metadata"]["uid"]
    ready = [{"type": "Ready", "status": "True"}]
    assert judged({"lastHandledReconcileAt": "older", "conditions": ready}) is Notice.WAITING
    assert judged({"lastHandledReconcileAt": TOKEN, "conditions": ready}) is Notice.ACKNOWLEDGED
    broken = [{"type": "Ready", "status": "False", "reason": "BuildFailed", "message": "no path"}]
    assert judged({"lastHandledReconcileAt": TOKEN, "conditions": broken}) is Notice.FAILED
    assert answer_of(patch.acknowledged_by, None, uid=uid).notice is Notice.REPLACED


def test_resync_suspended_object_is_refused_with_the_order_that_works(make, facts_of, now):
    """The token would lie there for ever."""
    answer = refused(
        resync.plan(facts_of(make("Kustomization", "apps", suspended())), now=now, options=PLAIN)
    )
    assert answer.offer == (
        "fleettui resume Kustomization/ns/apps --context mgmt",
        "fleettui resync Kustomization/ns/apps --context mgmt",
    )


def test_resync_helm_release_with_source_asks_repository_chart_release(make, facts_of, now):
    """Asked in another order the release is upgraded to the chart of yesterday."""
    release = helm_release(make)
    facts = facts_of(release, *sources(make))
    answer = planned(resync.plan(facts, now=now, options=Options(with_source=True)))
    kinds = [(step.patch.target.kind, step.after) for step in answer.steps]
    assert kinds == [("HelmRepository", ()), ("HelmChart", (0,)), ("HelmRelease", (1,))]
    lines = as_kubectl(answer)
    token = answer.steps[0].patch.body["metadata"]["annotations"][REQUESTED]
    assert [line.split()[5] for line in lines] == ["patch", "wait", "patch", "wait", "patch"]
    assert f"--for=jsonpath={{.status.lastHandledReconcileAt}}={token}" in shlex.split(lines[1])


def test_resync_chain_leaves_out_a_repository_that_fetches_nothing(make, facts_of, now):
    """A repository of type oci never handles a token, so the chain would hang."""
    release = helm_release(make)
    facts = facts_of(release, *sources(make, spec={"type": "oci"}))
    answer = planned(resync.plan(facts, now=now, options=Options(with_source=True)))
    assert [step.patch.target.kind for step in answer.steps] == ["HelmChart", "HelmRelease"]
    alone = facts_of(sources(make, spec={"type": "oci"})[1])
    assert "fetches nothing" in refused(resync.plan(alone, now=now, options=PLAIN)).reason


def test_resync_needs_follows_the_chain_to_the_repository(make, facts_of):
    """A chain of which a link was not read cannot be planned."""
    release = helm_release(make)
    chart, repository = sources(make)
    first = resync.needs(facts_of(release), options=PLAIN).bodies
    assert [(ref.kind, ref.namespace, ref.name) for ref in first] == [
        ("HelmChart", "flux-system", "ns-web")
    ]
    second = resync.needs(facts_of(release, chart), options=PLAIN).bodies
    assert [ref.kind for ref in second] == ["HelmRepository"]
    assert not resync.needs(facts_of(release, chart, repository), options=PLAIN)


def test_resync_with_suspended_source_is_refused(make, facts_of, now):
    """The chain would wait at the source until it times out."""
    release = helm_release(make)
    facts = facts_of(release, *sources(make, **suspended()))
    answer = refused(resync.plan(facts, now=now, options=Options(with_source=True)))
    assert "suspended" in answer.reason
    assert answer.offer[0].startswith("fleettui resume HelmRepository/flux-system/charts")


def test_resync_force_and_reset_carry_the_same_token_only_when_asked(make, facts_of, now):
    """Other tokens are ignored by helm-controller; unasked ones reinstall a release."""
    facts = facts_of(helm_release(make))
    plain = planned(resync.plan(facts, now=now, options=PLAIN))
    assert list(plain.steps[0].patch.body["metadata"]["annotations"]) == [REQUESTED]
    both = planned(resync.plan(facts, now=now, options=Options(force=True, reset=True)))
    notes = both.steps[0].patch.body["metadata"]["annotations"]
    assert notes == dict.fromkeys(
        (REQUESTED, "reconcile.fluxcd.io/forceAt", "reconcile.fluxcd.io/resetAt"), TOKEN
    )
    waited = [check.path[1] for check in both.steps[0].patch.acknowledged_by.checks]
    assert waited == ["lastHandledReconcileAt", "lastHandledForceAt", "lastHandledResetAt"]
    kustomization = facts_of(make("Kustomization", "a"))
    assert isinstance(resync.plan(kustomization, now=now, options=Options(force=True)), Refusal)


@pytest.mark.parametrize("kind", ["ExternalArtifact", "Alert"])
def test_resync_kind_without_runs_is_refused(kind, make, facts_of, now):
    """Pressing a key that can do nothing should say so."""
    answer = refused(resync.plan(facts_of(make(kind, "a")), now=now, options=PLAIN))
    assert answer.reason


def test_resync_bulk_asks_dependencies_first_and_shares_the_source(make, facts_of, now):
    """Fifty applications of one repository must not fetch it fifty times."""
    source = {"kind": "GitRepository", "name": "git"}
    infra = make("Kustomization", "infra", {"spec": {"sourceRef": source}})
    apps = make(
        "Kustomization", "apps", {"spec": {"sourceRef": source, "dependsOn": [{"name": "infra"}]}}
    )
    facts = facts_of(apps, infra, make("GitRepository", "git"), targets=2)
    answer = planned(resync.plan(facts, now=now, options=Options(with_source=True)))
    order = [(step.patch.target.name, step.after) for step in answer.steps]
    assert order[0] == ("git", ())
    assert order[1] == ("infra", (0,))
    assert order[2][0] == "apps"
    assert set(order[2][1]) >= {0}
    names = [target.name for target in answer.targets]
    assert names == ["infra", "apps"]


def test_resync_dependant_waits_for_its_dependency(make, facts_of, now):
    """Asked at once, it would answer DependencyNotReady and apply nothing."""
    infra = make("Kustomization", "infra")
    apps = make("Kustomization", "apps", {"spec": {"dependsOn": [{"name": "infra"}]}})
    answer = planned(resync.plan(facts_of(apps, infra, targets=2), now=now, options=PLAIN))
    assert [(step.patch.target.name, step.after) for step in answer.steps] == [
        ("infra", ()),
        ("apps", (0,)),
    ]


def test_resync_circle_of_dependencies_is_planned_with_a_warning(make, facts_of, now):
    """A circle is somebody's mistake in git, not a reason to do nothing."""
    one = make("Kustomization", "one", {"spec": {"dependsOn": [{"name": "two"}]}})
    two = make("Kustomization", "two", {"spec": {"dependsOn": [{"name": "one"}]}})
    answer = planned(resync.plan(facts_of(one, two, targets=2), now=now, options=PLAIN))
    assert len(answer.steps) == 2
    assert any("circle" in warning.text for warning in answer.warnings)


@pytest.mark.parametrize(
    ("form", "depth"), [("", "normal"), ("refresh", "normal"), ("hard", "hard")]
)
def test_resync_argo_refresh_waits_until_the_annotation_is_gone(form, depth, make, facts_of, now):
    """Argo CD answers by removing what we wrote."""
    document = make("Application", "web")
    answer = planned(resync.plan(facts_of(document), now=now, options=Options(form=form)))
    patch = answer.steps[0].patch
    assert patch.body == {"metadata": {"annotations": {"argocd.argoproj.io/refresh": depth}}}
    asked = apply_merge(document, patch.body)
    uid = document["metadata"]["uid"]
    assert answer_of(patch.acknowledged_by, asked, uid=uid).notice is Notice.WAITING
    assert answer_of(patch.acknowledged_by, document, uid=uid).notice is Notice.ACKNOWLEDGED


def test_resync_argo_sync_copies_options_and_retry(make, facts_of, now):
    """Without the copy a sync from here would behave otherwise than one from Argo CD."""
    policy = {"syncOptions": ["CreateNamespace=true"], "retry": {"limit": 3}}
    document = make("Application", "web", {"spec": {"syncPolicy": policy}})
    answer = planned(resync.plan(facts_of(document), now=now, options=Options(form="sync")))
    assert answer.steps[0].patch.body == {
        "operation": {
            "initiatedBy": {"username": "fleettui"},
            "sync": {
                "prune": False,
                "syncStrategy": {"hook": {}},
                "syncOptions": ["CreateNamespace=true"],
            },
            "retry": {"limit": 3},
        }
    }


def test_resync_argo_sync_with_running_operation_is_refused(make, facts_of, now):
    """Writing over a running operation would leave half of it behind."""
    running = make("Application", "web", {"operation": {"sync": {}}})
    answer = refused(resync.plan(facts_of(running), now=now, options=Options(form="sync")))
    assert "running" in answer.reason
    idle = make("Application", "web")
    patch = planned(resync.plan(facts_of(idle), now=now, options=Options(form="sync"))).steps[0]
    (test,) = patch.patch.preconditions.relies_on
    assert (test.path, test.absent) == (("operation",), True)


def test_resync_azure_flips_the_policy_and_puts_it_back(make, facts_of, now):
    """Left at skip, the object would never be reconciled again."""
    key = "serviceoperator.azure.com/reconcile-policy"
    document = make("ManagedCluster", "aks", {"metadata": {"annotations": {key: "manage"}}})
    answer = planned(resync.plan(facts_of(document), now=now, options=PLAIN))
    away, back = answer.steps
    assert away.patch.body == {"metadata": {"annotations": {key: "skip"}}}
    assert answer.undo is None, "it has put back what it changed itself"
    assert back.patch.body == {"metadata": {"annotations": {key: "manage"}}}
    assert (back.after, back.is_cleanup) == ((0,), True)
    assert answer.warnings


def test_resync_capi_object_is_nudged_but_not_in_a_paused_cluster(make, facts_of, now):
    """In a paused cluster a nudge changes nothing but an annotation."""
    labels = {"metadata": {"labels": {"cluster.x-k8s.io/cluster-name": "c"}}}
    machine = make("Machine", "m", labels)
    answer = planned(resync.plan(facts_of(machine, make("Cluster", "c")), now=now, options=PLAIN))
    assert answer.steps[0].patch.body == {
        "metadata": {"annotations": {"fleettui.dev/nudged-at": TOKEN}}
    }
    paused = make("Cluster", "c", {"spec": {"paused": True}})
    assert isinstance(resync.plan(facts_of(machine, paused), now=now, options=PLAIN), Refusal)


def test_resync_application_set_uses_its_own_annotation(make, facts_of, now):
    """The annotation of applications does nothing to a set."""
    answer = planned(resync.plan(facts_of(make("ApplicationSet", "all")), now=now, options=PLAIN))
    assert answer.steps[0].patch.body == {
        "metadata": {"annotations": {"argocd.argoproj.io/application-set-refresh": "true"}}
    }


def test_resync_missing_source_is_told(make, facts_of, now):
    """A chain that cannot be read is not guessed."""
    document = make(
        "Kustomization", "apps", {"spec": {"sourceRef": {"kind": "GitRepository", "name": "git"}}}
    )
    answer = refused(resync.plan(facts_of(document), now=now, options=Options(with_source=True)))
    assert "git" in answer.reason
