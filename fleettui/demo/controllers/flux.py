"""Flux' resync handshake: Reconciling, Ready, then the acknowledgement in a patch of its own.

Source: fluxcd/pkg apis/meta ReconcileRequestAnnotation; order as recorded from real controllers.
"""

from __future__ import annotations

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.kit import Document, Kit, annotation
from fleettui.demo.world.conditions import find, modern, modern_of, put

_REQUESTED = "reconcile.fluxcd.io/requestedAt"
_FORCE = "reconcile.fluxcd.io/forceAt"
_RESET = "reconcile.fluxcd.io/resetAt"


async def on_flux_request(kit: Kit, change: Change) -> None:
    """Answer a reconcile request, or a resumed object's wish to be reconciled."""
    new, old = change.new, change.old
    if new is None or old is None or new["spec"].get("suspend"):
        return
    token = annotation(new, _REQUESTED)
    is_asked = token is not None and token != new.get("status", {}).get("lastHandledReconcileAt")
    is_asked = is_asked and token != annotation(old, _REQUESTED)
    is_resumed = bool(old["spec"].get("suspend"))
    is_changed = new["metadata"].get("generation") != old["metadata"].get("generation")
    if not (is_asked or is_resumed or is_changed):
        return
    async with kit.lock(new):
        await reconcile(kit, new)


async def reconcile(kit: Kit, document: Document) -> None:
    """One reconciliation with its visible steps; the outcome is what it was, at most healed."""
    manager = _manager(document["kind"])
    kit.change_status(document, lambda own: _begin(kit, own), manager=manager)
    await kit.pace.wait(0.4)
    fresh = kit.refresh(document)
    if fresh is None or fresh["spec"].get("suspend"):
        return
    source = _source(kit, fresh)
    kit.change_status(fresh, lambda own: _finish(kit, own, source), manager=manager)
    await kit.pace.wait(0.015)
    kit.change_status(fresh, _acknowledge, manager=manager)


async def on_kubeconfig(kit: Kit, change: Change) -> None:
    """Let what delivers to a workload cluster notice that its kubeconfig came or went."""
    if change.type == "MODIFIED":
        return
    for group, kind in _REMOTE:
        for document in kit.all_of(group, kind, change.namespace):
            if _kubeconfig_of(document) != change.name or document["spec"].get("suspend"):
                continue
            async with kit.lock(document):
                await reconcile(kit, document)


_REMOTE = (
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
)
_NO_ACCESS = {
    "Kustomization": (
        "ReconciliationFailed",
        "unable to read KubeConfig secret '{0}/{1}' error: secrets \"{1}\" not found",
    ),
    "HelmRelease": (
        "RESTClientError",
        "could not get KubeConfig secret '{0}/{1}': secrets \"{1}\" not found",
    ),
}
"""Reason and message by kind. Source: fluxcd/pkg runtime/client and its callers."""


def _kubeconfig_of(document: Document) -> str:
    """Name of the Secret through which an object reaches another cluster; "" for none."""
    reference = document["spec"].get("kubeConfig", {}).get("secretRef", {})
    return str(reference.get("name", ""))


def _with_access(kit: Kit, own: Document, ready: Document) -> Document:
    """Ready as it is once the kubeconfig was looked for: failed, as it was, or healed."""
    name, namespace = _kubeconfig_of(own), own["metadata"]["namespace"]
    if not name:
        return ready
    reason, text = _NO_ACCESS[own["kind"]]
    message = text.format(namespace, name)
    is_told = ready["status"] == "False" and ready["message"] == message
    if kit.get("", "Secret", namespace, name) is None:
        return ready if is_told else modern("Ready", "False", reason, message, at=kit.now())
    if not is_told:
        return ready
    released = find(own["status"]["conditions"], "Released")
    good = modern("Ready", "True", "ReconciliationSucceeded", at=kit.now())
    return (released or good) | {"type": "Ready", "lastTransitionTime": good["lastTransitionTime"]}


def _manager(kind: str) -> str:
    return {
        "Kustomization": "gotk-kustomize-controller",
        "HelmRelease": "helm-controller",
        "Terraform": "tf-controller",
        "Receiver": "notification-controller",
        "ImageUpdateAutomation": "image-automation-controller",
        "ImageRepository": "image-reflector-controller",
        "ImagePolicy": "image-reflector-controller",
    }.get(kind, "source-controller")


def _begin(kit: Kit, own: Document) -> None:
    generation = own["metadata"].get("generation", 1)
    text = "Reconciliation in progress"
    where = {"at": kit.now(), "generation": generation}
    put(modern_of(own), modern("Reconciling", "True", "Progressing", text, **where))


def _finish(kit: Kit, own: Document, source: Document | None) -> None:
    status = own["status"]
    generation = own["metadata"].get("generation", 1)
    conditions = status["conditions"]
    ready = find(conditions, "Ready") or modern("Ready", "True", "Succeeded")
    is_reset = annotation(own, _RESET) not in (None, status.get("lastHandledResetAt"))
    is_forced = annotation(own, _FORCE) not in (None, status.get("lastHandledForceAt"))
    if own["kind"] == "HelmRelease" and ready["status"] != "True" and (is_reset or is_forced):
        _heal_release(own)
        ready = find(conditions, "Ready") or ready
    ready = _with_access(kit, own, ready)
    revision = (source or {}).get("status", {}).get("artifact", {}).get("revision")
    if own["kind"] == "Kustomization" and ready["status"] == "True" and revision:
        status["lastAppliedRevision"] = status["lastAttemptedRevision"] = revision
        ready = ready | {"message": f"Applied revision: {revision}"}
    failed = ready["status"] != "True"
    retry = modern("Reconciling", "True", "ProgressingWithRetry", "retrying", at=kit.now())
    stalled = find(conditions, "Stalled")
    conditions[:] = [item for item in conditions if item["type"] != "Reconciling"]
    if failed and not stalled and ready["reason"] != "DependencyNotReady":
        conditions.insert(0, retry | {"observedGeneration": generation})
    put(conditions, ready | {"observedGeneration": generation})
    if not failed or stalled:
        status["observedGeneration"] = generation


def _heal_release(own: Document) -> None:
    """A forced or reset release is tried again and succeeds."""
    status = own["status"]
    keep = ("Ready", "Released")
    status["conditions"] = [item for item in status["conditions"] if item["type"] in keep]
    latest = status["history"][0]
    text = (
        f"Helm upgrade succeeded for release {latest['namespace']}/{latest['name']}"
        f".v{latest['version'] + 1} with chart {latest['chartName']}@{latest['chartVersion']}"
    )
    for condition in status["conditions"]:
        condition |= {"status": "True", "reason": "UpgradeSucceeded", "message": text}
    status["history"].insert(0, latest | {"version": latest["version"] + 1})
    for key in ("failures", "upgradeFailures", "installFailures"):
        status.pop(key, None)


def _acknowledge(own: Document) -> None:
    status = own["status"]
    token = annotation(own, _REQUESTED)
    if token is None:
        return
    status["lastHandledReconcileAt"] = token
    for key, field in ((_FORCE, "lastHandledForceAt"), (_RESET, "lastHandledResetAt")):
        value = annotation(own, key)
        if value == token:
            status[field] = value


def _source(kit: Kit, document: Document) -> Document | None:
    reference = document["spec"].get("sourceRef")
    if not reference:
        return None
    namespace = reference.get("namespace", document["metadata"]["namespace"])
    return kit.get("source.toolkit.fluxcd.io", reference["kind"], namespace, reference["name"])
