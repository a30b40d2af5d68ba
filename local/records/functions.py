"""Lambda functions: their configuration in the store, and their code in a folder."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import re
import shutil
import stat
import uuid
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.core.archives import open_zip
from local.core.arns import arn, owner
from local.core.errors import ServiceError, not_implemented
from local.core.files import sync
from local.core.settings import ACCOUNT_ID, Settings
from local.storage.store import Document, MissingError, Store

KIND = "function"
LATEST = "$LATEST"
LARGEST_ARCHIVE = 250 * 1024 * 1024
"""Limit of a zip file in S3, in bytes. AWS limits only the unzipped size, and a zip file is smaller."""
_LARGEST_UNZIPPED = 250 * 1024 * 1024
_NOT_A_PATH = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)
"""Errors for entries that cannot be files: the name is too long, or another entry needs it as a folder."""
_RUNTIME = re.compile(r"python3\.\d+")
_NAME = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account>\d{12}):)?(?:function:)?(?P<name>[A-Za-z0-9_-]{1,64})(?::(?P<qualifier>[A-Za-z0-9$_-]+))?"
)


def function_arn(region: str, name: str) -> str:
    """Return the ARN of a function."""
    return arn(region, "lambda", f"function:{name}")


def function_name(region: str, name_or_arn: str, action: str = "InvokeFunction") -> str:
    """Return the function's name from a name, a partial ARN or an ARN.

    Args:
        region: The service's region.
        name_or_arn: The function.
        action: What is done with the function, as IAM names it.

    Raises:
        ServiceError: The text is none of these, or names a version other than ``$LATEST``. ResourceNotFoundException:
            it names another region, whose functions Lambda does not reach. AccessDeniedException: it names another
            account. No function of another account allows the service's account anything.
    """
    match = _NAME.fullmatch(name_or_arn)
    if match is None:
        raise ServiceError("InvalidParameterValueException", f"{name_or_arn!r} does not name a Lambda function")
    if match["region"] not in (None, region):
        message = f"Functions from '{match['region']}' are not reachable in this region ('{region}')"
        raise ServiceError("ResourceNotFoundException", message, 404)
    if match["account"] not in (None, ACCOUNT_ID):
        foreign = function_arn(region, match["name"]).replace(ACCOUNT_ID, match["account"])
        message = (
            f"User: {owner(region)} is not authorized to perform: lambda:{action} on resource: {foreign}"
            f" because no resource-based policy allows the lambda:{action} action"
        )
        raise ServiceError("AccessDeniedException", message, 403)
    if match["qualifier"] not in (None, LATEST):
        raise not_implemented("lambda", f"versions and aliases ({name_or_arn})")
    return match["name"]


def find(store: Store, region: str, name_or_arn: str) -> Document:
    """Return the record of a function.

    Raises:
        ServiceError: ResourceNotFoundException: the function does not exist.
    """
    name = function_name(region, name_or_arn)
    try:
        return store.get(KIND, name)
    except MissingError:
        raise _not_found(region, name) from None


def change(store: Store, region: str, name_or_arn: str, members: dict[str, Any]) -> Document:
    """Change members of a function's record, and return the new record.

    Raises:
        ServiceError: ResourceNotFoundException: the function does not exist.
    """
    name = function_name(region, name_or_arn)

    def apply(document: Document) -> None:
        document.update(members, LastModified=_now(), RevisionId=str(uuid.uuid4()))
        if "_Code" in members:
            document["State"] = "Active"
            for member in ("StateReason", "StateReasonCode"):
                document.pop(member, None)

    try:
        return store.update(KIND, name, apply)
    except MissingError:
        raise _not_found(region, name) from None


def new_record(region: str, name: str, configuration: dict[str, Any], code: dict[str, Any]) -> Document:
    """Return the record of a new function.

    Args:
        region: The service's region.
        name: The function's name.
        configuration: The members that the request sets; other members get AWS's defaults.
        code: The result of ``save_code``.
    """
    logging = {"LogFormat": "Text", "LogGroup": default_log_group(name)} | configuration.get("LoggingConfig", {})
    return (
        {"Description": "", "Timeout": 3, "MemorySize": 128, "Architectures": ["x86_64"]}
        | {"EphemeralStorage": {"Size": 512}, "TracingConfig": {"Mode": "PassThrough"}, "PackageType": "Zip"}
        | configuration
        | {"LoggingConfig": logging}
        | code
        | {"FunctionName": name, "FunctionArn": function_arn(region, name), "Version": LATEST}
        | {"State": "Active", "LastUpdateStatus": "Successful"}
        | {"LastModified": _now(), "RevisionId": str(uuid.uuid4()), "_Policy": [], "_Tags": {}}
    )


def log_group(record: Document) -> str:
    """Return the log group of a function. Records of earlier versions of the service may not name it."""
    name: str = record.get("LoggingConfig", {}).get("LogGroup", default_log_group(record["FunctionName"]))
    return name


def default_log_group(name: str) -> str:
    """Return the log group of a function that names none."""
    return f"/aws/lambda/{name}"


def check_revision(record: Document, revision: str | None) -> None:
    """Check that a request is about the present revision of a function.

    Args:
        record: The function's record.
        revision: The request's RevisionId, or None if it has none.

    Raises:
        ServiceError: PreconditionFailedException: the function has changed since.
    """
    if revision not in (None, record["RevisionId"]):
        message = "The Revision Id provided does not match the latest Revision Id."
        raise ServiceError("PreconditionFailedException", f"{message} Call the GetFunction API.", 412)


def lose_code(store: Store, name: str) -> None:
    """Record that a function's code is missing, so that whoever compares the code publishes it again."""
    lost = {"CodeSize": 0, "CodeSha256": "", "State": "Failed", "StateReasonCode": "InternalError"}
    reason = "The local service has lost the function's code. Update the code."
    store.update(KIND, name, lambda record: record.update(lost, StateReason=reason))


