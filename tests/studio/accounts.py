"""An account with this project's function and small linear models, as ``make upsert`` and an execution leave it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.app.server import LocalService
from local.core.settings import Settings
from pipeline.definition.resources import find_resources
from studio.aws import Aws
from tests.scripts.test_operation import NAME, Account
from tests.studio.conftest import Browser, make_session, serving

CARD = {
    "additional_information": {
        "caveats_and_recommendations": "Only <b>9</b> rows.",
        "custom_details": {"coefficient of age": "1"},
    }
}
RECORD = {
    "columns": {
        "label": "charges",
        "features": [*("age", "day_year", "day_weekday", "age_missing"), *("sex_f", "sex_m", "place_a", "place_other")],
    },
    "feature_dim": 8,
    "encoding": {"sex": ["f", "m"], "place": ["a"]},
    "groups": None,
    "preparation": {
        "numeric": ["age"],
        "decimal": ",",
        "dates": {"day": {"parts": ["year", "weekday"], "format": "%d.%m.%Y"}},
        "missing": {"age": {"treatment": "median", "fill": "40.5"}},
        "missing_indicators": ["age"],
        "other": ["place"],
        "label_transform": "log1p",
    },
}
"""Columns of every kind; see steps/folds/report.py."""

WEIGHTS = [0.1, 0.001, 0.5, 3.0, 0.0, 1.0, 0.25, 0.75]
"""A model of these features: each one's weight."""


class Models(Account):
    """The account, with versions that record what a page shows."""

    def record(
        self,
        weights: list[float],
        record: dict[str, Any] | None = None,
        approval: str = "Approved",
        **classifier: Any,
    ) -> str:
        """Register a version as SelectBest and RegisterModel do, and return its ARN."""
        bucket = find_resources(self.config, self.session).bucket
        metadata = {
            "estimate_mse": "37415870.25",
            "estimate_low": "30000000.5",
            "estimate_high": "44000000.5",
            "hyperparameters": "l1=0.01 learning_rate=0.1",
            "training_job": "job-of-fold-1",
            "tuning_job": "none",
        }
        if record is not None:
            key = f"{NAME}/executions/{len(weights)}/folds.json"
            self.session.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(record))
            metadata["folds_json"] = f"s3://{bucket}/{key}"
        package = self.register(weights, "PendingManualApproval", **classifier)
        self.sagemaker.update_model_package(
            ModelPackageArn=package,
            CustomerMetadataProperties=metadata,
            ModelCard={"ModelCardContent": json.dumps(CARD), "ModelCardStatus": "Draft"},
        )
        if approval != "PendingManualApproval":
            self.sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus=approval)
        return package


@contextmanager
def models_and_browser(folder) -> Iterator[tuple[Models, Browser]]:
    """Yield an account in a local service, and a browser of a Studio in front of it."""
    with LocalService(Settings(folder / ".local", port=0)) as service, pytest.MonkeyPatch.context() as patch:
        models = Models(service, folder)
        models.bootstrap()
        models.publish()
        patch.setenv("AWS_ENDPOINT_URL", service.settings.endpoint_url)
        with serving(Aws(make_session(service))) as server:  # type: ignore[arg-type]
            yield models, Browser(server).let_in()
