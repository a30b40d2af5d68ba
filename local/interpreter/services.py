"""What the steps of an execution use of the service."""

from __future__ import annotations

from dataclasses import dataclass

from local.core.ports import CallOperation, EventBus
from local.runtime.functions.invocation import FunctionRunner
from local.storage.objects import Objects
from local.storage.store import Store


@dataclass(frozen=True)
class StepServices:
    """What the steps of an execution use of the service.

    Attributes:
        store: records of executions, and of the resources that steps wait for.
        objects: property files.
        events: hears of executions and steps that change their state.
        call: creates, describes and stops resources.
        functions: runs the functions of Lambda steps.
    """

    store: Store
    objects: Objects
    events: EventBus
    call: CallOperation
    functions: FunctionRunner
