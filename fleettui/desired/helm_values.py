"""Values of a Helm release: what Flux merges, in its order, and their digest.

Knows ``valuesFrom`` and how Helm lays mappings over each other, and that a release
records a digest of its values. Reads ConfigMaps and Secrets only through the reader it
is given.

Source: helm-controller v1.6 chartutil (``ChartValuesFromReferences``, ``DigestValues``).
"""

import base64
import binascii
import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from fleettui.desired.kustomization_file import RenderError
from fleettui.desired.objects import Manifest, items_of, mapping_of, nested, text_of
from fleettui.desired.substitution import VariableReader
from fleettui.errors import FleettuiError
from fleettui.manifests import dump_yaml, read_document


@dataclass(frozen=True, slots=True)
class Values:
    """Values of a release."""

    values: dict[str, object]
    unread: tuple[str, ...] = ()
    """Sources that may not be read: the values are not complete."""

    @property
    def digest(self) -> str:
        """What helm-controller records as ``configDigest`` for these values."""
        text = dump_yaml(self.values, sort_keys=True) if self.values else ""
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


async def read_values(release: Manifest, reader: VariableReader | None) -> Values:
    """Values of a HelmRelease: ``valuesFrom`` in order, then ``values``.

    Raises:
        RenderError: a required source or key does not exist.
        UnreadableError: a source is not YAML.
    """
    namespace = text_of(nested(release, "metadata", "namespace"))
    merged: dict[str, object] = {}
    unread: list[str] = []
    for item in items_of(nested(release, "spec", "valuesFrom")):
        reference = mapping_of(item)
        kind, name = text_of(reference.get("kind")), text_of(reference.get("name"))
        key = text_of(reference.get("valuesKey")) or "values.yaml"
        try:
            if reader is None:
                raise FleettuiError("nothing to read it with")
            source = await reader.get("v1", kind, namespace, name)
        except FleettuiError:
            unread.append(f"{kind}/{name}")
            continue
        data = (source or {}).get("data")
        if source is not None and kind == "Secret" and not isinstance(data, dict):
            unread.append(f"{kind}/{name}")
            continue
        value = mapping_of(data).get(key)
        if not isinstance(value, str):
            if reference.get("optional") is True:
                continue
            raise RenderError(f"values from {kind}/{name}: no key {key} in {namespace}")
        _add_source(merged, _decoded(value, kind), reference, f"{kind}/{name}")
    _merge(merged, mapping_of(nested(release, "spec", "values")))
    return Values(merged, tuple(unread))


def _decoded(value: str, kind: str) -> str:
    if kind != "Secret":
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RenderError("a Secret's values are not text") from error


def _add_source(merged: dict[str, object], text: str, reference: Manifest, where: str) -> None:
    target = text_of(reference.get("targetPath"))
    if not target:
        _merge(merged, mapping_of(read_document(text, name=where)))
        return
    place = merged
    *parents, last = target.split(".")
    for name in parents:
        inner = place.setdefault(name, {})
        if not isinstance(inner, dict):
            inner = place[name] = {}
        place = inner
    place[last] = text if reference.get("literal") is True else read_document(text, name=where)


def _merge(base: dict[str, object], over: Manifest) -> None:
    """Lays mappings over each other as Helm does; null removes a key."""
    for key, value in over.items():
        known = base.get(key)
        if isinstance(value, Mapping) and isinstance(known, dict):
            _merge(known, value)
        elif value is None:
            base.pop(key, None)
        else:
            base[key] = copy.deepcopy(value)
