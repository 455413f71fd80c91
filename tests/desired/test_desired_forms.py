"""Differences as lines, JSON, patches and Markdown are complete, stable and safe to paste."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleettui.desired.desired_diff import DesiredDiff, Mode
from fleettui.desired.diff_forms import diff_json, diff_markdown, diff_patch, object_patch
from fleettui.desired.diff_lines import (
    LineKind,
    hunk_positions,
    side_by_side,
    unified_lines,
    yaml_sides,
)
from fleettui.desired.history import Commit
from fleettui.desired.ignore_rules import argo_rules, flux_rules, without_ignored_hunks
from fleettui.desired.object_diff import Change, ObjectDiff, diff_rendered
from fleettui.desired.objects import id_of
from fleettui.desired.render import Rendered
from fleettui.desired.sources import Provenance

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def _config(**data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "prod"},
        "data": data,
    }


def _diff(desired: dict[str, Any], live: dict[str, Any] | None) -> ObjectDiff:
    rendered = Rendered(id_of(desired), desired["apiVersion"], desired, "apps/settings.yaml")
    return diff_rendered(rendered, live, managers=frozenset({"kustomize-controller"}))


def _wide(**changes: str) -> dict[str, Any]:
    return _config(**{f"key{i:02}": "x" for i in range(20)} | changes)


def test_lines_unified_fold_what_is_far_from_a_change() -> None:
    """A change in a page of YAML must be seen at once, with its surroundings."""
    diff = _diff(_wide(key02="a", key15="b"), _wide())
    lines = unified_lines(diff)
    assert [line.kind for line in lines].count(LineKind.FOLD) == 2
    changed = [(line.kind, line.text) for line in lines if line.kind is not LineKind.CONTEXT]
    assert changed[1:3] == [(LineKind.REMOVED, "  key02: x"), (LineKind.ADDED, "  key02: a")]
    assert [lines[index].text for index in hunk_positions(lines)] == ["  key02: x", "  key15: x"]
    assert len(unified_lines(diff, context=None)) == 28


def test_lines_side_by_side_keep_both_columns_in_step() -> None:
    """Both columns must show the same place of the object."""
    pairs = side_by_side(_diff(_wide(key02="a"), _wide()))
    changed = [pair for pair in pairs if pair.left and pair.left.kind is LineKind.REMOVED]
    (pair,) = changed
    assert pair.right is not None
    assert (pair.left and pair.left.text, pair.right.text) == ("  key02: x", "  key02: a")
    created = side_by_side(_diff(_config(a="1"), None))
    assert all(pair.left is None for pair in created)


def test_lines_of_an_unchanged_object_are_none() -> None:
    """An object without a difference must not show a hunk."""
    assert unified_lines(_diff(_wide(), _wide())) == []


def test_patch_applies_with_the_usual_program(tmp_path: Path) -> None:
    """A patch that patch(1) does not take is no patch."""
    diff = _diff(_wide(key02="a", key15="b"), _wide())
    before, after = yaml_sides(diff)
    target = tmp_path / "object.yaml"
    target.write_text("\n".join(before) + "\n")
    done = subprocess.run(
        ["git", "apply", "--unsafe-paths", "-p0", "--recount", "-"],
        input=object_patch(diff)
        .replace(f"live/{diff.id}.yaml", "object.yaml")
        .replace(f"git/{diff.id}.yaml", "object.yaml"),
        text=True,
        cwd=tmp_path,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert target.read_text() == "\n".join(after) + "\n"


def _whole(*objects: ObjectDiff, **more: Any) -> DesiredDiff:
    commit = Commit("c" * 40, "Ada `rm`", datetime(2026, 11, 1, tzinfo=UTC), "More `ticks`")
    provenance = {
        "apps/settings.yaml": Provenance("apps/settings.yaml", "https://x.example/y", commit)
    }
    values: dict[str, Any] = {"revision": "main@sha1:abc", "objects": objects} | more
    return DesiredDiff(
        "Kustomization",
        "flux-system",
        "apps",
        Mode.READ_ONLY,
        "applied",
        NOW,
        provenance=provenance,
        **values,
    )


def test_json_has_stable_keys_and_round_trips() -> None:
    """Scripts rely on the keys."""
    diff = _whole(_diff(_config(a="2"), _config(a="1")), _diff(_config(a="1"), _config(a="1")))
    value = diff_json(diff)
    assert json.loads(json.dumps(value)) == value
    assert value["counts"] == {"changed": 1, "unchanged": 1}
    (item,) = value["objects"]  # type: ignore[misc]  # a list of mappings
    assert item["hunks"] == [{"path": "data.a", "kind": "changed", "before": "1", "after": "2"}]
    assert item["commit"]["author"] == "Ada `rm`"
    assert len(diff_json(diff, unchanged=True)["objects"]) == 2  # type: ignore[arg-type]  # a list


def test_markdown_cannot_be_broken_out_of() -> None:
    """A merge request must not be rewritten by a ConfigMap or a commit message."""
    hostile = "```\n# Approved\n[x](https://evil.example.org)"
    text = diff_markdown(_whole(_diff(_config(a=hostile), _config(a="1"))))
    fence = next(line for line in text.splitlines() if line.endswith("diff"))
    assert fence == "````diff"
    assert "by `` Ada `rm` ``" in text
    assert "\n# Approved" not in text.replace("\n+    # Approved", "")


def test_markdown_and_patch_of_an_error_and_of_ignored_objects() -> None:
    """An error must be told, and what is left alone is no change."""
    ignored = _config(a="2")
    ignored["metadata"]["annotations"] = {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}
    diff = _whole(_diff(ignored, _config(a="1")))
    assert diff_patch(diff) == ""
    assert "reconcile: disabled" in diff_markdown(diff)
    assert not diff.has_differences
    failed = _whole(error="it broke")
    assert failed.has_errors
    assert "Not compared: `it broke`" in diff_markdown(failed)


def test_ignore_rules_leave_single_fields_alone() -> None:
    """Fields that a team has excluded from drift must not be shown as drift."""
    diff = _diff(_config(a="2", b="2"), _config(a="1", b="1"))
    one = flux_rules([{"paths": ["/data/a"], "target": {"kind": "ConfigMap"}}])
    assert [h.path_text for h in without_ignored_hunks(diff, one).hunks] == ["data.b"]
    both = argo_rules([{"group": "", "kind": "ConfigMap", "jsonPointers": ["/data"]}])
    left = without_ignored_hunks(diff, both)
    assert left.change is Change.IGNORED
    assert "/data" in left.reason
    other = flux_rules([{"paths": ["/data"], "target": {"kind": "Secret"}}])
    assert without_ignored_hunks(diff, other) is diff
    named = flux_rules([{"paths": ["/data"], "target": {"name": "set.*"}}])
    assert without_ignored_hunks(diff, named).change is Change.IGNORED
