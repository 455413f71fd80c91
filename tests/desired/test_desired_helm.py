"""Charts are brought and rendered by the real helm, as their controller would.

Skipped where helm is not installed; ``PATH`` tells which one runs.
"""

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fleettui.desired.argo_diff import diff_application
from fleettui.desired.build import Builder
from fleettui.desired.charts import ChartStore, helm_program
from fleettui.desired.desired_diff import DesiredDiff, Tools
from fleettui.desired.git import GitCache
from fleettui.desired.helm import Capabilities
from fleettui.desired.helm_diff import diff_helm_release
from fleettui.desired.helm_release import Surroundings
from fleettui.desired.sources import Sources, Wanted

pytestmark = pytest.mark.skipif(helm_program() is None, reason="helm is not installed")
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
URL = "https://git.example.org/charts.git"

CHART = "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: '9'\n"
CONFIG = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-settings
  annotations: {checksum/all: {{ .Values.greeting | sha256sum }}}
data:
  greeting: {{ .Values.greeting | quote }}
  step: {{ ternary "upgrade" "install" .Release.IsUpgrade }}
  version: {{ .Capabilities.KubeVersion.Minor | quote }}
  monitored: {{ .Capabilities.APIVersions.Has "monitoring.example.org/v1" | quote }}
  {{- if .Values.extra }}
  extra: {{ .Values.extra | quote }}
  {{- end }}
"""
HOOK = """apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
"""
CHECK = """apiVersion: v1
kind: Pod
metadata: {name: smoke, annotations: {helm.sh/hook: test}}
spec: {containers: [{name: a, image: a}]}
"""
CRD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget, listKind: GadgetList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
FILES = {
    "Chart.yaml": CHART,
    "values.yaml": "greeting: hello\nextra: more\n",
    "templates/settings.yaml": CONFIG,
    "templates/hook.yaml": HOOK,
    "templates/tests/smoke.yaml": CHECK,
    "crds/gadgets.yaml": CRD,
}


def _packed(files: Mapping[str, str], name: str = "web") -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for path, text in files.items():
            info = tarfile.TarInfo(f"{name}/{path}")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(raw.getvalue(), mtime=0)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _release(chart: str = "./charts/web", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": "prod"},
        "spec": {"chart": {"spec": {"chart": chart}}, **spec},
        "status": {"history": [{"chartVersion": "1.2.3"}]},
    }


SOURCE: dict[str, Any] = {
    "kind": "GitRepository",
    "metadata": {"name": "charts"},
    "spec": {"url": URL},
}

Ask = Callable[..., Any]


@pytest.fixture
def ask(make_repository: Callable[..., Path], make_reader: Any, tmp_path: Path) -> Ask:
    """Compares a release whose chart is in git."""

    async def compare(
        release: dict[str, Any],
        files: Mapping[str, str] | None = None,
        live: tuple[dict[str, Any], ...] = (),
        **around: Any,
    ) -> DesiredDiff:
        chart = {f"charts/web/{path}": text for path, text in FILES.items()}
        folder = make_repository({**chart, **(files or {})})
        reader = make_reader(list(live))
        reader.kinds.add(("apiextensions.k8s.io/v1", "CustomResourceDefinition"))
        tools = Tools(Sources(GitCache(tmp_path / "git", local={URL: folder})), Builder(None))
        wanted = Wanted(reference="main")
        return await diff_helm_release(
            release, Surroundings(SOURCE, **around), reader, tools, now=NOW, wanted=wanted
        )

    return compare


def _rows(found: DesiredDiff) -> list[tuple[str, str]]:
    assert found.error == ""
    return [(item.change.value, str(item.id)) for item in found.objects]


def _data(found: DesiredDiff, name: str = "web-settings") -> Any:
    (item,) = [item for item in found.objects if item.id.name == name]
    assert item.desired is not None
    return item.desired["data"]


async def test_release_renders_what_is_released_and_leaves_hooks_out(ask: Ask) -> None:
    """Jobs that run once and tests would be missing in every cluster."""
    found = await ask(_release(values={"extra": None}))
    assert _rows(found) == [
        ("created", "ConfigMap/prod/web-settings"),
        ("ignored", "CustomResourceDefinition/gadgets.example.org"),
    ]
    config, crd = found.objects
    assert (config.source, crd.source) == (
        "charts/web/templates/settings.yaml",
        "charts/web/crds/gadgets.yaml",
    )
    assert crd.reason == "crds: Skip (of the release)"
    metadata: Any = (config.desired or {})["metadata"]
    assert metadata["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    assert metadata["labels"]["helm.toolkit.fluxcd.io/namespace"] == "prod"
    assert metadata["annotations"]["meta.helm.sh/release-name"] == "web"
    assert (_data(found)["greeting"], _data(found)["step"]) == ("hello", "upgrade")
    assert "extra" not in _data(found)


async def test_release_sees_the_cluster_that_it_goes_to(ask: Ask) -> None:
    """Charts leave objects out where an API is not served: helm's guess would be drift."""
    told = Capabilities("v1.27.4", ("v1", "monitoring.example.org/v1"))
    data = _data(await ask(_release(), capabilities=told))
    assert (data["version"], data["monitored"]) == ("27", "true")
    assert _data(await ask(_release()))["monitored"] == "false"


