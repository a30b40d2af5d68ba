from __future__ import annotations

import pytest

from definition_language.hyperparameters import text_of
from definition_language.linear_learner import (
    CLASSIFICATION_LOSSES,
    CLASSIFICATION_ONLY,
    REGRESSION_LOSSES,
    RULES,
    TUNABLE,
    closest_name,
    unbiased_without_bias,
)


@pytest.mark.parametrize("name", RULES)
def test_every_default_is_valid(name) -> None:
    RULES[name].parse(RULES[name].default)


def test_names_and_losses_of_classifiers_are_not_those_of_a_regressor() -> None:
    assert not set(CLASSIFICATION_ONLY) & set(RULES)
    assert not set(CLASSIFICATION_LOSSES) & set(REGRESSION_LOSSES)
    assert set(TUNABLE) <= set(RULES)


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
