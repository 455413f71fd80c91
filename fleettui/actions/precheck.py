"""Whether a patch still means what the person confirmed, given the object as it is now.

Knows uid, relied-on fields and named list entries; sends nothing.
"""

from typing import Any

import msgspec

from fleettui.actions.documents import items_at, uid_of, value_at
from fleettui.actions.facts import Document
from fleettui.actions.plan import ContentType, FieldTest, Method, Patch, Refusal


def precheck(patch: Patch, document: Document | None) -> Patch | Refusal:
    """The patch as it has to be sent now, or why it may not be sent.

    A list-index patch gets the index that its entry has by now.
    """
    target = str(patch.target)
    if document is None:
        return Refusal(target=target, reason="it does not exist any more", hint="plan again")
    if uid_of(document) != patch.preconditions.uid:
        return Refusal(
            target=target,
            reason="it was deleted and created again under the same name since",
            hint="look at the new object, then plan again",
        )
    deleting = value_at(document, ("metadata", "deletionTimestamp"))
    if deleting is not None and patch.method is Method.DELETE:
        return Refusal(target=target, reason="it is being deleted already")
    for test in patch.preconditions.relies_on:
        if not holds(test, document):
            return Refusal(
                target=target,
                reason=f"{'.'.join(test.path)} has changed since it was planned",
                hint="plan again",
            )
    return _rebased(patch, document) if patch.named_entry else patch


def holds(test: FieldTest, document: Document) -> bool:
    """Whether a field is still what the plan relies on."""
    value = value_at(document, test.path)
    return value is None if test.absent else bool(value == test.value)


def entry_index(document: Document, path: tuple[str, ...], name: str) -> int:
    """Place of the entry with that name in a list, -1 when it is not there."""
    names = [entry.get("name") for entry in items_at(document, path)]
    return names.index(name) if name in names else -1


def _rebased(patch: Patch, document: Document) -> Patch | Refusal:
    *path, name = patch.named_entry
    index = entry_index(document, tuple(path), name)
    if index < 0 or patch.content_type is not ContentType.JSON:
        return Refusal(
            target=str(patch.target), reason=f"{'.'.join(path)} has no entry {name} any more"
        )
    prefix = "/" + "/".join(path) + "/"
    body: list[Any] = [
        {**operation, "path": _with_index(operation["path"], prefix, index)}
        for operation in patch.body
    ]
    return msgspec.structs.replace(patch, body=body)


def _with_index(text: str, prefix: str, index: int) -> str:
    if not text.startswith(prefix):
        return text
    _, slash, rest = text[len(prefix) :].partition("/")
    return f"{prefix}{index}{slash}{rest}"