@pytest.mark.parametrize(
    ("spec", "version", "change"),
    [
        ({}, "", "created"),
        ({"install": {"crds": "Skip"}}, "", "ignored"),
        ({"upgrade": {"crds": "CreateReplace"}}, "1.2.3", "created"),
        ({}, "1.2.3", "ignored"),
    ],
    ids=["install", "install-skip", "upgrade-replace", "upgrade"],
)
async def test_release_crds_follow_its_policy(
    ask: Ask, spec: dict[str, Any], version: str, change: str
) -> None:
    """A CRD that no upgrade touches must not be promised."""
    release = _release(**spec)
    release["status"] = {"history": [{"chartVersion": version}]} if version else {}
    found = await ask(release)
    assert (change, "CustomResourceDefinition/gadgets.example.org") in _rows(found)


async def test_release_name_and_namespace_follow_the_controller(ask: Ask) -> None:
    """Every object's name and namespace hang on them."""
    found = await ask(_release(targetNamespace="apps"))
    assert "ConfigMap/apps/apps-web-settings" in str(_rows(found))
    found = await ask(_release(targetNamespace="apps", releaseName="site"))
    assert "ConfigMap/apps/site-settings" in str(_rows(found))
    found = await ask(_release(releaseName="--post-renderer=/bin/sh"))
    assert "refused: not a name of a release" in found.error


async def test_release_post_renderers_and_common_metadata_are_laid_over(ask: Ask) -> None:
    """What a team patches into a bought chart would be shown as drift."""
    patch = '[{"op": "replace", "path": "/data/greeting", "value": "patched"}]'
    kustomize = {"patches": [{"target": {"kind": "ConfigMap"}, "patch": patch}]}
    found = await ask(
        _release(
            postRenderers=[{"kustomize": kustomize}], commonMetadata={"labels": {"team": "web"}}
        )
    )
    assert _data(found)["greeting"] == "patched"
    labels: Any = (found.objects[0].desired or {})["metadata"]
    assert labels["labels"]["team"] == "web"
    assert found.objects[0].source == "charts/web/templates/settings.yaml"


async def test_release_drift_is_one_hunk_with_the_hint_when_it_goes(ask: Ask) -> None:
    """Without drift detection Flux itself says nothing of an edit until the next upgrade."""
    wanted = (await ask(_release())).objects[0].desired
    live: dict[str, Any] = json.loads(json.dumps(wanted))
    fields = {
        "f:data": {f"f:{key}": {} for key in live["data"]},
        "f:metadata": {
            part: {f"f:{key}": {} for key in live["metadata"][part[2:]]}
            for part in ("f:labels", "f:annotations")
        },
    }
    entry = {"manager": "helm-controller", "operation": "Apply", "apiVersion": "v1"}
    live["metadata"]["managedFields"] = [{**entry, "fieldsV1": fields}]
    assert ("unchanged", "ConfigMap/prod/web-settings") in _rows(
        await ask(_release(), live=(live,))
    )
    live["data"]["greeting"] = "by hand"
    found = await ask(_release(), live=(live,))
    (hunk,) = found.objects[0].hunks
    assert (hunk.path_text, hunk.before, hunk.after) == ("data.greeting", "by hand", "hello")
    assert "driftDetection is disabled: what differs stays until the next upgrade" in found.notes
    live["metadata"]["annotations"]["helm.toolkit.fluxcd.io/driftDetection"] = "disabled"
    found = await ask(_release(), live=(live,))
    assert found.objects[0].reason == "helm.toolkit.fluxcd.io/driftDetection: disabled"


