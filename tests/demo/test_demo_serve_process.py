"""The demo as a process of its own, and kubectl against it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleettui.demo.arguments import parse_arguments

KUBECTL = shutil.which("kubectl") or shutil.which("kubectl", path=str(Path(sys.executable).parent))


def _start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fleettui.demo", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def demo() -> Iterator[Path]:
    """The kubeconfig of a running demo of two management clusters."""
    process = _start("--clusters", "6", "--contexts", "2", "--exit-with-parent")
    assert process.stdout is not None and process.stdin is not None
    yield Path(process.stdout.readline().strip())
    process.stdin.close()
    assert process.wait(10) == 0
    assert process.stdout.read() == ""
    process.stdout.close()


@pytest.fixture
def kubectl(demo: Path, tmp_path: Path) -> Any:
    """Runs kubectl against the first management cluster; its output."""
    if KUBECTL is None:
        pytest.skip("no kubectl on this machine")

    def run(*arguments: str, code: int = 0, stdin: str | None = None) -> str:
        done = subprocess.run(
            [str(KUBECTL), *arguments],
            env={"KUBECONFIG": str(demo), "HOME": str(tmp_path), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            input=stdin,
            timeout=30,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    return run


def test_kubeconfig_is_private_and_has_a_context_per_management_cluster(demo: Path) -> None:
    """Other people on the machine could read the tokens; a context would be missing."""
    assert demo.stat().st_mode & 0o777 == 0o600
    assert demo.parent.stat().st_mode & 0o777 == 0o700
    document = yaml.safe_load(demo.read_text())
    assert document["current-context"] == "demo-1"
    assert [c["name"] for c in document["contexts"]] == ["demo-1", "demo-2"]
    assert "demo-2-oncall" in [u["name"] for u in document["users"]]
    oncall = yaml.safe_load((demo.parent / "kubeconfig-oncall").read_text())
    assert oncall["contexts"][1]["context"]["user"] == "demo-2-oncall"


def test_demo_ends_on_a_signal_and_leaves_no_files() -> None:
    """Files with tokens would pile up."""
    process = _start("--clusters", "1", "--contexts", "1", "--churn", "50")
    assert process.stdout is not None and process.stdin is not None
    path = Path(process.stdout.readline().strip())
    assert path.exists()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert not path.parent.exists()
    process.stdout.close()
    process.stdin.close()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--clusters", "0"], "--clusters"),
        (["--clusters", "1000000"], "--clusters"),
        (["--clusters", "many"], "--clusters"),
        (["--contexts", "0"], "--contexts"),
        (["--churn", "-1"], "--churn"),
        (["--churn", "nan"], "--churn"),
        (["--link", "fast"], "--link"),
        (["--port-base", "65536"], "--port-base"),
        (["--colour"], "--colour"),
    ],
)
def test_arguments_that_make_no_sense_are_one_line_and_exit_2(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person would meet a traceback."""
    with pytest.raises(SystemExit) as caught:
        parse_arguments(arguments)
    said = capsys.readouterr().err
    assert (caught.value.code, said.count("\n")) == (2, 1)
    assert named in said


def test_kubectl_reads(kubectl: Any) -> None:
    """The demo could not be checked with the tool everybody has."""
    clusters = json.loads(kubectl("get", "clusters", "-A", "-o", "json"))["items"]
    assert clusters
    first = clusters[0]["metadata"]
    assert first["name"] in kubectl("get", "clusters", "-n", first["namespace"])
    assert "Phase" in kubectl("describe", "cluster", first["name"], "-n", first["namespace"])
    assert "machinedeployments" in kubectl("api-resources", "--api-group=cluster.x-k8s.io")
    assert "KIND:       Cluster" in kubectl("explain", "cluster")
    kubectl("get", "events", "-A")
    kubectl("events", "-n", first["namespace"])


def test_kubectl_writes(kubectl: Any) -> None:
    """Changes made beside the running program could not be shown."""
    first = json.loads(kubectl("get", "clusters", "-A", "-o", "json"))["items"][0]["metadata"]
    place = ("-n", first["namespace"])
    patch = '{"metadata":{"labels":{"tried":"yes"}}}'
    kubectl("patch", "cluster", first["name"], *place, "--type=merge", "-p", patch)
    status = '{"status":{"phase":"Tried"}}'
    what = ("cluster", first["name"], *place)
    kubectl("patch", *what, "--subresource=status", "--type=merge", "-p", status)
    shown = json.loads(kubectl("get", *what, "-o", "json"))
    assert (shown["metadata"]["labels"]["tried"], shown["status"]["phase"]) == ("yes", "Tried")
    config = json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "tried", "namespace": first["namespace"]},
            "data": {"a": "b"},
        }
    )
    kubectl("apply", "--server-side", "-f", "-", stdin=config)
    other = config.replace('"b"', '"c"')
    said = kubectl("apply", "--server-side", "--field-manager=x", "-f", "-", stdin=other, code=1)
    assert 'conflict with "kubectl": .data.a' in said
    kubectl("apply", "-f", "-", stdin=other, code=0)
    kubectl("delete", "configmap", "tried", *place)
    kubectl("create", "namespace", "tried")
    kubectl("delete", "namespace", "tried")


def test_kubectl_access(kubectl: Any) -> None:
    """The on-call person's rights could not be told."""
    assert kubectl("auth", "can-i", "delete", "clusters").strip() == "yes"
    oncall = ("--user", "demo-1-oncall")
    assert "no" in kubectl("auth", "can-i", "delete", "clusters", *oncall, code=1)
    assert "clusters" not in kubectl("get", "secrets", "-A", *oncall, code=1)
    assert "demo-oncall" in kubectl("auth", "whoami", *oncall)
    assert "[get list watch]" in kubectl("auth", "can-i", "--list", *oncall)


def test_arguments_name_incidents_that_exist() -> None:
    """Somebody who wants to see one incident must not look for it in a healthy fleet."""
    assert parse_arguments([]).incidents is None
    assert parse_arguments(["--incidents", "none"]).incidents == ()
    assert parse_arguments(["--incidents", "image-pull,unreachable"]).incidents == (
        "image-pull",
        "unreachable",
    )


def test_incident_without_a_place_ends_with_one_line() -> None:
    """A wish that cannot be fulfilled is told, not ignored."""
    done = subprocess.run(
        [sys.executable, "-m", "fleettui.demo", "--clusters", "1", "--incidents", "image-pul"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "image-pull" in done.stderr


def test_old_api_server_serves_one_version_of_cluster_api() -> None:
    """The demo of an old installation must not answer for the new API."""
    process = _start("--clusters", "2", "--contexts", "1", "--old-api", "--churn", "20")
    assert process.stdout is not None and process.stdin is not None
    path = Path(process.stdout.readline().strip())
    if KUBECTL is not None:
        done = subprocess.run(
            [
                *(KUBECTL, "--kubeconfig", str(path), "get", "clusters.cluster.x-k8s.io", "-A"),
                *("-o", "jsonpath={.items[*].apiVersion}"),
            ],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert set(done.stdout.split()) == {"cluster.x-k8s.io/v1beta1"}, done.stderr
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    process.stdin.close()
    process.stdout.close()
