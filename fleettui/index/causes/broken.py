"""Kinds that a server cannot serve: a conversion webhook that does not answer.

Knows scopes, not rows: of such a kind there are none to be red.
"""

from collections.abc import Iterator

from fleettui.index.causes.explain import Finding
from fleettui.index.causes.fingerprint import abstract, fingerprint
from fleettui.index.causes.signal import CauseState, Signal
from fleettui.index.index import Index
from fleettui.kinds.batch import Phase
from fleettui.kinds.record import ObjectRef

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


def broken_scopes(index: Index) -> Iterator[Finding]:
    """One finding for each kind whose lists fail at the server, in order of arrival."""
    seen: set[ObjectRef] = set()
    for scope, status in index.coverage.scopes().items():
        if status.phase is not Phase.BROKEN:
            continue
        kind = f"{scope.kind}.{scope.group}".rstrip(".")
        ref = ObjectRef(scope.context, *_CRD, "", kind)
        if ref in seen:
            continue
        seen.add(ref)
        signal = Signal(
            CauseState.FAILING,
            weight=85,
            condition="list",
            reason="CannotBeRead",
            message=f"{kind} cannot be read: {status.error}",
            since=status.since,
            is_hard=True,
        )
        key = fingerprint("failing", scope.kind, "list", "CannotBeRead", abstract(status.error))
        yield Finding(ref, ref, ref.kind, signal, (ref,), (), key, layer=0)
