"""Handles AWS's refusals: ignores expected ones and explains the others."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


class ExpectedRefusal:
    """Ignores errors with one of some phrases, for example that a resource exists already.

    This is safe because a resource's name contains a hash of its content.
    """

    def __init__(self, *phrases: str) -> None:
        self._phrases = phrases

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: Any) -> bool:
        return isinstance(error, ClientError) and says(error, *self._phrases)


def says(error: ClientError, *phrases: str) -> bool:
    """Return whether AWS's error message contains one of these phrases, which are in lower case."""
    message = error.response["Error"].get("Message", "").lower()
    return any(phrase in message for phrase in phrases)


def sentence(error: ClientError) -> str:
    """Return a sentence that explains an error and says what to do. It becomes the step's failure reason."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code == "ResourceLimitExceeded":
        return (
            f"A quota of this AWS account is used up: {message} Raise it under Service Quotas, Amazon SageMaker, or "
            "choose another deploy.instance_type, or set deploy.serverless."
        )
    if code in ("AccessDenied", "AccessDeniedException"):
        return f"The function's role may not call {error.operation_name}: {message} See infra/bootstrap.yaml."
    return f"{error.operation_name} was refused ({code}): {message}"
