from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any

import pytest

from local.algorithms.linear_learner.inference import Model
from local.core.errors import ServiceError
from local.runtime.endpoints import changes, serving
from tests.local.conftest import IMAGE, open_parts

ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint"


@pytest.fixture
def configure(parts, put_model):
    """Makes an endpoint configuration of linear models, one variant for each bias."""

    def make(name: str, *biases: float, weights: tuple[float, ...] | None = None, image: str = IMAGE, **members) -> str:
        variants = []
        for index, bias in enumerate(biases):
            model = f"{name}-{index}"
            uri = put_model(f"s3://models/{model}/model.tar.gz", bias=bias)
            parts.sagemaker.call(
                "CreateModel", {"ModelName": model, "PrimaryContainer": {"Image": image, "ModelDataUrl": uri}}
            )
            variants.append(
                {
                    "VariantName": f"v{index}",
                    "ModelName": model,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": weights[index] if weights else 1.0,
                }
            )
        parts.sagemaker.call(
            "CreateEndpointConfig", {"EndpointConfigName": name, "ProductionVariants": variants, **members}
        )
        return name

    return make


@pytest.fixture
def slow_loading(monkeypatch):
    """Loading of models waits until the test sets this event."""
    go_on = threading.Event()
    load = Model.load

    def wait_and_load(path):
        assert go_on.wait(20)
        return load(path)

    monkeypatch.setattr("local.algorithms.linear_learner.inference.Model.load", wait_and_load)
    yield go_on
    go_on.set()


def describe(parts, name="e"):
    return parts.sagemaker.call("DescribeEndpoint", {"EndpointName": name})


def create(parts, config, name="e", **members):
    return parts.sagemaker.call("CreateEndpoint", {"EndpointName": name, "EndpointConfigName": config, **members})


def settled(parts, name="e"):
    """The endpoint's description when no change is under way."""
    for _ in range(60):
        endpoint = describe(parts, name)
        if endpoint["EndpointStatus"] in ("InService", "Failed"):
            return endpoint
    raise AssertionError(endpoint)


def wait_for_deletion(parts, name="e") -> None:
    """Wait longer than DescribeEndpoint does."""
    assert parts.store.wait_until(lambda: parts.store.find("endpoint", name) is None, 20)


def invoke(parts, body=b"1,1", variant=None, name="e"):
    return parts.hosting.invoke(name, body, "text/csv", None, variant)


def score(parts, **options):
    status, _, body = invoke(parts, **options)
    assert status == 200, body
    return json.loads(body)["predictions"][0]["score"]


def refusal(parts, operation, **members):
    with pytest.raises(ServiceError) as caught:
        parts.sagemaker.call(operation, members)
    assert caught.value.code == "ValidationException"
    return caught.value.message


