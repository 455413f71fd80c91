"""What importing costs, and who may import what."""

import ast
import subprocess
import sys
from pathlib import Path

import fleettui.kube

_CODE = """
import sys
import fleettui.kube.context, fleettui.kube.kubeconfig, fleettui.kube.workload
heavy = {name.partition('.')[0] for name in sys.modules} & {'aiohttp', 'kubernetes_asyncio', 'yarl'}
print(sorted(heavy))
"""


def test_kube_import_brings_no_http_library() -> None:
    """The first frame must not wait for aiohttp, nor for the 0.5 s of kubernetes_asyncio."""
    done = subprocess.run(
        [sys.executable, "-c", _CODE], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_kube_only_the_transport_and_its_shell_reach_the_network() -> None:
    """A second way out would be a way around the gate."""
    found: dict[str, set[str]] = {}
    for path in Path(fleettui.kube.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(path.name)
    assert found["aiohttp"] == {"transport.py"}
    assert found["kubernetes_asyncio"] == {"shell.py"}
    assert found["socket"] == {"sockets.py"}
    assert found["ssl"] == {"tls.py"}
    assert not found.keys() & {"subprocess", "httpx", "http", "requests"}


def test_kube_the_only_session_is_made_with_the_gate() -> None:
    """A session without request_class would send whatever it is given."""
    source = Path(fleettui.kube.__file__).parent / "transport.py"
    calls = [
        node
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ClientSession")
    ]
    assert len(calls) == 1
    keywords = {keyword.arg for keyword in calls[0].keywords}
    assert {"request_class", "middlewares", "trust_env", "cookie_jar"} <= keywords
