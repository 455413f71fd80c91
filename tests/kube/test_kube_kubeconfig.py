"""Loading kubeconfigs as kubectl does: precedence, paths, and what is wrong where."""

import base64
import json
import os
from pathlib import Path

import pytest

from fleettui.errors import UnreadableError, UsageError
from fleettui.kube.kubeconfig import Kubeconfig, load_kubeconfig
from fleettui.kube.kubeconfig_entries import EXEC_VERSIONS, Interactive, Material
from fleettui.kube.kubeconfig_files import fingerprint
from fleettui.kube.workload import workload_kubeconfig
from fleettui.processes import find_program, run


def entry(
    name: str,
    *,
    server: str = "https://example.test",
    cluster: str = "",
    user: str = "{token: t}",
    namespace: str = "",
    current: bool = True,
) -> str:
    """One file with one context, cluster and user of the same name."""
    extra = f", {cluster}" if cluster else ""
    space = f", namespace: {namespace}" if namespace else ""
    head = f"current-context: {name}\n" if current else ""
    return (
        f"{head}clusters:\n- name: {name}\n  cluster: {{server: '{server}'{extra}}}\n"
        f"users:\n- name: {name}\n  user: {user}\n"
        f"contexts:\n- name: {name}\n  context: {{cluster: {name}, user: {name}{space}}}\n"
    )


def load(folder: Path, *texts: str, explicit: bool = False) -> Kubeconfig:
    """Writes files and loads them as a KUBECONFIG list."""
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"f{number}"
        path.write_text(text)
        paths.append(str(path))
    if explicit:
        return load_kubeconfig({}, home=folder, explicit=Path(paths[0]))
    return load_kubeconfig({"KUBECONFIG": os.pathsep.join(paths)}, home=folder)


def problem_of(config: Kubeconfig, name: str) -> str:
    """What is wrong with a context."""
    with pytest.raises(UsageError) as caught:
        config.context(name)
    return str(caught.value)


def test_current_context_of_the_first_file_that_sets_it_wins(tmp_path: Path) -> None:
    """The last one winning would open another cluster than kubectl does."""
    config = load(tmp_path, entry("a", current=False), entry("b"), entry("c"))
    assert config.current_context == "b"
    assert list(config.contexts) == ["a", "b", "c"]


def test_same_name_in_two_files_is_taken_whole_from_the_first(tmp_path: Path) -> None:
    """Mixing fields of two files would send one cluster's token to another."""
    first = entry("a", user="{token: first}")
    config = load(tmp_path, first, entry("a", user="{token: second, as: jane}"))
    user = config.context("a").user
    assert user is not None
    assert (user.token, user.impersonation.user) == ("first", "")


def test_missing_and_empty_list_entries_are_skipped(tmp_path: Path) -> None:
    """KUBECONFIG=:a:missing is what shells produce; kubectl does not mind."""
    (tmp_path / "a").write_text(entry("a"))
    listed = f":{tmp_path / 'a'}::{tmp_path / 'missing'}"
    config = load_kubeconfig({"KUBECONFIG": listed}, home=tmp_path)
    assert list(config.contexts) == ["a"]
    assert config.problems == ()


def test_nothing_at_all_is_one_friendly_problem(tmp_path: Path) -> None:
    """A fresh machine must see where was looked and what to do, not a traceback."""
    config = load_kubeconfig({}, home=tmp_path)
    assert len(config.problems) == 1
    assert ".kube/config" in str(config.problems[0])
    assert "KUBECONFIG" in config.problems[0].hint


def test_tilde_and_home_are_taken_from_the_parameters(tmp_path: Path) -> None:
    """The file that is read must be the person's, whatever is set after import."""
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(entry("home"))
    assert list(load_kubeconfig({}, home=tmp_path).contexts) == ["home"]
    other = load_kubeconfig({"KUBECONFIG": "~/.kube/config"}, home=tmp_path)
    assert list(other.contexts) == ["home"]


