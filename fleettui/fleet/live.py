"""Opens live contexts: which ones, in which mode.

A changed current-context in the kubeconfig never moves a running program; changed
credentials do (``rereading``). With ``--all-contexts`` only contexts that serve fleet kinds are
kept, and few plug-ins start at once.
"""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fleettui import processes
from fleettui.audit import Journal
from fleettui.config import Settings, state_folder
from fleettui.errors import UsageError
from fleettui.fleet.acts import Acts
from fleettui.fleet.blocks import map_large_blocks
from fleettui.fleet.context import ContextInfo, ContextState, Link
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.front import FrontPage, saved_rows
from fleettui.fleet.hands import Hands
from fleettui.fleet.live_link import LiveLink, LiveOptions
from fleettui.fleet.pacer import Pacer
from fleettui.fleet.reading import Crowd
from fleettui.fleet.rereading import KubeconfigWatch
from fleettui.fleet.shelf import PlanShelf
from fleettui.fleet.warm import WarmContext
from fleettui.fleet.writing import RereadingObserver, SystemClock
from fleettui.kinds import KindTable
from fleettui.kinds.record import ObjectRef
from fleettui.kube.context import KubeContext, Surroundings, open_context
from fleettui.kube.gate import Policy
from fleettui.kube.kubeconfig import ContextEntry, Kubeconfig, load_kubeconfig
from fleettui.kube.plugins import few_at_once
from fleettui.kube.rhythm import Rhythm
from fleettui.recorded.shards import ShardFolder, folder_name

if TYPE_CHECKING:
    from fleettui.fleet.opening import Opening

PLUGINS_AT_ONCE = 4
"""Credential programs that run at the same time; each may open a page to sign in."""


def open_live(opening: "Opening", table: KindTable, *, read_only: bool) -> Fleet:
    """A fleet of the contexts asked for.

    Raises:
        UsageError: no kubeconfig, no such context, or it cannot be used.
    """
    map_large_blocks()

    def load() -> Kubeconfig:
        return load_kubeconfig(os.environ, home=Path.home(), explicit=opening.kubeconfig)

    kubeconfig, pacer = load(), Pacer()
    watch = KubeconfigWatch(kubeconfig, load)
    run = few_at_once(processes.run_async, PLUGINS_AT_ONCE)
    around = Surroundings(dict(os.environ), run, rhythm=Rhythm(pause=pacer.turn))
    crowd = Crowd()

    def link_of(entry: ContextEntry, *, is_first: bool = True) -> Link:
        return _link(
            entry,
            opening,
            table,
            read_only=read_only,
            around=around,
            pacer=pacer,
            is_first=is_first,
            crowd=crowd,
        )

    def opened(name: str) -> Link:
        return link_of(watch.entry(name), is_first=not fleet.index.coverage.scopes(name))

    entries = _entries(kubeconfig, opening)
    fleet = Fleet(
        table,
        [link_of(watch.entry(entry.name)) for entry in entries],
        read_only=read_only,
        opener=opened,
        available=tuple(kubeconfig.contexts),
        pacer=pacer,
    )
    FrontPage(opening).keep({entry.name: _folder_of(entry) for entry in entries})
    if opening.all_contexts:
        fleet.unusable = tuple(_unusable(kubeconfig))
    if opening.on_screen:
        fleet.beside = lambda of: watch.run(of.reopening)
    fleet.links.crash_folder = state_folder() / "crashes"
    if not read_only:
        fleet.acts = _acts(fleet, opening.settings)
    return fleet


def _acts(fleet: Fleet, settings: Settings) -> Acts:
    """What changes objects of this fleet; contexts that are read-only give no writer."""

    def context_of(name: str) -> KubeContext | None:
        link = fleet.link_called(name)
        return link.context if isinstance(link, LiveLink) else None

    def version_of(ref: ObjectRef) -> str | None:
        row = fleet.index.get(ref)
        return row.resource_version if row is not None else None

    hands, clock = Hands(context_of), SystemClock()
    return Acts(
        hands,
        spec_of=fleet.table.spec_for,
        journal=Journal(state_folder()),
        shelf=PlanShelf(state_folder() / "plans"),
        settings=settings,
        clock=clock,
        observer=RereadingObserver(hands, clock, version_of=version_of),
    )


