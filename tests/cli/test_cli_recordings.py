"""``--from`` over everything that people have lying about after an incident."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from fleettui.cli.app import run


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def words(capsys: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Said]:
    """Runs a command in this process."""
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"FLEETTUI_{name}_HOME", str(tmp_path / name.lower()))

    def call(*arguments: str) -> Said:
        code = run(arguments)
        return Said(code, *capsys.readouterr())

    return call


def an_object(kind: str, name: str, **more: Any) -> dict[str, Any]:
    """An object of Cluster API as a server stores it."""
    return {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "retail",
            "uid": f"uid-{kind}-{name}",
            "creationTimestamp": "2026-11-01T08:00:00Z",
            **more,
        },
        "spec": {"clusterName": "shop"},
    }


CLUSTER = an_object("Cluster", "shop")
WORKERS = an_object(
    "MachineDeployment",
    "shop-md",
    ownerReferences=[
        {
            "apiVersion": "cluster.x-k8s.io/v1beta2",
            "kind": "Cluster",
            "name": "shop",
            "uid": "uid-Cluster-shop",
            "controller": True,
        }
    ],
)


def kube_system(uid: str) -> dict[str, Any]:
    """The Namespace by which API servers are told apart."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "kube-system", "uid": uid},
    }


def listed(*items: dict[str, Any]) -> str:
    """A list as ``kubectl get -o json`` prints it."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def write_list(folder: Path) -> Path:
    (folder / "all.json").write_text(listed(CLUSTER, WORKERS))
    return folder / "all.json"


def write_gzip(folder: Path) -> Path:
    (folder / "all.json.gz").write_bytes(gzip.compress(listed(CLUSTER, WORKERS).encode()))
    return folder / "all.json.gz"


def write_stream(folder: Path) -> Path:
    (folder / "all.yaml").write_text(f"---\n{yaml.safe_dump_all([CLUSTER, WORKERS])}")
    return folder / "all.yaml"


def write_move(folder: Path) -> Path:
    """Names of ``clusterctl move --to-directory``."""
    for item in (CLUSTER, WORKERS):
        name = f"{item['kind']}_retail_{item['metadata']['name']}.yaml"
        (folder / name).write_text(yaml.safe_dump(item))
    return folder


def write_must_gather(folder: Path) -> Path:
    """A tree by namespace, group and kind, with logs between."""
    base = folder / "must-gather.local.1" / "quay-io-image"
    place = base / "namespaces" / "retail" / "cluster.x-k8s.io"
    for plural, item in (("clusters", CLUSTER), ("machinedeployments", WORKERS)):
        (place / plural).mkdir(parents=True)
        (place / plural / f"{item['metadata']['name']}.yaml").write_text(yaml.safe_dump(item))
    (base / "version").write_text("1.0")
    (base / "event-filter.html").write_text("<html>")
    return folder


def write_watch(folder: Path) -> Path:
    lines = [
        {"type": "ADDED", "object": CLUSTER},
        {"type": "ADDED", "object": an_object("Machine", "gone")},
        {"type": "ADDED", "object": WORKERS},
        {"type": "DELETED", "object": an_object("Machine", "gone")},
    ]
    (folder / "all.watch.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "all.watch.jsonl"


@pytest.mark.parametrize(
    "write", [write_list, write_gzip, write_stream, write_move, write_must_gather, write_watch]
)
def test_recording_of_any_layout_shows_the_same_tree(
    tmp_path: Path, words: Callable[..., Said], write: Callable[[Path], Path]
) -> None:
    """Whatever a colleague sends must open without being rewritten first."""
    (tmp_path / "sent").mkdir()
    path = write(tmp_path / "sent")
    done = words("tree", "--from", str(path), "-o", "json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert [item["name"] for item in document["items"]] == ["shop"]
    assert [child["name"] for child in document["items"][0]["children"]] == ["shop-md"]
    (context,) = document["contexts"]
    assert context["state"] == "recorded"
    assert context["age_s"] > 0
    assert "as of 2026-11-01 08:00Z (" in done.err


def test_recording_with_junk_counts_what_is_skipped(
    tmp_path: Path, words: Callable[..., Said]
) -> None:
    """Files that hold no objects are no fault of a recording, and are told."""
    folder = tmp_path / "sent"
    folder.mkdir()
    write_list(folder)
    (folder / "notes.txt").write_text("call me")
    (folder / "values.yaml").write_text("replicas: 3\n")
    done = words("tree", "--from", str(folder))
    assert done.code == 0
    assert "2 files skipped" in done.err
    assert "notes.txt: not JSON or YAML" in done.err


@pytest.mark.parametrize(
    "word",
    [
        ("tree",),
        ("get", "clusters"),
        ("causes",),
        ("describe", "cluster", "shop", "-n", "retail"),
        ("describe", "object", "cluster/retail/shop"),
        ("report",),
        ("why", "cluster/retail/shop"),
        ("explain", "cluster/retail/shop"),
        ("trace", "cluster/retail/shop"),
        ("overview",),
    ],
    ids=lambda word: "-".join(word[:2]),
)
def test_recording_with_half_a_file_is_incomplete_for_every_word(
    tmp_path: Path, words: Callable[..., Said], word: tuple[str, ...]
) -> None:
    """What a file that was cut off held is missing: no script may take the rest for all."""
    folder = tmp_path / "sent"
    folder.mkdir()
    write_list(folder)
    (folder / "half.json").write_text(listed(CLUSTER)[:-40])
    done = words(*word, "--from", str(folder))
    assert done.code == 3, done.err
    assert "incomplete: sent: unreadable: half.json" in done.err
    assert "not whole JSON" in done.err
    assert done.out
    assert words(*word, "--from", str(folder), "--allow-partial").code == 0


def test_recording_with_half_a_file_names_it_in_documents(
    tmp_path: Path, words: Callable[..., Said]
) -> None:
    """A program that reads the document must learn of it, too, not from stderr alone."""
    folder = tmp_path / "sent"
    folder.mkdir()
    write_list(folder)
    (folder / "half.json").write_text(listed(CLUSTER)[:-40])
    (context,) = json.loads(words("get", "clusters", "--from", str(folder), "-o", "json").out)[
        "contexts"
    ]
    assert [line.partition(".json")[0] for line in context["missing"]] == ["unreadable: half"]


def test_recording_of_several_clusters_opens_a_context_for_each(
    tmp_path: Path, words: Callable[..., Said]
) -> None:
    """Objects of two servers in one tree would own each other by name."""
    for name in ("east", "west"):
        folder = tmp_path / "sent" / name
        folder.mkdir(parents=True)
        (folder / "namespaces.json").write_text(listed(kube_system(f"uid-{name}")))
        (folder / "clusters.json").write_text(listed(CLUSTER))
    done = words("get", "clusters", "--from", str(tmp_path / "sent"), "-o", "json")
    assert done.code == 0
    document = json.loads(done.out)
    assert len(document["contexts"]) == 2
    assert len({item["context"] for item in document["items"]}) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("half.json", '{"apiVersion": "v1", "kind": "List", "items": [{"kind": "Po'),
        ("half.yaml", "apiVersion: v1\nkind: List\nitems: [{kind: Pod, meta"),
        ("half.json.gz", gzip.compress(b'{"items": []}' * 50)[:-12]),
        ("empty.json", ""),
        ("photo.png", b"\x89PNG\r\n\x1a\n\x00"),
    ],
)
def test_recording_that_is_none_is_one_line_with_advice(
    tmp_path: Path, words: Callable[..., Said], name: str, content: str | bytes
) -> None:
    """A file cut off in transfer must be told as such, never as an empty fleet."""
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = words("tree", "--from", str(file))
    assert done.code == 2
    assert done.out == ""
    first, second = done.err.splitlines()
    assert name in first
    assert second.startswith("  hint: ")


def test_describe_object_tells_history(shared_folder: Path, words: Callable[..., Said]) -> None:
    """What was applied before, and when, without kubectl and yaml."""
    folder = str(shared_folder / "recordings" / "flux" / "healthy")
    item = json.loads(words("get", "hr", "--from", folder, "-o", "json").out)["items"][0]
    ref = f"HelmRelease/{item['namespace']}/{item['name']}"
    said = words("describe", "object", ref, "--from", folder)
    assert said.code == 0
    titles = ("CONDITIONS", "FACTS", "HISTORY", "POINTS AT")
    assert all(title in said.out for title in titles)
    found = json.loads(words("describe", "object", ref, "--from", folder, "-o", "json").out)
    assert found["schema"] == "fleettui.object/v1"
    assert found["object"]["history"][0]["release"] == item["facts"]["release"]


def test_get_that_finds_nothing_says_where_it_looked(
    tmp_path: Path, words: Callable[..., Said]
) -> None:
    """A table without lines may be a typing error, and must not look like an answer."""
    folder = tmp_path / "sent"
    folder.mkdir()
    write_list(folder)
    done = words("get", "clusters", "--from", str(folder), "--filter", "nowhere")
    assert (done.code, done.out.count("\n")) == (0, 1)
    assert "no clusters match 'nowhere' in sent" in done.err
    assert "no machines are there in sent" in words("get", "machines", "--from", str(folder)).err


@pytest.mark.parametrize(
    ("typed", "hint"), [("treee", "did you mean tree?"), ("zzz", "see: fleettui --help")]
)
def test_command_that_does_not_exist_names_the_nearest(
    words: Callable[..., Said], typed: str, hint: str
) -> None:
    """At three in the morning nobody types well."""
    done = words(typed)
    assert (done.code, done.out) == (2, "")
    assert f"no command is called '{typed}'" in done.err
    assert hint in done.err


def test_filter_that_is_none_points_at_the_mistake(words: Callable[..., Said]) -> None:
    """Of a long filter one must see which of its words is wrong."""
    done = words("get", "clusters", "--filter", "web helth:failed")
    assert (done.code, done.out) == (2, "")
    hint, mark = done.err.splitlines()[1:]
    assert hint == "  hint: web helth:failed"
    assert mark.index("^") == hint.index("helth")
