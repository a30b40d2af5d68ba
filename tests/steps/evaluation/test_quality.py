"""The sentences of a rejection: which comparison failed, with numbers for people."""

from __future__ import annotations

from typing import Any

import pytest
from evaluation.objective import MEAN_SQUARED_ERROR, Objective
from evaluation.quality import quality_sentences

AUC = Objective("validation:auc", maximize=True, metric="auc")


def best(value: float, constant: float | None, interval: tuple[float, float] | None, *classes: str) -> dict[str, Any]:
    low, high = interval or (None, None)
    estimate = {"value": value, "low": low, "high": high}
    return {"estimate": estimate, "baselines": {"constant": constant}, "classes": list(classes) or None}


@pytest.mark.parametrize(
    ("document", "objective", "estimate", "baseline"),
    [
        (
            best(16644923844198.4, 16644151213656.213, (0, 85748387720865.2)),
            MEAN_SQUARED_ERROR,
            "The estimated MSE of the chosen model is 16,644,923,844,198, "
            "with a 95 % interval from 0 to 85,748,387,720,865.",
            "It must be below that of always predicting the mean, 16,644,151,213,656, and it is not.",
        ),
        (
            best(36.74123456, 150.25, None),
            MEAN_SQUARED_ERROR,
            "The estimated MSE of the chosen model is 36.7412.",
            "It must be below that of always predicting the mean, 150.25, and it is.",
        ),
        (
            best(1.5e-7, 1.5e-7, (0, 1e300)),
            MEAN_SQUARED_ERROR,
            "The estimated MSE of the chosen model is 1.5e-07, with a 95 % interval from 0 to 1e+300.",
            "It must be below that of always predicting the mean, 1.5e-07, and it is not.",
        ),
        (
            best(0.4, 0.5, (0.3, 0.5), "no", "yes"),
            AUC,
            "The estimated AUC of the chosen model is 0.4, with a 95 % interval from 0.3 to 0.5.",
            "It must be above that of always predicting the class rates, 0.5, and it is not.",
        ),
        (
            best(0.6, None, (0.5, 0.7), "no", "yes"),
            AUC,
            "The estimated AUC of the chosen model is 0.6, with a 95 % interval from 0.5 to 0.7.",
            "It must be above that of always predicting the class rates, which is not known.",
        ),
    ],
)
def test_a_rejection_says_which_comparison_failed(document, objective, estimate, baseline) -> None:
    assert quality_sentences(document, objective) == {"estimate": estimate, "baseline": baseline}
