"""The states of executions, steps, jobs, model packages and endpoints."""

from __future__ import annotations

UNDER_WAY = (
    *("Starting", "Executing", "Stopping", "InProgress", "Pending", "Creating", "Updating", "Deleting"),
    *("SystemUpdating", "RollingBack"),
)
"""States that will change without the user."""

_GOOD = ("Succeeded", "Completed", "InService", "Approved", "Active")
_BAD = ("Failed", "Rejected", "OutOfService", "UpdateRollbackFailed")
_STOPPED = ("Stopped", "Stopping")


def status_kind(status: str) -> str:
    """Return the kind of a state, which decides its colour and its sign: good, bad, stopped, running or waiting."""
    if status in _GOOD:
        return "good"
    if status in _BAD:
        return "bad"
    if status in _STOPPED:
        return "stopped"
    return "running" if status in UNDER_WAY else "waiting"
