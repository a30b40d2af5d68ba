from __future__ import annotations

import pytest

from local.core.errors import ServiceError
from local.interpreter.parameters import parse_parameter, resolve
from tests.local.interpreter.documents import parameter


def resolved(declared, **given):
    parameters = {item.name: item for item in map(parse_parameter, declared)}
    return resolve(parameters, [{"Name": name, "Value": value} for name, value in given.items()])


DECLARED = [
    parameter("Text", "String", "a"),
    parameter("Count", "Integer", 1),
    parameter("Rate", "Float", 2),
    parameter("On", "Boolean", False),
]


def test_values_have_the_declared_types() -> None:
    assert resolved(DECLARED) == {"Text": "a", "Count": 1, "Rate": 2.0, "On": False}
    given = resolved(DECLARED, Text="1", Count="-7", Rate="4e7", On="True")
    assert given == {"Text": "1", "Count": -7, "Rate": 4e7, "On": True}
    assert [type(value) for value in given.values()] == [str, int, float, bool]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Count", "1.5", "Value '1.5' of parameter 'Count' is not of type Integer"),
        ("Count", "one", "not of type Integer"),
        ("Rate", "nan", "not of type Float"),
        ("Rate", "fast", "not of type Float"),
        ("On", "1", "not of type Boolean"),
        ("Text", "", "too short (length: 0, required minimum: 1)"),
        ("Nobody", "1", "Unknown parameter 'Nobody'; the pipeline's parameters: Text, Count, Rate, On"),
    ],
)
def test_a_wrong_value_is_refused(name, value, expected) -> None:
    with pytest.raises(ServiceError) as caught:
        resolved(DECLARED, **{name: value})
    assert caught.value.code == "ValidationException"
    assert expected in caught.value.message


def test_only_allowed_values_are_taken() -> None:
    declared = [parameter("Status", "String", "a", ["a", "b"]), parameter("Count", "Integer", 2, [1, 2])]
    assert resolved(declared, Status="b", Count="1") == {"Status": "b", "Count": 1}
    with pytest.raises(ServiceError, match=r"failed to satisfy enum value set: \[1, 2\]"):
        resolved(declared, Count="3")


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(ServiceError) as caught:
        resolved([parameter("Needed", "String"), parameter("Count", "Integer")], Count="x", Other="y")
    assert "'Needed' has no default value" in caught.value.message
    assert "'x'" in caught.value.message
    assert "Unknown parameter 'Other'" in caught.value.message
