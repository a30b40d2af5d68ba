from __future__ import annotations

import re

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definition_language.patterns import UnsupportedPatternError, matches
from tests.definition_language.java import java_gateway

SERVICES = (
    *("sagemaker", "sagemaker-runtime", "lambda", "events", "s3", "s3control", "logs"),
    *("application-autoscaling", "iam", "sts", "cloudformation"),
)
"""The services that the project sends requests to."""

TERMINATORS = ["\n", "\r", "\r\n", "\u0085", "\u2028", "\u2029"]

TEXTS = [
    *("", " ", "a", "A", "5", "-", "_", ".", "a-b", "a--b", "-a", "a-", "abc def", "$", "$LATEST", "1.2", "\t", "\x0b"),
    *(
        "é",
        "\u0435",
        "٣",
        "\u00a0",
        "\u2003",
        "\u0301",
        "€",
        "«",
        "😀",
        "\ufffd",
        "\x00",
        "\x7f",
        "~",
        "[",
        "]",
        "\\",
        "/",
    ),
    *("s3://bucket/key", "https://example.com/a", "arn:aws:iam::123456789012:role/a", "ml.m5.large", "10.0.0.1"),
    *("arn:aws:lambda:us-east-1:123456789012:function:f", "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"),
    *("123456789012", "subnet-1", "#Monday", "key=value", "a:b", "p9", "i-0123abcd", "kafka://x", "team:ml @ 1+1=2"),
    *(text + end for text in ("", "a", "s3://bucket/key", " ") for end in TERMINATORS),
    *(f"a{end}b" for end in TERMINATORS),
]


def _patterns() -> list[str]:
    session = botocore.session.get_session()
    models = [session.get_service_model(service) for service in SERVICES]
    found = [model.shape_for(name).metadata.get("pattern") for model in models for name in model.shape_names]
    return sorted({pattern for pattern in found if pattern is not None})


PATTERNS = _patterns()


@pytest.fixture(scope="module")
def java():
    with java_gateway() as gateway:
        yield gateway.jvm.java.util


def test_every_pattern_of_the_services_means_what_it_means_to_java(java) -> None:
    texts, different = java.ArrayList(), {}
    for text in TEXTS:
        texts.add(text)
    assert list(texts) == TEXTS
    for pattern in PATTERNS:
        # Java goes through the texts itself: each call from here takes longer than a match.
        theirs = set(texts.stream().filter(java.regex.Pattern.compile(pattern).asMatchPredicate()).toList())
        if odd := theirs ^ {text for text in TEXTS if matches(pattern, text)}:
            different[pattern] = odd
    assert len(PATTERNS) > 400
    assert different == {}


_PARTS = [
    *(
        ".",
        "$",
        "^",
        "a",
        "b?",
        "[^a]",
        r"[\w-_]",
        r"\s",
        r"\S",
        r"\d",
        r"\D",
        r"\w",
        r"\W",
        "(?:ab|$)",
        r"(?!a)",
        "a*+",
    ),
    *(r"\p{L}", r"\p{M}", r"\p{N}", r"\p{P}", r"\p{S}", r"\p{Z}", r"\P{L}", r"\p{IsAlphabetic}", r"\pL", r"[\p{L}b]*"),
    *(r"\p{Alnum}", r"\p{Punct}", r"\p{Print}", r"\p{Graph}", r"\p{Space}", r"\p{Blank}", r"\p{Cntrl}", r"\p{XDigit}"),
    *(r"[\p{Punct}a]", r"[^\p{Alpha}]", r"\p{ASCII}+", r"\p{Lower}", r"\p{Upper}", r"\p{Digit}", r"[.$]", r"\$", r"\."),
    *(
        r"[\uD800\uDC00-\uDBFF\uDFFF]",
        r"[\u0085-\u2028]",
        r"\x41",
        r"\z",
        r"\A",
        "(?<=a)",
        "(?<!a)",
        ".*",
        ".+?",
        "${1,2}",
    ),
]


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, derandomize=True)
@given(
    pattern=st.lists(st.sampled_from(_PARTS), min_size=1, max_size=4).map("".join),
    text=st.lists(st.sampled_from([*"ab5Aé ~!-_\t\x0b\x00😀", "\u0301", "\u2003", "٣", *TERMINATORS]), max_size=5).map(
        "".join
    ),
)
def test_patterns_put_together_from_javas_syntax_mean_what_they_mean_to_java(java, pattern, text) -> None:
    assert matches(pattern, text) == java.regex.Pattern.matches(pattern, text)


def test_a_dot_matches_no_line_terminator() -> None:
    for terminator in TERMINATORS:
        assert not matches(".*", f"one{terminator}two")
        assert not matches(".*", f"one{terminator}")
    assert matches(".*", "one\ttwo\x0bthree")


def test_a_definition_may_hold_line_breaks_and_none_of_the_rarer_terminators() -> None:
    pattern = r".*(?:[ \r\n\t].*)*"
    assert matches(pattern, '{\n "a": 1 }\r\n')
    assert not matches(pattern, "a \u2028")


@pytest.mark.slow
def test_a_text_that_would_take_a_pattern_for_ever_is_refused_soon() -> None:
    assert not matches(r".*(?:[ \r\n\t].*)*", "a " * 100_000 + "\u0085")
    with pytest.raises(UnsupportedPatternError, match="longer than"):
        matches("(a|aa)+c", "a" * 60 + "b")


@pytest.mark.parametrize("pattern", ["(?s).*", "[a[bc]]", "[a&&b]", r"\Qa\E", r"\R", "(", r"\p{Nonsense}"])
def test_a_pattern_that_is_not_understood_is_named_and_never_admitted(pattern) -> None:
    with pytest.raises(UnsupportedPatternError, match=re.escape(pattern)):
        matches(pattern, "a")
