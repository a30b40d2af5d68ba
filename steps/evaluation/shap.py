"""Explains predictions by the features' contributions to them: SHAP values (Lundberg and Lee, NeurIPS 2017).

Each sampled row is explained by the model that did not see it. XGBoost computes the values of its trees itself. For a
linear model with features taken as independent they are ``(x - mean) * weight``. They explain the prediction of a
number in the folds' unit, and of a class its score before the logistic function or softmax, in log-odds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation.linear_model import LinearClassifier, LinearModel
from evaluation.models import Model
from evaluation.row_sample import RowSample
from evaluation.rows import Numbers

_SHOWN_ROWS, _SHOWN_NUMBERS = 500, 1 << 16
"""The largest sample of rows in shap.json, and of its contributions."""


def shap_of(names: Sequence[str], models: Sequence[Model], sample: RowSample, means: Numbers) -> dict[str, Any]:
    """Return the content of shap.json.

    ``features`` has the mean absolute contribution of each feature, the largest first: over the sampled rows and, with
    more than two classes, summed over the classes (``by_class`` has them apart). ``sample`` is for drawing: for each
    feature in the order of ``features``, values and contributions of some rows; with more than two classes,
    contributions are lists by class.

    Args:
        names: the features' names.
        models: the model of each fold; empty if they are not known.
        sample: rows by fold.
        means: the features' means.
    """
    if not models:
        return {"missing": "the models are not known"}
    parts = [_contributions(models[fold - 1], own.table[:, 1:], means) for fold, own in sample.of_folds.items()]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return {"missing": "the algorithm does not tell the features' contributions"}
    # Of shape (rows, outputs, features + 1).
    whole = np.concatenate([part.reshape(len(part), -1, len(names) + 1) for part in known])
    absolute = np.abs(whole[:, :, :-1]).mean(axis=0)
    order = np.argsort(-absolute.sum(axis=0), kind="stable").tolist()
    outputs = whole.shape[1]
    return {
        "rows": len(whole),
        "bias": whole[:, :, -1].mean(axis=0).tolist() if outputs > 1 else float(whole[:, 0, -1].mean()),
        "features": [
            {"feature": names[place], "mean_absolute": float(absolute[:, place].sum())}
            | ({"by_class": absolute[:, place].tolist()} if outputs > 1 else {})
            for place in order
        ],
        "sample": _shown(names, sample, whole, order),
    }


def _contributions(model: Model, features: Numbers, means: Numbers) -> Numbers | None:
    found = model.contributions(features)
    if found is None or not isinstance(model, LinearModel | LinearClassifier):
        return found
    # A linear model's own are against features of 0. The means' contributions belong to the bias.
    of_means = model.contributions(means[None, :])
    assert of_means is not None
    centred = found - of_means
    centred[..., -1] = of_means.sum(axis=-1)
    return centred


def _shown(names: Sequence[str], sample: RowSample, whole: Numbers, order: Sequence[int]) -> dict[str, Any]:
    """Return some rows, spread evenly: with many features or classes fewer, at least one."""
    most = max(1, min(_SHOWN_ROWS, _SHOWN_NUMBERS // (whole.shape[1] * len(names))))
    places = np.unique(np.linspace(0, len(whole) - 1, min(most, len(whole))).astype(np.int64))
    table = np.concatenate([own.table for own in sample.of_folds.values()])[places]
    folds = np.concatenate([np.full(len(own.rows), fold) for fold, own in sample.of_folds.items()])
    rows = np.concatenate([own.rows for own in sample.of_folds.values()])
    chosen = whole[places, 0] if whole.shape[1] == 1 else np.moveaxis(whole[places], 1, 2)
    return {
        "fold": folds[places].tolist(),
        "row": rows[places].tolist(),
        "label": table[:, 0].tolist(),
        "values": [table[:, 1 + place].tolist() for place in order],
        "contributions": [chosen[:, place].tolist() for place in order],
    }
