"""SelectBest on finished searches for a label of classes."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from functools import partial
from typing import Any

import numpy as np
import pytest
import xgboost
from evaluation.errors import SelectionError
from sagemaker.core.shapes.model_card_shapes import ModelCardContent
from sklearn import metrics as sklearn
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from local.algorithms.linear_learner import links
from tests.steps.evaluation.conftest import Experiment, classifier, experiment, experiments

__all__ = ["experiment"]

SIZES = [90, 80, 100]
SPLIT = PredefinedSplit(np.repeat([0, 1, 2], SIZES))
KINDS = ["low", "middle", "high"]


def table(classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(3)
    features = random.normal(size=(sum(SIZES), 2)) * [1.0, 10.0] + 5
    sums = np.column_stack([features @ [0.3 * place, 0.1 * place * (-1) ** place] for place in range(classes)])
    return features, np.argmax(sums + random.gumbel(size=sums.shape), axis=1).astype(float)


BINARY, MULTI = table(2), table(3)


def rows_of(data: tuple[np.ndarray, np.ndarray]) -> Any:
    ends = np.cumsum(SIZES)[:-1]
    return list(zip(np.split(data[0], ends), np.split(data[1], ends), strict=True))


def add_logistic(
    account: Experiment, data, scorer, penalty: float, *, hides: bool = False
) -> tuple[list[str], list[float]]:
    """Add a job for each fold: logistic regression on the other folds. Return the names and scikit-learn's scores."""
    result = cross_validate(LogisticRegression(C=1 / penalty), *data, cv=SPLIT, scoring=scorer, return_estimator=True)
    names, scores = [], []
    for fold, (model, score) in enumerate(zip(result["estimator"], result["test_score"], strict=True), start=1):
        value = -score if scorer.startswith("neg") else score
        output = links.LOGISTIC if len(model.classes_) == 2 else links.SOFTMAX
        weights = model.coef_[0] if len(model.classes_) == 2 else model.coef_
        artifact = b"hidden" if hides else classifier(account.folder, weights, model.intercept_, output)
        names.append(account.add(fold, float(value), artifact=artifact, l1=str(penalty)))
        scores.append(float(value))
    return names, scores


def binary_of(experiment: Any, objective: str, direction: str, **more: Any) -> Experiment:
    made: Experiment = experiment(
        rows_of(BINARY),
        objective=objective,
        asked=objective,
        direction=direction,
        problem="binary",
        classes=["no", "yes"],
        **more,
    )
    return made


@pytest.fixture
def binary(experiment) -> Any:
    return partial(binary_of, experiment)


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory) -> tuple[dict[str, Any], list[float]]:
    """The outputs of a search of two classes by log loss, and scikit-learn's log losses by fold. Only read them."""
    with experiments(tmp_path_factory.mktemp("two-classes")) as experiment:
        account = binary_of(experiment, "validation:objective_loss", "Minimize")
        names, scores = add_logistic(account, BINARY, "neg_log_loss", 1.0)
        return account.select("lowest_mse", *names), scores


@pytest.fixture
def multiclass(experiment) -> Experiment:
    name = "validation:objective_loss"
    return experiment(rows_of(MULTI), objective=name, asked=name, problem="multiclass", classes=KINDS)


def pooled(scores: list[float]) -> float:
    return float(np.average(scores, weights=SIZES))


