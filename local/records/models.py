"""Models."""

from __future__ import annotations

from local.core.arns import resource_key, sagemaker_arn
from local.core.errors import validation_error
from local.records.kinds import MODEL
from local.storage.store import Document, Store

KIND = MODEL.name


def find_model(store: Store, region: str, name: str) -> Document:
    """Return the record of a model.

    Raises:
        ServiceError: ValidationException: the model does not exist.
    """
    model = store.find(KIND, resource_key(name))
    if model is None:
        arn = sagemaker_arn(region, KIND, name)
        raise validation_error(f'Could not find model "{arn}".')
    return model


def containers(model: Document) -> list[Document]:
    """Return a model's containers with ``Image`` and ``ModelDataUrl``.

    A container that names a model package gets these two members from the package.
    """
    resolved: list[Document] = model["_Containers"]
    return resolved
