"""Names of namespaces are checked before anything is asked of a server."""

import pytest

from fleettui.errors import UsageError
from fleettui.namespaces import namespace_named


@pytest.mark.parametrize("name", ["", "a", "team-1", "0x", "a" * 63])
def test_namespace_that_can_exist_is_taken(name: str) -> None:
    """A strict check that refuses a real namespace would lock a team out."""
    assert namespace_named(name, where="-n") == name


@pytest.mark.parametrize("name", ["Team", "a_b", "-a", "a-", "a/b", "a" * 64, "ä", "a\n"])
def test_namespace_that_cannot_exist_is_one_clear_line(name: str) -> None:
    """A typing mistake would look like a hundred kinds that are broken."""
    with pytest.raises(UsageError, match="no namespace can be called") as refused:
        namespace_named(name, where="--namespace")
    assert "--namespace" in str(refused.value)
