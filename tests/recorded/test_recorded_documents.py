"""Files of objects: every common way of writing them is read, broken ones are told."""

import gzip
import json
from pathlib import Path

import pytest

from fleettui.errors import UnreadableError
from fleettui.recorded.documents import is_readable_name, read_documents

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "n"}}


def names(path: Path) -> list[str]:
    """Kind and name of every object in a file."""
    return [f"{d['kind']}/{d['metadata']['name']}" for d in read_documents(path)]


def test_documents_of_a_typed_list_get_their_kind_from_the_list(tmp_path: Path) -> None:
    """Built-in lists of an API server have items without kind; they must still be seen."""
    file = tmp_path / "pods.json"
    item = {"metadata": {"name": "a", "namespace": "n"}}
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "PodList", "items": [item]}))
    assert list(read_documents(file)) == [POD]


def test_documents_of_a_mixed_list_keep_their_kinds(tmp_path: Path) -> None:
    """`kubectl get a,b -o yaml` writes one List of several kinds."""
    file = tmp_path / "all.yaml"
    file.write_text(
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"
        "- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n"
    )
    assert names(file) == ["Pod/a", "Secret/b"]


def test_documents_of_a_yaml_stream_in_gzip_are_read(tmp_path: Path) -> None:
    """Recordings are often compressed."""
    file = tmp_path / "all.yaml.gz"
    text = "kind: Pod\napiVersion: v1\nmetadata: {name: a}\n---\n---\nkind: nothing\n"
    file.write_bytes(gzip.compress(text.encode()))
    assert names(file) == ["Pod/a"]


def test_documents_of_watch_lines_tell_deletions(tmp_path: Path) -> None:
    """A watch stream's last word about an object counts, also that it is gone."""
    file = tmp_path / "pods.jsonl"
    file.write_text(
        "\n".join(
            json.dumps({"type": kind, "object": POD})
            for kind in ("ADDED", "BOOKMARK", "MODIFIED", "DELETED")
        )
    )
    found = list(read_documents(file))
    assert [bool(d.get("__deleted__")) for d in found] == [False, False, True]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("half.json", b'{"kind": "Pod", "apiVersion": "v1", "meta', "not whole JSON"),
        ("half.json.gz", gzip.compress(b"{}" * 999)[:20], "cannot be read"),
        ("latin.yaml", b"kind: \xe9\n", "not UTF-8"),
        ("half.jsonl", b'{"type": "ADDED", "obj\n', "not a whole watch line"),
        ("broken.yaml", b"a: [1\nb: 2\n", "broken.yaml:"),
        (
            "cut.yaml",
            b"apiVersion: v1\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n",
            "is half a list",
        ),
    ],
    ids=["half-json", "half-gzip", "latin", "half-line", "broken-yaml", "half-list"],
)
def test_documents_of_a_broken_file_are_one_clear_line(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    """Half a download must be told as such, with the file's name, never as a traceback."""
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(UnreadableError) as caught:
        list(read_documents(file))
    assert words in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.json", True), ("a.yaml.gz", True), ("a.JSON", True), ("a.txt.gz", False), ("a", False)],
)
def test_readable_names_are_those_of_json_and_yaml(name: str, expected: bool) -> None:
    """Logs and pictures beside the objects must not be taken for objects."""
    assert is_readable_name(Path(name)) is expected
