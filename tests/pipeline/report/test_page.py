"""The page about an execution, from evidence made by hand. tests/end_to_end/test_run.py reads a real one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from pipeline.operate.execution import StepState
from pipeline.report.page import rendered
from pipeline.report.parts import Part
from tests.pipeline.report.document import Element, figures, read, tables
from tests.pipeline.report.made import STATE, make_evidence, make_points

TITLES = ["Data", "Error", "Hyperparameters", "Predictions out of fold", "Training", "Coefficients", "Importance"]
TITLES += ["Contributions of the features"]


def page_of(evidence) -> Element:
    text = rendered(evidence)
    assert len(text.encode()) < 2_000_000
    assert "graphics-symbol" not in text, "the parts of a drawing have no labels of their own"
    page = read(text)
    assert not page.all("script")
    for figure in page.all("figure"):
        (drawing,) = figure.all("svg")
        assert drawing.attributes["role"] == "img"
        assert drawing.attributes["aria-label"] == figure.all("h3")[0].text
        assert re.match("[A-Z].*[.]", figure.all("figcaption")[0].text)
        assert all(tables(figure))
    return page


@pytest.fixture(scope="module")
def page() -> Element:
    """The page about evidence without anything odd."""
    return page_of(make_evidence())


def elements(page: Element) -> list[Element]:
    return [page, *(found for child in page.children for found in elements(child))]


def test_the_page_has_its_sections_in_order_and_every_figure_its_sentence_and_its_data(page) -> None:
    titles = [heading.text.partition(". ")[2] for heading in page.all("h2")]
    assert titles == [*TITLES, "Warnings"]
    assert len(page.all("figure")) == 10
    assert "The grid is small & <narrow>." in page.text
    for fact in (
        "3 (not numeric 3)",
        "4 (rooms 4)",
        "shuffled with seed 42",
        "5 min 7 s",
        STATE.arn,
        "prices (verified)",
    ):
        assert fact in page.text


def test_nothing_is_loaded_from_elsewhere(page) -> None:
    for element in elements(page):
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster"):
            assert element.attributes.get(name, "data:").startswith("data:")
        assert not any(name.startswith("on") for name in element.attributes)
        assert not re.search(r"url\(|@import", " ".join([*element.texts, *element.attributes.values()]))


def test_names_from_outside_are_text() -> None:
    names = ["<script>alert(1)</script>", "\x00\x1b[31m\u202e", '"><b onload=x>', "{{ 7*7 }}", "=1+1"]
    page = page_of(make_evidence([*names, "area"]))
    assert not page.all("script")
    assert not page.all("b")
    coefficients = figures(page)["Standardised coefficients"].text
    for name in names:
        shown = name.replace("\x00", r"\x00").replace("\x1b", r"\x1b").replace("\u202e", r"\u202e")
        assert shown in coefficients
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", page.text)


def test_a_wide_and_long_execution_makes_a_small_page_that_says_what_it_leaves_out() -> None:
    names = [f"feature_{number}_{'x' * 60}" for number in range(300)]
    page = page_of(make_evidence(names, folds=20, rows=100_000, epochs=1000))
    shown = figures(page)
    assert "1,500 of 100,000 rows" in shown["Predicted and actual"].text
    assert len(tables(shown["Predicted and actual"])[0]) == 1500
    assert "5,000 of 40,000 rows" in shown["Loss by epoch and fold"].text
    assert "The first 20 of 300 features are shown." in shown["Standardised coefficients"].text
    assert len(tables(shown["Standardised coefficients"])[0]) == 300


def test_the_data_are_those_of_the_figures(page) -> None:
    shown = figures(page)
    assert [row["model"] for row in tables(shown["The error beside those of simple models"])[0][:4]] == [
        *("Chosen hyperparameters", "Predicting the mean", "Least squares", "Lowest fold (optimistic)")
    ]
    points = tables(shown["Mean MSE by learning_rate and l1"])[0]
    assert (points[0]["standard_error"], points[0]["chosen"]) == ("0.0", "True")
    # The folds' differences to the best are 100 + fold / 7.
    spread = (1 / 7) * (1 / 3 + 1 / 2) ** 0.5
    assert float(points[1]["standard_error"]) == pytest.approx(spread)
    deciles = tables(shown["Predicted and actual"])[1]
    assert [row["rows"] for row in deciles] == ["12"] * 10
    assert len(tables(shown["Loss by epoch and fold"])[0]) == 3 * 2 * 5


def test_the_best_point_at_the_edge_of_the_grid_is_flagged(page) -> None:
    assert "at the edge of the grid, with the smallest learning_rate, 0.01 and the smallest l1, 0.1" in page.text
    rates = make_points(3, ["0.01", "0.1", "1"], ["0.1", "1", "10"])
    rates[0]["params"], rates[4]["params"] = rates[4]["params"], rates[0]["params"]
    assert "at the edge" not in page_of(make_evidence(cv_results=rates)).text


def test_a_random_search_is_a_scatter_plot() -> None:
    points = make_points(3, ["0.01", "0.1"], ["0.1", "1"])
    for place, row in enumerate(points):
        row["params"] = {"learning_rate": f"0.0{place + 3}1", "l1": f"0.{place + 1}"}
    page = page_of(make_evidence(cv_results=points))
    assert "MSE by learning_rate and l1" in figures(page)
    assert "The folds of each combination" in figures(page)


def test_a_bayesian_search_shows_its_jobs_and_says_what_is_not_known() -> None:
    jobs = [
        {"fold": 1 + number % 3, "mse": 80.0 + number, "training_job_name": f"job-{number + 1}"}
        | {"hyperparameters": {"learning_rate": f"0.{number + 1}", "l1": "0.1"}}
        for number in range(9)
    ]
    evidence = make_evidence(
        cv_results=[{**make_points(3, ["1"], ["1"])[0], "rank_test_mse": None}], training_jobs=jobs
    )
    best = evidence.results.best
    assert best is not None
    best["estimate"] = {"kind": "single_fold", "mse": 80.0, "low": None, "high": None}
    best["out_of_fold"] = {"missing": "the folds have no common point"}
    gone: Part[Any] = Part(None, "There are no predictions out of fold: the folds have no common point.")
    page = page_of(replace(evidence, predictions=gone, coefficients=gone, importance=gone))
    assert len(tables(figures(page)["MSE by learning_rate and l1"])[0]) == 9
    assert "only the error of the winner on its own fold is known" in page.text
    assert page.text.count(gone.missing) == 3


def test_what_is_missing_is_said_and_the_rest_is_shown() -> None:
    gone: Part[Any] = Part(None, "CloudWatch Logs has no lines about epochs of these jobs: job-1.")
    page = page_of(replace(make_evidence(), losses=gone))
    assert gone.missing in page.text
    assert len(page.all("figure")) == 9


def test_a_failed_execution_shows_its_data_and_its_reason() -> None:
    evidence = make_evidence(best=None, cv_results=[], model_package_arn=None, endpoint_name=None)
    steps = [StepState(f"TuneFold{fold}", "Failed", 1.0, "No job <completed>.", {}) for fold in (1, 2)]
    failed = replace(STATE, status="Failed", failure="Step failure", steps=steps)
    page = page_of(replace(evidence, state=failed))
    assert [heading.text for heading in page.all("h2")] == ["1. Data", "2. Results"]
    assert page.text.count("TuneFold1 failed: No job <completed>.") == 1
    assert "SelectBest has not succeeded, so there are no results." in page.text
    assert "not registered" in page.text


def test_a_transformed_label_is_named_where_errors_are_on_its_scale() -> None:
    evidence = make_evidence()
    best, folds = evidence.results.best, evidence.folds.value
    assert best is not None
    assert folds is not None
    best["label_transform"] = folds["preparation"]["label_transform"] = "log1p"
    page = page_of(evidence)
    assert "on the scale on which the models were trained, log1p(price)" in page.text
    assert "MSE of log1p(price)" in figures(page)["The folds of each combination"].text
    assert "MSE of price" in figures(page)["The error beside those of simple models"].text


@pytest.mark.parametrize(("mean", "r2"), [(400.0, 1.0), (0.0, 0.0)])
def test_predictions_without_an_error_or_of_a_constant_label_make_a_page(mean, r2) -> None:
    evidence = make_evidence()
    best, predictions = evidence.results.best, evidence.predictions.value
    assert best is not None
    assert predictions is not None
    best["estimate"] |= {"mse": 0.0, "low": 0.0, "high": 0.0, "fold_mse": [0.0] * 3}
    best["out_of_fold"] |= {"mse": 0.0, "rmse": 0.0, "mae": 0.0, "r2": r2}
    best["baselines"], best["mse"] = {"mean": mean, "least_squares": None}, 0.0
    for row in evidence.results.cv_results:
        row.update({name: 0.0 for name in row if name.endswith("_test_mse") and not name.startswith("rank")})
    predictions.table[:, 2:] = 7.0
    assert len(page_of(evidence).all("figure")) == 10
