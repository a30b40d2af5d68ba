"""CloudWatch metrics: those of SageMaker from what the service measured, all others from moto.

SageMaker's namespaces are ``AWS/SageMaker`` (endpoints) and ``/aws/sagemaker/TrainingJobs``.
Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html, API_GetMetricData and
API_ListMetrics. Alarms are moto's, which does not evaluate them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import botocore.session
from botocore.model import OperationModel
from botocore.utils import parse_timestamp

from local.api.moto.query_replies import moto_model, query_reply
from local.api.moto.services import MotoServices, operation_name
from local.aws.service_models import shaped
from local.aws.shapes import validate_request
from local.aws.wire import HttpResponse, Protocol, RequestHead, json_document, json_reply, protocol_of
from local.core.errors import ServiceError, not_implemented
from local.runtime.metric_names import ENDPOINTS, TRAINING_JOBS, unit_of
from local.storage.metric_points import MetricPoints

NAMESPACES = (ENDPOINTS, TRAINING_JOBS)
_MOST_POINTS = 1440
_SERVICE = "monitoring"
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_Point = tuple[float, int]

_STATISTICS: dict[str, Callable[[list[_Point]], float]] = {
    "SampleCount": lambda points: float(sum(count for _, count in points)),
    "Sum": lambda points: sum(value * count for value, count in points),
    "Minimum": lambda points: min(value for value, _ in points),
    "Maximum": lambda points: max(value for value, _ in points),
    "Average": lambda points: sum(value * count for value, count in points) / sum(count for _, count in points),
}


class Monitoring:
    """CloudWatch's operations.

    Args:
        moto: answers for other namespaces and operations.
        points: what the service measured.
    """

    def __init__(self, moto: MotoServices, points: MetricPoints) -> None:
        self._moto = moto
        self._points = points
        self._operations = {
            "GetMetricStatistics": self.get_metric_statistics,
            "GetMetricData": self.get_metric_data,
            "ListMetrics": self.list_metrics,
        }

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request.

        Raises:
            ServiceError: the operation failed or is not implemented.
        """
        name = operation_name(head, body)
        operation, protocol = self._operations.get(name), protocol_of(_SERVICE, head.headers)
        if operation is None:
            return self._moto.answer(head, body)
        model = _model(name)
        request = _request(model, protocol, head, body)
        asked = _namespaces(name, request)
        if asked == {None} and name == "ListMetrics":
            return self._list_all(request, head, body, protocol)
        if asked.isdisjoint(NAMESPACES):
            return self._moto.answer(head, body)
        if not asked <= set(NAMESPACES):
            raise not_implemented("cloudwatch", f"{name} of SageMaker's metrics with other metrics or expressions")
        assert model.input_shape is not None
        validate_request(model.input_shape, request)
        return _reply(model, protocol, operation(request))

    def get_metric_statistics(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return statistics of one metric, by period from the start on."""
        basic, extended = request.get("Statistics", []), request.get("ExtendedStatistics", [])
        if bool(basic) == bool(extended):
            raise ServiceError(
                "InvalidParameterCombination", "Exactly one of Statistics and ExtendedStatistics must be given"
            )
        start, end, period = _seconds(request["StartTime"]) // 60 * 60, _seconds(request["EndTime"]), request["Period"]
        _check_times(start, end, period)
        if (end - start) / period > _MOST_POINTS:
            raise ServiceError(
                "InvalidParameterCombination",
                f"You have requested up to {int((end - start) / period):,} datapoints, which exceeds the limit of "
                f"{_MOST_POINTS:,}. You may reduce the datapoints requested by increasing Period, or decreasing the "
                "time range.",
            )
        periods = self._by_period(request, request.get("Unit"), start, end, period, origin=start)
        unit = unit_of(request["MetricName"])
        return {
            "Label": request["MetricName"],
            "Datapoints": [
                {"Timestamp": moment, "Unit": unit}
                | {name: _STATISTICS[name](points) for name in basic}
                | ({"ExtendedStatistics": {name: _statistic(name)(points) for name in extended}} if extended else {})
                for moment, points in periods.items()
            ],
        }

    def get_metric_data(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return values of several metrics, by periods that begin at multiples of their length."""
        for member in ("LabelOptions", "NextToken"):
            if member in request:
                raise not_implemented("cloudwatch", f"GetMetricData with {member}")
        start, end = _seconds(request["StartTime"]), _seconds(request["EndTime"])
        newest_first = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        results = []
        for query in request["MetricDataQueries"]:
            asked = query["MetricStat"]
            period = asked["Period"]
            _check_times(start, end, period)
            statistic = _statistic(asked["Stat"])
            found = self._by_period(asked["Metric"], asked.get("Unit"), start // period * period, end, period, origin=0)
            moments = sorted(found, reverse=newest_first)
            if query.get("ReturnData", True):
                results.append(
                    {
                        "Id": query["Id"],
                        "Label": query.get("Label", asked["Metric"]["MetricName"]),
                        "Timestamps": moments,
                        "Values": [statistic(found[moment]) for moment in moments],
                        "StatusCode": "Complete",
                    }
                )
        return {"MetricDataResults": results, "Messages": []}

    def list_metrics(self, request: dict[str, Any]) -> dict[str, Any]:
        """List metrics of the namespace, or of both."""
        for member in ("RecentlyActive", "IncludeLinkedAccounts", "OwningAccount", "NextToken"):
            if request.get(member):
                raise not_implemented("cloudwatch", f"ListMetrics with {member}")
        filters = request.get("Dimensions", [])
        return {
            "Metrics": [
                {
                    "Namespace": namespace,
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                }
                for namespace in NAMESPACES
                if request.get("Namespace", namespace) == namespace
                for name, dimensions in self._points.series(namespace)
                if request.get("MetricName", name) == name
                and all(
                    each["Name"] in dimensions
                    and each.get("Value", dimensions[each["Name"]]) == dimensions[each["Name"]]
                    for each in filters
                )
            ]
        }

    def _list_all(self, request: dict[str, Any], head: RequestHead, body: bytes, protocol: Protocol) -> HttpResponse:
        if protocol is not Protocol.JSON:
            raise not_implemented("cloudwatch", "ListMetrics without Namespace in the protocol Query")
        others = self._moto.answer(head, body)
        if others.status >= 300:
            return others
        document = json.loads(others.body)
        ours = self.list_metrics(request)["Metrics"] if "NextToken" not in request else []
        return json_reply(document | {"Metrics": [*document.get("Metrics", []), *ours]})

    def _by_period(  # noqa: PLR0913 - these are what every query has
        self, metric: dict[str, Any], unit: str | None, start: float, end: float, period: int, *, origin: float
    ) -> dict[float, list[_Point]]:
        if unit not in (None, unit_of(metric["MetricName"])):
            return {}
        dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
        periods: dict[float, list[_Point]] = {}
        for minute, value, count in self._points.read(
            metric["Namespace"], metric["MetricName"], dimensions, start, end
        ):
            moment = (minute - origin) // period * period + origin
            periods.setdefault(moment, []).append((value, count))
        return periods


@cache
def _model(name: str) -> OperationModel:
    return botocore.session.get_session().get_service_model("cloudwatch").operation_model(name)


def _request(model: OperationModel, protocol: Protocol, head: RequestHead, body: bytes) -> dict[str, Any]:
    if protocol is Protocol.JSON:
        document = json_document(body)
        if not isinstance(document, dict):
            raise ServiceError("SerializationException", "the request's body is not a JSON object")
        return document
    if protocol is not Protocol.QUERY:
        raise not_implemented("cloudwatch", f"{model.name} in the protocol {protocol.value}")
    from moto.core.parse import QueryParser  # noqa: PLC0415 - moto is imported at its first use

    values = dict(parse_qsl((body or head.query).decode("latin-1"), keep_blank_values=True))
    parsed: dict[str, Any] = QueryParser(moto_model("cloudwatch", model.name), timestamp_parser=str).parse(
        {"values": values}
    )
    return parsed


def _reply(model: OperationModel, protocol: Protocol, response: dict[str, Any]) -> HttpResponse:
    assert model.output_shape is not None
    if protocol is Protocol.JSON:
        return json_reply(shaped(model.output_shape, response))
    return query_reply("cloudwatch", model.name, _with_dates(response))


def _with_dates(response: dict[str, Any]) -> dict[str, Any]:
    """Return a response whose times are dates, as moto's serializer takes them."""
    for point in response.get("Datapoints", []):
        point["Timestamp"] = datetime.utcfromtimestamp(point["Timestamp"])
    for result in response.get("MetricDataResults", []):
        result["Timestamps"] = [datetime.utcfromtimestamp(moment) for moment in result["Timestamps"]]
    return response


def _namespaces(name: str, request: dict[str, Any]) -> set[Any]:
    """Return the namespaces that a request asks for; None for an expression or if there is none."""
    if name != "GetMetricData":
        return {request.get("Namespace")}
    queries = request.get("MetricDataQueries")
    return {_namespace(query) for query in queries} if isinstance(queries, list) and queries else {None}


def _namespace(query: Any) -> Any:
    try:
        return query["MetricStat"]["Metric"]["Namespace"]
    except (LookupError, TypeError):
        return None


def _seconds(moment: Any) -> float:
    try:
        return parse_timestamp(moment).timestamp()
    except (ValueError, TypeError, OverflowError):
        raise ServiceError("InvalidParameterValue", f"{moment!r} is not a time") from None


def _check_times(start: float, end: float, period: int) -> None:
    if start >= end:
        raise ServiceError("InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.")
    if period < 60 or period % 60:
        raise ServiceError(
            "InvalidParameterValue", f"The parameter Period must be a multiple of 60 for these metrics, not {period}."
        )


def _statistic(name: str) -> Callable[[list[_Point]], float]:
    if name in _STATISTICS:
        return _STATISTICS[name]
    match = _PERCENTILE.fullmatch(name)
    if match is None:
        raise not_implemented("cloudwatch", f"the statistic {name}")
    share = float(match[1]) / 100
    return lambda points: _percentile(points, share)


def _percentile(points: list[_Point], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    wanted = share * sum(count for _, count in points)
    seen = 0
    for value, count in sorted(points):
        seen += count
        if seen >= wanted:
            return value
    return max(value for value, _ in points)
