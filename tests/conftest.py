"""Fixtures of all tests: a configuration, and an environment in which no AWS account can be reached."""

from __future__ import annotations

import gc
import inspect
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import hooks, useragent
from botocore.hooks import EventAliaser
from botocore.loaders import JSONFileLoader, Loader

from pipeline.config.loading import load_config
from pipeline.config.models import Config

ROOT = Path(__file__).resolve().parent.parent

_load_file = JSONFileLoader.load_file
_list_services = Loader.list_available_services
_listed: dict[tuple[str, ...], Any] = {}


@cache
def _load_file_once(path: str) -> Any:
    return _load_file(JSONFileLoader(), path)


def _list_services_once(loader: Loader, type_name: str) -> Any:
    place = (type_name, *loader.search_paths)
    if place not in _listed:
        _listed[place] = _list_services(loader, type_name)
    return _listed[place]


# Every boto3 session parses AWS's service models anew, and looks through their 400 folders for each kind of model: two
# thirds of the time that building a definition takes, and half the time of a session with one client.
JSONFileLoader.load_file = lambda _, file_path: _load_file_once(file_path)  # type: ignore[assignment]
Loader.list_available_services = _list_services_once  # type: ignore[assignment, method-assign]

_accepts_keywords = hooks.accepts_kwargs
_alias_event = EventAliaser._alias_event_name  # type: ignore[attr-defined]
_aliases: dict[str, str] = {}


def _accepts_keywords_by_code(function: Callable[..., Any]) -> bool:
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        return bool(_accepts_keywords(function))
    return bool(code.co_flags & inspect.CO_VARKEYWORDS)


def _alias_event_once(aliaser: EventAliaser, name: str) -> str:
    if name not in _aliases:
        _aliases[name] = _alias_event(aliaser, name)
    return _aliases[name]


# A session registers 130 handlers: it parsed each one's signature, and looked for the alias of each event's name.
hooks.accepts_kwargs = _accepts_keywords_by_code  # type: ignore[assignment]
EventAliaser._alias_event_name = _alias_event_once  # type: ignore[attr-defined]

# Each request has a dozen parts of the user agent, which botocore looks through letter by letter: 4 % of the CPU time.
useragent.sanitize_user_agent_string_component = cache(useragent.sanitize_user_agent_string_component)

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
