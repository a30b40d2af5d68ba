"""The one way to call an operation of SageMaker.

The gateway and the pipeline interpreter both go through ``call``: a step starts its job with the same request, and
meets the same checks and errors, as an AWS client does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import OperationModel

from local.aws.service_models import service_model, shaped
from local.aws.shapes import validate_request
from local.core.errors import ServiceError, not_implemented, validation_error

Request = dict[str, Any]
Response = dict[str, Any]
Operation = Callable[[Request], Response | None]
"""Takes a request that its input shape admits. Returns the response's members, times as seconds since the epoch;
members that the output shape does not have are left out of the answer."""


class SageMakerApi:
    """SageMaker's operations.

    Attributes:
        operations: those that the service has, by name.

    Raises:
        ValueError: SageMaker has no operation of such a name.
    """

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        unknown = operations.keys() - set(service_model().operation_names)
        if unknown:
            raise ValueError(f"SageMaker has no operation {', '.join(sorted(unknown))}")
        self.operations = dict(operations)

    def call(self, name: str, request: Request) -> Response:
        """Carry out an operation.

        Args:
            name: the operation, for example ``CreatePipeline``.
            request: its members as JSON has them.

        Returns:
            The response as JSON has it, holding members of the output shape only.

        Raises:
            ServiceError: the operation's own error, a ValidationException, or "not implemented".
        """
        if name not in service_model().operation_names:
            raise ServiceError("UnknownOperationException", f"SageMaker has no operation {name}")
        operation = self.operations.get(name)
        if operation is None:
            raise not_implemented("sagemaker", name)
        model: OperationModel = service_model().operation_model(name)
        if not isinstance(request, dict):
            raise validation_error("the request's body is not a JSON object")
        if model.input_shape is not None:
            validate_request(model.input_shape, request)
        response = operation(request) or {}
        return {} if model.output_shape is None else shaped(model.output_shape, response)
