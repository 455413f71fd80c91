"""Compares resourceVersions where that is allowed."""


def version_number(resource_version: str) -> int | None:
    """A resourceVersion as a number, None if it does not look like one.

    Versions are opaque to clients; since Kubernetes 1.35 those of one kind may be
    compared when they are decimal (KEP-5504).
    """
    if resource_version.isascii() and resource_version.isdigit():
        return int(resource_version)
    return None


def is_older(one: str, other: str) -> bool:
    """Whether a version is known to be older than another."""
    left, right = version_number(one), version_number(other)
    return left is not None and right is not None and left < right
