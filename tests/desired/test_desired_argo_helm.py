"""Argo CD applications and Helm releases are compared the same way."""

import io
import sys
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleettui.desired import charts as charts_module
from fleettui.desired import helm as helm_module
from fleettui.desired import helm_diff as helm_diff_module
from fleettui.desired.argo_diff import diff_application
from fleettui.desired.argo_kustomize import edited, overlay_of
from fleettui.desired.build import Builder
from fleettui.desired.build_cache import BuildCache
from fleettui.desired.charts import ChartError, ChartStore
from fleettui.desired.desired_diff import Tools
from fleettui.desired.files import FileTree, HostileTreeError
from fleettui.desired.git import GitCache
from fleettui.desired.helm_diff import diff_helm_release
from fleettui.desired.helm_release import Surroundings
from fleettui.desired.helm_values import read_values
from fleettui.desired.kustomization_file import RenderError
from fleettui.desired.sources import Sources, Want, Wanted

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
URL = "https://git.example.org/apps.git"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1'}\n"
HOOK = (
    "apiVersion: v1\nkind: ConfigMap\n"
    "metadata: {name: hook, annotations: {argocd.argoproj.io/hook: PreSync}}\n"
)


def _application(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web", "namespace": "argocd"},
        "spec": {
            "destination": {"namespace": "prod"},
            "source": {"repoURL": URL, "path": "app", "targetRevision": "main"},
            "syncPolicy": {"automated": {"prune": True}},
            **spec,
        },
    }


def _live(name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": "prod",
            "annotations": {"argocd.argoproj.io/tracking-id": f"web:/ConfigMap:prod/{name}"},
            "managedFields": [
                {
                    "manager": "argocd-controller",
                    "operation": "Apply",
                    "apiVersion": "v1",
                    "fieldsV1": {
                        "f:metadata": {"f:annotations": {"f:argocd.argoproj.io/tracking-id": {}}},
                        "f:data": {f"f:{key}": {} for key in data},
                    },
                }
            ],
        },
        "data": data,
    }


def _tools(folder: Path, tmp_path: Path) -> Tools:
    return Tools(Sources(GitCache(tmp_path / "git", local={URL: folder})), Builder(None))


async def test_application_of_a_directory_is_compared_without_its_tracking_marks(
    make_repository: Callable[..., Path], make_reader: Callable[..., Any], tmp_path: Path
) -> None:
    """Argo's own annotations are not in git and would be drift on every object."""
    folder = make_repository(
        {"app/a.yaml": CONFIG, "app/hook.yaml": HOOK, "app/deep/b.yaml": CONFIG, "app/x.txt": "x"}
    )
    application = _application()
    application["status"] = {
        "resources": [
            {"version": "v1", "kind": "ConfigMap", "namespace": "prod", "name": "settings"},
            {"version": "v1", "kind": "ConfigMap", "namespace": "prod", "name": "old"},
        ]
    }
    reader = make_reader([_live("settings", a="1", gone="x"), _live("old", b="2")])
    found = await diff_application(application, reader, _tools(folder, tmp_path), now=NOW)
    assert found.error == ""
    assert [(item.change.value, item.id.name) for item in found.objects] == [
        ("pruned", "old"),
        ("changed", "settings"),
        ("ignored", "hook"),
    ]
    assert [hunk.path_text for hunk in found.objects[1].hunks] == ["data.gone"]
    application["spec"]["syncPolicy"] = {}
    application["spec"]["ignoreDifferences"] = [
        {"kind": "ConfigMap", "jsonPointers": ["/data/gone"]}
    ]
    kept = await diff_application(application, reader, _tools(folder, tmp_path), now=NOW)
    assert {item.change.value for item in kept.objects} == {"ignored"}


