from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Never

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import ContainerProvider
from botocore.exceptions import ClientError

from local.app.server import LocalService, StartError, environment_of
from local.aws.credentials import KeyRing
from local.core import secret
from local.core.arns import assumed_role
from local.core.secret import make_private, secret_key
from local.core.settings import ACCESS_KEY, Settings

IDENTITY = "arn:aws:sts::123456789012:assumed-role/jobs/SageMaker"

HOUR = 3600.0


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


def client(service, name, access_key, secret_access_key, token=None):
    return boto3.client(
        name,
        region_name="us-east-1",
        endpoint_url=service.settings.endpoint_url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_access_key,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )


def code_of(call):
    with pytest.raises(ClientError) as refusal:
        call()
    return refusal.value.response["Error"]["Code"]


# Temporary credentials


def test_a_container_keeps_its_key_until_an_hour_is_left_and_the_old_one_counts_on() -> None:
    clock = Clock()
    keys = KeyRing("the-secret", clock)
    with keys.of_container(IDENTITY) as path:
        first = keys.answer(path)
        clock.seconds += 4.9 * HOUR
        assert keys.answer(path) is first
        clock.seconds += 0.2 * HOUR
        second = keys.answer(path)
        assert first is not None
        assert second is not None
        assert second is not first
        assert keys.find(first.access_key) is first
        assert keys.find(second.access_key) is second
    assert keys.find(first.access_key) is None
    assert keys.find(second.access_key) is None
    assert keys.answer(path) is None


def test_an_error_ends_credentials_too() -> None:
    keys = KeyRing("the-secret")
    given: list[Any] = []

    def fail_within_both() -> Never:
        with keys.of_container(IDENTITY) as path, keys.of_invocation(IDENTITY) as invoked:
            given.extend([keys.answer(path), invoked])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_within_both()
    assert [keys.find(each.access_key) for each in given] == [None, None]


