"""Create, start and stop the service."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import IO, Any

import uvicorn

from local.app.gateway import Gateway
from local.app.parts import Parts
from local.app.repair import clear_folder, clear_lock
from local.aws.credentials import KeyRing
from local.core.disk import is_full
from local.core.secret import make_private
from local.core.settings import HOST, LOCK_FILE, LOG_FILE, Settings
from local.records.record_regions import other_regions
from local.storage.set_aside import SetAside
from local.storage.store import Store

_STOP_SECONDS = 1.0
_BACKLOG = 2048
_LOGGERS = ("local", "moto", "uvicorn", "py.warnings")
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class StartError(Exception):
    """The service cannot start. The message gives the reason and the remedy."""


class ServiceHeldError(StartError):
    """Another service holds the folder.

    Attributes:
        environment: environment variables for AWS clients of that service.
    """

    def __init__(self, message: str, environment: dict[str, str]) -> None:
        super().__init__(message)
        self.environment = environment


class LocalService:
    """One running service.

    Args:
        settings: port 0 takes a free port; ``settings`` of the started service tells which.
        say: tells the user what happens while the service runs, for example that the disk is full.

    Attributes:
        settings: the settings in force.
        parts: the parts of the running service; set once it has started.
        restored: sentences about what an earlier run left and this one took up.
        damaged: sentences about damaged files and records, which were set aside.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None] = lambda _: None) -> None:
        self.settings = settings
        self._say = say
        self.parts: Parts | None = None
        self.restored: list[str] = []
        self.damaged: list[str] = []
        # Ends what has been started: the last first, and each even if another fails.
        self._opened = ExitStack()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> LocalService:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the service. It accepts requests when this returns.

        Raises:
            ServiceHeldError: another service holds the folder.
            StartError: the folder cannot be written to, for example because the disk is full, or its records are of
                another region, or the port is in use.
        """
        try:
            self._start()
        except BaseException as error:
            self.stop()
            if isinstance(error, OSError | sqlite3.Error) or _lacks_threads(error):
                raise StartError(_sentence(self.settings, error)) from None
            raise

    def _start(self) -> None:
        _check_path(self.settings)
        make_private(self.settings.root)
        aside = SetAside(self.settings.root)
        clear_lock(self.settings, aside)
        lock = self._opened.enter_context(hold_folder(self.settings))
        clear_folder(self.settings, aside)
        _check_region(self.settings)
        keys = KeyRing(self.settings.secret_key)
        listener = _listen(self.settings)
        self.settings = replace(self.settings, port=listener.getsockname()[1])
        _tell_holder(lock, self.settings)
        self._opened.callback(_stop_log, _log_to(self.settings))
        self.parts = Parts(self.settings, keys, self._say)
        self._opened.callback(self.parts.close)
        self._opened.callback(self._join)
        self._opened.callback(self.parts.stop_work)
        self.restored = self.parts.restore(aside)
        self.damaged = aside.sentences
        self._serve(listener, self.parts)

    def stop(self) -> None:
        """Stop accepting requests and stop all processes. Records are kept."""
        self.parts = None
        self._opened.close()

    def _join(self) -> None:
        # Ctrl-C can come while the thread starts.
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)

    def _serve(self, listener: socket.socket, parts: Parts) -> None:
        gateway = Gateway(parts, self.settings)
        self._opened.callback(gateway.close)
        config = uvicorn.Config(
            gateway,
            http="httptools",
            loop="uvloop",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        self._opened.callback(setattr, server, "should_exit", True)
        self._thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="gateway", daemon=True)
        self._thread.start()
        while not server.started and self._thread.is_alive():
            time.sleep(0.005)


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment variables for AWS clients of this folder's service, running or not.

    Raises:
        StartError: the folder cannot be used.
    """
    try:
        if settings.root.is_dir():
            hold_folder(settings).close()
        return settings.client_environment()
    except ServiceHeldError as error:
        return error.environment or settings.client_environment()
    except OSError as error:
        raise StartError(f"{settings.root} cannot be used: {error.strerror}") from None


