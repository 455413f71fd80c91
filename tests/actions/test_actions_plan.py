"""Plans as values: JSON, undo, order, waves, command lines, rights."""

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.actions import bulk, pause, resync, verbs
from fleettui.actions.commands import as_flux, as_kubectl
from fleettui.actions.documents import apply_merge, inverse_merge
from fleettui.actions.facts import Access, AccessRequest, Facts
from fleettui.actions.options import Limits, Options
from fleettui.actions.plan import Plan, Refusal, plan_of, to_json
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Dialect, KindSpec, Role

PLAIN = Options()


def planned(answer):
    assert isinstance(answer, Plan), answer
    return answer


def test_plan_json_reads_back_equal(make, facts_of, now):
    """A plan that is saved and resumed must send the same bytes."""
    source = {"kind": "GitRepository", "name": "git"}
    document = make("Kustomization", "apps", {"spec": {"sourceRef": source}})
    facts = facts_of(document, make("GitRepository", "git"))
    plan = planned(resync.plan(facts, now=now, options=Options(with_source=True)))
    text = json.dumps(to_json(plan))
    assert plan_of(json.loads(text)) == plan
    noted = planned(pause.plan(facts, now=now, options=Options(who="ann", expires_s=60)))
    assert plan_of(json.loads(json.dumps(to_json(noted)))) == noted


def test_plan_id_is_that_of_its_content(make, facts_of, now):
    """A resume token must not fit another plan."""
    first = planned(pause.plan(facts_of(make("Cluster", "a")), now=now, options=PLAIN))
    same = planned(pause.plan(facts_of(make("Cluster", "a")), now=now, options=PLAIN))
    other = planned(pause.plan(facts_of(make("Cluster", "b")), now=now, options=PLAIN))
    assert first.id == same.id != other.id


KEYS = st.sampled_from(["a", "b", "c", "d/e"])
SCALARS = st.one_of(st.booleans(), st.integers(0, 9), st.text(max_size=3))
DOCUMENTS = st.dictionaries(
    KEYS, st.recursive(SCALARS, lambda inner: st.dictionaries(KEYS, inner, min_size=1)), max_size=4
)
PATCHES = st.dictionaries(
    KEYS,
    st.recursive(
        st.one_of(st.none(), SCALARS), lambda inner: st.dictionaries(KEYS, inner, min_size=1)
    ),
    max_size=4,
)


def without_empty(value):
    """Maps that hold nothing (or only such maps) count as absent."""
    if not isinstance(value, dict):
        return value
    found = {key: without_empty(item) for key, item in value.items()}
    return {key: item for key, item in found.items() if item != {}}


@given(document=DOCUMENTS, patch=PATCHES)
def test_inverse_merge_puts_everything_back(document, patch):
    """Undo that forgets a field would leave the object neither old nor new."""
    whole, change = {"spec": document}, {"spec": patch}
    after = apply_merge(whole, change)
    back = apply_merge(after, inverse_merge(whole, change))
    assert without_empty(back) == without_empty(whole)


@given(
    spec=DOCUMENTS,
    suspend=st.sampled_from([{}, {"suspend": False}]),
    options=st.builds(Options, who=st.text(max_size=3), expires_s=st.integers(0, 9)),
)
def test_undo_of_pause_restores_any_document(spec, suspend, options):
    """Whatever stood in the object, undo ends where the pause began."""
    ref = ObjectRef("mgmt", "kustomize.toolkit.fluxcd.io", "Kustomization", "ns", "a")
    entry = KindSpec(ref.group, ref.kind, "kustomizations", Role.APPLIER, dialect=Dialect.FLUX)
    document = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "a", "namespace": "ns", "uid": "u", "annotations": {"x": "y"}},
        "spec": spec | {"interval": "1m"} | suspend,
    }
    facts = Facts((ref,), lambda group, kind: entry, {ref: document})
    plan = planned(pause.plan(facts, now=datetime(2026, 8, 23, tzinfo=UTC), options=options))
    after = apply_merge(document, plan.steps[0].patch.body)
    assert after["spec"]["suspend"] is True
    assert apply_merge(after, plan.undo.steps[0].patch.body) == document


REFS = [ObjectRef("c", "g", "K", "n", str(number)) for number in range(8)]


@given(
    edges=st.dictionaries(st.sampled_from(REFS), st.lists(st.sampled_from(REFS), max_size=3)),
    chosen=st.permutations(REFS).flatmap(lambda refs: st.integers(0, 8).map(lambda n: refs[:n])),
)
def test_order_holds_every_object_once_and_dependencies_first(edges, chosen):
    """An object lost in sorting is not acted upon; one too early is acted upon in vain."""
    order, circles = bulk.ordered(chosen, edges)
    assert sorted(order) == sorted(chosen)
    if not circles:
        place = {ref: index for index, ref in enumerate(order)}
        for ref in chosen:
            for dependency in edges.get(ref, ()):
                assert dependency not in place or place[dependency] < place[ref]


