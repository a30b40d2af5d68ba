from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from botocore.model import ServiceModel, StructureShape
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from definition_language.constraints import SCALARS, Constraint, Entry, Fault, Unknown, faults
from definition_language.models import input_shape
from tests.definition_language.requests import requests

MODEL = ServiceModel(
    {
        "metadata": {"protocol": "json", "apiVersion": "1"},
        "operations": {},
        "shapes": {
            "All": {
                "type": "structure",
                "required": ["Name"],
                "members": {
                    "Name": {"shape": "Name"},
                    "Kind": {"shape": "Kind"},
                    "Count": {"shape": "Count"},
                    "Rate": {"shape": "Rate"},
                    "On": {"shape": "On"},
                    "When": {"shape": "When"},
                    "Names": {"shape": "Names"},
                    "Tags": {"shape": "Tags"},
                    "Choice": {"shape": "Choice"},
                    "Data": {"shape": "Data"},
                    "Odd": {"shape": "Odd"},
                },
            },
            "Name": {"type": "string", "min": 2, "max": 4, "pattern": "[a-z.]*"},
            "Kind": {"type": "string", "enum": ["one", "two"]},
            "Count": {"type": "integer", "min": 1, "max": 3},
            "Rate": {"type": "float", "min": 0, "max": 1},
            "On": {"type": "boolean"},
            "When": {"type": "timestamp"},
            "Names": {"type": "list", "member": {"shape": "Name"}, "min": 1, "max": 2},
            "Tags": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Count"}, "max": 1},
            "Choice": {"type": "structure", "union": True, "members": {"A": {"shape": "On"}, "B": {"shape": "On"}}},
            "Data": {"type": "blob"},
            "Odd": {"type": "string", "pattern": "(?s).*"},
        },
    }
)
ALL = MODEL.shape_for("All")
assert isinstance(ALL, StructureShape)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"Name": 1}, Fault(("Name",), Constraint.TYPE, 1, "string")),
        ({"Name": None}, Fault(("Name",), Constraint.TYPE, None, "string")),
        ({"Nome": "ab", "Name": "ab"}, Fault(("Nome",), Constraint.KNOWN, "ab", tuple(ALL.members))),
        ({}, Fault(("Name",), Constraint.REQUIRED, None)),
        ({"Name": "a"}, Fault(("Name",), Constraint.MIN_LENGTH, "a", 2)),
        ({"Name": "abcde"}, Fault(("Name",), Constraint.MAX_LENGTH, "abcde", 4)),
        ({"Name": "AB"}, Fault(("Name",), Constraint.PATTERN, "AB", "[a-z.]*")),
        ({"Name": "ab\n"}, Fault(("Name",), Constraint.PATTERN, "ab\n", "[a-z.]*")),
        ({"Name": "ab", "Kind": "three"}, Fault(("Kind",), Constraint.ENUM, "three", ("one", "two"))),
        ({"Name": "ab", "Count": 0}, Fault(("Count",), Constraint.MIN_VALUE, 0, 1)),
        ({"Name": "ab", "Count": 4}, Fault(("Count",), Constraint.MAX_VALUE, 4, 3)),
        ({"Name": "ab", "Count": True}, Fault(("Count",), Constraint.TYPE, True, "integer")),
        ({"Name": "ab", "Count": 1.0}, Fault(("Count",), Constraint.TYPE, 1.0, "integer")),
        ({"Name": "ab", "Rate": 1.5}, Fault(("Rate",), Constraint.MAX_VALUE, 1.5, 1)),
        ({"Name": "ab", "On": "true"}, Fault(("On",), Constraint.TYPE, "true", "boolean")),
        ({"Name": "ab", "When": "soon"}, Fault(("When",), Constraint.TYPE, "soon", "timestamp")),
        ({"Name": "ab", "Names": []}, Fault(("Names",), Constraint.MIN_ENTRIES, [], 1)),
        ({"Name": "ab", "Names": ["ab", "A."]}, Fault(("Names", 1), Constraint.PATTERN, "A.", "[a-z.]*")),
        ({"Name": "ab", "Names": "ab"}, Fault(("Names",), Constraint.TYPE, "ab", "list")),
        ({"Name": "ab", "Tags": {"A.": 1}}, Fault(("Tags", Entry("A.", True)), Constraint.PATTERN, "A.", "[a-z.]*")),
        ({"Name": "ab", "Tags": {"ab": 9}}, Fault(("Tags", Entry("ab")), Constraint.MAX_VALUE, 9, 3)),
        ({"Name": "ab", "Choice": {}}, Fault(("Choice",), Constraint.ONE_OF_UNION, {}, ("A", "B"))),
        ({"Name": "ab", "Data": 1}, Fault(("Data",), Constraint.TYPE, 1, "blob")),
        (
            {"Name": "ab", "Choice": {"A": True, "B": True}},
            Fault(("Choice",), Constraint.ONE_OF_UNION, {"A": True, "B": True}, ("A", "B")),
        ),
    ],
)
def test_a_fault_says_where_it_is_and_what_is_not_satisfied(members, expected) -> None:
    assert list(faults(ALL, members)) == [expected]


def test_a_good_request_has_no_fault() -> None:
    members = {
        "Name": "a.b",
        "Kind": "two",
        "Count": 3,
        "Rate": Decimal("0.5"),
        "On": False,
        "When": datetime.now(UTC),
        "Names": ["ab", "cd"],
        "Tags": {"ab": 1},
        "Choice": {"B": False},
        "Data": b"x",
    }
    assert list(faults(ALL, members)) == []
    assert list(faults(ALL, {"Name": "ab", "When": 1700000000.5, "Rate": 1, "Data": "eA=="})) == []


def test_what_somebody_else_fills_in_is_not_missing() -> None:
    assert list(faults(ALL, {}, given=frozenset({"Name"}))) == []


def test_a_pattern_that_cannot_be_read_is_a_fault_of_its_own() -> None:
    (fault,) = faults(ALL, {"Name": "ab", "Odd": "anything"})
    assert fault.constraint is Constraint.CHECKABLE
    assert "(?s).*" in fault.expected


def test_an_unknown_value_is_refused_only_where_its_kind_does_not_fit() -> None:
    text = Unknown(frozenset({"string"}), "...")
    members = {"Name": text, "Kind": text, "When": text, "Rate": Unknown(frozenset({"integer"}), "...")}
    assert list(faults(ALL, members)) == []
    assert list(faults(ALL, {"Name": Unknown(SCALARS, "..."), "Tags": Unknown(None, "...")})) == []
    for name in ("Count", "Rate", "On", "Names", "Tags", "Choice"):
        (fault,) = faults(ALL, {"Name": "ab", name: text})
        assert (fault.path, fault.constraint) == ((name,), Constraint.TYPE)


@pytest.mark.parametrize("operation", ["CreatePipeline", "CreateProcessingJob", "CreateModelPackage"])
def test_nothing_passes_that_botocores_own_validation_refuses(operation) -> None:
    shape = input_shape("sagemaker", operation)

    @settings(max_examples=100, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(requests(shape), st.booleans())
    def check(members, emptied) -> None:
        members = members | dict.fromkeys(shape.required_members[:1]) if emptied else members
        if ParamValidator().validate(members, shape).has_errors():
            assert list(faults(shape, members))

    check()
