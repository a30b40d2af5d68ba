"""Shells of strangers: in each the service starts and answers, or one sentence says what to do."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from local.core.surroundings import isolate, shell_lines

ROOT = Path(__file__).resolve().parents[2]
PROXIES = dict.fromkeys(
    ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"
)
POSIX = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "an unknown profile": {"AWS_PROFILE": "garbage"},
    "garbage as AWS configuration": {"AWS_CONFIG_FILE": __file__, "AWS_SHARED_CREDENTIALS_FILE": __file__},
    "proxies": PROXIES,
    "a real session": {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"},
    "another endpoint": {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"},
    "no such bundle": {"AWS_CA_BUNDLE": "/nonexistent"},
    "an odd region": {"AWS_DEFAULT_REGION": "odd region", "AWS_REGION": "nowhere"},
    "the POSIX locale": POSIX,
    "a home that is no folder": {"HOME": os.devnull},
    "no folder for temporary files": {"TMPDIR": "/nonexistent"},
    "warnings as errors": {"PYTHONWARNINGS": "error"},
    "no assertions": {"PYTHONOPTIMIZE": "2"},
    "no width": {"COLUMNS": "0"},
    "a narrow terminal": {"COLUMNS": "1", "TERM": "dumb"},
    "another Java and Spark": {"JAVA_HOME": "/garbage", "SPARK_HOME": "/garbage", "PYSPARK_PYTHON": "/garbage"},
    "ASCII output": {"PYTHONIOENCODING": "ascii"},
}
SHELLS = {
    "few open files": "ulimit -n 64",
    "umask 077": "umask 077",
    "umask 000": "umask 000",
    "no standard input": "exec 0<&-",
}


def plain_environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONPATH": str(ROOT)} | more


def serve_once(folder: Path, environment: Mapping[str, str], shell: str = ":") -> tuple[int, str]:
    """Start the service, send one request, and stop it; return its exit status and what it wrote to stderr."""
    command = f'{shell}; exec "$0" -m local --root .local --port 0'
    with (folder / "err").open("w") as errors:
        process = subprocess.Popen(
            ["sh", "-c", command, sys.executable],
            cwd=folder,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout is not None
        url = ""
        with process.stdout:
            for line in process.stdout:
                url = url or "".join(re.findall(r"AWS_ENDPOINT_URL=(\S+)", line.decode()))
                if b"restore" in line:
                    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                    with pytest.raises(urllib.error.HTTPError, match="404"):
                        opener.open(f"{url}/v2/credentials/none")
                    process.send_signal(signal.SIGINT)
        status = process.wait(20)
    return status, (folder / "err").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("variables", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_the_service_starts_and_answers_whatever_the_shell_has_set(tmp_path, variables) -> None:
    assert serve_once(tmp_path, plain_environment(**variables)) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
def test_the_service_starts_and_answers_whatever_the_shell_allows(tmp_path, shell) -> None:
    assert serve_once(tmp_path, plain_environment(), shell) == (0, "")
    assert (tmp_path / ".local").stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
@pytest.mark.parametrize("name", ["with spaces", "quo'te\"s", "ä ü 数"])
def test_the_service_starts_in_a_folder_of_any_name(tmp_path, name) -> None:
    (tmp_path / name).mkdir()
    assert serve_once(tmp_path / name, plain_environment()) == (0, "")
    variables = plain_environment(**POSIX)
    status, said = serve_once(tmp_path / name, variables)
    if name.isascii():
        assert (status, said) == (0, "")
    else:
        assert status == 1
        assert "set LC_ALL=C.UTF-8 or PYTHONUTF8=1" in said


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_to_is_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "--root", "/proc/nothing", "--port", "0"],
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("python -m local: /proc/nothing cannot be used: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_needs_no_standard_streams(tmp_path, closed) -> None:
    command = f'"$0" -m scripts.lint_definition - {closed}; exit $?'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], cwd=tmp_path, env=plain_environment(), input=b"{}", check=False
    )
    assert done.returncode in (1, 2)
    assert done.returncode == 1 or "<" in closed


@pytest.mark.slow
@pytest.mark.parametrize("shell", [shell for shell in ("sh", "bash", "zsh", "dash") if shutil.which(shell)])
def test_local_env_points_any_shell_at_the_service_whatever_it_had_set(tmp_path, shell) -> None:
    hostile = {name: value for each in list(ENVIRONMENTS.values())[:7] for name, value in each.items()}
    del hostile["AWS_CONFIG_FILE"], hostile["AWS_SHARED_CREDENTIALS_FILE"]
    local_env = f'"{sys.executable}" -m local --root .local --port 9000 --print-environment'
    printed = subprocess.run(
        [shell, "-c", f'set -eu; eval "$({local_env})"; env'],
        cwd=tmp_path,
        env=plain_environment(**hostile, NO_PROXY="example.com", no_proxy="other.example"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    left = dict(
        line.split("=", 1) for line in printed.splitlines() if line.startswith(("AWS_", "NO_PROXY", "no_proxy"))
    )
    assert left.pop("AWS_SECRET_ACCESS_KEY") == (tmp_path / ".local/secret-key").read_text()
    assert left == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "example.com,other.example,127.0.0.1",
        "no_proxy": "example.com,other.example,127.0.0.1",
    }


def test_the_lines_quote_what_the_shell_had_set() -> None:
    lines = shell_lines({"no_proxy": "a.example,$(touch x)", "AWS_ENDPOINT_URL_S3": "x", "AWS_ENDPOINT_URL_a;b": "x"})
    assert "unset AWS_ENDPOINT_URL_S3" in lines
    assert not any(";" in line for line in lines)
    assert "export no_proxy='a.example,$(touch x),127.0.0.1'" in lines


def test_clients_of_a_command_see_neither_the_users_variables_nor_the_users_files(monkeypatch, tmp_path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("[default]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:9\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in {**PROXIES, "AWS_PROFILE": "garbage", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    environment = dict(os.environ)
    isolate(environment)
    assert {name for name in environment if name.startswith("AWS_")} == {
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_EC2_METADATA_DISABLED",
    }
    isolate()
    session = boto3.Session("key", "secret", region_name="us-east-1")
    client = session.client("s3", endpoint_url="http://127.0.0.1:1", config=Config(retries={"total_max_attempts": 1}))
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    with pytest.raises(Exception, match="Could not connect to the endpoint URL"):
        client.list_buckets()
