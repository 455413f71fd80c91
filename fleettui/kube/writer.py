"""Changes objects: the one way to do so, and it does not exist in read-only mode.

Knows patches, deletions with preconditions and Events; nothing is ever repeated
by itself, because an answer that got lost does not say that nothing happened.

Source: Kubernetes API concepts (patch types, dry run, field managers,
preconditions); core/v1 Event.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from fleettui.kube.calls import JSON, Call, Caller, Purpose
from fleettui.kube.gate import Policy, ReadOnlyViolation
from fleettui.kube.resource import Resource

FIELD_MANAGER = "fleettui"
MAX_OBJECT_BYTES = 16 << 20


class PatchType(StrEnum):
    """How a patch is meant."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Target:
    """One object that is changed."""

    resource: Resource
    namespace: str
    name: str
    subresource: str = ""

    @property
    def path(self) -> str:
        """Where the object stands."""
        return self.resource.path(
            namespace=self.namespace, name=self.name, subresource=self.subresource
        )


class DryRuns:
    """Asks the server what an apply would give; can do nothing else."""

    def __init__(self, caller: Caller, *, policy: Policy) -> None:
        """Exists only where writing is allowed: a dry run needs the right to patch.

        Raises:
            ReadOnlyViolation: the policy allows no writes.
        """
        if not policy.writes:
            raise ReadOnlyViolation(
                "a dry run is a PATCH, and this context is read-only",
                hint="compare with --mode read-only, which needs only get",
            )
        self._caller = caller

    async def apply(
        self, resource: Resource, document: bytes, *, namespace: str, name: str, manager: str
    ) -> bytes:
        """The object as it would be stored after a forced server-side apply, JSON.

        Args:
            resource: the kind at the version of the document.
            document: the whole object, JSON.
            namespace: empty for cluster-wide objects.
            name: the object's name.
            manager: the field manager that would apply it.

        Raises:
            ApiError: INVALID, FORBIDDEN and what else the server refuses.
        """
        call = Call(
            resource.path(namespace=namespace, name=name),
            method="PATCH",
            query=(("dryRun", "All"), ("fieldManager", manager), ("force", "true")),
            body=document,
            content_type=PatchType.APPLY,
        )
        async with self._caller.open(call) as answer:
            return await answer.read(limit_bytes=MAX_OBJECT_BYTES)


class Writer:
    """Sends changes to one context."""

    def __init__(self, caller: Caller, *, policy: Policy) -> None:
        """Exists only where writing is allowed.

        Raises:
            ReadOnlyViolation: the policy allows no writes.
        """
        if not policy.writes:
            raise ReadOnlyViolation(
                "this context is read-only", hint="Start without --read-only to change things."
            )
        self._caller = caller

    async def patch(
        self,
        target: Target,
        patch: bytes,
        *,
        patch_type: PatchType,
        dry_run: bool = False,
        force: bool = False,
        field_manager: str = FIELD_MANAGER,
    ) -> bytes:
        """Patches one object and gives it back as the server has it now, JSON.

        Args:
            target: what is patched.
            patch: the patch document, JSON also for an apply.
            patch_type: how it is meant.
            dry_run: let the server compute the result and store nothing.
            force: for an apply: take over fields of other managers.
            field_manager: whom the fields belong to.

        Raises:
            ApiError: CONFLICT, INVALID (a failed test), FORBIDDEN; see
                ``ApiError.is_outcome_unknown``.
        """
        query = [("fieldManager", field_manager), ("fieldValidation", "Strict")]
        if dry_run:
            query.append(("dryRun", "All"))
        if force:
            query.append(("force", "true"))
        return await self._send(
            Call(
                target.path,
                method="PATCH",
                query=tuple(query),
                body=patch,
                content_type=patch_type,
            )
        )

    async def delete(
        self,
        target: Target,
        *,
        uid: str,
        resource_version: str = "",
        propagation: str = "Background",
        dry_run: bool = False,
    ) -> bytes:
        """Asks for the deletion of the object with this uid, and no other of its name.

        A dry run is asked for in the body: beside a body, a server does not look at
        the query, and would delete the object.

        Source: apiserver endpoints/handlers/delete.go.

        Raises:
            ApiError: CONFLICT when uid or version are not these; see
                ``ApiError.is_outcome_unknown``.
        """
        preconditions = {"uid": uid}
        if resource_version:
            preconditions["resourceVersion"] = resource_version
        options: dict[str, object] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": preconditions,
            "propagationPolicy": propagation,
        }
        if dry_run:
            options["dryRun"] = ["All"]
        return await self._send(
            Call(
                target.path,
                method="DELETE",
                body=msgspec.json.encode(options),
                content_type=JSON,
            )
        )

    async def create_event(self, namespace: str, document: bytes) -> bytes:
        """Records an Event.

        Raises:
            ApiError: no success.
        """
        resource = Resource("", "v1", "events", "Event")
        return await self._send(
            Call(
                resource.path(namespace=namespace),
                method="POST",
                query=(("fieldManager", FIELD_MANAGER),),
                body=document,
                content_type=JSON,
            )
        )

    async def _send(self, call: Call) -> bytes:
        async with self._caller.open(replace(call, purpose=Purpose.ACT)) as answer:
            return await answer.read(limit_bytes=MAX_OBJECT_BYTES)
