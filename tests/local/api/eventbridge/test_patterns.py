"""Patterns that EventBridge refuses, and its reasons."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.api.eventbridge.patterns import check_pattern
from local.core.errors import ServiceError


@pytest.mark.parametrize(
    "matcher",
    [
        *("text", 1, 1.5, True, None),
        *({"prefix": "a"}, {"suffix": {"equals-ignore-case": "a"}}, {"equals-ignore-case": "a"}, {"wildcard": "a*b*"}),
        *({"exists": False}, {"cidr": "10.0.0.0/24"}, {"cidr": "2001:db8::/32"}),
        *({"anything-but": "a"}, {"anything-but": [1, "a"]}, {"anything-but": {"prefix": "a"}}),
        *({"anything-but": {"wildcard": ["a*", "*b"]}}, {"numeric": ["=", 1]}, {"numeric": [">", 0, "<=", 1.5]}),
    ],
)
def test_a_matcher_of_eventbridge_is_taken(matcher: Any) -> None:
    check_pattern(json.dumps({"source": [matcher], "detail": {"a": {"b": [matcher]}}}))
    check_pattern(json.dumps({"$or": [{"source": [matcher]}, {"detail": {"a": [matcher]}}]}))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "Invalid JSON"),
        ("[]", "Filter is not an object"),
        ("{}", "Empty objects are not allowed"),
        ({"detail": {}}, "Empty objects are not allowed"),
        ({"source": []}, "Empty arrays are not allowed"),
        ({"source": "a"}, '"source" must be an object or an array'),
        ({"source": [["a"]]}, "Match value must be String, number, true, false, or null"),
        ({"$or": [{"source": ["a"]}]}, "at least 2 Objects in $or"),
        ({"$or": [{"source": ["a"]}, {"source": [{"x": 1}]}]}, "Unrecognized match type x"),
        ([{"nope": 1}], "Unrecognized match type nope"),
        ([{"prefix": "a", "suffix": "b"}], "Only one key allowed in match expression"),
        ([{"prefix": 1}], "prefix match pattern must be a string"),
        ([{"suffix": {"prefix": "a"}}], "suffix match pattern must be a string"),
        ([{"wildcard": "a**"}], "Consecutive wildcard characters at pos 2"),
        ([{"exists": "true"}], "exists match pattern must be either true or false."),
        ([{"cidr": "10.0.0.0"}], "Malformed CIDR, one '/' required"),
        ([{"cidr": "10.0.0/24"}], "Nonstandard IP address: 10.0.0"),
        ([{"anything-but": None}], "Value of anything-but must be an array or single string/number value."),
        ([{"anything-but": {"numeric": ["=", 1]}}], "Unsupported anything-but pattern: numeric"),
        ([{"anything-but": {"prefix": 1}}], "prefix match pattern must be a string"),
        ([{"numeric": 1}], "Value of numeric must be an array."),
        ([{"numeric": []}], "Invalid member in numeric match: ]"),
        ([{"numeric": ["?", 1]}], "Unrecognized numeric range operator: ?"),
        ([{"numeric": ["="]}], "Value of equals must be numeric"),
        ([{"numeric": ["<", "1"]}], "Value of < must be numeric"),
        ([{"numeric": ["=", 1, "<", 2]}], "Too many elements in numeric expression"),
        ([{"numeric": [">", 1, ">", 2]}], "Bad numeric range operator: >"),
        ([{"numeric": [">", 2, "<", 1]}], "Bottom must be less than top"),
        ([{"numeric": [">", 1, "<", 2, "<"]}], "Too many terms in numeric range expression"),
    ],
)
def test_a_pattern_that_eventbridge_refuses_has_its_reason(pattern: Any, reason: str) -> None:
    if isinstance(pattern, list):
        pattern = {"source": pattern}
    with pytest.raises(ServiceError) as refused:
        check_pattern(pattern if isinstance(pattern, str) else json.dumps(pattern))
    assert refused.value.code == "InvalidEventPatternException"
    assert refused.value.message.startswith("Event pattern is not valid. Reason: ")
    assert reason in refused.value.message
