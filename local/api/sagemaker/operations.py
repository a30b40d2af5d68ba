"""Calls of SageMaker's operations.

Both the HTTP interface and the pipeline interpreter use ``SageMakerApi.call``. A step's request therefore gets the same
checks and errors as a client's request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import OperationModel

from local.api.sagemaker.page_tokens import bind, release
from local.aws.service_models import service_model, shaped
from local.aws.shapes import validate_request
from local.core.errors import ServiceError, not_implemented, validation_error

Request = dict[str, Any]
Response = dict[str, Any]
Operation = Callable[[Request], Response | None]
"""Takes a request that matches its input shape, and returns the members of the response.

Times are seconds since the epoch. ``SageMakerApi.call`` removes members that the output shape does not have.
"""


class SageMakerApi:
    """SageMaker's operations.

    Attributes:
        operations: The implemented operations by name.

    Raises:
        ValueError: SageMaker has no operation of a given name.
    """

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        unknown = operations.keys() - set(service_model().operation_names)
        if unknown:
            raise ValueError(f"SageMaker has no operation {', '.join(sorted(unknown))}")
        self.operations = dict(operations)

    def call(self, name: str, request: Request) -> Response:
        """Validate a request, and call the operation.

        Args:
            name: The operation, for example ``CreatePipeline``.
            request: The request as a JSON value.

        Returns:
            The response as a JSON object with members of the output shape only.

        Raises:
            ServiceError: The request is not valid, or the operation failed, is unknown or is not implemented.
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
        response = operation(release(name, request)) or {}
        if "NextToken" in response:
            response = response | {"NextToken": bind(name, request, response["NextToken"])}
        return {} if model.output_shape is None else shaped(model.output_shape, response)
