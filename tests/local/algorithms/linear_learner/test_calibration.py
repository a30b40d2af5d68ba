import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.algorithms.linear_learner.calibration import calibrate, criterion_values
from tests.local.algorithms.linear_learner.reference import classifier

CRITERIA = ("accuracy", "f_beta", "precision_at_target_recall", "recall_at_target_precision")


def selecting(criterion, **values):
    return classifier(binary_classifier_model_selection_criteria=criterion, **values)


def measured(hyperparameters, threshold, scores, labels) -> float:
    """The criterion, as its documentation says it, of labels that are predicted with a threshold."""
    predicted, positive = scores >= threshold, labels == 1
    hits = (predicted & positive).sum()
    precision = hits / predicted.sum() if predicted.any() else 0.0
    recall = hits / positive.sum() if positive.any() else 0.0
    match hyperparameters.binary_classifier_model_selection_criteria:
        case "accuracy":
            return float((predicted == positive).mean())
        case "f_beta":
            square = hyperparameters.f_beta**2
            return float((1 + square) * precision * recall / (square * precision + recall)) if hits else 0.0
        case "precision_at_target_recall":
            return float(precision) if recall >= hyperparameters.target_recall else 0.0
        case _:
            return float(recall) if precision >= hyperparameters.target_precision else 0.0


SCORES = st.integers(0, 12).map(lambda number: float(np.float32(number / 12)))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(SCORES, st.booleans()), min_size=1, max_size=25),
    st.sampled_from(CRITERIA),
    st.sampled_from([0.3, 0.5, 0.8]),
    st.sampled_from([0.5, 1.0, 2.0]),
)
def test_no_threshold_is_better_than_the_calibrated_one(rows, criterion, target, beta) -> None:
    scores, labels = np.array([score for score, _ in rows]), np.array([float(label) for _, label in rows])
    hyperparameters = selecting(criterion, target_recall=target, target_precision=target, f_beta=beta)
    found = calibrate(hyperparameters, scores, labels)
    assert measured(hyperparameters, found.threshold, scores, labels) == pytest.approx(found.value)
    for threshold in np.linspace(-0.04, 1.04, 28):
        assert measured(hyperparameters, threshold, scores, labels) <= found.value + 1e-12
    np.testing.assert_allclose(criterion_values(hyperparameters, scores[:, None], labels), [found.value])


@pytest.mark.parametrize(
    ("scores", "labels", "threshold"),
    [
        # 0.5 separates the classes as well as any other threshold between them.
        ([0.1, 0.2, 0.7, 0.9], [0, 0, 1, 1], 0.5),
        # Not here: the middle of the gap.
        ([0.125, 0.25, 0.375, 0.875], [0, 0, 1, 1], 0.3125),
        ([0.625, 0.75, 0.875, 1.0], [0, 0, 1, 1], 0.8125),
        # Two gaps have one error each; the closer one to 0.5 is (0.375, 0.4375].
        ([0.0, 0.125, 0.375, 0.4375], [0, 1, 0, 1], (0.375 + 0.4375) / 2),
        # Two are equally close: the lower one.
        ([0.25, 0.375, 0.625, 0.75], [0, 1, 0, 1], 0.3125),
        # A score that is the threshold is positive.
        ([0.25, 0.5], [0, 1], 0.5),
        # Every row is positive, or none.
        ([0.75, 0.875], [1, 1], 0.5),
        ([0.25, 0.375], [1, 1], float(np.nextafter(np.float32(0.25), np.float32(0)))),
        ([0.25, 0.375], [0, 0], 0.5),
        ([0.5, 0.75], [0, 0], float(np.nextafter(np.float32(0.75), np.float32(1)))),
    ],
)
def test_of_equally_good_thresholds_the_one_closest_to_a_half_is_chosen(scores, labels, threshold) -> None:
    assert calibrate(selecting("accuracy"), np.array(scores), np.array(labels)).threshold == threshold


def test_a_recall_is_held_and_the_precision_is_the_highest() -> None:
    scores, labels = np.array([0.9, 0.8, 0.7, 0.6, 0.3, 0.2]), np.array([1, 0, 1, 1, 0, 1])
    found = calibrate(selecting("precision_at_target_recall", target_recall=0.75), scores, labels)
    assert found.value == 0.75, "three of four, at 0.6"
    assert found.threshold == 0.5
    found = calibrate(selecting("recall_at_target_precision", target_precision=0.9), scores, labels)
    assert found.value == 0.25
    assert 0.8 < found.threshold <= 0.9


def test_a_precision_that_no_threshold_reaches_gives_the_highest_one() -> None:
    scores, labels = np.array([0.9, 0.8, 0.7, 0.6, 0.55]), np.array([0, 1, 0, 0, 1])
    found = calibrate(selecting("recall_at_target_precision"), scores, labels)
    assert found.value == 0
    assert 0.7 < found.threshold <= 0.8


def test_a_model_whose_scores_are_not_numbers_has_no_value() -> None:
    scores = np.array([[0.1, np.nan], [0.9, 0.5]])
    np.testing.assert_array_equal(criterion_values(selecting("accuracy"), scores, np.array([0, 1])), [1, 0])
