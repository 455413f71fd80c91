"""The words over recorded clusters: flags, documents and exit codes, in this process."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleettui.cli.app import run

KINDS = """\
group: acme.example
kinds:
  - kind: Reactor
    role: applier
    dialect: kstatus
    short_names: [rx]
    columns: {POWER: {paths: status.power, render: count}}
"""


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the person's own settings takes part."""
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"FLEETTUI_{name}_HOME", str(tmp_path / name.lower()))
    return tmp_path


@pytest.fixture
def recording(shared_folder: Path) -> str:
    """Real objects of Cluster API with incidents."""
    return str(shared_folder / "recordings" / "capi" / "states" / "3-incidents")


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What a command prints on stdout."""
    result = run(arguments)
    captured = capsys.readouterr()
    assert result == code, captured.err
    return captured.out


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The JSON that a command prints."""
    return json.loads(said(capsys, *arguments, "-o", "json"))


@pytest.mark.parametrize(
    "grouping",
    ["cluster", "source", "version", "namespace", "fault", "kind", "kind:machines", "label:tier"],
)
def test_tree_by_every_grouping_prints_and_documents(
    capsys: pytest.CaptureFixture[str], recording: str, grouping: str
) -> None:
    """Each way of looking at the fleet must work in scripts, too."""
    text = said(capsys, "tree", "--from", recording, "--by", grouping)
    assert text.startswith("NAME")
    found = document(capsys, "tree", "--from", recording, "--by", grouping)
    assert found["schema"] == "fleettui.tree/v1"
    if grouping not in ("source",):
        assert found["items"]
        assert all(item["groups"] for item in found["items"])
    if grouping == "kind:machines":
        assert {item["kind"] for item in found["items"]} == {"Machine"}
    if grouping == "fault":
        assert {item["health"] for item in found["items"]} <= {"failed", "stalled"}


@pytest.mark.parametrize("grouping", ["clusters", "label:", "kind:nosuch", "version:1"])
def test_tree_by_no_such_grouping_costs_nothing(
    capsys: pytest.CaptureFixture[str], recording: str, grouping: str
) -> None:
    """A typo is one line and exit code 2."""
    assert run(["tree", "--from", recording, "--by", grouping]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hint" in captured.err


def waiting(name: str, *others: str) -> dict[str, Any]:
    """A Kustomization that waits for others."""
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": "apps"},
        "spec": {"dependsOn": [{"name": other} for other in others]},
    }


