"""The members of Lambda's requests that the service obeys. It refuses all others by name."""

from __future__ import annotations

from typing import Any

from local.core.errors import not_implemented
from local.records.functions import LATEST

_CONFIGURATION = (
    "FunctionName Runtime Role Handler Description Timeout MemorySize VpcConfig Environment KMSKeyArn TracingConfig"
    " EphemeralStorage LoggingConfig"
)
OBEYED = {
    "CreateFunction": f"{_CONFIGURATION} Code PackageType Tags Architectures",
    "UpdateFunctionCode": "FunctionName ZipFile S3Bucket S3Key Architectures DryRun RevisionId",
    "UpdateFunctionConfiguration": f"{_CONFIGURATION} RevisionId",
    "GetFunction": "FunctionName Qualifier",
    "GetFunctionConfiguration": "FunctionName Qualifier",
    # A function has one version here, so ALL has the same list.
    "ListFunctions": "FunctionVersion Marker MaxItems",
    "DeleteFunction": "FunctionName",
    "Invoke": "FunctionName InvocationType LogType Payload Qualifier",
    "AddPermission": "FunctionName StatementId Action Principal SourceArn SourceAccount RevisionId",
    "RemovePermission": "FunctionName StatementId RevisionId",
    "GetPolicy": "FunctionName",
    "TagResource": "Resource Tags",
    "ListTags": "Resource",
    "UntagResource": "Resource TagKeys",
}
_OF_CODE = "ZipFile S3Bucket S3Key"
_ASKS_FOR_NOTHING: tuple[Any, ...] = (None, False, "", [], {}, {"ApplyOn": "None"})


def check_members(operation: str, request: dict[str, Any]) -> None:
    """Refuse members that the operation does not obey, unless their values ask for nothing.

    Raises:
        ServiceError: NotImplementedException, with the member's name.
    """
    if request.get("PackageType", "Zip") != "Zip" or "ImageUri" in request.get("Code", request):
        raise not_implemented("lambda", "container images (PackageType Image, ImageUri)")
    _refuse(operation, request, OBEYED[operation])
    _refuse(f"{operation} with Code", request.get("Code", {}), _OF_CODE)
    if request.get("Qualifier", LATEST) != LATEST:
        raise not_implemented("lambda", f"versions and aliases (Qualifier {request['Qualifier']})")


def _refuse(what: str, members: dict[str, Any], obeyed: str) -> None:
    for name, value in members.items():
        if name not in obeyed.split() and value not in _ASKS_FOR_NOTHING:
            raise not_implemented("lambda", f"{what} with {name}")
