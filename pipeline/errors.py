"""What a person can put right."""

from __future__ import annotations


class UserError(Exception):
    """Something that the person at the keyboard can put right; its text says what and how."""


class ConfigError(Exception):
    """The configuration cannot be used.

    Attributes:
        faults: one line each, ``<file>: <path of the key>: <what is wrong>``.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