def test_an_endpoint_is_creating_and_then_in_service(parts, configure, slow_loading) -> None:
    assert create(parts, configure("c", 0.5)) == {"EndpointArn": f"{ARN}/e"}
    creating = describe(parts)
    assert creating["EndpointStatus"] == "Creating"
    assert creating["PendingDeploymentSummary"]["EndpointConfigName"] == "c"
    assert invoke(parts)[0] == 400
    slow_loading.set()
    endpoint = settled(parts)
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointConfigName"] == "c"
    assert "PendingDeploymentSummary" not in endpoint
    variant = endpoint["ProductionVariants"][0]
    assert variant["CurrentWeight"] == variant["DesiredWeight"] == 1.0
    assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] == 1
    assert variant["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert score(parts) == 3.5


def test_no_other_change_begins_while_one_is_under_way(parts, configure, slow_loading) -> None:
    create(parts, configure("c", 0.5))
    in_progress = f'Cannot update in-progress endpoint "{ARN}/e".'
    weights = [{"VariantName": "v0", "DesiredWeight": 2.0}]
    assert refusal(parts, "UpdateEndpoint", EndpointName="e", EndpointConfigName="c") == in_progress
    assert refusal(parts, "DeleteEndpoint", EndpointName="e") == in_progress
    changed = {"EndpointName": "e", "DesiredWeightsAndCapacities": weights}
    assert refusal(parts, "UpdateEndpointWeightsAndCapacities", **changed) == in_progress
    assert refusal(parts, "CreateEndpoint", EndpointName="e", EndpointConfigName="c") == (
        f'Cannot create already existing endpoint "{ARN}/e".'
    )
    slow_loading.set()
    assert settled(parts)["EndpointStatus"] == "InService"


def test_an_update_serves_the_old_model_until_the_new_one_is_ready(parts, configure, slow_loading) -> None:
    slow_loading.set()
    create(parts, configure("old", 0.5))
    assert settled(parts)["EndpointStatus"] == "InService"
    slow_loading.clear()
    parts.sagemaker.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": configure("new", 10.5)})
    updating = describe(parts)
    assert updating["EndpointStatus"] == "Updating"
    assert updating["EndpointConfigName"] == "old"
    assert score(parts) == 3.5
    slow_loading.set()
    assert settled(parts)["EndpointConfigName"] == "new"
    assert score(parts) == 13.5


def test_an_update_that_cannot_be_served_rolls_back_and_says_why(parts, configure) -> None:
    create(parts, configure("good", 0.5))
    settled(parts)
    parts.sagemaker.call(
        "UpdateEndpoint",
        {"EndpointName": "e", "EndpointConfigName": configure("bad", 1.0, image="x/xgboost:1")},
    )
    endpoint = settled(parts)
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointConfigName"] == "good"
    assert "x/xgboost:1" in endpoint["FailureReason"]
    assert "linear-learner" in endpoint["FailureReason"]
    assert score(parts) == 3.5
    parts.sagemaker.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": configure("better", 1.5)})
    assert "FailureReason" not in settled(parts)
    assert score(parts) == 4.5


def test_an_endpoint_of_an_image_without_a_local_runtime_fails_and_names_it(parts, configure) -> None:
    create(parts, configure("c", 0.5, image="123.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"))
    endpoint = settled(parts)
    assert endpoint["EndpointStatus"] == "Failed"
    assert "sagemaker-xgboost:1.7-1" in endpoint["FailureReason"]
    assert "linear-learner" in endpoint["FailureReason"]
    assert "can only be deleted" in refusal(parts, "UpdateEndpoint", EndpointName="e", EndpointConfigName="c")
    parts.sagemaker.call("DeleteEndpoint", {"EndpointName": "e"})


def test_an_artifact_that_is_no_model_fails_the_health_check_and_the_log_says_why(parts, configure) -> None:
    config = configure("c", 0.5)
    parts.objects.write("s3://models/c-0/model.tar.gz", b"this is no archive")
    create(parts, config)
    endpoint = settled(parts)
    assert endpoint["EndpointStatus"] == "Failed"
    assert endpoint["FailureReason"].startswith(
        "The primary container for production variant v0 did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint"
    )
    assert "not a gzip file" in parts.logs.path("/aws/sagemaker/Endpoints/e", "v0/local").read_text()


def test_model_data_that_is_gone_fails_the_endpoint_and_leaves_no_copies(parts, configure, settings) -> None:
    config = configure("c", 0.5)
    parts.objects.delete("s3://models/c-0/model.tar.gz")
    create(parts, config)
    assert "s3://models/c-0/model.tar.gz" in settled(parts)["FailureReason"]
    assert not serving.endpoint_folder(settings, "e").exists()


def test_requests_are_shared_by_weight_and_a_client_can_name_its_variant(parts, configure) -> None:
    create(parts, configure("c", 0.0, 100.0, 1000.0, weights=(3.0, 1.0, 0.0)))
    settled(parts)
    answers = Counter(score(parts) for _ in range(2000))
    assert answers.keys() == {3.0, 103.0}
    assert 1350 < answers[3.0] < 1650
    assert score(parts, variant="v2") == 1003.0
    status, headers, body = invoke(parts, variant="v9")
    assert (status, dict(headers)[b"x-amzn-ErrorType"]) == (400, b"ValidationError")
    assert b"v9" in body


def test_weights_and_instance_counts_change_without_a_new_configuration(parts, configure) -> None:
    create(parts, configure("c", 0.0, 100.0))
    settled(parts)
    wanted = [{"VariantName": "v0", "DesiredWeight": 0.0}, {"VariantName": "v1", "DesiredInstanceCount": 3}]
    request = {"EndpointName": "e", "DesiredWeightsAndCapacities": wanted}
    assert parts.sagemaker.call("UpdateEndpointWeightsAndCapacities", request) == {"EndpointArn": f"{ARN}/e"}
    variants = {variant["VariantName"]: variant for variant in settled(parts)["ProductionVariants"]}
    assert (variants["v0"]["CurrentWeight"], variants["v1"]["CurrentInstanceCount"]) == (0.0, 3)
    assert {score(parts) for _ in range(50)} == {103.0}
    for weights in ([{"VariantName": "v9", "DesiredWeight": 1.0}], [{"VariantName": "v1", "DesiredWeight": 0.0}]):
        refusal(parts, "UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=weights)
    assert settled(parts)["EndpointStatus"] == "InService"


def test_an_update_can_retain_the_weights_that_were_changed(parts, configure) -> None:
    create(parts, configure("c", 0.0, 100.0))
    settled(parts)
    wanted = [{"VariantName": "v0", "DesiredWeight": 0.0, "DesiredInstanceCount": 2}]
    parts.sagemaker.call(
        "UpdateEndpointWeightsAndCapacities", {"EndpointName": "e", "DesiredWeightsAndCapacities": wanted}
    )
    settled(parts)
    parts.sagemaker.call(
        "UpdateEndpoint",
        {
            "EndpointName": "e",
            "EndpointConfigName": configure("next", 10.0, 200.0),
            "RetainAllVariantProperties": True,
            "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredInstanceCount"}],
        },
    )
    variant = settled(parts)["ProductionVariants"][0]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (0.0, 1)
    assert {score(parts) for _ in range(50)} == {203.0}


