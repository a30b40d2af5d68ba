"""Lists a linear model's coefficients by feature name, and compares those of the folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation.linear_model import LinearClassifier, LinearModel
from evaluation.rows import Numbers

Linear = LinearModel | LinearClassifier


def coefficients_of(
    names: Sequence[str],
    models: Sequence[Linear],
    deviations: Numbers,
    chosen: Linear | None,
    classes: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Return a row for each feature, the largest standardised effect first; for more than two classes, also by class.

    ``coefficient`` is in the label's unit for each unit of the feature; ``standardised`` for each standard deviation of
    it. Both are the registered model's, or the folds' mean where that model is not trained yet. Those of classes are in
    log-odds. The others compare the folds' models: lowest and highest coefficient, the share with the sign of the mean,
    and the share of zeros.

    Args:
        names: the features' names.
        models: the model of each fold, with the chosen hyperparameters.
        deviations: the features' standard deviations.
        chosen: the registered model, if it is one of them.
        classes: the label's texts in the order of the classes, if there are more than two.
    """
    # Of shape (models, outputs, features).
    weights = np.array([np.atleast_2d(model.weights) for model in models])
    own = None if chosen is None else np.atleast_2d(chosen.weights)
    rows = []
    for output in range(weights.shape[1]):
        of_class = {"class": classes[output]} if classes else {}
        of_output = weights[:, output]
        rows += [of_class | row for row in _rows(names, of_output, deviations, None if own is None else own[output])]
    return sorted(rows, key=lambda row: -abs(row["standardised"]))


def _rows(names: Sequence[str], weights: Numbers, deviations: Numbers, chosen: Numbers | None) -> list[dict[str, Any]]:
    means = weights.mean(axis=0)
    own = means if chosen is None else chosen
    return [
        {
            "feature": names[place],
            "coefficient": float(own[place]),
            "standardised": float(own[place] * deviations[place]),
            "fold_mean": float(means[place]),
            "fold_lowest": float(weights[:, place].min()),
            "fold_highest": float(weights[:, place].max()),
            "same_sign": float(np.mean(np.sign(weights[:, place]) == np.sign(means[place]))),
            "zeros": float(np.mean(weights[:, place] == 0)),
        }
        for place in range(len(names))
    ]
