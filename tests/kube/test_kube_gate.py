"""The gate: its table, an independent oracle, and mutants that must be noticed."""

import ast
import inspect
import sys
import types
from urllib.parse import parse_qsl

import pytest
from gate_cases import CASES, READ, READ_SECRETS, WRITE, Case
from hypothesis import given, settings
from hypothesis import strategies as st

from fleettui.kube import gate
from fleettui.kube.calls import METADATA_LIST_ONLY

POLICIES = {"read": READ, "secrets": READ_SECRETS, "write": WRITE}


@pytest.mark.parametrize("mode", POLICIES)
def test_gate_table_every_case_is_judged_as_written(mode: str) -> None:
    """A wrong line here is a request that should never have left, or a view that is blind."""
    policy = POLICIES[mode]
    wrong = [case for case in CASES if case.is_allowed(policy) is not case.expected(policy)]
    assert not wrong
    assert len(CASES) >= 84


def test_gate_violation_names_rule_and_path() -> None:
    """A person who meets it must learn what was refused and that nothing was sent."""
    with pytest.raises(gate.ReadOnlyViolation) as caught:
        gate.check("DELETE", "/api/v1/nodes/n", query=(), headers=(), body=b"", policy=READ)
    assert "read-only" in str(caught.value)
    assert "/api/v1/nodes/n" in str(caught.value)
    assert "Nothing was sent" in caught.value.hint


@pytest.mark.parametrize(
    "path", ["/k8s/clusters/c-2/api/v1/pods", "/api/v1/pods", "/k8s/clusters/c-1"]
)
def test_gate_prefix_other_address_is_refused(path: str) -> None:
    """Behind a gateway the path chooses the cluster: another one's must stay out of reach."""
    with pytest.raises(gate.ReadOnlyViolation):
        gate.strip_prefix(path, "/k8s/clusters/c-1")
    assert gate.strip_prefix("/k8s/clusters/c-1/api", "/k8s/clusters/c-1") == "/api"
    assert gate.strip_prefix("/api", "") == "/api"


# An independent oracle: the API server's own way from a request to RBAC attributes ------


def rbac_attributes(method: str, path: str, query: dict[str, str]) -> tuple[str, str, str, str]:
    """Verb, group, resource and subresource as an API server would authorize them."""
    verbs = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update"}
    verb = verbs.get(method, method.lower())
    parts = [part for part in path.split("/") if part]
    if len(parts) < 3 or parts[0] not in ("api", "apis"):
        return verb, "", "", ""
    group = ""
    rest = parts[2:]
    if parts[0] == "apis":
        group, rest = parts[1], parts[3:]
    if rest and rest[0] in ("watch", "proxy"):
        verb, rest = rest[0], rest[1:]
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in ("status", "finalize"):
        rest = rest[2:]
    elif len(rest) > 1 and rest[0] == "namespaces":
        rest = ["namespaces", *rest[1:]]
    resource = rest[0] if rest else ""
    name = rest[1] if len(rest) > 1 else ""
    sub = "/".join(rest[2:])
    if verb == "get" and resource and not name:
        verb = "watch" if query.get("watch", "").lower() in ("1", "true") else "list"
    if verb == "delete" and not name:
        verb = "deletecollection"
    return verb, group, resource, sub


REVIEWS = {"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"}
_parts = st.sampled_from(
    [
        *("api", "apis", "v1", "v1beta2", "apps", "cluster.x-k8s.io", "authorization.k8s.io"),
        *("authentication.k8s.io", "namespaces", "default", "pods", "secrets", "machines"),
        *("services", "nodes", "serviceaccounts", "watch", "proxy", "redirect", "events"),
        *(
            "status",
            "scale",
            "log",
            "exec",
            "attach",
            "portforward",
            "token",
            "eviction",
            "binding",
        ),
        *("selfsubjectaccessreviews", "selfsubjectreviews", "subjectaccessreviews"),
        *("tokenreviews", "version", "readyz", "openapi", "..", ".", "", "%2e%2e", "a", "A"),
    ]
)
_methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get"])
_queries = st.dictionaries(
    st.sampled_from(["watch", "limit", "dryRun", "dryrun", "command", "container", "force"]),
    st.sampled_from(["true", "1", "All", "all", ""]),
    max_size=3,
)
_headers = st.lists(
    st.sampled_from(
        [
            ("Accept", "application/json"),
            ("Accept", METADATA_LIST_ONLY),
            ("Content-Type", "application/json"),
            ("Content-Type", "application/merge-patch+json"),
            ("Upgrade", "websocket"),
            ("Connection", "upgrade"),
            ("X-HTTP-Method-Override", "DELETE"),
            ("Authorization", "Bearer x"),
        ]
    ),
    max_size=3,
)


