from __future__ import annotations

import pytest

from definition_language.expressions import ExpressionError
from local.interpreter.conditions import is_true
from tests.local.interpreter.documents import FALSE, TRUE, compare, get


class Scope:
    def value(self, reference):
        return {"Five": 5, "Half": 0.5, "Name": "ml.m5.large", "Yes": True}[reference.name]

    def json_file(self, location):
        raise NotImplementedError


FIVE, HALF, NAME = get("Parameters.Five"), get("Parameters.Half"), get("Parameters.Name")


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (compare("Equals", FIVE, 5), True),
        (compare("Equals", FIVE, 5.0), True),
        (compare("Equals", FIVE, "5"), False),
        (compare("Equals", get("Parameters.Yes"), True), True),
        (compare("Equals", get("Parameters.Yes"), 1), False),
        (compare("Equals", NAME, "ml.m5.large"), True),
        (compare("GreaterThan", FIVE, 5), False),
        (compare("GreaterThan", FIVE, HALF), True),
        (compare("GreaterThanOrEqualTo", FIVE, 5), True),
        (compare("GreaterThanOrEqualTo", HALF, FIVE), False),
        (compare("LessThan", HALF, 0.5), False),
        (compare("LessThan", HALF, FIVE), True),
        (compare("LessThanOrEqualTo", HALF, 0.5), True),
        (compare("LessThanOrEqualTo", FIVE, 4.999), False),
        ({"Type": "In", "QueryValue": NAME, "Values": ["ml.m5.xlarge", NAME]}, True),
        ({"Type": "In", "QueryValue": FIVE, "Values": ["5", 6]}, False),
        ({"Type": "Not", "Condition": FALSE}, True),
        ({"Type": "Not", "Condition": {"Type": "Not", "Condition": FALSE}}, False),
        ({"Type": "Or", "Conditions": [FALSE, TRUE]}, True),
        ({"Type": "Or", "Conditions": [FALSE, {"Type": "Or", "Conditions": [FALSE]}]}, False),
        ({"Type": "Or", "Conditions": [FALSE, {"Type": "Not", "Condition": compare("LessThan", FIVE, 1)}]}, True),
    ],
)
def test_every_type_of_condition(test, expected) -> None:
    assert is_true(test, Scope()) is expected


@pytest.mark.parametrize("kind", ["GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"])
@pytest.mark.parametrize("left", ["5", NAME, True])
def test_only_numbers_have_an_order(kind, left) -> None:
    with pytest.raises(ExpressionError, match=f"{kind} compares numbers"):
        is_true(compare(kind, left, 5), Scope())
