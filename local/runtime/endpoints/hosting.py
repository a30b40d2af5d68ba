"""Answer InvokeEndpoint as sagemaker-runtime does."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from local.algorithms.errors import InferenceError
from local.core.arns import arn, resource_key
from local.core.disk import be_patient
from local.core.errors import ServiceError, not_implemented
from local.core.settings import ACCOUNT_ID
from local.runtime.endpoints.data_capture import DataCapture, Payload, Source
from local.runtime.endpoints.serving import Deployment, Variant
from local.runtime.metric_names import ENDPOINTS
from local.runtime.models.http_client import ATTRIBUTES
from local.runtime.models.server import ModelServer
from local.runtime.supervisor import Supervisor
from local.storage.log_files import Logs
from local.storage.metric_points import MetricPoints
from local.storage.objects import Objects

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]

LARGEST_ANSWER = 6 * 1024 * 1024
"""Maximum bytes of a response body. The gateway applies the same limit to requests.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html .
"""

_NOT_IMPLEMENTED = {
    b"x-amzn-sagemaker-target-model": "TargetModel",
    b"x-amzn-sagemaker-target-container-hostname": "TargetContainerHostname",
    b"x-amzn-sagemaker-inference-component": "InferenceComponentName",
    b"x-amzn-sagemaker-enable-explanations": "EnableExplanations",
    b"x-amzn-sagemaker-session-id": "SessionId",
}
_ATTRIBUTES = ATTRIBUTES.lower().encode()
_DRAIN_SECONDS = 60.0
"""The longest that an invocation takes."""
_NO_HEADERS: Mapping[bytes, bytes] = {}
_WRITERS = 4
"""Threads for short writes. Nothing that waits for a program may run in them."""
_log = logging.getLogger(__name__)


class Hosting:
    """The deployed endpoints.

    ``invoke`` touches no file: one look-up, the model's arithmetic, the answer. It runs in the event loop, and
    in a thread where it may take long: for large requests, and for models that are programs.
    Requests that fail are written to the endpoint's log from a thread; those that succeed are not logged.
    """

    def __init__(
        self, region: str, objects: Objects, logs: Logs, metrics: MetricPoints, supervisor: Supervisor
    ) -> None:
        self._region, self._logs, self._metrics, self._supervisor = region, logs, metrics, supervisor
        self._deployments: dict[str, Deployment] = {}
        self._capture = DataCapture(objects, self._log_later)
        self._writers = ThreadPoolExecutor(_WRITERS, "endpoint", initializer=be_patient)

    def close(self) -> None:
        """Flush captured data and logs."""
        # First, because what cannot be captured is logged.
        try:
            self._capture.flush()
        finally:
            self._writers.shutdown()

    def deployment(self, endpoint: str) -> Deployment | None:
        """Return an endpoint's deployment, or None."""
        return self._deployments.get(resource_key(endpoint))

    def put_in_service(self, deployment: Deployment) -> None:
        """Replace the endpoint's deployment, from the next request on. Requests in progress are answered."""
        key = resource_key(deployment.endpoint)
        replaced = self._deployments.get(key)
        self._deployments[key] = deployment
        if replaced is not None:
            self.retire(server for server in replaced.servers if server not in deployment.servers)

    def take_out_of_service(self, endpoint: str) -> None:
        """Stop serving an endpoint."""
        removed = self._deployments.pop(resource_key(endpoint), None)
        if removed is not None:
            self.retire(removed.servers)

    def retire(self, servers: Iterable[ModelServer]) -> None:
        """Stop model servers in the background, after their requests in progress."""
        for server in servers:
            self._supervisor.run_in_background(partial(server.close, _DRAIN_SECONDS), "stopping a model server")

    def may_take_long(self, endpoint: str) -> bool:
        """Return whether an endpoint's answers may take long, whatever the request."""
        deployment = self._deployments.get(endpoint.lower())
        return deployment is not None and bool(deployment.servers)

    def invoke(  # noqa: PLR0913, PLR0917 - these are what every invocation has
        self,
        name: str,
        body: bytes,
        content_type: str | None,
        accept: str | None,
        target_variant: str | None,
        headers: Mapping[bytes, bytes] = _NO_HEADERS,
    ) -> Answer:
        """Answer InvokeEndpoint.

        Args:
            name: of the endpoint.
            body: of the request.
            content_type: of the body; text/csv if None.
            accept: content type of the answer that the client wants; the algorithm's own if None.
            target_variant: the variant that must answer, or None to have it chosen by weight.
            headers: all of the request's headers by lower-case name, for those that few requests have.

        Returns:
            HTTP status, headers and body.

        Raises:
            ServiceError: NotImplementedException, the request has a member that is not imitated.
        """
        started = time.perf_counter()
        deployment = self._deployments.get(name.lower())
        if deployment is None:
            return _error(400, "ValidationError", f"Endpoint {name} of account {ACCOUNT_ID} not found.")
        variant = deployment.choose(target_variant)
        if variant is None:
            return _error(400, "ValidationError", f"Variant {target_variant} of endpoint {name} not found.")
        if not _NOT_IMPLEMENTED.keys().isdisjoint(headers):
            raise _not_implemented(headers)
        asked_type = content_type or "text/csv"
        asked_model = time.perf_counter()
        attributes = ""
        try:
            if isinstance(variant.model, ModelServer):
                given = headers.get(_ATTRIBUTES, b"").decode("latin-1")
                reply = variant.model.ask(body, asked_type, accept or "", given)
                answer, answer_type, attributes = reply.body, reply.content_type, reply.attributes
            else:
                answer, answer_type = variant.model.invoke(body, asked_type, accept or "")
        except Exception as error:
            status = error.status if isinstance(error, InferenceError) else 500
            self._measure(deployment, variant, status, started, asked_model)
            return self._model_error(deployment, variant, error)
        self._measure(deployment, variant, 200, started, asked_model)
        if len(answer) > LARGEST_ANSWER:
            return _error(413, "", f"HTTP content length exceeded {LARGEST_ANSWER} bytes.")
        if deployment.capture is not None:
            source = Source(deployment.endpoint, variant.name)
            inference_id = headers.get(b"x-amzn-sagemaker-inference-id", b"").decode("latin-1")
            asked, answered = Payload(body, asked_type), Payload(answer, answer_type)
            self._capture.record(deployment.capture, source, asked, answered, inference_id)
        return 200, _headers(answer_type.encode("latin-1"), variant, attributes), answer

    def _measure(
        self, deployment: Deployment, variant: Variant, status: int, started: float, asked_model: float
    ) -> None:
        """Add an invocation to the endpoint's metrics. One process serves, so it is the only instance."""
        now = time.perf_counter()
        values = {
            "Invocations": 1.0,
            "InvocationsPerInstance": 1.0,
            "Invocation4XXErrors": float(_is_client_error(status)),
            "Invocation5XXErrors": float(status != 200 and not _is_client_error(status)),
            "ModelLatency": _microseconds(now - asked_model),
            "OverheadLatency": _microseconds(asked_model - started),
        }
        dimensions = {"EndpointName": deployment.endpoint, "VariantName": variant.name}
        if self._metrics.add(ENDPOINTS, dimensions, values):
            self._write_later(self._metrics.write)

    def _write_later(self, write: Callable[[], None]) -> None:
        """Write to a log or to the metrics in a thread."""
        self._writers.submit(_run_logged, write)

    def _log_later(self, group: str, stream: str, lines: list[str]) -> None:
        self._write_later(partial(self._logs.append, group, stream, lines))

    def _model_error(self, deployment: Deployment, variant: Variant, error: Exception) -> Answer:
        status, message = 500, f"{type(error).__name__}: {error}"
        if isinstance(error, InferenceError):
            status, message = error.status, error.message
        endpoint, region = deployment.endpoint, self._region
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        self._log_later(group, f"{variant.name}/local", [f"{status} {message}"])
        is_client = _is_client_error(status)
        side, code = ("client", "CLIENT_ERROR_FROM_MODEL") if is_client else ("server", "SERVER_ERROR_FROM_MODEL")
        console = (
            f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
        )
        document = {
            "ErrorCode": code,
            "LogStreamArn": arn(region, "logs", f"log-group:{group}"),
            "Message": f'Received {side} error ({status}) from primary with message "{message}". '
            f"See {console} in account {ACCOUNT_ID} for more information.",
            "OriginalMessage": message,
            "OriginalStatusCode": status,
        }
        headers = [*_headers(b"application/json", variant), (b"x-amzn-ErrorType", b"ModelError")]
        return 424, headers, json.dumps(document).encode()


