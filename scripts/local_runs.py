"""Runs a pipeline on this machine: for ``make run``, and for notebooks and programs.

In a notebook, as ``examples/notebook.ipynb``::

    service = start_service(Path(".local"), config.aws.region)
    session = boto3.Session(region_name=config.aws.region)
    state = follow_to_the_end(session, publish_and_start(session, config))
    results = results_of(session, state)
    service.stop()
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.app.server import LocalService
from local.core.settings import ACCOUNT_ID, Settings
from local.core.surroundings import isolate
from local.interpreter.execution_runner import SERVICE_STOPPED
from pipeline.config.models import Config
from pipeline.definition.resources import conventional_resources
from pipeline.operate.execution import ExecutionState
from pipeline.operate.publish import plan_publishing, publish
from scripts.console import console
from scripts.progress import follow
from scripts.start import start_execution
from scripts.upsert import ensure_local_bucket

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_sagemaker.type_defs import ParameterTypeDef


def start_service(folder: Path, region: str) -> LocalService:
    """Start a local service in this process, and point the AWS clients of this process at it.

    Sessions and clients that exist already stay as they are.

    Args:
        folder: where the service keeps everything, such as ``.local``.
        region: its region.

    Returns:
        The service, which serves until ``stop()``.

    Raises:
        local.app.server.StartError: another service uses the folder, or it cannot be used.
    """
    service = LocalService(Settings(root=folder.absolute(), port=0, region=region), print)
    service.start()
    point_at(service.settings.client_environment())
    return service


def point_at(environment: dict[str, str]) -> None:
    """Let the AWS clients of this process have an environment, without a trace of the user's own."""
    isolate()
    os.environ.update(environment)


def publish_and_start(
    session: Session,
    config: Config,
    parameters: Sequence[ParameterTypeDef] = (),
    build: Callable[[], dict[str, Any]] | None = None,
) -> str:
    """Publish the pipeline to the local service, and start an execution.

    The roles that the configuration names belong to an account of AWS. Roles of the service's own take their place.

    Args:
        session: a ``boto3.Session`` of the local service.
        config: the configuration.
        parameters: the values of the pipeline's parameters that are not the defaults.
        build: returns the definition, for the configuration without roles; by default, it is built in this process.

    Returns:
        The execution's ARN.

    Raises:
        UserError: the pipeline cannot be published, or a parameter's value is not valid.
    """
    config = config.without_roles()
    resources = conventional_resources(config, ACCOUNT_ID)
    ensure_local_bucket(session, resources)
    with console.status("Building the definition"):
        plan = plan_publishing(config, resources, session, build)
    with console.status("Publishing"):
        publish(plan, session, lambda _: None)
    console.print(f"Published the pipeline {config.pipeline.name} to the local service; executing it:\n")
    return start_execution(session, config, parameters)


def follow_to_the_end(session: Session, arn: str) -> ExecutionState:
    """Show the progress of an execution until it ends, and continue it if its service stopped.

    A service that starts marks the executions of a service that stopped as failed. A retry keeps the steps that
    succeeded.

    Args:
        session: a ``boto3.Session`` of the local service.
        arn: the execution.

    Returns:
        The execution's last state.
    """
    sagemaker = session.client("sagemaker")
    while True:
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if SERVICE_STOPPED in described.get("FailureReason", ""):
            console.print("The execution was interrupted when its local service stopped. Retrying it:\n")
            sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=str(uuid.uuid4()))
        state = follow(session, arn)
        if SERVICE_STOPPED not in state.failure:
            return state
