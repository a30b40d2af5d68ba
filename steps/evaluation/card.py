"""Writes the model card of a registered version.

Schema: https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_LONGEST_TEXT, _LONGEST_VALUE, _MOST_COEFFICIENTS = 2048, 255, 100


def model_card(best: Mapping[str, Any], folds: Mapping[str, Any], coefficients: Sequence[Mapping[str, Any]]) -> str:
    """Return the card as JSON text on one line.

    Args:
        best: the content of best.json.
        folds: the content of folds.json.
        coefficients: the model's coefficients, see ``coefficients_of``.
    """
    label, k = folds["columns"]["label"], len(folds["folds"])
    content = {
        "intended_uses": {
            "purpose_of_model": _cut(f"Predicts {label} from {len(folds['columns']['features'])} features."),
        },
        "training_details": {
            "objective_function": {"function": "Minimize", "facet": "Loss"},
            "training_observations": _cut(
                f"{folds['rows']} rows, {folds['rejected']['total']} rejected; rule: {best['rule']}.", 1024
            ),
            "training_job_details": {
                "user_provided_hyper_parameters": [
                    {"name": name, "value": value[:_LONGEST_VALUE]}
                    for name, value in sorted(best["hyperparameters"].items())
                ],
            },
        },
        "evaluation_details": [
            {
                "name": "Cross-validation",
                "evaluation_observation": f"{k} folds. The interval is approximate (95 %).",
                "metric_groups": [{"name": "regression", "metric_data": _metrics(best)}],
            }
        ],
        "additional_information": {
            "caveats_and_recommendations": _cut(" ".join(best["warnings"]) or "No warnings."),
            "custom_details": {
                f"coefficient of {row['feature']}"[:_LONGEST_VALUE]: f"{row['coefficient']:.6g}"
                for row in coefficients[:_MOST_COEFFICIENTS]
            },
        },
    }
    return json.dumps(content, ensure_ascii=False)


def _metrics(best: Mapping[str, Any]) -> list[dict[str, Any]]:
    estimate, baselines = best["estimate"], best["baselines"]
    scored = best["out_of_fold"] if "mae" in best["out_of_fold"] else {}
    named = {
        "MSE, cross-validated": estimate["mse"],
        "MSE, lower end": estimate["low"],
        "MSE, upper end": estimate["high"],
        "MSE of predicting the mean": baselines["mean"],
        "MSE of least squares": baselines["least_squares"],
        "MSE of the training job on its own fold": best.get("mse"),
        "R2, out of fold": scored.get("r2"),
        "MAE, out of fold": scored.get("mae"),
        "Median absolute error, out of fold": scored.get("median_absolute_error"),
    }
    return [{"name": name, "type": "number", "value": value} for name, value in named.items() if value is not None]


def _cut(text: str, longest: int = _LONGEST_TEXT) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."
