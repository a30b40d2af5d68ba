"""The metrics of classifiers against numbers that were computed by hand, and against scikit-learn."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from local.algorithms.linear_learner import classification_scoring
from local.algorithms.linear_learner.classification_losses import row_loss
from local.algorithms.linear_learner.classification_scoring import mean_loss, score_binary, score_multiclass
from local.algorithms.linear_learner.models import LinearModel
from tests.local.algorithms.linear_learner.reference import classifier


def binary_model(threshold: float = 0.5, **values: Any) -> LinearModel:
    """A model whose sum is its only feature."""
    hyperparameters = classifier(**values)
    loss = row_loss([hyperparameters], np.array([0.0, 1.0]))
    return LinearModel(np.ones(1, np.float32), np.float32(0), 1.0, hyperparameters, loss, threshold)


def multiclass_model(classes: int, **values: Any) -> LinearModel:
    """A model whose sums are its features."""
    hyperparameters = classifier(num_classes=classes, **values)
    loss = row_loss([hyperparameters], np.arange(classes, dtype=float))
    weights, biases = np.eye(classes, dtype=np.float32), np.zeros(classes, np.float32)
    return LinearModel(weights, biases, 1.0, hyperparameters, loss)


def named(found):
    return {name: value for name, value, _ in found}


def test_binary_metrics_by_hand() -> None:
    labels, sums = [1, 1, 1, 0, 0, 0, 0, 1], [3.0, 1.0, -1.0, 2.0, -2.0, -3.0, 0.0, 0.0]
    found = score_binary(np.column_stack([labels, sums]), binary_model())
    assert [kind for _, _, kind in found] == ["score"] * 5
    values = named(found)
    # Scores of at least 0.5: 3, 1, 2 and both 0, of which three are positive.
    assert values["binary_classification_accuracy"] == 5 / 8
    assert values["precision"] == 3 / 5
    assert values["recall"] == 3 / 4
    assert values["binary_f_1.000"] == pytest.approx(2 * 0.6 * 0.75 / (0.6 + 0.75))
    # 3 beats all four; 1 beats three; -1 beats two; 0 beats two and ties with one.
    assert values["roc_auc_score"] == (4 + 3 + 2 + 2.5) / 16


def test_binary_metrics_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, 500).astype(float)
    sums = np.round(random.normal(size=500) + labels, 1)
    rows = np.column_stack([labels, sums])
    values = named(score_binary(rows, binary_model(0.6, f_beta=2)))
    probabilities = 1 / (1 + np.exp(-sums))
    predicted = probabilities >= 0.6
    assert values == pytest.approx(
        {
            "binary_classification_accuracy": metrics.accuracy_score(labels, predicted),
            "binary_f_2.000": metrics.fbeta_score(labels, predicted, beta=2),
            "precision": metrics.precision_score(labels, predicted),
            "recall": metrics.recall_score(labels, predicted),
            "roc_auc_score": metrics.roc_auc_score(labels, sums),
        }
    )
    assert mean_loss(rows, binary_model()) == pytest.approx(metrics.log_loss(labels, probabilities))


def test_a_metric_without_rows_to_divide_by_is_zero_and_an_undefined_area_is_left_out() -> None:
    values = named(score_binary(np.array([[0.0, -1.0], [0.0, -2.0]]), binary_model()))
    assert values == {"binary_classification_accuracy": 1.0, "binary_f_1.000": 0.0, "precision": 0.0, "recall": 0.0}


def test_multiclass_metrics_by_hand() -> None:
    scores = [[3, 2, 1, 0], [0, 3, 2, 1], [3, 2, 1, 0], [0, 1, 2, 3], [1, 1, 0, 0]]
    # The fifth class is neither a label nor predicted, so it is in no mean.
    rows = np.column_stack([[0, 1, 2, 0, 1], scores, [-9] * 5]).astype(float)
    values = named(score_multiclass(rows, multiclass_model(5, accuracy_top_k=3)))
    # Ranks 1, 1, 3, 4 and, of two equal scores the second one, 2. Predicted 0, 1, 0, 3, 0.
    assert values["multiclass_accuracy"] == 2 / 5
    assert values["multiclass_top_k_accuracy_3"] == 4 / 5
    assert values["dcg"] == pytest.approx((1 + 1 + 1 / np.log2(4) + 1 / np.log2(5) + 1 / np.log2(3)) / 5)
    # Class 0: 1 of 2 found, 1 of 3 right; 1: 1 of 2, 1 of 1; 2: none of 1; 3: none of 1 right.
    assert values["macro_recall"] == pytest.approx((1 / 2 + 1 / 2 + 0 + 0) / 4)
    assert values["macro_precision"] == pytest.approx((1 / 3 + 1 + 0 + 0) / 4)
    assert values["macro_f_1.000"] == pytest.approx((0.4 + 2 / 3 + 0 + 0) / 4)


def test_multiclass_metrics_are_those_of_scikit_learn_for_any_block_of_rows(monkeypatch) -> None:
    random = np.random.default_rng(4)
    labels = random.integers(0, 4, 301).astype(float)
    sums = random.normal(size=(301, 5)) + 1.5 * np.eye(5)[labels.astype(int)]
    rows = np.column_stack([labels, sums])
    model = multiclass_model(5, f_beta=0.5, accuracy_top_k=2)
    values = named(score_multiclass(rows, model))
    predicted = sums.argmax(axis=1)
    macro = {"average": "macro", "zero_division": 0}
    assert values == pytest.approx(
        {
            "multiclass_accuracy": metrics.accuracy_score(labels, predicted),
            "multiclass_top_k_accuracy_2": metrics.top_k_accuracy_score(labels, sums, k=2, labels=range(5)),
            "dcg": metrics.dcg_score(np.eye(5)[labels.astype(int)], sums),
            "macro_recall": metrics.recall_score(labels, predicted, **macro),
            "macro_precision": metrics.precision_score(labels, predicted, **macro),
            "macro_f_0.500": metrics.fbeta_score(labels, predicted, beta=0.5, **macro),
        }
    )
    probabilities = np.exp(sums) / np.exp(sums).sum(axis=1, keepdims=True)
    assert mean_loss(rows, model) == pytest.approx(metrics.log_loss(labels, probabilities, labels=range(5)))
    monkeypatch.setattr(classification_scoring, "_SCORES_AT_ONCE", 35)
    assert named(score_multiclass(rows, model)) == pytest.approx(values)
