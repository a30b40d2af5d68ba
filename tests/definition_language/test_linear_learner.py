from __future__ import annotations

import pytest

from definition_language.hyperparameters import text_of
from definition_language.linear_learner import (
    CLASSIFICATION_LOSSES,
    CLASSIFICATION_ONLY,
    REGRESSION_LOSSES,
    RULES,
    RULES_BY_TYPE,
    TUNABLE,
    closest_name,
    unbiased_without_bias,
)
from definition_language.linear_learner_metrics import METRIC_DEFINITIONS, OBJECTIVES_BY_TYPE, TUNING_OBJECTIVES


@pytest.mark.parametrize("rules", RULES_BY_TYPE.values(), ids=RULES_BY_TYPE)
def test_every_default_is_valid(rules) -> None:
    for name, rule in rules.items():
        if name == "num_classes":
            assert not rule.default, "required"
        else:
            rule.parse(rule.default)


def test_names_and_losses_of_classifiers_are_not_those_of_a_regressor() -> None:
    assert not set(CLASSIFICATION_ONLY) & set(RULES)
    assert not set(CLASSIFICATION_LOSSES) & set(REGRESSION_LOSSES)
    classifiers = RULES_BY_TYPE["binary_classifier"].keys() | RULES_BY_TYPE["multiclass_classifier"].keys()
    assert set(CLASSIFICATION_ONLY) == classifiers - set(RULES)
    assert set(TUNABLE) - set(RULES) == {"positive_example_weight_mult"}


def test_every_objective_has_a_direction_and_a_definition() -> None:
    assert {metric for metric, way in TUNING_OBJECTIVES.items() if way == "Minimize"} == {
        *("validation:mse", "validation:rmse", "validation:absolute_loss", "validation:objective_loss"),
        *("test:mse", "test:absolute_loss", "test:objective_loss"),
    }
    assert TUNING_OBJECTIVES["validation:roc_auc_score"] == "Maximize"
    names = [name for name, _ in METRIC_DEFINITIONS]
    assert set(TUNING_OBJECTIVES) <= set(names)
    assert len(names) == len(set(names)) <= 40, "the most that a training job can have"
    shared = OBJECTIVES_BY_TYPE["binary_classifier"].keys() & OBJECTIVES_BY_TYPE["multiclass_classifier"].keys()
    assert shared == {"validation:objective_loss", "test:objective_loss"}


def test_an_invalid_text_is_refused_with_what_is_valid() -> None:
    with pytest.raises(ValueError, match=r"^'0' is not an integer greater than 0$"):
        RULES["epochs"].parse("0")
    with pytest.raises(ValueError, match=r"^'-1' is not 'auto' or a number of at least 0$"):
        RULES["l1"].parse("-1")


@pytest.mark.parametrize(("name", "expected"), [("lerning_rate", "learning_rate"), ("epohcs", "epochs"), ("zzz", None)])
def test_the_closest_name_is_the_one_that_was_meant(name, expected) -> None:
    assert closest_name(name) == expected


def test_means_can_be_removed_only_with_a_bias() -> None:
    automatic = {"unbias_data": None, "unbias_label": None}
    assert unbiased_without_bias({"use_bias": False, **automatic}) == []
    assert unbiased_without_bias({"use_bias": False, **automatic, "unbias_label": True}) == ["unbias_label"]
    assert unbiased_without_bias({"use_bias": True, "unbias_data": True, "unbias_label": True}) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (15, "15"), (1e-05, "0.00001"), (0.5, "0.5"), ("auto", "auto")],
)
def test_a_hyperparameters_text_is_one_that_the_algorithm_reads(value, text) -> None:
    assert text_of(value) == text
