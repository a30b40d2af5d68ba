"""The parts of the service that the steps of an execution use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local.core.ports import CallOperation, EventBus, SendMessage
from local.runtime.functions.runner import FunctionRunner
from local.storage.objects import Objects
from local.storage.store import Store


@dataclass(frozen=True)
class StepServices:
    """Gives the steps of an execution access to the service.

    Attributes:
        store: The records of executions, and of the resources that steps wait for.
        objects: The S3 objects, for property files.
        events: Receives the status changes of executions and steps.
        call: Creates, describes and stops resources.
        functions: Runs the functions of Lambda steps.
        send_message: Sends the messages of Callback steps.
        prepare_training: Imports the program of a training image, before its first job waits for that.
    """

    store: Store
    objects: Objects
    events: EventBus
    call: CallOperation
    functions: FunctionRunner
    send_message: SendMessage
    prepare_training: Callable[[str], None]
