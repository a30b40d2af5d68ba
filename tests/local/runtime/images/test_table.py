"""What the table of images says."""

from __future__ import annotations

import re

import pytest

from local.core.settings import Settings
from local.runtime.images import runtimes
from local.runtime.images.table import IMAGES, find
from tests.local.runtime.jobs.conftest import LINEAR_LEARNER, SPARK


@pytest.mark.parametrize(
    ("image", "name", "python"),
    [
        ("x/sagemaker-scikit-learn:0.20.0-cpu-py3", "scikit-learn 0.20.0", "3.7"),
        ("x/sagemaker-scikit-learn:1.2-1-cpu-py3", "scikit-learn 1.2-1", "3.9"),
        ("x/sagemaker-scikit-learn:1.4-2-cpu-py3", "scikit-learn 1.4-2", "3.10"),
        ("x/sagemaker-scikit-learn:1.4-2-py312-cpu-py3", "scikit-learn 1.4-2-py312", "3.12"),
        ("x/sagemaker-scikit-learn:1.9-0-cpu-py3", "scikit-learn 1.9-0", "3.12"),
        ("x/sagemaker-xgboost:1.7-1", "xgboost 1.7-1", "3.8"),
        ("x/sagemaker-xgboost:3.2-0-cpu-py3", "xgboost 3.2-0", "3.12"),
    ],
)
def test_the_tag_tells_the_image(image: str, name: str, python: str) -> None:
    found = find(image)
    assert found is not None
    assert (found.name, found.python) == (name, python)


@pytest.mark.parametrize(
    "image",
    [
        *("x/sagemaker-scikit-learn:1.22-1-cpu-py3", "x/sagemaker-scikit-learn", "x/sagemaker-xgboost:latest"),
        *(SPARK, LINEAR_LEARNER, "x/my-sagemaker-xgboost:3.2-0", "x/sagemaker-xgboost@sha256:0"),
    ],
)
def test_an_image_that_the_table_does_not_have_is_not_taken_for_another(image: str) -> None:
    assert find(image) is None


def test_another_version_of_an_image_is_refused_with_the_versions_that_there_are(settings: Settings) -> None:
    image = "x/sagemaker-scikit-learn:1.3-1-cpu-py3"
    assert runtimes.find(settings, image) is None
    assert "of sagemaker-scikit-learn, the versions 0.20.0, 0.23-1, 1.0-1, " in runtimes.unsupported(image)


def test_every_package_of_an_image_has_one_exact_version() -> None:
    for image in IMAGES:
        names = [re.fullmatch(r"([a-z0-9-]+)==[0-9.]+", pin) for pin in image.packages]
        assert all(names), image.name
        assert len({name and name[1] for name in names}) == len(image.packages), image.name


def test_an_images_runtime_has_its_packages_and_what_runs_scripts(settings: Settings) -> None:
    runtime = runtimes.find(settings, "x/sagemaker-xgboost:1.7-1")
    assert runtime is not None
    assert {"xgboost==1.7.4", "sagemaker-training"} <= set(runtime.requirements)
    assert runtime.variables["SM_MODEL_DIR"] == "/opt/ml/model"
