"""EventBridge: moto keeps rules and targets, and this module delivers events to the targets.

Targets are Lambda functions, SageMaker pipelines and log groups. Scheduled rules and other targets are refused, because
they would have no effect.
"""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from definition_language.constraints import read_timestamp
from definition_language.paths import PathError, follow, parse_path
from local.api.moto.checks import check_request
from local.api.moto.services import MotoServices, operation_name
from local.aws.wire import HttpResponse, RequestHead, json_document, json_reply
from local.core.errors import ServiceError, not_implemented, validation_error
from local.core.json_text import JsonError, read_json
from local.core.ports import CallOperation
from local.core.settings import ACCOUNT_ID
from local.runtime.work_queue import WorkQueue
from local.storage.log_files import Logs

Event = dict[str, Any]

_FUNCTION = re.compile(r"arn:aws[a-z-]*:lambda:[^:]+:\d{12}:function:.+")
_PIPELINE = re.compile(r"arn:aws[a-z-]*:sagemaker:[^:]+:\d{12}:pipeline/(.+)")
_LOG_GROUP = re.compile(r"arn:aws[a-z-]*:logs:[^:]+:\d{12}:log-group:([^:]+).*")
_NOT_IMPLEMENTED = (
    *("EndpointId", "TraceHeader", "DeadLetterConfig", "RetryPolicy", "KinesisParameters", "RunCommandParameters"),
    *("EcsParameters", "BatchParameters", "SqsParameters", "HttpParameters", "RedshiftDataParameters"),
    "AppSyncParameters",
)
"""Members of rules' targets and of events that would have no effect. Most are for targets that are refused."""
_PATH = re.compile(r"\$(?:\.[A-Za-z0-9_-]+|\[\d+\])+")
_PLACE = re.compile(r"<([^<>\"]+)>")
_TEMPLATE_PART = re.compile(r'"(?:[^"\\]|\\.)*"|<([^<>"]+)>')
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EventBridge:
    """The default event bus.

    Attributes:
        moto: Keeps the rules.
        logs: The log groups that are targets.
        queue: Runs deliveries in the background.
        region: The region in every event.
        call: Starts pipelines.
        invoke_function: Starts an asynchronous invocation of a Lambda function. Takes the function's ARN and the event.
    """

    moto: MotoServices
    logs: Logs
    queue: WorkQueue
    region: str
    call: CallOperation
    invoke_function: Callable[[str, Any], object]

    def emit(self, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str] = ()) -> str:
        """Send an event; ``local.core.ports.EventBus`` describes the arguments."""
        return self._emit(source, detail_type, detail, resources, time.time())

    def _emit(
        self, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str], seconds: float
    ) -> str:
        identifier = str(uuid.uuid4())
        if not self.may_have_rules():
            return identifier
        event = {
            "version": "0",
            "id": identifier,
            "detail-type": detail_type,
            "source": source,
            "account": ACCOUNT_ID,
            "time": datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region,
            "resources": list(resources),
            "detail": detail,
        }
        self.queue.put(lambda: self._deliver(event))
        return identifier

    def may_have_rules(self) -> bool:
        """Return whether any rule can exist. Does not load moto."""
        return self.moto.has_changed("events", "cloudformation")

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request to EventBridge.

        Raises:
            ServiceError: The request is not valid, or it would have no effect here.
        """
        name = operation_name(head, body)
        check_request("events", name, head, body)
        request = json_document(body) if name in ("PutRule", "PutTargets", "PutEvents") else {}
        if name == "PutEvents":
            _refuse_members(name, request)
            results = [self._put(entry) for entry in request.get("Entries", [])]
            return json_reply({"Entries": results, "FailedEntryCount": sum("ErrorCode" in r for r in results)})
        _refuse_members(name, request)
        if request.get("ScheduleExpression"):
            raise not_implemented("events", "PutRule with a ScheduleExpression")
        for target in request.get("Targets", []):
            if not any(kind.fullmatch(target.get("Arn", "")) for kind in (_FUNCTION, _PIPELINE, _LOG_GROUP)):
                raise not_implemented("events", f"PutTargets with the target {target.get('Arn')}")
            if _PIPELINE.fullmatch(target["Arn"]):
                _check_pipeline_target(target)
        return self.moto.answer(head, body)

    def _put(self, entry: dict[str, Any]) -> dict[str, str]:
        for member in ("Source", "DetailType", "Detail"):
            if not entry.get(member):
                message = f"Parameter {member} is not valid. Reason: {member} is a required argument."
                return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
        if not entry.get("EventBusName", "default").endswith("default"):
            raise not_implemented("events", f"PutEvents to the bus {entry['EventBusName']}")
        try:
            detail = read_json(entry["Detail"])
        except JsonError:
            detail = None
        if not isinstance(detail, dict):
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        seconds = read_timestamp(entry["Time"]) if "Time" in entry else time.time()
        resources = entry.get("Resources", ())
        return {"EventId": self._emit(entry["Source"], entry["DetailType"], detail, resources, seconds)}

    def _deliver(self, event: Event) -> None:
        for rule, target in self.moto.targets(event):
            try:
                self._send(target, event)
            except ServiceError as error:
                _log.warning("rule %s could not reach %s: %s", rule, target["Arn"], error)

    def _send(self, target: dict[str, Any], event: Event) -> None:
        arn = target["Arn"]
        if _FUNCTION.fullmatch(arn):
            self.invoke_function(arn, _input(target, event))
        elif match := _PIPELINE.fullmatch(arn):
            values = [{"Name": item["Name"], "Value": _value(item["Value"], event)} for item in _parameters(target)]
            request = {"PipelineName": match[1], "PipelineParameters": values, "ClientRequestToken": str(uuid.uuid4())}
            self.call("StartPipelineExecution", request)
        elif match := _LOG_GROUP.fullmatch(arn):
            self.logs.append(match[1], str(uuid.uuid4()), [json.dumps(_input(target, event))])


def _refuse_members(operation: str, request: dict[str, Any]) -> None:
    """Refuse members without effect here. Those in the request's entries and targets count too."""
    for part in (request, *request.get("Entries", ()), *request.get("Targets", ())):
        for member in _NOT_IMPLEMENTED:
            if part.get(member):
                raise not_implemented("events", f"{operation} with {member}")


