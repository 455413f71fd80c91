"""Exit codes of answers that lack something, and what is said of it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from fleettui.cli.output import open_output
from fleettui.cli.session import _synced, completeness
from fleettui.errors import ConnectError, ExitCode
from fleettui.fleet.context import ContextInfo, ContextState
from fleettui.fleet.needs import extra_kinds
from fleettui.index import Index
from fleettui.kinds import KindTable, load_table
from fleettui.kinds.batch import Batch, Phase, Scope, ScopeStatus


@dataclass
class _Fleet:
    """As much of a fleet as is asked here: one context in which some kinds are forbidden."""

    missing: tuple[str, ...]
    table: KindTable = field(default_factory=load_table)

    def __post_init__(self) -> None:
        self.index = Index(self.table)

    def forbid(self, group: str, kind: str) -> "_Fleet":
        status = ScopeStatus(Phase.FORBIDDEN, 1)
        self.index.apply(Batch(Scope("prod", group, kind), [status]), 1)
        return self

    def contexts(self) -> list[ContextInfo]:
        return [ContextInfo("prod", state=ContextState.LIVE, missing=self.missing, loaded=9)]


def _code(fleet: Any) -> ExitCode:
    return completeness(fleet, open_output(), allow_partial=False, extra=extra_kinds(fleet))


def test_causes_without_rights_to_pods_and_leases_are_an_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A tenant's alert would be lost because nobody but operators may list Leases."""
    words = ("forbidden: leases.coordination.k8s.io: no", "forbidden: pods in a: no")
    fleet = _Fleet(words).forbid("coordination.k8s.io", "Lease").forbid("", "Pod")
    assert _code(fleet) is ExitCode.OK
    told = capsys.readouterr().err
    assert "not seen: prod: no right to leases.coordination.k8s.io, pods" in told


def test_causes_without_rights_to_clusters_are_incomplete(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A fleet that cannot be read must never look healthy."""
    fleet = _Fleet(("forbidden: clusters.cluster.x-k8s.io: no",))
    assert _code(fleet.forbid("cluster.x-k8s.io", "Cluster")) is ExitCode.INCOMPLETE
    assert "incomplete: prod: forbidden: clusters" in capsys.readouterr().err


def test_causes_with_a_kind_that_failed_to_be_read_are_incomplete() -> None:
    """A right that lacks is known for good; a list that failed may hide anything."""
    assert _code(_Fleet(("broken: pods: 500",))) is ExitCode.INCOMPLETE


class _Silent:
    """A fleet whose only server takes connections and says nothing."""

    def contexts(self) -> list[ContextInfo]:
        """One context, still connecting."""
        return [ContextInfo("prod", server="https://10.0.0.1:6443", origin="user eve of config")]

    async def wait_synced(self, timeout_s: float) -> bool:
        """Time is up."""
        return False


async def test_server_that_never_answers_is_told_with_what_to_do() -> None:
    """An empty table with "connecting" beside it was all there was to read."""
    fleet: Any = _Silent()
    with pytest.raises(ConnectError) as caught:
        await _synced(fleet, open_output(), 6.0)
    assert str(caught.value) == "prod: no whole answer within 6 s from https://10.0.0.1:6443"
    assert "--timeout SECONDS waits longer" in caught.value.hint
    assert "(user eve of config)" in caught.value.hint
