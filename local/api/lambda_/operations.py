"""Lambda's operations."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from local.api.lambda_.limits import check_configuration, check_tags, invalid
from local.api.lambda_.policies import FunctionPolicies
from local.api.lambda_.rest import Handler, Members, answer
from local.aws.wire import HttpResponse, RequestHead
from local.core.errors import ServiceError
from local.core.json_text import JsonError, read_json
from local.core.settings import Settings
from local.records import functions as records
from local.runtime.functions.runner import FunctionRunner
from local.storage.objects import Objects, ObjectTooLargeError
from local.storage.store import AlreadyExistsError, Document, Store

_CONFIGURATION = (
    "Runtime",
    "Role",
    "Handler",
    "Description",
    "Timeout",
    "MemorySize",
    "Environment",
    "Architectures",
    "EphemeralStorage",
    "VpcConfig",
    "TracingConfig",
    "KMSKeyArn",
    "LoggingConfig",
)
_PAGE = 50
_LARGEST_PAYLOAD, _LARGEST_EVENT = 6 * 1024 * 1024, 1024 * 1024
"""Maximum bytes of a payload for synchronous and asynchronous invocations.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


@dataclass(frozen=True)
class FunctionOperations:
    """Operations of functions."""

    store: Store
    settings: Settings
    objects: Objects
    functions: FunctionRunner

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Call the operation of a request.

        Raises:
            ServiceError: The request is not valid, or the operation failed or is not implemented.
        """
        return answer(self.operations(), head, body)

    def operations(self) -> dict[str, Handler]:
        """Return the implemented operations by name."""
        policies = FunctionPolicies(self.store, self.settings.region)
        handlers: dict[str, Handler] = {
            "CreateFunction": self._create,
            "UpdateFunctionCode": self._update_code,
            "UpdateFunctionConfiguration": self._update_configuration,
            "GetFunction": self._get,
            "GetFunctionConfiguration": self._get_configuration,
            "ListFunctions": self._list,
            "DeleteFunction": self._delete,
            "Invoke": self._invoke,
            "AddPermission": policies.add_permission,
            "RemovePermission": policies.remove_permission,
            "GetPolicy": policies.get_policy,
            "TagResource": policies.tag,
            "ListTags": policies.list_tags,
            "UntagResource": policies.untag,
        }
        return {name: self._own(name, handler) for name, handler in handlers.items()}

    def _own(self, operation: str, handler: Handler) -> Handler:
        """Return a handler that refuses functions of other regions and accounts."""
        action = "InvokeFunction" if operation == "Invoke" else operation

        def call(request: Members) -> Members | None:
            named = request.get("FunctionName", request.get("Resource"))
            if named is not None:
                records.function_name(self.settings.region, named, action)
            return handler(request)

        return call

    def _create(self, request: Members) -> Document:
        name = records.function_name(self.settings.region, request["FunctionName"])
        check_configuration(request)
        records.check_runtime(request.get("Runtime"))
        check_tags(request.get("Tags", {}))
        if "Handler" not in request:
            raise invalid("Handler is mandatory for functions created with deployment packages.")
        if self.store.find(records.KIND, name) is not None:
            raise _exists(name)
        configuration = _configuration(request)
        code = records.save_code(self.settings, name, self._archive(request["Code"]))
        record = records.new_record(self.settings.region, name, configuration, code)
        record["_Tags"] = request.get("Tags", {})
        try:
            self.store.insert(records.KIND, name, record)
        except AlreadyExistsError:
            raise _exists(name) from None
        self.functions.prepare(name)
        return record

    def _update_code(self, request: Members) -> Document:
        record = records.find(self.store, self.settings.region, request["FunctionName"])
        check_configuration(request)
        records.check_revision(record, request.get("RevisionId"))
        archive = self._archive(request)
        if request.get("DryRun"):
            return record
        code = records.save_code(self.settings, record["FunctionName"], archive)
        if "Architectures" in request:
            code["Architectures"] = request["Architectures"]
        self.functions.prepare(record["FunctionName"])
        return records.change(self.store, self.settings.region, record["FunctionName"], code)

    def _update_configuration(self, request: Members) -> Document:
        record = records.find(self.store, self.settings.region, request["FunctionName"])
        check_configuration(request)
        records.check_revision(record, request.get("RevisionId"))
        if "Runtime" in request:
            records.check_runtime(request["Runtime"])
        configuration = _configuration(request)
        if "LoggingConfig" in configuration:
            logging = {"LogFormat": "Text", "LogGroup": records.log_group(record)}
            configuration["LoggingConfig"] = logging | configuration["LoggingConfig"]
        changed = records.change(self.store, self.settings.region, record["FunctionName"], configuration)
        self.functions.prepare(changed["FunctionName"])
        return changed

    def _get(self, request: Members) -> Members:
        record = records.find(self.store, self.settings.region, request["FunctionName"])
        return {
            "Configuration": record,
            "Code": {"RepositoryType": "S3"},
            "Tags": record["_Tags"] or None,
        }

    def _get_configuration(self, request: Members) -> Document:
        return records.find(self.store, self.settings.region, request["FunctionName"])

    def _list(self, request: Members) -> Members:
        functions = sorted(self.store.list(records.KIND), key=lambda record: str(record["FunctionName"]))
        rest = [record for record in functions if record["FunctionName"] > request.get("Marker", "")]
        page = rest[: request.get("MaxItems", _PAGE)]
        more = len(rest) > len(page)
        return {"Functions": page, "NextMarker": page[-1]["FunctionName"] if more else None}

    def _delete(self, request: Members) -> None:
        name = records.function_name(self.settings.region, request["FunctionName"])
        records.remove(self.store, self.settings, name)

    def _invoke(self, request: Members) -> Members:
        record = records.find(self.store, self.settings.region, request["FunctionName"])
        kind = request.get("InvocationType", "RequestResponse")
        event = _event(request["Payload"], _LARGEST_EVENT if kind == "Event" else _LARGEST_PAYLOAD)
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            self.functions.invoke_later(record["FunctionName"], event)
            return {"StatusCode": 202}
        result = self.functions.invoke(record["FunctionName"], event)
        return {
            "StatusCode": 200,
            "ExecutedVersion": records.LATEST,
            "FunctionError": result.error,
            "LogResult": base64.b64encode(result.log).decode() if request.get("LogType") == "Tail" else None,
            "Payload": json.dumps(result.payload, ensure_ascii=False).encode(),
        }

    def _archive(self, code: Members) -> bytes:
        if "ZipFile" in code:
            try:
                return base64.b64decode(code["ZipFile"], validate=True)
            except ValueError:
                raise invalid("ZipFile is not base64") from None
        if "S3Bucket" not in code or "S3Key" not in code:
            raise invalid("Please provide a source for function code.")
        uri = f"s3://{code['S3Bucket']}/{code['S3Key']}"
        if not self.objects.exists(uri):
            what, name = ("Key", "key") if self.objects.bucket_exists(uri) else ("Bucket", "bucket")
            raise invalid(
                f"Error occurred while GetObject. S3 Error Code: NoSuch{what}."
                f" S3 Error Message: The specified {name} does not exist."
            )
        try:
            return self.objects.read(uri, at_most=records.LARGEST_ARCHIVE)
        except ObjectTooLargeError as error:
            raise invalid(f"Unzipped size must be smaller than {records.LARGEST_ARCHIVE} bytes: {error}") from None


def _event(payload: bytes, at_most: int) -> Any:
    if len(payload) > at_most:
        message = f"{len(payload)} byte payload is too large for the {at_most} byte limit of this InvocationType"
        raise ServiceError("RequestTooLargeException", message, 413)
    try:
        return read_json(payload) if payload else {}
    except JsonError as error:
        message = f"Could not parse request body into json: it {error}"
        raise ServiceError("InvalidRequestContentException", message) from None


def _configuration(request: Members) -> Members:
    """Return a request's settings in the form of a function's description.

    Settings that the request lacks keep their values. Empty lists remove a function from its VPC, and an empty string
    removes its KMS key.
    """
    configuration = {member: request[member] for member in _CONFIGURATION if member in request}
    if "VpcConfig" in configuration:
        subnets, groups = (configuration["VpcConfig"].get(name, []) for name in ("SubnetIds", "SecurityGroupIds"))
        if bool(subnets) != bool(groups):
            raise invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
        configuration["VpcConfig"] = {
            "Ipv6AllowedForDualStack": False,
            **configuration["VpcConfig"],
            "SubnetIds": subnets,
            "SecurityGroupIds": groups,
            # The service does not know the VPC of subnets.
            **({} if subnets else {"VpcId": ""}),
        }
    if "KMSKeyArn" in configuration:
        configuration["KMSKeyArn"] = configuration["KMSKeyArn"] or None
    return configuration


def _exists(name: str) -> ServiceError:
    return ServiceError("ResourceConflictException", f"Function already exist: {name}", 409)