def test_a_deleted_endpoint_answers_no_more_and_its_name_is_free_again(parts, configure, settings) -> None:
    config = configure("c", 0.5)
    create(parts, config, Tags=[{"Key": "a", "Value": "b"}])
    settled(parts)
    parts.sagemaker.call("DeleteEndpoint", {"EndpointName": "e"})
    assert invoke(parts)[0] == 400
    wait_for_deletion(parts)
    assert refusal(parts, "DescribeEndpoint", EndpointName="e") == f'Could not find endpoint "{ARN}/e".'
    assert not serving.endpoint_folder(settings, "e").exists()
    create(parts, config)
    assert settled(parts)["EndpointStatus"] == "InService"
    assert parts.sagemaker.call("ListTags", {"ResourceArn": f"{ARN}/e"})["Tags"] == []


def test_an_endpoint_outlives_its_models_configuration_and_artifacts_also_across_a_restart(
    parts, configure, settings
) -> None:
    create(parts, configure("c", 0.5))
    settled(parts)
    parts.sagemaker.call("DeleteModel", {"ModelName": "c-0"})
    parts.sagemaker.call("DeleteEndpointConfig", {"EndpointConfigName": "c"})
    parts.objects.delete("s3://models/c-0/model.tar.gz")
    assert score(parts) == 3.5
    again = open_parts(settings)
    try:
        assert again.changes.restore() == ["endpoint e: in service again"]
        assert score(again) == 3.5
    finally:
        again.close()


@pytest.mark.parametrize("status", ["Creating", "Updating", "RollingBack", "Deleting"])
def test_a_change_that_a_killed_service_left_is_ended_by_the_next_one(parts, configure, settings, status) -> None:
    create(parts, configure("c", 0.5))
    settled(parts)
    pending = {
        "EndpointConfigName": configure("next", 1.5),
        "ProductionVariants": [{"VariantName": "v0", "DesiredWeight": 1.0, "DesiredInstanceCount": 1}],
    }

    def killed(endpoint) -> None:
        endpoint["EndpointStatus"] = status
        if status == "Creating":
            del endpoint["_Variants"]
        if status != "Deleting":
            endpoint["PendingDeploymentSummary"] = pending

    parts.store.update("endpoint", "e", killed)
    again = open_parts(settings)
    try:
        again.changes.restore()
        if status == "Deleting":
            wait_for_deletion(again)
            assert "Could not find endpoint" in refusal(again, "DescribeEndpoint", EndpointName="e")
        else:
            assert settled(again)["EndpointStatus"] == "InService"
            assert score(again) == (3.5 if status == "RollingBack" else 4.5)
    finally:
        again.close()


def test_a_copy_that_was_lost_fails_its_endpoint_and_no_other(parts, configure, settings) -> None:
    for name in ("e1", "e2"):
        create(parts, configure(name, 0.5), name)
        settled(parts, name)
    next(serving.endpoint_folder(settings, "e1").rglob("*.tar.gz")).unlink()
    again = open_parts(settings)
    try:
        lost, restored = again.changes.restore()
        assert lost.startswith("endpoint e1: Failed, because its model cannot be loaded: ")
        assert restored == "endpoint e2: in service again"
        assert settled(again, "e1")["EndpointStatus"] == "Failed"
        assert score(again, name="e2") == 3.5
    finally:
        again.close()


def test_serverless_variants_are_served_and_described(parts, configure, put_model) -> None:
    configure("c", 0.5)
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    variant = {"VariantName": "v", "ModelName": "c-0", "ServerlessConfig": serverless}
    parts.sagemaker.call("CreateEndpointConfig", {"EndpointConfigName": "s", "ProductionVariants": [variant]})
    create(parts, "s")
    described = settled(parts)["ProductionVariants"][0]
    assert described["CurrentServerlessConfig"] == serverless
    assert "CurrentInstanceCount" not in described
    assert score(parts) == 3.5


