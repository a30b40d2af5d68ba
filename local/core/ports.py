"""What a lower layer calls of a higher one; ``local.app`` fills these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class EventBus(Protocol):
    """Sends events to EventBridge's default bus."""

    def emit(self, source: str, detail_type: str, detail: dict[str, Any], resources: Sequence[str] = ()) -> str:
        """Send an event; the targets of the rules that match it get it in the background.

        Args:
            source: for example ``aws.sagemaker``.
            detail_type: for example ``SageMaker Model Package State Change``.
            detail: what the service documents for it.
            resources: ARNs that the event is about.

        Returns:
            The event's id.
        """
        ...

    def may_have_rules(self) -> bool:
        """Whether a rule can exist; without one, nobody hears an event."""
        ...


class CallOperation(Protocol):
    """Calls an operation of SageMaker's API as a client would: the same checks, the same errors."""

    def __call__(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the operation's response.

        Raises:
            ServiceError: the operation's own error.
        """
        ...
