"""Says how to sign in to AWS, for errors of the credentials on this machine.

``aws sso login`` and ``aws login`` are commands of version 2 of the AWS CLI. Version 1, which this project installs,
has neither. Source: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html
"""

from __future__ import annotations

import os

import botocore.session
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

VERSION_2 = "(version 2 of the AWS CLI)"
SIGN_IN = f"Set AWS_PROFILE, or sign in with 'aws sso login' {VERSION_2} or 'aws configure'"
_UNKNOWN = {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException"}
_OTHER_REGION = "credential should be scoped to a valid region"


def are_credentials_unknown(error: ClientError) -> bool:
    """Return whether AWS does not know the credentials. A wrong region has the same codes, but another remedy.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
    """
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    return code in _UNKNOWN and not message.lower().startswith(_OTHER_REGION)


def sign_in_remedy(error: BotoCoreError) -> str:
    """Return what to do about an error of the credentials, without a full stop; empty for any other error."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return SIGN_IN
    if isinstance(error, SSOError | TokenRetrievalError):
        return f"Run 'aws sso login{_profile_option()}' {VERSION_2}, then repeat the command"
    if isinstance(error, LoginError):
        return f"Run 'aws login{_profile_option()}' {VERSION_2}, then repeat the command"
    if isinstance(error, CredentialRetrievalError):
        return "Sign in again as your profile needs it, then repeat the command"
    if isinstance(error, ProfileNotFound):
        return f"Set AWS_PROFILE to one of your profiles: {', '.join(_profiles()) or 'there is none yet'}"
    return ""


def _profile_option() -> str:
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    return f" --profile {profile}" if profile else ""


def _profiles() -> list[str]:
    return sorted(botocore.session.Session().available_profiles)
