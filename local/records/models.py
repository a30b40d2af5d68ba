"""Models."""

from __future__ import annotations

from local.storage.store import Document


def containers(model: Document) -> list[Document]:
    """Return a model's containers with ``Image`` and ``ModelDataUrl``.

    A container that names a model package gets these two members from the package.
    """
    resolved: list[Document] = model["_Containers"]
    return resolved