def _entries(kubeconfig: Kubeconfig, opening: "Opening") -> Sequence[ContextEntry]:
    if not kubeconfig.contexts:
        problem = kubeconfig.problems[0] if kubeconfig.problems else None
        raise UsageError(
            problem.message if problem else "the kubeconfig holds no contexts",
            where=problem.where if problem else str(opening.kubeconfig or ""),
            hint=(problem.hint if problem else "")
            or "set KUBECONFIG, give --kubeconfig FILE, or try: fleettui demo",
        )
    if opening.all_contexts:
        usable = [entry for entry in kubeconfig.contexts.values() if entry.problem is None]
        if not usable:
            kubeconfig.context(next(iter(kubeconfig.contexts)))
        return usable
    if opening.contexts:
        return [kubeconfig.context(name) for name in dict.fromkeys(opening.contexts)]
    return [kubeconfig.context()]


def _unusable(kubeconfig: Kubeconfig) -> Iterator[ContextInfo]:
    for entry in kubeconfig.contexts.values():
        if entry.problem is not None:
            yield ContextInfo(
                entry.name,
                server=entry.cluster.server,
                state=ContextState.CLOSED,
                error=entry.problem.message,
                hint=entry.problem.hint or f"repair {entry.problem.where}",
            )


def _link(
    entry: ContextEntry,
    opening: "Opening",
    table: KindTable,
    *,
    read_only: bool,
    around: Surroundings,
    pacer: Pacer,
    is_first: bool,
    crowd: Crowd,
) -> LiveLink:
    settings = opening.settings.for_context(entry.name)
    is_read_only = read_only or settings.read_only
    policy = Policy(writes=not is_read_only)

    async def opened() -> KubeContext:
        return await open_context(entry, policy=policy, around=around)

    base = ContextInfo(
        name=entry.name,
        server=entry.cluster.server,
        read_only=is_read_only,
        origin=f"user {entry.user.name} of {entry.user.file}" if entry.user else "",
        impersonating=bool(entry.user and entry.user.impersonation),
        insecure=entry.cluster.insecure,
        namespace=opening.namespace,
        banner=settings.banner,
        colour=settings.colour,
    )
    options = LiveOptions(
        namespace=opening.namespace,
        depth=_depth(opening, settings.depth),
        asked=opening.asked,
        read_only=is_read_only,
        settings=settings,
        only_fleets=opening.all_contexts,
        crowd=crowd,
    )
    return LiveLink(
        base,
        opened,
        table=table,
        options=options,
        clock=time.time,
        # What the disk holds is older than rows that are there already.
        warm=_warm(entry, opening, table) if is_first else None,
        turn=pacer.turn,
    )


def _depth(opening: "Opening", of_context: str) -> str:
    """What words print must not depend on a link's mood: they read everything."""
    depth = opening.depth or of_context or "auto"
    return "full" if depth == "auto" and not opening.on_screen else depth


def _warm(entry: ContextEntry, opening: "Opening", table: KindTable) -> WarmContext | None:
    if not (opening.on_screen and opening.cache):
        return None
    folder = ShardFolder(saved_rows(_folder_of(entry)))
    return WarmContext(folder, context=entry.name, table=table, clock=time.time)


def _folder_of(entry: ContextEntry) -> str:
    """The name of the folder of what is saved of a context."""
    cluster, user = entry.cluster, entry.user
    return folder_name(
        cluster.server,
        hashlib.sha256(cluster.ca.data).hexdigest(),
        str(cluster.ca.file or ""),
        entry.name,
        user.name if user else "",
    )
