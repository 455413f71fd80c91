"""Label and field selectors.

Source: k8s.io/apimachinery labels.Parse and fields.ParseSelector; supported field labels of the
compiled-in types from k8s.io/kubernetes pkg/apis/core/v1/conversion.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from fleettui.demo.apiserver.errors import ApiError, bad_request
from fleettui.demo.apiserver.jsonpath import first_value
from fleettui.demo.apiserver.resources import Resource

_REQUIREMENT = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<gone>[\w./-]+)"
    r"|(?P<key>[\w./-]+)\s*(?:(?P<set>in|notin)\s*\((?P<values>[^)]*)\)"
    r"|(?P<op>==|=|!=)\s*(?P<value>[\w.-]*))?)\s*(?:,|$)"
)
_FIELDS: Mapping[tuple[str, str], frozenset[str]] = {
    ("", "events"): frozenset(
        {
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        }
    ),
    ("", "pods"): frozenset(
        {"spec.nodeName", "spec.restartPolicy", "status.phase", "status.podIP"}
    ),
    ("", "secrets"): frozenset({"type"}),
    ("", "namespaces"): frozenset({"status.phase"}),
    ("", "nodes"): frozenset({"spec.unschedulable"}),
}
_ALWAYS = frozenset({"metadata.name", "metadata.namespace"})


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term of a label selector."""

    key: str
    operator: str
    """One of in, notin, exists, absent."""
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels satisfies the term."""
        if self.operator == "exists":
            return self.key in labels
        if self.operator == "absent":
            return self.key not in labels
        if self.operator == "in":
            return labels.get(self.key) in self.values
        return labels.get(self.key) not in self.values


class _Meta(msgspec.Struct):
    labels: dict[str, str] = {}


class _Labelled(msgspec.Struct):
    metadata: _Meta


_LABELS = msgspec.json.Decoder(_Labelled)


@dataclass(frozen=True, slots=True)
class Selector:
    """A label and a field selector together."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[tuple[str, bool, str], ...] = ()
    """(path, whether it must be equal, value)."""

    @property
    def is_empty(self) -> bool:
        """Whether everything matches."""
        return not self.labels and not self.fields

    @property
    def exact_name(self) -> str | None:
        """The only name that can match, if the selector fixes one."""
        return next((v for path, eq, v in self.fields if path == "metadata.name" and eq), None)

    @property
    def exact_namespace(self) -> str | None:
        """The only namespace that can match, if the selector fixes one."""
        return next((v for path, eq, v in self.fields if path == "metadata.namespace" and eq), None)

    def matches(self, data: bytes) -> bool:
        """Whether an object, as JSON, matches."""
        if self.labels:
            labels = _LABELS.decode(data).metadata.labels
            if not all(term.matches(labels) for term in self.labels):
                return False
        if not self.fields:
            return True
        document = msgspec.json.decode(data)
        return all((_field(document, path) == value) is equal for path, equal, value in self.fields)


def _field(document: Mapping[str, object], path: str) -> str:
    if path == "source":
        path = "source.component"
    value = first_value(document, "." + path)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def parse_selector(resource: Resource, labels: str, fields: str) -> Selector:
    """The selector of a request's labelSelector and fieldSelector.

    Raises:
        ApiError: 400 for what cannot be parsed or a field label that is not supported.
    """
    return Selector(_parse_labels(labels), _parse_fields(resource, fields))


def _parse_labels(text: str) -> tuple[Requirement, ...]:
    terms = []
    position = 0
    while position < len(text):
        found = _REQUIREMENT.match(text, position)
        if found is None or found.end() == position:
            raise bad_request(f"unable to parse requirement: found {text[position:]!r}")
        terms.append(_requirement(found))
        position = found.end()
    return tuple(terms)


def _requirement(found: re.Match[str]) -> Requirement:
    if found["absent"]:
        return Requirement(found["gone"], "absent")
    key = found["key"]
    if found["set"]:
        values = frozenset(part.strip() for part in found["values"].split(","))
        return Requirement(key, found["set"], values)
    if found["op"]:
        operator = "notin" if found["op"] == "!=" else "in"
        return Requirement(key, operator, frozenset({found["value"]}))
    return Requirement(key, "exists")


def _parse_fields(resource: Resource, text: str) -> tuple[tuple[str, bool, str], ...]:
    known = _ALWAYS | _FIELDS.get(resource.key, frozenset())
    terms = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        found = re.fullmatch(r"([^=!]+?)(==|=|!=)(.*)", part)
        if found is None:
            raise bad_request(f"invalid selector: {text!r}; can't understand {part!r}")
        path, operator, value = found.groups()
        if path not in known:
            raise _unsupported(path)
        terms.append((path, operator != "!=", value))
    return tuple(terms)


def _unsupported(path: str) -> ApiError:
    return bad_request(f"field label not supported: {path}")
