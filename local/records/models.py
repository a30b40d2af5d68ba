"""Models."""

from __future__ import annotations

from local.storage.store import Document


def containers(model: Document) -> list[Document]:
    """Return a model's containers with ``Image``, ``ModelDataUrl`` and, if there is one, ``Environment``.

    A container that names a model package gets these members from the package.
    """
    resolved: list[Document] = model["_Containers"]
    return resolved
