from __future__ import annotations

import re
from pathlib import Path

import pytest

from definition_language.linear_learner import RULES_BY_TYPE
from local.algorithms.linear_learner import choices

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/linear-learner.md").read_text()
CHOICES = TEXT.partition("## Choices")[2].partition("\n## ")[0]
AUTOMATIC = sorted({name for rules in RULES_BY_TYPE.values() for name, rule in rules.items() if rule.auto is not ...})
DOCUMENTED_AUTO = {"feature_dim", "optimizer", "loss", "normalize_label"}


@pytest.mark.parametrize("name", AUTOMATIC)
def test_the_choices_say_what_auto_is_where_aws_does_not(name) -> None:
    if name.startswith("lr_scheduler_"):
        assert "the scheduler's step, factor, minimum auto" in CHOICES
    elif name.startswith("unbias_"):
        assert "`unbias_*`" in CHOICES
    elif name not in DOCUMENTED_AUTO:
        assert f"`{name}`" in CHOICES


@pytest.mark.parametrize("name", ["quantile", "huber_delta", "loss_insensitivity", "init_scale", "num_models"])
def test_the_choices_say_what_a_hyperparameter_means_where_aws_does_not(name) -> None:
    assert any(f"`{name}`" in row.split("|")[1] for row in CHOICES.splitlines() if row.startswith("| "))


def test_the_choices_list_the_values_that_several_models_have() -> None:
    (row,) = [row for row in CHOICES.splitlines() if row.startswith("| which hyperparameters `num_models` varies")]
    named = {float(number) for number in re.findall(r"\d[\d.]*(?:e-\d+)?", row.split("|")[2])}
    assert named == {*choices.EXPLORED_LEARNING_RATES, *choices.EXPLORED_WD, *choices.EXPLORED_L1}
