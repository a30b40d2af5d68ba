"""Changes of one endpoint that clients ask for at the same moment, over HTTP."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from local.runtime.endpoints import changes, serving
from tests.local.conftest import IMAGE, make_artifact, open_parts

CLIENTS = 4
UPDATES = 30


@pytest.fixture
def configurations(service, tmp_path):
    """Names of endpoint configurations, and the score that each one's model gives to the row 1,1."""
    sagemaker, scores = service.client("sagemaker"), {}
    for number in range(CLIENTS):
        name, uri = f"config-{number}", f"s3://models/{number}/model.tar.gz"
        service.parts.objects.write(uri, make_artifact(tmp_path, [1.0, 2.0], float(number)))
        sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": uri})
        variant = {"VariantName": "v", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        scores[name] = 3.0 + number
    return scores


@pytest.fixture
def slow_clean_up(monkeypatch) -> None:
    """Cleaning up after an update takes so long that the next update has begun."""
    clean_up = serving.remove_stale

    def wait_and_clean_up(*arguments) -> None:
        time.sleep(0.02)
        clean_up(*arguments)

    monkeypatch.setattr(changes, "remove_stale", wait_and_clean_up)


@pytest.mark.usefixtures("slow_clean_up")
def test_of_updates_at_the_same_moment_one_is_taken_and_what_it_serves_stays(service, configurations) -> None:
    sagemaker = service.client("sagemaker")
    first, *_ = configurations
    sagemaker.create_endpoint(EndpointName="busy", EndpointConfigName=first)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="busy", WaiterConfig={"Delay": 1})
    together, refusals = threading.Barrier(CLIENTS), []

    def update(configuration):
        client = service.client("sagemaker")
        taken = 0
        together.wait()
        for _ in range(UPDATES):
            try:
                client.update_endpoint(EndpointName="busy", EndpointConfigName=configuration)
                taken += 1
            except ClientError as error:
                refusals.append(error.response["Error"])
        return taken

    with ThreadPoolExecutor(CLIENTS) as clients:
        taken = sum(clients.map(update, configurations))
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="busy", WaiterConfig={"Delay": 1})

    assert taken + len(refusals) == CLIENTS * UPDATES
    assert taken > 0
    assert {(error["Code"], error["Message"].partition('"')[0]) for error in refusals} == {
        ("ValidationException", "Cannot update in-progress endpoint ")
    }
    endpoint = sagemaker.describe_endpoint(EndpointName="busy")
    assert endpoint["EndpointStatus"] == "InService"
    assert "FailureReason" not in endpoint
    answer = service.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="busy", ContentType="text/csv", Body=b"1,1"
    )
    score = json.loads(answer["Body"].read())["predictions"][0]["score"]
    assert score == configurations[endpoint["EndpointConfigName"]]
    # What a restart would load is there too.
    again = open_parts(service.settings)
    try:
        assert "endpoint busy: in service again" in again.changes.restore()
    finally:
        again.close()
