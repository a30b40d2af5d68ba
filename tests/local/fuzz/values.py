"""Requests of an operation: valid by its shape, and the same with parts that no client would send."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import strategies as st

from definition_language.constraints import faults
from tests.local.conftest import IMAGE, ROLE

SEED = "seed"
"""The name of everything that is there before the first request, of each kind."""

ACCOUNT = "us-east-1:123456789012"
TEXTS = (
    *(
        SEED,
        "1",
        "aaaaaaaaaaaaaaaaaaaa",
        "a" * 32,
        "0" * 64,
        "other",
        f"s3://{SEED}/{SEED}",
        f"s3://{SEED}/",
        IMAGE,
        ROLE,
    ),
    *(f"arn:aws:sagemaker:{ACCOUNT}:{kind}/{SEED}" for kind in ("pipeline", "model", "endpoint", "model-package")),
    *(f"arn:aws:sagemaker:{ACCOUNT}:{kind}/{SEED}/1" for kind in ("model-package", "pipeline/seed/execution")),
    f"arn:aws:sagemaker:{ACCOUNT}:model-package-group/{SEED}",
    *(f"arn:aws:lambda:{ACCOUNT}:function:{SEED}", f"arn:aws:logs:{ACCOUNT}:log-group:{SEED}"),
    *(f"arn:aws:kms:{ACCOUNT}:key/{SEED}", f"arn:aws:iam::123456789012:role/{SEED}", "ml.m5.large", "python3.11"),
    *(f"arn:aws:events:{ACCOUNT}:rule/{SEED}", f"arn:aws:sns:{ACCOUNT}:{SEED}", f"arn:aws:sqs:{ACCOUNT}:{SEED}"),
    *("123456789012", "main.handler", "/opt/ml/input", "https://example.com/a", "{}", '{"source": ["aws.s3"]}'),
    *("12345678-1234-1234-1234-123456789012", "AKIA1234567890123456", "subnet-12345678", "sg-12345678", "1.0", "a/b"),
    *("SELECT * FROM a", "rate(1 day)", "2026-01-01T00:00:00Z", "a@example.com", "linear-learner", "01:02", "alias/a"),
)
"""Texts, of which some fit each shape."""

TEMPLATE = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "made"}}}})
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})

MARK = "<fuzz>&\"'"
"""A text that XML must not contain as it is."""


class Raw:
    """A piece of JSON that Python would not write."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Raw({self.text[:40]!r})"


def nested(depth: int, opening: str = "[", closing: str = "]") -> Raw:
    return Raw(opening * depth + closing * depth)


STRANGE_TEXTS = [
    *("", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "é" * 300, "a" * 300, "x" * 70_000, "\u2028", "\x1b[2J", "\x7f"),
    *("..", ".", "/", "//", "../../etc/passwd", "/etc/passwd", "a/../b", "..\\..", "a" * 200 + "/" + "b" * 300),
    *("http://[", "http://a:99999999/", "http://[::1", "//[", "s3://", "s3://[", "s3://seed/../x", "s3://seed//a"),
    *(MARK, f"]]>{MARK}", "<!--", "%ff", "%", "%zz", "%00", "+", "\r\nX-A: b", "1e999", "-1e999", "NaN", "Infinity"),
    *(
        "9" * 5000,
        "-1",
        "1" * 400,
        "0x10",
        "\uff11\uff12",
        "2026-02-30",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
    ),
    *(
        "(a+)+$",
        "(",
        "[",
        "a" * 40 + "!",
        "(?P<a>",
        "*" * 30,
        "\\",
        "$",
        "$.",
        "$[",
        "$.a[99999999999]",
        "{",
        "[[",
        '"',
    ),
    *(
        "arn:aws:sagemaker:us-east-1:123456789012:",
        "arn:",
        ":" * 10,
        "/" * 50,
        "true",
        "null",
        "🂡" * 64,
        "\uff21",
        "ß",
        "İ",
    ),
    *("[" * 3000, '{"a":' * 3000, '{"a": 1e999}', '{"a": NaN}', '["\\ud800"]', '{"a": ' + "9" * 5000 + "}", "[1]"),
    *(
        '{"Version": "2020-12-01", "Steps": [{"Name": "A", "Type": "Fail", "Arguments": [[]]}]}',
        "f/-1",
        "b/99999999999",
    ),
    *("date(2026-01-01)", "bnVsbA==", "W10=", "WzEsIDIsIDMsIDRd", "W3RydWUsICIiLCBudWxsLCAxXQ==", "x" * 255, "y" * 256),
]
STRANGE_NUMBERS = [
    *(0, -1, 1, 2**31, -(2**31) - 1, 2**63, 2**64, 10**300, 1e308, -1e308, 5e-324, 0.1, -0.0, 253402300800, 1e17),
    *(
        Raw("1e999"),
        Raw("-1e999"),
        Raw("NaN"),
        Raw("Infinity"),
        Raw("9" * 5000),
        Raw("1" * 400),
        Raw("0." + "1" * 5000),
    ),
]
STRANGE_PARTS: list[Any] = [
    *(None, True, False, [], {}, [None], [[]], {"": ""}, {"a": None}, [{}], [1, "a", None], {"a": [{"b": {"c": []}}]}),
    *(nested(150), nested(300), nested(10_000), nested(100_000), nested(500, '{"a":', "}"), nested(500, '{"a":', "1}")),
    *(
        Raw('{"a": 1, "a": 2}'),
        Raw("01"),
        Raw("'a'"),
        Raw("[1,]"),
        Raw("\\"),
        Raw('"\\ud800"'),
        Raw('"\\x"'),
        Raw('"a'),
    ),
    *([SEED] * 3000, {str(number): "a" for number in range(3000)}, [[SEED]] * 1200, [{"Key": "a", "Value": "b"}] * 60),
]
STRANGE: list[Any] = [*STRANGE_TEXTS, *STRANGE_NUMBERS, *STRANGE_PARTS]


