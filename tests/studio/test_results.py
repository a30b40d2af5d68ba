"""An execution's results, and executions side by side."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

from tests.local.interpreter.documents import fail, get, join, parameter, processing

BEST: dict[str, Any] = {
    "rule": "lowest_mse",
    "hyperparameters": {"learning_rate": "0.1", "l1": "<b>0.01</b>"},
    "fold_rows": [300, 200],
    "estimate": {"mse": 123456.5, "low": 100000.25, "high": 150000.75, "fold_mse": [120000.0, 130000.0]},
    "label_transform": "log1p",
    "baselines": {"mean": 987654.0, "least_squares": 222222.0},
    "out_of_fold": {"rows": 500, "mse": 123456.5, "rmse": 351.36, "mae": 222.5, "r2": 0.875},
    "fold": 2,
    "mse": 120000.0,
    "training_job_name": "a-training-job",
    "warnings": ["Fold 1 is <i>odd</i>."],
    "metadata": {"data_version": "7"},
}
CLASSES: dict[str, Any] = {
    "rule": "lowest_mse",
    "algorithm": "xgboost",
    "problem": "binary",
    "classes": ["<i>no</i>", "yes"],
    "metric": {"name": "validation:auc", "direction": "Maximize", "title": "AUC", "computed": "auc"},
    "hyperparameters": {"max_depth": "3"},
    "fold_rows": [300, 200],
    "estimate": {"value": 0.8125, "low": 0.75, "high": 0.875, "fold_values": [0.8, 0.825]},
    "label_transform": None,
    "baselines": {"constant": 0.5, "logistic_regression": 0.79},
    "out_of_fold": {"rows": 500, "auc": 0.81, "logloss": 0.43, "accuracy": 0.9, "f1": None},
    "fold": 2,
    "value": 0.825,
    "training_job_name": "a-training-job",
    "warnings": [],
}
POINTS: list[dict[str, Any]] = [
    {
        "split1_test_mse": 0.25,
        "split2_test_mse": 0.75,
        "mean_test_mse": 0.5,
        "rank_test_mse": 1,
        "ineligible": None,
        "params": {"learning_rate": "0.1", "l1": "<b>0.01</b>"},
        "chosen": True,
    },
    {
        "split1_test_mse": 0.5,
        "split2_test_mse": None,
        "mean_test_mse": None,
        "rank_test_mse": None,
        "ineligible": "fold 2 has no job",
        "params": {"learning_rate": "1.0", "l1": "0.01"},
        "chosen": False,
    },
]
FOLDS = {"rows": 500, "rejected": {"total": 9, "by_reason": {"not_a_number": 9}}, "dropped": {"total": 1}}

_folders = itertools.count()


def changed(**members: Any) -> dict[str, Any]:
    return copy.deepcopy(BEST) | members


@pytest.fixture(scope="module")
def name(pipelines) -> str:
    """A pipeline whose steps write nothing: the tests put their files into S3."""
    at = {each: join("/", "s3://bucket", get("Parameters.Folder"), each) for each in ("best", "evaluation", "folds")}
    folds = {"folds": at.pop("folds")}
    return pipelines.create(
        processing("MakeFolds", "python3", "-c", "0", outputs=folds),
        processing("SelectBest", "python3", "-c", "0", outputs=at),
        parameters=[parameter("Folder", "String"), parameter("MaxMse", "Float", 5.0)],
    )


@pytest.fixture(scope="module")
def execute(pipelines, name):
    """Runs an execution that leaves files; returns its id."""

    def run(best: Any = None, points: Any = None, **parameters: str) -> str:
        folder = f"results-{next(_folders)}"
        if best is not None:
            pipelines.write(f"s3://bucket/{folder}/best/best.json", best)
            pipelines.write(f"s3://bucket/{folder}/evaluation/cv_results.json", POINTS if points is None else points)
            pipelines.write(f"s3://bucket/{folder}/evaluation/training_jobs.json", [])
            pipelines.write(f"s3://bucket/{folder}/folds/folds.json", FOLDS)
        return pipelines.wait(pipelines.start(name, {"Folder": folder, **parameters})).id

    return run


@pytest.fixture(scope="module")
def first(execute) -> str:
    return execute(BEST)


def test_the_results_are_on_one_page(browser, name, first) -> None:
    page = browser.get(f"/pipelines/{name}/executions/{first}/results").body
    assert "Cross-validated MSE" in page
    for text in ("123,456", "100,000 to 150,001", "987,654", "222,222", "351.36", "222.5", "0.875"):
        assert text in page
    assert "500 in 2 folds" in page
    assert "all folds but 2" in page
    assert 'href="/jobs/training-job/a-training-job"' in page
    assert "Fold 1 is &lt;i&gt;odd&lt;/i&gt;." in page
    assert "<b>0.01</b>" not in page
    assert "on the scale of log1p" in page
    assert "fold 2 has no job" in page
    assert page.count('<tr class="chosen">') == 1
    assert 'class="range"' in page
    assert (
        f'href="/pipelines/{name}/executions/{first}/results"'
        in browser.get(f"/pipelines/{name}/executions/{first}").body
    )


def test_results_of_classes_are_in_their_metric_and_direction(browser, name, execute) -> None:
    points = [{key.replace("mse", "auc"): value for key, value in row.items()} for row in POINTS]
    page = browser.get(f"/pipelines/{name}/executions/{execute(CLASSES, points)}/results").body
    for text in ("Cross-validated AUC", "0.8125", "0.75 to 0.875", "&lt;i&gt;no&lt;/i&gt;, yes", "more is better"):
        assert text in page
    for text in ("Class rates", "Logistic regression", "0.79", "Log loss", "0.43", "Accuracy", "AUC on the rows"):
        assert text in page
    assert not [text for text in ("MSE", "predicting the mean", "least squares", "F1", "<i>no") if text in page]
    assert page.count('<tr class="chosen">') == 1


def test_executions_with_different_metrics_are_not_put_on_one_scale(browser, name, execute, first) -> None:
    other = execute(CLASSES, [])
    page = browser.get(f"/pipelines/{name}/compare?execution={first}&execution={other}").body
    assert "measured in different metrics. So their estimates cannot be compared" in page
    assert 'class="range"' not in page
    for title, here, there in (("Estimated MSE", "123,456", "none"), ("Estimated AUC", "none", "0.8125")):
        row = page.partition(f'<th scope="row">{title}</th>')[2].partition("</tr>")[0]
        assert 0 < row.find(here) < row.find(there), title
    page = browser.get(f"/pipelines/{name}/compare?execution={other}&execution={execute(CLASSES, [])}").body
    assert "different metrics" not in page
    assert page.count('class="range"') == 2
    assert "AUC of logistic regression" in page


def test_a_bayesian_search_has_an_error_but_no_interval(browser, name, execute) -> None:
    best = changed(estimate={"mse": 5.5, "low": None, "high": None}, out_of_fold={"missing": "models differ"})
    page = browser.get(f"/pipelines/{name}/executions/{execute(best)}/results").body
    assert "MSE on one fold" in page
    assert "a Bayesian search has the error on one fold only" in page
    assert 'class="range"' not in page
    assert "There are no predictions out of fold: models differ." in page


@pytest.mark.parametrize(
    ("best", "sentence"),
    [
        (None, "There are no results any more."),
        ({"rule": "lowest_mse", "fold": 1}, "written by another version of this project"),
        ([], "written by another version of this project"),
    ],
)
def test_results_that_are_gone_or_strange_are_a_sentence(browser, name, execute, best, sentence) -> None:
    answer = browser.get(f"/pipelines/{name}/executions/{execute(best)}/results")
    assert answer.status == 200
    assert sentence in answer.body


def test_charts_that_cannot_be_drawn_are_a_sentence(browser, name, execute, first) -> None:
    assert f'hx-get="/pipelines/{name}/executions/{first}/results/charts"' in (
        browser.get(f"/pipelines/{name}/executions/{first}/results").body
    )
    answer = browser.get(f"/pipelines/{name}/executions/{execute()}/results/charts")
    assert answer.status == 200
    assert "There are no results any more." in answer.body
    answer = browser.get(f"/pipelines/{name}/executions/{first}/results/charts")
    assert answer.status == 200
    assert "written by another version of this project" in answer.body


def test_another_pipeline_has_no_results(browser, pipelines) -> None:
    outcome = pipelines.run(fail("Stop"))
    page = browser.get(f"/pipelines/{outcome.arn.split('/')[1]}/executions/{outcome.id}/results").body
    assert "no step SelectBest" in page


def test_executions_are_compared_and_differences_are_words(browser, name, execute, first) -> None:
    other = execute(changed(estimate={"mse": 444444.0, "low": 333333.0, "high": 555555.0}), MaxMse="6.5")
    without = execute()
    page = browser.get(f"/pipelines/{name}/compare?execution={first}&execution={other}&execution={without}").body
    assert "Comparison of 3 executions" in page
    for text in ("444,444", "333,333 to 555,555", "123,456", "There are no results any more."):
        assert text in page
    assert page.count('class="range"') == 2
    row = page.partition('<th scope="row">MaxMse</th>')[2].partition("</tr>")[0]
    assert [text in row for text in (">5.0<", ">6.5<", "differs")] == [True] * 3
    page = browser.get(f"/pipelines/{name}/compare?execution={first}&execution={other}").body
    row = page.partition('<th scope="row">Rows</th>')[2].partition("</tr>")[0]
    assert [text in row for text in ("500", "same", "differs")] == [True, True, False]
    assert "did not use the same data" not in page


def test_other_data_are_told(browser, name, execute, first) -> None:
    other = execute(changed(fold_rows=[400, 200]))
    page = browser.get(f"/pipelines/{name}/compare?execution={first}&execution={other}").body
    assert "did not use the same data" in page


def test_executions_are_chosen_from_a_list(browser, name, first) -> None:
    assert f'href="/pipelines/{name}/compare"' in browser.get(f"/pipelines/{name}/executions").body
    page = browser.get(f"/pipelines/{name}/compare?execution={first}").body
    assert "Choose 2 to 5 executions." in page
    assert f'value="{first}" checked' in page
    many = "&".join(f"execution={number:012}" for number in range(6))
    page = browser.get(f"/pipelines/{name}/compare?{many}").body
    assert "You chose 6 executions. Choose 5 at most." in page
    assert 'value="000000000005" checked' in page, "what is chosen on another page stays chosen"


def test_the_calls_of_a_comparison_are_bounded(browser, calls, name, execute) -> None:
    chosen = [execute(BEST) for _ in range(5)]
    address = f"/pipelines/{name}/compare?" + "&".join(f"execution={each}" for each in chosen)
    calls.clear()
    browser.get(address)
    assert calls.total() <= 5 * 14
    calls.clear()
    browser.get(f"/pipelines/{name}/executions/{chosen[0]}/results")
    assert calls.total() <= 14
    calls.clear()
    browser.get(f"/pipelines/{name}/compare")
    assert calls == {"ListPipelineExecutions": 1}


def test_a_comparison_with_an_unknown_execution_is_a_page_with_a_sentence(browser, name, first) -> None:
    answer = browser.get(f"/pipelines/{name}/compare?execution={first}&execution=aaaaaaaaaaaa")
    assert answer.status == 404
    assert "There is no such thing" in answer.body
