"""What a person may ask for beside the verb, and the limits a configuration sets.

Plain values with defaults that do the least; front ends turn flags and dialog
fields into these.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fleettui.errors import UsageError
from fleettui.index.query import UNITS_S


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may happen at once."""

    confirm_above: int = 20
    """More targets than this want a typed confirmation."""
    refuse_above: int = 3000
    """More targets than this are refused."""
    canary: int = 1
    """Targets of the first wave, when there is more than one wave."""
    wave: int = 20
    """Targets of each later wave."""
    in_flight: int = 10
    """Most steps waited for at a time."""
    rate_per_s: float = 2.0
    """Most requests started per second; 0: no limit."""


@dataclass(frozen=True, slots=True)
class Options:
    """Wishes of all verbs; each reads those that concern it."""

    form: str = ""
    """Which way of the verb, where a kind has several; empty: the usual one.

    Pause and resume: ``rollout``, ``freeze``, ``legacy``, ``detach``. Resync: ``refresh``,
    ``hard``, ``sync``. Rollout and scale of what a topology owns: ``direct``.
    """
    who: str = ""
    """Written into pauses: the person, as user@host or as the server knows them."""
    reason: str = ""
    """Written into pauses and the journal."""
    expires_s: int = 0
    """Seconds after which a pause is shown as expired; 0: never."""
    with_source: bool = False
    """Resync the sources first and wait for them."""
    force: bool = False
    """HelmRelease and flux-operator: force the action."""
    reset: bool = False
    """HelmRelease: reset the failure counters."""
    prune: bool = False
    """Argo sync: remove what git no longer has."""
    revision: str = ""
    """Argo sync: another revision than the spec's."""
    argo_dry_run: bool = False
    """Argo sync: let Argo CD only tell what it would do."""
    replicas: int | None = None
    version: str = ""
    """Kubernetes version to upgrade to, ``v1.33.2``."""
    plan_id: str = ""
    """Terraform: the plan id that the person has read."""
    set: Mapping[str, str | None] = field(default_factory=dict)
    """Annotations or labels to set; None removes one."""
    all_matching: bool = False
    """The selection was a filter, so it must be known completely."""
    enabled: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Context to the dangerous verbs that its configuration allows: approve, delete-cluster,
    upgrade."""
    protected: frozenset[str] = frozenset()
    """Contexts whose name must be typed before anything is sent."""
    limits: Limits = Limits()

    def allows(self, context: str, verb: str) -> bool:
        """Whether the configuration enables a dangerous verb in a context."""
        return verb in self.enabled.get(context, frozenset())


def entries_of(words: Iterable[str]) -> dict[str, str | None]:
    """Annotations or labels as they are typed: ``KEY=VALUE`` sets, ``KEY-`` removes.

    Raises:
        UsageError: a word is neither.
    """
    found: dict[str, str | None] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if sign and key:
            found[key] = value
        elif not sign and word.endswith("-") and len(word) > 1:
            found[word[:-1]] = None
        else:
            raise UsageError(f"{word!r} is no entry", hint="KEY=VALUE sets, KEY- removes")
    return found


def seconds_of(text: str) -> int:
    """Seconds of a duration as it is typed: ``90s``, ``2h``, ``1d12h``.

    Raises:
        UsageError: it is none.
    """
    parts = re.findall(r"([0-9]+)([smhdw])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"{text!r} is no duration", hint="such as 90s, 2h or 1d12h")
    return sum(int(number) * UNITS_S[unit] for number, unit in parts)
