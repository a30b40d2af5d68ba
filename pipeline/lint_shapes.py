"""A step's arguments against the shape of the request that SageMaker will make of them, as botocore has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

_REQUESTS = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "x"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "x"}),
    "Tuning": ("CreateHyperParameterTuningJob", {"HyperParameterTuningJobName": "x"}),
    "Transform": ("CreateTransformJob", {"TransformJobName": "x"}),
    "RegisterModel": ("CreateModelPackage", {}),
    "Model": ("CreateModel", {"ModelName": "x"}),
}
"""The request behind a step's type, and the members that the pipeline's execution fills in."""

_EXPRESSIONS = ({"Get"}, {"Std:Join"}, {"Std:JsonGet"})
_STAND_INS = {"integer": 1, "long": 1, "float": 1.0, "double": 1.0, "boolean": True}
_UNCHECKED = re.compile(r"^(\.\*|\[\\s\\S\]\*)$|\\p\{")
"""Patterns that admit anything, or that name classes of Unicode as Java does: both are of free text."""


class _Unknown(str):
    """What an expression will become: text of which only the type is known."""


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("sagemaker")


def argument_faults(step_type: str, arguments: dict[str, Any]) -> Iterator[str]:
    """What SageMaker would refuse in a step's arguments: types, members, enumerations, patterns and lengths.

    An expression, whose value is known only in an execution, is taken for a right value.
    """
    if step_type not in _REQUESTS:
        return
    operation, filled_in = _REQUESTS[step_type]
    shape = _model().operation_model(operation).input_shape
    request = _resolved(shape, {**arguments, **filled_in})
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        yield from (f"Arguments: {line}" for line in report.generate_report().split("\n"))
        return
    yield from _value_faults(shape, request, "Arguments")


def _resolved(shape: Shape, value: Any) -> Any:
    if isinstance(value, dict) and set(value) in _EXPRESSIONS:
        return _STAND_INS.get(shape.type_name, _Unknown("s3://unknown/value"))
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {k: _resolved(shape.members[k], v) if k in shape.members else v for k, v in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_resolved(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _resolved(shape.value, item) for key, item in value.items()}
    return value


def _value_faults(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name, item in value.items():
            yield from _value_faults(shape.members[name], item, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value):
            yield from _value_faults(shape.member, item, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        for name, item in value.items():
            yield from _value_faults(shape.value, item, f"{path}.{name}")
    elif isinstance(value, str) and not isinstance(value, _Unknown):
        yield from _text_faults(shape, value, path)
    most = shape.metadata.get("max")
    if most is not None and isinstance(value, list | dict) and len(value) > most:
        yield f"{path}: {len(value)} entries; SageMaker takes {most}"


def _text_faults(shape: Shape, value: str, path: str) -> Iterator[str]:
    enum, pattern, most = (shape.metadata.get(name) for name in ("enum", "pattern", "max"))
    if enum and value not in enum:
        yield f"{path}: {value!r} is not one of SageMaker's values"
    if most is not None and len(value) > most:
        yield f"{path}: {len(value)} characters; SageMaker takes {most}"
    if pattern and not _UNCHECKED.search(pattern) and not re.fullmatch(pattern, value, re.DOTALL):
        yield f"{path}: {value!r} does not match {pattern}"
