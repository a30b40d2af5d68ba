"""The dataset's columns: short and long forms, the features that follow, and faults between keys."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config.loading import parse_config
from pipeline.config.models import Config
from pipeline.errors import ConfigError

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/configuration.md"


def parsed(**dataset: Any) -> Config:
    usual = {"input": "rows.csv", "label": "price", "numeric": ["area"]}
    return parse_config({"pipeline": {"name": "houses"}, "dataset": {**usual, **dataset}}, "config.yaml")


def faults(**dataset: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parsed(**dataset)
    return caught.value.faults


def test_short_forms_stand_for_their_first_key() -> None:
    short = parsed(categorical={"city": "auto", "kind": ["a", "b"]}, dates={"sold": ["year"]}).dataset
    long = parsed(
        categorical={"city": {"values": "auto"}, "kind": {"values": ["a", "b"]}}, dates={"sold": {"parts": ["year"]}}
    ).dataset
    assert short == long


def test_the_written_form_can_be_read_again() -> None:
    config = parsed(categorical={"city": "auto", "kind": {"values": ["a"], "other": True}}, dates={"sold": ["year"]})
    assert parse_config(yaml.safe_load(yaml.safe_dump(config.model_dump())), "again") == config


def test_the_features_are_named_in_order() -> None:
    given: dict[str, Any] = {
        "dates": {"sold": ["year", "month"]},
        "missing": {"area": "median", "sold": "most_frequent"},
        "missing_indicators": ["area"],
    }
    known = parsed(**given, categorical={"kind": {"values": ["a", "b"], "other": True}}).dataset
    assert known.features == ["area", "sold_year", "sold_month", "area_missing", "kind_a", "kind_b", "kind_other"]
    assert parsed(**given, categorical={"kind": "auto"}).dataset.features is None


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ({"categorical": {"c": []}}, "categorical.c.values: list at least one value, or write auto"),
        ({"categorical": {"c": "red"}}, "categorical.c.values: a list is expected, such as [one, two], not 'red'"),
        ({"categorical": {"c": {"min_frequency": 2}}}, "categorical.c: rare values need a feature: set other to true"),
        ({"categorical": {"c": {"values": ["a"], "max_categories": 2}}}, "categorical.c: the values are listed: "),
        ({"categorical": {"c": {"values": ["other"], "other": True}}}, "categorical.c: 'other' is a listed value"),
        ({"dates": {"d": ["hours"]}}, "dates.d.parts[0]: 'year', 'month'"),
        ({"dates": {"d": ["year", "year"]}}, "dates.d: 'year' is listed twice"),
        ({"dates": {"d": {"parts": ["year"], "format": "YYYY"}}}, "dates.d.format: 'YYYY' reads no dates"),
        ({"dates": {"d": {"parts": ["year"], "format": "%d.%Q"}}}, "dates.d.format: '%d.%Q' reads no dates"),
        ({"dates": {"area": ["year"]}}, "numeric: 'area' is listed more than once"),
        ({"numeric": ["d_year"], "dates": {"d": ["year"]}}, "categorical: two features would have the name 'd_year'"),
        ({"missing": {"size": "median"}}, "missing.size: is not the label, a numeric, a date or a categorical column"),
        ({"missing": {"price": "median"}}, "missing.price: a label cannot be made up"),
        ({"missing": {"area": "mean"}}, "missing.area: 'drop', 'median' or 'most_frequent' is expected, not 'mean'"),
        ({"categorical": {"c": ["a"]}, "missing": {"c": "median"}}, "missing.c: only numbers have a median"),
        ({"groups": "area", "missing": {"area": "median"}}, "missing.area: a missing value would join a group"),
        ({"missing": {"area": "drop"}, "missing_indicators": ["area"]}, "missing_indicators: 'area' needs median or"),
        ({"missing_values": []}, "missing_values: a list of at least 1 is expected, not []"),
        ({"ignored": ["area"]}, "ignored: 'area' is used: remove it from one of both places"),
        ({"ignored": ["id", "id"]}, "ignored: 'id' is listed twice"),
        ({"ignored": ["id"], "header": False}, "ignored: a file without a header has no other columns"),
    ],
)
def test_a_fault_names_the_key(dataset, expected) -> None:
    (fault,) = faults(**dataset)
    assert fault.startswith(f"config.yaml: dataset.{expected}")


def test_a_bayesian_search_has_no_error_in_the_labels_unit() -> None:
    with pytest.raises(ConfigError, match="needs models of the same point on all folds"):
        parse_config(
            {
                "pipeline": {"name": "houses"},
                "dataset": {"input": "rows.csv", "label": "y", "numeric": ["a"], "label_transform": "log1p"},
                "tuning": {"strategy": "Bayesian"},
            },
            "config.yaml",
        )


def test_the_documents_example_is_valid() -> None:
    section = DOCUMENT.read_text().partition("## Columns that are not plain numbers")[2]
    (example,) = re.findall(r"^    dataset:\n(?:    .*\n)+", section, re.MULTILINE)
    dataset = yaml.safe_load(textwrap.dedent(example))["dataset"]
    assert parsed(**dataset).dataset.label_transform == "log1p"
