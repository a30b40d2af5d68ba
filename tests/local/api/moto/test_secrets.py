"""Nothing secret is kept: neither what requests bring, nor what authenticated them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.api.moto.secrets import without_credentials
from local.app.server import LocalService
from local.core.settings import Settings
from tests.local.conftest import RunningService

SECRET = "hunter2-hunter2-hunter2"
TOKEN = "FwoGZXIvYXdzEXAMPLETOKEN"
BRING_SECRETS: dict[str, tuple[str, dict[str, Any]]] = {
    "secretsmanager.create_secret": ("secretsmanager", {"Name": "s", "SecretString": SECRET}),
    "ssm.put_parameter": ("ssm", {"Name": "p", "Value": SECRET, "Type": "SecureString"}),
    "iam.create_login_profile": ("iam", {"UserName": "user", "Password": SECRET}),
    "events.create_connection": (
        "events",
        {
            "Name": "c",
            "AuthorizationType": "BASIC",
            "AuthParameters": {"BasicAuthParameters": {"Username": "u", "Password": SECRET}},
        },
    ),
}


def files_with(root: Path, text: str) -> list[str]:
    """Return the files of a service that contain a text, also in base64 with any offset."""
    padded = (base64.b64encode(b" " * shift + text.encode())[4:-4] for shift in range(3))
    needles = [text.encode(), *padded]
    return [
        path.name
        for path in root.rglob("*")
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]


def test_secrets_and_tokens_are_in_no_file(tmp_path) -> None:
    with LocalService(Settings(tmp_path / ".local", port=0)) as running:
        service = RunningService(running)
        service.client("iam").create_user(UserName="user")
        for call, (name, members) in BRING_SECRETS.items():
            getattr(service.client(name), call.partition(".")[2])(**members)
        service.client("ssm").put_parameter(Name="plain", Value="not-a-secret", Type="String")
        assert service.client("secretsmanager").get_secret_value(SecretId="s")["SecretString"] == SECRET
        # A client with the service's key, in a shell with the token of a real session.
        client = service.client("sqs")
        client.meta.events.register(
            "before-send", lambda request, **_: request.headers.__setitem__("X-Amz-Security-Token", TOKEN)
        )
        client.create_queue(QueueName="queue")
        assert files_with(running.settings.root, SECRET) == []
        assert files_with(running.settings.root, TOKEN) == []
        assert "records.sqlite-wal" in files_with(running.settings.root, "not-a-secret")
    with LocalService(Settings(tmp_path / ".local", port=0)) as running:
        service = RunningService(running)
        assert service.client("ssm").get_parameter(Name="plain")["Parameter"]["Value"] == "not-a-secret"
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            service.client("secretsmanager").get_secret_value(SecretId="s")


def test_secrets_that_an_earlier_version_kept_are_deleted(tmp_path) -> None:
    settings = Settings(tmp_path / ".local", port=0)
    with LocalService(settings) as running:
        store = RunningService(running).parts.store
        record: dict[str, Any] = {
            "Key": "k",
            "Service": "secretsmanager",
            "Operation": "CreateSecret",
            "Bucket": None,
            "Time": 1,
        }
        record |= {"Method": "POST", "Path": "/", "Query": "", "Headers": {}, "Body": ""}
        store.insert("moto-request", "k", record)
    with LocalService(settings) as running:
        assert RunningService(running).parts.store.list("moto-request") == []


def test_what_authenticates_a_request_is_not_kept() -> None:
    query = f"Action=A&X-Amz-Security-Token={TOKEN}&X-Amz-Signature=abc&Name=n"
    headers = {"host": "h", "x-amz-security-token": TOKEN, "cookie": "c", "authorization": "AWS4 a, Signature=a/b+c="}
    kept = without_credentials({"Headers": headers, "Query": query})
    assert kept["Query"] == "Action=A&Name=n"
    assert kept["Headers"] == {"host": "h", "authorization": "AWS4 a, Signature=0"}
    old = without_credentials({"Headers": {"authorization": "AWS key:c2ln+/="}, "Query": "Signature=x%2F&a=b"})
    assert old == {"Headers": {"authorization": "AWS key:0"}, "Query": "a=b"}
