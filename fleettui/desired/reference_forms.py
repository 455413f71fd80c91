"""What a branch would change, for other programs and for merge requests.

Knows the stable shapes of ``ReferenceDiff``; Secrets are masked before they get here.
Text is not made safe for a terminal: front ends do that.
"""

from fleettui.desired.diff_forms import behind_text, inline, object_json, object_patch, patch_block
from fleettui.desired.references import ReferenceDiff


def reference_json(found: ReferenceDiff) -> dict[str, object]:
    """What a branch would change, as plain values with stable keys."""
    return {
        "before": found.before,
        "after": found.after,
        "compared": found.compared,
        "contexts": found.contexts,
        "counts": {change.value: count for change, count in sorted(found.counts.items())},
        "targets": [
            {
                "context": target.context,
                "kind": "Kustomization",
                "namespace": target.namespace,
                "name": target.name,
                "error": target.error,
                "objects": [
                    object_json(item, target.behind.get(item.id)) for item in target.objects
                ],
            }
            for target in found.targets
        ],
    }


def reference_patch(found: ReferenceDiff) -> str:
    """All that a branch would change as one patch, each target under a comment."""
    parts = []
    for target in found.targets:
        patches = "".join(object_patch(item) for item in target.objects)
        if patches:
            name = f"{target.context} Kustomization/{target.namespace}/{target.name}"
            parts.append(f"# {' '.join(name.split())}\n{patches}")
    return "".join(parts)


def reference_markdown(found: ReferenceDiff) -> str:
    """What a branch would change, for a merge request."""
    counts = ", ".join(f"{count} {change.value}" for change, count in sorted(found.counts.items()))
    parts = [
        f"## {inline(found.after)} against {inline(found.before)}\n",
        f"{counts or 'no changes'}: {len(found.targets)} of {found.compared} Kustomizations, "
        f"{len(found.contexts)} contexts\n",
    ]
    for target in found.targets:
        name = f"{target.namespace}/{target.name}"
        parts.append(f"### Kustomization {inline(name)} in {inline(target.context)}\n")
        if target.error:
            parts.append(f"Not compared: {inline(target.error)}\n")
        for item in target.objects:
            reason = f": {inline(item.reason)}" if item.reason else ""
            parts.append(f"- {item.change.value} {inline(str(item.id))}{reason}\n")
            behind = target.behind.get(item.id)
            if behind is not None:
                parts.append(behind_text(behind))
            patch = object_patch(item)
            if patch:
                parts.append(patch_block(patch))
    return "\n".join(parts)