def test_a_serverless_endpoint_can_get_instances_but_not_the_other_way_round(parts, configure) -> None:
    configure("c", 0.5)
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    variant = {"VariantName": "v", "ModelName": "c-0", "ServerlessConfig": serverless}
    parts.sagemaker.call("CreateEndpointConfig", {"EndpointConfigName": "s", "ProductionVariants": [variant]})
    create(parts, "s")
    settled(parts)
    for config in ("s", "c"):
        parts.sagemaker.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": config})
        assert settled(parts)["EndpointConfigName"] == config
    words = refusal(parts, "UpdateEndpoint", EndpointName="e", EndpointConfigName="s")
    assert words.startswith("Could not update a real-time endpoint to serverless")
    assert settled(parts)["EndpointConfigName"] == "c"


def test_capacities_that_cannot_be_are_refused(parts, configure) -> None:
    create(parts, configure("c", 0.5))
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 5, "ProvisionedConcurrency": 4}
    variant = {"VariantName": "v0", "ModelName": "c-0", "ServerlessConfig": serverless}
    parts.sagemaker.call("CreateEndpointConfig", {"EndpointConfigName": "s", "ProductionVariants": [variant]})
    create(parts, "s", "s")
    before = [settled(parts, name) for name in ("e", "s")]
    cases: list[tuple[str, str, list[dict[str, Any]]]] = [
        ("e", "DesiredInstanceCount of production variant v0 must be at least 1", [{"DesiredInstanceCount": 0}]),
        ("e", "v0 has instances", [{"ServerlessUpdateConfig": {"MaxConcurrency": 1}}]),
        ("e", "v0 only once", [{"DesiredWeight": 1.0}, {"DesiredWeight": 2.0}]),
        ("e", "must have one of DesiredWeight", [{}]),
        ("s", "v0 has a ServerlessConfig", [{"DesiredInstanceCount": 1}]),
        ("s", "less than or equal to MaxConcurrency 3", [{"ServerlessUpdateConfig": {"MaxConcurrency": 3}}]),
    ]
    for endpoint, words, wanted in cases:
        changes = [{"VariantName": "v0", **change} for change in wanted]
        request = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": changes}
        assert words in refusal(parts, "UpdateEndpointWeightsAndCapacities", **request)
    assert [describe(parts, name) for name in ("e", "s")] == before
    change = {"VariantName": "v0", "ServerlessUpdateConfig": {"MaxConcurrency": 9}}
    request = {"EndpointName": "s", "DesiredWeightsAndCapacities": [change]}
    parts.sagemaker.call("UpdateEndpointWeightsAndCapacities", request)
    described = settled(parts, "s")["ProductionVariants"][0]["CurrentServerlessConfig"]
    assert described == serverless | {"MaxConcurrency": 9}


def sized(kind, member, value):
    routing = {"Type": kind, "WaitIntervalInSeconds": 60, member: {"Type": "CAPACITY_PERCENT", "Value": value}}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}


def rolling(percent):
    size = {"Type": "CAPACITY_PERCENT", "Value": percent}
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": 60}}


def test_deployments_that_cannot_be_are_refused(parts, configure) -> None:
    create(parts, configure("c", 0.5), DeploymentConfig=sized("CANARY", "CanarySize", 50))
    settled(parts)
    for words, deployment in [
        ("Only one update policy", sized("CANARY", "CanarySize", 50) | rolling(50)),
        ("must have a CanarySize", sized("CANARY", "LinearStepSize", 50)),
        ("must have a LinearStepSize", sized("LINEAR", "CanarySize", 50)),
        ("CanarySize must be 1 to 50 percent", sized("CANARY", "CanarySize", 51)),
        ("LinearStepSize must be 10 to 50 percent", sized("LINEAR", "LinearStepSize", 9)),
        ("MaximumBatchSize must be 5 to 50 percent", rolling(4)),
    ]:
        for operation in ("CreateEndpoint", "UpdateEndpoint"):
            request = {"EndpointName": "e", "EndpointConfigName": "c", "DeploymentConfig": deployment}
            assert words in refusal(parts, operation, **request)
    excluded = [{"VariantPropertyType": "DesiredWeight"}]
    request = {"EndpointName": "e", "EndpointConfigName": "c", "ExcludeRetainedVariantProperties": excluded}
    assert "RetainAllVariantProperties" in refusal(parts, "UpdateEndpoint", **request)
    assert settled(parts)["LastDeploymentConfig"] == sized("CANARY", "CanarySize", 50)