@pytest.mark.parametrize("rule", ["lowest_mse", "lowest_mean_mse"])
def test_an_objective_to_maximise_is_won_by_the_largest(binary, rule) -> None:
    account = binary("validation:roc_auc_score", "Maximize")
    names, scores = add_logistic(account, BINARY, "roc_auc", 1.0)
    for fold in (1, 2, 3):
        account.add(fold, 0.4, artifact=b"never read", l1="9")
    best = account.select(rule, *names)["best.json"]
    assert best["hyperparameters"] == {"l1": "1.0"}
    assert best["metric"]["direction"] == "Maximize"
    assert best["estimate"]["value"] == pytest.approx(pooled(scores))
    assert best["estimate"]["fold_values"] == pytest.approx(scores)
    assert best["estimate"]["averaged_over"] == "folds"
    assert best["estimate"]["low"] < best["estimate"]["value"] < best["estimate"]["high"] <= 1.0
    assert best["estimate"]["optimism"] >= 0
    assert best["objective_out_of_fold"]["value"] == pytest.approx(pooled(scores), rel=1e-6)
    assert best["baselines"]["constant"] == 0.5
    if rule == "lowest_mse":
        assert (best["fold"], best["value"]) == (int(np.argmax(scores)) + 1, max(scores))


def test_the_table_of_points_ranks_the_largest_first(binary) -> None:
    account = binary("validation:roc_auc_score", "Maximize")
    names, _ = add_logistic(account, BINARY, "roc_auc", 1.0)
    for fold in (1, 2, 3):
        account.add(fold, 0.4, artifact=b"never read", l1="9")
    rows = account.select("lowest_mean_mse", *names)["cv_results.json"]
    assert [(row["rank_test_roc_auc_score"], row["params"]["l1"]) for row in rows] == [(1, "1.0"), (2, "9")]
    assert [row["mean_test_roc_auc_score"] for row in rows][1] == pytest.approx(0.4)


def test_a_tuning_job_of_the_other_direction_is_an_error(binary) -> None:
    account = binary("validation:roc_auc_score", "Minimize", asked_direction="Maximize")
    add_logistic(account, BINARY, "roc_auc", 1.0)
    with pytest.raises(SelectionError, match="tune-1 has the direction Minimize of validation:roc_auc_score, not Max"):
        account.select("lowest_mse")


def test_log_loss_out_of_fold_and_its_baselines_are_scikit_learns(two_classes) -> None:
    outputs, scores = two_classes
    best = outputs["best.json"]
    assert best["metric"]["computed"] == "logloss"
    assert best["estimate"]["averaged_over"] == "rows"
    assert best["objective_out_of_fold"]["fold_values"] == pytest.approx(scores, rel=1e-5)
    scaled = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8))
    for name, model in (("constant", DummyClassifier(strategy="prior")), ("logistic_regression", scaled)):
        found = cross_validate(model, *BINARY, cv=SPLIT, scoring="neg_log_loss")["test_score"]
        assert best["baselines"][name] == pytest.approx(-pooled(found), rel=1e-5), name
    assert not any("artifact" in warning for warning in best["warnings"])


def test_metrics_and_tables_of_two_classes_are_scikit_learns(two_classes) -> None:
    outputs, _ = two_classes
    found, labels = outputs["best.json"]["out_of_fold"], BINARY[1]
    scores = cross_val_predict(LogisticRegression(), *BINARY, cv=SPLIT, method="predict_proba")[:, 1]
    predicted = scores >= 0.5
    expected = {
        "logloss": sklearn.log_loss(labels, scores),
        "brier": sklearn.brier_score_loss(labels, scores),
        "auc": sklearn.roc_auc_score(labels, scores),
        "average_precision": sklearn.average_precision_score(labels, scores),
        "accuracy": sklearn.accuracy_score(labels, predicted),
        "f1": sklearn.f1_score(labels, predicted),
        "precision": sklearn.precision_score(labels, predicted),
        "recall": sklearn.recall_score(labels, predicted),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-5), name
        assert found["standard_deviations"][name] > 0
    assert found["confusion"] == sklearn.confusion_matrix(labels, predicted).tolist()
    assert {"curve", "calibration", "gains", "by_class", "confusion"} < outputs["classification.json"].keys()
    table = list(csv.DictReader(io.StringIO(outputs["out_of_fold.csv"])))
    assert list(table[0]) == ["row", "fold", "label", "predicted_label", "p_0", "p_1"]
    assert [float(row["p_1"]) for row in table] == pytest.approx(scores.tolist(), rel=1e-5)
    assert [row["predicted_label"] for row in table] == [str(int(label)) for label in predicted]
    assert [row["label"] for row in table] == [str(int(label)) for label in labels]
    assert float(table[0]["p_0"]) + float(table[0]["p_1"]) == pytest.approx(1.0)


