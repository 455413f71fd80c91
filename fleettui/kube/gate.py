"""Decides whether one request may leave this process.

Knows HTTP requests to a Kubernetes API server and the two modes of the program;
knows nothing of connections, credentials or what the answer is for. Everything
here is an allow-list: what is not named is refused, before a name is resolved.

Reading is GET and HEAD of discovery, of health and of resources, and the three
reviews of one's own rights, which store nothing. The contents of Secrets are a
permission of their own. Writing adds patches, deletions with a uid precondition
and the creation of Events. Nothing ever upgrades a connection, overrides a
method, deletes a collection, or reaches exec, attach, port-forward, tokens,
evictions and bindings; a proxy is reached for one thing alone, an artifact of a
source controller, and never in read-only mode. An apply is only ever a dry run.

Source: Kubernetes API concepts; RBAC request verbs; authorization.k8s.io/v1 and
authentication.k8s.io/v1 self reviews; CVE-2018-1002105 (upgrade smuggling).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec

from fleettui.errors import RefusedError

MAX_BODY_BYTES = 1 << 20
"""Largest body that is sent: a patch larger than an object can be is a mistake."""


class ReadOnlyViolation(RefusedError):
    """A request that this mode does not let out; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What may leave, fixed when a context is opened."""

    writes: bool = False
    secrets: bool = False
    """Whether one named Secret may be read with its contents."""


@dataclass(frozen=True, slots=True)
class _Target:
    """What a resource path points at."""

    group: str
    namespace: str
    resource: str
    name: str
    subresource: str


Query = Sequence[tuple[str, str]]

# No segment may be empty, hold an escape or begin with a dot, so that a path means the
# same to every proxy and server that normalises it.
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._:~@!$&'()*+,;=-]*"
_LOWER = r"[a-z0-9][a-z0-9.-]*"
_DISCOVERY = re.compile(
    rf"/(version|readyz|livez|api|apis|api/v1|apis/{_LOWER}|apis/{_LOWER}/v[a-z0-9]+"
    rf"|openapi/v3|openapi/v3/(api/v1|apis/{_LOWER}(/v[a-z0-9]+)?))"
)
_ARTIFACT = re.compile(
    rf"/api/v1/namespaces/{_LOWER}/services/http:{_LOWER}:[0-9]{{1,5}}/proxy"
    rf"/(gitrepository|ocirepository|bucket|helmchart|externalartifact)"
    rf"/{_LOWER}/{_LOWER}/{_SEGMENT}\.(tar\.gz|tgz)"
)
_RESOURCE = re.compile(
    rf"/(?:api/v1|apis/(?P<group>{_LOWER})/v[a-z0-9]+)"
    rf"(?:/namespaces/(?P<namespace>{_LOWER})(?=/))?"
    rf"/(?P<resource>[a-z0-9][a-z0-9-]*)(?:/(?P<name>{_SEGMENT})(?:/(?P<sub>[a-z]+))?)?"
)

# Served below a version for old clients: ``watch/secrets`` is a list of Secrets in
# disguise, ``proxy`` and ``redirect`` are the forwarding verbs of Kubernetes 1.0.
_DISGUISES = frozenset({"watch", "proxy", "redirect"})
_READ_SUBRESOURCES = frozenset({"", "status", "scale"})
_WRITE_SUBRESOURCES = frozenset({"", "status", "scale"})

_READ_QUERY = frozenset(
    {
        "limit",
        "continue",
        "resourceVersion",
        "resourceVersionMatch",
        "watch",
        "allowWatchBookmarks",
        "sendInitialEvents",
        "timeoutSeconds",
        "labelSelector",
        "fieldSelector",
        "includeObject",
    }
)
_LOG_QUERY = frozenset(
    {
        "container",
        "follow",
        "previous",
        "sinceSeconds",
        "sinceTime",
        "timestamps",
        "tailLines",
        "limitBytes",
    }
)
_PATCH_QUERY = frozenset({"dryRun", "fieldManager", "fieldValidation", "force"})
_CREATE_QUERY = frozenset({"dryRun", "fieldManager", "fieldValidation"})

_REVIEWS = frozenset(
    {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    }
)
_CREATABLE = frozenset({("", "events"), ("events.k8s.io", "events")})
_APPLY = "application/apply-patch+yaml"
_PATCH_TYPES = frozenset(
    {
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        _APPLY,
    }
)

_HEADERS = frozenset(
    {
        "host",
        "accept",
        "accept-encoding",
        "authorization",
        "user-agent",
        "if-none-match",
        "connection",
        "content-type",
        "content-length",
        "impersonate-user",
        "impersonate-uid",
        "impersonate-group",
    }
)
_HEADER_PREFIX = "impersonate-extra-"
_CONNECTION = frozenset({"keep-alive", "close"})
_METADATA_ONLY = re.compile(
    r"application/json;as=PartialObjectMetadata(List)?;g=meta\.k8s\.io;v=v1"
)


def strip_prefix(raw_path: str, prefix: str) -> str:
    """The path below the server address of the kubeconfig.

    Args:
        raw_path: path as it will be sent.
        prefix: path of the server address without a trailing slash; mostly empty.

    Raises:
        ReadOnlyViolation: the path leaves the address it belongs to.
    """
    if not raw_path.startswith(prefix + "/"):
        raise _refusal("path is outside the server's address", raw_path)
    return raw_path[len(prefix) :]


def query_pairs(raw_query: str) -> Query:
    """The key-value pairs of a query as a server reads them, blank values kept."""
    return parse_qsl(raw_query, keep_blank_values=True)


def check(
    method: str,
    raw_path: str,
    *,
    query: Query,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    policy: Policy,
) -> None:
    """Passes a request that the policy allows, and raises for any other.

    Args:
        method: as it will be sent, upper case.
        raw_path: as it will be sent, percent signs undecoded, below the server's prefix.
        query: every pair of the query.
        headers: every header, credentials included.
        body: the whole body, empty if there is none.
        policy: what this context may do.

    Raises:
        ReadOnlyViolation: names the rule that the request breaks.
    """
    named = _check_headers(headers)
    _check_repeats(query, raw_path)
    if len(body) > MAX_BODY_BYTES:
        raise _refusal("body is too large", raw_path)
    if method in ("GET", "HEAD"):
        _check_read(raw_path, query, named, body, policy)
    elif method == "POST":
        _check_post(raw_path, query, named, policy)
    elif method == "PATCH":
        _check_patch(raw_path, query, named, policy)
    elif method == "DELETE":
        _check_delete(raw_path, query, body, policy)
    else:
        raise _refusal(f"method {method!r} is never used", raw_path)


def _refusal(rule: str, raw_path: str) -> ReadOnlyViolation:
    return ReadOnlyViolation(rule, where=raw_path, hint="Nothing was sent to the cluster.")


def _check_headers(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    named: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        if key not in _HEADERS and not key.startswith(_HEADER_PREFIX):
            raise _refusal(f"header {name!r} is never sent", "")
        if key == "connection" and value.lower() not in _CONNECTION:
            raise _refusal("a connection is never upgraded", "")
        named[key] = value
    return named


def _check_repeats(query: Query, raw_path: str) -> None:
    keys = [key for key, _ in query]
    if len(set(keys)) != len(keys):
        raise _refusal("a query parameter is given twice", raw_path)


def _check_query(query: Query, allowed: frozenset[str], raw_path: str) -> None:
    for key, value in query:
        if key not in allowed:
            raise _refusal(f"query parameter {key!r} is not allowed", raw_path)
        if key == "dryRun" and value != "All":
            raise _refusal("dryRun is All or absent", raw_path)


def _target(raw_path: str) -> _Target:
    match = _RESOURCE.fullmatch(raw_path)
    if match is None:
        raise _refusal("path is no resource this program uses", raw_path)
    target = _Target(
        group=match["group"] or "",
        namespace=match["namespace"] or "",
        resource=match["resource"],
        name=match["name"] or "",
        subresource=match["sub"] or "",
    )
    if target.resource in _DISGUISES:
        raise _refusal(f"{target.resource!r} paths are never used", raw_path)
    return target


def _is_secret(target: _Target) -> bool:
    return target.group == "" and target.resource == "secrets"


def _check_read(
    raw_path: str, query: Query, headers: Mapping[str, str], body: bytes, policy: Policy
) -> None:
    if body or "content-type" in headers or headers.get("content-length", "0") != "0":
        raise _refusal("a read has no body", raw_path)
    if _DISCOVERY.fullmatch(raw_path):
        _check_query(query, frozenset({"timeout"}), raw_path)
        return
    if _ARTIFACT.fullmatch(raw_path):
        if not policy.writes:
            raise _refusal("a service's proxy is closed while read-only", raw_path)
        _check_query(query, frozenset(), raw_path)
        return
    target = _target(raw_path)
    if target.subresource == "log":
        if (target.group, target.resource) != ("", "pods") or not target.namespace:
            raise _refusal("only pods have logs", raw_path)
        _check_query(query, _LOG_QUERY, raw_path)
        return
    if target.subresource not in _READ_SUBRESOURCES:
        raise _refusal(f"subresource {target.subresource!r} is never read", raw_path)
    _check_query(query, _READ_QUERY, raw_path)
    if _is_secret(target) and not _METADATA_ONLY.fullmatch(headers.get("accept", "")):
        _check_secret(target, query, raw_path, policy)


def _check_secret(target: _Target, query: Query, raw_path: str, policy: Policy) -> None:
    if not target.name or not target.namespace or target.subresource:
        raise _refusal("Secrets are never listed or watched with their contents", raw_path)
    if query:
        raise _refusal("a Secret is read by its name alone", raw_path)
    if not policy.secrets:
        raise _refusal("reading a Secret's contents is not enabled", raw_path)


def _check_post(raw_path: str, query: Query, headers: Mapping[str, str], policy: Policy) -> None:
    if headers.get("content-type") != "application/json":
        raise _refusal("a created object is JSON", raw_path)
    if raw_path in _REVIEWS:
        _check_query(query, frozenset(), raw_path)
        return
    _check_writable(raw_path, policy)
    target = _target(raw_path)
    if (target.group, target.resource) not in _CREATABLE or target.name or not target.namespace:
        raise _refusal("this program creates nothing but Events", raw_path)
    _check_query(query, _CREATE_QUERY, raw_path)


def _check_patch(raw_path: str, query: Query, headers: Mapping[str, str], policy: Policy) -> None:
    _check_writable(raw_path, policy)
    target = _target(raw_path)
    if not target.name:
        raise _refusal("a patch names one object", raw_path)
    if target.subresource not in _WRITE_SUBRESOURCES:
        raise _refusal(f"subresource {target.subresource!r} is never written", raw_path)
    if _is_secret(target):
        raise _refusal("Secrets are never written", raw_path)
    if headers.get("content-type") not in _PATCH_TYPES:
        raise _refusal("a patch says which of the four patch types it is", raw_path)
    _check_query(query, _PATCH_QUERY, raw_path)
    if headers.get("content-type") == _APPLY and ("dryRun", "All") not in query:
        raise _refusal("an apply is only ever a dry run", raw_path)


def _check_delete(raw_path: str, query: Query, body: bytes, policy: Policy) -> None:
    _check_writable(raw_path, policy)
    target = _target(raw_path)
    if not target.name or target.subresource:
        raise _refusal("a deletion names one object", raw_path)
    if _is_secret(target):
        raise _refusal("Secrets are never written", raw_path)
    if query:
        raise _refusal("a server does not read the query of a deletion with a body", raw_path)
    if not _has_uid_precondition(body):
        raise _refusal("a deletion names the uid it means", raw_path)


def _check_writable(raw_path: str, policy: Policy) -> None:
    if not policy.writes:
        raise _refusal("this context is read-only", raw_path)


def _has_uid_precondition(body: bytes) -> bool:
    try:
        options = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    preconditions = options.get("preconditions") if isinstance(options, dict) else None
    uid = preconditions.get("uid") if isinstance(preconditions, dict) else None
    return isinstance(uid, str) and bool(uid)
