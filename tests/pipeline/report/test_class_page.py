"""The page about an execution whose label has classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sklearn

from pipeline.report.class_figures import wilson
from pipeline.report.class_predictions import ClassPredictions
from pipeline.report.evidence import Evidence
from pipeline.report.parts import Part
from tests.pipeline.report.document import Element, figures, tables
from tests.pipeline.report.made_classes import make_class_evidence
from tests.pipeline.report.test_page import page_of


@pytest.fixture(scope="module")
def two() -> tuple[Evidence, Element]:
    """Two classes, and their page."""
    evidence = make_class_evidence()
    return evidence, page_of(evidence)


def titles(page: Element) -> list[str]:
    return [heading.text.partition(". ")[2] for heading in page.all("h2")]


def column(table: list[dict[str, str]], name: str) -> list[float]:
    return [float(row[name]) for row in table]


def predictions(evidence: Evidence) -> np.ndarray:
    found = evidence.class_predictions.value
    assert found is not None
    return found.table


def test_two_classes_have_their_pictures_and_no_mean_squared_error(two) -> None:
    _, page = two
    assert titles(page) == [
        *("Data", "Score", "Hyperparameters", "Predictions out of fold", "Training"),
        *("Contributions of the features", "Warnings"),
    ]
    assert list(figures(page)) == [
        *(
            "The score beside those of simple models",
            "Mean AUC by learning_rate and l1",
            "The folds of each combination",
        ),
        *("Confusion matrix", "ROC curve", "Precision and recall", "Calibration"),
        *("Probabilities by actual class", "Cumulative gain", "Metric by trees and fold", "SHAP values"),
    ]
    assert "MSE" not in page.text
    for text in ("Cross-validated AUC 0.81", "0.7 to 0.9", "price, 2 classes: no, yes", "Class rates 0.5"):
        assert text in page.text


def test_the_curves_are_scikit_learns(two) -> None:
    evidence, page = two
    labels, scores = predictions(evidence)[:, 2], predictions(evidence)[:, 5]
    shown = figures(page)
    (roc,) = tables(shown["ROC curve"])
    false, true, _ = sklearn.roc_curve(labels, scores, drop_intermediate=False)
    area = sklearn.roc_auc_score(labels, scores)
    assert np.trapezoid(column(roc, "tpr"), column(roc, "fpr")) == pytest.approx(area, abs=1e-3)
    assert set(zip(column(roc, "fpr"), column(roc, "tpr"), strict=True)) <= set(zip(false, true, strict=True))
    assert f"AUC {area:.4f}" in shown["ROC curve"].text
    precise = shown["Precision and recall"].text
    assert f"Average precision {sklearn.average_precision_score(labels, scores):.4f}" in precise
    assert "dashed line, 0.5000, is the share of yes" in precise
    (cells,) = tables(shown["Confusion matrix"])
    assert column(cells, "rows") == sklearn.confusion_matrix(labels, scores > 0.5).ravel().tolist()
    assert column(cells, "share")[0] == pytest.approx(sklearn.recall_score(labels, scores > 0.5, pos_label=0))


def test_the_tables_of_calibration_gains_and_scores_count_every_row(two) -> None:
    evidence, page = two
    labels, scores = predictions(evidence)[:, 2], predictions(evidence)[:, 5]
    shown = figures(page)
    (calibration,) = tables(shown["Calibration"])
    tenth = (scores * 10).astype(int) == 3
    row = next(row for row in calibration if row["low"] == "0.3")
    assert int(row["rows"]) == tenth.sum()
    assert float(row["positive_rate"]) == pytest.approx(labels[tenth].mean())
    assert float(row["mean_prediction"]) == pytest.approx(scores[tenth].mean())
    assert float(row["lowest"]) < float(row["positive_rate"]) < float(row["highest"])
    (gains,) = tables(shown["Cumulative gain"])
    highest = np.argsort(-scores)[:30]
    assert float(gains[0]["gain"]) == pytest.approx(labels[highest].sum() / labels.sum())
    assert f"has {labels[highest].sum() / labels.sum():.1%} of all yes" in shown["Cumulative gain"].text
    (histogram,) = tables(shown["Probabilities by actual class"])
    assert sum(column(histogram, "rows")) == 300
    assert sum(float(row["share"]) for row in histogram if row["class"] == "yes") == pytest.approx(1)


def test_wilsons_interval_is_statsmodels() -> None:
    # proportion_confint(9, 10, method="wilson"), and of no hit.
    assert wilson(0.9, 10) == pytest.approx((0.5958499732047615, 0.9821237869049271))
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.27753279986288926))


def test_a_score_is_better_to_the_right_and_a_loss_to_the_left(two) -> None:
    score, loss = (figures(page) for page in (two[1], page_of(make_class_evidence(metric="logloss"))))
    assert "Right is better." in score["The score beside those of simple models"].text
    assert "Left is better." in loss["The error beside those of simple models"].text
    assert "the highest mean first" in score["The folds of each combination"].text
    assert "the lowest mean first" in loss["The folds of each combination"].text
    assert "The highest mean is at the edge" in score["Mean AUC by learning_rate and l1"].text
    for shown, column_, extreme in ((score, "auc", "Highest"), (loss, "logloss", "Lowest")):
        rows = tables(next(figure for title, figure in shown.items() if "beside" in title))[0]
        assert [row["model"] for row in rows[:4]] == [
            *("Chosen hyperparameters", "Class rates", "Logistic regression", f"{extreme} fold (optimistic)")
        ]
        assert rows[3][column_] == "0.86"
    assert "A line still rising at its last tree" in score["Metric by trees and fold"].text
    assert "A line still falling at its last tree" in loss["Metric by trees and fold"].text


@pytest.mark.parametrize("count", [3, 12])
def test_more_classes_have_a_matrix_curves_against_the_others_and_a_table(count) -> None:
    names = [f"kind <{number}>" for number in range(count)]
    evidence = make_class_evidence(names, metric="mlogloss", algorithm="linear-learner", rows=600)
    page = page_of(evidence)
    shown = figures(page)
    assert "Coefficients" in titles(page)
    assert "Importance" not in titles(page)
    assert "Calibration" not in shown
    assert len(tables(shown["Confusion matrix"])[0]) == count**2
    curves = tables(shown["ROC curve of each class against the others"])[0]
    assert len({row["class"] for row in curves}) == min(count, 8)
    more = "The 8 most frequent of 12 classes are shown."
    assert (more in shown["ROC curve of each class against the others"].text) == (count > 8)
    labels, guesses = predictions(evidence)[:, 2], predictions(evidence)[:, 3]
    (by_class,) = (table for table in page.all("table") if table.text.startswith("By class"))
    cells = [cell.text for cell in by_class.all("tr")[2].all("td")]
    assert cells[0] == "kind <1>"
    assert float(cells[2]) == pytest.approx(sklearn.precision_score(labels == 1, guesses == 1), abs=1e-3)
    assert float(cells[5]) == pytest.approx(sklearn.roc_auc_score(labels == 1, predictions(evidence)[:, 5]), abs=1e-3)
    assert "rooms, kind <0>" in shown["Standardised coefficients"].text
    assert "Mean absolute SHAP values" in shown


def test_the_surest_mistakes_are_listed_the_surest_first() -> None:
    table = np.array([[1, 1, 0, 1, 0.4, 0.6], [2, 1, 1, 1, 0.1, 0.9], [3, 1, 1, 0, 0.8, 0.2], [4, 1, 0, 0, 0.9, 0.1]])
    found = ClassPredictions(table, 4).worst(10)
    assert [(row["row"], row["actual"], row["score_of_actual"]) for row in found] == [(3, 1, 0.2), (1, 0, 0.4)]
    # Scores that are no probabilities: 0 and above is class 1.
    table[:, 4:] = [[np.nan, 7.0], [np.nan, 1.0], [np.nan, -2.0], [np.nan, -1.0]]
    assert [row["row"] for row in ClassPredictions(table, 4).worst(10)] == [1, 3]


def test_missing_predictions_of_classes_are_said() -> None:
    evidence = make_class_evidence()
    gone: Part = Part(None, "There are no predictions out of fold: the folds have no common point.")
    page = page_of(replace(evidence, tables=gone, class_predictions=gone, shap=gone))
    assert page.text.count(gone.missing) == 2
    assert "ROC curve" not in figures(page)


def test_a_class_without_curves_and_scores_that_are_no_probabilities_make_a_page() -> None:
    evidence = make_class_evidence()
    found, best = evidence.tables.value, evidence.results.best
    assert found is not None
    assert best is not None
    found |= {"curve": [], "calibration": [], "gains": []}
    best["out_of_fold"] |= {"probabilities": False, "auc": None, "logloss": None}
    best["baselines"] = {"constant": None, "logistic_regression": None, "missing": {"constant": "not computed"}}
    shown = figures(page_of(evidence))
    assert "ROC curve" not in shown
    assert "Scores by actual class" in shown


def test_the_jobs_of_a_bayesian_search_are_drawn_the_best_first() -> None:
    jobs = [
        {"fold": fold, "value": 0.6 + fold / 10, "training_job_name": f"job-{fold}", "hyperparameters": {"eta": "0.1"}}
        for fold in (1, 2)
    ]
    evidence = make_class_evidence()
    best = evidence.results.best
    assert best is not None
    best["hyperparameters"] = {"eta": "0.1"}
    best["estimate"] = {"kind": "single_fold", "value": 0.8, "low": None, "high": None}
    shown = replace(evidence, results=replace(evidence.results, cv_results=[], training_jobs=jobs))
    page = page_of(shown)
    assert column(tables(figures(page)["AUC by eta"])[0], "mean_auc") == [0.8, 0.7]
    assert "AUC on one fold 0.8" in page.text
    assert "only the AUC of the winner on its own fold is known" in page.text


def test_regression_with_another_objective_than_the_mse() -> None:
    evidence = make_class_evidence()
    best = evidence.results.best
    assert best is not None
    best |= {"classes": None, "problem": "regression", "baselines": {"mean": 0.1, "least_squares": None}}
    best["metric"] |= {"title": "R2"}
    best["out_of_fold"] = {"rows": 300, "mse": 4.0, "rmse": 2.0, "mae": 1.5, "r2": 0.8}
    folds = evidence.folds.value
    assert folds is not None
    folds["classes"] = None
    gone: Part = Part(None, "The label is a class.")
    page = page_of(replace(evidence, predictions=gone))
    assert "Predicting the mean 0.1" in page.text
    assert "R2 with its approximate 95 % interval" in page.text
