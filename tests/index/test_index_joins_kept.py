"""Links that are kept while objects come, change and go, beside those found anew."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fleettui.index.index import Index
from fleettui.index.joins import CLUSTER_LABEL, Joins
from fleettui.kinds.record import Owner, Reference

NAMES = ("a", "a-user")
SPACES = ("n1",)
ELSEWHERE = ("n1", "n2")
ARN = "arn:aws:eks:eu-1:1:cluster/"


def reference(relation, group, kind, namespace, name):
    return Reference(relation, group, kind, namespace, name, f"spec.{relation}")


@st.composite
def clusters(draw, make):
    """A Cluster that may have an endpoint, and may say who made it."""
    name, ns = draw(st.sampled_from(NAMES)), draw(st.sampled_from(ELSEWHERE))
    facts = draw(st.sampled_from([(), (("endpoint", "https://one:6443"),)]))
    refs = draw(st.sampled_from([[], ["created_by=Kustomization/n1/k"]]))
    return make.record("Cluster", name, ns=ns, facts=facts, refs=refs)


@st.composite
def planes(draw, make):
    """A control plane below some cluster or none, that a cloud may know."""
    name, ns = draw(st.sampled_from(NAMES)), draw(st.sampled_from(SPACES))
    owner = draw(st.sampled_from([None, *(f"Cluster/{other}" for other in NAMES)]))
    facts = draw(st.sampled_from([(), (("eks_name", "x"), ("region", "eu-1"))]))
    return make.record("Plane", f"{name}-cp", ns=ns, owner=owner, facts=facts)


@st.composite
def secrets(draw, make):
    """A kubeconfig by name, label, owner or registration, or by none of them."""
    name, ns = draw(st.sampled_from(NAMES)), draw(st.sampled_from(SPACES))
    label = draw(st.sampled_from(["", *NAMES]))
    refs = [f"cluster=Cluster/{label}"] if label else []
    refs += draw(st.sampled_from([[], ["registers=Cluster/a"], ["registers=Cluster/n2/a"]]))
    labels = ((CLUSTER_LABEL, label),) if label else ()
    if any(word.startswith("registers") for word in refs):
        labels = (("argocd.argoproj.io/secret-type", "cluster"), *labels)
    record = make.record("Secret", f"{name}-kubeconfig", ns=ns, labels=labels, refs=refs)
    if draw(st.booleans()):
        plane = f"{draw(st.sampled_from(NAMES))}-cp"
        owner = Owner("controlplane", "Plane", plane, f"uid-{plane}", True)
        record = _with(record, owners=(owner,))
    return record


@st.composite
def configs(draw, make):
    """A ConfigMap that stands in for a kubeconfig."""
    ns = draw(st.sampled_from(SPACES))
    facts = draw(
        st.sampled_from([(), (("cluster", ARN + "x"),), (("address", "https://one:6443"),)])
    )
    refs = draw(st.sampled_from([[], ["converted_from=Secret/a-kubeconfig"]]))
    return make.record("ConfigMap", "stand-in", ns=ns, facts=facts, refs=refs)


@st.composite
def appliers(draw, make):
    """What deploys somewhere, by any of the ways there are."""
    name, ns = draw(st.sampled_from(["k", "l"])), draw(st.sampled_from(SPACES))
    target = draw(st.sampled_from(NAMES))
    refs = draw(
        st.sampled_from(
            [
                [],
                [f"targets=Cluster/{target}", f"kubeconfig_secret=Secret/{target}-kubeconfig"],
                [f"kubeconfig_secret=Secret/{target}-kubeconfig"],
                ["kubeconfig_config=ConfigMap/stand-in"],
                [f"applies=Cluster/{target}"],
            ]
        )
    )
    record = make.record("Kustomization", name, ns=ns, refs=refs)
    wanted = draw(st.sampled_from(["", target, f"n1/{target}", "https://one:6443"]))
    if not refs and wanted:
        pointer = reference("destination", "", "", "", wanted)
        record = _with(record, references=(pointer,))
    return record


def _with(record, **changes):
    return type(record)(
        **{name: getattr(record, name) for name in record.__struct_fields__} | changes
    )


def links_of_all(joins, index):
    """What trees show under every row, as far as the test looks.

    By the row: one that went and came under the same name is another one, which trees take
    for new by themselves.
    """
    return {
        row: {(words, other.ref) for words, other in joins.links_of(row, everywhere=True)}
        for row in index.rows()
        if row.kind in ("Cluster", "Kustomization")
    }


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_joins_kept_up_with_any_changes_are_those_found_anew(make, table, data):
    """A cluster that comes or goes must not leave a wrong link under another one."""
    index = Index(table)
    joins = Joins(index)
    joins.refresh()
    kinds = [clusters(make), planes(make), secrets(make), configs(make), appliers(make)]
    goes = st.sampled_from([False, False, True])
    changes = data.draw(st.lists(st.tuples(goes, st.one_of(kinds)), min_size=8, max_size=24))
    shown = {}
    for version, (goes, record) in enumerate(changes, 1):
        if goes:
            make.drop(index, record)
        else:
            make.put(index, _with(record, resource_version=str(version)))
        if version % 3 == data.draw(st.integers(0, 2)):
            continue  # several changes are taken over together
        told = joins.refresh().links
        fresh = Joins(index)
        fresh.refresh()
        links = links_of_all(fresh, index)
        assert links_of_all(joins, index) == links
        unlike = {row for row in shown.keys() & links.keys() if shown[row] != links[row]}
        assert unlike <= told
        shown = links
