"""Documents to operations: what is asked of which object, with what stands there before and after."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .yaml import Document, Place, documents

MAX_LISTS = 4
MAX_OBJECTS = 50_000


@dataclass(frozen=True, slots=True)
class Name:
    """Which object: two are the same whatever version of the interface they are written in."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def table_kind(self) -> str:
        """As the taxonomy writes it: `apps/StatefulSet`, `Secret`."""
        return f"{self.group}/{self.kind}" if self.group else self.kind

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return "/".join(part for part in (kind, self.namespace, self.name) if part)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing asked of one object, or why it could not be read."""

    verb: str
    """`apply`, `create`, `update`, `delete`, `delete_collection`, `connect`; `unread` when it is not known."""
    name: Name
    version: str
    file: str
    document: Document
    path: tuple[str | int, ...] = ()
    """Where the object, or what stands for it, is in its document."""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    before_known: bool = True
    """Whether `before` is all there is to know; without it an `apply` may make or change."""
    subresource: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    dry_run: bool = False
    reason: str | None = None

    @property
    def place(self) -> Place:
        return self.place_of(())

    def place_of(self, path: tuple[str, ...]) -> Place:
        """Where a field of the object stands, as far as the document has it."""
        return self.document.place_of((*self.path, *path)) or self.document.place


def operations(file: str, text: str) -> Iterator[Operation]:
    """Everything a file asks for: admission reviews as they are, other objects to be applied."""
    for count, operation in enumerate(_all(file, text)):
        if count == MAX_OBJECTS:
            message = f"the file has more than {MAX_OBJECTS} objects; the rest is not read"
            yield _unread(file, operation.document, operation.path, message)
            return
        yield operation


def compared(before: list[Operation], after: list[Operation]) -> Iterator[Operation]:
    """Two states as operations: what is only in the first is deleted, what is only in the second is made.

    What is not an object to be applied, as an admission review, stays what it asks for.
    """
    known = {each.name: each for each in before if each.verb == "apply"}
    wanted = {each.name for each in after if each.verb == "apply"}
    for each in after:
        if each.verb == "apply":
            old = known.get(each.name)
            verb = "create" if old is None else "update"
            each = replace(each, verb=verb, before=old.after if old else None, before_known=True)
        elif each.verb == "delete" and each.before is None and each.name in known:
            each = replace(each, before=known[each.name].after)
        yield each
    for each in before:
        if each.verb != "apply":
            reason = each.reason or "what stands before is objects, and this is a request"
            yield replace(each, verb="unread", reason=reason)
        elif each.name not in wanted:
            yield replace(each, verb="delete", before=each.after, after=None)


_ASKING = frozenset({"authorization.k8s.io", "authentication.k8s.io"})
_REVIEW_GROUP = "admission.k8s.io"
_RECIPES = {
    "kustomize.config.k8s.io": "run `kustomize build` and give its output",
    "skaffold": "run `skaffold render` and give its output",
}
_PATCH = "$patch"
_DIRECTIVES = ("$patch", "$retainKeys", "$deleteFromPrimitiveList", "$setElementOrder")
"""https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md"""
_TEMPLATES = ("{{", "${", "$(", "<%", "<no value>")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_UNRENDERED = "what it is called stands in a template that was not rendered"


def _all(file: str, text: str) -> Iterator[Operation]:
    for document in documents(text):
        if document.fault is not None:
            yield _unread(file, document, (), document.fault)
        else:
            yield from _of(file, document, (), document.value, None, 0)


def _of(
    file: str,
    document: Document,
    path: tuple[str | int, ...],
    value: Any,
    element: tuple[str, str] | None,
    depth: int,
) -> Iterator[Operation]:
    """The operations of one value; `element` is the version and kind that a typed list gives it."""
    if not isinstance(value, dict):
        yield _unread(file, document, path, "this is not an object")
        return
    if element is not None and "kind" not in value and "apiVersion" not in value:
        value = {"apiVersion": element[0], "kind": element[1], **value}
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not (isinstance(api_version, str) and isinstance(kind, str) and api_version and kind):
        message = "this is not a Kubernetes object: it has no `apiVersion` and `kind`"
        yield _unread(file, document, path, message)
        return
    if _is_unrendered(api_version) or _is_unrendered(kind):
        yield _unread(file, document, path, _UNRENDERED)
        return
    if not _KIND.fullmatch(kind):
        yield _unread(file, document, path, f"`{kind[:80]}` is not the name of a kind")
        return
    group, version = _split(api_version)
    if kind.endswith("List") and isinstance(value.get("items"), list):
        if depth == MAX_LISTS:
            yield _unread(file, document, path, f"lists stand in lists more than {MAX_LISTS} deep")
            return
        inner = None if (kind, group) == ("List", "") else (api_version, kind[: -len("List")])
        for index, each in enumerate(value["items"]):
            yield from _of(file, document, (*path, "items", index), each, inner, depth + 1)
    elif kind.endswith("List") and "items" in value:
        yield _unread(file, document, path, "`items` is not a list")
    elif group == _REVIEW_GROUP:
        yield from _review(file, document, path, value)
    elif group in _RECIPES:
        yield _unread(file, document, path, f"this is a recipe for objects: {_RECIPES[group]}")
    else:
        yield _manifest(file, document, path, value, group, version, kind)


def _manifest(
    file: str,
    document: Document,
    path: tuple[str | int, ...],
    value: Mapping[str, Any],
    group: str,
    version: str,
    kind: str,
) -> Operation:
    name = _name(value, group, kind)
    if isinstance(name, str):
        return _unread(file, document, path, name)
    if any(_is_unrendered(each) for each in (name.name, name.namespace)):
        return _unread(file, document, path, _UNRENDERED)
    patch = value.get(_PATCH)
    if patch is not None and patch != "delete":
        return _unread(file, document, path, f"the patch directive `{patch}` is not read"[:200])
    if inner := _directive_inside(value):
        return _unread(file, document, path, f"the patch directive `{inner}` inside is not read")
    return Operation(
        verb="apply" if patch is None else "delete",
        name=name,
        version=version,
        file=file,
        document=document,
        path=path,
        after=value if patch is None else None,
        before_known=False,
    )


def _review(
    file: str, document: Document, path: tuple[str | int, ...], value: Mapping[str, Any]
) -> Iterator[Operation]:
    """What an admission review asks for; one over a collection is one operation for each object it shows."""
    request = value.get("request")
    if not isinstance(request, dict):
        yield _unread(file, document, path, "the review has no `request`")
        return
    path = (*path, "request")
    verb = str(request.get("operation", "")).upper()
    new, old = request.get("object"), request.get("oldObject")
    options = request.get("options")
    shapes = (new, old, options)
    if not all(each is None or isinstance(each, dict) for each in shapes):
        message = "`object`, `oldObject` or `options` is not an object"
        yield _unread(file, document, path, message)
        return
    if verb not in ("CREATE", "UPDATE", "DELETE", "CONNECT"):
        message = "the review does not say a known `operation`"
        yield _unread(file, document, path, message)
        return
    shown = new or old or {}
    subresource = request.get("subResource") or request.get("requestSubResource") or ""
    asked = request.get("kind") if isinstance(request.get("kind"), dict) else None
    # With a subresource `kind` is that of what is sent, as Scale or Eviction; the object is named by its resource.
    group, version, kind = _asked_kind(request, asked, shown, str(subresource))
    if not _KIND.fullmatch(kind):
        yield _unread(file, document, path, "the review does not say the `kind` of its object")
        return
    if verb == "UPDATE" and new is None:
        yield _unread(file, document, path, "the review of an update has no `object`")
        return
    if verb == "CREATE" and new is None and not subresource:
        yield _unread(file, document, path, "the review of a creation has no `object`")
        return
    if contradiction := _contradiction(request, (new, old), kind, str(subresource)):
        yield _unread(file, document, path, contradiction)
        return
    metadata = _metadata(shown)
    name = _named(
        group,
        kind,
        _text(request.get("namespace")) or _text(metadata.get("namespace")),
        _text(request.get("name"))
        or _text(metadata.get("name"))
        or _text(metadata.get("generateName")),
    )
    base = Operation(
        verb=verb.lower(),
        name=name,
        version=version,
        file=file,
        document=document,
        path=(*path, "object") if new is not None else path,
        before=old,
        after=new,
        before_known=verb == "CREATE" or old is not None,
        subresource=str(subresource),
        options=options or {},
        dry_run=_is_dry_run(request, options or {}),
    )
    if verb == "CREATE" and old is not None:
        message = "the review of a creation shows an `oldObject`"
        yield replace(base, verb="unread", reason=message)
    elif verb == "DELETE" and old is not None and isinstance(old.get("items"), list):
        yield replace(base, verb="delete_collection", before=None, before_known=False)
        for index, each in enumerate(old["items"]):
            inside = (*path, "oldObject", "items", index)
            if not isinstance(each, dict):
                yield _unread(file, document, inside, "this is not an object")
                continue
            own = {"kind": kind.removesuffix("List"), **each}
            found = _name(own, group, str(own["kind"]))
            if isinstance(found, str):
                yield _unread(file, document, inside, found)
            else:
                yield replace(base, name=found, before=each, path=inside, before_known=True)
    elif verb == "DELETE" and not name.name:
        yield replace(base, verb="delete_collection")
    elif not name.name and not (verb == "CREATE" and _is_question(group, kind)):
        yield replace(base, verb="unread", reason="the review does not name its object")
    else:
        yield base


_BY_RESOURCE = {
    "pods": ("", "Pod"),
    "nodes": ("", "Node"),
    "services": ("", "Service"),
    "namespaces": ("", "Namespace"),
    "serviceaccounts": ("", "ServiceAccount"),
    "replicationcontrollers": ("", "ReplicationController"),
    "persistentvolumeclaims": ("", "PersistentVolumeClaim"),
    "persistentvolumes": ("", "PersistentVolume"),
    "deployments": ("apps", "Deployment"),
    "statefulsets": ("apps", "StatefulSet"),
    "replicasets": ("apps", "ReplicaSet"),
    "certificatesigningrequests": ("certificates.k8s.io", "CertificateSigningRequest"),
}
"""What a resource with subresources is called as a kind."""


def _asked_kind(
    request: Mapping[str, Any], asked: Any, shown: Mapping[str, Any], subresource: str
) -> tuple[str, str, str]:
    resource = request.get("resource")
    if subresource and isinstance(resource, dict):
        plural, group = _text(resource.get("resource")), _text(resource.get("group"))
        if plural in _BY_RESOURCE and _BY_RESOURCE[plural][0] == group:
            return group, _text(resource.get("version")), _BY_RESOURCE[plural][1]
        if plural and subresource != "status":
            return group, _text(resource.get("version")), plural
    if asked is not None and _text(asked.get("kind")):
        return _text(asked.get("group")), _text(asked.get("version")), _text(asked.get("kind"))
    group, version = _split(_text(shown.get("apiVersion")))
    return group, version, _text(shown.get("kind"))


def _contradiction(
    request: Mapping[str, Any], objects: tuple[Any, Any], kind: str, subresource: str
) -> str | None:
    """Where the request and what it shows name different things; one of them is not what happens."""
    for each in objects:
        if each is None or subresource or isinstance(each.get("items"), list):
            continue
        metadata = _metadata(each)
        asked_kind = request.get("kind")
        group = _text(asked_kind.get("group")) if isinstance(asked_kind, dict) else ""
        for word, asked, shown in (
            ("kind", kind, each.get("kind")),
            ("group", group, _split(_text(each.get("apiVersion")))[0]),
            ("name", request.get("name"), metadata.get("name")),
            ("namespace", request.get("namespace"), metadata.get("namespace")),
        ):
            if asked and shown and asked != shown:
                return f"the request and its object say a different `{word}`"
    return None


def _is_unrendered(word: str) -> bool:
    return any(mark in word for mark in _TEMPLATES)


def _directive_inside(value: Mapping[str, Any]) -> str | None:
    """A key that says how to merge and not what is to be, anywhere below the first level."""
    waiting: list[Any] = list(value.values())
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            for key in each:
                if str(key).startswith(_DIRECTIVES):
                    return str(key)[:80]
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return None


def _metadata(value: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = value.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _is_dry_run(request: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    """Whether nothing will be stored; both places that say so must not contradict each other."""
    said = options.get("dryRun", ["All"])
    return request.get("dryRun") is True and said == ["All"]


def _name(value: Mapping[str, Any], group: str, kind: str) -> Name | str:
    metadata = value.get("metadata")
    if metadata is None and _is_question(group, kind):
        return _named(group, kind, "", "")
    if not isinstance(metadata, dict):
        return f"the `{kind[:80]}` has no `metadata`"
    name = metadata.get("name", metadata.get("generateName"))
    namespace = metadata.get("namespace") or ""
    if isinstance(name, int | float) and not isinstance(name, bool):
        name = str(name)
    if name is None and _is_question(group, kind) and isinstance(namespace, str):
        name = ""
    elif not isinstance(name, str) or not name or not isinstance(namespace, str):
        return f"the `{kind[:80]}` has no name"
    return _named(group, kind, namespace, name)


def _is_question(group: str, kind: str) -> bool:
    """An object that is only asked and never stored, so that it needs no name."""
    return group in _ASKING and kind.endswith("Review")


def _named(group: str, kind: str, namespace: str, name: str) -> Name:
    """The review of a namespace says that it is in itself, where a manifest says nothing."""
    return Name(group, kind, "" if (group, kind) == ("", "Namespace") else namespace, name)


def _split(api_version: str) -> tuple[str, str]:
    group, _, version = api_version.rpartition("/")
    return group, version


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _unread(file: str, document: Document, path: tuple[str | int, ...], reason: str) -> Operation:
    return Operation(
        verb="unread",
        name=Name("", "unknown", "", ""),
        version="",
        file=file,
        document=document,
        path=path,
        before_known=False,
        reason=reason,
    )
