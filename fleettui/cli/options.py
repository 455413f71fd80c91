"""Options that many commands share, and what they add up to."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fleettui.namespaces import namespace_named

if TYPE_CHECKING:
    from fleettui.fleet.opening import Opening

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Asked:
    """Shared options as they were given; later ones add to earlier ones."""

    kubeconfig: Path | None = None
    contexts: tuple[str, ...] = ()
    all_contexts: bool = False
    namespace: str = ""
    read_only: bool = False
    sources: tuple[Path, ...] = ()
    depth: str = ""
    no_cache: bool = False
    config: Path | None = None

    def merged(self, other: "Asked") -> "Asked":
        """These options, with those given after the subcommand on top."""
        return replace(
            self,
            kubeconfig=other.kubeconfig or self.kubeconfig,
            contexts=(*self.contexts, *other.contexts),
            all_contexts=self.all_contexts or other.all_contexts,
            namespace=other.namespace or self.namespace,
            read_only=self.read_only or other.read_only,
            sources=(*self.sources, *other.sources),
            depth=other.depth or self.depth,
            no_cache=self.no_cache or other.no_cache,
            config=other.config or self.config,
        )

    def opening(self) -> "Opening":
        """What to open; imports what opens.

        Raises:
            UsageError: the settings file or the namespace is wrong.
        """
        from fleettui.config import load_settings
        from fleettui.fleet.opening import Opening

        return Opening(
            kubeconfig=self.kubeconfig,
            contexts=self.contexts,
            all_contexts=self.all_contexts,
            namespace=namespace_named(self.namespace, where="--namespace"),
            read_only=self.read_only,
            sources=self.sources,
            depth=self.depth,
            cache=not self.no_cache,
            settings=load_settings(self.config),
        )


_OPTIONS = (
    click.option(
        "--kubeconfig",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Kubeconfig file instead of KUBECONFIG or ~/.kube/config.",
    ),
    click.option(
        "--context", "contexts", multiple=True, metavar="NAME", help="Context to open; repeatable."
    ),
    click.option("--all-contexts", is_flag=True, help="Open every context with fleet kinds."),
    click.option("-n", "--namespace", default="", metavar="NAME", help="Only this namespace."),
    click.option("--read-only", is_flag=True, help="Make every change impossible."),
    click.option(
        "--from",
        "sources",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Recorded objects instead of a live context; repeatable.",
    ),
    click.option(
        "--depth",
        type=click.Choice(["auto", "spine", "full"]),
        default=None,
        help="How much to read: everything that fits, the spine, or all.",
    ),
    click.option(
        "--no-cache",
        is_flag=True,
        help="Neither show nor keep what was known last time (screen only).",
    ),
    click.option(
        "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings file."
    ),
)


def fleet_options(function: _F) -> _F:
    """Adds the shared options; the function takes them as one ``asked`` argument."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        given = {name: kwargs.pop(name) for name in Asked.__dataclass_fields__}
        given["depth"] = given["depth"] or ""
        asked = Asked(**given)
        ctx = click.get_current_context()
        if isinstance(ctx.obj, Asked):
            asked = ctx.obj.merged(asked)
        return function(*args, asked=asked, **kwargs)

    decorated: Any = wrapper
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    result: _F = decorated
    return result
