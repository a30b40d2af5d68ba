"""Checks values of the pipeline's parameters before an execution starts.

A definition cannot hold a pattern, so SageMaker accepts any text. Both values here become part of the model package,
so a wrong one would fail the execution only after all training.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from pipeline.config.types import EndpointName, MetadataText
from pipeline.errors import UserError

if TYPE_CHECKING:
    from types_boto3_sagemaker.type_defs import ParameterTypeDef

_TYPES = {"DataVersion": TypeAdapter[str](MetadataText), "EndpointName": TypeAdapter[str](EndpointName)}


def check_values(parameters: Iterable[ParameterTypeDef]) -> None:
    """Check the parameters of a ``start_pipeline_execution`` request.

    Raises:
        UserError: a value is not valid model metadata or not a valid endpoint name.
    """
    for parameter in parameters:
        name, value = parameter["Name"], parameter["Value"]
        try:
            if name in _TYPES:
                _TYPES[name].validate_python(value)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise UserError(f"Parameter {name}: {reason}.") from None
