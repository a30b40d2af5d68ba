"""Pipelines as strangers write them run to their end, and what they claim is true.

Each folder of ``pipelines/`` has a pipeline.py, which publishes and starts its pipeline by the SDK or boto3, with the
environment of ``make local-env``. Its module in ``claims/`` checks what its executions have made, by other means than
the pipeline's own.
"""

from __future__ import annotations

import importlib

import pytest

from tests.strangers.conftest import PIPELINES, Stranger

pytest.register_assert_rewrite("tests.strangers.claims")
pytestmark = [pytest.mark.slow, pytest.mark.long]

NAMES = sorted(folder.name for folder in PIPELINES.iterdir() if (folder / "pipeline.py").is_file())


@pytest.mark.parametrize("name", NAMES)
def test_a_strangers_pipeline_runs_to_its_end_and_its_claims_are_true(stranger: Stranger, name: str) -> None:
    claims = importlib.import_module(f"tests.strangers.claims.{name}")
    claims.check(stranger, stranger.run(name))
