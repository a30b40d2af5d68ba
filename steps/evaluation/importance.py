"""Measures how much each variable matters to the models: permutation importance on the rows that they did not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluation.linear_model import LinearModel
from evaluation.models import Model
from evaluation.moments import Moments


def importance_of(
    folds: Mapping[str, Any], models: Sequence[Model], moments: Sequence[Moments]
) -> list[dict[str, Any]]:
    """Return a row for each variable, the most important first; none if it cannot be known.

    The importance is how much the mean squared error of a fold's rows grows when the variable's values are exchanged
    among them at random. All features of one variable are exchanged together: those of a category, or of a date. Of a
    linear model the mean over all permutations is known without trying any. With the variable's part ``c`` of the
    predictions and the residuals ``r`` it is ``2 (var(c) - cov(r, c))``.

    Args:
        folds: the content of folds.json.
        models: the model of each fold.
        moments: the sums of each fold, with labels on the scale of the models' predictions.
    """
    linear = [model for model in models if isinstance(model, LinearModel)]
    if not linear or len(linear) < len(models) or not all(fold.has_pairs for fold in moments):
        return []
    variables = variables_of(folds)
    growths = np.array([_growths(model, fold, variables) for model, fold in zip(linear, moments, strict=True)])
    means = np.average(growths, axis=0, weights=[fold.rows for fold in moments])
    names = list(variables)
    return [
        {
            "variable": names[place],
            "features": len(variables[names[place]]),
            "mse_increase": float(means[place]),
            "fold_mse_increase": growths[:, place].tolist(),
        }
        for place in np.argsort(-means, kind="stable").tolist()
    ]


def variables_of(folds: Mapping[str, Any]) -> dict[str, list[int]]:
    """Return the places of each variable's features among all features."""
    prepared = folds["preparation"]
    others = {column: ["other"] for column in prepared["other"]}
    origins = {f"{name}_missing": name for name in prepared["missing_indicators"]}
    origins |= {f"{name}_{part}": name for name, dates in prepared["dates"].items() for part in dates["parts"]}
    origins |= {
        f"{name}_{value}": name
        for name, values in folds["encoding"].items()
        for value in (*values, *others.get(name, []))
    }
    places: dict[str, list[int]] = {}
    for place, feature in enumerate(folds["columns"]["features"]):
        places.setdefault(origins.get(feature, feature), []).append(place)
    return places


def _growths(model: LinearModel, fold: Moments, variables: Mapping[str, list[int]]) -> list[float]:
    means = fold.products[1:, 0] / fold.rows
    covariances = fold.products[1:, 1:] / fold.rows - np.outer(means, means)
    label_size, sizes = fold.scale.size[0], fold.scale.size[1:]
    weights = model.weights * sizes
    # The covariance of the residuals with each scaled feature.
    residuals = np.concatenate([[-label_size], weights]) @ covariances[:, 1:]
    growths = []
    for places in variables.values():
        own = weights[places]
        part = covariances[1:, 1:][np.ix_(places, places)]
        growths.append(float(2 * (own @ part @ own - residuals[places] @ own)))
    return growths
