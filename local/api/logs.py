"""CloudWatch Logs: operations that write and read the service's log files, including those of ``aws logs tail``."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel

from local.aws.shapes import validate_request
from local.aws.wire import HttpResponse, RequestHead, json_document, json_reply
from local.core.arns import arn
from local.core.errors import ServiceError, not_implemented
from local.storage.log_files import Event, Logs

Members = dict[str, Any]
_TARGET_PREFIX = "Logs_20140328."
_PAGE = 50
_RETENTION_DAYS = frozenset(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
)
"""Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
_LARGEST_PAGE = 10_000
_LONGEST_AHEAD = 2 * 3600
"""Seconds that an event's time may be in the future; later events are rejected.
Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""
_POSITION = re.compile(r"[0-9]{1,18}")
_NOT_IMPLEMENTED = {
    "CreateLogGroup": ("kmsKeyId", "logGroupClass", "deletionProtectionEnabled"),
    "PutLogEvents": ("entity",),
    "DescribeLogGroups": ("accountIdentifiers", "includeLinkedAccounts", "logGroupClass", "logGroupIdentifiers"),
}
"""Members that are refused, except with values that ask for nothing."""
_LARGEST_BATCH, _EVENT_OVERHEAD = 1024 * 1024, 26
"""Maximum bytes of a batch or an event, and the bytes that each event counts beside its message.
Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""


