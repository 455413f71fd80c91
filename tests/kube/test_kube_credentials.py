"""Tokens, files and plug-ins: fetched when needed, renewed when rejected, never leaked."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleettui import processes
from fleettui.errors import ConnectError
from fleettui.kube.credentials import Credentials, RotatedFile, impersonation_headers
from fleettui.kube.kubeconfig_entries import (
    EXEC_VERSIONS,
    ClusterEntry,
    ExecPlugin,
    Impersonation,
    Interactive,
    Material,
    UserEntry,
)
from fleettui.kube.plugins import PluginSession, few_at_once, find_command

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE = Path("config")
CLUSTER = ClusterEntry("c", HERE, server="https://example.test:6443")


def credentials(user: UserEntry, *, clock: Callable[[], datetime] = lambda: NOW) -> Credentials:
    """The identity of a user at the usual cluster."""
    environment = {"PATH": os.environ["PATH"]}
    return Credentials(user, CLUSTER, run=processes.run_async, environment=environment, clock=clock)


def script(folder: Path, body: str, *, name: str = "plugin") -> Path:
    """A plug-in in Python; ``say(**status)`` prints a credential, ``runs()`` counts."""
    path = folder / name
    path.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys, time\n"
        f"FOLDER = {str(folder)!r}\n"
        "INFO = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "def runs():\n"
        "    with open(FOLDER + '/runs', 'a') as f: f.write('x')\n"
        "    return os.path.getsize(FOLDER + '/runs')\n"
        "def say(**status):\n"
        "    print(json.dumps({'apiVersion': INFO['apiVersion'], 'kind': 'ExecCredential',"
        " 'status': status}))\n"
        f"{body}\n"
    )
    path.chmod(0o755)
    return path


def user_of(path: Path | str, *, api_version: str = EXEC_VERSIONS[0], **more: object) -> UserEntry:
    """A user whose credentials come from a program."""
    plugin = ExecPlugin(api_version, str(path), **more)  # type: ignore[arg-type]  # test values
    return UserEntry("u", HERE, plugin=plugin)


def runs(folder: Path) -> int:
    """How often the script ran."""
    path = folder / "runs"
    return path.stat().st_size if path.exists() else 0


async def test_token_and_basic_become_headers() -> None:
    """The two oldest ways to sign in."""
    token = await credentials(UserEntry("u", HERE, token=" abc\n")).present()
    assert token.authorization == "Bearer abc"
    basic = await credentials(UserEntry("u", HERE, username="a", password="b:c")).present()
    assert basic.authorization == "Basic " + base64.b64encode(b"a:b:c").decode()
    assert (await credentials(UserEntry("u", HERE)).present()).authorization == ""
    assert "abc" not in repr(token)


async def test_token_file_is_trimmed_rotated_and_kept_when_it_vanishes(tmp_path: Path) -> None:
    """Projected tokens end in a line feed, change every hour, and vanish for a moment."""
    path = tmp_path / "token"
    path.write_text("one\n")
    identity = credentials(UserEntry("u", HERE, token_file=path))
    first = await identity.present()
    assert first.authorization == "Bearer one"
    path.write_text("second\n")
    assert (await identity.present()).authorization == "Bearer one"
    assert await identity.renew(first)
    assert (await identity.present()).authorization == "Bearer second"
    path.unlink()
    last = await identity.present()
    assert not await identity.renew(last)
    assert (await identity.present()).authorization == "Bearer second"


async def test_token_file_that_never_was_is_named(tmp_path: Path) -> None:
    """Sending no token instead would look like missing rights."""
    with pytest.raises(ConnectError) as caught:
        await credentials(UserEntry("u", HERE, token_file=tmp_path / "no")).present()
    assert str(tmp_path / "no") in str(caught.value)


def test_rotated_file_is_looked_at_once_a_minute(tmp_path: Path) -> None:
    """Reading a file for every request of forty watches would be waste."""
    path = tmp_path / "f"
    path.write_text("1")
    file = RotatedFile(path, what="file")
    assert file.read(0.0) == b"1"
    path.write_text("22")
    assert file.read(59.0) == b"1"
    assert file.read(61.0) == b"22"


async def test_client_certificate_files_are_presented(tmp_path: Path) -> None:
    """kubeadm's admin.conf is still the most common kubeconfig."""
    (tmp_path / "c").write_text("CERT")
    (tmp_path / "k").write_text("KEY")
    user = UserEntry(
        "u", HERE, certificate=Material(file=tmp_path / "c"), key=Material(data=b"INLINE")
    )
    trust = (await credentials(user).present()).trust
    assert (trust.certificate, trust.key) == (b"CERT", b"INLINE")
    assert "INLINE" not in repr(trust)


