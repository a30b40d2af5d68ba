"""What functions of the SDK's decorators ask of an image."""

from __future__ import annotations

from typing import Any

import pytest

from local.core.settings import Settings
from local.runtime.containers import isolation
from local.runtime.errors import JobFailedError
from local.runtime.jobs import training_kinds
from local.runtime.jobs.training_kinds import OwnCode
from tests.local.runtime.jobs.conftest import SPARK

BASE_PYTHON = "236514542706.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-{}:1.0"
OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own-image:2"
DRIVER = "/opt/ml/input/data/sagemaker_remote_function_bootstrap/job_driver.sh"


@pytest.fixture(autouse=True)
def own_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program runs, so this machine need not be able to give it /opt/ml."""
    monkeypatch.setattr(isolation, "has_own_roots", lambda: True)


def _record(image: str, *arguments: str, **changes: Any) -> dict[str, Any]:
    specification = {
        "TrainingImage": image,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash", DRIVER],
        "ContainerArguments": ["--client_python_version", "3.10", *arguments],
    }
    return {"AlgorithmSpecification": specification} | changes


@pytest.mark.parametrize(("of_image", "python"), [("310", "3.10"), ("38", "3.8")])
@pytest.mark.parametrize(
    ("arguments", "sdk"),
    [(("--client_sagemaker_pysdk_version", "3.27.0"), "sagemaker==3.27.0"), ((), "sagemaker<3")],
)
def test_the_default_image_has_its_python_and_the_clients_sdk(
    settings: Settings, of_image: str, python: str, arguments: tuple[str, ...], sdk: str
) -> None:
    found = training_kinds.find(settings, _record(BASE_PYTHON.format(of_image), *arguments))
    assert isinstance(found, OwnCode)
    assert (found.runtime.python, found.runtime.requirements) == (python, (sdk,))
    assert found.command[:2] == ("/bin/bash", DRIVER)


def test_an_entry_for_the_default_image_goes_before_it(settings: Settings) -> None:
    settings.custom_images.write_text('[{image: "*sagemaker-base-python-*", requirements: [sagemaker, pandas]}]')
    found = training_kinds.find(settings, _record(BASE_PYTHON.format("310")))
    assert isinstance(found, OwnCode)
    assert found.runtime.requirements == ("sagemaker", "pandas")


def test_an_image_without_an_entry_is_refused_with_the_entry_that_it_needs(settings: Settings) -> None:
    with pytest.raises(JobFailedError) as error:
        training_kinds.find(settings, _record(OWN, "--client_sagemaker_pysdk_version", "3.27.0"))
    entry = f'{{"image": "{OWN}", "python": "3.10", "requirements": ["sagemaker==3.27.0"]}}'
    assert str(error.value).startswith(f"ClientError: no local runtime for the image {OWN}")
    assert str(error.value).endswith(entry)


def test_the_default_image_is_for_functions_only(settings: Settings) -> None:
    record = _record(BASE_PYTHON.format("310"))
    record["AlgorithmSpecification"]["ContainerEntrypoint"] = ["python3", "/opt/ml/input/data/code/train.py"]
    with pytest.raises(JobFailedError, match="no local runtime for the image"):
        training_kinds.find(settings, record)


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [
        (("--job_conda_env", "training"), {}),
        (("--dependency_settings", '{"dependency_file": "environment.yml"}'), {}),
        (("--dependency_settings", '{"dependency_file": "environment.yaml"}'), {}),
        ((), {"Environment": {"SAGEMAKER_JOB_CONDA_ENV": "base"}}),
    ],
)
def test_conda_is_refused(settings: Settings, arguments: tuple[str, ...], changes: dict[str, Any]) -> None:
    with pytest.raises(JobFailedError, match=r"conda .* is not implemented by the local service"):
        training_kinds.find(settings, _record(BASE_PYTHON.format("310"), *arguments, **changes))


def test_spark_is_refused(settings: Settings) -> None:
    with pytest.raises(JobFailedError, match=r"spark_config .* is not implemented by the local service"):
        training_kinds.find(settings, _record(SPARK))


def test_functions_are_refused_without_a_literal_opt_ml(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "has_own_roots", lambda: False)
    with pytest.raises(JobFailedError, match="functions of the SDK need /opt/ml at its path"):
        training_kinds.find(settings, _record(BASE_PYTHON.format("310")))


def test_mpi_is_refused(settings: Settings) -> None:
    with pytest.raises(JobFailedError, match=r"use_mpirun .* is not implemented by the local service"):
        training_kinds.find(settings, _record(BASE_PYTHON.format("310"), "--distribution", "mpirun"))


def test_conda_of_an_own_image_is_refused(settings: Settings) -> None:
    settings.custom_images.write_text('[{image: "*own-image*", environment: {SAGEMAKER_JOB_CONDA_ENV: base}}]')
    with pytest.raises(JobFailedError, match=r"conda .* is not implemented"):
        training_kinds.find(settings, _record(OWN))


@pytest.mark.parametrize("settings_of_dependencies", ['{"dependency_file": "requirements.txt"}', "null", "[]", "{"])
def test_functions_without_conda_are_not_refused(settings: Settings, settings_of_dependencies: str) -> None:
    record = _record(BASE_PYTHON.format("310"), "--dependency_settings", settings_of_dependencies)
    assert isinstance(training_kinds.find(settings, record), OwnCode)
