"""Model package groups."""

from __future__ import annotations

from local.core.arns import resource_key, sagemaker_arn
from local.core.errors import validation_error
from local.records.kinds import MODEL_PACKAGE_GROUP
from local.storage.store import Document, Store

KIND = MODEL_PACKAGE_GROUP.name


def find_group(store: Store, region: str, name_or_arn: str) -> Document:
    """Return the record of a group.

    Raises:
        ServiceError: ValidationException: the group does not exist.
    """
    is_arn = name_or_arn.startswith("arn:")
    group = store.find(KIND, resource_key(name_or_arn))
    if group is None or (is_arn and name_or_arn != group["ModelPackageGroupArn"]):
        arn = name_or_arn if is_arn else sagemaker_arn(region, KIND, name_or_arn)
        raise validation_error(f"ModelPackageGroup {arn} does not exist.")
    return group


def version_prefix(group_arn: str) -> str:
    """Return the common prefix of the ARNs of a group's model packages."""
    return group_arn.replace(":model-package-group/", ":model-package/") + "/"