def test_botocore_takes_what_a_containers_path_answers(service) -> None:
    with service.parts.keys.of_container(IDENTITY) as path:
        uri = service.settings.endpoint_url + path
        found = ContainerProvider({"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri}).load()
        assert not found.refresh_needed()
        assert client(service, "sts", *found.get_frozen_credentials()[:3]).get_caller_identity()["Account"]
        assert ContainerProvider({"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri}).load().access_key == found.access_key


@pytest.mark.parametrize("path", ["", "/", "/v2", "/v2/credentials", "/v2/credentials/", "/v2/credentials/guessed"])
def test_no_other_path_answers_with_credentials(service, path) -> None:
    with service.parts.keys.of_container(IDENTITY) as known:
        service.parts.keys.answer(known)
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(service.settings.endpoint_url + path)
    assert refusal.value.code in (403, 404)
    assert b"ASIA" not in refusal.value.read()


@pytest.mark.parametrize("header", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_a_web_page_gets_no_credentials(service, header) -> None:
    with service.parts.keys.of_container(IDENTITY) as path:
        request = urllib.request.Request(service.settings.endpoint_url + path, headers=header)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request)


@pytest.mark.parametrize(
    ("name", "call", "unknown", "expired"),
    [
        ("sagemaker", lambda c: c.list_pipelines(), "UnrecognizedClientException", "ExpiredTokenException"),
        ("s3", lambda c: c.list_buckets(), "InvalidAccessKeyId", "ExpiredToken"),
        ("iam", lambda c: c.list_roles(), "InvalidClientTokenId", "ExpiredToken"),
    ],
)
def test_a_temporary_key_needs_its_token_and_its_time(service, monkeypatch, name, call, unknown, expired) -> None:
    with service.parts.keys.of_invocation(IDENTITY) as key:
        call(client(service, name, key.access_key, key.secret_key, key.token))
        for token in (None, "", "another"):
            assert code_of(lambda t=token: call(client(service, name, key.access_key, key.secret_key, t))) == unknown
        wrong = client(service, name, key.access_key, "wrong", key.token)
        assert code_of(lambda: call(wrong)) in ("InvalidSignatureException", "SignatureDoesNotMatch")
    assert code_of(lambda: call(client(service, name, key.access_key, key.secret_key, key.token))) == unknown
    monkeypatch.setattr("local.aws.credentials.LIFETIME_SECONDS", -1.0)
    with service.parts.keys.of_invocation(IDENTITY) as key:
        assert code_of(lambda: call(client(service, name, key.access_key, key.secret_key, key.token))) == expired


def test_tokens_of_jobs_are_in_no_file(service) -> None:
    with service.parts.keys.of_invocation(IDENTITY) as key:
        client(service, "iam", key.access_key, key.secret_key, key.token).create_user(UserName="made-by-a-job")
        kept = json.dumps(service.parts.store.list("moto-request"))
    assert "CreateUser" in kept
    assert key.token not in kept
    assert key.secret_key not in kept


# The folder's own secret


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_each_folder_has_a_secret_of_its_own_that_only_its_owner_reads(tmp_path) -> None:
    one, other = tmp_path / "one" / ".local", tmp_path / "other" / ".local"
    assert secret_key(one) == secret_key(one)
    assert secret_key(one) != secret_key(other)
    assert len(secret_key(one)) >= 40
    assert (mode(one), mode(one / secret.FILE)) == (0o700, 0o600)
    assert [path.name for path in one.iterdir()] == [secret.FILE]


def test_of_processes_that_make_the_secret_at_once_all_read_the_same(tmp_path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: secret_key(tmp_path / ".local"), range(64)))
    assert len(made) == 1


def test_a_folder_of_before_is_closed_and_gets_a_secret(tmp_path) -> None:
    root = tmp_path / ".local"
    (root / "s3" / "bucket").mkdir(parents=True)
    (root / "s3" / "bucket" / "key").write_text("kept")
    root.chmod(0o755)
    with LocalService(Settings(root, port=0)) as service:
        s3 = client(service, "s3", ACCESS_KEY, service.settings.secret_key)
        assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == b"kept"
        assert mode(root) == 0o700
        old = client(service, "s3", ACCESS_KEY, "local-secret-key")
        with pytest.raises(ClientError, match="make local-env prints it") as refusal:
            old.list_buckets()
        assert refusal.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def test_the_environment_is_the_same_before_while_and_after_a_service_runs(tmp_path) -> None:
    settings = Settings(tmp_path / ".local", port=0)
    before = environment_of(settings)
    with LocalService(settings) as service:
        assert environment_of(settings) == service.settings.client_environment()
        assert environment_of(settings)["AWS_SECRET_ACCESS_KEY"] == before["AWS_SECRET_ACCESS_KEY"]
        others = [path for path in settings.root.iterdir() if path.is_file() and path.name != secret.FILE]
        assert others
        assert all(before["AWS_SECRET_ACCESS_KEY"].encode() not in path.read_bytes() for path in others)
    assert environment_of(settings) == before


def test_a_secret_that_others_may_have_read_is_refused_with_what_to_do(tmp_path) -> None:
    secret_key(tmp_path / ".local")
    (tmp_path / ".local" / secret.FILE).chmod(0o644)
    with pytest.raises(PermissionError, match="delete the file, and the next start creates a new key"):
        secret_key(tmp_path / ".local")


def test_a_private_folder_is_left_as_it_is(tmp_path) -> None:
    (tmp_path / "root").mkdir(mode=0o500)
    make_private(tmp_path / "root")
    assert mode(tmp_path / "root") == 0o500


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_of_the_machine_reads_nothing_of_the_folder(tmp_path) -> None:
    def seen(folder):
        return subprocess.run(
            ["ls", folder], user=65534, group=65534, extra_groups=[], capture_output=True, text=True, check=False
        )

    for folder in (tmp_path, *tmp_path.parents):
        if folder == tmp_path or folder.name.startswith(("pytest-", "popen-")):
            folder.chmod(0o755)
    root = tmp_path / ".local"
    with LocalService(Settings(root, port=0)):
        assert seen(tmp_path).returncode == 0
        assert "Permission denied" in seen(root).stderr
        assert "Permission denied" in seen(root / "service.lock").stderr


def test_a_service_does_not_start_with_a_secret_that_others_may_have_read(tmp_path) -> None:
    settings = Settings(tmp_path / ".local", port=0)
    settings.root.mkdir()
    (settings.root / secret.FILE).write_text("known to all")
    (settings.root / secret.FILE).chmod(0o644)
    with pytest.raises(StartError, match=r"secret-key; delete the file"):
        LocalService(settings).start()
    with pytest.raises(StartError, match=r"secret-key; delete the file"):
        environment_of(settings)
    (settings.root / secret.FILE).unlink()
    with LocalService(settings):
        pass


def test_sts_tells_a_job_its_role(service) -> None:
    with service.parts.keys.of_invocation(IDENTITY) as key:
        identity = client(service, "sts", key.access_key, key.secret_key, key.token).get_caller_identity()
    assert (identity["Arn"], identity["Account"]) == (IDENTITY, "123456789012")
    assert re.fullmatch("AROA[A-Z2-7]{17}:SageMaker", identity["UserId"])


@pytest.mark.parametrize(
    ("role", "identity"),
    [
        ("arn:aws:iam::123456789012:role/jobs", "arn:aws:sts::123456789012:assumed-role/jobs/x"),
        ("arn:aws-cn:iam::123456789012:role/a/path/jobs", "arn:aws-cn:sts::123456789012:assumed-role/jobs/x"),
    ],
)
def test_a_role_that_is_assumed_loses_its_path(role, identity) -> None:
    assert assumed_role(role, "x") == identity
