"""What the table of images says."""

from __future__ import annotations

import pytest

from local.runtime.images.table import python_version
from tests.local.runtime.jobs.conftest import LINEAR_LEARNER, SCIKIT_LEARN, SPARK


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