async def test_release_upgrade_deletes_what_the_chart_dropped(ask: Ask) -> None:
    """A template that is gone takes its object with it, unless that says keep."""
    entries = [{"id": f"prod_{name}__ConfigMap", "v": "v1"} for name in ("old", "kept", "gone")]
    release = _release()
    release["status"]["inventory"] = {"entries": entries}

    def config(name: str, **annotations: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": "prod", "annotations": annotations}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}

    live = (config("old"), config("kept", **{"helm.sh/resource-policy": "keep"}))
    rows = _rows(await ask(release, live=live))
    assert ("pruned", "ConfigMap/prod/old") in rows
    assert ("ignored", "ConfigMap/prod/kept") in rows
    assert "gone" not in str(rows)


async def test_release_single_value_of_a_secret_is_unknown_not_wrong(ask: Ask) -> None:
    """Most releases take a password from a Secret, which is never read."""
    secret = {"kind": "PartialObjectMetadata", "apiVersion": "v1", "metadata": {}}
    secret = {**secret, "kind": "Secret", "metadata": {"name": "hidden", "namespace": "prod"}}
    source = {"kind": "Secret", "name": "hidden", "valuesKey": "k", "targetPath": "greeting"}
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "web-settings",
            "namespace": "prod",
            "annotations": {"checksum/all": "a" * 64},
        },
        "data": {"greeting": "anything"},
    }
    found = await ask(_release(valuesFrom=[source]), live=(secret, config))
    assert found.notes[0].startswith("not readable: Secret/hidden")
    paths = [hunk.path_text for item in found.objects for hunk in item.hunks]
    assert not [path for path in paths if "greeting" in path or "checksum" in path]


async def test_release_with_charts_inside_gets_those_of_the_repository(ask: Ask) -> None:
    """The controller builds dependencies; helm template alone refuses to render."""
    needs = "dependencies:\n- {name: lib, version: 0.1.0, repository: 'file://../lib'}\n"
    lib = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lib}\ndata: {a: '{{ .Values.a }}'}\n"
    files = {
        "charts/web/Chart.yaml": CHART + needs,
        "charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 0.1.0\n",
        "charts/lib/templates/a.yaml": lib,
    }
    found = await ask(_release(values={"lib": {"a": "7"}}), files)
    assert _data(found, "lib") == {"a": "7"}
    outside = needs.replace("../lib", "../../../../etc")
    found = await ask(_release(), {"charts/web/Chart.yaml": CHART + outside})
    assert "the chart lib that it needs is not at" in found.error
    nowhere = needs.replace("file://../lib", "@internal")
    found = await ask(_release(), {"charts/web/Chart.yaml": CHART + nowhere})
    assert "the chart lib that it needs is not in charts/" in found.error


