"""Many objects at once: order, canary and waves, limits, and where it stopped.

Knows dependencies, numbers and what was done so far; knows no verb and no kind.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from fleettui.actions.facts import Facts
from fleettui.actions.options import Limits, Options
from fleettui.actions.plan import Danger, Plan, Refusal, Step, Target, Warning
from fleettui.kinds.record import ObjectRef
from fleettui.text import age_text


def selection_refusal(facts: Facts, options: Options) -> Refusal | None:
    """Why the selection as a whole may not be acted upon, None when it may."""
    count = len(facts.refs)
    if options.all_matching and facts.scope_gaps:
        return Refusal(
            target="",
            reason="the scope of the filter is not completely known: "
            + ", ".join(facts.scope_gaps),
            hint="narrow the filter to what can be read, or name the objects",
        )
    if not count:
        return Refusal(
            target="", reason="nothing is selected", hint="mark a row or widen the filter"
        )
    if count > options.limits.refuse_above:
        return Refusal(
            target="",
            reason=f"{count} objects are more than the limit of {options.limits.refuse_above}",
            hint="narrow the filter, or raise the limit in the configuration",
        )
    return None


def ordered(
    refs: Sequence[ObjectRef], depends_on: Mapping[ObjectRef, Iterable[ObjectRef]]
) -> tuple[tuple[ObjectRef, ...], tuple[Warning, ...]]:
    """The objects with what they depend on first, and a warning for each circle.

    Stable: objects that do not depend on each other keep their order. Members of
    a circle come last in their own order. Costs O(objects + dependencies).
    """
    chosen = set(refs)
    waiting = {ref: {dep for dep in depends_on.get(ref, ()) if dep in chosen} for ref in refs}
    dependants: dict[ObjectRef, list[ObjectRef]] = {}
    for ref, dependencies in waiting.items():
        for dependency in dependencies:
            dependants.setdefault(dependency, []).append(ref)
    ready = [ref for ref in refs if not waiting[ref]]
    result: list[ObjectRef] = []
    for ref in ready:
        result.append(ref)
        for dependant in dependants.get(ref, ()):
            waiting[dependant].discard(ref)
            if not waiting[dependant]:
                ready.append(dependant)
    placed = set(result)
    circle = [ref for ref in refs if ref not in placed]
    if not circle:
        return tuple(result), ()
    names = ", ".join(str(ref) for ref in circle[:5])
    warning = Warning(text=f"these depend on each other in a circle, or on one: {names}")
    return (*result, *circle), (warning,)


def waves(steps: Sequence[Step], limits: Limits) -> tuple[tuple[int, ...], ...]:
    """Step ids by wave: the canary, then so many targets at a time.

    All steps of a target go in one wave; what it waits for is in the same wave
    or an earlier one, because units are numbered in dependency order.
    """
    by_unit: dict[int, list[int]] = {}
    for step in steps:
        by_unit.setdefault(step.unit, []).append(step.id)
    units = sorted(by_unit)
    canary, size = max(limits.canary, 0), max(limits.wave, 1)
    groups = [units[:canary]] if 0 < canary < len(units) else []
    rest = units[len(groups[0]) :] if groups else units
    groups += [rest[start : start + size] for start in range(0, len(rest), size)]
    return tuple(tuple(step for unit in group for step in by_unit[unit]) for group in groups)


def typed_confirmation(targets: Sequence[Target], danger: Danger, options: Options) -> str:
    """What the person must type, empty when a plain yes will do."""
    contexts = sorted({t.context for t in targets if t.context in options.protected})
    parts = list(contexts)
    if danger is Danger.DESTRUCTIVE:
        parts += [target.name for target in targets] if len(targets) == 1 else [str(len(targets))]
    elif len(targets) > options.limits.confirm_above:
        parts.append(str(len(targets)))
    return "/".join(parts)


def pace_words(plan: Plan, left: int) -> str:
    """How fast a plan may go and how long what is left takes at least; empty for one step.

    Args:
        plan: the plan.
        left: steps that are not sent yet.
    """
    if len(plan.steps) == 1 or not plan.rate_per_s:
        return ""
    rate = plan.rate_per_s
    often = f"{rate:g} a second" if rate >= 1 else f"{rate * 60:g} a minute"
    return f"at most {often}, {plan.in_flight} at a time: {age_text(left / rate)} at least"


class ResumeToken(msgspec.Struct, frozen=True, kw_only=True):
    """Where a bulk stopped; together with its plan enough to go on."""

    plan_id: str
    done: tuple[int, ...]
    """Steps that the server accepted, whatever came of them: never to be sent again."""
    unknown: tuple[int, ...] = ()
    """Steps whose answer was lost: to be looked at, never sent again unseen."""
    left: tuple[int, ...] = ()
    """Steps that were not sent, or were refused by the server."""
    stopped_by: str = ""
    """Why, in one line."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do or to look at."""
        return not self.left and not self.unknown


def remaining(plan: Plan, token: ResumeToken) -> Plan | Refusal:
    """The plan without what is done; a refusal where that would be guessing.

    The rest keeps its step numbers, so journals and tokens stay comparable.
    """
    if token.plan_id != plan.id:
        return Refusal(target="", reason="the token belongs to another plan")
    if token.unknown:
        return Refusal(
            target=str(plan.step(token.unknown[0]).patch.target),
            reason="the answer to a write was lost, so it is not known whether it was done",
            hint="look at the object, then plan again for what is left",
        )
    left = set(token.left)
    if not left:
        return Refusal(target="", reason="nothing is left to do")
    steps = tuple(
        msgspec.structs.replace(step, after=tuple(a for a in step.after if a in left))
        for step in plan.steps
        if step.id in left
    )
    waves_left = tuple(tuple(i for i in wave if i in left) for wave in plan.waves)
    return msgspec.structs.replace(
        plan,
        steps=steps,
        waves=tuple(wave for wave in waves_left if wave),
    )
