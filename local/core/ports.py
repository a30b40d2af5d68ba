"""Protocols by which a lower layer calls a higher one. ``local.app`` provides the implementations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class EventBus(Protocol):
    """Sends events to EventBridge's default bus."""

    def emit(self, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str] = ()) -> str:
        """Send an event. Rules that match it deliver it to their targets in the background, even after a restart.

        Within a transaction of the store, the event is sent if and when that is committed.

        Args:
            source: The sending service, for example ``aws.sagemaker``.
            detail_type: The kind of event, for example ``SageMaker Model Package State Change``.
            detail: The members that AWS documents for this kind of event.
            resources: The ARNs of the resources that the event is about.

        Returns:
            The event's id.
        """
        ...

    def may_have_rules(self) -> bool:
        """Return whether any rule can exist. Without rules, an event has no effect."""
        ...


class CallOperation(Protocol):
    """Calls an operation of SageMaker's API with the same checks and errors as for a client."""

    def __call__(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        """Call an operation and return its response.

        Raises:
            ServiceError: The operation failed.
        """
        ...


class SendMessage(Protocol):
    """Sends a message to a queue of SQS."""

    def __call__(self, queue_url: str, text: str) -> None:
        """Send a message.

        Args:
            queue_url: The queue's URL.
            text: The message's body.

        Raises:
            ServiceError: The queue does not exist, or does not take such a message.
        """
        ...