async def test_release_values_files_come_from_the_repository(ask: Ask) -> None:
    """Per-region values files lie beside the chart."""
    release = _release()
    chart = release["spec"]["chart"]["spec"]
    chart["valuesFiles"] = [
        "./charts/web/values.yaml",
        "regions/eu.yaml",
    ]
    found = await ask(release, {"regions/eu.yaml": "greeting: bonjour\n"})
    assert _data(found)["greeting"] == "bonjour"
    chart["valuesFiles"] = ["regions/no.yaml"]
    assert "values file regions/no.yaml does not exist" in (await ask(release)).error
    chart["ignoreMissingValuesFiles"] = True
    assert (await ask(release)).error == ""


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ('{{ .Files.Get "../../outside.yaml" }}', ""),
        ('{{ .Files.Get "/etc/passwd" }}', ""),
        ('{{ env "PATH" }}', 'function "env" not defined'),
        ('{{ lookup "v1" "Secret" "prod" "x" }}', ""),
        ('{{ getHostByName "example.org" }}', ""),
        ("{{ range $i, $e := until 30000000 }}x{{ end }}", "helm took longer than 2 s"),
    ],
    ids=["climb", "absolute", "environment", "lookup", "resolve", "endless"],
)
async def test_release_hostile_chart_reads_nothing_of_this_machine(
    ask: Ask, template: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may change a chart must not read files of whoever looks at it."""
    from fleettui.desired import helm
    from fleettui.processes import Limits

    monkeypatch.setattr(helm, "_LIMITS", Limits(timeout_s=2.0, output_bytes=1 << 20))
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
    text = f"{head}data:\n  a: >-\n    [{template}]\n"
    found = await ask(
        _release(), {"charts/web/templates/x.yaml": text, "outside.yaml": "secret: 1\n"}
    )
    if words:
        assert words in found.error
    else:
        assert "root:" not in str(_data(found, "x"))
        assert "secret" not in str(_data(found, "x"))


class _Repository(BaseHTTPRequestHandler):
    """An index, its archives, and a registry with one chart."""

    contents: dict[str, tuple[str, bytes]] = {}
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        kind, body = self.contents.get(self.path, ("", b""))
        self.send_response(200 if kind else 404)
        if kind:
            self.send_header("Content-Type", kind)
            self.send_header("Docker-Content-Digest", _digest(body))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps quiet."""


ARCHIVE = _packed(FILES)


@pytest.fixture(scope="module")
def repository() -> Iterator[str]:
    """Address of a server with a chart in an index and in a registry."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Repository)
    port = server.server_address[1]
    entry = {"apiVersion": "v2", "name": "web", "version": "1.2.3", "urls": ["web-1.2.3.tgz"]}
    index = {"apiVersion": "v1", "entries": {"web": [{**entry, "digest": _digest(ARCHIVE)[7:]}]}}
    config = json.dumps({"name": "web", "version": "1.2.3", "apiVersion": "v2"}).encode()
    helm = "application/vnd.cncf.helm"
    layer = {"mediaType": f"{helm}.chart.content.v1.tar+gzip", "digest": _digest(ARCHIVE)}
    about = {"mediaType": f"{helm}.config.v1+json", "digest": _digest(config), "size": len(config)}
    form = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": form,
            "config": about,
            "layers": [{**layer, "size": len(ARCHIVE)}],
        }
    ).encode()
    blobs = {_digest(content): content for content in (config, ARCHIVE)}
    _Repository.contents = {
        "/index.yaml": ("text/yaml", json.dumps(index).encode()),
        "/web-1.2.3.tgz": ("application/gzip", ARCHIVE),
        "/v2/": ("application/json", b"{}"),
        "/v2/charts/web/tags/list": (
            "application/json",
            b'{"name": "charts/web", "tags": ["1.2.3"]}',
        ),
        "/v2/charts/web/manifests/1.2.3": (form, manifest),
        f"/v2/charts/web/manifests/{_digest(manifest)}": (form, manifest),
        **{
            f"/v2/charts/web/blobs/{digest}": ("application/octet-stream", content)
            for digest, content in blobs.items()
        },
    }
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


def _chart(digest: str = "", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "HelmChart",
        "metadata": {"name": "prod-web", "namespace": "flux-system"},
        "spec": {"chart": "web", "version": "1.x", **spec},
        "status": {"artifact": {"revision": "1.2.3", "digest": digest or _digest(ARCHIVE)}},
    }


@pytest.mark.parametrize("kind", ["http", "oci"])
async def test_release_of_a_repository_is_pulled_with_the_persons_helm(
    kind: str, repository: str, make_reader: Any, tmp_path: Path
) -> None:
    """With get alone there is no way to the controller's own copy of a chart."""
    url = f"http://{repository}" if kind == "http" else f"oci://{repository}/charts"
    holder = {"kind": "HelmRepository", "spec": {"url": url}}
    _Repository.asked.clear()
    for _ in range(2):
        charts = ChartStore(tmp_path / "charts")
        tools = Tools(Sources(GitCache(tmp_path / "git")), Builder(None), charts=charts)
        found = await diff_helm_release(
            _release("web"), Surroundings(_chart(), holder), make_reader([]), tools, now=NOW
        )
        assert found.revision == "1.2.3"
        assert "without a digest" not in str(found.notes)
        assert ("created", "ConfigMap/prod/web-settings") in _rows(found)
        assert found.objects[0].source == "web/templates/settings.yaml"
    assert charts.pulls == 0  # what was verified once is kept
    tools = Tools(Sources(GitCache(tmp_path / "git")), Builder(None))
    found = await diff_helm_release(
        _release("web"),
        Surroundings(_chart(_digest(b"x")), holder),
        make_reader([]),
        tools,
        now=NOW,
    )
    assert "the archive's sha256 is" in found.error
    found = await diff_helm_release(
        _release("web"),
        Surroundings(_chart(), holder),
        make_reader([]),
        tools,
        now=NOW,
        wanted=Wanted(reference="9.9.9"),
    )
    assert "helm pull failed" in found.error


async def test_release_of_a_repository_is_read_from_a_folder_that_stands_for_it(
    make_reader: Any, tmp_path: Path
) -> None:
    """Where nothing may be reached, a check-out of the charts does."""
    url = "https://charts.example.org/stable"
    for path, text in FILES.items():
        (tmp_path / "mine" / "web" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / "web" / path).write_text(text)
    (tmp_path / "mine" / "web" / "templates" / "out.yaml").symlink_to("/etc/passwd")
    charts = ChartStore(None, local={f"{url}/": tmp_path / "mine"})
    tools = Tools(Sources(GitCache(tmp_path / "git")), Builder(None), charts=charts)
    holder = {"kind": "HelmRepository", "spec": {"url": url}}
    found = await diff_helm_release(
        _release("web"), Surroundings(_chart(), holder), make_reader([]), tools, now=NOW
    )
    assert ("created", "ConfigMap/prod/web-settings") in _rows(found)
    assert "templates/out.yaml: left out, it is not a regular file" in found.notes
    assert charts.pulls == 0


async def test_application_of_a_chart_is_pulled_too(
    repository: str, make_reader: Any, tmp_path: Path
) -> None:
    """Most Applications install a chart of a repository."""
    tools = Tools(Sources(GitCache(tmp_path / "git")), Builder(None))
    for url in (f"http://{repository}", f"{repository}/charts"):
        source = {"repoURL": url, "chart": "web", "targetRevision": "1.2.*"}
        source["helm"] = {"valuesObject": {"greeting": "argo"}}  # type: ignore[assignment]  # as Argo has it
        application = {
            "kind": "Application",
            "metadata": {"name": "web", "namespace": "argocd"},
            "spec": {"destination": {"namespace": "prod"}, "source": source},
        }
        reader = make_reader([])
        reader.kinds.add(("apiextensions.k8s.io/v1", "CustomResourceDefinition"))
        found = await diff_application(application, reader, tools, now=NOW)
        assert _data(found)["greeting"] == "argo"


async def test_release_recorded_from_a_real_controller_has_no_false_difference(
    recordings: dict[str, Any], bundle_tools: Tools
) -> None:
    """What a real helm-controller installed must be what is rendered here."""
    healthy = recordings["healthy"]
    release = healthy.find("HelmRelease", "platform", "console")
    source = healthy.find("GitRepository", "flux-system", "charts")
    found = await diff_helm_release(
        release, Surroundings(source), healthy.reader, bundle_tools, now=NOW
    )
    assert _rows(found) == [
        ("unchanged", "ConfigMap/platform/console-config"),
        ("unchanged", "Service/platform/console"),
        ("unchanged", "Deployment/platform/console"),
    ]
