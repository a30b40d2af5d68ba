"""SageMaker's HTTP interfaces: the operations of its API, and invocations of endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from local.api.sagemaker.operations import SageMakerApi
from local.aws.wire import HttpResponse, RequestHead, json_document, json_reply, new_request_id
from local.core.arns import resource_key
from local.core.errors import ServiceError, not_implemented
from local.records.endpoints import is_serverless
from local.records.kinds import ENDPOINT
from local.runtime.endpoints.hosting import Hosting
from local.storage.store import Store

LARGEST_INVOCATION = 6 * 1024 * 1024
_LARGEST_SERVERLESS = 4 * 1024 * 1024
"""Maximum bytes of a serverless endpoint's requests and responses.
https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-invoke.html
"""
_TARGET_PREFIX = "SageMaker."


@dataclass(frozen=True)
class SageMakerHttp:
    """SageMaker's HTTP interfaces."""

    api: SageMakerApi
    hosting: Hosting
    store: Store

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Call the operation that the header ``X-Amz-Target`` names.

        Raises:
            ServiceError: The operation failed or is not implemented.
        """
        target = head.headers.get(b"x-amz-target", b"").decode("latin-1")
        if not target.startswith(_TARGET_PREFIX):
            # Requests to the Feature Store's runtime, SageMaker Metrics and others are signed for "sagemaker" too.
            raise not_implemented("sagemaker", f"{head.method} {head.raw_path.decode('latin-1')}")
        return json_reply(self.api.call(target.removeprefix(_TARGET_PREFIX), json_document(body)))

    def may_take_long(self, head: RequestHead) -> bool:
        """Return whether the answer to an invocation may take long, whatever its size."""
        return self.hosting.may_take_long(_endpoint(head)[0])

    def invoke(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Send a request to an endpoint's model: ``POST /endpoints/<name>/invocations``.

        Raises:
            ServiceError: The request is not an invocation, or the invocation failed.
        """
        name, rest = _endpoint(head)
        if rest != "invocations" or head.method != "POST":
            raise not_implemented("sagemaker-runtime", f"{head.method} /endpoints/{name}/{rest}")
        if len(body) > _LARGEST_SERVERLESS and self._is_serverless(name):
            # The words are AWS's: https://github.com/aws/sagemaker-python-sdk/issues/4271
            raise ServiceError("ValidationError", f"Request {new_request_id()} has oversize body.")
        status, headers, answered = self.hosting.invoke(
            name,
            body,
            _text(head, b"content-type"),
            _text(head, b"accept"),
            _text(head, b"x-amzn-sagemaker-target-variant"),
            head.headers,
        )
        if len(answered) > _LARGEST_SERVERLESS and self._is_serverless(name):
            raise ServiceError("", f"HTTP content length exceeded {_LARGEST_SERVERLESS} bytes.", 413)
        return HttpResponse(status, answered, headers)

    def _is_serverless(self, name: str) -> bool:
        return is_serverless(self.store.find(ENDPOINT.name, resource_key(name)) or {})


def _endpoint(head: RequestHead) -> tuple[str, str]:
    """Return the name of an invocation's endpoint, and the rest of the path after it."""
    name, _, rest = head.raw_path.decode("latin-1").removeprefix("/endpoints/").partition("/")
    return unquote(name), rest


def _text(head: RequestHead, name: bytes) -> str | None:
    value = head.headers.get(name)
    return None if value is None else value.decode("latin-1")
