"""Digests of what is only known once its holes are filled, as holes of their own.

A release records the digest of its values, and those name the cluster: a digest of the
values with holes would be that of no release. The hole carries what it is the digest of.

Source: fluxcd/pkg chartutil ``DigestValues`` (YAML with sorted keys; nothing for no values).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import msgspec
import yaml

from fleettui.demo.world.templates import Template, Values

FILLED = "filled0x"
"""How the names of such holes begin."""


def digest_of_filled(values: Mapping[str, object]) -> str:
    """The hole that the digest of these values of a release takes."""
    return f"${{{FILLED}{msgspec.json.encode(values).hex()}}}"


def filled_digest(name: str, holes: Values) -> str:
    """What fills such a hole.

    Args:
        name: of the hole.
        holes: fill the values themselves.
    """
    text = Template(bytes.fromhex(name.removeprefix(FILLED))).fill(holes)
    values = msgspec.json.decode(text)
    written = yaml.safe_dump(values, sort_keys=True) if values else ""
    return f"sha256:{sha256(written.encode()).hexdigest()}"
