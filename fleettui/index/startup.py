"""How long a machine may take to become a node, by the health check that watches it.

Knows the facts that a health check's entry gives: ``node_startup_timeout`` (a Go
duration or seconds) and ``selector`` (``k=v`` words). Source: Cluster
API, MachineHealthCheck spec.nodeStartupTimeout(Seconds), spec.selector.
"""

import re
from typing import Final

from fleettui.index.rows import Row
from fleettui.kinds.spec import Role

UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
NODE_FACTS: Final = ("node", "node_name")
"""Facts of a machine that say that its node has come."""


class HealthChecks:
    """The health checks of each cluster."""

    def __init__(self) -> None:
        """Start without any."""
        self._checks: dict[tuple[str, str, str], dict[str, Row]] = {}

    def put(self, check: Row) -> None:
        """Keep a new or changed check."""
        self._checks.setdefault(_cluster_of(check), {})[check.name] = check

    def drop(self, check: Row) -> None:
        """Forget a check that is gone."""
        same = self._checks.get(_cluster_of(check), {})
        if same.get(check.name) is check:
            del same[check.name]
        if not same:
            self._checks.pop(_cluster_of(check), None)

    def limit_s(self, machine: Row) -> int | None:
        """Return the shortest start-up time-out that applies to a machine without a node.

        None for anything else, and for a machine that no health check selects.
        """
        if not self._checks or machine.place.spec.role is not Role.MACHINE:
            return None
        checks = self._checks.get(_cluster_of(machine))
        if not checks or any(map(machine.fact, NODE_FACTS)):
            return None
        found = [
            limit
            for check in checks.values()
            if (limit := duration_s(check.fact("node_startup_timeout"))) > 0
            and _selects(check.fact("selector"), machine)
        ]
        return min(found, default=None)


class StartingMachines:
    """Machines whose time runs, by their cluster."""

    def __init__(self) -> None:
        """Start without any."""
        self._machines: dict[tuple[str, str, str], dict[Row, None]] = {}
        self._clusters: dict[Row, tuple[str, str, str]] = {}

    def put(self, machine: Row) -> None:
        """Keep a machine, under the cluster that it belongs to now."""
        self.drop(machine)
        cluster = self._clusters[machine] = _cluster_of(machine)
        self._machines.setdefault(cluster, {})[machine] = None

    def drop(self, machine: Row) -> None:
        """Forget a machine, which need not be known."""
        cluster = self._clusters.pop(machine, None)
        if cluster is None:
            return
        same = self._machines[cluster]
        del same[machine]
        if not same:
            del self._machines[cluster]

    def watched_by(self, check: Row) -> list[Row]:
        """Return those of the health check's cluster; costs nothing for all the others."""
        return list(self._machines.get(_cluster_of(check), ()))


def _cluster_of(row: Row) -> tuple[str, str, str]:
    return (row.place.context, row.place.namespace, row.cluster)


def duration_s(text: str) -> int:
    """Return a Go duration (``1h30m``) or a number of seconds as seconds, 0 if it is neither."""
    if text.isascii() and text.isdigit():
        return int(text)
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        return 0
    return int(sum(float(number) * UNITS[unit] for number, unit in parts))


def _selects(selector: str, machine: Row) -> bool:
    if not selector:
        return False
    labels = dict(machine.labels)
    pairs = [term.partition("=") for term in selector.replace(",", " ").split()]
    return all(labels.get(key) == value for key, _, value in pairs)
