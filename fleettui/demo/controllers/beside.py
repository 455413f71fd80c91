"""What providers keep beside a machine, made anew for a new one and given back by an old one.

Clones of a virtual machine, claims and the data rendered for them; hosts of bare metal are
taken, not made, as long as one is free. Source: Metal3 and Hetzner association of hosts;
CAPM3 Metal3DataClaim; CAPV VSphereVM; CAPO OpenStackServer.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from fleettui.demo.controllers.endings import owned
from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.world.catalogue import group_of, resource_of

_HOST = "BareMetalHost"
_NUMBERED = re.compile(r"(.*-)(\d+)")
_STAMPED = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation")


class Host(NamedTuple):
    """A host that a machine runs on, named by an annotation such as metal3.io/BareMetalHost."""

    group: str
    kind: str
    namespace: str
    name: str


def host_of(infrastructure: Document) -> Host | None:
    """The host that an infrastructure machine names; None if its kind has none."""
    for key, value in infrastructure["metadata"].get("annotations", {}).items():
        group, _, kind = key.partition("/")
        if kind.endswith(_HOST):
            namespace, _, name = value.partition("/")
            return Host(group, kind, namespace, name)
    return None


def take_host(kit: Kit, model: Document, machine: str) -> dict[str, str]:
    """Let a new machine take a free host; texts to replace where the model names its own.

    Empty for machines that need no host. A host is added where none is free.
    """
    host = host_of(model)
    old = kit.get(*host) if host is not None else None
    if host is None or old is None:
        return {}
    prefix = _NUMBERED.sub(r"\1", host.name)
    others = [h for h in kit.all_of(host.group, host.kind, host.namespace) if _is_of(h, prefix)]
    free = next((other for other in others if "consumerRef" not in other["spec"]), None)
    if free is None:
        free = kit.create(_renamed(old, {host.name: _next_name(host.name, others)}, {}))
    consumer = copy.deepcopy(old["spec"]["consumerRef"]) | {"name": machine}
    kit.set_spec(free, {"consumerRef": consumer})
    provisioned = {"provisioning": {"state": "provisioned"}}
    if "provisioning" in old.get("status", {}):
        kit.set_status(free, provisioned)
    return {host.name: free["metadata"]["name"]}


def release_host(kit: Kit, infrastructure: Document) -> None:
    """Give the host of a machine that is gone back to those that wait for one."""
    host = host_of(infrastructure)
    own = kit.get(*host) if host is not None else None
    if own is None:
        return
    kit.change(own, lambda document: document["spec"].pop("consumerRef", None))
    if "provisioning" in own.get("status", {}):
        kit.set_status(own, {"provisioning": {"state": "available"}})


def bring_beside(kit: Kit, model: Document, made: Document, texts: dict[str, str]) -> None:
    """Make for a new infrastructure machine what the model's provider keeps beside its own.

    Args:
        kit: the store.
        model: infrastructure of the machine that the new one is like.
        made: infrastructure of the new machine.
        texts: what to replace in the clones, such as the machine's name.
    """
    found = list(_descendants(kit, model))
    names = dict(texts)
    for document in found:
        name = document["metadata"]["name"]
        if not any(old in name for old in texts):
            kind = group_of(document["apiVersion"]), document["kind"]
            others = kit.all_of(*kind, document["metadata"]["namespace"])
            names[name] = _next_name(name, others)
    uids = {model["metadata"]["uid"]: made["metadata"]["uid"]}
    for document in found:
        created = kit.create(_renamed(document, names, uids))
        uids[document["metadata"]["uid"]] = created["metadata"]["uid"]


def _descendants(kit: Kit, owner: Document) -> Iterator[Document]:
    for child in (*owned(kit, owner), *_secrets(kit, owner)):
        yield child
        yield from _descendants(kit, child)


def _secrets(kit: Kit, owner: Document) -> Iterator[Document]:
    marker = f'"uid":"{owner["metadata"]["uid"]}"'.encode()
    table = kit.store.table(resource_of("", "Secret"))
    for _, data in table.scan(namespace=owner["metadata"]["namespace"]):
        if marker in data:
            secret: Document = msgspec.json.decode(data)
            if any(o["uid"] == owner["metadata"]["uid"] for o in _owners(secret)):
                yield secret


def _owners(document: Document) -> list[Document]:
    owners: list[Document] = document["metadata"].get("ownerReferences", [])
    return owners


def _is_of(document: Document, prefix: str) -> bool:
    name: str = document["metadata"]["name"]
    return name.startswith(prefix) and name[len(prefix) :].isdigit()


def _next_name(name: str, others: list[Document]) -> str:
    """The name with the first number that none of the others has."""
    found = _NUMBERED.fullmatch(name)
    if found is None:
        return f"{name}-1"
    prefix = found[1]
    taken = [int(o["metadata"]["name"][len(prefix) :]) for o in others if _is_of(o, prefix)]
    return f"{prefix}{max(taken, default=0) + 1}"


def _renamed(document: Document, texts: dict[str, str], uids: dict[str, str]) -> Document:
    """A clone with names replaced as whole words, ready to be stored."""
    data = msgspec.json.encode(document).decode()
    for old, new in texts.items():
        data = re.sub(rf"(?<![\w.]){re.escape(old)}(?!\d)", new, data)
    clone: Document = msgspec.json.decode(data)
    for key in _STAMPED:
        clone["metadata"].pop(key, None)
    for owner in _owners(clone):
        owner["uid"] = uids.get(owner["uid"], owner["uid"])
    return clone
