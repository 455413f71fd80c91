"""Support dates of Kubernetes, deprecated kinds and API versions."""

from datetime import UTC, datetime

import pytest

from fleettui.kinds import load_table
from fleettui.kinds.support import SupportState, deprecation_of, support_of


def at(day: str) -> int:
    """Unix seconds of a day's beginning."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("version", "day", "state"),
    [
        ("v1.33.5", "2026-03-01", SupportState.SUPPORTED),
        ("1.33", "2026-05-15", SupportState.ENDING),
        ("v1.33.5-gke.1201000", "2026-06-28", SupportState.ENDING),
        ("v1.33.5", "2026-06-29", SupportState.ENDED),
        ("v1.19.3", "2024-01-01", SupportState.ENDED),
    ],
)
def test_support_of_a_version_turns_with_its_last_day(
    version: str, day: str, state: SupportState
) -> None:
    """A cluster out of support must be marked on the day it happens, not before."""
    found = support_of(version, at(day))
    assert found is not None
    assert found.state is state
    assert (found.words == "") is (state is SupportState.SUPPORTED)


@pytest.mark.parametrize("version", ["4.19.18", "", "v2.1", "v1.99.0", "latest"])
def test_support_of_something_else_is_not_known(version: str) -> None:
    """OpenShift's version numbers are not Kubernetes' and must not be marked by them."""
    assert support_of(version, at("2026-01-01")) is None


@pytest.mark.parametrize(
    ("word", "version", "expected"),
    [
        ("clusters.cluster.x-k8s.io", "v1beta1", "1.16"),
        ("clusters.cluster.x-k8s.io", "v1beta2", ""),
        ("kubeadmcontrolplanes", "v1beta1", "1.16"),
        ("awsclusters", "v1beta2", ""),
        ("helmreleases", "v2beta1", "v2"),
        ("azuremanagedcontrolplanes", "v1beta1", "AzureASOManaged"),
        ("dockerclusters", "v1beta1", "Dev"),
    ],
)
def test_deprecation_is_told_of_kinds_and_versions(word: str, version: str, expected: str) -> None:
    """What ends with the next upgrade of the controllers must be known before it."""
    found = deprecation_of(load_table().named(word), version)
    assert expected in found
    assert bool(found) is bool(expected)
