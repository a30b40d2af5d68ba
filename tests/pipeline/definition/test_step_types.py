from __future__ import annotations

import pytest

from local.app.coverage import STEP_TYPES


def test_the_coverage_page_knows_every_step_type_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    # The SDK makes a client when it is imported.
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    from sagemaker.mlops.workflow.steps import StepTypeEnum

    assert {kind.value for kind in StepTypeEnum} <= set(STEP_TYPES)
