"""Flags as the tools of this field take them: ``--grouping=false`` beside ``--no-grouping``.

Knows boolean options and nothing else. Source: pflag, which kubectl, flux and clusterctl
parse with; a boolean there takes a value after ``=`` only.
"""

from collections.abc import Iterable, Iterator

import click

_TRUE = frozenset({"1", "t", "T", "true", "True", "TRUE"})
_FALSE = frozenset({"0", "f", "F", "false", "False", "FALSE"})


class FlagsWithValues(click.Command):
    """A command whose boolean options may be given a value after ``=``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with values of flags turned into flags first.

        Raises:
            click.BadParameter: the value is no boolean.
        """
        return super().parse_args(ctx, list(self._plain(args, ctx)))

    def _plain(self, args: Iterable[str], ctx: click.Context) -> Iterator[str]:
        flags = {
            name: option
            for option in self.params
            if isinstance(option, click.Option) and option.is_bool_flag
            for name in option.opts
        }
        words = iter(args)
        for word in words:
            if word == "--":
                yield word
                break
            name, sign, value = word.partition("=")
            option = flags.get(name)
            if option is None or not sign:
                yield word
            elif value in _TRUE:
                yield name
            elif value not in _FALSE:
                raise click.BadParameter(f"{value!r} is neither true nor false", ctx, option)
            elif option.secondary_opts:
                yield option.secondary_opts[0]
        yield from words