def test_bulk_above_the_limits_wants_the_number_or_is_refused(make, facts_of, now):
    """A slip of the finger over a whole fleet must not be one key."""
    documents = [make("Kustomization", f"k{number}") for number in range(6)]
    facts = facts_of(*documents, targets=6)
    few = planned(pause.plan(facts, now=now, options=Options(limits=Limits(confirm_above=6))))
    assert few.typed_confirmation == ""
    many = planned(pause.plan(facts, now=now, options=Options(limits=Limits(confirm_above=5))))
    assert many.typed_confirmation == "6"
    refused = pause.plan(facts, now=now, options=Options(limits=Limits(refuse_above=5)))
    assert isinstance(refused, Refusal)
    assert "limit of 5" in refused.reason


def test_bulk_begins_with_a_canary(make, facts_of, now):
    """What breaks, breaks once."""
    documents = [make("Kustomization", f"k{number}") for number in range(6)]
    limits = Limits(canary=1, wave=2)
    plan = planned(
        pause.plan(facts_of(*documents, targets=6), now=now, options=Options(limits=limits))
    )
    assert [len(wave) for wave in plan.waves] == [1, 2, 2, 1]


def test_bulk_names_what_it_leaves_out(make, facts_of, now):
    """Five of six paused, and nobody told about the sixth, is how incidents start."""
    stopped = make("Kustomization", "b", {"spec": {"suspend": True}})
    documents = [make("Kustomization", "a"), stopped]
    plan = planned(pause.plan(facts_of(*documents, targets=2), now=now, options=PLAIN))
    assert [target.name for target in plan.targets] == ["a"]
    assert [refusal.target for refusal in plan.refused] == ["mgmt:Kustomization/ns/b"]
    assert any("left out" in warning.text for warning in plan.warnings)


def test_bulk_of_refused_objects_is_one_refusal_with_all_reasons(make, facts_of, now):
    """Each object's reason is told, not only the first."""
    documents = [make("Kustomization", name, {"spec": {"suspend": True}}) for name in "ab"]
    answer = pause.plan(facts_of(*documents, targets=2), now=now, options=PLAIN)
    assert isinstance(answer, Refusal)
    assert len(answer.others) == 1


def test_resume_token_goes_on_without_what_is_done(make, facts_of, now):
    """A bulk that stopped goes on where it stopped, and only there."""
    documents = [make("Kustomization", f"k{number}") for number in range(4)]
    plan = planned(pause.plan(facts_of(*documents, targets=4), now=now, options=PLAIN))
    token = bulk.ResumeToken(plan_id=plan.id, done=(0, 1), left=(2, 3))
    rest = planned(bulk.remaining(plan, token))
    assert [step.id for step in rest.steps] == [2, 3]
    assert rest.id == plan.id
    other = bulk.ResumeToken(plan_id="x", done=(), left=(0,))
    assert isinstance(bulk.remaining(plan, other), Refusal)
    finished = bulk.ResumeToken(plan_id=plan.id, done=(0, 1, 2, 3))
    assert finished.is_finished
    assert isinstance(bulk.remaining(plan, finished), Refusal)
    assert msgspec.json.decode(msgspec.json.encode(token), type=bulk.ResumeToken) == token


@pytest.mark.parametrize("is_filter", [False, True])
def test_plan_of_a_filter_says_as_of_when_it_found(is_filter, make, facts_of, now):
    """What comes while a plan is read is not acted upon, and must not be taken for done."""
    options = Options(all_matching=is_filter)
    plan = planned(pause.plan(facts_of(make("Cluster", "c")), now=now, options=options))
    assert any("what comes later" in warning.text for warning in plan.warnings) is is_filter


def test_kubectl_line_sends_exactly_the_patch(make, facts_of, now):
    """A copied line that does something else is worse than none."""
    document = make("Cluster", "it's $(odd)")
    plan = planned(pause.plan(facts_of(document), now=now, options=PLAIN))
    (line,) = as_kubectl(plan)
    words = shlex.split(line)
    assert words[:6] == ["kubectl", "--context", "mgmt", "-n", "ns", "patch"]
    assert words[6:8] == ["clusters.v1beta2.cluster.x-k8s.io", "it's $(odd)"]
    assert "--field-manager=fleettui" in words
    assert json.loads(words[-1]) == plan.steps[0].patch.wire_body()


