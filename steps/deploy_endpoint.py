"""Lambda function: deploy an approved model package to an endpoint, without waiting until it is in service.

It is called with one of six events:

* by the pipeline's FindModel step: ``find_in_group`` and the other members that ``registered_model`` describes;
* by the pipeline's DeployEndpoint step: ``model_package_arn``, ``endpoint_name``, ``instance_type``,
  ``instance_count``;
* by the pipeline's ConfirmEndpoint step: ``confirm``, the endpoint's name, ``endpoint_config_name``, the configuration
  that was verified, and the verification's ``outcome`` and ``message``;
* by EventBridge when a person approves a package: the package's metadata then names the endpoint;
* by EventBridge when an endpoint has come into service: only then can its autoscaling be registered, and a
  package that was approved while the endpoint was busy can be deployed;
* by ``make rollback``: ``rollback``, the name of the endpoint to return to its last known good configuration.

The function does not wait until an endpoint is in service, because a Lambda step ends after 10 minutes and that may
take longer. It waits for the end of another deployment's change, at most nine minutes.
Its package also contains ``deployment``.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, Protocol

from botocore.exceptions import ClientError, ParamValidationError
from deployment.aws_refusals import sentence
from deployment.deployer import Deployer, DeploymentError


class Context(Protocol):
    """What Lambda passes besides the event."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the call may go on."""


def handler(event: dict[str, Any], context: Context) -> dict[str, str]:
    """Handle one event.

    Returns:
        ``endpoint_name``, ``endpoint_config_name``, ``model_name``, ``replaced_config_name`` (the configuration that
        served before, or ``none``) and ``status``: ``Deploying``, ``InService`` (it serves this model already),
        ``AwaitingApproval``, ``Rejected``, ``Superseded`` (a newer version is being deployed) or ``Deferred`` (the
        package waits for the endpoint); for EventBridge also ``Ignored`` (not this function's endpoint,
        or another pipeline's package; ``reason`` then names the execution that registered it).
        ``find_registered`` and ``confirm`` describe their own answers.

    Raises:
        DeploymentError: nothing was deployed, or what was deployed failed its verification.
    """
    deployer = Deployer(
        options=json.loads(os.environ["DEPLOYMENT"]),
        owner=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        deadline=time.monotonic() + context.get_remaining_time_in_millis() / 1000 - 10,
    )
    try:
        answer = deployer.answer(event)
    except ClientError as error:
        raise DeploymentError(sentence(error)) from error
    except ParamValidationError as error:
        reason = " ".join(str(error).split())
        raise DeploymentError(f"AWS would refuse the endpoint's settings: {reason}") from error
    print(json.dumps(answer))
    return answer
