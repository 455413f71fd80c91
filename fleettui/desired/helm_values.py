"""Values of a Helm release: what Flux merges, in its order, and their digest.

Knows ``valuesFrom`` and how Helm lays mappings over each other, and that a release
records a digest of its values. Reads ConfigMaps and Secrets only through the reader it
is given.

Source: fluxcd/pkg chartutil v1.28 (``ChartValuesFromReferences``, ``DigestValues``,
``MergeMaps``); Helm strvals.
"""

import base64
import binascii
import copy
from collections.abc import Mapping
from dataclasses import dataclass

from fleettui.desired.kustomization_file import RenderError
from fleettui.desired.objects import Manifest, items_of, mapping_of, nested, text_of
from fleettui.desired.single_values import set_value, typed_value
from fleettui.desired.substitution import VariableReader
from fleettui.desired.unknown import unknown_text
from fleettui.desired.values_digest import values_digest
from fleettui.errors import FleettuiError
from fleettui.manifests import read_document


@dataclass(frozen=True, slots=True)
class Values:
    """Values of a release."""

    values: dict[str, object]
    unread: tuple[str, ...] = ()
    """Sources that may not be read: the values are not complete."""
    hidden: tuple[str, ...] = ()
    """Sources of single values that may not be read: those are marked as unknown."""
    has_secrets: bool = False
    """Whether values of a Secret were read: nothing made of them goes to a disk."""

    @property
    def is_complete(self) -> bool:
        """Whether every value is known."""
        return not self.unread and not self.hidden

    @property
    def digest(self) -> str:
        """What helm-controller records as ``configDigest`` for these values."""
        return values_digest(self.values)


async def read_values(release: Manifest, reader: VariableReader | None) -> Values:
    """Values of a HelmRelease: ``valuesFrom`` in order, then ``values``.

    Raises:
        RenderError: a required source or key does not exist.
        UnreadableError: a source is not YAML.
    """
    namespace = text_of(nested(release, "metadata", "namespace"))
    merged: dict[str, object] = {}
    unread: list[str] = []
    hidden: list[str] = []
    has_secrets = False
    for item in items_of(nested(release, "spec", "valuesFrom")):
        reference = mapping_of(item)
        where = f"{text_of(reference.get('kind'))}/{text_of(reference.get('name'))}"
        target = text_of(reference.get("targetPath"))
        data = await _data_of(reference, namespace, reader)
        if data is None and target:
            hidden.append(where)
            set_value(merged, target, unknown_text(f"from {where}"), where)
        elif data is None:
            unread.append(where)
        else:
            has_secrets = has_secrets or (reference.get("kind") == "Secret" and bool(data))
            _add_source(merged, data, reference, where, namespace)
    _merge(merged, mapping_of(nested(release, "spec", "values")))
    return Values(merged, tuple(unread), tuple(hidden), has_secrets)


async def _data_of(
    reference: Manifest, namespace: str, reader: VariableReader | None
) -> Manifest | None:
    """Contents of a source, empty if there is none; None: it may not be read."""
    kind, name = text_of(reference.get("kind")), text_of(reference.get("name"))
    if reader is None:
        return None
    try:
        source = await reader.get("v1", kind, namespace, name)
    except FleettuiError:
        return None
    data = (source or {}).get("data")
    if source is not None and kind == "Secret" and not isinstance(data, dict):
        return None
    return mapping_of(data)


def _add_source(
    merged: dict[str, object], data: Manifest, reference: Manifest, where: str, namespace: str
) -> None:
    key = text_of(reference.get("valuesKey")) or "values.yaml"
    value = data.get(key)
    if not isinstance(value, str):
        if reference.get("optional") is True:
            return
        raise RenderError(f"values from {where}: no key {key} in {namespace}")
    text = _decoded(value, text_of(reference.get("kind")))
    target = text_of(reference.get("targetPath"))
    if target:
        is_literal = reference.get("literal") is True
        set_value(merged, target, text if is_literal else typed_value(text, where), where)
    else:
        _merge(merged, mapping_of(read_document(text, name=where)))


def _decoded(value: str, kind: str) -> str:
    if kind != "Secret":
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RenderError("a Secret's values are not text") from error


def _merge(base: dict[str, object], over: Manifest) -> None:
    """Lays mappings over each other; null stays, for Helm drops the chart's own value then."""
    for key, value in over.items():
        known = base.get(key)
        if isinstance(value, Mapping) and isinstance(known, dict):
            _merge(known, value)
        else:
            base[key] = copy.deepcopy(value)
