"""When certificates end, read from the PEM that objects carry.

Knows as much of DER as leads to the validity of an X.509 certificate, and no
cryptography: nothing is verified. Source: RFC 5280 section 4.1 (Certificate,
TBSCertificate, Validity); ITU-T X.690.
"""

import base64
import binascii
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

MOST: Final = 16
"""Certificates looked at in one bundle."""
_PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----"
)
_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED = 0x30, 0xA0, 0x17, 0x18
_BEFORE_VALIDITY: Final = 3
"""Fields between version and validity: serial number, signature, issuer."""


@lru_cache(maxsize=256)
def last_end(bundle: str) -> int:
    """When the last certificate of a base64 PEM bundle ends, Unix seconds; 0 if none is read.

    A bundle trusts whoever shows any of its certificates, so the last to end decides.
    """
    try:
        pem = base64.b64decode("".join(bundle.split()))
    except (binascii.Error, ValueError):
        return 0
    ends = []
    for found in list(_PEM.finditer(pem))[:MOST]:
        try:
            ends.append(_end_of(base64.b64decode(found[1])))
        except (binascii.Error, ValueError, IndexError):
            continue  # one that cannot be read says nothing of the others
    return max(ends, default=0)


def _end_of(der: bytes) -> int:
    """Raises ValueError or IndexError when it is no certificate."""
    _, certificate, _ = _field(der, _SEQUENCE)
    _, rest, _ = _field(certificate, _SEQUENCE)
    if rest[0] == _VERSION:
        _, _, rest = _field(rest)
    for _ in range(_BEFORE_VALIDITY):
        _, _, rest = _field(rest)
    _, validity, _ = _field(rest, _SEQUENCE)
    _, _, after = _field(validity)
    tag, text, _ = _field(after)
    return _moment(tag, text.decode("ascii"))


def _field(data: bytes, wanted: int | None = None) -> tuple[int, bytes, bytes]:
    """Tag and content of the first field, and what follows it."""
    tag, length, start = data[0], data[1], 2
    if wanted is not None and tag != wanted:
        raise ValueError("another field was expected")
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    if start + length > len(data):
        raise ValueError("cut off")
    return tag, data[start : start + length], data[start + length :]


def _moment(tag: int, text: str) -> int:
    if tag not in (_UTC_TIME, _GENERALIZED):
        raise ValueError("no time")
    form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())
