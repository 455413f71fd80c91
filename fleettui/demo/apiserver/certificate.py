"""A throw-away certificate authority and one server certificate for the loopback address.

kubectl sends credentials over TLS only, so the demo needs a certificate; keys live as long as
the process. Knows ECDSA on P-256 and just enough DER. Not meant for anything but a demo: the
arithmetic is not constant-time.
Source: SEC 1, FIPS 186-4 (P-256), RFC 5280 (profiles), RFC 5915 (private key).
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import os
import secrets
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int] | None

_EC_KEY = "1.2.840.10045.2.1"
_P256 = "1.2.840.10045.3.1.7"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_VALID = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a server shows and what its clients check it with."""

    ca_pem: bytes
    """Certificate of the authority, for kubeconfigs."""
    certificate_pem: bytes
    key_pem: bytes

    def context(self) -> ssl.SSLContext:
        """A server-side TLS context; the key touches the disk only while it is loaded."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        handle, name = tempfile.mkstemp(prefix="fleettui-demo-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.certificate_pem + self.key_pem)
            made.load_cert_chain(name)
        finally:
            Path(name).unlink()
        return made


def new_identity(addresses: tuple[str, ...] = ("127.0.0.1", "::1")) -> Identity:
    """A fresh authority and a certificate for these addresses and `localhost`."""
    now = datetime.now(UTC)
    ca_key, key = _new_key(), _new_key()
    ca_public, public = _public(ca_key), _public(key)
    ca = _certificate(
        subject="fleettui demo authority",
        issuer="fleettui demo authority",
        public=ca_public,
        extensions=_ca_extensions(ca_public),
        signer=ca_key,
        now=now,
    )
    leaf = _certificate(
        subject="fleettui demo",
        issuer="fleettui demo authority",
        public=public,
        extensions=_leaf_extensions(public, ca_public, addresses),
        signer=ca_key,
        now=now,
    )
    return Identity(
        ca_pem=_pem("CERTIFICATE", ca),
        certificate_pem=_pem("CERTIFICATE", leaf),
        key_pem=_pem("EC PRIVATE KEY", _private_key(key, public)),
    )


def _add(one: _Point, other: _Point) -> _Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % _P == 0:
        return None
    if one == other:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, _P)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _P)
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P


def _times(scalar: int, point: _Point) -> tuple[int, int]:
    total: _Point = None
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    assert total is not None
    return total


def _new_key() -> int:
    return secrets.randbelow(_N - 1) + 1


def _public(key: int) -> bytes:
    x, y = _times(key, _G)
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def _signed(message: bytes, key: int) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    while True:
        nonce = _new_key()
        r = _times(nonce, _G)[0] % _N
        s = pow(nonce, -1, _N) * (digest + r * key) % _N
        if r and s:
            return _sequence(_integer(r), _integer(s))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _tlv(0x30, b"".join(parts))


def _integer(value: int) -> bytes:
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(text: str) -> bytes:
    first, second, *rest = (int(part) for part in text.split("."))
    out = bytes((first * 40 + second,))
    for part in rest:
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.insert(0, 0x80 | part & 0x7F)
        out += bytes(groups)
    return _tlv(0x06, out)


def _bits(content: bytes, unused: int = 0) -> bytes:
    return _tlv(0x03, bytes((unused,)) + content)


def _name(common_name: str) -> bytes:
    pair = _sequence(_oid("2.5.4.3"), _tlv(0x0C, common_name.encode()))
    return _sequence(_tlv(0x31, pair))


def _time(moment: datetime) -> bytes:
    return _tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def _extension(oid: str, content: bytes, *, critical: bool = False) -> bytes:
    flag = _tlv(0x01, b"\xff") if critical else b""
    return _sequence(_oid(oid), flag, _tlv(0x04, content))


def _key_id(public: bytes) -> bytes:
    return hashlib.sha256(public).digest()[:20]


def _ca_extensions(public: bytes) -> bytes:
    return _sequence(
        _extension("2.5.29.19", _sequence(_tlv(0x01, b"\xff")), critical=True),
        _extension("2.5.29.15", _bits(b"\x06", 1), critical=True),
        _extension("2.5.29.14", _tlv(0x04, _key_id(public))),
    )


def _leaf_extensions(public: bytes, ca_public: bytes, addresses: tuple[str, ...]) -> bytes:
    names = _tlv(0x82, b"localhost")
    names += b"".join(_tlv(0x87, ipaddress.ip_address(text).packed) for text in addresses)
    return _sequence(
        _extension("2.5.29.19", _sequence(), critical=True),
        _extension("2.5.29.15", _bits(b"\x80", 7), critical=True),
        _extension("2.5.29.37", _sequence(_oid("1.3.6.1.5.5.7.3.1"))),
        _extension("2.5.29.14", _tlv(0x04, _key_id(public))),
        _extension("2.5.29.35", _sequence(_tlv(0x80, _key_id(ca_public)))),
        _extension("2.5.29.17", _tlv(0x30, names)),
    )


def _certificate(
    *, subject: str, issuer: str, public: bytes, extensions: bytes, signer: int, now: datetime
) -> bytes:
    algorithm = _sequence(_oid(_ECDSA_SHA256))
    body = _sequence(
        _tlv(0xA0, _integer(2)),
        _integer(secrets.randbits(120)),
        algorithm,
        _name(issuer),
        _sequence(_time(now - timedelta(hours=1)), _time(now + _VALID)),
        _name(subject),
        _sequence(_sequence(_oid(_EC_KEY), _oid(_P256)), _bits(public)),
        _tlv(0xA3, extensions),
    )
    return _sequence(body, algorithm, _bits(_signed(body, signer)))


def _private_key(key: int, public: bytes) -> bytes:
    return _sequence(
        _integer(1),
        _tlv(0x04, key.to_bytes(32, "big")),
        _tlv(0xA0, _oid(_P256)),
        _tlv(0xA1, _bits(public)),
    )


def _pem(label: str, der: bytes) -> bytes:
    text = base64.b64encode(der).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", "")).encode()
