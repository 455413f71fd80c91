"""Who may do what: bearer tokens, roles, impersonation.

Source: RBAC semantics of k8s.io/kubernetes plugin/pkg/auth/authorizer/rbac; wording of 403s
from k8s.io/apiserver endpoints/handlers/responsewriters/errors.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleettui.demo.apiserver.errors import ApiError, forbidden, unauthorized

EXTENSION_GROUPS = "@extensions"
"""Stands for every API group but the core one in a rule's groups."""
READ = ("get", "list", "watch")


@dataclass(frozen=True, slots=True)
class User:
    """An authenticated identity."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    def info(self) -> dict[str, Any]:
        """The userInfo of a SelfSubjectReview."""
        info: dict[str, Any] = {"username": self.name, "groups": list(self.groups)}
        if self.uid:
            info["uid"] = self.uid
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra.items()}
        return info


@dataclass(frozen=True, slots=True)
class Rule:
    """Permission to use some verbs on some resources or paths."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    namespaces: tuple[str, ...] | None = None
    """None for the whole cluster."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a request wants to do."""

    verb: str
    group: str = ""
    resource: str = ""
    """Plural, with `/subresource` where there is one."""
    namespace: str = ""
    name: str = ""
    path: str = ""
    """Set for requests that are not about a resource."""


@dataclass(frozen=True, slots=True)
class Access:
    """Tokens and the rules of users (`user:NAME`) and groups (`group:NAME`)."""

    tokens: Mapping[str, User]
    rules: Mapping[str, tuple[Rule, ...]]


_REVIEWS = Rule(
    ("create",),
    ("authorization.k8s.io", "authentication.k8s.io"),
    ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"),
)
_DISCOVERY = Rule(
    ("get",),
    paths=(
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/healthz",
        "/livez",
        "/livez/*",
        "/openapi",
        "/openapi/*",
        "/readyz",
        "/readyz/*",
        "/version",
        "/version/",
    ),
)
_READABLE_CORE = (
    "configmaps",
    "events",
    "namespaces",
    "nodes",
    "pods",
    "pods/log",
    "serviceaccounts",
)


def demo_access(
    *, admin: str, oncall: str, tenant: str, tenant_namespaces: Sequence[str] = ("default",)
) -> Access:
    """The demo's three people: admin, read-only on-call (no Secrets), one-namespace tenant.

    The arguments are their bearer tokens.
    """
    return Access(
        tokens={
            admin: User("demo-admin", ("system:masters", "system:authenticated"), uid="u-admin"),
            oncall: User("demo-oncall", ("fleet:oncall", "system:authenticated"), uid="u-oncall"),
            tenant: User("demo-tenant", ("fleet:tenant", "system:authenticated"), uid="u-tenant"),
        },
        rules={
            "group:system:masters": (Rule(("*",), ("*",), ("*",)), Rule(("*",), paths=("*",))),
            "group:system:authenticated": (_REVIEWS, _DISCOVERY),
            "group:fleet:oncall": (
                Rule(READ, ("",), _READABLE_CORE),
                Rule(READ, (EXTENSION_GROUPS,), ("*",)),
            ),
            "group:fleet:tenant": (
                Rule(READ, ("",), _READABLE_CORE, namespaces=tuple(tenant_namespaces)),
                Rule(READ, (EXTENSION_GROUPS,), ("*",), namespaces=tuple(tenant_namespaces)),
            ),
        },
    )


class Authorizer:
    """Authenticates requests and decides on them."""

    def __init__(self, access: Access, *, groups: Callable[[], Iterable[str]]) -> None:
        self.access = access
        self._groups = groups

    def user_of(self, headers: Mapping[str, str], groups: Sequence[str]) -> User:
        """The identity a request acts as; `groups` are all Impersonate-Group values.

        Raises:
            ApiError: 401 for a missing or unknown token, 403 for a refused impersonation.
        """
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        user = self.access.tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise unauthorized()
        name = headers.get("Impersonate-User", "")
        if not name:
            return user
        wanted = [Attributes("impersonate", resource="users", name=name)]
        wanted += [Attributes("impersonate", resource="groups", name=group) for group in groups]
        for attributes in wanted:
            self.check(user, attributes)
        extra = {
            key[len("Impersonate-Extra-") :].lower(): (value,)
            for key, value in headers.items()
            if key.lower().startswith("impersonate-extra-")
        }
        known = next((u for u in self.access.tokens.values() if u.name == name), None)
        found = tuple(groups) or (known.groups if known is not None else ())
        if "system:authenticated" not in found:
            found = (*found, "system:authenticated")
        return User(name, found, uid=headers.get("Impersonate-Uid", ""), extra=extra)

    def rules_of(self, user: User) -> Iterable[Rule]:
        """All rules that hold for a user."""
        for subject in (f"user:{user.name}", *(f"group:{group}" for group in user.groups)):
            yield from self.access.rules.get(subject, ())

    def is_allowed(self, user: User, wanted: Attributes) -> bool:
        """Whether any rule allows it."""
        return any(self._covers(rule, wanted) for rule in self.rules_of(user))

    def check(self, user: User, wanted: Attributes) -> None:
        """Let pass or refuse.

        Raises:
            ApiError: 403 naming user, verb and resource.
        """
        if not self.is_allowed(user, wanted):
            raise _refusal(user, wanted)

    def _covers(self, rule: Rule, wanted: Attributes) -> bool:
        if not _listed(rule.verbs, wanted.verb):
            return False
        if wanted.path:
            return any(_path_matches(path, wanted.path) for path in rule.paths)
        if rule.namespaces is not None and wanted.namespace not in rule.namespaces:
            return False
        is_extension = EXTENSION_GROUPS in rule.groups and wanted.group != ""
        return (
            (is_extension or _listed(rule.groups, wanted.group))
            and _listed(rule.resources, wanted.resource)
            and (not rule.names or wanted.name in rule.names)
        )

    def rules_review(self, user: User, namespace: str) -> dict[str, Any]:
        """The status of a SelfSubjectRulesReview."""
        resource_rules, path_rules = [], []
        for rule in self.rules_of(user):
            if rule.paths:
                path_rules.append({"verbs": list(rule.verbs), "nonResourceURLs": list(rule.paths)})
            elif rule.namespaces is None or namespace in rule.namespaces:
                groups = rule.groups
                if EXTENSION_GROUPS in groups:
                    groups = tuple(sorted(group for group in self._groups() if group))
                entry: dict[str, Any] = {
                    "verbs": list(rule.verbs),
                    "apiGroups": list(groups),
                    "resources": list(rule.resources),
                }
                if rule.names:
                    entry["resourceNames"] = list(rule.names)
                resource_rules.append(entry)
        return {
            "resourceRules": resource_rules,
            "nonResourceRules": path_rules,
            "incomplete": False,
        }


def _listed(words: Sequence[str], word: str) -> bool:
    return "*" in words or word in words


def _path_matches(pattern: str, path: str) -> bool:
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    return pattern == path


def _refusal(user: User, wanted: Attributes) -> ApiError:
    if wanted.path:
        return forbidden(f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"')
    plural, _, _ = wanted.resource.partition("/")
    qualified = f"{plural}.{wanted.group}" if wanted.group else plural
    named = f'{qualified} "{wanted.name}"' if wanted.name else qualified
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    return forbidden(
        f'{named} is forbidden: User "{user.name}" cannot {wanted.verb} resource '
        f'"{wanted.resource}" in API group "{wanted.group}" {where}',
        group=wanted.group,
        plural=plural,
        name=wanted.name,
    )