def hold_folder(settings: Settings) -> IO[str]:
    """Lock the folder, so that no service can start there. The system releases the lock when the process ends.

    Args:
        settings: the folder.

    Returns:
        The lock file. Closing it releases the lock.

    Raises:
        ServiceHeldError: a service holds the folder.
        OSError: the folder cannot be used.
    """
    file = (settings.root / LOCK_FILE).open("a+", encoding="utf-8", errors="replace")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        text = file.read()
        file.close()
        holder = _holder(text)
        url = holder["environment"].get("AWS_ENDPOINT_URL", "an address not known yet")
        raise ServiceHeldError(
            f"{settings.root} is in use by the local service at {url} (process {holder['process']}),"
            " which has to stop first",
            settings.client_environment() | holder["environment"] if holder["environment"] else {},
        ) from None
    file.truncate(0)
    return file


def _holder(text: str) -> dict[str, Any]:
    """Return what the lock file says about the process that holds it; it may not have written that yet."""
    try:
        holder: dict[str, Any] = json.loads(text)
        environment = holder["environment"]
        if all(isinstance(each, str) for pair in environment.items() for each in pair):
            return {"process": holder["process"], "environment": environment}
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return {"process": "unknown", "environment": {}}


def _check_path(settings: Settings) -> None:
    """Refuse a path that this process can open but not write into URLs, records and the files of jobs."""
    try:
        str(settings.root).encode()
    except UnicodeEncodeError:
        message = f"{settings.root} has letters that this locale cannot name: set LC_ALL=C.UTF-8 or PYTHONUTF8=1"
        raise StartError(message) from None


def _check_region(settings: Settings) -> None:
    """Refuse a folder whose records are of another region: clients would get ARNs of that region."""
    with closing(Store(settings.database)) as store:
        others = ", ".join(sorted(other_regions(store, settings.region)))
    if others:
        raise StartError(
            f"{settings.root} has resources of {others}, and the service is to be in {settings.region}: set aws.region"
            f" of config.yaml to {others}, or move or delete the folder"
        )


def _lacks_threads(error: BaseException) -> bool:
    return isinstance(error, RuntimeError) and "can't start new thread" in str(error)


def _sentence(settings: Settings, error: BaseException) -> str:
    """Return why the service cannot start, and what to do."""
    if _lacks_threads(error) or (isinstance(error, OSError) and error.errno == errno.EAGAIN):
        return "the system starts no more threads or processes: raise the limit (ulimit -u), then start again"
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return "too many files are open: raise the limit (ulimit -n), then start again"
    if is_full(error):
        return f"no space is left on the disk that holds {settings.root}: free some, then start again"
    reason = error.strerror if isinstance(error, OSError) else f"{settings.database.name}: {error}"
    return f"{settings.root} cannot be used: {reason}"


def _tell_holder(lock: IO[str], settings: Settings) -> None:
    environment = settings.client_environment()
    del environment["AWS_SECRET_ACCESS_KEY"]  # stored in its own file
    # Unbuffered, because a buffer that finds the disk full would fail again when the file is closed.
    os.write(lock.fileno(), json.dumps({"process": os.getpid(), "environment": environment}).encode())


def _listen(settings: Settings) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, settings.port))
    except OSError as error:
        listener.close()
        raise StartError(
            f"port {settings.port} of {HOST} cannot be used ({error.strerror}): give another --port"
        ) from None
    listener.listen(_BACKLOG)
    return listener


def _log_to(settings: Settings) -> logging.Handler:
    """Log internal errors to a file, not to the user's terminal."""
    handler = logging.FileHandler(settings.root / LOG_FILE, delay=True)
    handler.setFormatter(logging.Formatter(_LOG_FORMAT))
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).propagate = False
    return handler


def _stop_log(handler: logging.Handler) -> None:
    for name in _LOGGERS:
        logging.getLogger(name).removeHandler(handler)
        logging.getLogger(name).propagate = True
    handler.close()
