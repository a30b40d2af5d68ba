"""SQS: moto answers, but the service itself waits for messages, because moto answers one request at a time.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from local.api.moto.checks import check_request
from local.api.moto.requests import own_head
from local.api.moto.services import MotoServices, operation_name
from local.aws.wire import HttpResponse, RequestHead, json_document
from local.core.errors import ServiceError
from local.core.settings import ACCOUNT_ID

_LONGEST_WAIT = 20
_LOOK_SECONDS = 1.0
"""Seconds after which a waiting request looks again: delayed and abandoned messages appear without a request."""

_NO_QUEUE = "The specified queue does not exist."


class Sqs:
    """The operations of SQS.

    Args:
        moto: keeps the queues.
        region: the service's region.
    """

    def __init__(self, moto: MotoServices, region: str) -> None:
        self._moto, self._region = moto, region
        self._changed = threading.Condition()
        self._closed = False

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request. ReceiveMessage waits as long as it or its queue says.

        Raises:
            ServiceError: the request is refused, or moto does not implement the operation.
        """
        if operation_name(head, body) == "ReceiveMessage":
            check_request("sqs", "ReceiveMessage", head, body)
            return self._receive(head, json_document(body))
        reply = self._moto.answer(head, body)
        self._wake_up()
        return reply

    def send(self, queue_url: str, text: str) -> None:
        """Send a message for a service of AWS.

        Args:
            queue_url: the queue's URL.
            text: the message's body.

        Raises:
            ServiceError: the queue does not exist, or does not take such a message.
        """
        account = urlsplit(queue_url).path.split("/")[1:-1]
        if account != [ACCOUNT_ID]:
            raise ServiceError("AWS.SimpleQueueService.NonExistentQueue", _NO_QUEUE)
        body = json.dumps({"QueueUrl": queue_url, "MessageBody": text}).encode()
        reply = self._moto.answer(own_head("sqs", self._region, "AmazonSQS.SendMessage", "1.0"), body)
        if reply.status >= 300:
            error = json.loads(reply.body)
            raise ServiceError(error.get("__type", "InternalFailure"), error.get("message", ""), reply.status)
        self._wake_up()

    def close(self) -> None:
        """Let waiting requests end."""
        self._closed = True
        self._wake_up()

    def _receive(self, head: RequestHead, request: dict[str, Any]) -> HttpResponse:
        wait = request.get("WaitTimeSeconds")
        if wait is None:
            wait = self._queues_wait(request["QueueUrl"])
        if not 0 <= wait <= _LONGEST_WAIT:
            return self._moto.answer(head, json.dumps(request).encode())
        body = json.dumps(request | {"WaitTimeSeconds": 0}).encode()
        deadline = time.monotonic() + wait
        while True:
            # Held from the look on, so that no message comes unnoticed before the wait.
            with self._changed:
                reply = self._moto.answer(head, body)
                left = deadline - time.monotonic()
                if reply.status >= 300 or json.loads(reply.body).get("Messages") or left <= 0 or self._closed:
                    return reply
                self._changed.wait(min(left, _LOOK_SECONDS))

    def _queues_wait(self, queue_url: str) -> int:
        name = queue_url.rpartition("/")[2]
        with self._moto.backend("sqs", self._region) as sqs:
            queue = sqs.queues.get(name)
            return int(queue.receive_message_wait_time_seconds or 0) if queue else 0

    def _wake_up(self) -> None:
        with self._changed:
            self._changed.notify_all()
