"""The members of requests, one by one: a valid request that has a member, and what has become of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from definition_language.constraints import faults
from tests.local.conftest import IMAGE, ROLE

Path = tuple[str, ...]
"""Names of members. The items of a list and the values of a map have their holder's path."""

ACCOUNT = "us-east-1:123456789012"
TEXTS = (
    *(
        "made-by-test",
        "1",
        "s3://bucket/made/by/test",
        "7",
        ROLE,
        IMAGE,
        "/opt/ml/processing/made",
        "sg-12345678",
        "subnet-12345678",
    ),
    *("0123456789", "a" * 20, "a" * 32, "0" * 64, f"arn:aws:sagemaker:{ACCOUNT}:model-package/made/1", "ml.m5.xlarge"),
    *(
        f"arn:aws:sagemaker:{ACCOUNT}:{kind}/made"
        for kind in ("model-package-group", "algorithm", "mlflow-app", "hub-content")
    ),
    *(
        f"arn:aws:lambda:{ACCOUNT}:function:made",
        f"arn:aws:kms:{ACCOUNT}:key/made",
        f"arn:aws:sns:{ACCOUNT}:made",
        "$.a",
    ),
    *(
        f"arn:aws:sagemaker:{ACCOUNT}:{kind}/made"
        for kind in ("training-plan", "reserved-capacity", "experiment", "hub/a")
    ),
    *(
        "https://example.com/made",
        "123456789012",
        "PT1H",
        "12345678-1234-1234-1234-123456789012",
        "text/csv",
        "1.0",
        "a=b",
    ),
    *(
        "main.handler",
        "python3.12",
        f"arn:aws:ec2:{ACCOUNT}:capacity-reservation/cr-1",
        "cr-12345678901234567",
        "[a]",
        "*",
    ),
    *(
        f"arn:aws:sqs:{ACCOUNT}:made",
        f"arn:aws:elasticfilesystem:{ACCOUNT}:access-point/fsap-12345678901234567",
        "/mnt/a",
    ),
    *(
        f"arn:aws:lambda:{ACCOUNT}:layer:made:1",
        f"arn:aws:lambda:{ACCOUNT}:code-signing-config:csc-12345678901234567",
        "lambda:Invoke",
    ),
    *(
        f"arn:aws:sagemaker:{ACCOUNT}:pipeline/made",
        f"arn:aws:sagemaker:{ACCOUNT}:pipeline/made/execution/abcdefghijkl",
    ),
    *(
        f"arn:aws:sagemaker:{ACCOUNT}:hub-content/made/DataSet/made",
        f"arn:aws:sagemaker:{ACCOUNT}:hub-content/made/Model/made",
        "sha256:" + "0" * 64,
        "mig-1g.5gb",
        "1K",
        "Parameters.made",
    ),
    *(
        f"arn:aws:sagemaker:{ACCOUNT}:pipeline/made/version/1",
        f"arn:aws:cloudwatch:{ACCOUNT}:alarm:made",
        "made@1",
        "a.b",
    ),
    *(
        f"arn:aws:lambda:{ACCOUNT}:capacity-provider:made",
        f"arn:aws:lambda:{ACCOUNT}:runtime/made-by-test",
        "us-east-1",
        "o-1234567890",
        f"arn:aws:kms:{ACCOUNT}:made",
    ),
    *("fs-12345678", "ComparisonOperator", "s3://bucket/made.tar.gz", "ASCII", "2026-01-31T12:00:00Z"),
)


def leaves(shape: Shape, path: Path = (), within: tuple[str, ...] = ()) -> Iterator[Path]:
    """The paths of all members that hold a value; a structure without members and one within itself count as values."""
    if isinstance(shape, ListShape):
        yield from leaves(shape.member, path, within)
    elif isinstance(shape, MapShape):
        yield from leaves(shape.value, path, within)
    elif (
        isinstance(shape, StructureShape) and shape.members and shape.name not in within and not shape.is_document_type
    ):
        for name, member in shape.members.items():
            yield from leaves(member, (*path, name), (*within, shape.name))
    else:
        yield path


def valid(shape: Shape, path: Path = (), other: int = 0) -> Any:
    """The smallest valid value of a shape that has the member at a path.

    Args:
        shape: the shape.
        path: the member.
        other: which of several possible values the member has.
    """
    if isinstance(shape, StructureShape):
        members = {name: valid(shape.members[name]) for name in shape.required_members}
        if shape.is_tagged_union and not path:
            members = {next(iter(shape.members)): valid(next(iter(shape.members.values())))}
        if path:
            members[path[0]] = valid(shape.members[path[0]], path[1:], other)
        return members
    if isinstance(shape, ListShape):
        return [valid(shape.member, path, other) for _ in range(max(1, shape.metadata.get("min", 1)))]
    if isinstance(shape, MapShape):
        key = valid(shape.key)
        return {
            f"{key}{'x' * number}": valid(shape.value, path, other)
            for number in range(shape.metadata.get("min", 1) or 1)
        }
    return values(shape)[other]


def values(shape: Shape) -> list[Any]:
    """The values that a member of a shape is tried with: those of an enumeration, or one that is no default."""
    if shape.metadata.get("enum"):
        # Hundreds of types of instances are all alike.
        return list(shape.metadata["enum"])[:8]
    if shape.type_name == "string":
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 10_000)
        fitting = [text for text in (*TEXTS, "a" * least, "a" * min(most, 20)) if not list(faults(shape, text))]
        assert fitting, f"no text fits {shape.name}: {shape.metadata}"
        return fitting[:1]
    if shape.type_name == "boolean":
        return [True, False]
    if shape.type_name == "timestamp":
        return [1_767_225_600.0]
    if shape.type_name == "blob":
        return ["YQ=="]
    if shape.type_name == "structure":
        return [{}]
    least, most = shape.metadata.get("min", 1), shape.metadata.get("max", 1_000_000)
    number = min(least + 1, most) if shape.type_name in ("integer", "long") else min(least + 0.5, most)
    return [number]


def shape_at(shape: Shape, path: Path) -> Shape:
    while isinstance(shape, ListShape | MapShape):
        shape = shape.member if isinstance(shape, ListShape) else shape.value
    return shape_at(shape.members[path[0]], path[1:]) if path and isinstance(shape, StructureShape) else shape


def merged(base: Any, added: Any) -> Any:
    """A base request with the members of another; where both have a value, the added one."""
    if isinstance(base, dict) and isinstance(added, dict):
        return {name: merged(base.get(name), added.get(name, base.get(name))) for name in {**base, **added}}
    if isinstance(base, list) and isinstance(added, list) and base and added:
        return [merged(base[0], added[0]), *base[1:]]
    return copy.deepcopy(base if added is None else added)


def values_at(document: Any, path: Path) -> list[Any]:
    """All values that a document has at a path."""
    if isinstance(document, list):
        return [value for item in document for value in values_at(item, path)]
    if not isinstance(document, dict):
        return [] if path else [document]
    if path and path[0] in document:
        return values_at(document[path[0]], path[1:])
    # A map's keys are no members.
    return [
        value
        for item in document.values()
        if isinstance(item, dict | list) or not path
        for value in values_at(item, path)
    ]
