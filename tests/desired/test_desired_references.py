"""What a branch would change in every cluster is known before it is merged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fleettui.desired.build import Builder
from fleettui.desired.desired_diff import Tools
from fleettui.desired.git import GitCache
from fleettui.desired.reference_forms import reference_json, reference_markdown
from fleettui.desired.references import Target, compare_references, reads_repository
from fleettui.desired.sources import Sources, Want, Wanted

URL = "https://git.example.org/fleet.git"
SOURCE: dict[str, Any] = {
    "apiVersion": "source.toolkit.fluxcd.io/v1",
    "kind": "GitRepository",
    "metadata": {"name": "fleet", "namespace": "flux-system"},
    "spec": {"url": URL, "ref": {"branch": "main"}},
}


def _config(name: str, value: str) -> str:
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: prod}}\n"
        f"data: {{zone: '${{zone}}', value: '{value}'}}\n"
    )


def _kustomization(name: str, path: str) -> str:
    return (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        f"metadata: {{name: {name}, namespace: flux-system}}\n"
        f"spec: {{path: {path}, prune: true, sourceRef: {{kind: GitRepository, name: fleet}}}}\n"
    )


def _target(context: str, name: str, path: str, parent: str = "") -> Target:
    labels = (
        {
            f"kustomize.toolkit.fluxcd.io/{key}": value
            for key, value in (("name", parent), ("namespace", "flux-system"))
        }
        if parent
        else {}
    )
    return Target(
        context,
        {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": name, "namespace": "flux-system", "labels": labels},
            "spec": {
                "path": path,
                "prune": True,
                "sourceRef": {"kind": "GitRepository", "name": "fleet"},
                "postBuild": {"substitute": {"zone": context}},
            },
        },
        SOURCE,
    )


async def test_references_show_changes_of_all_contexts_deletions_first(
    make_repository: Callable[..., Path],
    commit_files: Callable[..., str],
    run_git: Callable[..., str],
    tmp_path: Path,
) -> None:
    """A branch that deletes something in fifty clusters must say so before the merge."""
    folder = make_repository(
        {
            "apps/a.yaml": _config("a", "1"),
            "apps/b.yaml": _config("b", "1"),
            "x/c.yaml": _config("c", "1"),
        }
    )
    run_git(folder, "checkout", "--quiet", "-b", "topic")
    (folder / "apps" / "b.yaml").unlink()
    commit_files(
        folder, {"apps/a.yaml": _config("a", "2"), "apps/new.yaml": _config("new", "1")}, "Topic"
    )
    tools = Tools(Sources(GitCache(tmp_path / "git", local={URL: folder})), Builder(None))
    targets = [_target(f"c{i}", "apps", "./apps") for i in range(20)]
    targets += [_target("c0", "other", "./x"), _target("c1", "broken", "./missing")]
    found = await compare_references(
        targets, tools, before=Wanted(reference="main"), after=Wanted(reference="topic")
    )
    assert found.compared == 22
    assert {change.value: count for change, count in found.counts.items()} == {
        "pruned": 20,
        "changed": 20,
        "created": 20,
    }
    assert len(found.contexts) == 20
    first = found.targets[0]
    assert [(item.change.value, item.id.name) for item in first.objects] == [
        ("pruned", "b"),
        ("created", "new"),
        ("changed", "a"),
    ]
    (hunk,) = first.objects[2].hunks
    assert (hunk.path_text, hunk.before, hunk.after) == ("data.value", "1", "2")
    broken = found.targets[-1]
    assert (broken.name, broken.objects) == ("broken", ())
    assert "path ./missing does not exist" in broken.error


async def test_references_name_the_commit_of_the_branch_behind_each_object(
    make_repository: Callable[..., Path],
    commit_files: Callable[..., str],
    run_git: Callable[..., str],
    tmp_path: Path,
) -> None:
    """Before a merge the question is whose commit does it, not who wrote the file last year."""
    folder = make_repository(
        {
            "base/a.yaml": _config("a", "1"),
            "base/b.yaml": _config("b", "1"),
            "base/kustomization.yaml": "resources: [a.yaml, b.yaml]\n",
            "over/kustomization.yaml": "resources: [../base]\n",
            "plain/c.yaml": _config("c", "1"),
        }
    )
    run_git(folder, "checkout", "--quiet", "-b", "topic")
    commit_files(folder, {"base/a.yaml": _config("a", "2")}, "Change a")
    labels = "resources: [../base]\ncommonAnnotations: {x: z}\n"
    commit_files(folder, {"over/kustomization.yaml": labels}, "Annotate all")
    (folder / "plain" / "c.yaml").unlink()
    commit_files(folder, {"plain/d.yaml": _config("d", "1")}, "Replace c")
    tools = Tools(Sources(GitCache(tmp_path / "git", local={URL: folder})), Builder(None))
    found = await compare_references(
        [_target("c0", "over", "./over"), _target("c0", "plain", "./plain")],
        tools,
        before=Wanted(reference="main"),
        after=Wanted(reference="topic"),
    )
    told = {
        item.id.name: (behind.path, behind.commit.subject)
        for target in found.targets
        for item in target.objects
        if (behind := target.behind[item.id]).commit
    }
    assert told == {
        "a": ("base/a.yaml", "Change a"),
        "b": ("over/kustomization.yaml", "Annotate all"),
        "c": ("plain/c.yaml", "Replace c"),
        "d": ("plain/d.yaml", "Replace c"),
    }
    shown: Any = reference_json(found)
    objects = {item["name"]: item for target in shown["targets"] for item in target["objects"]}
    assert objects["b"]["changedIn"] == "over/kustomization.yaml"
    assert objects["c"]["commit"]["subject"] == "Replace c"
    assert "last changed in" in reference_markdown(found)


async def test_references_follow_kustomizations_that_the_branch_changes(
    make_repository: Callable[..., Path],
    commit_files: Callable[..., str],
    run_git: Callable[..., str],
    tmp_path: Path,
) -> None:
    """A branch that moves a path or drops a Kustomization changes what lies below it."""
    folder = make_repository(
        {
            "clusters/all.yaml": "---\n".join(
                [_kustomization("moved", "./v1"), _kustomization("dropped", "./v1")]
            ),
            "v1/a.yaml": _config("a", "1"),
            "v2/a.yaml": _config("a", "2"),
            "v3/b.yaml": _config("b", "3"),
        }
    )
    run_git(folder, "checkout", "--quiet", "-b", "topic")
    commit_files(
        folder,
        {
            "clusters/all.yaml": "---\n".join(
                [_kustomization("moved", "./v2"), _kustomization("added", "./v3")]
            )
        },
        "Topic",
    )
    tools = Tools(Sources(GitCache(tmp_path / "git", local={URL: folder})), Builder(None))
    targets = [
        _target("one", "root", "./clusters"),
        _target("one", "moved", "./v1", parent="root"),
        _target("one", "dropped", "./v1", parent="root"),
    ]
    found = await compare_references(
        targets, tools, before=Wanted(reference="main"), after=Wanted(reference="topic")
    )
    changes = {
        target.name: [(item.change.value, item.id.kind, item.id.name) for item in target.objects]
        for target in found.targets
    }
    assert changes == {
        "dropped": [("pruned", "ConfigMap", "a")],
        "root": [
            ("pruned", "Kustomization", "dropped"),
            ("created", "Kustomization", "added"),
            ("changed", "Kustomization", "moved"),
        ],
        "added": [("created", "ConfigMap", "b")],
        "moved": [("changed", "ConfigMap", "a")],
    }


def test_references_find_the_kustomizations_of_a_repository() -> None:
    """The same repository is written with and without .git."""
    assert reads_repository(SOURCE, "https://git.example.org/fleet")
    assert not reads_repository(SOURCE, "https://git.example.org/other")
    assert Wanted(Want.LATEST, "x").reference == "x"
