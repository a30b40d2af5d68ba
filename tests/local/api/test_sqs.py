"""SQS by moto: waiting for messages, which holds nobody up."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from local.records.kinds import MOTO_REQUEST


@pytest.fixture
def queue(service, request):
    client = service.client("sqs")
    return client, client.create_queue(QueueName=f"queue-{abs(hash(request.node.name))}")["QueueUrl"]


def test_a_wait_for_messages_ends_and_other_requests_are_answered_meanwhile(service, queue) -> None:
    client, url = queue
    with ThreadPoolExecutor(1) as consumers:
        waiting = consumers.submit(client.receive_message, QueueUrl=url, WaitTimeSeconds=1)
        assert "Roles" in service.client("iam").list_roles()
        assert "Messages" not in waiting.result(30)


def test_a_message_ends_the_wait_for_it(service, queue) -> None:
    client, url = queue
    begun = threading.Event()
    client.meta.events.register("before-send.sqs.ReceiveMessage", lambda **_: begun.set())
    with ThreadPoolExecutor(1) as consumers:
        waiting = consumers.submit(client.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        assert begun.wait(20)
        service.client("sqs").send_message(QueueUrl=url, MessageBody="text")
        (message,) = waiting.result(30)["Messages"]
    assert message["Body"] == "text"


def test_a_look_in_vain_is_not_stored(service, queue) -> None:
    client, url = queue
    before = len(service.parts.store.list(MOTO_REQUEST))
    client.receive_message(QueueUrl=url)
    assert len(service.parts.store.list(MOTO_REQUEST)) == before
    client.send_message(QueueUrl=url, MessageBody="text")
    client.receive_message(QueueUrl=url)
    assert len(service.parts.store.list(MOTO_REQUEST)) == before + 2


@pytest.mark.slow
def test_a_queues_own_wait_counts_and_a_wrong_one_is_refused(queue) -> None:
    client, url = queue
    client.set_queue_attributes(QueueUrl=url, Attributes={"ReceiveMessageWaitTimeSeconds": "1"})
    assert "Messages" not in client.receive_message(QueueUrl=url)
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        client.receive_message(QueueUrl=url, WaitTimeSeconds=21)
    with pytest.raises(ClientError, match="queue does not exist"):
        client.receive_message(QueueUrl=f"{url}-not")
