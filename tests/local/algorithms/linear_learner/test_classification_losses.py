from typing import Any

import numpy as np
import pytest

from local.algorithms.errors import ClientError
from local.algorithms.linear_learner.classification_losses import row_loss
from local.algorithms.linear_learner.losses import RowLoss, objective_name
from tests.local.algorithms.linear_learner.reference import classifier

LABELS = np.array([0.0, 0, 0, 1, 1, 0, 1, 0])
CLASSES = np.array([0.0, 2, 1, 1, 2, 0, 0, 0])


def binary(*weights: float | str, **values: Any) -> RowLoss:
    models = [classifier(positive_example_weight_mult=weight, **values) for weight in weights or (1.0,)]
    return row_loss(models, LABELS)


def multiclass(**values: Any) -> RowLoss:
    return row_loss([classifier(num_classes=3, **values)], CLASSES)


def losses_by_row(loss: RowLoss, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    pairs = zip(scores, labels, strict=True)
    return np.array([loss.total(row[None].copy(), np.array([[label]])) for row, label in pairs])


@pytest.mark.parametrize(
    ("loss", "labels", "outputs"),
    [
        (binary(1.0, 3.5), LABELS, 1),
        (binary(1.0, 0.2, loss="hinge_loss", margin=0.8), LABELS, 1),
        (multiclass(), CLASSES, 3),
        (multiclass(balance_multiclass_weights=True), CLASSES, 3),
    ],
)
def test_a_slope_is_the_derivative_of_its_loss(loss, labels, outputs) -> None:
    random = np.random.default_rng(1)
    scores = random.normal(size=(len(labels), 2 * outputs)) * 3
    total, slopes = loss.step(scores.copy(), labels[:, None])
    np.testing.assert_allclose(total, loss.total(scores.copy(), labels[:, None]), rtol=1e-12)
    step = 1e-6
    for column in range(2 * outputs):
        moved = np.zeros(2 * outputs)
        moved[column] = step
        higher, lower = (losses_by_row(loss, scores + sign * moved, labels) for sign in (1, -1))
        np.testing.assert_allclose(slopes[:, column], ((higher - lower) / (2 * step))[:, column // outputs], atol=1e-6)


def test_the_logistic_loss_has_its_formula_and_does_not_overflow() -> None:
    scores = np.array([[-2.0], [0.0], [2.0], [-800.0], [800.0]])
    for label, signs in ((0.0, 1.0), (1.0, -1.0)):
        losses = losses_by_row(binary(), scores, np.full(5, label))[:, 0]
        np.testing.assert_allclose(losses, np.logaddexp(0, signs * scores[:, 0]), rtol=1e-12)
        assert np.isfinite(losses).all()


@pytest.mark.parametrize("margin", [0.5, 1.0, 3.0])
def test_the_hinge_loss_has_its_documented_formula(margin) -> None:
    scores = np.linspace(-3, 3, 25)[:, None]
    z = scores[:, 0]
    loss = binary(loss="hinge_loss", margin=margin)
    np.testing.assert_allclose(losses_by_row(loss, scores, np.ones(25))[:, 0], np.maximum((margin + 1) / 2 - z, 0))
    np.testing.assert_allclose(losses_by_row(loss, scores, np.zeros(25))[:, 0], np.maximum((margin - 1) / 2 + z, 0))


def test_the_positive_weight_multiplies_the_loss_of_positive_rows_only() -> None:
    scores = np.linspace(-2, 2, 8)[:, None]
    losses = losses_by_row(binary(1.0, 4.0, "balanced"), np.repeat(scores, 3, axis=1), LABELS)
    np.testing.assert_allclose(losses[:, 1], losses[:, 0] * np.where(LABELS == 1, 4, 1))
    np.testing.assert_allclose(losses[:, 2], losses[:, 0] * np.where(LABELS == 1, 5 / 3, 1))


@pytest.mark.parametrize("labels", [np.zeros(5), np.ones(5)])
def test_balanced_weights_need_both_labels(labels) -> None:
    with pytest.raises(
        ClientError, match=rf"needs rows of both labels.*all 5 rows that train have the label {labels[0]:g}"
    ):
        row_loss([classifier(positive_example_weight_mult="balanced")], labels)


def test_balanced_classes_have_the_same_total_weight_and_the_mean_weight_one() -> None:
    scores = np.zeros((8, 3))
    losses = losses_by_row(multiclass(balance_multiclass_weights=True), scores, CLASSES)[:, 0] / np.log(3)
    totals = [losses[each == CLASSES].sum() for each in range(3)]
    np.testing.assert_allclose(totals, 8 / 3)
    np.testing.assert_allclose(losses_by_row(multiclass(), scores, CLASSES)[:, 0], np.log(3))


def test_a_class_without_training_rows_changes_no_other_weight() -> None:
    three, five = (
        row_loss([classifier(num_classes=classes, balance_multiclass_weights=True)], CLASSES) for classes in (3, 5)
    )
    with_more = np.full((8, 5), -1e4)
    with_more[:, :3] = 0
    totals = losses_by_row(three, np.zeros((8, 3)), CLASSES), losses_by_row(five, with_more, CLASSES)
    np.testing.assert_allclose(*totals)


def test_the_softmax_of_two_classes_is_the_logistic_of_their_difference() -> None:
    random = np.random.default_rng(2)
    scores = random.normal(size=(8, 3)) * 4
    scores[:, 2] = -1e4
    difference = scores[:, 1:2] - scores[:, :1]
    softmax_total, softmax_slopes = multiclass().step(scores.copy(), LABELS[:, None])
    logistic_total, logistic_slopes = binary().step(difference.copy(), LABELS[:, None])
    np.testing.assert_allclose(softmax_total, logistic_total, rtol=1e-12)
    np.testing.assert_allclose(softmax_slopes[:, 1], logistic_slopes[:, 0], atol=1e-12)
    np.testing.assert_allclose(softmax_slopes[:, 0], -logistic_slopes[:, 0], atol=1e-12)


def test_the_objective_has_the_name_that_the_container_logs() -> None:
    assert objective_name(classifier()) == "binary_classification_cross_entropy_objective"
    assert objective_name(classifier(num_classes=3)) == "multiclass_cross_entropy_objective"
    assert objective_name(classifier(loss="hinge_loss")) == "hinge_loss_objective"
