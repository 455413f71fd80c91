"""The demo's process: worlds, their API servers, controllers, kubeconfig; until told to end.

Prints the kubeconfig's path as the only line on stdout once everything answers.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from fleettui.demo import controllers
from fleettui.demo.apiserver.authz import demo_access
from fleettui.demo.apiserver.builtins import NAMESPACES
from fleettui.demo.apiserver.certificate import Identity, new_identity
from fleettui.demo.apiserver.faults import Fault
from fleettui.demo.apiserver.seeds import Seeds
from fleettui.demo.apiserver.server import ApiServer
from fleettui.demo.apiserver.store import Store
from fleettui.demo.arguments import Options, parse_arguments
from fleettui.demo.artifacts import serve_artifacts
from fleettui.demo.charts import write_charts
from fleettui.demo.churn import Churn
from fleettui.demo.controllers.churn import Churn as EverydayChurn
from fleettui.demo.controllers.courses import by_name
from fleettui.demo.git import FleetRepository, create_repository, local_sources
from fleettui.demo.kubeconfig import Endpoint, write_kubeconfigs
from fleettui.demo.world import World, build_world
from fleettui.demo.world.era import OldWorld

MAX_REPOSITORY_CLUSTERS = 1000
"""Writing the desired state takes about 4 ms a cluster; servers start after it."""
EVERYDAY_RATE = 50.0
"""Up to so many writes a second are those of real controllers; more are heartbeats, which
cost the servers less."""
_SYSTEM = ("default", "kube-")


def main(arguments: Sequence[str]) -> int:
    """Serve until interrupted; the exit code."""
    options = parse_arguments(arguments)
    folder = Path(tempfile.mkdtemp(prefix="fleettui-demo-"))
    if options.exit_with_parent:
        # The parent draws on the terminal that stderr is.
        logging.basicConfig(filename=folder / "demo.log")
    try:
        asyncio.run(_serve(options, folder))
    except OSError as exc:
        print(f"fleettui demo: {exc.strerror or exc}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


async def _serve(options: Options, folder: Path) -> None:
    ended = asyncio.Event()
    _listen_for_the_end(ended, with_parent=options.exit_with_parent)
    identity = new_identity()
    now = datetime.now(UTC)
    worlds = _worlds(options, now)
    repository = _repository(folder / "git", worlds, now=now, clusters=options.clusters)
    charts = write_charts(folder / "charts")
    (folder / "local-sources.yaml").write_text(local_sources(repository, charts))
    async with AsyncExitStack() as running:
        endpoints, stores = [], []
        for number, world in enumerate(worlds):
            seeds = OldWorld(world) if options.old_api else world
            store = Store(seeds)
            endpoint, server = await _started(number, seeds, store, options, identity)
            serve_artifacts(store, server.backends)
            for fault in world.faults():
                server.faults.add(msgspec.convert(fault, Fault))
            running.push_async_callback(server.stop)
            endpoints.append(endpoint)
            stores.append(store)
        tasks = []
        if not options.old_api:  # the controllers write the storage version of today
            for world, store in zip(worlds, stores, strict=True):
                rests = {key: by_name(found) for key, found in world.at_rest().items()}
                tasks += controllers.start(store, repository=repository, courses=rests)
        if options.churn:
            is_everyday = options.churn <= EVERYDAY_RATE and not options.old_api
            make = EverydayChurn if is_everyday else Churn
            churn = make(stores, rate=options.churn, seed=options.seed)
            tasks.append(asyncio.create_task(churn.run()))
        # The seeds never become garbage: full collections need not look at them.
        gc.collect()
        gc.freeze()
        print(write_kubeconfigs(folder, endpoints), flush=True)
        await ended.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _worlds(options: Options, now: datetime) -> list[World]:
    """The management clusters' contents.

    Raises:
        SystemExit: 2 after one line on stderr: no cluster can have a wanted incident.
    """
    try:
        return [
            build_world(
                number,
                options.contexts,
                clusters=options.clusters,
                seed=options.seed,
                now=now,
                incidents=options.incidents,
            )
            for number in range(options.contexts)
        ]
    except ValueError as exc:
        print(f"fleettui demo: {exc}", file=sys.stderr)
        raise SystemExit(2) from exc


def _repository(
    folder: Path, worlds: Sequence[World], *, now: datetime, clusters: int
) -> FleetRepository | None:
    """The git repository of the desired state; the demo also goes on without one."""
    if clusters > MAX_REPOSITORY_CLUSTERS:
        print(
            f"fleettui demo: no git repository above {MAX_REPOSITORY_CLUSTERS} clusters",
            file=sys.stderr,
        )
        return None
    try:
        return create_repository(folder, worlds, now=now)
    except FileNotFoundError:
        print("fleettui demo: no git on PATH, so no desired state to compare", file=sys.stderr)
    except subprocess.CalledProcessError as exc:
        said = (exc.stderr or b"").decode(errors="replace").strip().splitlines()[-1:]
        print(f"fleettui demo: git failed, so no desired state: {said}", file=sys.stderr)
    return None


async def _started(
    number: int, seeds: Seeds, store: Store, options: Options, identity: Identity
) -> tuple[Endpoint, ApiServer]:
    roles = ("admin", "oncall", "tenant")
    tokens = {role: f"demo-{role}-{secrets.token_urlsafe(18)}" for role in roles}
    access = demo_access(**tokens, tenant_namespaces=_tenant_namespaces(seeds))
    server = ApiServer(
        store,
        access,
        port=options.port_base + number if options.port_base else 0,
        tls=identity.context(),
        link=options.link,
    )
    await server.start()
    name = f"demo-{number + 1}"
    return Endpoint(name, server.url, identity.ca_pem, tuple(tokens.items())), server


def _tenant_namespaces(seeds: Seeds) -> tuple[str, ...]:
    names = [name for _, name in seeds.keys(NAMESPACES)]
    own = [n for n in names if not n.startswith(_SYSTEM) and not n.endswith("-system")]
    return ((own or names or ["default"])[0],)


def _listen_for_the_end(ended: asyncio.Event, *, with_parent: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    if not with_parent:
        return

    parent = os.getppid()

    def read() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            ended.set()

    def look() -> None:
        if os.getppid() != parent:
            ended.set()
        loop.call_later(1, look)

    # A file or /dev/null as stdin cannot be waited for; the parent's end can always be seen.
    with suppress(PermissionError):
        loop.add_reader(0, read)
    look()