def _run_logged(write: Callable[[], None]) -> None:
    """Write something. Nobody reads the result of a pool's work, so an error would vanish."""
    try:
        write()
    except Exception:
        _log.exception("a line or metrics of an endpoint were not written")


def _is_client_error(status: int) -> bool:
    """Return whether a container's status is a client's error. A container that does not answer has the status 0."""
    return 400 <= status < 500


def _microseconds(seconds: float) -> float:
    """Return three significant digits, so that a minute has few different values."""
    return float(f"{seconds * 1e6:.3g}")


def _headers(content_type: bytes, variant: Variant, attributes: str = "") -> Headers:
    headers = [
        (b"x-amzn-RequestId", _request_id()),
        (b"x-Amzn-Invoked-Production-Variant", variant.name.encode()),
        (b"Content-Type", content_type),
    ]
    return [*headers, (_ATTRIBUTES, attributes.encode("latin-1"))] if attributes else headers


def _error(status: int, code: str, message: str) -> Answer:
    headers = [(b"x-amzn-RequestId", _request_id()), (b"Content-Type", b"application/json")]
    if code:
        headers.append((b"x-amzn-ErrorType", code.encode()))
    return status, headers, json.dumps({"Message": message}).encode()


def _not_implemented(headers: Mapping[bytes, bytes]) -> ServiceError:
    wanted = ", ".join(member for header, member in _NOT_IMPLEMENTED.items() if header in headers)
    return not_implemented("sagemaker-runtime", f"InvokeEndpoint with {wanted}")


def _request_id() -> bytes:
    """Return a random UUID. Every response needs one, so no system call is made."""
    digits = b"%032x" % random.getrandbits(128)
    return b"-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