async def test_plugin_token_and_certificate_are_both_used(tmp_path: Path) -> None:
    """Some clouds send both; dropping one is a puzzling 401."""
    body = "runs(); say(token='tok', clientCertificateData='C', clientKeyData='K')"
    presented = await credentials(user_of(script(tmp_path, body))).present()
    assert presented.authorization == "Bearer tok"
    assert (presented.trust.certificate, presented.trust.key) == (b"C", b"K")


@pytest.mark.parametrize("api_version", EXEC_VERSIONS)
async def test_plugin_is_told_version_cluster_and_that_nobody_listens(
    tmp_path: Path, api_version: str
) -> None:
    """Plug-ins choose audience and endpoint by what they are told, and may want to ask."""
    body = "say(token=json.dumps([INFO, sys.stdin.read(), os.environ.get('K'), sys.argv[1:]]))"
    cluster = ClusterEntry(
        "c",
        HERE,
        server="https://example.test",
        ca=Material(data=b"PEM"),
        tls_server_name="inner",
        exec_config={"audience": "z"},
    )
    user = user_of(
        script(tmp_path, body),
        api_version=api_version,
        provide_cluster_info=True,
        env=(("K", "V"),),
        args=("a b", "c"),
    )
    identity = Credentials(user, cluster, run=processes.run_async, environment={})
    told, stdin, variable, args = json.loads((await identity.present()).authorization[7:])
    assert told["apiVersion"] == api_version
    assert told["spec"] == {
        "interactive": False,
        "cluster": {
            "server": "https://example.test",
            "tls-server-name": "inner",
            "certificate-authority-data": base64.b64encode(b"PEM").decode(),
            "config": {"audience": "z"},
        },
    }
    assert (stdin, variable, args) == ("", "V", ["a b", "c"])


async def test_plugin_without_cluster_info_is_not_told_the_server(tmp_path: Path) -> None:
    """What was not asked for is not given to a program."""
    body = "say(token=json.dumps(INFO['spec']))"
    presented = await credentials(user_of(script(tmp_path, body))).present()
    assert json.loads(presented.authorization[7:]) == {"interactive": False}


async def test_plugin_runs_once_for_forty_that_wait(tmp_path: Path) -> None:
    """Forty watches must not open forty sign-in pages."""
    identity = credentials(user_of(script(tmp_path, "runs(); time.sleep(0.2); say(token='t')")))
    found = await asyncio.gather(*(identity.present() for _ in range(40)))
    assert {presented.authorization for presented in found} == {"Bearer t"}
    assert runs(tmp_path) == identity.plugin_runs == 1


async def test_plugins_of_many_contexts_run_few_at_a_time(tmp_path: Path) -> None:
    """``--all-contexts`` with a dozen sign-in programs must not start a dozen at once."""
    plugin = script(
        tmp_path,
        "mine = FOLDER + f'/running-{os.getpid()}'\n"
        "open(mine, 'w').close()\n"
        "def count(): return sum(name.startswith('running-') for name in os.listdir(FOLDER))\n"
        "now, until = count(), time.time() + 60\n"
        "while now < 2 and not os.path.exists(FOLDER + '/met') and time.time() < until:\n"
        "    time.sleep(0.01)\n"
        "    now = count()\n"
        "if now > 1: open(FOLDER + '/met', 'w').close()\n"
        "with open(FOLDER + '/seen', 'a') as f: f.write(f'{now} ')\n"
        "time.sleep(0.1)\n"
        "os.remove(mine)\n"
        "say(token='t')",
    )
    run = few_at_once(processes.run_async, 3)
    environment = {"PATH": os.environ["PATH"]}
    many = [
        Credentials(user_of(plugin), CLUSTER, run=run, environment=environment, clock=lambda: NOW)
        for _ in range(12)
    ]
    presented = await asyncio.gather(*(each.present() for each in many))
    assert {each.authorization for each in presented} == {"Bearer t"}
    seen = [int(count) for count in (tmp_path / "seen").read_text().split()]
    assert len(seen) == 12
    assert 1 < max(seen) <= 3


