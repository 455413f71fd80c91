"""Chooses the HTTP proxy for a server.

Knows proxy-url, HTTP(S)_PROXY and NO_PROXY; knows nothing of connecting. The
environment is a parameter.

Source: golang.org/x/net/http/httpproxy (what kubectl uses: suffixes, ports and
CIDR ranges in NO_PROXY; loopback never goes through an environment proxy).
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from fleettui.errors import UsageError


def proxy_for(server: str, *, configured: str, environment: Mapping[str, str]) -> str:
    """URL of the proxy to use, empty for none.

    Args:
        server: URL of the API server.
        configured: ``proxy-url`` of the kubeconfig, which beats the environment.
        environment: the process's variables.

    Raises:
        UsageError: the proxy is of a kind that is not supported.
    """
    proxy = configured or _from_environment(server, environment)
    if proxy and urlsplit(proxy).scheme not in ("http", "https"):
        raise UsageError(
            f"proxies of the kind {urlsplit(proxy).scheme or 'unknown'} are not supported",
            where=server,
            hint="Use an http:// or https:// proxy, or a local forwarder.",
        )
    return proxy


def _from_environment(server: str, environment: Mapping[str, str]) -> str:
    parts = urlsplit(server)
    name = f"{parts.scheme}_proxy"
    proxy = environment.get(name.upper()) or environment.get(name) or ""
    if not proxy:
        return ""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    exceptions = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    if is_loopback(host) or _is_exempt(host, port, exceptions):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name or address alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _is_exempt(host: str, port: int, exceptions: str) -> bool:
    return any(
        _matches(pattern.strip().lower(), host.lower(), port)
        for pattern in exceptions.split(",")
        if pattern.strip()
    )


def _matches(pattern: str, host: str, port: int) -> bool:
    if pattern == "*":
        return True
    address = _address(host)
    if "/" in pattern:
        try:
            return address is not None and address in ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return False
    wanted, _, wanted_port = pattern.rpartition(":")
    if wanted and wanted_port.isdigit() and (":" not in wanted or wanted.startswith("[")):
        if int(wanted_port) != port:
            return False
        pattern = wanted
    pattern = pattern.strip("[]")
    if address is not None:
        return _address(pattern) == address
    if pattern.startswith("*."):
        pattern = pattern[1:]
    if pattern.startswith("."):
        return host.endswith(pattern)
    return host == pattern or host.endswith(f".{pattern}")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
