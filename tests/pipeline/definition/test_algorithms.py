"""What the algorithm, the problem and the objective change in a definition."""

from __future__ import annotations

import json
from typing import Any

import pytest

from definition_language.documents import all_steps
from pipeline.config.loading import parse_config
from pipeline.config.models import Config
from pipeline.definition.fold_options import fold_options
from pipeline.definition.lint import lint
from pipeline.definition.parameter_descriptions import described
from pipeline.definition.pipeline import build_definition
from pipeline.definition.resources import conventional_resources

XGBOOST_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
BINARY: dict[str, Any] = {
    "dataset": {"classes": ["no", "yes"]},
    "training": {"algorithm": "xgboost", "problem": "binary"},
}
MULTICLASS: dict[str, Any] = {
    "dataset": {"classes": ["a", "b", "c"]},
    "training": {"algorithm": "xgboost", "problem": "multiclass"},
}


def configured(dataset: dict[str, Any] | None = None, **sections: Any) -> Config:
    columns = {"input": "s3://bucket/rows.csv", "label": "y", "numeric": ["x", "z"], **(dataset or {})}
    document = {"pipeline": {"name": "small"}, "folds": {"count": 2}, "dataset": columns, **sections}
    return parse_config(document, "c.yaml")


def steps_of(config: Config) -> dict[str, dict[str, Any]]:
    definition = build_definition(config, conventional_resources(config))
    assert lint(definition) == []
    return {step["Name"]: step for step in all_steps(definition)}


def option(step: dict[str, Any], name: str) -> Any:
    arguments = step["Arguments"]["AppSpecification"]["ContainerArguments"]
    return arguments[arguments.index(name) + 1]


@pytest.mark.parametrize(("sections", "has_metric"), [(BINARY, True), ({}, False)])
def test_a_version_records_the_metric_of_its_estimate_unless_it_is_the_mse(sections, has_metric) -> None:
    (register,) = (step for name, step in steps_of(configured(**sections)).items() if name.startswith("RegisterModel"))
    metadata = register["Arguments"]["CustomerMetadataProperties"]
    assert ("metric" in metadata) == ("estimate_value" in metadata) == has_metric
    assert ("estimate_mse" in metadata) == (not has_metric)


def test_xgboost_has_its_own_image_search_and_content_types() -> None:
    steps = steps_of(configured(training={"algorithm": "xgboost"}, selection={"rule": "lowest_mean_mse"}))
    tuning = steps["TuneFold1"]["Arguments"]
    job = tuning["TrainingJobDefinition"]
    assert job["AlgorithmSpecification"]["TrainingImage"] == XGBOOST_IMAGE
    assert job["StaticHyperParameters"] == {"objective": "reg:squarederror", "eval_metric": "mse"}
    assert tuning["HyperParameterTuningJobConfig"]["ParameterRanges"]["CategoricalParameterRanges"] == [
        {"Name": "max_depth", "Values": ["3", "6"]},
        {"Name": "eta", "Values": ["0.1", "0.3"]},
        {"Name": "num_round", "Values": ["30", "100", "300"]},
    ]
    refit = steps["RefitModel"]["Arguments"]
    assert refit["AlgorithmSpecification"]["TrainingImage"] == XGBOOST_IMAGE
    assert refit["HyperParameters"].keys() == {"objective", "eval_metric", "max_depth", "eta", "num_round"}
    for name in ("SelectBest", "VerifyEndpoint", "VerifyEndpointAgain"):
        assert steps[name]["Arguments"]["AppSpecification"]["ImageUri"] == XGBOOST_IMAGE
    assert option(steps["SelectBest"], "--algorithm") == "xgboost"
    inference = steps["RegisterModel"]["Arguments"]["InferenceSpecification"]
    assert inference["Containers"][0]["Image"] == XGBOOST_IMAGE
    assert inference["SupportedContentTypes"] == ["text/csv", "text/libsvm", "application/x-recordio-protobuf"]
    assert steps["FindModel"]["Arguments"]["image"] == XGBOOST_IMAGE


