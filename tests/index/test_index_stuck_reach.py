"""What is said of certificates when a workload cluster does not answer."""

import copy

from incidents import NOW, Incident, all_incidents, told

from fleettui.index.stuck import stories_of
from fleettui.kinds.moments import rfc3339

DAY_S = 86400
_EXPIRY = "machine.cluster.x-k8s.io/certificates-expiry"


def _said(ends: int) -> list[tuple[str, bool]]:
    """Sentences on certificates of a silent cluster, that end so many seconds from now.

    With each, whether it blocks.
    """
    found = next(one for one in all_incidents() if one.name == "set-left-a-part-behind")
    incident = Incident(found.name, objects=copy.deepcopy(found.objects))
    for key, body in incident.objects.items():
        if key.kind == "Cluster":
            conditions = body["status"]["conditions"]
            conditions[:] = [c for c in conditions if c["type"] != "RemoteConnectionProbe"]
            conditions.append(
                {
                    "type": "RemoteConnectionProbe",
                    "status": "False",
                    "reason": "ProbeFailed",
                    "lastTransitionTime": rfc3339(NOW - 900),
                }
            )
        if key.kind == "Machine" and key.name.startswith("c1-cp"):
            body["metadata"]["annotations"] = {_EXPIRY: rfc3339(NOW + ends)}
    index = told(incident).index
    (cluster,) = (row for row in index.rows() if row.kind == "Cluster")
    (story,) = (s for s in stories_of(index, cluster, NOW) if s.title == "unreachable")
    return [(s.text, s.is_blocking) for s in story.sentences if "certificates of" in s.text]


def test_reach_tells_the_day_on_which_certificates_ended() -> None:
    """Whoever is called at night would look at networks while every certificate is over."""
    said = _said(-3 * DAY_S)
    assert len(said) == 3
    assert all("ended 3d ago, on 2026-09-18" in text for text, _ in said)
    assert all(is_blocking for _, is_blocking in said)


def test_reach_tells_when_certificates_will_end_without_blaming_them() -> None:
    """A certificate that is good for months would be looked at first, or not be excluded."""
    said = _said(200 * DAY_S)
    assert [is_blocking for _, is_blocking in said] == [False]
    assert "until 2027-" in said[0][0]