def is_harmless(case: Case) -> bool:
    """What the oracle says of a request in read-only mode."""
    path, _, raw_query = case.target.partition("?")
    query = dict(parse_qsl(raw_query, keep_blank_values=True))
    verb, group, resource, sub = rbac_attributes(case.method, path, query)
    names = {name.lower() for name, _ in case.headers}
    if names & {"upgrade", "x-http-method-override"} or "connection" in names:
        return False
    if verb == "create":
        is_review = resource in REVIEWS and group.startswith("auth") and not sub
        return is_review and path.count("/") == 4
    if verb not in ("get", "list", "watch"):
        return False
    accepts = [value for name, value in case.headers if name == "Accept"]
    if (group, resource) == ("", "secrets"):
        return accepts[-1:] == [METADATA_LIST_ONLY]
    return sub in ("", "status", "scale", "log")


@settings(max_examples=400, deadline=None)
@given(_methods, st.lists(_parts, min_size=1, max_size=8), _queries, _headers, st.booleans())
def test_gate_anything_that_passes_read_only_is_a_read_to_the_oracle(
    method: str,
    parts: list[str],
    query: dict[str, str],
    headers: list[tuple[str, str]],
    has_body: bool,
) -> None:
    """On call with --read-only nothing may change, whatever bug builds the request."""
    raw = "&".join(f"{key}={value}" for key, value in query.items())
    target = "/" + "/".join(parts) + (f"?{raw}" if raw else "")
    case = Case(method, target, headers=tuple(headers), body=b"{}" if has_body else b"")
    if case.is_allowed(READ):
        assert is_harmless(case)


# Mutants ---------------------------------------------------------------------------------


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Gt: ast.LtE,
}


class _Mutation(ast.NodeTransformer):
    """Makes one change, the one with its number; counts those that there could be."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seen = -1
        self.what = ""

    def _is_it(self, node: ast.AST, what: str) -> bool:
        self.seen += 1
        if self.seen == self.number:
            self.what = f"gate.py:{getattr(node, 'lineno', 0)} {what}"
        return self.seen == self.number

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        if self._is_it(node.test, "condition never true"):
            node.test = ast.Constant(False)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if self._is_it(node, "comparison turned round"):
            node.ops = [_OPPOSITE[type(op)]() for op in node.ops]
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.values[-1], ast.Constant):
            return node  # a default in place of None, which is as false
        for place in range(len(node.values)):
            if self._is_it(node, f"operand {place + 1} left out"):
                del node.values[place]
                return node.values[0] if len(node.values) == 1 else node
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if self._is_it(node, "not left out") else node

    def visit_Set(self, node: ast.Set) -> ast.AST:
        self.generic_visit(node)
        for place in range(len(node.elts)):
            if self._is_it(node.elts[place], "element left out"):
                del node.elts[place]
                return node if node.elts else ast.Tuple([], ast.Load())
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == "fullmatch" and self._is_it(node, "fullmatch is match"):
            node.attr = "match"
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        is_lower = isinstance(node.func, ast.Attribute) and node.func.attr == "lower"
        if is_lower and self._is_it(node, "lower left out"):
            assert isinstance(node.func, ast.Attribute)
            return node.func.value
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        is_call = isinstance(node.value, ast.Call)
        return ast.Pass() if is_call and self._is_it(node, "check left out") else node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        return ast.Pass() if node.value is None and self._is_it(node, "return left out") else node


def _mutant(number: int) -> tuple[types.ModuleType, str] | None:
    tree = ast.parse(inspect.getsource(gate))
    change = _Mutation(number)
    tree = ast.fix_missing_locations(change.visit(tree))
    if change.seen < number:
        return None
    module = types.ModuleType("mutant_gate")
    module.__dict__["__name__"] = "fleettui.kube.gate_mutant"
    sys.modules[module.__name__] = module
    exec(compile(tree, "mutant", "exec"), module.__dict__)
    return module, change.what


def test_gate_every_mutant_is_noticed_by_the_table() -> None:
    """A condition that no case needs is one that can be lost without anybody noticing."""
    survivors = []
    number = 0
    while (made := _mutant(number)) is not None:
        module, what = made
        if not _is_noticed(module):
            survivors.append(what)
        number += 1
    assert number >= 150
    assert not survivors, "\n".join(survivors)


def _is_noticed(module: types.ModuleType) -> bool:
    try:
        is_wrong = any(
            case.is_allowed(policy, module.check) is not case.expected(policy)
            for case in CASES
            for policy in POLICIES.values()
        )
    except AssertionError:
        return True  # it crashes instead of refusing
    return is_wrong or _prefix_is_lost(module)


def _prefix_is_lost(module: types.ModuleType) -> bool:
    try:
        module.strip_prefix("/api/v1/pods", "/k8s/clusters/c-1")
    except Exception:  # the mutant's own class of refusal
        return False
    return True
