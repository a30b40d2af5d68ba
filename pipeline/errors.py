"""What a person can put right."""

from __future__ import annotations


class UserError(Exception):
    """Something that the person at the keyboard can put right; its text says what and how."""
