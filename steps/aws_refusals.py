"""What AWS refuses: which refusals are expected, and what to tell of the others."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


class ExpectedRefusal:
    """Lets a call pass that finds its work done by another one: a name says what the resource holds."""

    def __init__(self, *phrases: str) -> None:
        self._phrases = phrases

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: Any) -> bool:
        return isinstance(error, ClientError) and says(error, *self._phrases)


def says(error: ClientError, *phrases: str) -> bool:
    """Whether AWS's message has one of these phrases, in lower case."""
    message = error.response["Error"].get("Message", "").lower()
    return any(phrase in message for phrase in phrases)


def sentence(error: ClientError) -> str:
    """What AWS refused, as a sentence that says what to do; it becomes the failed step's reason."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code == "ResourceLimitExceeded":
        return (
            f"A quota of this AWS account is used up: {message} Raise it under Service Quotas, Amazon SageMaker, or "
            "choose another deploy.instance_type, or set deploy.serverless."
        )
    if code in ("AccessDenied", "AccessDeniedException"):
        return f"The function's role may not call {error.operation_name}: {message} See infra/bootstrap.yaml."
    return f"{error.operation_name} was refused ({code}): {message}"
