"""Post-build variables of a Flux Kustomization, and how they enter its objects.

Knows where variables come from, which names are valid, and that a whole object's YAML
text goes through the expansion, so types follow the values. A source that may not be
read leaves its variables unknown instead of empty. Knows nothing of kustomize.

Source: github.com/fluxcd/pkg/kustomize ``SubstituteVariables`` at e2cfd1a.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Protocol

from fleettui.desired.envsubst import SubstitutionError, expand
from fleettui.desired.objects import (
    Manifest,
    checked_manifest,
    id_of,
    items_of,
    mapping_of,
    nested,
    switch_of,
    text_of,
)
from fleettui.desired.unknown import unknown_text
from fleettui.errors import FleettuiError
from fleettui.manifests import dump_yaml, read_document

_NAME = re.compile(r"^[_A-Za-z][_A-Za-z0-9]*$")


class VariableReader(Protocol):
    """Reads the objects that variables come from."""

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """An object; None: there is none. Raises FleettuiError if it may not be read."""


@dataclass(frozen=True, slots=True)
class Variables:
    """Values for an expansion."""

    values: dict[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    """Sources that could not be read: any value may come from them."""
    always: bool = False
    """Expand even without a single value."""
    strict: bool = True
    """A variable without value and default is an error."""

    def lookup(self, name: str) -> str | None:
        """A variable's value; marked text if it may come from an unread source."""
        value = self.values.get(name)
        if value is None and self.unread:
            return unknown_text(f"${{{name}}} from {', '.join(self.unread)}")
        return value


async def read_variables(
    kustomization: Manifest, reader: VariableReader | None, *, strict: bool = True
) -> Variables:
    """Variables of a Kustomization: ``substituteFrom`` in order, then ``substitute``.

    Args:
        kustomization: the live object.
        reader: reads ConfigMaps and Secrets of its namespace; None: nothing is readable.
        strict: what the controller's StrictPostBuildSubstitutions says.

    Raises:
        SubstitutionError: a required source does not exist, or a name is not valid.
    """
    post_build = mapping_of(nested(kustomization, "spec", "postBuild"))
    namespace = text_of(nested(kustomization, "metadata", "namespace"))
    values: dict[str, str] = {}
    unread: list[str] = []
    for item in items_of(post_build.get("substituteFrom")):
        kind, name = text_of(nested(item, "kind")), text_of(nested(item, "name"))
        try:
            if reader is None:
                raise FleettuiError("nothing to read it with")
            source = await reader.get("v1", kind, namespace, name)
        except FleettuiError:
            unread.append(f"{kind}/{name}")
            continue
        if source is None:
            if nested(item, "optional") is True:
                continue
            raise SubstitutionError(
                f"substitute from {kind}/{name}: it does not exist in {namespace}"
            )
        data = source.get("data")
        if kind == "Secret" and not isinstance(data, dict):
            unread.append(f"{kind}/{name}")
            continue
        found = {key: _plain(value, kind) for key, value in mapping_of(data).items()}
        values.update(found)
    for key, value in mapping_of(post_build.get("substitute")).items():
        values[key] = text_of(value)
    for key in values:
        if not _NAME.match(key):
            raise SubstitutionError(f"variable name {key!r} is not valid")
    cleaned = {key: value.replace("\n", "") for key, value in values.items()}
    always = text_of(post_build.get("substituteStrategy")) == "Always"
    return Variables(cleaned, tuple(unread), always, strict)


def _plain(value: object, kind: str) -> str:
    text = text_of(value)
    if kind != "Secret":
        return text
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return unknown_text("a value that is not text")


def substituted(document: dict[str, object], variables: Variables) -> dict[str, object]:
    """An object with variables expanded; the same object if there is nothing to expand.

    Raises:
        SubstitutionError: an expression is malformed, or a variable is missing.
        UnreadableError: the expanded text is not YAML any more.
    """
    if not (variables.values or variables.unread or variables.always):
        return document
    if switch_of(document, "substitute") == "disabled":
        return document
    if not _has_dollar(document):
        return document
    plain = _plainly_substituted(document, variables)
    if isinstance(plain, dict):
        return plain
    text = dump_yaml(document, sort_keys=True)
    identity = id_of(document)
    try:
        expanded = expand(text, variables.lookup, strict=variables.strict)
    except SubstitutionError as error:
        raise SubstitutionError(str(error), where=str(identity), hint=error.hint) from error
    return checked_manifest(read_document(expanded, name=str(identity)), where=str(identity))


_PLAIN_TEXT = re.compile(
    r"[A-Za-z0-9_./-]*(?:\$\{[_A-Za-z][_A-Za-z0-9]*\}[A-Za-z0-9_./-]*)+", re.ASCII
)
_VARIABLE = re.compile(r"\$\{([_A-Za-z][_A-Za-z0-9]*)\}", re.ASCII)
_PLAIN_RESULT = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*", re.ASCII)
_TYPED_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})


def _plainly_substituted(value: object, variables: Variables) -> object:
    """A value with plain variables expanded in place; None: it needs the way through YAML.

    Most objects hold words and ``${name}`` alone; what comes out then is text, whatever
    YAML does with it. Writing and reading an object is ten times as expensive.
    """
    if isinstance(value, str):
        return value if "$" not in value else _plain_expanded(value, variables)
    if isinstance(value, dict):
        result: dict[str, object] = {}
        for key, item in value.items():
            found = None if "$" in key else _plainly_substituted(item, variables)
            if found is None and (item is not None or "$" in key):
                return None
            result[key] = found
        return result
    if isinstance(value, list):
        items = [_plainly_substituted(item, variables) for item in value]
        lost = any(new is None and old is not None for new, old in zip(items, value, strict=True))
        return None if lost else items
    return value


def _plain_expanded(text: str, variables: Variables) -> str | None:
    if not _PLAIN_TEXT.fullmatch(text):
        return None
    values = {name: variables.lookup(name) for name in _VARIABLE.findall(text)}
    if any(value is None for value in values.values()):
        return None
    result = _VARIABLE.sub(lambda match: values[match[1]] or "", text)
    is_text = _PLAIN_RESULT.fullmatch(result) and result.lower() not in _TYPED_WORDS
    return result if is_text else None


def _has_dollar(value: object) -> bool:
    """Whether there is anything to expand; far cheaper than writing the object as YAML."""
    if isinstance(value, str):
        return "$" in value
    if isinstance(value, dict):
        return any("$" in key or _has_dollar(item) for key, item in value.items())
    return isinstance(value, list) and any(_has_dollar(item) for item in value)