def _check_pipeline_target(target: dict[str, Any]) -> None:
    """Refuse a pipeline target without a role, or with parameters whose JSON path EventBridge does not support.

    Source: "Dynamic path parameters", https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
    """
    if not target.get("RoleArn"):
        raise validation_error(f"RoleArn is required for target {target['Arn']}.")
    for item in _parameters(target):
        if item["Value"].startswith("$") and not _PATH.fullmatch(item["Value"]):
            raise not_implemented("events", f"PutTargets with the JSON path {item['Value']}")


def _parameters(target: dict[str, Any]) -> list[dict[str, str]]:
    parameters: list[dict[str, str]] = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", [])
    return parameters


def _input(target: dict[str, Any], event: Event) -> Any:
    """Return a target's input: the event, a part of it, a constant, or a template filled from the event.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target:
        return _at(event, target["InputPath"])
    if "InputTransformer" not in target:
        return event
    transformer = target["InputTransformer"]
    values = {name: _at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}

    def fill(match: re.Match[str]) -> str:
        if match[1]:
            return json.dumps(values.get(match[1]))
        # Within a JSON string, a value is inserted without quotes of its own.
        return _PLACE.sub(lambda place: _within_quotes(values.get(place[1])), match[0])

    return json.loads(_TEMPLATE_PART.sub(fill, transformer["InputTemplate"]))


def _within_quotes(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]


def _value(text: str, event: Event) -> str:
    """Return the value of a pipeline's parameter.

    Args:
        text: The value itself, or its JSON path in the event, such as ``$.detail.name``.
        event: The event before any input transformation.

    Raises:
        ServiceError: ValidationException, because the event has no value at the path.
    """
    if not text.startswith("$"):
        return text
    value = _at(event, text)
    if value is None:
        raise validation_error(f"the event has no value at {text}")
    return value if isinstance(value, str) else json.dumps(value)


def _at(document: Any, path: str) -> Any:
    """Return the value at a path such as ``$.detail.items[0]``, or None if there is no value."""
    if path == "$":
        return document
    try:
        return follow(document, parse_path(path), named_items=False)
    except PathError:
        return None
