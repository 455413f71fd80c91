"""The JSON documents as a contract: which keys there are, and of which types."""

import json
from pathlib import Path
from typing import Any

import pytest

from fleettui.cli.app import run
from fleettui.kinds.record import Verdict

CONTEXT = {
    "name": str,
    "server": str,
    "state": str,
    "age_s": int,
    "error": (str, type(None)),
    "missing": list,
    "loaded": int,
}
ROW = {
    "context": str,
    "group": str,
    "version": str,
    "kind": str,
    "namespace": str,
    "name": str,
    "uid": str,
    "health": str,
    "paused": bool,
    "deleting": bool,
    "reason": (str, type(None)),
    "message": (str, type(None)),
    "since": (str, type(None)),
    "replicas": (dict, type(None)),
    "kubernetes_version": (str, type(None)),
    "created": (str, type(None)),
    "owner": (dict, type(None)),
    "cluster": (str, type(None)),
}
HEALTHS = {verdict.value for verdict in Verdict}


@pytest.fixture
def recorded(shared_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Objects written by real controllers, some of them broken."""
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"FLEETTUI_{name}_HOME", str(tmp_path / name.lower()))
    return str(shared_folder / "recordings" / "capi" / "states" / "3-incidents")


def document_of(capsys: Any, *arguments: str) -> dict[str, Any]:
    """What a command prints as JSON."""
    assert run(arguments) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def check(item: dict[str, Any], shape: dict[str, Any]) -> None:
    """Every promised key is there and of its type; more keys may come."""
    for key, kinds in shape.items():
        assert key in item, f"{key} is missing"
        assert isinstance(item[key], kinds), f"{key} is {item[key]!r}"
        if kinds is int:
            assert not isinstance(item[key], bool)


def check_row(item: dict[str, Any]) -> None:
    """One object keeps its promises."""
    check(item, ROW)
    assert item["health"] in HEALTHS
    if item["replicas"] is not None:
        assert {"desired", "ready", "up_to_date"} <= item["replicas"].keys()
    if item["owner"] is not None:
        assert {"kind", "name"} <= item["owner"].keys()


def test_get_document_keeps_its_contract(recorded: str, capsys: Any) -> None:
    """Scripts that read the document would break on a renamed key."""
    document = document_of(capsys, "get", "all", "--from", recorded, "-o", "json")
    assert list(document) == ["schema", "contexts", "items"]
    assert document["schema"] == "fleettui.get/v1"
    for context in document["contexts"]:
        check(context, CONTEXT)
    for item in document["items"]:
        check_row(item)
    assert {item["health"] for item in document["items"]} >= {"failed", "current"}
    assert {"failed", "stalled", "in_progress", "unknown", "current"} == HEALTHS


def test_tree_document_has_the_same_nodes_with_children(recorded: str, capsys: Any) -> None:
    """A node of the tree must be read by the same code as an item of get."""
    document = document_of(capsys, "tree", "--from", recorded, "-o", "json")
    assert document["schema"] == "fleettui.tree/v1"
    todo = list(document["items"])
    seen = 0
    while todo:
        node = todo.pop()
        check_row(node)
        assert isinstance(node["children"], list)
        todo += node["children"]
        seen += 1
    assert seen > len(document["items"])


def test_yaml_says_what_json_says(recorded: str, capsys: Any) -> None:
    """One document in two notations must not be two documents."""
    import yaml

    document = document_of(capsys, "get", "clusters", "--from", recorded, "-o", "json")
    assert run(("get", "clusters", "--from", recorded, "-o", "yaml")) == 0
    assert yaml.load(capsys.readouterr().out, yaml.BaseLoader)["schema"] == document["schema"]
    assert run(("get", "clusters", "--from", recorded, "-o", "yaml")) == 0
    other = yaml.safe_load(capsys.readouterr().out)
    assert [item["name"] for item in other["items"]] == [i["name"] for i in document["items"]]


def test_ambiguous_name_lists_the_candidates(
    recorded: str, shared_folder: Path, capsys: Any
) -> None:
    """Acting on one of two objects of the same name must not be left to chance."""
    other = str(shared_folder / "recordings" / "capi" / "states" / "1-healthy")
    document = document_of(capsys, "get", "clusters", "--from", recorded, "-o", "json")
    names = [item["name"] for item in document["items"]]
    found = document_of(capsys, "get", "clusters", "--from", other, "-o", "json")
    shared = next(i for i in found["items"] if i["name"] in names)
    both = ("--from", recorded, "--from", other)
    assert run(("why", f"cluster/{shared['name']}", *both)) == 2
    said = capsys.readouterr().err
    for context in ("3-incidents", "1-healthy"):
        assert f"{context}:Cluster/{shared['namespace']}/{shared['name']}" in said
    exact = f"1-healthy:cluster/{shared['namespace']}/{shared['name']}"
    assert run(("why", exact, *both)) == 0


def test_colour_is_only_where_it_was_asked_for(
    recorded: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Escape sequences in a pipe break whoever reads it."""
    assert run(("tree", "--from", recorded)) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert run(("tree", "--from", recorded, "--color", "always")) == 0
    assert "\x1b[" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(("tree", "--from", recorded, "--color", "never")) == 0
    assert "\x1b" not in capsys.readouterr().out
