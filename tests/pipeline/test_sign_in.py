"""What to do about each error of the credentials that botocore can raise."""

from __future__ import annotations

import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError, LoginError, ProfileNotFound, SSOError, TokenRetrievalError

from pipeline.sign_in import are_credentials_unknown, sign_in_remedy


def _made(kind: type[BotoCoreError]) -> BotoCoreError:
    names = ("error_msg", "provider", "profile", "cred_var")
    return kind(**dict.fromkeys(names, "x"))


FAMILIES = {SSOError: "aws sso login", TokenRetrievalError: "aws sso login", LoginError: "aws login"}
CASES = [
    (kind, command)
    for kind in vars(botocore.exceptions).values()
    if isinstance(kind, type)
    for family, command in FAMILIES.items()
    if issubclass(kind, family)
]


@pytest.mark.parametrize(("kind", "command"), CASES)
def test_each_error_of_a_sign_in_names_the_command_and_the_profile(monkeypatch, kind, command) -> None:
    monkeypatch.setenv("AWS_PROFILE", "ml")
    assert sign_in_remedy(_made(kind)).startswith(f"Run '{command} --profile ml' (version 2 of the AWS CLI)")
    monkeypatch.delenv("AWS_PROFILE")
    assert f"'{command}'" in sign_in_remedy(_made(kind))


@pytest.mark.parametrize("name", ["NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"])
def test_other_errors_of_credentials_have_a_remedy(name) -> None:
    assert "ign in" in sign_in_remedy(_made(getattr(botocore.exceptions, name)))


def test_an_unknown_profile_is_answered_with_the_known_ones(monkeypatch, tmp_path) -> None:
    file = tmp_path / "config"
    file.write_text("[profile ml]\nregion = eu-west-1\n[profile admin]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_PROFILE", "nope")
    assert "there is none yet" in sign_in_remedy(ProfileNotFound(profile="nope"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    assert sign_in_remedy(ProfileNotFound(profile="nope")).endswith("admin, ml")


def test_an_error_of_something_else_has_none() -> None:
    assert sign_in_remedy(botocore.exceptions.EndpointConnectionError(endpoint_url="https://x")) == ""


@pytest.mark.parametrize(
    ("code", "message", "is_unknown"),
    [
        ("SignatureDoesNotMatch", "The request signature we calculated does not match", True),
        ("SignatureDoesNotMatch", "Credential should be scoped to a valid region, not 'eu-west-1'. ", False),
        ("InvalidSignatureException", "Credential should be scoped to a valid Region, not eu-west-1", False),
        ("AccessDenied", "", False),
    ],
)
def test_credentials_of_another_region_are_not_unknown(code, message, is_unknown) -> None:
    error = ClientError({"Error": {"Code": code, "Message": message}}, "GetCallerIdentity")
    assert are_credentials_unknown(error) is is_unknown
