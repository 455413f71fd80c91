"""What an Application's kustomize options do to the folder that is built.

Knows the options and the words of kustomize that stand for them: some are laid over the
file as Flux's are, the others are written into it, as ``kustomize edit`` does. Builds
nothing.

Source: Argo CD 3 ``util/kustomize`` (``Build``); kustomize 5 ``edit set replicas``,
``edit add label`` and ``edit add annotation``.
"""

from dataclasses import replace

from fleettui.desired.files import FileTree
from fleettui.desired.kustomization_file import RenderError, kustomization_path
from fleettui.desired.objects import Manifest, items_of, mapping_of, text_of
from fleettui.manifests import dump_yaml, read_document

_AS_FLUX = ("namePrefix", "nameSuffix", "patches", "components")
_WRITTEN = ("replicas", "commonLabels", "commonAnnotations")


def overlay_of(options: Manifest) -> dict[str, object]:
    """The options that are laid over, in the words of a Flux Kustomization's spec."""
    overlay: dict[str, object] = {key: options[key] for key in _AS_FLUX if key in options}
    if options.get("namespace"):
        overlay["targetNamespace"] = options["namespace"]
    images = [_image_of(text_of(item)) for item in items_of(options.get("images"))]
    if images:
        overlay["images"] = images
    return overlay


def edited(tree: FileTree, folder: str, options: Manifest) -> FileTree:
    """The tree with the other options written into the folder's kustomization file.

    Raises:
        RenderError: an option that Argo CD would refuse, or that is not known here.
        UnreadableError: the file is not YAML.
    """
    path = kustomization_path(tree, folder)
    if path is None or not any(options.get(name) for name in _WRITTEN):
        return tree
    content = dict(mapping_of(read_document(tree.files[path], name=path)))
    for edit in (_set_replicas, _add_labels, _add_annotations):
        edit(content, options)
    digests = {name: digest for name, digest in tree.digests.items() if name != path}
    files = {**tree.files, path: dump_yaml(content).encode()}
    return replace(tree, files=files, digests=digests)


def _set_replicas(content: dict[str, object], options: Manifest) -> None:
    counts = {
        text_of(known.get("name")): known.get("count")
        for known in map(mapping_of, items_of(content.get("replicas")))
    }
    for item in map(mapping_of, items_of(options.get("replicas"))):
        name, count = text_of(item.get("name")), str(item.get("count"))
        if not count.isdecimal():
            raise RenderError(f"kustomize replicas of {name}: {count} is no number")
        counts[name] = int(count)
    if counts:
        content["replicas"] = [{"name": name, "count": count} for name, count in counts.items()]


def _add_labels(content: dict[str, object], options: Manifest) -> None:
    pairs = {key: str(value) for key, value in mapping_of(options.get("commonLabels")).items()}
    if not pairs:
        return
    is_forced = options.get("forceCommonLabels") is True
    if options.get("labelWithoutSelector") is not True:
        _add_pairs(content, "commonLabels", pairs, is_forced=is_forced)
        return
    entry: dict[str, object] = {"pairs": pairs}
    if options.get("labelIncludeTemplates") is True:
        entry["includeTemplates"] = True
    known = items_of(content.get("labels"))
    taken = {key for item in known for key in mapping_of(mapping_of(item).get("pairs"))} & {*pairs}
    if taken and not is_forced:
        raise _already("label", min(taken))
    content["labels"] = [*known, entry]


def _add_annotations(content: dict[str, object], options: Manifest) -> None:
    given = mapping_of(options.get("commonAnnotations"))
    pairs = {key: str(value) for key, value in given.items()}
    if options.get("commonAnnotationsEnvsubst") is True and any("$" in v for v in pairs.values()):
        raise RenderError("kustomize option commonAnnotationsEnvsubst is not rendered here")
    is_forced = options.get("forceCommonAnnotations") is True
    _add_pairs(content, "commonAnnotations", pairs, is_forced=is_forced)


def _add_pairs(
    content: dict[str, object], field_name: str, pairs: dict[str, str], *, is_forced: bool
) -> None:
    known = mapping_of(content.get(field_name))
    taken = known.keys() & pairs.keys()
    if taken and not is_forced:
        raise _already(field_name.removeprefix("common").lower().removesuffix("s"), min(taken))
    if pairs:
        content[field_name] = {**known, **pairs}


def _already(what: str, key: str) -> RenderError:
    return RenderError(
        f"{what} {key} already stands in the kustomization file, so kustomize refuses it",
        hint=f"forceCommon{what.capitalize()}s overrides it",
    )


def _image_of(text: str) -> dict[str, object]:
    """``name=new:tag``, ``name:tag`` or ``name@digest`` as kustomize writes it."""
    name, _, new = text.rpartition("=")
    image: dict[str, object] = {}
    body, _, digest = new.partition("@")
    head, colon, tag = body.rpartition(":")
    if not colon or "/" in tag:
        head, tag = body, ""
    image["name"] = name or head
    if name and head != name:
        image["newName"] = head
    if tag:
        image["newTag"] = tag
    if digest:
        image["digest"] = digest
    return image
