"""CloudWatch Logs' operations over the service's log files: what ``aws logs tail`` needs, and writing."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.model import ServiceModel

from local.aws.shapes import validate_request
from local.aws.wire import Head, Reply, json_reply
from local.core.arns import arn
from local.core.errors import ServiceError, not_implemented
from local.storage.log_files import Event

if TYPE_CHECKING:
    from local.context import Context

Members = dict[str, Any]
_TARGET_PREFIX = "Logs_20140328."
_PAGE = 50
_RETENTION_DAYS = frozenset(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
)
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
_LARGEST_PAGE = 10_000


def answer(context: Context, head: Head, body: bytes) -> Reply:
    """Carry out an operation.

    Raises:
        ServiceError: the operation's own error.
    """
    name = head.headers.get(b"x-amz-target", b"").decode("latin-1").removeprefix(_TARGET_PREFIX)
    operation = _OPERATIONS.get(name)
    if operation is None:
        raise not_implemented("logs", name or f"{head.method} {head.raw_path.decode('latin-1')}")
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        raise ServiceError("SerializationException", "the request's body is not JSON") from None
    validate_request(_model().operation_model(name).input_shape, request)
    return json_reply(operation(context, request) or {})


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("logs")


def _create_group(context: Context, request: Members) -> None:
    if "kmsKeyId" in request:
        raise not_implemented("logs", "CreateLogGroup with kmsKeyId")
    if not context.logs.create_group(request["logGroupName"], request.get("tags")):
        raise _exists("The specified log group already exists")


def _list_tags(context: Context, request: Members) -> Members:
    group = _group(context, {"logGroupIdentifier": request["resourceArn"]})
    return {"tags": context.logs.tags(group)}


def _create_stream(context: Context, request: Members) -> None:
    group, stream = _group(context, request), request["logStreamName"]
    if context.logs.path(group, stream).exists():
        raise _exists("The specified log stream already exists")
    context.logs.append(group, stream, [])


def _put_events(context: Context, request: Members) -> Members:
    group, stream = _group(context, request), request["logStreamName"]
    _require_stream(context, group, stream)
    context.logs.put(group, stream, [(event["timestamp"], event["message"]) for event in request["logEvents"]])
    return {"nextSequenceToken": "0"}


def _delete_group(context: Context, request: Members) -> None:
    if not context.logs.delete_group(request["logGroupName"]):
        raise _missing("The specified log group does not exist.")


def _delete_stream(context: Context, request: Members) -> None:
    if not context.logs.delete_stream(_group(context, request), request["logStreamName"]):
        raise _missing("The specified log stream does not exist.")


def _put_retention(context: Context, request: Members) -> None:
    days = request["retentionInDays"]
    if days not in _RETENTION_DAYS:
        raise ServiceError("InvalidParameterException", f"{days} is not one of the days {sorted(_RETENTION_DAYS)}")
    context.logs.set_retention(_group(context, request), days)


def _delete_retention(context: Context, request: Members) -> None:
    context.logs.set_retention(_group(context, request), None)


def _describe_groups(context: Context, request: Members) -> Members:
    prefix, part = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
    groups = [
        {
            "logGroupName": name,
            "creationTime": created,
            "metricFilterCount": 0,
            "arn": f"{_arn(context, name)}:*",
            "logGroupArn": _arn(context, name),
            "storedBytes": sum(context.logs.path(name, s).stat().st_size for s in context.logs.streams(name)),
            "logGroupClass": "STANDARD",
            **({"retentionInDays": days} if (days := context.logs.retention(name)) else {}),
        }
        for name, created in context.logs.groups()
        if name.startswith(prefix) and part.lower() in name.lower()
    ]
    return _page(request, "logGroups", groups)


def _describe_streams(context: Context, request: Members) -> Members:
    group = _group(context, request)
    streams = [
        _stream(context, group, name)
        for name in context.logs.streams(group)
        if name.startswith(request.get("logStreamNamePrefix", ""))
    ]
    if request.get("orderBy") == "LastEventTime":
        streams.sort(key=lambda stream: int(stream.get("lastEventTimestamp", 0)))
    if request.get("descending"):
        streams.reverse()
    return _page(request, "logStreams", streams)


def _stream(context: Context, group: str, name: str) -> Members:
    stream: Members = {"logStreamName": name, "arn": f"{_arn(context, group)}:log-stream:{name}"}
    ends = context.logs.ends(group, name)
    if ends is None:
        created = context.logs.path(group, name).stat().st_mtime
        return stream | {"creationTime": int(created * 1000), "storedBytes": 0}
    return stream | {
        "creationTime": ends[0],
        "firstEventTimestamp": ends[0],
        "lastEventTimestamp": ends[1],
        "lastIngestionTime": ends[1],
        "uploadSequenceToken": "0",
        "storedBytes": 0,
    }


def _get_events(context: Context, request: Members) -> Members:
    group, stream = _group(context, request), request["logStreamName"]
    _require_stream(context, group, stream)
    events = [event for event in context.logs.events(group, [stream]) if _in_time(event, request)]
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


def _filter_events(context: Context, request: Members) -> Members:
    group = _group(context, request)
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
    streams = [
        name for name in context.logs.streams(group) if name.startswith(prefix) and (names is None or name in names)
    ]
    wanted = _matcher(request.get("filterPattern", ""))
    found: Iterator[Event] = (
        event for event in context.logs.events(group, streams) if _in_time(event, request) and wanted(event.message)
    )
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


_OPERATIONS: dict[str, Callable[[Context, Members], Members | None]] = {
    "CreateLogGroup": _create_group,
    "CreateLogStream": _create_stream,
    "PutLogEvents": _put_events,
    "DeleteLogGroup": _delete_group,
    "DeleteLogStream": _delete_stream,
    "DescribeLogGroups": _describe_groups,
    "PutRetentionPolicy": _put_retention,
    "DeleteRetentionPolicy": _delete_retention,
    "ListTagsForResource": _list_tags,
    "DescribeLogStreams": _describe_streams,
    "GetLogEvents": _get_events,
    "FilterLogEvents": _filter_events,
}


def _matcher(pattern: str) -> Callable[[str], bool]:
    """The test that a filter pattern of terms stands for: all plain terms, any ``?`` term, no ``-`` term.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    if pattern.lstrip()[:1] in ("{", "[", "%"):
        raise not_implemented("logs", "filter patterns that are not terms")
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