@cache
def _texts(shape: Shape) -> list[str]:
    allowed = shape.metadata.get("enum")
    if allowed:
        return list(allowed)
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 1_000)
    more = ("a" * least, "a" * min(most, 300), TEMPLATE, POLICY)
    return [text for text in (*TEXTS, *more) if not list(faults(shape, text))] or [SEED]


_KNOWN = {
    "TemplateBody": TEMPLATE,
    "PolicyDocument": POLICY,
    "AssumeRolePolicyDocument": POLICY,
    "EventPattern": '{"source": ["aws.s3"]}',
    "Detail": "{}",
}


@st.composite
def valid(draw: st.DrawFn, shape: Shape, name: str = "", depth: int = 0) -> Any:
    """A value of a shape; with a few of its optional members."""
    if isinstance(shape, StructureShape):
        if shape.is_document_type:
            return draw(st.sampled_from([{}, "a", 1, [1, None]]))
        return draw(_structure(shape, depth))
    if isinstance(shape, ListShape):
        least = shape.metadata.get("min", 0)
        return [draw(valid(shape.member, name, depth + 1)) for _ in range(max(least, draw(st.integers(0, 2))))]
    if isinstance(shape, MapShape):
        return {
            draw(valid(shape.key, "", depth + 1)): draw(valid(shape.value, "", depth + 1))
            for _ in range(max(shape.metadata.get("min", 0), draw(st.integers(0, 1))))
        }
    if shape.type_name == "string":
        if name in _KNOWN:
            return _KNOWN[name]
        texts = _texts(shape)
        # The first text is the name of what is there.
        return texts[0] if draw(st.booleans()) else draw(st.sampled_from(texts))
    if shape.type_name == "boolean":
        return draw(st.booleans())
    if shape.type_name == "timestamp":
        return draw(st.sampled_from([0, 1_767_225_600, 1_767_225_600.5]))
    if shape.type_name == "blob":
        return draw(st.sampled_from(["", "YQ==", "e30=", "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="]))
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 100)
    return draw(st.integers(int(least), min(int(most), int(least) + 10)))


@st.composite
def _structure(draw: st.DrawFn, shape: StructureShape, depth: int) -> dict[str, Any]:
    if shape.is_tagged_union:
        chosen = [draw(st.sampled_from(list(shape.members)))]
    else:
        optional = [name for name in shape.members if name not in shape.required_members]
        extra = draw(st.lists(st.sampled_from(optional), max_size=3, unique=True)) if optional and depth < 5 else []
        chosen = [*shape.required_members, *extra]
    return {name: draw(valid(shape.members[name], name, depth + 1)) for name in chosen}


@st.composite
def requests(draw: st.DrawFn, shape: Shape | None) -> Any:
    """A request of a shape: valid, or with one to three of its parts replaced, removed, repeated or added."""
    request = {} if shape is None else draw(valid(shape))
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        request = mutated(draw, copy.deepcopy(request))
    return request


def mutated(draw: Any, request: Any) -> Any:
    places = list(places_of(request))
    # A copy, because a later change of the request may be within it.
    strange = copy.deepcopy(draw(st.sampled_from(STRANGE)))
    if not places or draw(st.integers(0, 19)) == 0:
        return strange
    holder, place = draw(st.sampled_from(places))
    how = draw(st.sampled_from(["replace", "replace", "text", "replace", "remove", "repeat", "add", "key"]))
    if how == "remove":
        del holder[place]
    elif how == "repeat":
        holder[place] = [holder[place]] * draw(st.sampled_from([2, 51, 2000]))
    elif how == "add" and isinstance(holder, dict):
        holder[draw(st.sampled_from(["Strange", "", "__class__", MARK, "\0", "a" * 300]))] = strange
    elif how == "key" and isinstance(holder, dict):
        holder[draw(st.sampled_from(STRANGE_TEXTS))] = holder.pop(place)
    elif how == "text":
        holder[place] = draw(st.text(max_size=20))
    else:
        holder[place] = strange
    return request


def places_of(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for place, item in list(value.items() if isinstance(value, dict) else enumerate(value))[:50]:
            yield value, place
            yield from places_of(item)
