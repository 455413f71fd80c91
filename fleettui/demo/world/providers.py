"""Infrastructure objects of self-managed clusters, made from the providers' data files.

Each file of data/providers tells one provider's kinds, fields and condition types; marks such as
`@machine@` stand for what differs between the objects of one cluster.
"""

from __future__ import annotations

import copy
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from fleettui.demo.world.catalogue import api_version
from fleettui.demo.world.conditions import classic, fine
from fleettui.demo.world.drafts import Document, metadata

INFRASTRUCTURE = "infrastructure.cluster.x-k8s.io"


@cache
def provider(name: str) -> dict[str, Any]:
    """The data of one provider, shared: not to be changed."""
    data: dict[str, Any] = data_file(f"providers/{name}.yaml")
    return data


def infrastructure_group(provider_name: str) -> str:
    """The API group of a provider's own kinds."""
    return str(provider(provider_name).get("group", INFRASTRUCTURE))


@cache
def data_file(path: str) -> Any:
    """One YAML data file below world/data, read once; shared: not to be changed."""
    text = files(__package__).joinpath(f"data/{path}").read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def marked(value: Any, marks: dict[str, str]) -> Any:
    """A copy with every `@mark@` in its texts replaced."""
    if isinstance(value, str):
        for mark, text in marks.items():
            value = value.replace(f"@{mark}@", text)
        return value
    if isinstance(value, dict):
        return {marked(key, marks): marked(item, marks) for key, item in value.items()}
    if isinstance(value, list):
        return [marked(item, marks) for item in value]
    return value


def infrastructure_cluster(provider_name: str, name: str, *, role: str) -> Document:
    """The provider's cluster object in its healthy state."""
    data = provider(provider_name)
    return _object(data, data["cluster"], name, role=role, marks={})


def infrastructure_machine(provider_name: str, name: str, *, role: str, number: int) -> Document:
    """The provider's machine object in its healthy state, spec.providerID included."""
    data = provider(provider_name)
    marks = machine_marks(data, name, role=role, number=number)
    entry = data["machine"]
    if "/cp/" in role and "plane_conditions" in entry:
        entry = entry | {"conditions": entry["plane_conditions"]}
    document = _object(data, entry, name, role=role, marks=marks)
    document["spec"]["providerID"] = provider_id(provider_name, name, role=role, number=number)
    return document


def failure_domain(provider_name: str, *, role: str, number: int) -> str:
    """Where a control plane's machine is put; "" where the provider tells no domains."""
    data = provider(provider_name)
    told = data["machine"].get("failure_domain", "") if "/cp/" in role else ""
    return str(marked(told, machine_marks(data, "", role=role, number=number)))


def provider_id(provider_name: str, name: str, *, role: str, number: int) -> str:
    """spec.providerID of a machine."""
    data = provider(provider_name)
    return str(
        marked(
            data["machine"]["provider_id"],
            machine_marks(data, name, role=role, number=number),
        )
    )


def machine_marks(data: dict[str, Any], name: str, *, role: str, number: int) -> dict[str, str]:
    """What stands for the marks in a machine's texts."""
    kind = "control-plane" if "/cp/" in role or role.endswith("/cp") else "node"
    return {
        "machine": name,
        "n": str(10 + number),
        "number": str(number),
        "octet": str(16 + number % 7),
        "id": f"{number * 2654435761 % 0xFFFFFFFF:08x}",
        "zone": f"${{zone{'abc'[number % 3]}}}",
        "az": str(number % 3 + 1),
        "role": "cp" if kind == "control-plane" and "vmSize" in str(data["machine"]) else kind,
        "size": data.get("sizes", {}).get(kind, ""),
    }


def machine_template(provider_name: str, name: str, *, role: str) -> Document:
    """The provider's machine template."""
    data = provider(provider_name)
    marks = machine_marks(data, name, role=role, number=0)
    kind = data["template"]["kind"]
    return {
        "apiVersion": api_version(infrastructure_group(provider_name), kind),
        "kind": kind,
        "metadata": metadata(name, role=role),
        "spec": {"template": {"spec": marked(data["template"]["spec"], marks)}},
    }


def machine_extra(provider_name: str, name: str, *, role: str, number: int) -> Document | None:
    """An object of the provider that belongs to a machine (VSphereVM, BareMetalHost)."""
    data = provider(provider_name)
    extra = data.get("extra")
    if extra is None:
        return None
    marks = machine_marks(data, name, role=role, number=number)
    own = marked(extra.get("name", name), marks)
    return _object(data, extra, own, role=role, marks=marks)


def _object(
    data: dict[str, Any], entry: dict[str, Any], name: str, *, role: str, marks: dict[str, str]
) -> Document:
    kind = entry["kind"]
    status = marked(copy.deepcopy(entry.get("status", {})), marks)
    status |= _conditions(data["scheme"], entry.get("conditions", ()))
    return {
        "apiVersion": api_version(entry.get("group", data.get("group", INFRASTRUCTURE)), kind),
        "kind": kind,
        "metadata": metadata(
            name,
            role=role,
            annotations=marked(entry.get("annotations", {}), marks),
            finalizers=list(entry.get("finalizers", ())),
        ),
        "spec": marked(copy.deepcopy(entry["spec"]), marks),
        "status": status,
    }


def _conditions(scheme: str, kinds: list[str]) -> Document:
    if not kinds and scheme not in ("modern", "doubled"):
        return {}
    if scheme == "doubled" and kinds:
        before = {"conditions": [classic(kind) for kind in kinds]}
        return _conditions("modern", kinds) | {"deprecated": {"v1beta1": before}}
    if scheme == "classic":
        return {"conditions": [classic(kind) for kind in kinds]}
    if scheme == "both":
        new = [fine(kind) for kind in kinds] + [fine("Paused")]
        old = [classic(kind) for kind in kinds]
        return {"conditions": old, "v1beta2": {"conditions": new}}
    return {"conditions": [fine(kind) for kind in kinds] + [fine("Paused")]}
