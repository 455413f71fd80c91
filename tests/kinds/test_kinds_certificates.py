"""When certificates end, without any library for cryptography."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from fleettui.kinds.certificates import last_end

_END = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


def _bundle(*ends: datetime) -> str:
    pem = b""
    for end in ends:
        issued = trustme.CA().issue_cert("svc", not_before=end - timedelta(days=9), not_after=end)
        pem += b"".join(blob.bytes() for blob in issued.cert_chain_pems[:1])
    return base64.b64encode(pem).decode()


def test_end_of_a_certificate_is_its_not_after() -> None:
    """A webhook whose certificate ended refuses every write, and no condition says so."""
    assert last_end(_bundle(_END)) == int(_END.timestamp())


def test_end_of_a_bundle_is_its_last() -> None:
    """A bundle keeps the old certificate beside the new one while it is rotated."""
    later = _END + timedelta(days=30)
    assert last_end(_bundle(later, _END)) == int(later.timestamp())


def test_end_after_2049_is_read_as_well() -> None:
    """Another form of time begins there."""
    far = datetime(2063, 1, 1, tzinfo=UTC)
    assert last_end(_bundle(far)) == int(far.timestamp())


@pytest.mark.parametrize("text", ["", "Cg==", "not base64 §", "LS0tLS1CRUdJTg=="])
def test_end_of_what_is_no_certificate_is_unknown(text: str) -> None:
    """A webhook without a bundle must not look expired since 1970."""
    assert last_end(text) == 0


@given(st.binary(max_size=200))
def test_end_of_any_bytes_is_told_or_unknown(data: bytes) -> None:
    """A broken bundle must not break the list of webhooks."""
    pem = b"-----BEGIN CERTIFICATE-----" + base64.b64encode(data) + b"-----END CERTIFICATE-----"
    assert last_end(base64.b64encode(pem).decode()) >= 0
