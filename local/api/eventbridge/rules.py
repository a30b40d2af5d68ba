"""The rules of the default bus, which moto keeps."""

from __future__ import annotations

from typing import Any

from local.api.eventbridge.inputs import Event, Target
from local.api.moto.services import MotoServices


class Rules:
    """The rules of the default bus.

    Args:
        moto: keeps them.
        region: the service's region.
    """

    def __init__(self, moto: MotoServices, region: str) -> None:
        self._moto, self._region = moto, region

    def may_exist(self) -> bool:
        """Return whether any rule can exist. Does not load moto."""
        return self._moto.has_changed("events", "cloudformation")

    def targets(self, event: Event) -> list[tuple[str, Target]]:
        """Return the targets of the rules that match an event.

        Returns:
            Pairs of a rule's name and a target.
        """
        with self._moto.backend("events", self._region) as events:
            return [
                (rule.name, target)
                for rule in _of_default_bus(events).values()
                if rule.state == "ENABLED" and rule.event_pattern.matches_event(event)
                for target in rule.targets
            ]

    def targets_of(self, name: str) -> list[Target]:
        """Return the targets of a rule; none if the rule does not exist."""
        with self._moto.backend("events", self._region) as events:
            rule = _of_default_bus(events).get(name)
            return list(rule.targets) if rule else []

    def matches(self, pattern: str, event: Event) -> bool:
        """Return whether an event matches an event pattern."""
        # Moto is set up before its modules are imported.
        with self._moto.backend("events", self._region):
            from moto.events.models import EventPattern  # noqa: PLC0415

            return bool(EventPattern.load(pattern).matches_event(event))


def _of_default_bus(events: Any) -> dict[str, Any]:
    rules: dict[str, Any] = events.event_buses["default"].rules
    return rules
