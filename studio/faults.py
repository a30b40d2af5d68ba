"""Turns errors of AWS into sentences: what happened, where, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from pipeline.sign_in import are_credentials_unknown, sign_in_remedy

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
_MISSING = {"ResourceNotFound", "ResourceNotFoundException", "NoSuchKey", "NoSuchBucket"}
_SAYS_MISSING = re.compile("does not exist|not found|could not find", re.IGNORECASE)
_LOCAL = 'for the local service run: make local, and in this shell: eval "$(make -s local-env)"'


@dataclass
class PageError(Exception):
    """Something that a page cannot show.

    Attributes:
        title: what happened, in a few words.
        sentence: where, and what to do.
        status: the HTTP status.
    """

    title: str
    sentence: str
    status: int = 502


def fault_of(error: ClientError | BotoCoreError) -> PageError:
    """Return what an error of AWS means to the user."""
    return _refusal(error) if isinstance(error, ClientError) else _no_answer(error)


def _refusal(error: ClientError) -> PageError:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _EXPIRED:
        return PageError("Your AWS credentials have expired", f"({code}) Sign in again, and start Studio again.")
    if are_credentials_unknown(error):
        return PageError(
            "AWS does not accept your credentials", f"({code}) Check AWS_PROFILE; {_LOCAL}, then Studio again."
        )
    if code in _DENIED:
        return PageError("Your AWS identity may not do this", f"{error.operation_name}: {message}", 403)
    if code in _MISSING or _SAYS_MISSING.search(message):
        return PageError("There is no such thing", f"{error.operation_name}: {message}", 404)
    return PageError("AWS refused the request", f"{error.operation_name} ({code}): {message}")


def _no_answer(error: BotoCoreError) -> PageError:
    remedy = sign_in_remedy(error)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return PageError("No AWS credentials were found", f"{remedy}; {_LOCAL}")
    if isinstance(error, NoRegionError):
        return PageError("No AWS region is set", f"Set AWS_DEFAULT_REGION, or a region in your profile; {_LOCAL}")
    if remedy:
        return PageError("You are not signed in to AWS", f"{str(error).rstrip('. ')}. {remedy}.")
    if isinstance(error, EndpointConnectionError):
        todo = "Is the local service running ('make local')? Is there a network?"
        return PageError("AWS does not answer", f"{error} {todo}")
    return PageError("AWS could not be called", str(error))
