from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definition_language.expressions import ExpressionError, Reference, evaluate, references
from definition_language.paths import PathError, follow, parse_path, show
from tests.local.interpreter.documents import get, join

NAMES = st.text(st.characters(exclude_characters="'\"", exclude_categories=("Cs",)), max_size=12)  # type: ignore[arg-type]


class Scope:
    """A scope with three parameters, a step's property and two files."""

    values: ClassVar = {
        "Parameters.Count": 3,
        "Parameters.Rate": 6.0,
        "Parameters.On": True,
        "Steps.Make.ProcessingJobName": "job",
    }
    files: ClassVar = {
        "Steps.Make.PropertyFiles.Scores": {"mse": 2.5, "list": [{"a": "x"}], "a b": {"c.d": False}},
        "s3://bucket/3/scores.json": {"mse": 1},
    }

    def value(self, reference):
        return self.values[str(reference)]

    def json_file(self, location):
        return self.files[str(location)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (get("Parameters.Count"), 3),
        (get("Steps.Make.ProcessingJobName"), "job"),
        (join("/", "s3:/", "bucket", get("Parameters.Count")), "s3://bucket/3"),
        (join("", get("Parameters.On"), get("Parameters.Rate")), "true6.0"),
        (join("-", join("+", 1, 2), "x"), "1+2-x"),
        ({"Std:Join": {"Values": ["a", "b"]}}, "ab"),
        ({"Std:JsonGet": {"PropertyFile": get("Steps.Make.PropertyFiles.Scores"), "Path": "mse"}}, 2.5),
        ({"Std:JsonGet": {"PropertyFile": get("Steps.Make.PropertyFiles.Scores"), "Path": "$.list[0].a"}}, "x"),
        ({"Std:JsonGet": {"PropertyFile": get("Steps.Make.PropertyFiles.Scores"), "Path": "['a b'][\"c.d\"]"}}, False),
        (
            {"Std:JsonGet": {"S3Uri": join("/", "s3://bucket", get("Parameters.Count"), "scores.json"), "Path": "mse"}},
            1,
        ),
        ({"a": [get("Parameters.Count"), {"b": join("", "x")}], "c": None}, {"a": [3, {"b": "x"}], "c": None}),
        ({"Get": "x", "Other": 1}, {"Get": "x", "Other": 1}),
    ],
)
def test_expressions_are_replaced_wherever_they_stand(expression, expected) -> None:
    assert evaluate(expression, Scope()) == expected


@pytest.mark.parametrize("path", ["missing", "list[1].a", "list.a", "mse.x", "list", "['a b']"])
def test_json_get_needs_one_scalar(path) -> None:
    with pytest.raises(ExpressionError, match="Std:JsonGet on Steps"):
        evaluate({"Std:JsonGet": {"PropertyFile": get("Steps.Make.PropertyFiles.Scores"), "Path": path}}, Scope())


def test_join_refuses_objects_and_lists() -> None:
    with pytest.raises(ExpressionError, match="a text, number or boolean is expected"):
        evaluate(join("", ["a"]), Scope())


def test_references_are_found_at_any_depth() -> None:
    expression = {
        "a": [join("/", get("Parameters.P"), {"Std:JsonGet": {"S3Uri": join("", get("Steps.S.X.Y")), "Path": "p"}})]
    }
    assert list(references(expression)) == [Reference("Parameters", "P"), Reference("Steps", "S", ("X", "Y"))]


def test_items_of_property_lists_are_addressed_by_name_and_by_position() -> None:
    outputs = [
        {"OutputName": "a", "S3Output": {"S3Uri": "s3://b/a"}},
        {"OutputName": "b", "S3Output": {"S3Uri": "s3://b/b"}},
    ]
    described = {
        "ProcessingOutputConfig": {"Outputs": outputs},
        "FinalMetricDataList": [{"MetricName": "validation:mse", "Value": 2.0}],
    }
    assert follow(described, parse_path("ProcessingOutputConfig.Outputs['b'].S3Output.S3Uri")) == "s3://b/b"
    assert follow(described, parse_path("ProcessingOutputConfig.Outputs[0].S3Output.S3Uri")) == "s3://b/a"
    assert follow(described, parse_path("FinalMetricDataList['validation:mse'].Value")) == 2.0
    with pytest.raises(PathError, match=r"there is no ProcessingOutputConfig.Outputs.c"):
        follow(described, parse_path("ProcessingOutputConfig.Outputs['c'].S3Output.S3Uri"))


@settings(max_examples=60)
@given(st.lists(st.one_of(NAMES, st.integers(0, 99)), min_size=1, max_size=5))
def test_a_quoted_path_leads_to_what_it_names(tokens) -> None:
    value = "found"
    for token in reversed(tokens):
        value = [*[None] * token, value] if isinstance(token, int) else {token: value}  # type: ignore[assignment]
    text = "".join(f"[{token}]" if isinstance(token, int) else f"['{token}']" for token in tokens)
    assert parse_path(text) == tuple(tokens)
    assert follow(value, parse_path(text)) == "found"
    assert parse_path(show(tuple(tokens))) == tuple(tokens)


@pytest.mark.parametrize("text", ["", "$", ".", "a.", "a..b", "[", "[-1]", "[0:2]", "a[*]", "a[?(@.b)]", "a b", "a]b"])
def test_a_path_to_more_or_less_than_one_value_is_refused(text) -> None:
    with pytest.raises(PathError):
        parse_path(text)
