"""Writes the model card of a registered version.

Schema: https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.text import number_of

_GROUPS = {"regression": "regression", "binary": "binary classification", "multiclass": "multiclass classification"}
_OUT_OF_FOLD = {
    "regression": {"r2": "R2", "mae": "MAE", "median_absolute_error": "Median absolute error"},
    "binary": {
        "auc": "AUC",
        "logloss": "Log loss",
        "brier": "Brier score",
        "accuracy": "Accuracy",
        "precision": "Precision",
        "recall": "Recall",
        "f1": "F1",
    },
    "multiclass": {"mlogloss": "Log loss", "accuracy": "Accuracy", "f1_macro": "Macro F1"},
}
"""The names of metrics of best.json in the card, by problem."""

_LONGEST_TEXT, _LONGEST_VALUE, _MOST_COEFFICIENTS = 2048, 255, 100


def model_card(best: Mapping[str, Any], folds: Mapping[str, Any], coefficients: Sequence[Mapping[str, Any]]) -> str:
    """Return the card as JSON text on one line.

    Args:
        best: the content of best.json.
        folds: the content of folds.json.
        coefficients: the model's coefficients, see ``coefficients_of``.
    """
    k = len(folds["folds"])
    content = {
        "intended_uses": {
            "purpose_of_model": _cut(_purpose(best, folds)),
        },
        "training_details": {
            "objective_function": {"function": best["metric"]["direction"], "facet": _facet(best)},
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
                "metric_groups": [{"name": _GROUPS[best["problem"]], "metric_data": _metrics(best)}],
            }
        ],
        "additional_information": {
            "caveats_and_recommendations": _cut(" ".join(best["warnings"]) or "No warnings."),
            "custom_details": {
                f"coefficient of {_name(row)}"[:_LONGEST_VALUE]: f"{row['coefficient']:.6g}"
                for row in coefficients[:_MOST_COEFFICIENTS]
            },
        },
    }
    return json.dumps(content, ensure_ascii=False)


def _purpose(best: Mapping[str, Any], folds: Mapping[str, Any]) -> str:
    label, features = folds["columns"]["label"], len(folds["columns"]["features"])
    if best["classes"] is None:
        return f"Predicts {label} from {number_of(features, 'feature')}."
    listed = ", ".join(best["classes"])
    of_features = number_of(features, "feature")
    return f"Predicts the class of {label} from {of_features}. Classes, in the order of their numbers: {listed}."


def _name(coefficient: Mapping[str, Any]) -> str:
    of_class = f", class {coefficient['class']}" if "class" in coefficient else ""
    return f"{coefficient['feature']}{of_class}"


def _facet(best: Mapping[str, Any]) -> str:
    """Return the objective's facet: the schema has Accuracy, AUC, Loss, MAE and RMSE."""
    name = best["metric"]["name"].rpartition(":")[2].lower()
    known = {"auc": "AUC", "roc_auc_score": "AUC", "mae": "MAE", "rmse": "RMSE"}
    return known.get(name, "Loss" if best["metric"]["direction"] == "Minimize" else "Accuracy")


def _metrics(best: Mapping[str, Any]) -> list[dict[str, Any]]:
    estimate, baselines, title = best["estimate"], best["baselines"], best["metric"]["title"]
    named = {
        f"{title}, cross-validated": estimate["value"],
        f"{title}, lower end": estimate["low"],
        f"{title}, upper end": estimate["high"],
        f"{title} of {'the class rates' if best['classes'] else 'predicting the mean'}": baselines["constant"],
        f"{title} of least squares": baselines.get("least_squares"),
        f"{title} of logistic regression": baselines.get("logistic_regression"),
        f"{title} of the training job on its own fold": best["value"],
        **{f"{name}, out of fold": best["out_of_fold"].get(key) for key, name in _OUT_OF_FOLD[best["problem"]].items()},
    }
    return [{"name": name, "type": "number", "value": value} for name, value in named.items() if value is not None]


def _cut(text: str, longest: int = _LONGEST_TEXT) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."
