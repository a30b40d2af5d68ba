"""The AWS services that are delegated to moto: IAM, STS, CloudFormation and others.

Moto keeps its state in memory. The service stores each request that changes moto's state. The first time that moto is
needed after a restart, all stored requests run again in their order. They get the same random numbers and times as
before, so that identifiers and dates are the same.
"""

from __future__ import annotations

import base64
import logging
import os
import re
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from local.api.moto import stacks
from local.api.moto.checks import check_request, is_well_formed
from local.api.moto.regions import know_regions_of_ec2
from local.api.moto.secrets import has_secret, has_stored_secret, without_credentials
from local.aws.sigv4 import read_signature
from local.aws.wire import HttpResponse, RequestHead, protocol_of
from local.core.arns import partition
from local.core.errors import not_implemented
from local.core.settings import ACCOUNT_ID
from local.records.kinds import MOTO_REQUEST
from local.storage.store import Store

_READS = re.compile(
    r"(Get|List|Describe|Head|Lookup|Filter|Test|Validate|Simulate|Estimate|Search|Query|Detect|PutEvents)"
)
SERVICES = {
    *("iam", "sts", "cloudformation", "events", "monitoring", "application-autoscaling", "sns", "sqs", "kms"),
    *("secretsmanager", "ssm", "ecr"),
}
"""Signing names of the services delegated to moto. Others are refused, because moto would invent results."""
_FORGET = "forget the bucket"
"""The operation of a stored record, for a bucket that outlived its stack and is deleted now."""
_log = logging.getLogger(__name__)


class MotoFailedError(Exception):
    """Moto failed at a request, whose values it does not expect."""


