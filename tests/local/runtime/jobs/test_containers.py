"""What a container has and a program on this machine has to be given."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.runtime import algorithms
from local.runtime.jobs.container import local_path, map_paths
from local.runtime.jobs.images import Runtime, interpreter, processing_runtime, python_version
from tests.local.runtime.jobs.conftest import LINEAR_LEARNER, SCIKIT_LEARN, SPARK

ROOT = Path("/jobs/one")


@pytest.mark.parametrize(
    ("given", "mapped"),
    [
        ("/opt/ml", "/jobs/one"),
        ("/opt/ml/model", "/jobs/one/model"),
        ("--out=/opt/ml/a,/opt/ml/b", "--out=/jobs/one/a,/jobs/one/b"),
        ("file:///opt/ml/a", "file:///jobs/one/a"),
        ('{"x": "/opt/ml/a"}', '{"x": "/jobs/one/a"}'),
        ("s3://bucket/opt/ml/a", "s3://bucket/opt/ml/a"),
        ("/home/opt/ml", "/home/opt/ml"),
        ("/opt/mlflow", "/opt/mlflow"),
    ],
)
def test_only_paths_of_the_container_are_mapped(given: str, mapped: str) -> None:
    assert map_paths(given, ROOT) == mapped
    assert map_paths([{"key": given}], ROOT) == [{"key": mapped}]


@pytest.mark.parametrize(
    ("given", "local"),
    [
        ("/opt/ml/processing/in", "/jobs/one/processing/in"),
        ("/opt/ml/processing/", "/jobs/one/processing"),
        ("/opt/ml/a/../b", "/jobs/one/b"),
        ("/opt/ml/../x", None),
        ("/opt/mlx", None),
        ("relative", None),
    ],
)
def test_a_path_that_leaves_the_containers_folder_has_no_place(given: str, local: str | None) -> None:
    assert local_path(given, ROOT) == (None if local is None else Path(local))


@pytest.mark.parametrize(
    ("image", "entrypoint", "runtime"),
    [
        (SPARK, ["smspark-submit", "app.py"], Runtime.SPARK),
        (SPARK, ["python3", "app.py"], None),
        (SCIKIT_LEARN, ["python3", "app.py"], Runtime.SCRIPT),
        (SCIKIT_LEARN, ["/bin/bash", "run.sh"], Runtime.SCRIPT),
        (SCIKIT_LEARN, ["/bin/cat", "file"], None),
        ("own-image:2", ["/usr/bin/python3.12", "app.py"], None),
        ("own-image:2", ["python3"], None),
        ("own-image:2", ["/bin/bash", "run.sh"], None),
        ("own-image:2", [], None),
    ],
)
def test_the_entrypoint_says_what_runs_a_processing_job(
    image: str, entrypoint: list[str], runtime: Runtime | None
) -> None:
    assert processing_runtime(image, entrypoint) is runtime


def test_an_algorithm_is_known_by_its_repository_and_version() -> None:
    for image, name in (
        (LINEAR_LEARNER, "linear-learner"),
        (LINEAR_LEARNER.partition(":")[0] + "@sha256:0", "linear-learner"),
        ("account/not-linear-learner:1", None),
        ("account/sagemaker-xgboost:3.2-0", "XGBoost"),
        ("account/sagemaker-xgboost:1.7-1", None),
    ):
        found = algorithms.find(image)
        assert (found and found.name) == name, image


@pytest.mark.parametrize(
    ("image", "version"),
    [
        (SPARK, "3.12"),
        (SCIKIT_LEARN, "3.8"),
        ("x/sagemaker-scikit-learn:1.4-2-cpu-py3", "3.10"),
        ("x/sagemaker-scikit-learn:1.4-2-py312-cpu-py3", "3.12"),
        (LINEAR_LEARNER, None),
        ("x/pytorch:2.1-cpu-py310", "3.10"),
    ],
)
def test_the_images_tag_tells_its_python(image: str, version: str | None) -> None:
    assert python_version(image) == version


def test_the_log_says_when_a_script_runs_with_another_python_than_the_images() -> None:
    other = interpreter("x/image:1-py32")
    assert "the image has Python 3.2, which is not installed here with boto3 and NumPy" in other.remark
    assert Path(other.path).exists()
