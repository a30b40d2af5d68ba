"""CloudWatch Logs: operations that write and read the service's log files, including those of ``aws logs tail``."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel

from local.api.logs.batches import check_batch
from local.api.logs.errors import exists, invalid, invalid_token, missing
from local.api.logs.pages import page, position, read_token, token
from local.api.logs.patterns import matcher
from local.aws.shapes import validate_request
from local.aws.wire import HttpResponse, RequestHead, json_document, json_reply
from local.core.arns import arn
from local.core.errors import not_implemented
from local.storage.log_files import Event, Logs

Members = dict[str, Any]
_TARGET_PREFIX = "Logs_20140328."
_RETENTION_DAYS = frozenset(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
)
"""Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
_LARGEST_PAGE = 10_000
_EXCLUSIVE = (
    ("logGroupName", "logGroupIdentifier"),
    ("logGroupNamePrefix", "logGroupNamePattern"),
    ("logStreamNames", "logStreamNamePrefix"),
)
"""Pairs of members of which a request may have one only.
Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""
_NOT_IMPLEMENTED = {
    "CreateLogGroup": ("kmsKeyId", "logGroupClass", "deletionProtectionEnabled"),
    "PutLogEvents": ("entity",),
    "DescribeLogGroups": ("accountIdentifiers", "includeLinkedAccounts", "logGroupClass", "logGroupIdentifiers"),
}
"""Members that are refused, except with values that ask for nothing."""


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
        for one, other in _EXCLUSIVE:
            if one in request and other in request:
                raise invalid(f"You can specify {one} or {other}, but not both.")
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
        if request["logGroupName"].lower().startswith("aws/"):
            raise invalid("Log groups starting with AWS/ are reserved for AWS.")
        if not self.logs.create_group(request["logGroupName"], request.get("tags")):
            raise exists("log group")

    def _list_tags(self, request: Members) -> Members:
        group = self._group({"logGroupIdentifier": request["resourceArn"]})
        return {"tags": self.logs.tags(group)}

    def _create_stream(self, request: Members) -> None:
        group, stream = self._group(request), request["logStreamName"]
        if self.logs.path(group, stream).exists():
            raise exists("log stream")
        self.logs.append(group, stream, [])

    def _put_events(self, request: Members) -> Members:
        group, stream = self._group(request), request["logStreamName"]
        self._require_stream(group, stream)
        events = [(event["timestamp"], event["message"]) for event in request["logEvents"]]
        batch = check_batch(events, self.logs.retention(group), time.time_ns() // 1_000_000)
        self.logs.put(group, stream, batch.accepted)
        return {"nextSequenceToken": "0"} | ({"rejectedLogEventsInfo": batch.rejected} if batch.rejected else {})

    def _delete_group(self, request: Members) -> None:
        if not self.logs.delete_group(request["logGroupName"]):
            raise missing("log group")

    def _delete_stream(self, request: Members) -> None:
        if not self.logs.delete_stream(self._group(request), request["logStreamName"]):
            raise missing("log stream")

    def _put_retention(self, request: Members) -> None:
        days = request["retentionInDays"]
        if days not in _RETENTION_DAYS:
            raise invalid(f"retentionInDays is {days}, but must be one of {sorted(_RETENTION_DAYS)}")
        self.logs.set_retention(self._group(request), days)

    def _delete_retention(self, request: Members) -> None:
        self.logs.set_retention(self._group(request), None)

    def _describe_groups(self, request: Members) -> Members:
        prefix, part = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
        groups = [
            self._described_group(name, created, is_short=bool(part))
            for name, created in self.logs.groups()
            if name.startswith(prefix) and part in name
        ]
        return page(request, "logGroups", groups, lambda group: str(group["logGroupName"]))

    def _described_group(self, name: str, created: int, *, is_short: bool) -> Members:
        short: Members = {"logGroupName": name, "creationTime": created, "arn": f"{self._arn(name)}:*"}
        if is_short:
            return short
        return short | {
            "metricFilterCount": 0,
            "logGroupArn": self._arn(name),
            "storedBytes": sum(self.logs.path(name, s).stat().st_size for s in self.logs.streams(name)),
            "logGroupClass": "STANDARD",
            **({"retentionInDays": days} if (days := self.logs.retention(name)) else {}),
        }

    def _describe_streams(self, request: Members) -> Members:
        by_time, prefix = request.get("orderBy") == "LastEventTime", request.get("logStreamNamePrefix", "")
        if by_time and prefix:
            raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        group = self._group(request)
        streams = [self._stream(group, name) for name in self.logs.streams(group) if name.startswith(prefix)]
        return page(request, "logStreams", streams, _time_and_name if by_time else _name)

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
        written = list(self.logs.events(group, [stream]))
        events = [event for event in written if _is_between(event, request, ends=False)]
        limit = request.get("limit", _LARGEST_PAGE)
        if "nextToken" in request:
            direction, _, place = request["nextToken"].partition("/")
            start = position(place)
            if direction not in ("f", "b") or start > len(written):
                raise invalid_token()
            if direction == "b":
                limit = min(limit, start)
                start -= limit
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
        wanted = matcher(request.get("filterPattern", ""))
        found: Iterator[Event] = (
            event
            for event in self.logs.events(group, streams)
            if _is_between(event, request, ends=True) and wanted(event.message)
        )
        if not request.get("startFromHead", True):
            raise not_implemented("logs", "FilterLogEvents with startFromHead false")
        start, limit = 0, request.get("limit", _LARGEST_PAGE)
        if "nextToken" in request:
            start = position(read_token(request["nextToken"]))
        chosen = list(itertools.islice(found, start, start + limit + 1))
        response: Members = {
            "events": [
                {
                    "logStreamName": event.stream,
                    "timestamp": event.timestamp,
                    "message": event.message,
                    "ingestionTime": event.timestamp,
                    "eventId": f"{event.timestamp:014d}{streams.index(event.stream):06d}{event.position:036d}",
                }
                for event in chosen[:limit]
            ],
            "searchedLogStreams": [],
        }
        return response | ({"nextToken": token(str(start + limit))} if len(chosen) > limit else {})

    def _group(self, request: Members) -> str:
        identifier = request.get("logGroupName") or request.get("logGroupIdentifier")
        if not identifier:
            raise invalid("logGroupName or logGroupIdentifier is required")
        # Of another account or region, an ARN stays whole, and no group has this name.
        name = str(identifier).removeprefix(self._arn(""))
        if not self.logs.has_group(name):
            raise missing("log group")
        return name

    def _require_stream(self, group: str, stream: str) -> None:
        if not self.logs.path(group, stream).is_file():
            raise missing("log stream")

    def _arn(self, group: str) -> str:
        return arn(self.region, "logs", f"log-group:{group}")


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("logs")


def _is_between(event: Event, request: Members, *, ends: bool) -> bool:
    """Return whether an event is in a request's range of times.

    Args:
        event: the event.
        request: ``startTime`` and ``endTime`` count.
        ends: whether the range includes its end: FilterLogEvents' does, and GetLogEvents' does not.
    """
    start, end = request.get("startTime", 0), request.get("endTime", event.timestamp + 1)
    return bool(start <= event.timestamp and (event.timestamp <= end if ends else event.timestamp < end))


def _name(stream: Members) -> str:
    return str(stream["logStreamName"])


def _time_and_name(stream: Members) -> str:
    return f"{stream.get('lastEventTimestamp', 0):020d} {_name(stream)}"
