"""Model packages: versions in a group, and packages without a group."""

from __future__ import annotations

from local.core.arns import sagemaker_arn
from local.core.errors import validation_error
from local.records.kinds import MODEL_PACKAGE
from local.storage.store import Document, Store

KIND = MODEL_PACKAGE.name


def find_package(store: Store, region: str, name_or_arn: str) -> Document:
    """Return the record of a model package.

    Args:
        store: The records.
        region: The service's region.
        name_or_arn: A version's ARN, or the name or ARN of a package without a group.

    Raises:
        ServiceError: ValidationException: the package does not exist.
    """
    is_arn = name_or_arn.startswith("arn:")
    arn = name_or_arn if is_arn else sagemaker_arn(region, KIND, name_or_arn)
    package = store.find(KIND, arn)
    if package is None:
        raise validation_error(f"ModelPackage {arn} does not exist.")
    return package
