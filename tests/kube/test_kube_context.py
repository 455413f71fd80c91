"""Opening a context: what is refused before anything is connected or run."""

from pathlib import Path

import pytest
from kube_server import kube_server, write_kubeconfig

from fleettui.errors import ConnectError, FleettuiError, RefusedError, UsageError
from fleettui.kinds.record import ObjectKey
from fleettui.kube.context import Surroundings, open_context
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.gate import Policy
from fleettui.kube.kubeconfig import ContextEntry, load_kubeconfig


def entry_of(folder: Path, server: str, *user: str, cluster: tuple[str, ...] = ()) -> ContextEntry:
    """The one context of a kubeconfig."""
    path = write_kubeconfig(folder / "config", server, user=user, cluster=cluster)
    return load_kubeconfig({}, home=folder, explicit=path).contexts["here"]


async def opened_error(entry: ContextEntry, around: Surroundings | None = None) -> FleettuiError:
    """The error that opening ends with."""
    with pytest.raises(FleettuiError) as caught:
        await open_context(entry, policy=Policy(), around=around or Surroundings())
    return caught.value


async def test_open_broken_context_tells_its_place(tmp_path: Path) -> None:
    """A mistake in the file is told with its line, before anything is connected."""
    error = await opened_error(entry_of(tmp_path, "nonsense", "token: t"))
    assert isinstance(error, UsageError)
    assert f"{tmp_path / 'config'}:" in str(error)


async def test_open_unsupported_proxy_is_told(tmp_path: Path) -> None:
    """A SOCKS proxy spoken to as an HTTP one would only hang."""
    socks = ("proxy-url: socks5://127.0.0.1:1",)
    error = await opened_error(entry_of(tmp_path, "https://x.test", "token: t", cluster=socks))
    assert "socks5" in str(error)


async def test_open_refused_plugin_is_never_run(tmp_path: Path) -> None:
    """A kubeconfig is code: a program nobody allowed must not start."""
    plugin = (
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/false, "
        "interactiveMode: Never}"
    )
    around = Surroundings(plugin_refusal=lambda plugin: f"{plugin.command} is not on the list")
    error = await opened_error(entry_of(tmp_path, "https://x.test", plugin), around)
    assert isinstance(error, RefusedError)
    assert "/bin/false is not on the list" in str(error)


async def test_context_that_cannot_be_reached_says_so_and_closes(tmp_path: Path) -> None:
    """The first screen must be calm when the VPN is off."""
    entry = entry_of(tmp_path, "http://127.0.0.1:1", "token: t")
    context = await open_context(entry, policy=Policy(), around=Surroundings())
    with pytest.raises(ConnectError):
        await context.connect()
    context.start()
    await context.close()


async def test_context_kind_that_is_not_served_is_told_apart_from_a_missing_object(
    tmp_path: Path,
) -> None:
    """`not installed` and `deleted` need different answers from a person."""
    async with kube_server() as server:
        entry = entry_of(tmp_path, server.url, "token: t")
        context = await open_context(entry, policy=Policy(), around=Surroundings())
        with pytest.raises(ApiError) as caught:
            await context.body(ObjectKey("x.test", "Thing", "", "a"))
        await context.close()
    assert caught.value.fault is Fault.NOT_SERVED