def test_the_registry_gets_model_monitors_metrics_of_two_classes(two_classes) -> None:
    outputs, _ = two_classes
    quality = outputs["model_quality.json"]["binary_classification_metrics"]
    table = outputs["best.json"]["out_of_fold"]["confusion"]
    assert quality["confusion_matrix"] == {
        "0": dict(zip("01", table[0], strict=True)),
        "1": dict(zip("01", table[1], strict=True)),
    }
    assert (
        quality["true_positive_rate"]["value"]
        == quality["recall"]["value"]
        == pytest.approx(table[1][1] / sum(table[1]))
    )
    assert quality["false_positive_rate"]["value"] == pytest.approx(table[0][1] / sum(table[0]))
    # The constant classifier of Model Monitor's documented example predicts class 1.
    assert quality["recall_best_constant_classifier"]["value"] == 1.0
    assert quality["precision_best_constant_classifier"]["value"] == pytest.approx(BINARY[1].mean())
    assert all(quality[name]["standard_deviation"] > 0 for name in ("auc", "f0_5", "f1", "f2", "accuracy"))
    assert {"receiver_operating_characteristic_curve", "precision_recall_curve"} < quality.keys()
    for name in ("statistics.json", "constraints.json"):
        assert [column["inferred_type"] for column in outputs[name]["features"]] == [
            "Integral",
            "Fractional",
            "Fractional",
        ]


def test_the_metadata_and_the_model_card_name_the_objective_and_the_classes(binary) -> None:
    account = binary("validation:roc_auc_score", "Maximize")
    names, scores = add_logistic(account, BINARY, "roc_auc", 1.0)
    best = account.select("lowest_mse", *names)["best.json"]
    assert (best["problem"], best["classes"], best["algorithm"]) == ("binary", ["no", "yes"], "linear-learner")
    assert best["metadata"]["metric"] == "validation:roc_auc_score"
    assert float(best["metadata"]["estimate_value"]) == best["estimate"]["value"]
    assert not {"mse", "estimate_mse"} & {*best, *best["metadata"]}
    card = json.loads(best["model_card"])
    ModelCardContent.model_validate(card)
    assert card["training_details"]["objective_function"] == {"function": "Maximize", "facet": "AUC"}
    metrics = {row["name"]: row["value"] for row in card["evaluation_details"][0]["metric_groups"][0]["metric_data"]}
    assert metrics["AUC, cross-validated"] == pytest.approx(pooled(scores))
    assert metrics["AUC of the class rates"] == 0.5
    assert "no, yes" in card["intended_uses"]["purpose_of_model"]


