"""Send events about objects to EventBridge.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from local.api.s3.sidecars import ObjectInfo
from local.aws.wire import new_request_id
from local.core.arns import partition
from local.core.settings import ACCOUNT_ID, HOST

if TYPE_CHECKING:
    from local.api.moto.services import MotoServices
    from local.core.ports import EventBus


class ObjectEvents:
    """Sends the events of the buckets that have them turned on.

    Args:
        region: the region of all buckets.
        moto: knows which buckets send events.
        events: receives the events.
    """

    def __init__(self, region: str, moto: MotoServices, events: EventBus) -> None:
        self._region, self._moto, self._events = region, moto, events

    def created(self, bucket: str, key: str, info: ObjectInfo, reason: str) -> None:
        """Send an event about a new object.

        Args:
            bucket: the bucket.
            key: the object's key.
            info: the object's properties.
            reason: the operation that wrote it.
        """
        about = {"size": info.size, "etag": info.etag.strip('"')}
        self._send("Object Created", bucket, key, about, {"reason": reason})

    def deleted(self, bucket: str, key: str) -> None:
        """Send an event about an object that was deleted."""
        self._send(
            "Object Deleted", bucket, key, {}, {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"}
        )

    def tagged(self, bucket: str, key: str, info: ObjectInfo) -> None:
        """Send an event about an object whose tags were changed; ``info`` has the new ones."""
        kind = "Object Tags Added" if info.tags else "Object Tags Deleted"
        self._send(kind, bucket, key, {"etag": info.etag.strip('"')}, {})

    def _send(self, kind: str, bucket: str, key: str, about: dict[str, Any], more: dict[str, str]) -> None:
        if not (self._events.may_have_rules() and self._moto.tells_events(bucket)):
            return
        detail = {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": key, **about, "sequencer": f"{time.time_ns():X}"},
            "request-id": new_request_id(),
            "requester": ACCOUNT_ID,
            "source-ip-address": HOST,
            **more,
        }
        self._events.emit("aws.s3", kind, detail, [f"arn:{partition(self._region)}:s3:::{bucket}"])
