"""SageMaker's metrics in CloudWatch: what the service measured."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from local.core.settings import ACCESS_KEY
from local.runtime.metric_names import ENDPOINTS, TRAINING_JOBS
from local.storage import metric_points
from local.storage.metric_points import MetricPoints
from tests.local.conftest import IMAGE, make_artifact

NOW = (int(time.time()) // 3600 - 3) * 3600
"""A whole hour."""


@pytest.fixture(scope="module")
def cloudwatch(service):
    return service.client("cloudwatch")


@pytest.fixture
def measured(service):
    """Latencies of an endpoint at minutes after ``NOW``."""

    def add(endpoint, *values):
        for minute, value in values:
            dimensions = {"EndpointName": endpoint, "VariantName": "v"}
            service.parts.metrics.add(ENDPOINTS, dimensions, {"ModelLatency": float(value)}, NOW + 60.0 * minute)
        return [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "v"}]

    return add


def at(minute: float) -> datetime:
    return datetime.fromtimestamp(NOW + 60 * minute, UTC)


def statistics(cloudwatch, dimensions, **request):
    asked = {
        "Namespace": ENDPOINTS,
        "MetricName": "ModelLatency",
        "Dimensions": dimensions,
        "StartTime": at(0),
        "EndTime": at(60),
        "Period": 60,
        "Statistics": ["Sum", "Average", "Minimum", "Maximum", "SampleCount"],
        **request,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    points = cloudwatch.get_metric_statistics(**given)["Datapoints"]
    return sorted(points, key=lambda point: point["Timestamp"])


def test_statistics_by_period(cloudwatch, measured) -> None:
    dimensions = measured("periods", (1, 10), (1, 30), (4, 5), (7, 100))
    first, second, third = statistics(cloudwatch, dimensions)
    assert first == {
        "Timestamp": at(1),
        "Unit": "Microseconds",
        **{"Sum": 40.0, "Average": 20.0, "Minimum": 10.0, "Maximum": 30.0, "SampleCount": 2.0},
    }
    assert (second["Timestamp"], third["Timestamp"]) == (at(4), at(7))
    # Periods begin at the start, and the end is not part of them.
    later = statistics(cloudwatch, dimensions, StartTime=at(2), EndTime=at(7), Period=300, Statistics=["Sum"])
    assert later == [{"Timestamp": at(2), "Unit": "Microseconds", "Sum": 5.0}]
    assert statistics(cloudwatch, dimensions, Unit="Seconds") == []
    assert statistics(cloudwatch, dimensions[:1]) == []


def test_percentiles(cloudwatch, measured) -> None:
    dimensions = measured("percentiles", *((2, value) for value in range(1, 101)))
    (point,) = cloudwatch.get_metric_statistics(
        Namespace=ENDPOINTS,
        MetricName="ModelLatency",
        Dimensions=dimensions,
        StartTime=at(0),
        EndTime=at(60),
        Period=3600,
        ExtendedStatistics=["p50", "p99", "p99.9", "p100"],
    )["Datapoints"]
    assert point["ExtendedStatistics"] == {"p50": 50.0, "p99": 99.0, "p99.9": 100.0, "p100": 100.0}


def test_metric_data_of_several_queries_in_both_orders(cloudwatch, measured) -> None:
    dimensions = measured("data", (1, 10), (6, 20), (7, 30))

    def query(name, stat, period):
        metric = {"Namespace": ENDPOINTS, "MetricName": "ModelLatency", "Dimensions": dimensions}
        return {"Id": name, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}

    queries = [query("a", "Sum", 300), query("b", "p90", 60), query("hidden", "Sum", 60) | {"ReturnData": False}]
    request = {"MetricDataQueries": queries, "StartTime": at(1), "EndTime": at(60)}
    first, second = cloudwatch.get_metric_data(**request)["MetricDataResults"]
    # Periods begin at multiples of their length.
    assert (first["Id"], first["Timestamps"], first["Values"]) == ("a", [at(5), at(0)], [50.0, 10.0])
    assert (second["Values"], second["StatusCode"]) == ([30.0, 20.0, 10.0], "Complete")
    ascending = cloudwatch.get_metric_data(**request, ScanBy="TimestampAscending")["MetricDataResults"][0]
    assert ascending["Values"] == [10.0, 50.0]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"Statistics": None}, "InvalidParameterCombination"),
        ({"ExtendedStatistics": ["p99"]}, "InvalidParameterCombination"),
        ({"Period": 90}, "InvalidParameterValue"),
        ({"EndTime": at(0)}, "InvalidParameterValue"),
        ({"EndTime": at(60 * 48)}, "InvalidParameterCombination"),
        ({"Statistics": None, "ExtendedStatistics": ["tm90"]}, "NotImplementedException"),
    ],
)
def test_what_cannot_be_asked_is_refused(cloudwatch, measured, request_, code) -> None:
    dimensions = measured("refused", (1, 1))
    with pytest.raises(ClientError) as refusal:
        statistics(cloudwatch, dimensions, **request_)
    assert refusal.value.response["Error"]["Code"] == code


def test_expressions_over_these_metrics_are_refused_by_name(cloudwatch) -> None:
    metric = {"Namespace": ENDPOINTS, "MetricName": "Invocations"}
    queries = [
        {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}},
        {"Id": "b", "Expression": "a * 2"},
    ]
    with pytest.raises(ClientError, match="with other metrics or expressions"):
        cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=at(0), EndTime=at(1))


def test_invocations_of_an_endpoint_are_counted_with_their_errors_and_latencies(service, cloudwatch, tmp_path) -> None:
    sagemaker, runtime = service.client("sagemaker"), service.client("sagemaker-runtime")
    service.parts.objects.write("s3://models/m/model.tar.gz", make_artifact(tmp_path, [1.0, 2.0]))
    sagemaker.create_model(
        ModelName="m", PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://models/m/model.tar.gz"}
    )
    variant = {"VariantName": "All", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="m", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="Counted", EndpointConfigName="m")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="Counted", WaiterConfig={"Delay": 1})
    for body in (b"1,1", b"2,2"):
        runtime.invoke_endpoint(EndpointName="Counted", ContentType="text/csv", Body=body)
    with pytest.raises(ClientError, match="ModelError"):
        runtime.invoke_endpoint(EndpointName="Counted", ContentType="text/csv", Body=b"1,2,3")
    dimensions = [{"Name": "EndpointName", "Value": "Counted"}, {"Name": "VariantName", "Value": "All"}]
    listed = cloudwatch.list_metrics(Namespace=ENDPOINTS, Dimensions=dimensions[:1])["Metrics"]
    assert {metric["MetricName"] for metric in listed} == {
        *("Invocations", "InvocationsPerInstance", "Invocation4XXErrors", "Invocation5XXErrors"),
        *("ModelLatency", "OverheadLatency"),
    }
    assert all(metric["Dimensions"] == dimensions for metric in listed)
    now = datetime.now(UTC)
    whole = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1), "Period": 86400}

    def ask(metric, statistic):
        (point,) = statistics(cloudwatch, dimensions, MetricName=metric, Statistics=[statistic], **whole)
        return point[statistic]

    assert ask("Invocations", "Sum") == 3.0
    assert ask("Invocation4XXErrors", "Average") == pytest.approx(1 / 3)
    assert ask("Invocation5XXErrors", "Sum") == 0.0
    assert ask("ModelLatency", "Minimum") > 0.0
    assert ask("OverheadLatency", "SampleCount") == 3.0


def test_other_namespaces_are_motos_and_one_list_has_all(service, cloudwatch, measured) -> None:
    measured("listed", (1, 1))
    cloudwatch.put_metric_data(Namespace="mine", MetricData=[{"MetricName": "size", "Value": 3.0}])
    assert [metric["MetricName"] for metric in cloudwatch.list_metrics(Namespace="mine")["Metrics"]] == ["size"]
    assert {metric["Namespace"] for metric in cloudwatch.list_metrics()["Metrics"]} == {"mine", ENDPOINTS}
    now = datetime.now(UTC)
    found = statistics(
        cloudwatch,
        [],
        Namespace="mine",
        MetricName="size",
        Statistics=["Sum"],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
    )
    assert [point["Sum"] for point in found] == [3.0]


def test_points_survive_a_restart_and_are_bounded(tmp_path, monkeypatch) -> None:
    points = MetricPoints(tmp_path / "metrics.sqlite")
    points.add(TRAINING_JOBS, {"TrainingJobName": "j"}, {"train:mse": 2.0})
    points.close()
    again = MetricPoints(tmp_path / "metrics.sqlite")
    assert again.series(TRAINING_JOBS) == [("train:mse", {"TrainingJobName": "j"})]
    monkeypatch.setattr(metric_points, "MAX_ROWS", 10)
    moment = time.time()
    for minute in range(50):
        again.add(ENDPOINTS, {}, {"Invocations": 1.0}, moment + 60.0 * minute)
    kept = again.read(ENDPOINTS, "Invocations", {}, 0, moment + 10_000)
    assert 0 < len(kept) <= 10
    assert kept[-1][0] == (moment + 49 * 60) // 60 * 60
    again.add(ENDPOINTS, {}, {"Old": 1.0}, moment - metric_points.RETENTION_SECONDS - 60)
    assert again.read(ENDPOINTS, "Old", {}, 0, moment * 2) == []
    again.close()


def test_the_query_protocol_is_answered_in_xml(service, measured) -> None:
    dimensions = measured("xml", (1, 10))
    form = {
        **{"Action": "GetMetricStatistics", "Version": "2010-08-01", "Namespace": ENDPOINTS},
        **{"MetricName": "ModelLatency", "StartTime": at(0).isoformat(), "EndTime": at(60).isoformat()},
        **{"Period": "60", "Statistics.member.1": "Sum", "Statistics.member.2": "SampleCount"},
    }
    for place, dimension in enumerate(dimensions, start=1):
        form |= {f"Dimensions.member.{place}.{name}": value for name, value in dimension.items()}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", f"{service.settings.endpoint_url}/", headers, urlencode(form))
    SigV4Auth(Credentials(ACCESS_KEY, service.settings.secret_key), "monitoring", "us-east-1").add_auth(request)
    reply = URLLib3Session().send(request.prepare())
    assert reply.status_code == 200, reply.text
    assert "<Sum>10.0</Sum>" in reply.text
    assert f"<Timestamp>{at(1):%Y-%m-%dT%H:%M:%S}" in reply.text
