"""Errors that the user can fix."""

from __future__ import annotations

import re


class UserError(Exception):
    """An error that the user can fix; its text says what happened and what to do."""


class ConfigError(Exception):
    """The configuration cannot be used.

    Attributes:
        faults: one line each, ``<file>: <path of the key>: <what is wrong>``.
    """

    def __init__(self, faults: list[str]) -> None:
        # As they are, because pickle makes a copy for another process from the arguments.
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(self.faults)


def with_trust_hint(message: str) -> str:
    """Return AWS's message, with a hint about trust policies if it says that a role cannot be assumed."""
    refused = re.search(r"could not assume|cannot be assumed|unable to assume|not authorized to assume", message, re.I)
    if refused is None or "trust policy" in message:
        return message
    return (
        f"{message.rstrip()} Check the role's trust policy: it must allow the service. A condition on "
        "aws:SourceAccount or aws:SourceArn rejects a service that does not send that key; "
        "StringEqualsIfExists accepts it."
    )
