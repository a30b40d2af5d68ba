"""What the set-up makes of uv's errors, and what it says of long work."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scripts.setup import environment
from scripts.setup.messages import SetupError, network_remedy, signs_of_life

NO_NAME = """\
Resolved 3 packages in 2ms
error: Request failed after 5 retries in 12.1s
  cause: Failed to fetch: `https://files.example/big.whl`
  cause: client error (Connect)
  cause: dns error: failed to lookup address information

hint: `big` (v1.0) was included because `project` (v1) depends on `big`
"""
BUILD = """\
  \u00d7 Failed to download and build `pyspark==3.5.6`
  \u251c\u2500\u25b6 Request failed after 5 retries
  \u2570\u2500\u25b6 operation timed out
"""
CERTIFICATE = """\
  \u00d7 Failed to download and build `pyspark==3.5.6`
  \u251c\u2500\u25b6 client error (Connect)
  \u2570\u2500\u25b6 invalid peer certificate: UnknownIssuer
"""
FULL = "error: Failed to install: big-1.0.whl (big==1.0)\n  cause: No space left on device (os error 28)\n"
FULL_CACHE = "error: Failed to download `big==1.0`\n  cause: No space left on device (os error 28)\n"
OTHER = "error: The lockfile at `uv.lock` needs to be updated.\n"


@pytest.fixture
def installing(tmp_path, monkeypatch) -> Path:
    """The file that says that the environment may be half-written."""
    file = tmp_path / "installing"
    file.touch()
    monkeypatch.setattr(environment, "_INSTALLING", file)
    return file


@pytest.mark.parametrize(
    ("said", "sentence", "half_written"),
    [
        (
            NO_NAME,
            "The packages could not be fetched: Request failed after 5 retries in 12.1s "
            "(dns error: failed to lookup address information)\nCheck the network",
            False,
        ),
        (
            BUILD,
            "The packages could not be fetched: Failed to download and build `pyspark==3.5.6` (operation timed out)\n",
            False,
        ),
        (
            CERTIFICATE,
            "The packages could not be fetched: Failed to download and build `pyspark==3.5.6` "
            "(invalid peer certificate: UnknownIssuer)\n"
            "A network that replaces certificates needs its own: set SSL_CERT_FILE and PIP_CERT",
            False,
        ),
        (FULL, "A disk is full, this folder's or that of uv's cache. Free some, then repeat the command.", True),
        (FULL_CACHE, "A disk is full, this folder's or that of uv's cache.", False),
        (OTHER, "uv could not install the packages:\nerror: The lockfile at `uv.lock` needs to be updated.", False),
    ],
)
def test_an_error_of_uv(installing, said, sentence, half_written) -> None:
    with pytest.raises(SetupError) as stopped:
        environment._check(2, said)
    assert str(stopped.value).startswith(sentence)
    assert installing.exists() == half_written


def test_a_kill_of_uv(installing) -> None:
    with pytest.raises(SetupError, match="uv could not install the packages"):
        environment._check(-9, "Prepared 3 packages in 1s\n")
    assert installing.exists()


def test_a_proxy_that_is_set_is_asked_about_and_its_password_is_not_shown(monkeypatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert network_remedy().endswith("Behind a proxy, set HTTPS_PROXY.")
    monkeypatch.setenv("https_proxy", "http://me:secret@127.0.0.1:9")
    assert network_remedy().endswith("https_proxy is set: is it right?")


def test_long_work_says_that_it_goes_on_until_it_ends(capsys) -> None:
    with signs_of_life(0.01):
        said = ""
        while said.count("still busy after 0 s\n") < 2:
            said += capsys.readouterr().err
            time.sleep(0.01)
    capsys.readouterr()
    time.sleep(0.05)
    assert capsys.readouterr().err == ""
