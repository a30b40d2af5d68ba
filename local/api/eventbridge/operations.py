"""The operations of EventBridge, and the delivery of events to the targets of rules.

Targets are Lambda functions, SageMaker pipelines and log groups. Scheduled rules and other targets are refused, because
they would have no effect.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.paginate import TokenDecoder

from definition_language.constraints import read_timestamp
from local.api.eventbridge.inputs import Event, Target, parameter_value, target_input
from local.api.eventbridge.patterns import check_pattern
from local.api.eventbridge.rules import Rules
from local.api.eventbridge.targets import FUNCTION, LOG_GROUP, PIPELINE, check_target, pipeline_parameters
from local.api.moto.checks import check_request
from local.api.moto.services import MotoServices, operation_name
from local.aws.wire import HttpResponse, RequestHead, json_document, json_reply
from local.core.errors import ServiceError, not_implemented, validation_error
from local.core.json_text import JsonError, read_json
from local.core.ports import CallOperation
from local.core.settings import ACCOUNT_ID
from local.records.kinds import EVENT
from local.runtime.supervisor import Supervisor
from local.runtime.work_queue import WorkQueue
from local.storage.log_files import Logs
from local.storage.store import Store

_THREADS = 8
_NOT_IMPLEMENTED = (
    *("EndpointId", "TraceHeader", "DeadLetterConfig", "RetryPolicy", "KinesisParameters", "RunCommandParameters"),
    *("EcsParameters", "BatchParameters", "SqsParameters", "HttpParameters", "RedshiftDataParameters"),
    "AppSyncParameters",
)
"""Members of rules' targets and of events that would have no effect. Most are for targets that are refused."""
_AWS = "aws."
_MOST_TARGETS = 5
_LARGEST_ENTRIES = 1024 * 1024
"""Bytes of all entries of a PutEvents request."""
_SIZE_OF_TIME = 14
_MANDATORY = ("id", "account", "source", "time", "region", "resources", "detail-type")
"""Fields of an event in a TestEventPattern request."""
_PAGED = ("ListRules", "ListRuleNamesByTarget", "ListTargetsByRule", "ListEventBuses")
_READ = ("PutRule", "PutTargets", "PutEvents", "TestEventPattern", *_PAGED)
_log = logging.getLogger(__name__)


