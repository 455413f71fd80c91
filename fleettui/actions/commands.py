"""The plan as command lines of kubectl and flux, to be copied.

Knows the flags of both programs; runs neither. Lines are quoted for a POSIX
shell, whatever stands in a name.

Source: kubectl patch, kubectl wait, kubectl delete --raw; flux suspend, resume, reconcile.
"""

import json
import shlex
from collections.abc import Iterator

from fleettui.actions.forms import forms
from fleettui.actions.plan import (
    FIELD_MANAGER,
    ContentType,
    Method,
    Patch,
    Plan,
    Signal,
    Step,
    Target,
)
from fleettui.actions.resync_flux import FORCE_AT, REQUESTED_AT, RESET_AT

_TYPES = {ContentType.MERGE: "merge", ContentType.JSON: "json"}


def as_kubectl(plan: Plan) -> tuple[str, ...]:
    """One line per step, in order; each sends exactly the patch of the plan.

    A step that others wait for is followed by lines that wait for what shows its end.
    """
    awaited = {number for step in plan.steps for number in step.after}
    return tuple(
        line
        for step in plan.steps
        for line in (_kubectl(step.patch), *(_waits(step.patch) if step.id in awaited else ()))
    )


def _waits(patch: Patch) -> Iterator[str]:
    """Lines of ``kubectl wait``, for checks that it can make."""
    target, timeout_s = patch.target, patch.acknowledged_by.timeout_s
    for check in patch.acknowledged_by.checks:
        if check.signal is Signal.EQUALS:
            wanted = f"jsonpath={{.{'.'.join(check.path)}}}={check.value}"
        elif check.signal is Signal.CONDITION:
            wanted = f"condition={check.path[0]}={check.value}"
        else:
            continue
        words = ["wait", f"--for={wanted}", f"{_resource(target)}/{target.name}"]
        base = ["kubectl", *_context(target), *_namespace(target)]
        yield shlex.join([*base, *words, f"--timeout={timeout_s}s"])


def _resource(target: Target) -> str:
    return f"{target.plural}.{target.version}.{target.group}" if target.group else target.plural


def _namespace(target: Target) -> list[str]:
    return ["-n", target.namespace] if target.namespace else []


def _kubectl(patch: Patch) -> str:
    target = patch.target
    body = json.dumps(patch.wire_body(), separators=(",", ":"), ensure_ascii=False)
    base = ["kubectl", *_context(target)]
    if patch.method is Method.DELETE:
        line = shlex.join([*base, "delete", "--raw", target.path(), "-f", "-"])
        return f"printf %s {shlex.quote(body)} | {line}"
    sub = [f"--subresource={patch.subresource}"] if patch.subresource else []
    flags = [f"--type={_TYPES[patch.content_type]}", *sub, f"--field-manager={FIELD_MANAGER}"]
    words = ["patch", _resource(target), target.name, *flags, "-p", body]
    return shlex.join([*base, *_namespace(target), *words])


def _context(target: Target) -> list[str]:
    return ["--context", target.context] if target.context else []


def as_flux(plan: Plan) -> tuple[str, ...]:
    """Lines of the flux program; empty when it cannot do all of the plan."""
    asked = {target.ref for target in plan.targets}
    sources = {step.id for step in plan.steps if step.patch.ref not in asked}
    lines = [
        _flux(step, with_source=not sources.isdisjoint(step.after))
        for step in plan.steps
        if step.id not in sources
    ]
    return tuple(lines) if all(lines) else ()


def _flux(step: Step, *, with_source: bool) -> str:
    """The line for one step, empty when flux has none; its sources are a flag of it."""
    target = step.patch.target
    words = forms().flux_words.get(target.kind)
    verb = _flux_verb(step.patch)
    if words is None or verb is None:
        return ""
    flags = [*verb[1:], *(["--with-source"] if with_source else [])]
    base = ["flux", *_context(target), *_namespace(target)]
    return shlex.join([*base, verb[0], *words.split(), target.name, *flags])


def _flux_verb(patch: Patch) -> list[str] | None:
    """The verb and its flags that do the same, None when there is none."""
    body = patch.body if isinstance(patch.body, dict) else {}
    spec = body.get("spec") or {}
    if set(spec) == {"suspend"}:
        return ["suspend"] if spec["suspend"] is True else ["resume"]
    notes = (body.get("metadata") or {}).get("annotations") or {}
    if REQUESTED_AT not in notes:
        return None
    flags = {FORCE_AT: "--force", RESET_AT: "--reset"}
    return ["reconcile", *(flag for key, flag in flags.items() if key in notes)]
