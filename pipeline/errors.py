"""What a person can put right."""

from __future__ import annotations

import re


class UserError(Exception):
    """Something that the person at the keyboard can put right; its text says what and how."""


def with_trust_hint(message: str) -> str:
    """Add to AWS's message, if it is that a role cannot be assumed, what in the role's trust policy may be why."""
    refused = re.search(r"could not assume|cannot be assumed|unable to assume|not authorized to assume", message, re.I)
    if refused is None or "trust policy" in message:
        return message
    return (
        f"{message.rstrip()} Look at the role's trust policy: it has to admit the service, and a condition on "
        "aws:SourceAccount or aws:SourceArn keeps out a service that does not send that key "
        "(StringEqualsIfExists lets it in)."
    )


class ConfigError(Exception):
    """The configuration cannot be used.

    Attributes:
        faults: one line each, ``<file>: <path of the key>: <what is wrong>``.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
