"""The AWS services beside this project's subject, answered by moto: IAM, STS, CloudFormation and more.

Moto keeps its state in memory. Each request that changed it is put into the service's records, and the requests
are run again, in their order, the first time that moto is needed after a restart: with the random numbers and
the time that they had at first, so that identifiers and dates are the same.
"""

from __future__ import annotations

import base64
import logging
import os
import re
import threading
import time
import uuid
from datetime import datetime, tzinfo
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from local.access import read_signature
from local.settings import ACCOUNT_ID
from local.wire import Head, Reply

if TYPE_CHECKING:
    from local.context import Context

KIND = "moto-request"
_READS = re.compile(
    r"(Get|List|Describe|Head|Lookup|Filter|Test|Validate|Simulate|Estimate|Search|Query|Detect|PutEvents)"
)
_NOT_KEPT = {"sts"}
_log = logging.getLogger(__name__)


class MotoServices:
    """Moto's own server application, imported when the first request needs it.

    One request at a time: the order in which they change moto's state is the order in which they are kept.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.RLock()
        self._application: Any = None

    def answer(self, context: Context, head: Head, body: bytes) -> Reply:
        """Answer a request to any service but the service's own."""
        service = read_signature(head).service
        return self._answer(service, operation_name(head, body), head, body)

    def answer_about_bucket(self, bucket: str, head: Head, body: bytes) -> Reply:
        """Answer a request about a bucket's settings."""
        name = "Get" if head.method in ("GET", "HEAD") else f"Put {bucket}"
        return self._answer("s3", name, head, body, bucket)

    def forget_bucket(self, bucket: str) -> None:
        """Forget the settings of a bucket that is deleted."""
        with self._lock:
            kept = [record for record in self._context.store.list(KIND) if record["Bucket"] == bucket]
            for record in kept:
                self._context.store.delete(KIND, record["Key"])
            if kept and self._application is not None:
                _moto_buckets().pop(bucket, None)

    def _answer(self, service: str, operation: str, head: Head, body: bytes, bucket: str | None = None) -> Reply:
        with self._lock:
            self._start()
            record: dict[str, Any] = {
                "Key": str(uuid.uuid4()),
                "Service": service,
                "Operation": operation,
                "Bucket": bucket,
                "Time": time.time(),
                "Method": head.method,
                "Path": head.raw_path.decode("latin-1"),
                "Query": head.query.decode("latin-1"),
                "Headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers.items()},
                "Body": base64.b64encode(body).decode(),
            }
            reply = self._run(record)
            changes = not _READS.match(operation) and service not in _NOT_KEPT
            if changes and reply.status < 300:
                self._context.store.insert(KIND, record["Key"], record)
            return reply

    def _start(self) -> None:
        if self._application is not None:
            return
        os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")
        os.environ.setdefault("MOTO_ACCOUNT_ID", ACCOUNT_ID)
        from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415

        self._application = DomainDispatcherApplication(create_backend_app)
        for record in self._context.store.list(KIND):
            reply = self._run(record, again=True)
            if reply.status >= 300:
                _log.error("%s of %s failed when run again", record["Operation"], record["Service"])

    def _run(self, record: dict[str, Any], again: bool = False) -> Reply:
        from moto.core import utils  # noqa: PLC0415
        from moto.moto_api._internal import mock_random  # noqa: PLC0415
        from werkzeug.test import EnvironBuilder, run_wsgi_app  # noqa: PLC0415

        mock_random.seed(record["Key"])
        if record["Bucket"] is not None:
            _ensure_moto_bucket(record["Bucket"], self._context.settings.region)
        builder = EnvironBuilder(
            path=record["Path"],
            query_string=record["Query"],
            method=record["Method"],
            headers=record["Headers"],
            data=base64.b64decode(record["Body"]),
        )
        environ = builder.get_environ()
        environ["RAW_URI"] = record["Path"] + (f"?{record['Query']}" if record["Query"] else "")
        present = utils.datetime
        try:
            if again:
                utils.datetime = SimpleNamespace(datetime=_clock_at(record["Time"]))
            parts, status, headers = run_wsgi_app(self._application, environ, buffered=True)
        finally:
            utils.datetime = present
        kept = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers
            if name.lower() not in ("content-length", "date", "server")
        ]
        return Reply(int(status.split()[0]), b"".join(parts), kept)


def operation_name(head: Head, body: bytes) -> str:
    """The operation that a request of any protocol asks for; for REST, the method stands for it."""
    target = head.headers.get(b"x-amz-target", b"").decode("latin-1")
    if target:
        return target.rpartition(".")[2]
    if b"/operation/" in head.raw_path:
        return head.raw_path.rpartition(b"/")[2].decode("latin-1")
    for text in (body, head.query):
        action = parse_qs(text.decode("latin-1")).get("Action")
        if action:
            return action[0]
    return {"GET": "Get", "HEAD": "Head"}.get(head.method, head.method)


def _clock_at(seconds: float) -> type[datetime]:
    class Recorded(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(seconds, tz)

    return Recorded


def _moto_buckets() -> dict[str, Any]:
    from moto.s3.models import s3_backends  # noqa: PLC0415

    buckets: dict[str, Any] = s3_backends[ACCOUNT_ID]["aws"].buckets
    return buckets


def _ensure_moto_bucket(bucket: str, region: str) -> None:
    from moto.s3.models import s3_backends  # noqa: PLC0415

    if bucket not in _moto_buckets():
        s3_backends[ACCOUNT_ID]["aws"].create_bucket(bucket, region)
