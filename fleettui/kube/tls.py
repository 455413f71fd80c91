"""Makes the TLS context of a connection from certificates in memory.

Knows certificates, keys and what verification means; knows nothing of where they
come from (``credentials``). Keys are never left on a disk.

Source: client-go ``transport.TLSConfigFor``; Python ``ssl`` (VERIFY_X509_STRICT
is on since 3.13 and refuses authorities that Go accepts).
"""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fleettui.errors import ConnectError


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe, and who to be."""

    ca: bytes = b""
    """PEM of private authorities; empty: those of the system."""
    insecure: bool = False
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)


def tls_context(trust: Trust, *, where: str = "") -> ssl.SSLContext:
    """A client context that verifies names and chains unless told not to.

    Blocks for some 30 ms when the system's authorities are loaded.

    Raises:
        ConnectError: a certificate or key cannot be used.
    """
    try:
        context = ssl.create_default_context(cadata=trust.ca.decode("ascii") if trust.ca else None)
    except (ssl.SSLError, UnicodeDecodeError, ValueError) as error:
        raise ConnectError(
            "the certificate authority is no PEM certificate", where=where
        ) from error
    if trust.ca:
        # A private authority is trusted by being named; Go's verifier does not
        # ask it for extensions such as the authority key identifier.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if trust.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    if trust.certificate:
        _present(context, trust, where)
    return context


def _present(context: ssl.SSLContext, trust: Trust, where: str) -> None:
    try:
        with _held(trust.certificate + b"\n" + trust.key) as path:
            context.load_cert_chain(path, password=_refuse_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConnectError(
            "the client certificate and key cannot be used together",
            where=where,
            hint="Both must be PEM, belong together, and the key must not be encrypted.",
        ) from error


def _refuse_password() -> str:
    # Without this OpenSSL asks for a pass phrase on the terminal.
    raise ValueError("encrypted keys are not supported")


@contextmanager
def _held(pem: bytes) -> Iterator[Path]:
    """A path that reads as the bytes for as long as the block runs."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, pem)
            yield Path(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return
    descriptor, name = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
