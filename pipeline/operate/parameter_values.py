"""Values of the pipeline's parameters: what would fail an execution at its end is refused before it starts.

A definition has no place for a pattern, so SageMaker takes any text. Both values here end up in the model package,
which is registered after all training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from pipeline.config.types import EndpointName, MetadataText
from pipeline.errors import UserError

if TYPE_CHECKING:
    from types_boto3_sagemaker.type_defs import ParameterTypeDef

_TYPES = {"DataVersion": TypeAdapter[str](MetadataText), "EndpointName": TypeAdapter[str](EndpointName)}


def check_values(parameters: list[ParameterTypeDef]) -> None:
    """Check parameters as ``start_pipeline_execution`` takes them.

    Raises:
        UserError: a value cannot be recorded in the model registry, or is no endpoint's name.
    """
    for parameter in parameters:
        name, value = parameter["Name"], parameter["Value"]
        try:
            if name in _TYPES:
                _TYPES[name].validate_python(value)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise UserError(f"PARAMS: {name}: {reason}.") from None