def test_endpoints_are_listed_by_status(parts, configure) -> None:
    create(parts, configure("c", 0.5), "good")
    create(parts, configure("b", 0.5, image="other:1"), "bad")
    settled(parts, "good"), settled(parts, "bad")
    listed = parts.sagemaker.call("ListEndpoints", {"StatusEquals": "Failed"})["Endpoints"]
    assert [endpoint["EndpointName"] for endpoint in listed] == ["bad"]
    assert [endpoint["EndpointName"] for endpoint in parts.sagemaker.call("ListEndpoints", {})["Endpoints"]] == [
        "bad",
        "good",
    ]


def test_an_endpoint_of_what_does_not_exist_is_refused(parts, configure) -> None:
    config = "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/absent"
    words = f'Could not find endpoint configuration "{config}".'
    assert refusal(parts, "CreateEndpoint", EndpointName="e", EndpointConfigName="absent") == words
    assert refusal(parts, "UpdateEndpoint", EndpointName="e", EndpointConfigName="absent") == words
    missing = f'Could not find endpoint "{ARN}/e".'
    configure("c", 0.5)
    assert refusal(parts, "UpdateEndpoint", EndpointName="e", EndpointConfigName="c") == missing
    assert refusal(parts, "DeleteEndpoint", EndpointName="e") == missing


def test_a_change_that_begins_as_another_ends_keeps_its_artifact(parts, configure, settings, monkeypatch) -> None:
    create(parts, configure("c", 0.5))
    settled(parts)
    configure("next", 1.5), configure("last", 2.5)
    staged, clean_up = threading.Event(), serving.remove_stale

    def stage(*arguments):
        copies = serving.stage(*arguments)
        staged.set()
        return copies

    def clean_up_late(*arguments) -> None:
        # The first update is over, but for its cleaning up: the second one begins now.
        monkeypatch.setattr(changes, "remove_stale", clean_up)
        monkeypatch.setattr(changes, "stage", stage)
        parts.sagemaker.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "last"})
        assert staged.wait(20)
        clean_up(*arguments)

    monkeypatch.setattr(changes, "remove_stale", clean_up_late)
    parts.sagemaker.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "next"})
    assert parts.store.wait_until(lambda: parts.store.get("endpoint", "e")["EndpointConfigName"] == "last", 20)
    assert score(parts) == 5.5
    again = open_parts(settings)
    try:
        assert again.changes.restore() == ["endpoint e: in service again"]
        assert score(again) == 5.5
    finally:
        again.close()


def test_a_task_of_a_change_that_is_over_does_nothing(parts, configure, settings) -> None:
    create(parts, configure("c", 0.5))
    settled(parts)
    before = parts.store.get("endpoint", "e")
    parts.changes._run("e", "0123456789abcdef")
    configure("next", 1.5)
    late = before | {"_Change": "0123456789abcdef", "EndpointStatus": "Updating"}
    late["PendingDeploymentSummary"] = {
        "EndpointConfigName": "next",
        "ProductionVariants": before["ProductionVariants"],
    }
    parts.changes._deploy(late)
    parts.changes._give_up(late, "too late")
    parts.changes._remove(late)
    assert parts.store.get("endpoint", "e") == before
    assert score(parts) == 3.5
    assert [copy.name for copy in serving.endpoint_folder(settings, "e").iterdir()] == [
        before["_Variants"][0]["Artifact"].split("/")[-2]
    ]


def test_copies_that_a_killed_service_left_are_removed_at_the_next_start(parts, configure, settings) -> None:
    create(parts, configure("c", 0.5))
    settled(parts)
    folder = serving.endpoint_folder(settings, "e")
    kept = list(folder.iterdir())
    (folder / "0123456789abcdef").mkdir()
    again = open_parts(settings)
    try:
        again.changes.restore()
        assert list(folder.iterdir()) == kept
    finally:
        again.close()


def test_an_endpoint_whose_configuration_was_deleted_cannot_be_updated(parts, configure) -> None:
    configure("old", 1.0)
    configure("new", 2.0)
    parts.sagemaker.call("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "old"})
    parts.store.wait_until(lambda: parts.store.get("endpoint", "e")["EndpointStatus"] == "InService", 20)
    parts.sagemaker.call("DeleteEndpointConfig", {"EndpointConfigName": "old"})
    with pytest.raises(ServiceError, match=r'Could not find endpoint configuration ".*endpoint-config/old"'):
        parts.sagemaker.call("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "new"})
    assert parts.store.get("endpoint", "e")["EndpointStatus"] == "InService"