class MotoServices:
    """Runs requests in moto's server application, which is imported on first use.

    Requests run one at a time, so that they are stored in the order in which they change moto's state. A process has
    only one state of moto. If a process has several local services, moto's state is rebuilt when a request comes to
    another service than before.
    """

    _lock = threading.RLock()
    _holder: MotoServices | None = None
    _application: Any = None

    def __init__(self, store: Store, region: str) -> None:
        self._store, self._region = store, region
        for record in store.list(MOTO_REQUEST):
            if has_stored_secret(record):
                store.delete(MOTO_REQUEST, record["Key"])
        self._changed = {record["Service"] for record in store.list(MOTO_REQUEST)}

    def start(self) -> None:
        """Import moto and give it the stored requests. Otherwise, the first request waits for that: 0.8 s."""
        with self._lock:
            self._start()

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request to a service that is delegated to moto.

        Raises:
            ServiceError: The service is not delegated, or moto does not implement the operation.
        """
        service, name = read_signature(head).service, operation_name(head, body)
        if service not in SERVICES:
            raise not_implemented(service, name)
        check_request(service, name, head, body)
        try:
            return self._answer(head, body, _record(service, name, head, body))
        except MotoFailedError:
            raise not_implemented(service, f"{name} with these values, at which moto fails") from None

    def answer_about_bucket(self, bucket: str, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer an S3 request about a bucket's settings.

        Raises:
            MotoFailedError: Moto cannot read the request.
            ServiceError: Moto does not implement the operation.
        """
        name = "Get" if head.method in ("GET", "HEAD") else f"Put {bucket}"
        return self._answer(head, body, _record("s3", name, head, body, bucket))

    def forget_bucket(self, bucket: str) -> None:
        """Delete the settings of a deleted bucket, and what is left of it if a stack that is gone has created it."""
        with self._lock:
            settings = [
                record
                for record in self._store.list(MOTO_REQUEST)
                if record["Bucket"] == bucket and record["Operation"] != _FORGET
            ]
            for record in settings:
                self._store.delete(MOTO_REQUEST, record["Key"])
            if settings and MotoServices._holder is self:
                # Moto keeps some data of a deleted bucket, such as tags, so its state is rebuilt without the bucket.
                MotoServices._holder = None
            if self.has_changed("cloudformation"):
                self._start()
                if bucket in _moto_s3(self._region).buckets and not stacks.has_bucket(self._region, bucket):
                    head = RequestHead("DELETE", f"/{bucket}".encode(), b"", {})
                    record = _record("s3", _FORGET, head, b"", bucket)
                    self._keep(record)
                    self._run(record)

    def has_changed(self, *services: str) -> bool:
        """Return whether any stored request went to one of the services."""
        return not self._changed.isdisjoint(services)

    @contextmanager
    def backend(self, service: str, region: str) -> Iterator[Any]:
        """Lend moto's model of a service, whose state does not change in the meantime.

        Args:
            service: the service's name in moto.
            region: a region, or a partition for services without regions.
        """
        with self._lock:
            self._start()
            from moto.backends import get_backend  # noqa: PLC0415

            yield get_backend(service)[ACCOUNT_ID][region]

    def bucket_names(self) -> set[str]:
        """Return the names of moto's buckets, which are those of stacks and those with settings."""
        with self._lock:
            self._start()
            return set(_moto_s3(self._region).buckets)

    def tells_events(self, bucket: str) -> bool:
        """Return whether a bucket sends its notifications to EventBridge."""
        if not self.has_changed("s3", "cloudformation"):
            return False
        with self._lock:
            self._start()
            known = _moto_s3(self._region).buckets.get(bucket)
            settings = known and known.notification_configuration
            return bool(settings and settings.event_bridge is not None)

    def bucket_encryption(self, bucket: str) -> dict[str, Any]:
        """Return the rule of a bucket's default encryption as moto keeps it, or nothing if it was not set."""
        if not self.has_changed("s3", "cloudformation"):
            return {}
        with self._lock:
            self._start()
            known = _moto_s3(self._region).buckets.get(bucket)
            return dict(known.encryption["Rule"]) if known and known.encryption else {}

    def undeleted_stack(self, stack: str) -> stacks.UndeletedStack | None:
        """Return a stack, given its name or ARN, or None if there is none."""
        with self._lock:
            self._start()
            return stacks.find(self._region, stack)

    def delete_stack(self, head: RequestHead, body: bytes, deletion: stacks.Deletion) -> HttpResponse:
        """Answer DeleteStack, and keep some of the stack's resources.

        Raises:
            ServiceError: The request is not valid.
        """
        check_request("cloudformation", "DeleteStack", head, body)
        record = _record("cloudformation", "DeleteStack", head, body)
        return self._answer(head, body, record | {"Deletion": deletion.record()})

    def _answer(self, head: RequestHead, body: bytes, record: dict[str, Any]) -> HttpResponse:
        service, operation = record["Service"], record["Operation"]
        with self._lock:
            self._start()
            record = without_credentials(record)
            changes = not _READS.match(operation) and not has_secret(service, operation, body)
            try:
                reply = self._run(record)
                has_failed = reply.status >= 500 or not is_well_formed(reply, protocol_of(service, head.headers))
            except NotImplementedError:
                raise not_implemented(service, operation) from None
            except Exception:
                _log.warning("moto failed at %s of %s", operation, service, exc_info=True)
                has_failed = True
            if has_failed:
                if changes:
                    # Moto may have made a part of the change.
                    MotoServices._holder = None
                raise MotoFailedError
            if changes and reply.status >= 300 and service == "cloudformation":
                # Moto leaves the part of a stack that it made before it failed.
                MotoServices._holder = None
            if changes and reply.status < 300 and not _has_received_nothing(operation, reply):
                self._keep(record)
            return reply

    def _keep(self, record: dict[str, Any]) -> None:
        try:
            self._store.insert(MOTO_REQUEST, record["Key"], record)
            self._changed.add(record["Service"])
        except Exception:
            # The client gets an error, so moto's state must be rebuilt without the request.
            MotoServices._holder = None
            raise

    def _start(self) -> None:
        if MotoServices._holder is self:
            return
        os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")
        os.environ.setdefault("MOTO_ACCOUNT_ID", ACCOUNT_ID)
        # So that roles can have AmazonSageMakerFullAccess and the like. Takes a tenth of a second.
        os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        know_regions_of_ec2()
        from moto.moto_api._internal.models import moto_api_backend  # noqa: PLC0415
        from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415

        moto_api_backend.reset()
        MotoServices._application = DomainDispatcherApplication(create_backend_app)
        MotoServices._holder = self
        for record in self._store.list(MOTO_REQUEST):
            reply = self._run(record)
            if reply.status >= 300:
                _log.error("%s of %s failed when it ran again after a restart", record["Operation"], record["Service"])

    def _run(self, record: dict[str, Any]) -> HttpResponse:
        from moto.core import utils  # noqa: PLC0415
        from moto.moto_api._internal import mock_random  # noqa: PLC0415
        from werkzeug.test import EnvironBuilder, run_wsgi_app  # noqa: PLC0415

        mock_random.seed(record["Key"])
        if record["Operation"] == _FORGET:
            _forget_moto_bucket(record["Bucket"], self._region)
            return HttpResponse(204, b"", [])
        if record["Bucket"] is not None:
            _ensure_moto_bucket(record["Bucket"], self._region)
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
            utils.datetime = SimpleNamespace(datetime=_clock_at(record["Time"]))
            with stacks.keeping(self._region, record.get("Deletion")):
                parts, status, headers = run_wsgi_app(self._application, environ, buffered=True)
        finally:
            utils.datetime = present
        kept = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers
            if name.lower() not in ("content-length", "date", "server")
        ]
        return HttpResponse(int(status.split()[0]), b"".join(parts), kept)


def _record(service: str, operation: str, head: RequestHead, body: bytes, bucket: str = "") -> dict[str, Any]:
    return {
        "Key": str(uuid.uuid4()),
        "Service": service,
        "Operation": operation,
        "Bucket": bucket or None,
        "Time": time.time(),
        "Method": head.method,
        "Path": head.raw_path.decode("latin-1"),
        "Query": head.query.decode("latin-1"),
        "Headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers.items()},
        "Body": base64.b64encode(body).decode(),
    }


def operation_name(head: RequestHead, body: bytes) -> str:
    """Return the name of a request's operation, in any protocol. For a REST request, this is the method."""
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


def _has_received_nothing(operation: str, reply: HttpResponse) -> bool:
    """Return whether a request looked in vain for messages of a queue. Consumers do this all the time."""
    return operation == "ReceiveMessage" and b"ReceiptHandle" not in reply.body


def _clock_at(seconds: float) -> type[datetime]:
    class Recorded(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(seconds, tz)

    return Recorded


def _moto_s3(region: str) -> Any:
    from moto.s3.models import s3_backends  # noqa: PLC0415

    return s3_backends[ACCOUNT_ID][partition(region)]


def _ensure_moto_bucket(bucket: str, region: str) -> None:
    if bucket not in _moto_s3(region).buckets:
        _moto_s3(region).create_bucket(bucket, region)


def _forget_moto_bucket(bucket: str, region: str) -> None:
    backend = _moto_s3(region)
    backend.delete_bucket_tagging(bucket)
    backend.delete_bucket(bucket)
