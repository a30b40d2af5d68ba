"""Which programs the service can run instead of a processing job's container."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.core.settings import Settings
from local.runtime.images.runtimes import find
from local.runtime.jobs.programs import Runtime, kind_of
from tests.local.runtime.jobs.conftest import SCIKIT_LEARN, SPARK, XGBOOST


@pytest.mark.parametrize(
    ("image", "entrypoint", "kind"),
    [
        (SPARK, ["smspark-submit", "app.py"], Runtime.SPARK),
        (SPARK, ["python3", "app.py"], None),
        (SCIKIT_LEARN, ["python3", "app.py"], Runtime.SCRIPT),
        (SCIKIT_LEARN, ["/bin/bash", "run.sh"], Runtime.SCRIPT),
        (SCIKIT_LEARN, ["/bin/cat", "file"], Runtime.SCRIPT),
        (SCIKIT_LEARN, [], None),
        (XGBOOST, ["python3", "app.py"], Runtime.SCRIPT),
        ("own-image:2", ["/usr/bin/python3.12", "app.py"], None),
        ("own-image:2", ["python3"], None),
        ("own-image:2", ["/bin/bash", "run.sh"], None),
        ("own-image:2", [], None),
    ],
)
def test_the_entrypoint_says_what_runs_a_processing_job(
    image: str, entrypoint: list[str], kind: Runtime | None
) -> None:
    assert kind_of(image, entrypoint, find(Settings(Path("/nowhere")), image)) is kind
