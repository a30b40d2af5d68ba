"""Which images are those of a built-in algorithm."""

from __future__ import annotations

from local.runtime import algorithms
from tests.local.runtime.jobs.conftest import LINEAR_LEARNER


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
