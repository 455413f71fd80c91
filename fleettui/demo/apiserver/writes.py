"""Create, update, patch, scale and delete requests on a store.

Turns bodies and options into store calls; refuses to know about connections.
Source: k8s.io/apiserver endpoints/handlers (create, update, patch, delete).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from fleettui.demo.apiserver import patches
from fleettui.demo.apiserver.bodies import WriteOptions, decoded, document_of, invalid_option
from fleettui.demo.apiserver.errors import (
    ApiError,
    NotFound,
    bad_request,
    invalid,
    unsupported_media_type,
)
from fleettui.demo.apiserver.jsonpath import first_value, with_value
from fleettui.demo.apiserver.resources import Resource, api_version_of
from fleettui.demo.apiserver.store import Store
from fleettui.demo.apiserver.target import Target

Document = dict[str, Any]
_JSON_PATCH = "application/json-patch+json"
_MERGE_PATCH = "application/merge-patch+json"
_STRATEGIC_PATCH = "application/strategic-merge-patch+json"
_APPLY_PATCH = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of a write: an object to be sent in the requested form."""

    document: Document
    status: int = 200


class Writes:
    """Answers the writes of one resource type of one store."""

    def __init__(self, store: Store, resource: Resource, target: Target) -> None:
        self._store = store
        self._resource = resource
        self._target = target

    def create(self, body: bytes, content_type: str, options: WriteOptions) -> Written:
        """POST to a collection.

        Raises:
            ApiError: as a real server answers.
        """
        document = self._checked(document_of(body, content_type))
        namespace = self._target.namespace if self._resource.namespaced else ""
        if namespace:
            document["metadata"].setdefault("namespace", namespace)
            if document["metadata"]["namespace"] != namespace:
                raise bad_request(
                    "the namespace of the provided object does not match the namespace sent on "
                    "the request"
                )
        document = self._store.types.to_storage(self._resource, document, self._target.version)
        created = self._store.create(
            self._resource, document, manager=options.manager, dry_run=options.dry_run
        )
        return Written(created, 201)

    def update(self, body: bytes, content_type: str, options: WriteOptions) -> Written:
        """PUT of an object, its status or its scale.

        Raises:
            ApiError: as a real server answers.
        """
        if self._target.subresource == "scale":
            return self._scale(lambda _: document_of(body, content_type), options)
        document = self._checked(document_of(body, content_type))
        metadata = document["metadata"]
        if metadata.get("name") != self._target.name:
            raise bad_request(
                f"the name of the object ({metadata.get('name', '')}) does not match the name on "
                f"the URL ({self._target.name})"
            )
        if self._resource.is_crd and not metadata.get("resourceVersion"):
            raise invalid(
                self._resource.qualified,
                self._target.name,
                (
                    "metadata.resourceVersion",
                    "Invalid value: 0: must be specified for an update",
                ),
            )
        stored = self._store.types.to_storage(self._resource, document, self._target.version)
        return Written(self._transform(lambda _: stored, options))

    def patch(
        self,
        body: bytes,
        content_type: str,
        options: WriteOptions,
        *,
        query: Mapping[str, str],
    ) -> Written:
        """PATCH of an object, its status or its scale.

        Raises:
            ApiError: as a real server answers.
        """
        media = content_type.split(";")[0].strip()
        if media == _APPLY_PATCH:
            return self._apply(body, content_type, options, query)
        if "force" in query:
            raise invalid_option(
                "PatchOptions", "force", "Forbidden: may not be specified for non-apply patch"
            )
        change = self._change(media, decoded(body, content_type))
        if self._target.subresource == "scale":
            return self._scale(change, options)
        return Written(self._transform(self._in_version(change), options))

    def _change(self, media: str, patch: Any) -> Callable[[Document], Document]:
        if media == _JSON_PATCH:
            return lambda document: patches.json_patched(document, patch)
        if media == _MERGE_PATCH or (media == _STRATEGIC_PATCH and not self._resource.is_crd):
            if not isinstance(patch, dict):
                raise bad_request("error decoding patch: json: cannot unmarshal into an object")
            if media == _MERGE_PATCH:
                return lambda document: patches.merge_patched(document, patch)
            return lambda document: patches.strategic_patched(document, patch)
        accepted = [_JSON_PATCH, _MERGE_PATCH, _APPLY_PATCH]
        if not self._resource.is_crd:
            accepted.insert(2, _STRATEGIC_PATCH)
        raise unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(accepted)
        )

    def _in_version(self, change: Callable[[Document], Document]) -> Callable[[Document], Document]:
        store, resource, version = self._store, self._resource, self._target.version
        if version == resource.version:
            return change

        def converted(document: Document) -> Document:
            data = store.types.convert(resource, msgspec.json.encode(document), version)
            return store.types.to_storage(resource, change(msgspec.json.decode(data)), version)

        return converted

    def _transform(self, fn: Callable[[Document], Document], options: WriteOptions) -> Document:
        return self._store.transform(
            self._resource,
            self._namespace,
            self._target.name,
            fn,
            manager=options.manager,
            subresource=self._target.subresource,
            dry_run=options.dry_run,
        )

    @property
    def _namespace(self) -> str:
        return self._target.namespace if self._resource.namespaced else ""

    def _apply(
        self, body: bytes, content_type: str, options: WriteOptions, query: Mapping[str, str]
    ) -> Written:
        if not query.get("fieldManager"):
            raise invalid_option(
                "PatchOptions", "fieldManager", "Required value: is required for apply patch"
            )
        document = self._checked(document_of(body, content_type))
        metadata = document["metadata"]
        if metadata.get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        metadata["name"] = self._target.name
        if self._namespace:
            metadata["namespace"] = self._namespace
        document = self._store.types.to_storage(self._resource, document, self._target.version)
        applied, is_new = self._store.apply(
            self._resource,
            document,
            manager=options.manager,
            force=options.force,
            subresource=self._target.subresource,
            dry_run=options.dry_run,
        )
        return Written(applied, 201 if is_new else 200)

    def _checked(self, document: Document) -> Document:
        expected = api_version_of(self._target.group, self._target.version)
        if document.get("apiVersion", expected) != expected:
            raise bad_request(
                f"the API version in the data ({document['apiVersion']}) does not match the "
                f"expected API version ({expected})"
            )
        if document.get("kind", self._resource.kind) != self._resource.kind:
            raise bad_request(
                f"the kind in the data ({document['kind']}) does not match the expected kind "
                f"({self._resource.kind})"
            )
        return {**document, "apiVersion": expected, "kind": self._resource.kind}

    def scale(self) -> Document:
        """GET of the scale subresource.

        Raises:
            NotFound: there is no such object or it has no scale.
        """
        if self._resource.scale is None:
            raise NotFound(self._resource.qualified, self._target.name)
        return self._scale_of(self._store.get(self._resource, self._namespace, self._target.name))

    def _scale_of(self, document: Document) -> Document:
        paths = self._resource.scale
        assert paths is not None
        status: Document = {"replicas": first_value(document, paths.status) or 0}
        selector = first_value(document, paths.selector) if paths.selector else None
        if selector:
            status["selector"] = selector
        kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        return {
            "kind": "Scale",
            "apiVersion": "autoscaling/v1",
            "metadata": {k: v for k, v in document["metadata"].items() if k in kept},
            "spec": {"replicas": first_value(document, paths.spec) or 0},
            "status": status,
        }

    def _scale(self, change: Callable[[Document], Document], options: WriteOptions) -> Written:
        paths = self._resource.scale
        if paths is None:
            raise NotFound(self._resource.qualified, self._target.name)

        def scaled(document: Document) -> Document:
            wanted = change(self._scale_of(document))
            replicas = (wanted.get("spec") or {}).get("replicas", 0)
            if not isinstance(replicas, int) or replicas < 0:
                raise ApiError(
                    422,
                    "Invalid",
                    f'Scale.autoscaling "{self._target.name}" is invalid: spec.replicas: '
                    f"Invalid value: {replicas}: must be greater than or equal to 0",
                )
            with_value(document, paths.spec, replicas)
            revision = (wanted.get("metadata") or {}).get("resourceVersion")
            if revision:
                document["metadata"]["resourceVersion"] = revision
            return document

        return Written(self._scale_of(self._transform(scaled, options)))

    def delete(self, body: bytes, query: Mapping[str, str], *, dry_run: bool) -> Written:
        """DELETE of one object.

        Raises:
            ApiError: as a real server answers.
        """
        wanted = _delete_options(body, query)
        before = self._store.get(self._resource, self._namespace, self._target.name)
        preconditions = wanted.get("preconditions") or {}
        document = self._store.delete(
            self._resource,
            self._namespace,
            self._target.name,
            uid=preconditions.get("uid"),
            resource_version=preconditions.get("resourceVersion"),
            propagation=str(wanted.get("propagationPolicy") or "Background"),
            dry_run=bool(wanted.get("dryRun")) if body else dry_run,
        )
        if document["metadata"].get("deletionTimestamp"):
            return Written(document)
        return Written(
            {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "details": {
                    "name": self._target.name,
                    "group": self._resource.group,
                    "kind": self._resource.plural,
                    "uid": before["metadata"]["uid"],
                },
            }
        )


def _delete_options(body: bytes, query: Mapping[str, str]) -> Document:
    """The options of the body, else of the query: beside a body it is not looked at."""
    wanted: Document = {}
    if body:
        found = decoded(body, "application/json")
        wanted = found if isinstance(found, dict) else {}
    elif query.get("propagationPolicy"):
        wanted["propagationPolicy"] = query["propagationPolicy"]
    policy = wanted.get("propagationPolicy")
    if policy not in (None, "Background", "Foreground", "Orphan"):
        raise invalid_option("DeleteOptions", "propagationPolicy", f'Unsupported value: "{policy}"')
    dry_run = wanted.get("dryRun")
    if dry_run not in (None, [], ["All"]):
        raise invalid_option("DeleteOptions", "dryRun", f"Unsupported value: {dry_run}")
    return wanted
