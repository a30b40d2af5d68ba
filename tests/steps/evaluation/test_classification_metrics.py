"""The metrics of classes, against scikit-learn, XGBoost and counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost
from evaluation import score_counts
from evaluation.class_sums import ClassSums, tables_of
from evaluation.confusion import class_metrics, confusion, f_scores, label_metrics
from evaluation.metrics import METRICS, computed_metric
from evaluation.score_counts import ScoreCounter, ScoreCounts
from sklearn import metrics as sklearn


def counts_of(scores, labels) -> ScoreCounts:
    return counter_of(scores, labels).counts


def counter_of(scores, labels) -> ScoreCounter:
    counter = ScoreCounter()
    for start in range(0, len(scores), 97):
        counter.add(np.asarray(scores[start : start + 97], np.float64), np.asarray(labels[start : start + 97]))
    return counter


def made(rows: int, *, digits: int = 15, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    scores = np.round(random.random(rows) ** 2, digits)
    return scores, (random.random(rows) < 0.2 + 0.6 * scores).astype(float)


def test_the_auc_counts_pairs_and_ties_by_half() -> None:
    # Of the six pairs of a positive and a negative, four are in order and one is a tie.
    counts = counts_of([0.9, 0.4, 0.4, 0.2, 0.6], [1, 1, 0, 0, 0])
    assert counts.auc() == pytest.approx((3 + 1 + 0.5) / 6)


@pytest.mark.parametrize("digits", [1, 2, 15])
def test_areas_are_scikit_learns_whatever_the_ties(digits) -> None:
    scores, labels = made(1500, digits=digits)
    counts = counts_of(scores, labels)
    assert counts.auc() == pytest.approx(sklearn.roc_auc_score(labels, scores), rel=1e-12)
    assert counts.average_precision() == pytest.approx(sklearn.average_precision_score(labels, scores), rel=1e-12)
    assert counts.auc_error == 0.0


@pytest.mark.parametrize("digits", [1, 3])
def test_the_area_under_precision_recall_is_xgboosts(digits) -> None:
    scores, labels = made(800, digits=digits)
    data = xgboost.DMatrix(np.zeros((800, 1)), label=labels, base_margin=scores)
    booster = xgboost.train({"eval_metric": "aucpr", "base_score": 0.5}, data, 0)
    expected = float(booster.eval(data).partition("aucpr:")[2])
    assert counts_of(scores, labels).area_under_precision_recall() == pytest.approx(expected, abs=2e-5)


def test_many_distinct_scores_take_little_memory_and_the_auc_stays_within_its_error(monkeypatch) -> None:
    scores, labels = made(20_000)
    monkeypatch.setattr(score_counts, "MOST", 500)
    half = len(scores) // 2
    counts = (counter_of(scores[:half], labels[:half]) + counter_of(scores[half:], labels[half:])).counts
    assert len(counts.scores) <= 500
    assert 0 < counts.auc_error < 5e-3
    assert abs(counts.auc() - sklearn.roc_auc_score(labels, scores)) <= counts.auc_error
    assert counts.totals == (int((labels == 0).sum()), int(labels.sum()))
    assert sum(tenth["rows"] for tenth in counts.calibration()) == 20_000


def test_without_rows_of_a_class_there_is_no_area() -> None:
    counts = counts_of([0.1, 0.2], [0, 0])
    assert (counts.auc(), counts.average_precision(), counts.area_under_precision_recall()) == (None, None, None)
    assert (counts.curve(), counts.gains()) == ([], [])


def test_the_curve_is_scikit_learns_roc_and_precision() -> None:
    scores, labels = made(300, digits=2)
    points = counts_of(scores, labels).curve(most=10_000)
    false, true, thresholds = sklearn.roc_curve(labels, scores, drop_intermediate=False)
    assert [point["fpr"] for point in points] == pytest.approx(false.tolist())
    assert [point["tpr"] for point in points] == pytest.approx(true.tolist())
    assert [point["threshold"] for point in points][1:] == thresholds.tolist()[1:]
    for point in points[1:]:
        assert point["precision"] == pytest.approx(sklearn.precision_score(labels, scores >= point["threshold"]))
    assert len(counts_of(scores, labels).curve(most=20)) <= 20


def test_calibration_compares_predictions_with_what_happened() -> None:
    table = counts_of([0.0, 0.05, 0.31, 0.35, 1.0], [0, 1, 0, 1, 1]).calibration()
    assert [(row["low"], row["rows"], row["positive_rate"]) for row in table] == [
        (0.0, 2, 0.5),
        (0.3, 2, 0.5),
        (0.9, 1, 1.0),
    ]
    assert [row["mean_prediction"] for row in table] == pytest.approx([0.025, 0.33, 1.0])


def test_gains_are_the_share_of_positives_among_the_highest_scores() -> None:
    scores = np.arange(20) / 20
    table = counts_of(scores, (scores >= 0.8).astype(float)).gains()
    assert [row["gain"] for row in table] == pytest.approx([0.5, *[1.0] * 9])
    assert [row["lift"] for row in table][:2] == pytest.approx([5.0, 5.0])
    # One tie of all rows: any tenth of them has a tenth of the positives.
    assert [row["gain"] for row in counts_of([0.3] * 10, [1, *[0] * 9]).gains()] == pytest.approx(np.arange(1, 11) / 10)


@pytest.mark.parametrize("classes", [2, 4])
def test_metrics_of_labels_are_scikit_learns(classes) -> None:
    random = np.random.default_rng(1)
    actual, predicted = random.integers(0, classes, 200), random.integers(0, classes, 200)
    table = confusion(actual.astype(float), predicted.astype(float), classes)
    np.testing.assert_array_equal(table, sklearn.confusion_matrix(actual, predicted))
    found = label_metrics(table)
    assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(actual, predicted))
    assert found["error"] == pytest.approx(1 - found["accuracy"])
    assert found["balanced_accuracy"] == pytest.approx(sklearn.balanced_accuracy_score(actual, predicted))
    for name, score in (
        ("f1", sklearn.f1_score),
        ("precision", sklearn.precision_score),
        ("recall", sklearn.recall_score),
    ):
        assert found[f"{name}_macro"] == pytest.approx(score(actual, predicted, average="macro"))
        assert [row[name] for row in class_metrics(table)] == pytest.approx(
            score(actual, predicted, average=None).tolist()
        )
    for beta in (0.5, 2.0):
        expected = sklearn.fbeta_score(actual, predicted, beta=beta, average=None)
        assert f_scores(table, beta) == pytest.approx(expected)


def test_a_class_that_is_never_predicted_has_the_precision_0_and_one_that_does_not_occur_does_not_count() -> None:
    table = confusion(np.array([0, 0, 1]), np.array([0, 0, 0]), 3)
    assert class_metrics(table)[1] == {"rows": 1, "precision": 0.0, "recall": 0.0, "f1": 0.0}
    assert label_metrics(table)["f1_macro"] == pytest.approx(sklearn.f1_score([0, 0, 1], [0, 0, 0], average="macro"))


@pytest.mark.parametrize(
    ("algorithm", "problem", "objective", "hyperparameters", "expected"),
    [
        ("linear-learner", "regression", "validation:mse", {}, "mse"),
        ("linear-learner", "regression", "validation:objective_loss", {"loss": "absolute_loss"}, None),
        ("linear-learner", "binary", "validation:objective_loss", {}, "logloss"),
        ("linear-learner", "binary", "validation:objective_loss", {"loss": "hinge_loss"}, None),
        ("linear-learner", "binary", "validation:objective_loss", {"positive_example_weight_mult": "balanced"}, None),
        ("linear-learner", "binary", "validation:roc_auc_score", {}, "auc"),
        ("linear-learner", "binary", "validation:binary_f_beta", {}, "f1"),
        ("linear-learner", "binary", "validation:binary_f_beta", {"f_beta": "2"}, None),
        ("linear-learner", "multiclass", "validation:dcg", {}, None),
        ("xgboost", "binary", "validation:f1", {}, "f1_macro"),
        ("xgboost", "binary", "validation:ndcg", {}, None),
        ("xgboost", "multiclass", "validation:merror", {}, "error"),
        ("xgboost", "regression", "validation:mape", {}, "mape"),
        ("factorization-machines", "regression", "test:rmse", {}, None),
    ],
)
def test_objectives_are_known_or_said_not_to_be(algorithm, problem, objective, hyperparameters, expected) -> None:
    found = computed_metric(algorithm, problem, objective, hyperparameters)
    assert found == expected
    assert found is None or found in METRICS[problem]


@pytest.mark.parametrize("share", [0.5, 0.01])
def test_few_points_of_a_curve_keep_its_picture(share) -> None:
    random = np.random.default_rng(1)
    labels = (random.random(40_000) < share).astype(float)
    scores = random.normal(size=40_000) + 1.5 * labels
    counts = counts_of(scores, labels)
    points = counts.curve()
    assert 200 < len(points) <= 300
    assert (points[0]["tpr"], points[-1]["tpr"], points[-1]["fpr"]) == (0.0, 1.0, 1.0)
    fpr, tpr, precision = (np.array([point[name] for point in points]) for name in ("fpr", "tpr", "precision"))
    assert np.trapezoid(tpr, fpr) == pytest.approx(counts.auc(), abs=1e-3)
    assert np.sum(np.diff(tpr) * precision[1:]) == pytest.approx(counts.average_precision(), abs=0.01)


def test_the_histogram_counts_each_class_by_twentieths() -> None:
    found = counts_of([0.0, 0.049, 0.05, 0.5, 1.0, 1.0], [0, 1, 0, 1, 1, 0]).histogram()
    assert [each["rows"] for each in found if sum(each["rows"])] == [[1, 1], [1, 0], [0, 1], [1, 1]]
    assert (found[0]["low"], found[-1]["high"], len(found)) == (0.0, 1.0, 20)
    scores = counts_of([-3.0, 7.0, 2.0], [0, 1, 1]).histogram()
    assert (scores[0]["low"], scores[-1]["high"]) == (-3.0, pytest.approx(7.0))
    assert [place for place, each in enumerate(scores) if sum(each["rows"])] == [0, 10, 19]


def test_classes_have_curves_against_the_others_the_most_frequent_ones() -> None:
    random = np.random.default_rng(2)
    labels = np.concatenate([np.full(20 + 5 * number, number) for number in range(12)])
    probabilities = random.dirichlet(np.ones(12), len(labels)) + 0.5 * (labels[:, None] == np.arange(12))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    sums = ClassSums(12)
    sums.add(labels, probabilities, probabilities.argmax(axis=1))
    against = [counts_of(probabilities[:, place], labels == place) for place in range(12)]
    found = tables_of(sums, [f"c{number}" for number in range(12)], against)["one_vs_rest"]
    assert [each["class"] for each in found if "curve" in each] == [f"c{number}" for number in range(2, 12)]
    for place, each in enumerate(found):
        assert each["auc"] == pytest.approx(sklearn.roc_auc_score(labels == place, probabilities[:, place]))