def test_tree_by_dependencies_tells_circles(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A circle of dependsOn is named, which nothing in the cluster does."""
    file = tmp_path / "gitops.yaml"
    file.write_text(
        yaml.safe_dump_all(
            [waiting("base"), waiting("a", "b", "base"), waiting("b", "a"), waiting("c", "gone")]
        )
    )
    folder = str(file)
    text = said(capsys, "tree", "--from", folder, "--by", "dependencies")
    assert "circle, none of it can go on: Kustomization/apps/a → Kustomization/apps/b" in text
    assert "waits for Kustomization/apps/gone, which is not there" in text
    found = document(capsys, "tree", "--from", folder, "--by", "dependencies")
    assert found["schema"] == "fleettui.dependencies/v1"
    assert found["circles"]
    names = {node["name"] for node in found["nodes"]}
    assert all({ref["name"] for ref in circle} <= names for circle in found["circles"])


def clusters_of(capsys: pytest.CaptureFixture[str], recording: str) -> list[Any]:
    items: list[Any] = document(capsys, "get", "clusters", "--from", recording)["items"]
    return items


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--show-conditions", "all"),
        ("--show-conditions", "Machine+,Cluster/nobody"),
        ("--show-machinesets",),
        ("--show-resourcesets", "--show-templates"),
        ("--echo", "--no-grouping"),
        ("--progress",),
    ],
)
def test_describe_cluster_takes_every_flag(
    capsys: pytest.CaptureFixture[str], recording: str, flags: tuple[str, ...]
) -> None:
    """Whoever types clusterctl's flags from memory must get clusterctl's view."""
    cluster = clusters_of(capsys, recording)[0]
    name = f"{cluster['context']}:{cluster['namespace']}/{cluster['name']}"
    text = said(capsys, "describe", "cluster", name, "--from", recording, *flags)
    assert text.splitlines()[1].startswith(
        (f"Cluster {cluster['namespace']}/{cluster['name']}", "!! DELETED !!")
    )
    found = document(capsys, "describe", "cluster", name, "--from", recording, *flags)
    assert found["cluster"]["name"] == cluster["name"]
    if "--progress" in flags:
        assert [step["name"] for step in found["progress"]][-4:] == [
            "infrastructure",
            "control plane",
            "workers",
            "add-ons",
        ]
        assert text.splitlines()[-1].count("→") >= 4


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nobody",), "nobody"),
        (("nobody", "--show-conditions", "a, b"), "space"),
        (("nobody", "--grouping=maybe"), "--grouping"),
    ],
)
def test_describe_cluster_of_nonsense_is_exit_code_two(
    capsys: pytest.CaptureFixture[str], recording: str, arguments: tuple[str, ...], expected: str
) -> None:
    """Scripts tell a typo from an incomplete answer by the exit code."""
    assert run(["describe", "cluster", *arguments, "--from", recording]) == 2
    assert expected in capsys.readouterr().err


def test_get_of_one_kind_has_the_kinds_own_columns(
    capsys: pytest.CaptureFixture[str], recording: str
) -> None:
    """A triager looks at the node and the phase of a machine first."""
    header = said(capsys, "get", "machines", "--from", recording).splitlines()[0]
    assert "NODE" in header
    assert "PHASE" in header
    assert "NODE" not in said(capsys, "get", "all", "--from", recording).splitlines()[0]


def test_trace_documents_both_directions(
    capsys: pytest.CaptureFixture[str], shared_folder: Path
) -> None:
    """Where a Kustomization comes from must be readable by a machine."""
    folder = str(shared_folder / "recordings" / "flux" / "incidents")
    item = document(capsys, "get", "kustomizations", "--from", folder)["items"][0]
    name = f"Kustomization/{item['namespace']}/{item['name']}"
    found = document(capsys, "trace", name, "--from", folder)
    assert found["schema"] == "fleettui.trace/v1"
    assert found["of"]["name"] == item["name"]
    assert found["comes_from"][0]["evidence"]
    assert "comes from" in said(capsys, "trace", name, "--from", folder)


def test_own_kinds_are_listed_with_their_file_and_read(
    capsys: pytest.CaptureFixture[str], own_folders: Path
) -> None:
    """A platform team's own kinds belong in the same tree, and it must be seen why."""
    file = own_folders / "config" / "kinds.d" / "acme.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(KINDS)
    items = document(capsys, "kinds")["items"]
    (own,) = [item for item in items if item["kind"] == "Reactor"]
    assert own["origin"] == str(file)
    objects = own_folders / "objects.yaml"
    reactor = {
        "apiVersion": "acme.example/v1",
        "kind": "Reactor",
        "metadata": {"name": "one", "namespace": "acme"},
        "status": {"power": 42},
    }
    objects.write_text(yaml.safe_dump(reactor))
    (row,) = document(capsys, "get", "rx", "--from", str(objects))["items"]
    assert row["facts"] == {"power": "42"}


def test_own_entry_takes_the_place_of_a_built_in_one(
    capsys: pytest.CaptureFixture[str], own_folders: Path
) -> None:
    """Whoever knows better than the package may say so."""
    file = own_folders / "config" / "kinds.d" / "mine.yaml"
    file.parent.mkdir(parents=True)
    entry = {"kind": "Machine", "role": "machine", "provider": "Mine"}
    file.write_text(yaml.safe_dump({"group": "cluster.x-k8s.io", "kinds": [entry]}))
    items = document(capsys, "kinds")["items"]
    found = [i for i in items if (i["group"], i["kind"]) == ("cluster.x-k8s.io", "Machine")]
    assert [item["provider"] for item in found] == ["Mine"]


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (KINDS.replace("role: applier", "role: aplier"), 4, "applier"),
        (KINDS.replace("short_names", "shortnames"), 6, "short_names"),
        (KINDS.replace("render: count", "render: cont"), 7, "count"),
        ("group: [\n", 2, "YAML"),
    ],
)
def test_kinds_check_names_file_line_and_nearest_word(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, line: int, expected: str
) -> None:
    """A mistake in a file of kinds is found before the night it is needed."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    assert run(["kinds", "check", str(file)]) == 2
    error = capsys.readouterr().err
    assert f"{file}:{line}" in error
    assert expected in error
    assert error.count("\n") <= 2


def test_kinds_check_of_a_good_file_says_what_it_holds(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Whoever writes a file wants to hear that it will be used."""
    file = tmp_path / "mine.yaml"
    file.write_text(KINDS)
    assert (
        said(capsys, "kinds", "check", str(file)) == "ok: Reactor.acme.example (applier, spine)\n"
    )


def test_broken_file_of_kinds_is_told_at_the_start(
    capsys: pytest.CaptureFixture[str], own_folders: Path
) -> None:
    """A file that is silently left out would be looked for in the wrong place."""
    file = own_folders / "config" / "kinds.d" / "acme.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(KINDS.replace("dialect: kstatus", "dialect: kstats"))
    assert run(["kinds"]) == 2
    assert f"{file}:5" in capsys.readouterr().err