async def test_application_of_kustomize_gets_its_options(
    make_repository: Callable[..., Path], make_reader: Callable[..., Any], tmp_path: Path
) -> None:
    """Images and prefixes of the Application are laid over the repository."""
    folder = make_repository(
        {"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": CONFIG}
    )
    application = _application()
    application["spec"]["source"]["kustomize"] = {"namePrefix": "eu-", "namespace": "other"}
    reader = make_reader([])
    found = await diff_application(application, reader, _tools(folder, tmp_path), now=NOW)
    assert [str(item.id) for item in found.objects] == ["ConfigMap/other/eu-settings"]


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}}
"""


def _folder_of(content: str) -> FileTree:
    files = {"app/kustomization.yaml": content.encode(), "app/web.yaml": DEPLOYMENT.encode()}
    return FileTree("a repository", files)


async def _deployment(options: dict[str, Any], content: str = "resources: [web.yaml]\n") -> Any:
    tree = edited(_folder_of(content), "app", options)
    (built,) = (await Builder(None).build(tree, "app", overlay_of(options))).objects
    return built.document


async def test_application_of_kustomize_counts_replicas_as_argo_does() -> None:
    """A count that the Application sets is no drift; text and number are the same there."""
    deployment = await _deployment({"replicas": [{"name": "web", "count": "5"}]})
    assert deployment["spec"]["replicas"] == 5
    content = "resources: [web.yaml]\nreplicas: [{name: web, count: 2}]\n"
    deployment = await _deployment({"replicas": [{"name": "web", "count": 7}]}, content)
    assert deployment["spec"]["replicas"] == 7
    with pytest.raises(RenderError, match="is no number"):
        await _deployment({"replicas": [{"name": "web", "count": "many"}]})


async def test_application_of_kustomize_marks_objects_as_argo_does() -> None:
    """Labels and annotations of the Application would be drift on every object."""
    options: dict[str, Any] = {"commonLabels": {"team": "a"}, "commonAnnotations": {"note": "b"}}
    deployment = await _deployment(options)
    assert deployment["metadata"]["labels"] == {"team": "a"}
    assert deployment["metadata"]["annotations"]["note"] == "b"
    assert deployment["spec"]["selector"]["matchLabels"] == {"app": "web", "team": "a"}
    options["labelWithoutSelector"] = True
    deployment = await _deployment(options)
    assert deployment["spec"]["selector"]["matchLabels"] == {"app": "web"}
    assert deployment["spec"]["template"]["metadata"]["labels"] == {"app": "web"}
    options["labelIncludeTemplates"] = True
    deployment = await _deployment(options)
    assert deployment["spec"]["template"]["metadata"]["labels"] == {"app": "web", "team": "a"}


@pytest.mark.parametrize("what", ["label", "annotation"])
async def test_application_of_kustomize_refuses_marks_that_are_there(what: str) -> None:
    """Argo fails to render there, so a difference that is shown would be made up."""
    name = f"common{what.capitalize()}s"
    content = f"resources: [web.yaml]\n{name}: {{team: x}}\n"
    with pytest.raises(RenderError, match=f"{what} team already stands") as caught:
        await _deployment({name: {"team": "a"}}, content)
    forced = {name: {"team": "a"}, caught.value.hint.partition(" ")[0]: True}
    assert (await _deployment(forced, content))["metadata"][f"{what}s"]["team"] == "a"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"plugin": {"name": "x"}}, "plug-ins are not run"),
        ({"chart": "redis", "repoURL": "ftp://x.example/"}, "charts come over https or oci only"),
        ({"chart": "../redis"}, "not a plain chart"),
        ({"chart": "redis", "targetRevision": "--post-renderer=x"}, "not a plain chart"),
        ({"path": "nowhere"}, "path nowhere does not exist"),
        ({"targetRevision": "no-branch"}, "no-branch does not exist"),
    ],
)
async def test_application_that_cannot_be_rendered_says_why(
    source: dict[str, Any],
    message: str,
    make_repository: Callable[..., Path],
    make_reader: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """No difference and not compared must never look the same."""
    folder = make_repository({"app/a.yaml": CONFIG})
    application = _application()
    application["spec"]["source"].update(source)
    tools = _tools(folder, tmp_path)
    found = await diff_application(application, make_reader([]), tools, now=NOW)
    assert message in found.error
    never = await diff_application(
        _application(), make_reader([]), tools, now=NOW, wanted=Wanted(Want.APPLIED)
    )
    assert "nothing was applied yet" in never.error


FAKE_HELM = """#!{python}
import sys
values = sys.argv[sys.argv.index("--") - 1]
namespace = sys.argv[sys.argv.index("--namespace") + 1]
if "fail" in open(values).read():
    sys.exit("Error: template: web/templates/a.yaml:3: nil pointer")