def test_three_classes_have_metrics_baselines_and_coefficients_by_class(multiclass) -> None:
    names, scores = add_logistic(multiclass, MULTI, "neg_log_loss", 1.0)
    outputs = multiclass.select("lowest_mean_mse", *names)
    best, labels = outputs["best.json"], MULTI[1]
    probabilities = cross_val_predict(LogisticRegression(), *MULTI, cv=SPLIT, method="predict_proba")
    assert best["out_of_fold"]["mlogloss"] == pytest.approx(sklearn.log_loss(labels, probabilities), rel=1e-5)
    predicted = probabilities.argmax(axis=1)
    assert best["out_of_fold"]["f1_macro"] == pytest.approx(sklearn.f1_score(labels, predicted, average="macro"))
    scaled = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8))
    for name, model in (("constant", DummyClassifier(strategy="prior")), ("logistic_regression", scaled)):
        found = cross_validate(model, *MULTI, cv=SPLIT, scoring="neg_log_loss")["test_score"]
        assert best["baselines"][name] == pytest.approx(-pooled(found), rel=1e-5), name
    assert best["estimate"]["fold_values"] == pytest.approx(scores)
    assert {(row["feature"], row["class"]) for row in outputs["coefficients.json"]} == {
        (feature, kind) for feature in ("x0", "x1") for kind in KINDS
    }
    quality = outputs["model_quality.json"]["multiclass_classification_metrics"]
    assert quality["weighted_f2"]["value"] == pytest.approx(
        sklearn.fbeta_score(labels, predicted, beta=2, average="weighted")
    )
    assert quality["weighted_precision"]["value"] == pytest.approx(
        sklearn.precision_score(labels, predicted, average="weighted")
    )
    assert quality["accuracy_best_constant_classifier"]["value"] == pytest.approx(
        np.bincount(labels.astype(int)).max() / 270
    )
    assert next(csv.reader(io.StringIO(outputs["out_of_fold.csv"])))[3:] == ["predicted_label", "p_0", "p_1", "p_2"]
    for place, each in enumerate(outputs["classification.json"]["one_vs_rest"]):
        assert each["auc"] == pytest.approx(sklearn.roc_auc_score(labels == place, probabilities[:, place]))
        assert len(each["curve"]) <= 150
    shap = outputs["shap.json"]
    assert (len(shap["features"][0]["by_class"]), len(shap["bias"]), len(shap["sample"]["contributions"][0][0])) == (
        3,
        3,
        3,
    )


def test_shap_values_of_a_linear_classifier_are_deviations_from_the_mean_times_the_weights(two_classes) -> None:
    shap = two_classes[0]["shap.json"]
    features, fold_of = BINARY[0], np.repeat([0, 1, 2], SIZES)
    models = [LogisticRegression().fit(features[fold_of != fold], BINARY[1][fold_of != fold]) for fold in range(3)]
    weights = np.array([model.coef_[0] for model in models])[fold_of]
    expected = np.abs((features - features.mean(axis=0)) * weights).mean(axis=0)
    found = {row["feature"]: row["mean_absolute"] for row in shap["features"]}
    assert found == pytest.approx({"x0": expected[0], "x1": expected[1]}, rel=1e-5)
    assert shap["rows"] == 270
    first = [row["feature"] for row in shap["features"]].index("x0")
    assert shap["sample"]["values"][first] == pytest.approx(features[:, 0].tolist())


def test_an_objective_that_is_not_computed_here_is_said_and_not_guessed(binary) -> None:
    account = binary(
        "validation:objective_loss", "Minimize", static={"loss": "hinge_loss", "mini_batch_size": "2", "epochs": "100"}
    )
    names, scores = add_logistic(account, BINARY, "neg_log_loss", 1.0)
    best = account.select("lowest_mse", *names)["best.json"]
    reason = "validation:objective_loss is not computed here"
    assert best["objective_out_of_fold"] == {"missing": reason}
    assert best["baselines"] == {
        "constant": None,
        "logistic_regression": None,
        "missing": {"constant": reason, "logistic_regression": reason},
    }
    assert best["estimate"]["value"] == pytest.approx(pooled(scores))


def test_without_models_there_are_baselines_but_no_predictions(binary) -> None:
    account = binary("validation:objective_loss", "Minimize")
    names, _ = add_logistic(account, BINARY, "neg_log_loss", 1.0, hides=True)
    outputs = account.select("lowest_mse", *names)
    assert "cannot be read" in outputs["best.json"]["out_of_fold"]["missing"]
    assert outputs["best.json"]["baselines"]["logistic_regression"] > 0
    assert outputs["shap.json"] == {"missing": "the models are not known"}
    assert outputs["model_quality.json"] == {}
    assert "classification.json" not in outputs


