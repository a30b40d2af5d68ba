"""Data capture: write an endpoint's requests and responses to S3 as JSON lines.

Format and path: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html .
"""

from __future__ import annotations

import base64
import json
import random
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from definition_language.text import number_of
from local.core.disk import NO_SPACE, is_full
from local.core.errors import ServiceError
from local.storage.objects import Objects
from local.storage.store import Document

FLUSH_SECONDS = 1.0
"""Maximum time a captured request stays in memory. ``kill -9`` loses these requests."""


@dataclass(frozen=True)
class CaptureSettings:
    """An endpoint's capture settings, from ``DataCaptureConfig``.

    Attributes:
        percentage: of requests to capture, 0 to 100.
        destination: S3 URI that the files' keys begin with.
        modes: ``Input``, ``Output``, ``InputAndOutput``.
        encodings: content types that are captured as text, and as what (``CSV``, ``JSON``); others become base64.
    """

    percentage: int
    destination: str
    modes: frozenset[str]
    encodings: dict[str, str]

    @classmethod
    def of(cls, config: Document | None) -> CaptureSettings | None:
        """Return the settings of a ``DataCaptureConfig``, or None if capture is disabled."""
        if not config or not config.get("EnableCapture", True):
            return None
        headers = config.get("CaptureContentTypeHeader", {})
        encodings = dict.fromkeys(headers.get("CsvContentTypes", []), "CSV")
        encodings |= dict.fromkeys(headers.get("JsonContentTypes", []), "JSON")
        return cls(
            config["InitialSamplingPercentage"],
            config["DestinationS3Uri"],
            frozenset(option["CaptureMode"] for option in config["CaptureOptions"]),
            encodings,
        )


@dataclass(frozen=True, slots=True)
class Payload:
    """The body and content type of a request or response."""

    body: bytes
    content_type: str


@dataclass(frozen=True)
class Source:
    """The endpoint and the variant that answered."""

    endpoint: str
    variant: str


class DataCapture:
    """Collects captured requests and writes them to S3 in a separate thread, so requests do not wait.

    Args:
        objects: where the requests go.
        log: appends lines to a stream of a log group, without waiting for room on the disk.
    """

    def __init__(self, objects: Objects, log: Callable[[str, str, list[str]], None]) -> None:
        self._objects = objects
        self._log = log
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._lines: dict[tuple[str, Source], list[str]] = defaultdict(list)
        self._timer: threading.Timer | None = None

    def record(
        self, settings: CaptureSettings, source: Source, asked: Payload, answered: Payload, inference_id: str
    ) -> None:
        """Capture a request and its response, if sampling selects them.

        Args:
            settings: what to capture, and to where.
            source: who answered.
            asked: the request.
            answered: the answer.
            inference_id: the client's name for the request, empty if it gave none.
        """
        if random.random() * 100 >= settings.percentage:
            return
        line = _line(settings, asked, answered, inference_id)
        with self._lock:
            self._lines[settings.destination, source].append(line)
            if self._timer is None:
                self._timer = threading.Timer(FLUSH_SECONDS, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write the collected requests. Those that cannot be written are lost; the endpoint's log says so.

        Returns when a flush of another thread has ended, too.
        """
        with self._flushing:
            with self._lock:
                collected, self._lines, self._timer = self._lines, defaultdict(list), None
            for (destination, source), lines in collected.items():
                now = datetime.now(UTC)
                file = f"{now:%Y/%m/%d/%H/%M-%S}-{now.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
                uri = f"{destination.rstrip('/')}/{source.endpoint}/{source.variant}/{file}"
                reason = self._write(uri, lines)
                if reason:
                    group = f"/aws/sagemaker/Endpoints/{source.endpoint}"
                    sentence = f"data capture lost {number_of(len(lines), 'record')}: {uri} cannot be written: {reason}"
                    self._log(group, f"{source.variant}/data-capture", [sentence])

    def _write(self, uri: str, lines: list[str]) -> str:
        """Write lines to an object. Return why that failed, or ""."""
        try:
            if not self._objects.bucket_exists(uri):
                return "the bucket does not exist"
            self._objects.write(uri, "".join(lines).encode())
        except ServiceError as error:
            return error.message
        except OSError as error:
            return NO_SPACE if is_full(error) else str(error)
        return ""


def _line(settings: CaptureSettings, asked: Payload, answered: Payload, inference_id: str) -> str:
    captured = {}
    if settings.modes & {"Input", "InputAndOutput"}:
        captured["endpointInput"] = _side(settings, asked, "INPUT")
    if settings.modes & {"Output", "InputAndOutput"}:
        captured["endpointOutput"] = _side(settings, answered, "OUTPUT")
    metadata = {"eventId": str(uuid.uuid4())}
    if inference_id:
        metadata["inferenceId"] = inference_id
    metadata["inferenceTime"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = {"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}
    return json.dumps(event, separators=(",", ":")) + "\n"


def _side(settings: CaptureSettings, payload: Payload, mode: str) -> dict[str, str]:
    encoding = settings.encodings.get(payload.content_type.partition(";")[0].strip(), "BASE64")
    body = base64.b64encode(payload.body) if encoding == "BASE64" else payload.body
    return {
        "observedContentType": payload.content_type,
        "mode": mode,
        "data": body.decode(errors="replace"),
        "encoding": encoding,
    }