print("---\\n# Source: web/templates/a.yaml\\napiVersion: v1\\nkind: ConfigMap")
print("metadata: {{name: " + sys.argv[-2] + "}}\\ndata:\\n  namespace: " + namespace)
print("---\\n# Source: web/templates/role.yaml\\napiVersion: rbac.authorization.k8s.io/v1")
print("kind: ClusterRole\\nmetadata: {{name: all}}\\nrules: []")
"""


@pytest.fixture
def fake_helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in helm's place that renders two objects."""
    program = tmp_path / "helm"
    program.write_text(FAKE_HELM.format(python=sys.executable))
    program.chmod(0o755)
    for module in (charts_module, helm_module, helm_diff_module):
        monkeypatch.setattr(module, "helm_program", lambda: program)
    return program


def _release(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": "prod"},
        "spec": {
            "chart": {"spec": {"chart": "./charts/web", "sourceRef": {"kind": "GitRepository"}}},
            "values": {"greeting": "hi"},
            **spec,
        },
    }


SOURCE: dict[str, Any] = {
    "kind": "GitRepository",
    "metadata": {"name": "charts"},
    "spec": {"url": URL},
    "status": {},
}
CHART = {"charts/web/Chart.yaml": "name: web\n", "charts/web/templates/a.yaml": "x: 1\n"}


async def test_release_with_helm_is_compared_object_by_object(
    fake_helm: Path,
    make_repository: Callable[..., Path],
    make_reader: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """Drift of a release must be seen without rights to its release Secret."""
    folder = make_repository(CHART)
    reader = make_reader([])
    reader.kinds.add(("rbac.authorization.k8s.io/v1", "ClusterRole"))
    wanted = Wanted(reference="main")
    found = await diff_helm_release(
        _release(targetNamespace="apps"),
        Surroundings(SOURCE),
        reader,
        _tools(folder, tmp_path),
        now=NOW,
        wanted=wanted,
    )
    assert found.error == ""
    assert [str(item.id) for item in found.objects] == [
        "ConfigMap/apps/apps-web",
        "ClusterRole/all",
    ]
    config = found.objects[0]
    assert config.source == "charts/web/templates/a.yaml"
    assert config.desired is not None
    metadata: Any = config.desired["metadata"]
    assert metadata["labels"]["helm.toolkit.fluxcd.io/name"] == "web"
    assert metadata["annotations"]["meta.helm.sh/release-name"] == "apps-web"
    failing = await diff_helm_release(
        _release(values={"fail": 1}),
        Surroundings(SOURCE),
        reader,
        _tools(folder, tmp_path),
        now=NOW,
        wanted=wanted,
    )
    assert "helm template failed: template: web/templates/a.yaml:3" in failing.error


async def test_chart_is_rendered_once_for_this_run_and_the_next(
    fake_helm: Path, tmp_path: Path
) -> None:
    """Hundreds of releases of one chart took a process each, in every run anew."""
    tree = FileTree("a repository", {path: text.encode() for path, text in CHART.items()})
    runs = tmp_path / "runs"
    fake_helm.write_text(f"{fake_helm.read_text()}\nopen({str(runs)!r}, 'a').write('.')\n")
    folder = tmp_path / "builds"

    async def render(greeting: str, cache: BuildCache, *, on_disk: bool = True) -> list[Any]:
        release = helm_module.Release("web", "prod", {"greeting": greeting})
        return await helm_module.render_chart(tree, "charts/web", release, cache, on_disk=on_disk)

    first = await render("hi", BuildCache(folder))
    first[0].document["kind"] = "changed by whoever works on it"
    cache = BuildCache(folder)
    again = await render("hi", cache)
    assert again[0].document["kind"] != first[0].document["kind"]
    await render("hi", cache)
    assert len(runs.read_text()) == 1
    await render("bye", cache, on_disk=False)
    await render("bye", cache, on_disk=False)
    assert len(runs.read_text()) == 2
    assert len(list(folder.iterdir())) == 1


async def test_release_without_helm_is_compared_by_values_and_says_so(
    make_reader: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    recordings: dict[str, Any],
    tmp_path: Path,
) -> None:
    """The digest that the controller records tells whether its values are deployed."""
    monkeypatch.setattr(helm_diff_module, "helm_program", lambda: None)
    tools = _tools(tmp_path, tmp_path)
    healthy = recordings["healthy"]
    for namespace, name in (("production", "storefront"), ("production", "sessions")):
        release = healthy.find("HelmRelease", namespace, name)
        found = await diff_helm_release(release, Surroundings({}), healthy.reader, tools, now=NOW)
        assert (found.error, found.objects, found.is_partial) == ("", (), True)
        assert found.notes[-1] == (
            "only the values were compared, not the objects: helm is not installed"
        )
        changed = {**release, "spec": {**release["spec"], "values": {"greeting": "new"}}}
        found = await diff_helm_release(changed, Surroundings({}), healthy.reader, tools, now=NOW)
        assert [item.change.value for item in found.objects] == ["changed"]
        deployed = await diff_helm_release(
            changed,
            Surroundings({}),
            healthy.reader,
            tools,
            now=NOW,
            deployed_values={"greeting": "old"},
        )
        (hunk,) = deployed.objects[0].hunks
        assert (hunk.path_text, hunk.before, hunk.after) == ("values.greeting", "old", "new")


async def test_release_values_merge_in_the_order_of_the_controller(
    make_reader: Callable[..., Any],
) -> None:
    """A value that wins in the controller must win here."""
    release = _release(
        values={"a": {"x": 1, "gone": None}, "b": 2},
        valuesFrom=[
            {"kind": "ConfigMap", "name": "first"},
            {"kind": "ConfigMap", "name": "first", "valuesKey": "one", "targetPath": "a.deep.y"},
            {"kind": "ConfigMap", "name": "missing", "optional": True},
            {"kind": "Secret", "name": "hidden", "valuesKey": "k"},
        ],
    )
    first = _live("first", **{"values.yaml": "a: {x: 9, gone: 1, z: 3}\nc: 1\n", "one": "7"})
    hidden = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "hidden", "namespace": "prod"},
    }
    values = await read_values(release, make_reader([first, hidden]))
    # null stays: helm then drops what the chart itself says
    merged = {"a": {"x": 1, "gone": None, "z": 3, "deep": {"y": 7}}, "b": 2, "c": 1}
    assert values.values == merged
    assert values.unread == ("Secret/hidden",)