def test_models_of_another_number_of_classes_are_an_error(multiclass) -> None:
    names = [
        multiclass.add(fold, 1.0, artifact=classifier(multiclass.folder, np.ones(2), 0.0), l1="1") for fold in (1, 2, 3)
    ]
    with pytest.raises(SelectionError, match="the models predict one number for a row, and the label has 3 classes"):
        multiclass.select("lowest_mse", *names)


def test_many_rows_leave_out_logistic_regression_by_name(binary, monkeypatch) -> None:
    monkeypatch.setattr("evaluation.logistic_regression.MOST_NUMBERS", 100)
    account = binary("validation:objective_loss", "Minimize")
    names, _ = add_logistic(account, BINARY, "neg_log_loss", 1.0)
    baselines = account.select("lowest_mse", *names)["best.json"]["baselines"]
    assert (baselines["logistic_regression"], list(baselines["missing"])) == (None, ["logistic_regression"])


def xgboost_artifact(booster: xgboost.Booster) -> bytes:
    content, archive = bytes(booster.save_raw("ubj")), io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("xgboost-model")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


@pytest.mark.parametrize(
    ("problem", "metric", "direction", "objective"),
    [
        ("binary", "logloss", "Minimize", "binary:logistic"),
        ("binary", "aucpr", "Maximize", "binary:logistic"),
        ("multiclass", "mlogloss", "Minimize", "multi:softprob"),
        ("regression", "rmse", "Minimize", "reg:squarederror"),
    ],
)
def test_xgboosts_models_have_the_objective_that_their_jobs_reported(
    experiment, problem, metric, direction, objective
) -> None:
    data = MULTI if problem == "multiclass" else BINARY
    labels = data[0] @ [1.0, -0.5] if problem == "regression" else data[1]
    names = {"binary": ["no", "yes"], "multiclass": KINDS, "regression": None}[problem]
    name = f"validation:{metric}"
    account = experiment(
        rows_of((data[0], labels)),
        objective=name,
        asked=name,
        direction=direction,
        algorithm="xgboost",
        problem=problem,
        classes=names,
    )
    settings = {"objective": objective, "max_depth": 2, "eval_metric": metric, "nthread": 1}
    settings |= {"num_class": 3} if problem == "multiclass" else {}
    jobs, values, absolute = [], [], np.zeros(2)
    for fold, (features, own) in enumerate(account.rows, start=1):
        others = [rows for place, rows in enumerate(account.rows, start=1) if place != fold]
        train = xgboost.DMatrix(*(np.concatenate(parts) for parts in zip(*others, strict=True)))
        booster, test = xgboost.train(settings, train, 5), xgboost.DMatrix(features, own)
        values.append(float(booster.eval(test).partition(f"{metric}:")[2]))
        jobs.append(account.add(fold, values[-1], artifact=xgboost_artifact(booster), max_depth="2"))
        contributions = np.abs(booster.predict(test, pred_contribs=True).reshape(len(own), -1, 3)[:, :, :2])
        absolute += contributions.sum(axis=(0, 1)) / sum(SIZES)
    outputs = account.select("lowest_mse", *jobs)
    best = outputs["best.json"]
    assert best["objective_out_of_fold"]["fold_values"] == pytest.approx(values, abs=2e-5)
    assert best["estimate"]["fold_values"] == values
    assert best["baselines"]["constant"] is not None
    assert not any("artifact" in warning for warning in best["warnings"])
    found = {row["feature"]: row["mean_absolute"] for row in outputs["shap.json"]["features"]}
    assert found == pytest.approx({"x0": absolute[0], "x1": absolute[1]}, rel=1e-4)
    assert (outputs["coefficients.json"], outputs["importance.json"]) == ([], [])
    if problem == "regression":
        # Under its former name, the mean squared error is that of the predictions.
        assert best["estimate"]["mse"] == pytest.approx(best["out_of_fold"]["mse"])
        assert best["estimate"]["value"] == pytest.approx(pooled(values))
