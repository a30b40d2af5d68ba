"""Endpoint configurations."""

from __future__ import annotations

from local.core.arns import resource_key, sagemaker_arn
from local.core.errors import validation_error
from local.records.kinds import ENDPOINT_CONFIG
from local.storage.store import Document, Store

KIND = ENDPOINT_CONFIG.name


def find_endpoint_config(store: Store, region: str, name: str) -> Document:
    """Return the record of an endpoint configuration.

    Raises:
        ServiceError: ValidationException: the configuration does not exist.
    """
    config = store.find(KIND, resource_key(name))
    if config is None:
        arn = sagemaker_arn(region, KIND, name)
        raise validation_error(f'Could not find endpoint configuration "{arn}".')
    return config
