"""Reads a trained model, whatever its algorithm is."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from evaluation.linear_model import LinearClassifier, read_linear_model
from evaluation.rows import Numbers

LINEAR_LEARNER = "linear-learner"
XGBOOST = "xgboost"
ALGORITHMS = (LINEAR_LEARNER, XGBOOST)


class Model(Protocol):
    """A trained model."""

    @property
    def features(self) -> int:
        """The number of features of a row."""
        ...

    def predict(self, features: Numbers) -> Numbers:
        """Return the model's answers, computed with 64-bit numbers where the algorithm allows it.

        Args:
            features: rows, of shape (n, features).

        Returns:
            for regression the predictions, of shape (n,); for two classes the probability of class 1 (the score, if
            the model has no probabilities), of shape (n,); for more classes their probabilities, of shape (n, classes).
        """
        ...

    def predict_float32(self, features: Numbers) -> Numbers:
        """Return the same, computed with 32-bit numbers, as the algorithm's own container does."""
        ...

    def scale(self, features: Numbers) -> Numbers:
        """Return the sizes to which the predictions' rounding errors are relative, of shape (n,)."""
        ...

    def contributions(self, features: Numbers) -> Numbers | None:
        """Return what each feature adds to each raw score: SHAP values, with the bias last.

        Returns:
            of shape (n, features + 1), or (n, classes, features + 1) for more than two classes. Their sum over the
            last axis is the score before any logistic function or softmax. None if the model cannot tell.
        """
        ...


def threshold_of(model: Model) -> float:
    """Return the score that separates two classes: linear-learner chooses it, other algorithms take one half."""
    return model.threshold if isinstance(model, LinearClassifier) else 0.5


def predicted_classes(model: Model, predictions: Numbers) -> Numbers:
    """Return the classes that a model predicts, of shape (n,).

    Args:
        model: a classifier.
        predictions: what it has predicted, of shape (n,) for two classes, else (n, classes).
    """
    if predictions.ndim > 1:
        return np.asarray(predictions.argmax(axis=1), np.float64)
    if isinstance(model, LinearClassifier):
        # The threshold is one of the scores, which linear-learner rounds to 32 bits.
        return np.asarray(predictions.astype(np.float32) >= np.float32(model.threshold), np.float64)
    return np.asarray(predictions > threshold_of(model), np.float64)


def read_model(model_tar_gz: Path, algorithm: str) -> Model:
    """Read the model in an artifact.

    Args:
        model_tar_gz: the artifact.
        algorithm: the name of SageMaker's algorithm, for example ``linear-learner``.

    Raises:
        ValueError: the artifact contains no such model, or the algorithm's artifacts cannot be read.
    """
    if algorithm == LINEAR_LEARNER:
        return read_linear_model(model_tar_gz)
    if algorithm == XGBOOST:
        # Only the programs that run in XGBoost's image have this module.
        from evaluation.xgboost_model import read_xgboost_model  # noqa: PLC0415

        return read_xgboost_model(model_tar_gz)
    raise ValueError(f"artifacts of {algorithm} cannot be read")
