"""Asking the function to roll back; what it then does is shown in tests/steps/test_deploy_endpoint.py."""

from __future__ import annotations

import io
import json

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from pipeline.errors import UserError
from pipeline.operate.rollback import roll_back

ANSWER = {
    "endpoint_name": "insurance",
    "endpoint_config_name": "insurance-v1-0123456789",
    "model_name": "insurance-v1-0123456789",
    "status": "Deploying",
}


@pytest.fixture
def functions():
    client = boto3.client("lambda", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    stubber = Stubber(client)
    # A test prepares the answers through the client that it hands on.
    vars(client)["stubber"] = stubber
    with stubber:
        yield client
    stubber.assert_no_pending_responses()


def payload(document):
    content = json.dumps(document).encode()
    return StreamingBody(io.BytesIO(content), len(content))


def test_the_function_is_asked_and_its_answer_returned(functions, resources) -> None:
    functions.stubber.add_response(
        "invoke",
        {"Payload": payload(ANSWER)},
        {"FunctionName": resources.deploy_function_name, "Payload": json.dumps({"rollback": "insurance"})},
    )
    assert roll_back(functions, resources.deploy_function_name, "insurance") == ANSWER


def test_what_the_function_refuses_is_its_own_sentence(functions, resources) -> None:
    sentence = "insurance serves insurance-v1-0123456789, and nothing older is kept to return to."
    functions.stubber.add_response(
        "invoke", {"FunctionError": "Unhandled", "Payload": payload({"errorMessage": sentence})}
    )
    with pytest.raises(UserError, match=r"nothing older is kept"):
        roll_back(functions, resources.deploy_function_name, "insurance")


def test_without_a_function_the_sentence_says_what_to_do(functions, resources) -> None:
    functions.stubber.add_client_error("invoke", "ResourceNotFoundException")
    with pytest.raises(UserError, match="run 'make upsert' first"):
        roll_back(functions, resources.deploy_function_name, "insurance")