@dataclass(frozen=True)
class LogOperations:
    """CloudWatch Logs' operations."""

    region: str
    logs: Logs

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Call the operation that the header ``X-Amz-Target`` names.

        Raises:
            ServiceError: The request is not valid, or the operation failed or is not implemented.
        """
        name = head.headers.get(b"x-amz-target", b"").decode("latin-1").removeprefix(_TARGET_PREFIX)
        operation = self.operations().get(name)
        if operation is None:
            raise not_implemented("logs", name or f"{head.method} {head.raw_path.decode('latin-1')}")
        request = json_document(body)
        shape = _model().operation_model(name).input_shape
        assert shape is not None, "every operation of CloudWatch Logs has an input"
        validate_request(shape, request)
        for member, value in request.items():
            if member in _NOT_IMPLEMENTED.get(name, ()) and value not in (None, False, [], {}, "", "STANDARD"):
                raise not_implemented("logs", f"{name} with {member}")
        return json_reply(operation(request) or {})

    def operations(self) -> dict[str, Callable[[Members], Members | None]]:
        """Return the implemented operations by name."""
        return {
            "CreateLogGroup": self._create_group,
            "CreateLogStream": self._create_stream,
            "PutLogEvents": self._put_events,
            "DeleteLogGroup": self._delete_group,
            "DeleteLogStream": self._delete_stream,
            "DescribeLogGroups": self._describe_groups,
            "PutRetentionPolicy": self._put_retention,
            "DeleteRetentionPolicy": self._delete_retention,
            "ListTagsForResource": self._list_tags,
            "DescribeLogStreams": self._describe_streams,
            "GetLogEvents": self._get_events,
            "FilterLogEvents": self._filter_events,
        }

    def _create_group(self, request: Members) -> None:
        if not self.logs.create_group(request["logGroupName"], request.get("tags")):
            raise _exists("The specified log group already exists")

    def _list_tags(self, request: Members) -> Members:
        group = self._group({"logGroupIdentifier": request["resourceArn"]})
        return {"tags": self.logs.tags(group)}

    def _create_stream(self, request: Members) -> None:
        group, stream = self._group(request), request["logStreamName"]
        if self.logs.path(group, stream).exists():
            raise _exists("The specified log stream already exists")
        self.logs.append(group, stream, [])

    def _put_events(self, request: Members) -> Members:
        group, stream = self._group(request), request["logStreamName"]
        self._require_stream(group, stream)
        latest = (time.time() + _LONGEST_AHEAD) * 1000
        events = [(event["timestamp"], event["message"]) for event in request["logEvents"]]
        _check_events(events)
        too_new = next((index for index, (timestamp, _) in enumerate(events) if timestamp > latest), len(events))
        self.logs.put(group, stream, events[:too_new])
        rejected = {"tooNewLogEventStartIndex": too_new} if too_new < len(events) else None
        return {"nextSequenceToken": "0"} | ({"rejectedLogEventsInfo": rejected} if rejected else {})

    def _delete_group(self, request: Members) -> None:
        if not self.logs.delete_group(request["logGroupName"]):
            raise _missing("The specified log group does not exist.")

    def _delete_stream(self, request: Members) -> None:
        if not self.logs.delete_stream(self._group(request), request["logStreamName"]):
            raise _missing("The specified log stream does not exist.")

    def _put_retention(self, request: Members) -> None:
        days = request["retentionInDays"]
        if days not in _RETENTION_DAYS:
            raise ServiceError(
                "InvalidParameterException", f"retentionInDays is {days}, but must be one of {sorted(_RETENTION_DAYS)}"
            )
        self.logs.set_retention(self._group(request), days)

    def _delete_retention(self, request: Members) -> None:
        self.logs.set_retention(self._group(request), None)

    def _describe_groups(self, request: Members) -> Members:
        prefix, part = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
        groups = [
            {
                "logGroupName": name,
                "creationTime": created,
                "metricFilterCount": 0,
                "arn": f"{self._arn(name)}:*",
                "logGroupArn": self._arn(name),
                "storedBytes": sum(self.logs.path(name, s).stat().st_size for s in self.logs.streams(name)),
                "logGroupClass": "STANDARD",
                **({"retentionInDays": days} if (days := self.logs.retention(name)) else {}),
            }
            for name, created in self.logs.groups()
            if name.startswith(prefix) and part.lower() in name.lower()
        ]
        return _page(request, "logGroups", groups)

    def _describe_streams(self, request: Members) -> Members:
        group = self._group(request)
        streams = [
            self._stream(group, name)
            for name in self.logs.streams(group)
            if name.startswith(request.get("logStreamNamePrefix", ""))
        ]
        if request.get("orderBy") == "LastEventTime":
            streams.sort(key=lambda stream: int(stream.get("lastEventTimestamp", 0)))
        if request.get("descending"):
            streams.reverse()
        return _page(request, "logStreams", streams)

    def _stream(self, group: str, name: str) -> Members:
        stream: Members = {"logStreamName": name, "arn": f"{self._arn(group)}:log-stream:{name}"}
        ends = self.logs.ends(group, name)
        if ends is None:
            created = self.logs.path(group, name).stat().st_mtime
            return stream | {"creationTime": int(created * 1000), "storedBytes": 0}
        return stream | {
            "creationTime": ends[0],
            "firstEventTimestamp": ends[0],
            "lastEventTimestamp": ends[1],
            "lastIngestionTime": ends[1],
            "uploadSequenceToken": "0",
            "storedBytes": 0,
        }

    def _get_events(self, request: Members) -> Members:
        group, stream = self._group(request), request["logStreamName"]
        self._require_stream(group, stream)
        events = [event for event in self.logs.events(group, [stream]) if _in_time(event, request)]
        limit = request.get("limit", _LARGEST_PAGE)
        direction, _, place = request.get("nextToken", "").partition("/")
        if direction == "f":
            start = _number(place)
        elif direction == "b":
            start = max(0, _number(place) - limit)
            limit = _number(place) - start
        else:
            start = 0 if request.get("startFromHead") else max(0, len(events) - limit)
        chosen = events[start : start + limit]
        return {
            "events": [
                {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.timestamp}
                for event in chosen
            ],
            "nextForwardToken": f"f/{start + len(chosen)}",
            "nextBackwardToken": f"b/{start}",
        }

    def _filter_events(self, request: Members) -> Members:
        group = self._group(request)
        names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
        streams = [
            name for name in self.logs.streams(group) if name.startswith(prefix) and (names is None or name in names)
        ]
        wanted = _matcher(request.get("filterPattern", ""))
        found: Iterator[Event] = (
            event for event in self.logs.events(group, streams) if _in_time(event, request) and wanted(event.message)
        )
        if not request.get("startFromHead", True):
            raise not_implemented("logs", "FilterLogEvents with startFromHead false")
        start, limit = _number(request.get("nextToken", "0")), request.get("limit", _LARGEST_PAGE)
        page = list(itertools.islice(found, start, start + limit + 1))
        response: Members = {
            "events": [
                {
                    "logStreamName": event.stream,
                    "timestamp": event.timestamp,
                    "message": event.message,
                    "ingestionTime": event.timestamp,
                    "eventId": f"{event.timestamp:014d}{streams.index(event.stream):06d}{event.position:036d}",
                }
                for event in page[:limit]
            ],
            "searchedLogStreams": [],
        }
        return response | ({"nextToken": str(start + limit)} if len(page) > limit else {})

    def _group(self, request: Members) -> str:
        identifier = request.get("logGroupName") or request.get("logGroupIdentifier")
        if not identifier:
            raise ServiceError("InvalidParameterException", "logGroupName or logGroupIdentifier is required")
        name = str(identifier).partition(":log-group:")[2].removesuffix(":*") or str(identifier)
        if not self.logs.has_group(name):
            raise _missing("The specified log group does not exist.")
        return name

    def _require_stream(self, group: str, stream: str) -> None:
        if not self.logs.path(group, stream).is_file():
            raise _missing("The specified log stream does not exist.")

    def _arn(self, group: str) -> str:
        return arn(self.region, "logs", f"log-group:{group}")


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("logs")


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that tests whether a message matches a filter pattern of terms.

    A message matches if it contains all plain terms, at least one of the ``?`` terms if there are any, and none of the
    ``-`` terms.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    if pattern.lstrip()[:1] in ("{", "[", "%"):
        raise not_implemented("logs", "filter patterns other than terms")
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    for sign, quoted, plain in re.findall(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))', pattern):
        terms[sign].append(quoted or plain)

    def wanted(message: str) -> bool:
        return (
            all(term in message for term in terms[""])
            and not any(term in message for term in terms["-"])
            and (not terms["?"] or any(term in message for term in terms["?"]))
        )

    return wanted


def _in_time(event: Event, request: Members) -> bool:
    return bool(request.get("startTime", 0) <= event.timestamp <= request.get("endTime", event.timestamp))


def _page(request: Members, key: str, items: list[Members]) -> Members:
    start = _number(request.get("nextToken", "0"))
    end = start + request.get("limit", _PAGE)
    return {key: items[start:end]} | ({"nextToken": str(end)} if end < len(items) else {})


def _number(token: str) -> int:
    if _POSITION.fullmatch(token) is None:
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(token)


def _check_events(events: list[tuple[int, str]]) -> None:
    """Refuse events that CloudWatch Logs refuses.

    Raises:
        ServiceError: InvalidParameterException.
    """
    sizes = [len(message.encode(errors="replace")) + _EVENT_OVERHEAD for _, message in events]
    for what, size in (("Log event", max(sizes)), ("Upload", sum(sizes))):
        if size > _LARGEST_BATCH:
            message = f"{what} too large: {size} bytes exceeds limit of {_LARGEST_BATCH}"
            raise ServiceError("InvalidParameterException", message)
    if any(later < earlier for (earlier, _), (later, _) in itertools.pairwise(events)):
        message = "Log events in a single PutLogEvents request must be in chronological order."
        raise ServiceError("InvalidParameterException", message)


def _missing(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)


def _exists(message: str) -> ServiceError:
    return ServiceError("ResourceAlreadyExistsException", message)