def test_ranges_have_the_kind_and_the_scale_of_each_hyperparameter() -> None:
    ranges = {"max_depth": [2, 8], "num_round": [10, 500], "eta": [0.1, 0.5], "alpha": [0, 10.0], "subsample": [0.5, 1]}
    tuning = {"strategy": "Bayesian", "ranges": ranges}
    search = steps_of(configured(training={"algorithm": "xgboost"}, tuning=tuning))["TuneFold1"]["Arguments"]
    found = search["HyperParameterTuningJobConfig"]["ParameterRanges"]
    kinds = {
        each["Name"]: (kind.removesuffix("ParameterRanges"), each["MinValue"], each["MaxValue"], each["ScalingType"])
        for kind, each_kind in found.items()
        for each in each_kind
    }
    assert kinds == {
        "max_depth": ("Integer", "2", "8", "Linear"),
        "num_round": ("Integer", "10", "500", "Logarithmic"),
        "eta": ("Continuous", "0.1", "0.5", "Logarithmic"),
        "alpha": ("Continuous", "0", "10.0", "Linear"),
        "subsample": ("Continuous", "0.5", "1", "Linear"),
    }


@pytest.mark.parametrize(
    ("sections", "static"),
    [
        (BINARY, {"objective": "binary:logistic", "eval_metric": "logloss"}),
        (MULTICLASS, {"objective": "multi:softprob", "num_class": "3", "eval_metric": "mlogloss"}),
    ],
)
def test_the_problem_sets_the_algorithms_hyperparameters_and_the_registrys_task(sections, static) -> None:
    steps = steps_of(configured(**sections))
    assert steps["TuneFold1"]["Arguments"]["TrainingJobDefinition"]["StaticHyperParameters"] == static
    assert steps["RegisterModel"]["Arguments"]["Task"] == "CLASSIFICATION"


@pytest.mark.parametrize(
    ("tuning", "kept"),
    [
        ({}, "loss_function"),
        ({"objective": "validation:roc_auc_score"}, None),
        ({"static_hyperparameters": {"binary_classifier_model_selection_criteria": "f_beta"}}, "f_beta"),
    ],
)
def test_linear_learner_keeps_the_epoch_with_the_lowest_loss_if_that_is_the_objective(tuning, kept) -> None:
    config = configured(**{**BINARY, "training": {"problem": "binary"}}, tuning=tuning)
    static = steps_of(config)["TuneFold1"]["Arguments"]["TrainingJobDefinition"]["StaticHyperParameters"]
    assert static.get("binary_classifier_model_selection_criteria") == kept


def test_a_hyperparameter_that_is_searched_does_not_follow_the_rows() -> None:
    tuning = {"grid": {"mini_batch_size": [100, 200]}}
    job = steps_of(configured(tuning=tuning))["TuneFold1"]["Arguments"]["TrainingJobDefinition"]
    assert job["StaticHyperParameters"].keys() == {"feature_dim", "predictor_type", "epochs"}


def test_the_folds_know_the_problem_and_the_classes() -> None:
    document = json.loads(fold_options(configured(**BINARY)))
    assert document["training"] == {"problem": "binary"}
    assert document["dataset"]["classes"] == ["no", "yes"]


def test_the_gate_follows_the_objectives_direction() -> None:
    config = configured(**BINARY, tuning={"objective": "validation:auc"}, quality={"limit": 0.75})
    definition = build_definition(config, conventional_resources(config))
    steps = {step["Name"]: step for step in all_steps(definition)}
    search = steps["TuneFold1"]["Arguments"]["HyperParameterTuningJobConfig"]
    assert search["HyperParameterTuningJobObjective"] == {"Type": "Maximize", "MetricName": "validation:auc"}
    assert option(steps["SelectBest"], "--direction") == "Maximize"
    (limit,) = [each for each in definition["Parameters"] if each["Name"] == "QualityLimit"]
    assert limit["DefaultValue"] == 0.75
    estimate, either = steps["CheckQuality"]["Arguments"]["Conditions"]
    assert estimate["Type"] == "GreaterThanOrEqualTo"
    assert estimate["LeftValue"]["Std:JsonGet"]["Path"] == "estimate.value"
    assert either["Conditions"][0]["LeftValue"] == {"Get": "Parameters.QualityLimitAppliesTo"}
    assert either["Conditions"][1]["LeftValue"]["Std:JsonGet"]["Path"] == "estimate.low"
    message = json.dumps(steps["RejectModel"]["Arguments"]["ErrorMessage"])
    assert "It must be at least QualityLimit (with QualityLimitAppliesTo UpperEnd, the lower end of its" in message
    assert "auc is below this; -1e+300 is no limit" in described(config)


def test_without_a_limit_a_classifier_must_be_better_than_always_the_same() -> None:
    steps = steps_of(configured(**BINARY, tuning={"objective": "validation:auc"}))
    better = steps["CheckQuality"]["Arguments"]["Conditions"][-1]
    assert better["Type"] == "GreaterThan"
    assert better["RightValue"]["Std:JsonGet"]["Path"] == "baselines.constant"
