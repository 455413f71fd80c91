"""Flags with values, as fingers used to clusterctl type them."""

import click
import pytest
from click.testing import CliRunner

from fleettui.cli.flags import FlagsWithValues


@click.command(cls=FlagsWithValues)
@click.argument("name")
@click.option("--grouping/--no-grouping", default=True)
@click.option("--echo", is_flag=True)
@click.option("--text", default="")
def shown(name: str, grouping: bool, echo: bool, text: str) -> None:
    """Print what was parsed."""
    click.echo(f"{name} {grouping} {echo} {text}")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["one", "--grouping=false"], "one False False"),
        (["--grouping=true", "--echo=true", "one"], "one True True"),
        (["--echo=false", "one"], "one True False"),
        (["--echo", "one", "--no-grouping"], "one False True"),
        (["one", "--text=false"], "one True False false"),
        (["--", "--echo=true"], "--echo=true True False"),
    ],
)
def test_flag_with_a_value_means_what_it_means_to_clusterctl(words: list[str], told: str) -> None:
    """A command copied from a runbook must work as it stands."""
    result = CliRunner().invoke(shown, words)
    assert result.exit_code == 0, result.output
    assert result.output.strip() == told


def test_flag_with_a_value_that_is_no_boolean_says_so() -> None:
    """A typing mistake must not be taken for yes."""
    result = CliRunner().invoke(shown, ["one", "--echo=maybe"])
    assert result.exit_code == 2
    assert "neither true nor false" in result.output
