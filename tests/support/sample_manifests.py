"""Sample manifests of many projects as files of one repository.

Placeholders of clusterctl are filled in; every object gets a name of its own, so that
all of them can lie in one namespace.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fleettui.desired.envsubst import SubstitutionError, expand
from fleettui.errors import UnreadableError
from fleettui.manifests import dump_yaml, read_documents

Document = dict[str, Any]

_VALUES = (
    ("COUNT", "3"),
    ("SIZE", "3"),
    ("MACHINES", "3"),
    ("PORT", "6443"),
    ("VERSION", "v1.34.1"),
    ("CIDR", "10.0.0.0/16"),
    ("_ID", "00000000-0000-0000-0000-000000000000"),
)


def sample_documents(folder: Path, namespace: str) -> Iterator[tuple[str, Document]]:
    """Path and object of every sample that can be filled in, renamed; status left out."""
    serial = 0
    for path in sorted(folder.rglob("*.yaml")):
        inner = path.relative_to(folder).with_suffix("").as_posix()
        try:
            text = expand(path.read_text(), _value)
            documents = [item.value for item in read_documents(text, name=inner)]
        except (SubstitutionError, UnreadableError):
            continue
        for document in documents:
            if not isinstance(document, dict) or not (document.get("metadata") or {}).get("name"):
                continue
            serial += 1
            metadata: Any = document["metadata"]
            words = re.sub(r"[^a-z0-9]+", "-", f"{inner} {metadata['name']}".lower())
            kept = {"labels": metadata["labels"]} if metadata.get("labels") else {}
            name = f"s{serial}-{words[-50:].strip('-')}"
            document["metadata"] = {"name": name, "namespace": namespace, **kept}
            document.pop("status", None)
            yield f"{inner}-{serial}.yaml", document


def as_files(documents: Iterator[tuple[str, Document]]) -> dict[str, str]:
    """Texts by path."""
    return {path: dump_yaml(document) for path, document in documents}


def _value(name: str) -> str:
    return next((value for word, value in _VALUES if word in name), "x1")
