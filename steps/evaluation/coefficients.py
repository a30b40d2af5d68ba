"""Lists a linear model's coefficients by feature name, and compares those of the folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation.linear_model import LinearModel
from evaluation.rows import Numbers


def coefficients_of(
    names: Sequence[str], models: Sequence[LinearModel], deviations: Numbers, chosen: LinearModel | None
) -> list[dict[str, Any]]:
    """Return a row for each feature, the largest standardised effect first.

    ``coefficient`` is in the label's unit for each unit of the feature; ``standardised`` for each standard deviation of
    it. Both are the registered model's, or the folds' mean where that model is not trained yet. The others compare the
    folds' models: lowest and highest coefficient, the share with the sign of the mean, and the share of zeros.

    Args:
        names: the features' names.
        models: the model of each fold, with the chosen hyperparameters.
        deviations: the features' standard deviations.
        chosen: the registered model, if it is one of them.
    """
    weights = np.array([model.weights for model in models])
    means = weights.mean(axis=0)
    own = means if chosen is None else chosen.weights
    order = np.argsort(-np.abs(own * deviations), kind="stable")
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
        for place in order.tolist()
    ]