async def test_plugin_credential_is_renewed_shortly_before_it_expires(tmp_path: Path) -> None:
    """A token that dies on the way is a needless 401."""
    moment = [NOW]
    expires = (NOW + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    body = f"n = runs(); say(token=f't{{n}}', expirationTimestamp='{expires}')"
    identity = credentials(user_of(script(tmp_path, body)), clock=lambda: moment[0])
    assert (await identity.present()).authorization == "Bearer t1"
    moment[0] = NOW + timedelta(minutes=59)
    assert (await identity.present()).authorization == "Bearer t1"
    moment[0] = NOW + timedelta(minutes=59, seconds=31)
    assert (await identity.present()).authorization == "Bearer t2"


async def test_plugin_is_run_again_after_a_rejection_but_not_in_a_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that rejects everything must not start a browser every second."""
    identity = credentials(user_of(script(tmp_path, "n = runs(); say(token=f't{n}')")))
    first = await identity.present()
    assert not await identity.renew(first)
    monkeypatch.setattr(PluginSession, "least_pause_s", 0.0)
    assert await identity.renew(first)
    second = await identity.present()
    assert second.authorization == "Bearer t2"
    assert await identity.renew(first)
    assert (await identity.present()).authorization == "Bearer t2"


async def test_plugin_failure_is_remembered_for_a_while(tmp_path: Path) -> None:
    """Forty kinds that retry must not start a failing program forty times."""
    identity = credentials(user_of(script(tmp_path, "runs(); sys.exit('not signed in')")))
    for _ in range(3):
        with pytest.raises(ConnectError) as caught:
            await identity.present()
        assert "not signed in" in str(caught.value)
    assert runs(tmp_path) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("print('garbage with SECRET')", "printed no ExecCredential"),
        ("print('')", "printed no ExecCredential"),
        (
            "print(json.dumps({'kind': 'ExecCredential', 'apiVersion': 'x/v9'}))",
            "ExecCredential of",
        ),
        ("say()", "neither a token nor a certificate"),
        ("say(clientCertificateData='x')", "without its key"),
        ("say(token='a\\nb')", "control characters"),
        ("sys.stderr.write('\\x1b]52;c;eA==\\x07bad'); sys.exit(3)", "failed with code 3: ␛]52"),
        ("sys.stderr.write('x' * 200_000); sys.exit(1)", "failed with code 1"),
    ],
)
async def test_plugin_that_prints_nonsense_is_one_clear_line(
    tmp_path: Path, body: str, words: str
) -> None:
    """What a program prints may be a secret or steer the terminal: neither may show."""
    with pytest.raises(ConnectError) as caught:
        await credentials(user_of(script(tmp_path, body))).present()
    assert words in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


async def test_plugin_that_chatters_on_both_outputs_still_signs_in(tmp_path: Path) -> None:
    """Progress messages on stderr are common and must not block or fail."""
    body = "sys.stderr.write('w' * 200_000); say(token='t', x='y' * 200_000)"
    presented = await credentials(user_of(script(tmp_path, body))).present()
    assert presented.authorization == "Bearer t"


async def test_plugin_not_installed_shows_its_hint(tmp_path: Path) -> None:
    """The hint is the one thing that helps."""
    user = user_of("no-such-plugin-x", install_hint="run:\n  brew install x")
    with pytest.raises(ConnectError) as caught:
        await credentials(user).present()
    assert "no-such-plugin-x is not installed" in str(caught.value)
    assert caught.value.hint == "run: brew install x"


async def test_plugin_that_needs_a_terminal_is_not_run(tmp_path: Path) -> None:
    """It would eat the keys meant for the program."""
    user = user_of(script(tmp_path, "runs(); say(token='t')"), interactive=Interactive.ALWAYS)
    with pytest.raises(ConnectError) as caught:
        await credentials(user).present()
    assert "terminal" in str(caught.value)
    assert runs(tmp_path) == 0


def test_plugin_is_never_taken_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in a cloned repository must not run because somebody stands in it."""
    decoy = script(tmp_path, "say(token='stolen')", name="decoy")
    monkeypatch.chdir(tmp_path)
    assert find_command("decoy", {"PATH": ":.:bin"}) is None
    assert find_command("./decoy", {}) is None
    assert find_command("decoy", {"PATH": str(tmp_path)}) == decoy


async def test_plugin_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign-in nobody answers must not hold a context for ever."""
    monkeypatch.setattr("fleettui.kube.plugins.PLUGIN_LIMITS", processes.Limits(timeout_s=0.3))
    with pytest.raises(ConnectError) as caught:
        await credentials(user_of(script(tmp_path, "time.sleep(999)"))).present()
    assert "took longer than 0.3 s" in str(caught.value)


def test_impersonation_headers_repeat_groups_and_escape_keys() -> None:
    """Acting as oneself instead of as the restricted user is the worst surprise."""
    headers = impersonation_headers(
        Impersonation("jane", "42", ("a", "b"), {"Scopes/X": ("one", "two")})
    )
    assert headers == (
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "42"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-scopes%2Fx", "one"),
        ("Impersonate-Extra-scopes%2Fx", "two"),
    )
    assert impersonation_headers(Impersonation()) == ()
