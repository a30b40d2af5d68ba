"""Deletions of CloudFormation stacks that keep resources: moto itself deletes all of them.

Every function needs moto's lock and its started state; ``local.api.moto.services`` has both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from local.core.settings import ACCOUNT_ID

DELETE_FAILED = "DELETE_FAILED"


@dataclass(frozen=True)
class UndeletedStack:
    """A stack that is not deleted.

    Attributes:
        arn: The stack's ARN.
        status: Its status, such as CREATE_COMPLETE.
        resources: The logical IDs of all resources that are left of it.
        buckets: Names of the buckets that the stack's deletion deletes, by their logical IDs.
    """

    arn: str
    status: str
    resources: frozenset[str]
    buckets: dict[str, str]


@dataclass(frozen=True)
class Deletion:
    """How a stack's deletion ends.

    Attributes:
        stack: The stack's ARN.
        retained: Logical IDs of resources that are left alone.
        failures: Why other resources could not be deleted, by their logical IDs. If there are any, the stack stays.
    """

    stack: str
    retained: tuple[str, ...]
    failures: dict[str, str]

    def record(self) -> dict[str, Any]:
        """Return the deletion as it is stored with its request."""
        return asdict(self)


class _Outputs:
    """A stack's outputs as they were. Moto would look them up in resources, and create these again."""

    def __init__(self, outputs: Any) -> None:
        self._values = list(outputs.values())
        self.exports: list[Any] = []

    def values(self) -> list[Any]:
        return self._values


def find(region: str, stack: str) -> UndeletedStack | None:
    """Return a stack, given its name or ARN, or None if there is none."""
    from moto.s3.models import FakeBucket  # noqa: PLC0415

    for found in _backend(region).stacks.values():
        if stack in (found.name, found.stack_id):
            templates = found.resource_map._resource_json_map
            made = found.resource_map._parsed_resources
            buckets = {
                name: str(made[name].name)
                for name, template in templates.items()
                if isinstance(made.get(name), FakeBucket) and template.get("DeletionPolicy") != "Retain"
            }
            return UndeletedStack(found.stack_id, found.status, frozenset(made) & frozenset(templates), buckets)
    return None


def has_bucket(region: str, bucket: str) -> bool:
    """Return whether a bucket is the resource of a stack that is not deleted."""
    from moto.s3.models import FakeBucket  # noqa: PLC0415

    return any(
        isinstance(resource, FakeBucket) and resource.name == bucket
        for stack in _backend(region).stacks.values()
        for resource in stack.resource_map._parsed_resources.values()
    )


@contextmanager
def keeping(region: str, record: dict[str, Any] | None) -> Iterator[None]:
    """Let moto's deletion of a stack in the context keep resources.

    Args:
        region: The stack's region.
        record: What ``Deletion.record`` has returned, or None for any other request.
    """
    if record is None:
        yield
        return
    deletion, backend = Deletion(**record), _backend(region)
    stack = backend.stacks[deletion.stack]
    outputs = _Outputs(stack.output_map)
    templates = stack.resource_map._resource_json_map
    for name in (*deletion.retained, *deletion.failures):
        templates[name] = templates[name] | {"DeletionPolicy": "Retain"}
    yield
    if deletion.failures:
        backend.stacks[deletion.stack] = backend.deleted_stacks.pop(deletion.stack)
        stack.output_map = outputs
        _fail(stack, deletion.failures)


def _fail(stack: Any, failures: dict[str, str]) -> None:
    """Leave a stack with the resources that could not be deleted.

    Moto creates a resource again that it only looks up, so those that are gone have to leave the template.
    """
    from moto.cloudformation.models import Event  # noqa: PLC0415

    templates, made = stack.resource_map._resource_json_map, stack.resource_map._parsed_resources
    for name in [name for name in templates if name not in failures]:
        del templates[name]
    stack.events.pop()
    for name, reason in failures.items():
        templates[name] = templates[name] | {"DeletionPolicy": "Delete"}
        physical = made[name].physical_resource_id
        kind = templates[name]["Type"]
        stack.events.append(Event(stack.stack_id, stack.name, name, physical, kind, DELETE_FAILED, reason, None))
    stack.status = DELETE_FAILED
    stack.stack_status_reason = f"The following resource(s) failed to delete: [{', '.join(failures)}]. "
    stack._add_stack_event(DELETE_FAILED, stack.stack_status_reason)


def _backend(region: str) -> Any:
    from moto.cloudformation.models import cloudformation_backends  # noqa: PLC0415

    return cloudformation_backends[ACCOUNT_ID][region]
