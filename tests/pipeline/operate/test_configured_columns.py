"""A configuration is compared with the model that is to score rows, whatever it leaves to the data."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.columns import DatasetSection
from pipeline.errors import UserError
from pipeline.operate.configured_columns import check_label, differences
from pipeline.operate.model_columns import ModelColumns

DESCRIBED = "the model of the endpoint prices: arn:aws:package/prices/2"
RECORD = {
    "columns": {"label": "price", "features": ["area", "city_Bern", "city_Rome"]},
    "feature_dim": 3,
    "encoding": {"city": ["Bern", "Rome"]},
    "preparation": {"numeric": ["area"]},
}
LEFT_TO_THE_DATA: list[dict[str, Any]] = [
    {"categorical": {"city": ["Bern", "Rome"]}},
    {"categorical": {"city": ["Bern", "Rome"]}, "missing": {"area": "median"}},
    {"categorical": {"city": "auto"}},
    {"categorical": {"city": "auto"}, "missing": {"area": "median", "city": "most_frequent"}},
]


def configured(**dataset: Any) -> DatasetSection:
    return DatasetSection(**{"input": "rows.csv", "label": "price", "numeric": ["area"], **dataset})


def recorded(classes: list[str]) -> ModelColumns:
    return ModelColumns.of_report(RECORD | {"classes": classes}, "the model package arn")


@pytest.mark.parametrize("left", LEFT_TO_THE_DATA)
@pytest.mark.parametrize(
    ("asked", "served", "sentence"),
    [
        ({"label": "cost"}, [], "predicts cost (a number), and the model predicts price (a number). "),
        (
            {"label": "kind", "classes": ["a", "b", "c"]},
            [],
            "predicts kind (3 classes: a, b, c), and the model predicts price (a number). ",
        ),
        ({}, ["low", "high"], "predicts price (a number), and the model predicts price (2 classes: low, high). "),
        (
            {"classes": ["low", "high"]},
            ["low", "middle", "high"],
            "predicts price (2 classes: low, high), and the model predicts price (3 classes: low, middle, high). ",
        ),
    ],
)
def test_another_label_or_problem_is_an_error(left, asked, served, sentence) -> None:
    with pytest.raises(UserError) as caught:
        check_label(configured(**left, **asked), recorded(served), DESCRIBED)
    assert sentence in str(caught.value)
    assert f"It is {DESCRIBED}. Use the configuration" in str(caught.value)
    assert all(option in str(caught.value) for option in ("CONFIG=", "ENDPOINT="))


@pytest.mark.parametrize("left", LEFT_TO_THE_DATA)
def test_what_the_model_found_in_the_data_is_no_difference(left) -> None:
    for classes in ([], ["low", "high"]):
        dataset = configured(**left, **({"classes": classes} if classes else {}))
        check_label(dataset, recorded(classes), DESCRIBED)
        assert differences(dataset, recorded(classes)) == []


@pytest.mark.parametrize("left", LEFT_TO_THE_DATA)
def test_other_features_are_named(left) -> None:
    other = configured(**left | {"missing": {"rooms": "median"}}, numeric=["rooms"])
    assert differences(other, recorded([])) == [
        "The configuration's features differ from those of the model package arn: the configuration has rooms, "
        "the model package has area. The model package's are used."
    ]


def test_a_category_that_the_model_lacks_is_named() -> None:
    [sentence] = differences(configured(categorical={"town": "auto"}), recorded([]))
    assert "the configuration has town_..., the model package has city_Bern, city_Rome." in sentence


def test_other_classes_are_named() -> None:
    dataset = configured(categorical={"city": "auto"}, classes=["high", "low"])
    assert differences(dataset, recorded(["low", "high"])) == [
        "The configuration's classes (high, low) differ from those of the model package arn (low, high). "
        "The model package's are used."
    ]
