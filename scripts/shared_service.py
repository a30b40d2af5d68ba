"""Provides the local service to several commands at once in one folder.

The first command starts a service in its own process, and the others use it. A lock file counts them: a command that
uses the service of another holds a shared lock, and the service stops only under an exclusive lock. The system
releases a lock when its process ends, so a command that is killed keeps no other waiting.

A service can still stop while it is used: its process is killed, or a person stops ``make local``. The next command
that notices starts a service itself.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

import botocore.exceptions

from local.app.server import LocalService, ServiceHeldError, StartError
from local.core.secret import make_private
from local.core.settings import Settings
from pipeline.errors import UserError
from scripts.console import console
from scripts.local_runs import point_at

_USERS = "service.users"
_PUBLISHING = "publishing.lock"
_POLL_SECONDS = 0.1
_STOPPING_SECONDS = 30.0
"""How long a service may take to stop, or to publish its address."""

_INTERRUPTED = {
    True: "Interrupted. Repeat the command: steps that have succeeded are not run again.",
    False: "Interrupted. The execution goes on in the local service of another command.",
}
"""What a person who presses Ctrl-C wants to know, by whether the service is the command's own."""

_CONNECTION_LOST = (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError)

T = TypeVar("T")


def on_local_service(root: Path, region: str, work: Callable[[], T]) -> T:
    """Do work with the local service of a folder, and return its result.

    If the service belongs to another process and stops meanwhile, the work is done again with the next service. So
    the work must go on from where it was.

    Args:
        root: the absolute path of the service's folder.
        region: the region of a service that is started.
        work: sends requests to the service, to which the environment variables of AWS clients point.

    Raises:
        UserError: the folder cannot be used, or another process runs its service in another region.
    """
    lost = ""
    while True:
        with _service(root, region, lost) as own:
            try:
                return work()
            except KeyboardInterrupt:
                console.print(f"\n{_INTERRUPTED[own]}")
                raise
            except _CONNECTION_LOST:
                lost = os.environ["AWS_ENDPOINT_URL"]
                if own:
                    raise
        console.print("The local service that this run used has stopped. Going on with another one.")


@contextmanager
def publishing_alone(root: Path) -> Iterator[None]:
    """Let other commands of the folder wait, so that a run starts what it has published, and not what another has."""
    with (root / _PUBLISHING).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _service(root: Path, region: str, lost: str) -> Iterator[bool]:
    """Provide the folder's service, and point AWS clients at it.

    Args:
        root: the service's folder.
        region: the region of a service that is started.
        lost: the URL of a service that has stopped responding, or empty.

    Yields:
        Whether this process runs the service.
    """
    service = LocalService(Settings(root=root, port=0, region=region), _say)
    with _users_file(root) as users:
        environment = _join_or_start(service, users, lost)
        if environment is not None:
            _check_region(environment, region)
            point_at(environment)
            yield False
            return
        point_at(service.settings.client_environment())
        if service.parts is not None:
            # Publishing asks for EventBridge's rules.
            service.parts.supervisor.run_in_background(service.parts.moto.start, "moto")
        for sentence in service.damaged:
            _say(sentence)
        try:
            yield True
        except KeyboardInterrupt:
            raise
        except BaseException:
            _wait_for_others(users)
            raise
        else:
            _wait_for_others(users)
        finally:
            service.stop()


def _check_region(environment: dict[str, str], region: str) -> None:
    """Refuse to use a service in another region than the configuration's, which would refuse each request.

    Args:
        environment: the environment variables for AWS clients of the service.
        region: the configuration's region.

    Raises:
        UserError: the service is in another region.
    """
    serves = environment["AWS_DEFAULT_REGION"]
    if serves != region:
        raise UserError(
            f"The local service of this folder, at {environment['AWS_ENDPOINT_URL']}, is in {serves}, and aws.region of"
            f" the configuration is {region}. Stop the service, or set aws.region: {serves}"
        )


@contextmanager
def _users_file(root: Path) -> Iterator[IO[str]]:
    try:
        make_private(root)
        file = (root / _USERS).open("a")
    except OSError as error:
        raise UserError(f"{root} cannot be used: {error.strerror}") from None
    with file:
        yield file


def _join_or_start(service: LocalService, users: IO[str], lost: str) -> dict[str, str] | None:
    """Use the folder's service, or start this one if there is none.

    Args:
        service: the service to start.
        users: the lock file. Its shared lock is held afterwards if another service is used.
        lost: the URL of a service that may still hold the folder but is not used.

    Returns:
        The environment variables for AWS clients of another process's service, or None if this one was started.
    """
    deadline = time.monotonic() + _STOPPING_SECONDS
    while True:
        if _lock(users, fcntl.LOCK_SH):
            try:
                service.start()
            except ServiceHeldError as error:
                url = error.environment.get("AWS_ENDPOINT_URL")
                if url and url != lost:
                    return error.environment
            except StartError as error:
                raise UserError(str(error)) from None
            else:
                fcntl.flock(users, fcntl.LOCK_UN)
                return None
            fcntl.flock(users, fcntl.LOCK_UN)
        if time.monotonic() > deadline:
            raise UserError(
                f"The local service of {service.settings.root} does not respond, and does not stop: kill it."
            )
        time.sleep(_POLL_SECONDS)


def _wait_for_others(users: IO[str]) -> None:
    """Wait until no other command uses the service, and keep others from starting to."""
    if not _lock(users, fcntl.LOCK_EX):
        console.print("Another run still uses the local service of this one, which stops when that run ends.")
        console.print("Ctrl-C stops it now; the other run then starts a service and goes on.")
        fcntl.flock(users, fcntl.LOCK_EX)


def _lock(file: IO[str], operation: int) -> bool:
    """Lock a file, and return whether that was possible at once."""
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _say(sentence: str) -> None:
    console.print(sentence, markup=False)