def test_relative_paths_start_from_the_file_of_their_own_entry(tmp_path: Path) -> None:
    """A user's certificate lies beside the user's file, not beside the cluster's."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    cluster = (
        "clusters:\n- name: c\n  cluster: {server: https://x, certificate-authority: ca.pem}\n"
    )
    user = (
        "users:\n- name: u\n  user: {client-certificate: c.pem, client-key: k.pem, exec: "
        "{apiVersion: client.authentication.k8s.io/v1, command: ./bin/x, "
        "interactiveMode: Never}}\n"
        "contexts:\n- name: m\n  context: {cluster: c, user: u}\n"
    )
    (tmp_path / "one" / "f").write_text(cluster)
    (tmp_path / "two" / "f").write_text(user)
    listed = f"{tmp_path}/one/f:{tmp_path}/two/f"
    found = load_kubeconfig({"KUBECONFIG": listed}, home=tmp_path).context("m")
    assert found.cluster.ca.file == tmp_path / "one" / "ca.pem"
    assert found.user is not None
    assert found.user.certificate.file == tmp_path / "two" / "c.pem"
    assert found.user.plugin is not None
    assert found.user.plugin.command == str(tmp_path / "two" / "bin" / "x")


def test_name_given_twice_in_a_file_spoils_only_its_own_contexts(tmp_path: Path) -> None:
    """Silently taking one of two would be a coin toss between two clusters."""
    text = entry("a") + "- name: b\n  context: {cluster: a}\n- name: b\n  context: {cluster: a}\n"
    config = load(tmp_path, text)
    assert "b is given twice in contexts" in problem_of(config, "b")
    assert f"{tmp_path / 'f0'}:" in problem_of(config, "b")
    assert config.context("a").name == "a"


def test_duplicate_user_spoils_the_contexts_that_use_it(tmp_path: Path) -> None:
    """Which of two tokens is meant cannot be known."""
    text = entry("a").replace("users:\n", "users:\n- name: a\n  user: {token: other}\n")
    assert "a is given twice in users" in problem_of(load(tmp_path, text), "a")


def test_missing_user_is_named_with_its_place(tmp_path: Path) -> None:
    """A typo in a context must be found in one look."""
    text = entry("a").replace("user: a}", "user: nobody}")
    assert "user nobody not found" in problem_of(load(tmp_path, text), "a")
    assert f"{tmp_path / 'f0'}:9" in problem_of(load(tmp_path, text), "a")


def test_context_without_user_is_anonymous(tmp_path: Path) -> None:
    """Anonymous access is allowed where the server allows it."""
    text = entry("a").replace(", user: a", "")
    assert load(tmp_path, text).context("a").user is None


def test_no_current_context_lists_what_can_be_chosen(tmp_path: Path) -> None:
    """Without a current context one must be able to pick."""
    config = load(tmp_path, entry("a", current=False))
    with pytest.raises(UsageError) as caught:
        config.context()
    assert "--context" in caught.value.hint
    assert "a" in caught.value.hint
    with pytest.raises(UsageError):
        config.context("zzz")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", ":2: no valid YAML"),
        ("clusters:\n- name: x\n\tbad", ":3: no valid YAML"),
        ("- a", ":1: a kubeconfig is a mapping"),
        ("just text", ":1: a kubeconfig is a mapping"),
        ("contexts: 5", ":1: contexts must be a list"),
        ("users:\n- 5", ":2: users must be a list of mappings"),
        ("contexts:\n- context: {}", ":2: an entry of contexts has no name"),
        ("a: 1\na: 2", ":2: a is given twice"),
        ("a: 1\n---\nb: 2", "no valid YAML"),
        ("a: !!python/object:os.system x\nclusters: !!binary x", "must be a list"),
        ("x: &x [a]\ny: [" + "*x, " * 300 + "]", "aliases"),
        ("#" * (5 << 20) + "xx", "larger than 5 MB"),
    ],
)
def test_broken_file_is_one_line_and_hides_no_other(tmp_path: Path, text: str, words: str) -> None:
    """One half-edited file must not lock a person out of all other clusters."""
    config = load(tmp_path, text, entry("good"))
    assert list(config.contexts) == ["good"]
    assert len(config.problems) == 1
    assert words in str(config.problems[0])
    assert "\n" not in str(config.problems[0])
    with pytest.raises(UsageError):
        load(tmp_path, text, explicit=True)


@pytest.mark.parametrize("text", ["", "null", "---\n", "clusters: null\nusers: []\ncontexts:\n"])
def test_empty_file_is_no_error(tmp_path: Path, text: str) -> None:
    """Tools leave such files behind."""
    config = load(tmp_path, text, entry("good"))
    assert list(config.contexts) == ["good"]
    assert config.problems == ()


def test_alias_bomb_costs_nothing(tmp_path: Path) -> None:
    """A file made to hurt must not stop the program."""
    bomb = "a: &a [x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)}]\n" for n in range(24)
    )
    config = load(tmp_path, entry("good") + bomb)
    assert config.context("good").name == "good"


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        ("certificate-authority-data: '%%'", "no base64"),
        ("certificate-authority-data: eHg=, certificate-authority: x", "both given"),
        ("certificate-authority-data: eHg=, insecure-skip-tls-verify: true", "Remove one"),
        ("insecure-skip-tls-verify: maybe", "true or false"),
        ("proxy-url: 'ftp://x'", "no URL of"),
        ("proxy-url: nonsense", "no URL of"),
        ("tls-server-name: [a]", "must be text"),
    ],
)
def test_cluster_mistake_is_told_and_spoils_only_its_context(
    tmp_path: Path, cluster: str, words: str
) -> None:
    """What kubectl refuses must be refused with the line, and nothing else."""
    config = load(tmp_path, entry("bad", cluster=cluster), entry("good"))
    with pytest.raises(UsageError) as caught:
        config.context("bad")
    assert words in f"{caught.value} {caught.value.hint}"
    assert config.context("good").name == "good"


@pytest.mark.parametrize(
    "server", ["", "example.test", "ftp://x", "https://", "https://u:p@x", "https://x?a"]
)
def test_server_that_is_no_address_is_a_mistake(tmp_path: Path, server: str) -> None:
    """Better at start than as a strange failure to connect."""
    assert "server" in problem_of(load(tmp_path, entry("a", server=server)), "a")


_EXEC = "{apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Never"


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("{token: t, username: u, password: p}", "a token and a password"),
        ("{client-certificate-data: eA==}", "without a client key"),
        ("{client-key-data: eA==}", "without a client certificate"),
        ("{as-groups: [a]}", "without a user"),
        ("{as-uid: x}", "without a user"),
        ('{as: "a\\nb"}', "control characters"),
        ("{auth-provider: {name: gcp}}", "gke-gcloud-auth-plugin"),
        ("{auth-provider: {name: azure}}", "kubelogin"),
        ("{auth-provider: {name: oidc}}", "oidc-login"),
        ("{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}", "v1alpha1"),
        ("{exec: {apiVersion: client.authentication.k8s.io/v1, command: x}}", "interactiveMode"),
        ("{exec: " + _EXEC.replace("Never", "Maybe") + "}}", "Never, IfAvailable, Always"),
        ("{exec: " + _EXEC.replace("command: x, ", "") + "}}", "no command"),
    ],
)
def test_user_mistake_is_told_with_what_to_do(tmp_path: Path, user: str, words: str) -> None:
    """Half-configured credentials must not end as anonymous or as somebody else."""
    config = load(tmp_path, entry("bad", user=user), entry("good"))
    with pytest.raises(UsageError) as caught:
        config.context("bad")
    assert words in f"{caught.value} {caught.value.hint}"
    assert config.context("good").name == "good"


def test_exec_plugin_is_read_whole(tmp_path: Path) -> None:
    """Arguments, environment and hints decide whether sign-in works."""
    plugin = (
        f"{_EXEC}, args: [a, b], env: [{{name: K, value: V}}], provideClusterInfo: true, "
        'installHint: "run \\e[31mthis"}'
    )
    cluster = (
        "extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: z, n: 5}}]"
    )
    found = load(tmp_path, entry("a", cluster=cluster, user=f"{{exec: {plugin}}}")).context("a")
    assert found.user is not None
    spec = found.user.plugin
    assert spec is not None
    assert (spec.command, spec.args, spec.env) == ("x", ("a", "b"), (("K", "V"),))
    assert spec.api_version == EXEC_VERSIONS[0]
    assert spec.interactive is Interactive.NEVER
    assert "\x1b" not in spec.install_hint
    assert "␛" in spec.install_hint
    assert found.cluster.exec_config == {"audience": "z", "n": 5}


def test_token_file_beats_token(tmp_path: Path) -> None:
    """The file is what is rotated; the inline token beside it is the stale one."""
    user = load(tmp_path, entry("a", user="{token: t, tokenFile: tok}")).context("a").user
    assert user is not None
    assert (user.token, user.token_file) == ("", tmp_path / "tok")


def test_secrets_are_not_in_representations(tmp_path: Path) -> None:
    """A crash report or a log of a value must not hold a credential."""
    keys = "client-certificate-data: Y2VydA==, client-key-data: a2V5a2V5"
    user = "{username: u, password: hunter2, " + keys + "}"
    text = repr(load(tmp_path, entry("a", user=user)))
    assert "hunter2" not in text
    assert "keykey" not in text


def test_namespace_is_kept_and_a_bad_one_warned_of(tmp_path: Path) -> None:
    """kubectl takes it as it is; so a typo is shown, not refused."""
    config = load(tmp_path, entry("a", namespace="team-a"), entry("b", namespace="Team_B"))
    assert config.context("a").namespace == "team-a"
    assert config.context("a").warnings == ()
    assert "Team_B" in config.context("b").warnings[0]


def test_in_cluster_is_used_only_when_there_is_no_file(tmp_path: Path) -> None:
    """A pod has no kubeconfig, but it has an identity."""
    account = tmp_path / "sa"
    account.mkdir()
    (account / "token").write_text("tok\n")
    (account / "ca.crt").write_text("pem")
    (account / "namespace").write_text("team\n")
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    found = load_kubeconfig(environment, home=tmp_path, service_account=account).context()
    assert found.cluster.server == "https://[fd00::1]:6443"
    assert found.cluster.ca == Material(file=account / "ca.crt")
    assert found.namespace == "team"
    assert found.user is not None
    assert found.user.token_file == account / "token"
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(entry("mine"))
    config = load_kubeconfig(environment, home=tmp_path, service_account=account)
    assert list(config.contexts) == ["mine"]


def test_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    """A kubeconfig edited while the program runs must be noticed."""
    path = tmp_path / "c"
    before = fingerprint([path])
    path.write_text("a")
    made = fingerprint([path])
    path.write_text("ab")
    assert len({before, made, fingerprint([path])}) == 3


def test_server_with_a_path_keeps_it_as_prefix(tmp_path: Path) -> None:
    """Rancher and others serve many clusters below one address."""
    found = load(tmp_path, entry("a", server="https://x/k8s/clusters/c-1/")).context("a")
    assert found.cluster.prefix == "/k8s/clusters/c-1"


def _secret(text: str) -> bytes:
    value = base64.b64encode(text.encode()).decode()
    return f'{{"data":{{"value":"{value}"}}}}'.encode()


def test_workload_kubeconfig_with_inline_data_is_accepted() -> None:
    """This is how a workload cluster is opened from its management cluster."""
    assert workload_kubeconfig(_secret(entry("w"))).context("w").name == "w"


@pytest.mark.parametrize(
    ("cluster", "user"),
    [
        ("", "{exec: " + _EXEC + "}}"),
        ("", "{tokenFile: /etc/passwd}"),
        ("", "{client-certificate: /etc/passwd, client-key: /etc/shadow}"),
        ("certificate-authority: /etc/passwd", "{token: t}"),
    ],
)
def test_workload_kubeconfig_may_not_reach_out(cluster: str, user: str) -> None:
    """A Secret in a cluster must neither run programs here nor send local files away."""
    config = workload_kubeconfig(_secret(entry("w", cluster=cluster, user=user)))
    assert "only accepted from the person's own files" in problem_of(config, "w")


@pytest.mark.parametrize("secret", [b"", b"{}", b'{"data":{"value":"%%"}}', b'{"data":null}'])
def test_workload_kubeconfig_that_is_none_does_not_quote_the_secret(secret: bytes) -> None:
    """The words of a decoder may hold half a secret."""
    with pytest.raises(UnreadableError) as caught:
        workload_kubeconfig(secret)
    assert str(caught.value) == "the Secret holds no kubeconfig"


_PARTS = (
    entry("a", namespace="one"),
    entry("b", current=False, user="{token: other, as: jane}"),
    entry("a", server="https://second.test", user="{username: u, password: p}"),
    "current-context: zzz\n",
    "",
    "contexts:\n- name: mix\n  context: {cluster: a, user: b}\n",
)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (3, 0), (4, 1, 5, 0), (5, 2, 1, 3)])
def test_merge_agrees_with_kubectl(tmp_path: Path, order: tuple[int, ...]) -> None:
    """Opening another cluster than kubectl does, with the same files, is how accidents happen."""
    kubectl = find_program("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl is installed")
    config = load(tmp_path, *(_PARTS[number] for number in order))
    listed = os.pathsep.join(str(path) for path in config.files)
    done = run(
        [kubectl, "config", "view", "--raw", "-o", "json"],
        environment={"KUBECONFIG": listed, "HOME": str(tmp_path)},
    )
    theirs = json.loads(done.stdout)
    servers = {item["name"]: item["cluster"]["server"] for item in theirs["clusters"]}
    users = {item["name"]: item["user"] for item in theirs["users"]}
    assert config.current_context == theirs["current-context"]
    assert sorted(config.contexts) == sorted(item["name"] for item in theirs["contexts"])
    for item in theirs["contexts"]:
        ours, wanted = config.contexts[item["name"]], item["context"]
        assert ours.cluster.server == servers[wanted["cluster"]]
        assert ours.namespace == wanted.get("namespace", "")
        assert ours.user is not None
        user = users[wanted["user"]]
        assert ours.user.token == user.get("token", "")
        assert ours.user.username == user.get("username", "")
        assert ours.user.impersonation.user == user.get("as", "")
