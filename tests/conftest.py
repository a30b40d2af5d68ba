"""Fixtures of all tests: a configuration, and an environment in which no AWS account can be reached."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import boto3
import pytest
from hypothesis import settings

from pipeline.config.loading import load_config
from pipeline.config.models import Config
from tests import quick_botocore  # noqa: F401 - quick from the first client on

ROOT = Path(__file__).resolve().parent.parent

_MEMORY = Path("/dev/shm")
_MEMORY_BYTES = 4 << 30


def _has_room_in_memory() -> bool:
    if not os.access(_MEMORY, os.W_OK):
        return False
    system = os.statvfs(_MEMORY)
    return not system.f_flag & os.ST_NOEXEC and system.f_bavail * system.f_frsize >= _MEMORY_BYTES


# Each record and each object is synced to the disk, and the tests write thousands: in memory, that takes no time.
if _has_room_in_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# Without a deadline, which a busy machine exceeds, and with the same examples in every run, on every machine.
settings.load_profile("ci")

# The imports keep many objects alive: collecting at Python's usual rate took a quarter of the CPU time of some files.
gc.set_threshold(10_000, 20, 20)


def pytest_collection_finish() -> None:
    """Let the garbage collector leave out what the imports made: it lives until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_aws_account():
    """Take away whatever could lead to a real account: a test that needs credentials sets its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="module", autouse=True)
def _no_session_of_other_modules():
    """``boto3.client`` keeps a session for the whole process, with the credentials that it found first."""
    boto3.DEFAULT_SESSION = None


@pytest.fixture(scope="module", autouse=True)
def _no_policies_for_accounts_of_other_modules():
    """The local service lets moto load a thousand policies of AWS, which take each account of ``mock_aws`` 0.3 s."""
    os.environ.pop("MOTO_IAM_LOAD_MANAGED_POLICIES", None)


@pytest.fixture(scope="session")
def config() -> Config:
    """The project's own configuration, its input found whatever the working directory."""
    loaded = load_config(ROOT / "config.yaml")
    dataset = loaded.dataset.model_copy(update={"input": str(ROOT / loaded.dataset.input)})
    return loaded.model_copy(update={"dataset": dataset})