class EventBridge:
    """The default event bus.

    Args:
        moto: keeps the rules.
        logs: the log groups that are targets.
        store: keeps events until they are delivered.
        supervisor: delivers them in the background.
        region: the region in every event.
        call: starts pipelines.
        invoke_function: starts an asynchronous invocation of a Lambda function. Takes the function's ARN and the event.
    """

    def __init__(  # noqa: PLR0913 - what an event comes to, from other parts of the service
        self,
        moto: MotoServices,
        logs: Logs,
        store: Store,
        supervisor: Supervisor,
        *,
        region: str,
        call: CallOperation,
        invoke_function: Callable[[str, Any], object],
    ) -> None:
        self._moto, self._logs, self._region = moto, logs, region
        self._call, self._invoke_function = call, invoke_function
        self._rules = Rules(moto, region)
        self._queue = WorkQueue(store, supervisor, EVENT, _THREADS, self._deliver)

    def begin(self) -> None:
        """Begin to deliver events, first those that an earlier run of the service has accepted."""
        self._queue.begin()

    def waiting(self) -> int:
        """Return how many events are not delivered yet."""
        return self._queue.waiting()

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
            "region": self._region,
            "resources": list(resources),
            "detail": detail,
        }
        self._queue.put(identifier, event)
        return identifier

    def may_have_rules(self) -> bool:
        """Return whether any rule can exist. Does not load moto."""
        return self._rules.may_exist()

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request to EventBridge.

        Raises:
            ServiceError: The request is not valid, or it would have no effect here.
        """
        name = operation_name(head, body)
        check_request("events", name, head, body)
        request = json_document(body) if name in _READ else {}
        if name == "PutEvents":
            return json_reply(self._put_all(request))
        if name == "TestEventPattern":
            return json_reply({"Result": self._matches(request)})
        _refuse_members(name, request)
        if request.get("ScheduleExpression"):
            raise not_implemented("events", "PutRule with a ScheduleExpression")
        if request.get("EventPattern"):
            check_pattern(request["EventPattern"])
        if name == "PutTargets":
            self._check_targets(request["Rule"], request["Targets"])
        if request.get("NextToken"):
            _check_token(request["NextToken"])
        return self._moto.answer(head, body)

    def _check_targets(self, rule: str, targets: list[Target]) -> None:
        for target in targets:
            check_target(target, self._region)
        names = {target["Id"] for target in [*targets, *self._rules.targets_of(rule)]}
        if len(names) > _MOST_TARGETS:
            raise ServiceError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")

    def _matches(self, request: dict[str, Any]) -> bool:
        """Return whether a request's event matches its pattern.

        Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
        """
        check_pattern(request["EventPattern"])
        try:
            event = read_json(request["Event"])
        except JsonError:
            event = None
        if not isinstance(event, dict):
            raise validation_error("Parameter Event is not valid. Reason: Event is not a JSON object.")
        for member in _MANDATORY:
            if member not in event:
                raise validation_error(f"Parameter Event is not valid. Reason: {member} is a required argument.")
        return self._rules.matches(request["EventPattern"], event)

    def _put_all(self, request: dict[str, Any]) -> dict[str, Any]:
        _refuse_members("PutEvents", request)
        entries = request.get("Entries", [])
        if sum(map(_size, entries)) > _LARGEST_ENTRIES:
            raise validation_error("Total size of the entries in the request is over the limit.")
        results = [self._put(entry) for entry in entries]
        return {"Entries": results, "FailedEntryCount": sum("ErrorCode" in result for result in results)}

    def _put(self, entry: dict[str, Any]) -> dict[str, str]:
        for member in ("Source", "DetailType", "Detail"):
            if not entry.get(member):
                message = f"Parameter {member} is not valid. Reason: {member} is a required argument."
                return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
        if entry["Source"].startswith(_AWS):
            return {
                "ErrorCode": "NotAuthorizedForSourceException",
                "ErrorMessage": "Not authorized for the source.",
            }
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
        for rule, target in self._rules.targets(event):
            try:
                self._send(rule, target, event)
            except ServiceError as error:
                _log.warning("rule %s could not reach %s: %s", rule, target["Arn"], error)

    def _send(self, rule: str, target: dict[str, Any], event: Event) -> None:
        arn = target["Arn"]
        if FUNCTION.fullmatch(arn):
            self._invoke_function(arn, target_input(target, event))
        elif match := PIPELINE.fullmatch(arn):
            given = pipeline_parameters(target)
            values = [{"Name": item["Name"], "Value": parameter_value(item["Value"], event)} for item in given]
            # An event that is delivered again starts no second execution.
            token = str(uuid.uuid5(uuid.UUID(event["id"]), f"{rule}/{target['Id']}"))
            request = {"PipelineName": match[1], "PipelineParameters": values, "ClientRequestToken": token}
            self._call("StartPipelineExecution", request)
        elif match := LOG_GROUP.fullmatch(arn):
            self._logs.append(match[1], str(uuid.uuid4()), [json.dumps(target_input(target, event))])


def _refuse_members(operation: str, request: dict[str, Any]) -> None:
    """Refuse members without effect here. Those in the request's entries and targets count too."""
    for part in (request, *request.get("Entries", ()), *request.get("Targets", ())):
        for member in _NOT_IMPLEMENTED:
            if part.get(member):
                raise not_implemented("events", f"{operation} with {member}")


def _check_token(token: str) -> None:
    """Refuse a token that no list has returned. Moto ignores it."""
    try:
        TokenDecoder().decode(token)
    except (ValueError, TypeError):
        raise ServiceError("InvalidToken", "The NextToken is not valid.") from None


def _size(entry: dict[str, Any]) -> int:
    """Return an event's size.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
    """
    texts = [*(entry.get(name, "") for name in ("Source", "DetailType", "Detail")), *entry.get("Resources", [])]
    return sum(len(text.encode()) for text in texts) + (_SIZE_OF_TIME if "Time" in entry else 0)
