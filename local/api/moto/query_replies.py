"""Write responses of the Query protocol with moto's serializer."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session

from local.aws.wire import HttpResponse, new_request_id


@cache
def moto_model(service: str, operation: str) -> Any:
    """Return an operation in moto's own classes, which its parser and serializer of the Query protocol take."""
    from moto.core.model import ServiceModel  # noqa: PLC0415 - moto is imported at its first use

    loader = botocore.session.get_session().get_component("data_loader")
    return ServiceModel(loader.load_service_model(service, "service-2"), service).operation_model(operation)


def query_reply(service: str, operation: str, response: dict[str, Any]) -> HttpResponse:
    """Return a successful response.

    Args:
        service: the service's name in boto3.
        operation: the operation.
        response: the members of the response. Times are dates without a zone.
    """
    from moto.core.serialize import QuerySerializer, SerializationContext  # noqa: PLC0415 - as above

    context = SerializationContext(new_request_id())
    made = QuerySerializer(operation_model=moto_model(service, operation), context=context).serialize(response)
    body = made["body"]
    return HttpResponse(200, body.encode() if isinstance(body, str) else body, [(b"content-type", b"text/xml")])