def _group(context: Context, request: Members) -> str:
    identifier = request.get("logGroupName") or request.get("logGroupIdentifier")
    if not identifier:
        raise ServiceError("InvalidParameterException", "logGroupName or logGroupIdentifier is required")
    name = str(identifier).partition(":log-group:")[2].removesuffix(":*") or str(identifier)
    if not context.logs.has_group(name):
        raise _missing("The specified log group does not exist.")
    return name


def _require_stream(context: Context, group: str, stream: str) -> None:
    if not context.logs.path(group, stream).is_file():
        raise _missing("The specified log stream does not exist.")


def _in_time(event: Event, request: Members) -> bool:
    return bool(request.get("startTime", 0) <= event.timestamp <= request.get("endTime", event.timestamp))


def _page(request: Members, key: str, items: list[Members]) -> Members:
    start = _number(request.get("nextToken", "0"))
    end = start + request.get("limit", _PAGE)
    return {key: items[start:end]} | ({"nextToken": str(end)} if end < len(items) else {})


def _number(token: str) -> int:
    if not token.isdecimal():
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(token)


def _arn(context: Context, group: str) -> str:
    return arn(context.settings.region, "logs", f"log-group:{group}")


def _missing(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)


def _exists(message: str) -> ServiceError:
    return ServiceError("ResourceAlreadyExistsException", message)