def test_kubectl_delete_line_keeps_the_preconditions(make, facts_of, now):
    """``kubectl delete`` alone would delete whatever has the name by now."""
    verb = verbs.VERBS["delete"]
    plan = planned(verb.plan(facts_of(make("Machine", "m")), now=now, options=PLAIN))
    (line,) = as_kubectl(plan)
    body, _, command = line.removeprefix("printf %s ").partition(" | ")
    assert json.loads(shlex.split(body)[0])["preconditions"]["uid"] == "uid-Machine-m"
    assert "--raw /apis/cluster.x-k8s.io/v1beta2/namespaces/ns/machines/m" in command


@pytest.mark.parametrize(
    ("kind", "verb", "options", "line"),
    [
        ("Kustomization", "pause", PLAIN, "flux --context mgmt -n ns suspend kustomization a"),
        (
            "GitRepository",
            "resync",
            PLAIN,
            "flux --context mgmt -n ns reconcile source git a",
        ),
        (
            "HelmRelease",
            "resync",
            Options(force=True, reset=True),
            "flux --context mgmt -n ns reconcile helmrelease a --force --reset",
        ),
        ("Cluster", "pause", PLAIN, ""),
    ],
)
def test_flux_line_does_the_same_where_flux_can(kind, verb, options, line, make, facts_of, now):
    """People know flux; a line of its own is worth more than a patch."""
    plan = planned(verbs.VERBS[verb].plan(facts_of(make(kind, "a")), now=now, options=options))
    assert " ".join(as_flux(plan)) == line


def test_flux_line_of_a_chain_is_one_line(make, facts_of, now):
    """``--with-source`` is one command, not two."""
    source = {"kind": "GitRepository", "name": "git"}
    document = make("Kustomization", "a", {"spec": {"sourceRef": source}})
    facts = facts_of(document, make("GitRepository", "git"))
    plan = planned(resync.plan(facts, now=now, options=Options(with_source=True)))
    assert as_flux(plan) == ("flux --context mgmt -n ns reconcile kustomization a --with-source",)


def test_needs_ask_for_exactly_the_rights_of_the_plan(make, facts_of, now):
    """A right that is not asked for is found out by a 403 in mid-bulk."""
    document = make("MachineDeployment", "md", {"spec": {"replicas": 3}})
    facts = facts_of(document)
    options = Options(replicas=5)
    request = verbs.needs(verbs.VERBS["scale"], facts, now=now, options=options)
    (right,) = request.access
    assert right == AccessRequest(
        "mgmt", "patch", "cluster.x-k8s.io", "machinedeployments", "scale", "ns"
    )
    assert right.rule == "patch machinedeployments/scale.cluster.x-k8s.io in namespace ns"
    answered = facts.with_more(access={right: Access(allowed=True)})
    assert not verbs.needs(verbs.VERBS["scale"], answered, now=now, options=options)
    denied = facts.with_more(access={right: Access(allowed=False)})
    answer = verbs.VERBS["scale"].plan(denied, now=now, options=options)
    assert isinstance(answer, Refusal)
    assert answer.missing_rule == right.rule


def test_read_only_context_is_never_planned_for(make, facts_of, now):
    """On-call in read-only mode must not even see a plan that could be confirmed."""
    facts = replace(facts_of(make("Cluster", "c")), read_only=frozenset({"mgmt"}))
    for verb in verbs.VERBS.values():
        answer = verb.plan(facts, now=now, options=Options(replicas=1, set={"a": "b"}))
        assert isinstance(answer, Refusal), verb.id
        assert "read-only" in answer.reason


def test_verbs_of_a_kind_and_why_not(make, facts_of, ref):
    """Keys that mean nothing for a row are not offered; others say why they are greyed."""
    lookup = facts_of(make("Cluster", "c")).spec_of
    cluster = lookup("cluster.x-k8s.io", "Cluster")
    machine = lookup("cluster.x-k8s.io", "Machine")
    artifact = lookup("source.toolkit.fluxcd.io", "ExternalArtifact")
    assert "upgrade" in {verb.id for verb in verbs.verbs_for(cluster)}
    assert {verb.id for verb in verbs.verbs_for(artifact)} == {"annotate", "label"}

    def reason(verb, spec, **row):
        row = {"allowed": (), "is_paused": False, "is_deleting": False} | row
        return verbs.why_not(verbs.VERBS[verb], spec, **row)

    assert "allow list" in reason("delete", cluster)
    assert reason("delete", cluster, allowed=("delete-cluster",)) == ""
    assert reason("delete", machine) == ""
    assert reason("pause", cluster, is_paused=True) == "it is paused already"
    assert reason("resume", cluster) == "it is not paused"
    assert reason("resync", cluster, is_deleting=True) == "it is being deleted"