@pytest.mark.parametrize(
    ("chart", "version"),
    [
        ("../../secrets", "1.0.0"),
        ("a/../../secrets", "1.0.0"),
        ("/etc", "1.0.0"),
        ("--plugin", "1.0.0"),
        ("web", "../../x"),
        ("web", "--post-renderer=/bin/sh"),
        ("web; touch x", "1.0.0"),
    ],
)
async def test_chart_named_by_a_hostile_cluster_is_refused(
    chart: str, version: str, tmp_path: Path
) -> None:
    """A chart's name is written by others: it must reach neither other folders nor options."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "Chart.yaml").write_text("name: secrets\n")
    url = "https://charts.example.org"
    store = ChartStore(tmp_path / "kept", local={url: tmp_path / "charts" / "stable"})
    for address in (url, "https://other.example.org"):
        with pytest.raises(ChartError, match="not a plain chart"):
            await store.pull(address, chart, version)
    assert store.pulls == 0


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc",
        "http://10.0.0.1/charts",
        "ftp://x.example",
        "--repo=x",
        "oci://",
        "https://a b",
    ],
)
async def test_chart_repository_of_a_hostile_cluster_is_never_asked(url: str) -> None:
    """A repository's address must not reach files, metadata servers or options of helm."""
    store = ChartStore()
    with pytest.raises(ChartError, match="over https or oci only"):
        await store.pull(url, "web", "1.0.0")
    assert store.pulls == 0


async def test_chart_archive_of_a_stranger_is_unpacked_defensively(tmp_path: Path) -> None:
    """An archive must neither write elsewhere nor bring a link or a bomb along."""
    folder = tmp_path / "charts"
    folder.mkdir()
    store = ChartStore(local={"https://c.example.org": folder})
    for name, member, words in (
        ("up", tarfile.TarInfo("web/../../evil"), "the path"),
        ("absolute", tarfile.TarInfo("/etc/evil"), "the path"),
        ("bomb", _sized("web/bomb", 3_000_000), "unpacks to more than"),
    ):
        with tarfile.open(folder / f"{name}-1.tgz", "w:gz") as tar:
            tar.addfile(member, io.BytesIO(bytes(member.size)))
        with pytest.raises(HostileTreeError, match=words):
            await store.pull("https://c.example.org", name, "1")
    link = tarfile.TarInfo("web/values.yaml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(folder / "link-1.tgz", "w:gz") as tar:
        tar.addfile(link)
    tree = await store.pull("https://c.example.org", "link", "1")
    assert dict(tree.files) == {}
    assert tree.notes == ("web/values.yaml: left out, it is not a regular file",)


def _sized(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    return info
