"""Requests and whether each may leave, in both modes: the gate's table."""

from dataclasses import dataclass

from fleettui.kube.calls import METADATA_LIST, METADATA_LIST_ONLY, METADATA_ONLY
from fleettui.kube.gate import Policy, check, query_pairs

CAPI = "/apis/cluster.x-k8s.io/v1beta2"
MACHINE = f"{CAPI}/namespaces/default/machines/m1"
JSON = "application/json"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
UID = b'{"preconditions":{"uid":"u1"}}'

READ = Policy()
READ_SECRETS = Policy(secrets=True)
WRITE = Policy(writes=True)


@dataclass(frozen=True)
class Case:
    """One request, and who may send it."""

    method: str
    target: str
    read: bool = False
    """Whether read-only mode lets it out."""
    write: bool | None = None
    """Whether read-write mode does; None: as read-only."""
    secrets: bool | None = None
    """Whether read-only mode with the Secrets bit does; None: as read-only."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def is_allowed(self, policy: Policy, judge: object = check) -> bool:
        """What the gate says."""
        path, _, query = self.target.partition("?")
        try:
            judge(  # type: ignore[operator]  # either the gate or a mutant of it
                self.method,
                path,
                query=query_pairs(query),
                headers=self.headers,
                body=self.body,
                policy=policy,
            )
        except Exception as error:  # a mutant's refusal is a class of its own
            assert type(error).__name__ == "ReadOnlyViolation", repr(error)
            return False
        return True

    def expected(self, policy: Policy) -> bool:
        """What the gate should say."""
        if policy.writes:
            return self.read if self.write is None else self.write
        if policy.secrets:
            return self.read if self.secrets is None else self.secrets
        return self.read


def sent(kind: str) -> tuple[tuple[str, str], ...]:
    """Headers of a request with a body."""
    return (("Content-Type", kind),)


def accepting(what: str) -> tuple[tuple[str, str], ...]:
    """Headers that ask for a representation."""
    return (("Accept", what),)


_READS = (
    "/version",
    "/readyz",
    "/livez",
    "/api",
    "/apis",
    "/api/v1",
    "/apis/apps",
    "/apis/apps/v1",
    "/apis/cluster.x-k8s.io/v1beta2?timeout=32s",
    "/openapi/v3",
    "/openapi/v3/apis/apps/v1",
    "/api/v1/namespaces",
    "/api/v1/namespaces/default",
    "/api/v1/pods?limit=500&continue=abc",
    "/api/v1/namespaces/default/pods?labelSelector=a%3Db&fieldSelector=c",
    "/api/v1/nodes/node-1",
    "/api/v1/namespaces/default/pods/p/log?container=c&tailLines=10&follow=true",
    f"{CAPI}/machines?limit=500&resourceVersion=1&resourceVersionMatch=Exact",
    f"{CAPI}/machines?watch=true&allowWatchBookmarks=true&timeoutSeconds=250&resourceVersion=9",
    f"{CAPI}/machines?watch=1&sendInitialEvents=true",
    f"{CAPI}/machines?includeObject=Metadata",
    f"{MACHINE}",
    f"{MACHINE}/status",
    f"{CAPI}/namespaces/default/machinedeployments/md/scale",
    "/api/v1/namespaces/default/configmaps/with.dots-and_2",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node",
    "/apis/external-secrets.io/v1/namespaces/default/secretstores",
)

_NEVER_GET = (
    "/",
    "",
    "/metrics",
    "/logs/kube-apiserver.log",
    "/healthz",
    "/readyz/etcd",
    "/debug/pprof/heap",
    "/ui",
    "/api/v2",
    "/api/v1/",
    "/api/v1/pods/",
    "/api//v1/pods",
    "//api/v1/pods",
    "/api/v1/../v1/pods",
    "/api/v1/./pods",
    "/api/v1/namespaces/default/pods/..",
    "/api/v1/namespaces/default/pods/%2e%2e",
    "/api/v1/namespaces/default/pods/p%2Fexec",
    "/api/v1/namespaces/default/pods/p\\exec",
    "/api/v1/namespaces/default/pods/p/exec?command=sh&stdin=true",
    "/api/v1/namespaces/default/pods/p/attach",
    "/api/v1/namespaces/default/pods/p/portforward?ports=80",
    "/api/v1/namespaces/default/pods/p/proxy",
    "/api/v1/namespaces/default/pods/p/proxy/shutdown",
    "/api/v1/namespaces/default/services/s/proxy",
    "/api/v1/namespaces/default/services/s:80/proxy/admin",
    "/api/v1/nodes/n/proxy/exec/default/p/c",
    "/api/v1/nodes/n/proxy/run/default/p/c",
    "/api/v1/proxy/namespaces/default/services/s",
    "/api/v1/proxy",
    "/api/v1/redirect/nodes",
    "/api/v1/watch/secrets",
    "/api/v1/watch/pods",
    "/api/v1/watch/namespaces/default/secrets",
    "/apis/apps/v1/watch/deployments",
    "/api/v1/namespaces/default/serviceaccounts/sa/token",
    "/api/v1/namespaces/default/pods/p/eviction",
    "/api/v1/namespaces/default/pods/p/binding",
    "/api/v1/namespaces/default/pods/p/ephemeralcontainers",
    "/api/v1/namespaces/default/configmaps/c/log",
    "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/p/log",
    "/api/v1/pods/p/log",
    "/apis/subresources.kubevirt.io/v1/namespaces/d/virtualmachineinstances/v/vnc",
    "/api/v1/pods?pretty=true",
    "/api/v1/pods?dryRun=All",
    "/api/v1/pods?watch=true&watch=false",
    "/api/v1/namespaces/default/pods/p/log?insecureSkipTLSVerifyBackend=true",
    "/version?timeout=1&x=y",
    "/api/v1/namespaces/DEFAULT/secrets",
    "/api/v1/namespaces/default/secrets/s/extra",
)

_SECRET = "/api/v1/namespaces/default/secrets/c-kubeconfig"
_ARTIFACT = (
    "/api/v1/namespaces/flux-system/services/http:source-controller:80/proxy"
    "/bucket/flux-system/node-images/sha256:ab.tar.gz"
)

CASES = (
    *(Case("GET", target, read=True) for target in _READS),
    *(Case("GET", target) for target in _NEVER_GET),
    Case("HEAD", "/readyz", read=True),
    Case("HEAD", MACHINE, read=True),
    *(Case(method, MACHINE) for method in ("get", "Get", "OPTIONS", "TRACE", "CONNECT", "PUT", "")),
    Case("PUT", MACHINE, headers=sent(JSON), body=b"{}"),
    # Secrets
    Case("GET", _SECRET, secrets=True),
    Case("GET", f"{_SECRET}?resourceVersion=0"),
    Case("GET", f"{_SECRET}/status"),
    Case("GET", "/api/v1/secrets/c-kubeconfig"),
    Case("GET", "/api/v1/secrets"),
    Case("GET", "/api/v1/namespaces/default/secrets"),
    Case("GET", "/api/v1/namespaces/default/secrets?watch=true"),
    Case("GET", "/api/v1/secrets", headers=accepting(METADATA_LIST)),
    Case("GET", "/api/v1/secrets", headers=accepting(JSON)),
    Case("GET", "/api/v1/secrets?limit=5", read=True, headers=accepting(METADATA_LIST_ONLY)),
    Case("GET", _SECRET, read=True, headers=accepting(METADATA_ONLY)),
    # Headers
    Case("GET", MACHINE, headers=(("Upgrade", "SPDY/3.1"),)),
    Case("GET", MACHINE, headers=(("Connection", "Upgrade"),)),
    Case("GET", MACHINE, headers=(("connection", "keep-alive, upgrade"),)),
    Case("GET", MACHINE, read=True, headers=(("Connection", "keep-alive"),)),
    Case("GET", MACHINE, headers=(("X-HTTP-Method-Override", "DELETE"),)),
    Case("GET", MACHINE, headers=(("X-Http-Method", "PUT"),)),
    *(
        Case(method, MACHINE, headers=((name, value),))
        for method in ("GET", "HEAD")
        for name, value in (
            ("X-Original-URL", "/api/v1/secrets"),
            ("X-Rewrite-URL", "/api/v1/secrets"),
            ("X-Forwarded-Uri", "/api/v1/secrets"),
            ("X-Method-Override", "DELETE"),
            ("Transfer-Encoding", "chunked"),
            ("Expect", "100-continue"),
            ("Trailer", "X-HTTP-Method-Override"),
            ("X-Remote-User", "system:admin"),
            ("X-Remote-Group", "system:masters"),
        )
    ),
    Case("GET", f"{MACHINE}?_method=DELETE"),
    Case("GET", MACHINE, headers=(("Sec-WebSocket-Protocol", "base64url.bearer.x"),)),
    Case("GET", MACHINE, headers=(("Cookie", "a=b"),)),
    Case(
        "GET",
        MACHINE,
        read=True,
        headers=(
            ("Authorization", "Bearer x"),
            ("Impersonate-User", "jane"),
            ("Impersonate-Group", "a"),
            ("Impersonate-Group", "b"),
            ("Impersonate-Extra-scopes%2fx", "y"),
            ("If-None-Match", '"e"'),
            ("Impersonate-Uid", "u"),
            ("Host", "kube.example.com"),
            ("Accept-Encoding", "gzip"),
            ("User-Agent", "fleettui"),
            ("Connection", "Close"),
        ),
    ),
    Case("GET", "/apis/example.com/v1/namespaces/default/secrets", read=True),
    Case(
        "GET",
        "/api/v1/namespaces/default/pods/p/log?container=c&follow=true&previous=true"
        "&sinceSeconds=1&sinceTime=x&timestamps=true&tailLines=1&limitBytes=1",
        read=True,
    ),
    # Bodies of reads
    Case("GET", MACHINE, body=b"{}"),
    Case("GET", MACHINE, headers=sent(JSON)),
    Case("GET", MACHINE, headers=(("Content-Length", "2"),)),
    Case("GET", MACHINE, read=True, headers=(("Content-Length", "0"),)),
    # Reviews
    Case("POST", REVIEW, read=True, headers=sent(JSON), body=b"{}"),
    Case(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        read=True,
        headers=sent(JSON),
        body=b"{}",
    ),
    Case(
        "POST",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        read=True,
        headers=sent(JSON),
        body=b"{}",
    ),
    Case("POST", REVIEW, body=b"{}"),
    Case("POST", REVIEW, headers=sent("application/yaml"), body=b"{}"),
    Case("POST", f"{REVIEW}?dryRun=All", headers=sent(JSON), body=b"{}"),
    Case("POST", f"{REVIEW}/", headers=sent(JSON), body=b"{}"),
    Case("POST", f"{REVIEW}/x", headers=sent(JSON), body=b"{}"),
    Case("POST", REVIEW, headers=sent(JSON), body=b"x" * ((1 << 20) + 1)),
    *(
        Case("POST", path, headers=sent(JSON), body=b"{}")
        for path in (
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            "/apis/authorization.k8s.io/v1/namespaces/d/localsubjectaccessreviews",
            "/apis/authorization.k8s.io/v1beta1/selfsubjectaccessreviews",
            "/apis/authentication.k8s.io/v1/tokenreviews",
            "/api/v1/namespaces/default/serviceaccounts/sa/token",
            "/api/v1/namespaces/default/pods/p/eviction",
            "/api/v1/namespaces/default/pods/p/binding",
            "/api/v1/namespaces/default/pods/p/exec",
            "/api/v1/namespaces/default/pods",
            "/api/v1/namespaces/default/secrets",
            "/api/v1/namespaces",
            "/api/v1/events",
            "/api/v1/namespaces/default/events/e",
            f"{CAPI}/namespaces/default/machines",
        )
    ),
    # Writes
    Case(
        "POST",
        "/api/v1/namespaces/default/events?fieldManager=fleettui",
        write=True,
        headers=sent(JSON),
        body=b"{}",
    ),
    Case(
        "POST",
        "/apis/events.k8s.io/v1/namespaces/default/events",
        write=True,
        headers=sent(JSON),
        body=b"{}",
    ),
    Case(
        "POST",
        "/api/v1/namespaces/default/events?force=true",
        headers=sent(JSON),
        body=b"{}",
    ),
    Case(
        "POST",
        "/api/v1/namespaces/default/events?dryRun=All&fieldValidation=Strict",
        write=True,
        headers=sent(JSON),
        body=b"{}",
    ),
    *(
        Case("PATCH", MACHINE, write=True, headers=sent(kind), body=b"{}")
        for kind in (
            MERGE,
            "application/json-patch+json",
            "application/strategic-merge-patch+json",
        )
    ),
    Case("PATCH", f"{MACHINE}?force=true", headers=sent(APPLY), body=b"{}"),
    Case("PATCH", f"{MACHINE}?dryRun=All&force=true", write=True, headers=sent(APPLY), body=b"{}"),
    Case("PATCH", f"{_SECRET}?dryRun=All&force=true", headers=sent(APPLY), body=b"{}"),
    Case("GET", _ARTIFACT, write=True),
    Case("GET", f"{_ARTIFACT}?x=y"),
    Case("GET", f"{_ARTIFACT}/../../admin.tar.gz"),
    Case("GET", _ARTIFACT.replace("bucket", "admin")),
    Case("GET", _ARTIFACT.replace("http:", "https:")),
    Case("POST", _ARTIFACT, headers=sent(JSON), body=b"{}"),
    Case("PATCH", f"{MACHINE}?dryRun=All&fieldManager=f", write=True, headers=sent(MERGE)),
    Case("PATCH", f"{MACHINE}?force=true&fieldValidation=Strict", write=True, headers=sent(MERGE)),
    Case("PATCH", f"{MACHINE}/status", write=True, headers=sent(MERGE)),
    Case(
        "PATCH", f"{CAPI}/namespaces/d/machinedeployments/m/scale", write=True, headers=sent(MERGE)
    ),
    Case("PATCH", f"{MACHINE}?dryrun=All", headers=sent(MERGE)),
    Case("PATCH", f"{MACHINE}?dryRun=all", headers=sent(MERGE)),
    Case("PATCH", f"{MACHINE}?dryRun=", headers=sent(MERGE)),
    Case("PATCH", f"{MACHINE}?dryRun=All&dryRun=", headers=sent(MERGE)),
    Case("PATCH", MACHINE),
    Case("PATCH", MACHINE, headers=sent(JSON)),
    Case("PATCH", f"{MACHINE}/exec", headers=sent(MERGE)),
    Case("PATCH", f"{MACHINE}/log", headers=sent(MERGE)),
    Case("PATCH", f"{CAPI}/namespaces/default/machines", headers=sent(MERGE)),
    Case("PATCH", _SECRET, headers=sent(MERGE)),
    Case("PATCH", "/version", headers=sent(MERGE)),
    Case("PATCH", "/api/v1/watch/x", headers=sent(MERGE)),
    Case("DELETE", MACHINE, write=True, headers=sent(JSON), body=UID),
    # Beside a body the query is not looked at: this would be no dry run.
    Case("DELETE", f"{MACHINE}?dryRun=All", headers=sent(JSON), body=UID),
    Case(
        "DELETE",
        MACHINE,
        write=True,
        headers=sent(JSON),
        body=b'{"dryRun":["All"],"preconditions":{"uid":"u1"}}',
    ),
    Case("DELETE", MACHINE),
    Case("DELETE", MACHINE, headers=sent(JSON), body=b"{}"),
    Case("DELETE", MACHINE, headers=sent(JSON), body=b"[]"),
    Case("DELETE", MACHINE, headers=sent(JSON), body=b"not json"),
    Case("DELETE", MACHINE, headers=sent(JSON), body=b'{"preconditions":[]}'),
    Case("DELETE", MACHINE, headers=sent(JSON), body=b'{"preconditions":{"uid":""}}'),
    Case("DELETE", MACHINE, headers=sent(JSON), body=b'{"preconditions":{"uid":null}}'),
    Case("DELETE", MACHINE, headers=sent(JSON), body=b'{"preconditions":{"uid":5}}'),
    Case("DELETE", f"{MACHINE}?gracePeriodSeconds=0", headers=sent(JSON), body=UID),
    Case("DELETE", f"{MACHINE}/status", headers=sent(JSON), body=UID),
    Case("DELETE", f"{CAPI}/namespaces/default/machines", headers=sent(JSON), body=UID),
    Case("DELETE", _SECRET, headers=sent(JSON), body=UID),
)
