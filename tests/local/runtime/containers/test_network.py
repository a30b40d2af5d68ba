"""EnableNetworkIsolation: programs without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.runtime.containers import isolation
from local.runtime.models.containers import UnservableError, runtime_of
from tests.local.runtime.jobs.conftest import LINEAR_LEARNER, SCIKIT_LEARN, SPARK, Jobs
from tests.local.runtime.jobs.own_image import IMAGE, map_images, printed, train

without_network = pytest.mark.skipif(not isolation.can_cut_network(), reason="this machine has no network namespaces")
CONNECTS = """
    import json, os, socket
    from urllib.parse import urlsplit
    service = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    own = socket.create_server(("127.0.0.1", 0))
    found = {"credentials": "AWS_CONTAINER_CREDENTIALS_FULL_URI" in os.environ}
    for name, place in {"service": (service.hostname, service.port), "own": ("algo-1", own.getsockname()[1])}.items():
        try:
            socket.create_connection(place, timeout=5).close()
            found[name] = "connected"
        except OSError as error:
            found[name] = error.strerror
    print(json.dumps(found))
    """
OPEN = {"service": "connected", "own": "connected", "credentials": True}
CUT = {"service": "Connection refused", "own": "connected", "credentials": False}


def network_config(*, isolated: bool) -> dict[str, Any]:
    return {"NetworkConfig": {"EnableNetworkIsolation": isolated}}


@pytest.fixture
def own_image(jobs: Jobs) -> Iterator[None]:
    file = map_images(jobs, {"image": IMAGE})
    yield
    file.unlink()


@without_network
@pytest.mark.parametrize(("isolated", "expected"), [(False, OPEN), (True, CUT)])
def test_a_processing_job_has_no_network_if_it_is_isolated(
    jobs: Jobs, isolated: bool, expected: dict[str, Any]
) -> None:
    name = jobs.start_script(CONNECTS, **network_config(isolated=isolated))
    assert jobs.wait("processing-job", name)["ProcessingJobStatus"] == "Completed"
    assert json.loads(jobs.script_log(name)[-1]) == expected


@without_network
@pytest.mark.usefixtures("own_image")
def test_a_training_job_has_no_network_if_it_is_isolated(jobs: Jobs) -> None:
    description, lines = train(jobs, CONNECTS, EnableNetworkIsolation=True)
    assert description["TrainingJobStatus"] == "Completed"
    assert description["EnableNetworkIsolation"] is True
    assert printed(lines) == CUT


@pytest.mark.usefixtures("own_image")
@pytest.mark.parametrize("capability", ["has_own_roots", "can_cut_network"])
def test_isolated_jobs_fail_where_their_network_cannot_be_cut(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, capability: str
) -> None:
    isolation.can_cut_network.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(isolation, capability, lambda: False)
        training, _ = train(jobs, CONNECTS, EnableNetworkIsolation=True)
        processing = jobs.run_script(CONNECTS, **network_config(isolated=True))
    isolation.can_cut_network.cache_clear()
    for description in (training, processing):
        assert description["FailureReason"].startswith("ClientError: EnableNetworkIsolation is not implemented")


def test_spark_is_refused_without_a_network(jobs: Jobs) -> None:
    application = {"ImageUri": SPARK, "ContainerEntrypoint": ["smspark-submit", "/opt/ml/processing/input/code/a.py"]}
    description = jobs.run_script("", AppSpecification=application, **network_config(isolated=True))
    assert "EnableNetworkIsolation: not implemented by the local service for Spark" in description["FailureReason"]


def test_models_with_the_users_code_are_refused_without_a_network(jobs: Jobs) -> None:
    settings = jobs.service.settings
    with pytest.raises(UnservableError, match="the model's EnableNetworkIsolation is not implemented"):
        runtime_of(settings, SCIKIT_LEARN, {}, has_network=False)
    # An algorithm of the service's own needs no network.
    assert runtime_of(settings, LINEAR_LEARNER, {}, has_network=False)
