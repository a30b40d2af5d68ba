"""Filters and joins of batch transform: the examples of AWS's documentation, and real CSV."""

from __future__ import annotations

from typing import Any

import pytest

from local.runtime.jobs.record_filters import RecordError, RecordFilter, RecordProcessing

RECORD = {"id": "a", "features": [1, 2, 3], "nested": {"x": 1, "y": [4, 5]}}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$", RECORD),
        ("$.id", "a"),
        ("$['id']", "a"),
        ("$['id','features']", {"id": "a", "features": [1, 2, 3]}),
        ("$.nested.['x','y']", {"x": 1, "y": [4, 5]}),
        ("$.nested.*", [1, [4, 5]]),
        ("$.features[-1]", 3),
        ("$.features[0,2]", [1, 3]),
        ("$.features[1:]", [2, 3]),
        ("$.features[:-1]", [1, 2]),
        ("$.features[*]", [1, 2, 3]),
        ("$.nested.y[ 1 ]", 5),
    ],
)
def test_the_part_of_a_json_record(expression, expected) -> None:
    assert RecordFilter.parse(expression).apply(RECORD) == expected


@pytest.mark.parametrize(
    "expression", ["", "id", "$.", "$..id", "$[", "$[?(@.x)]", "$['a.b", "$[1;2]", "$[1:2:3]", "$x"]
)
def test_what_is_no_filter_is_refused(expression) -> None:
    with pytest.raises(RecordError):
        RecordFilter.parse(expression)


@pytest.mark.parametrize(
    "expression", ["$.gone", "$[0]", "$.features[3]", "$.features.x", "$.id[1:]", "$['id','gone']"]
)
def test_a_part_that_a_record_does_not_have_is_an_error(expression) -> None:
    with pytest.raises(RecordError, match="does not have"):
        RecordFilter.parse(expression).apply(RECORD)


def processing(content_type: str, accept: str, split: str = "Line", **filters: str) -> RecordProcessing:
    request: dict[str, Any] = {
        "TransformInput": {"ContentType": content_type, "SplitType": split},
        "TransformOutput": {"Accept": accept},
        "DataProcessing": filters,
    }
    return RecordProcessing.of(request)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("$[1:]", b'"x, y", 2,"say ""hi"""\n3,,4\n'),
        ("$[:-1]", b'7,"x, y", 2\n8,3,\n'),
        ("$[0,2]", b"7, 2\n8,\n"),
        ("$[-1]", b'"say ""hi"""\n4\n'),
    ],
)
def test_columns_of_csv_with_quotes_spaces_and_empty_fields(chosen, expected) -> None:
    rows = b'7,"x, y", 2,"say ""hi"""\r\n8,3,,4\n'
    assert processing("text/csv; label_size=0", "", InputFilter=chosen).model_input(rows) == expected


def test_a_line_break_in_quotes_is_a_field_of_an_object_that_is_not_split_only() -> None:
    rows = b'1,"two\nlines",3\n'
    whole = processing("text/csv", "", split="None", InputFilter="$[1:]")
    assert whole.model_input(rows) == b'"two\nlines",3\n'
    with pytest.raises(RecordError, match="without line breaks"):
        processing("text/csv", "", InputFilter="$[1:]").model_input(rows)


def test_csv_answers_are_appended_to_the_whole_record_and_filtered() -> None:
    joining = processing("text/csv", "text/csv", InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")
    assert joining.model_input(b"a,1,2\nb,3,4\n") == b"1,2\n3,4\n"
    assert joining.output(b"a,1,2\nb,3,4\n", b"0.5\n0.75\n") == b"a,0.5\nb,0.75\n"
    with pytest.raises(RecordError, match="answered 2 records with 1 result"):
        joining.output(b"a,1,2\nb,3,4\n", b"0.5\n")


def test_json_records_that_are_no_objects_are_joined_under_their_own_key() -> None:
    joining = processing("application/jsonlines", "application/jsonlines", JoinSource="Input")
    assert joining.output(b"[1, 2]\n", b'{"score": 3}\n') == (
        b'{"SageMakerInput": [1, 2], "SageMakerOutput": {"score": 3}}'
    )
    with pytest.raises(RecordError, match="is not JSON"):
        joining.output(b"[1, 2", b"3")