def check_runtime(runtime: str | None) -> None:
    """Check that a runtime is a Python runtime.

    Raises:
        ServiceError: The service does not implement the runtime.
    """
    if runtime is None or _RUNTIME.fullmatch(runtime) is None:
        raise not_implemented("lambda", f"the runtime {runtime}; use a python3.x runtime")


def save_code(settings: Settings, name: str, archive: bytes) -> dict[str, Any]:
    """Unzip a function's code into its folder.

    Args:
        settings: Where functions are stored.
        name: The function's name.
        archive: The zip file.

    Returns:
        The members of the function's record that describe the code.

    Raises:
        ServiceError: InvalidParameterValueException: the archive is not a zip file, or it is too large.
    """
    digest = hashlib.sha256(archive)
    target = code_folder(settings, name, digest.hexdigest())
    if not target.is_dir() or not any(target.iterdir()):
        unfinished = target.with_name(f".{uuid.uuid4().hex}")
        unfinished.mkdir(parents=True)
        try:
            _unzip(archive, unfinished)
            unfinished.replace(target)
            sync(target.parent)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return {
        "CodeSize": len(archive),
        "CodeSha256": base64.b64encode(digest.digest()).decode(),
        "_Code": digest.hexdigest(),
    }


def code_folder(settings: Settings, name: str, digest: str) -> Path:
    """Return the folder of a function's unzipped code."""
    return settings.functions / name / "code" / digest


def remove(store: Store, settings: Settings, name: str) -> None:
    """Remove a function and its code.

    Raises:
        ServiceError: ResourceNotFoundException: the function does not exist.
    """
    if store.delete(KIND, name) is None:
        raise _not_found(settings.region, name)
    shutil.rmtree(settings.functions / name, ignore_errors=True)


def _unzip(archive: bytes, folder: Path) -> None:
    try:
        with open_zip(io.BytesIO(archive)) as opened:
            if sum(entry.file_size for entry in opened.infolist()) > _LARGEST_UNZIPPED:
                message = f"Unzipped size must be smaller than {_LARGEST_UNZIPPED} bytes"
                raise ServiceError("InvalidParameterValueException", message)
            for entry in opened.infolist():
                if not stat.S_ISLNK(entry.external_attr >> 16):
                    opened.extract(entry, folder)
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _NOT_A_PATH:
            raise
        message = "Could not unzip uploaded file. Please check your file, then try to upload again."
        raise ServiceError("InvalidParameterValueException", f"{message} (local service: {error})") from None


def _not_found(region: str, name: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"Function not found: {function_arn(region, name)}", status=404)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
