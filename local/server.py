"""Puts the service together, starts it and stops it."""

from __future__ import annotations

import fcntl
import importlib.util
import logging
import os
import socket
import threading
from dataclasses import replace
from typing import IO, Any

import uvicorn

from local.context import Context
from local.gateway import Gateway
from local.logs import Logs
from local.objects import Objects
from local.sagemaker import catalog
from local.settings import HOST, Settings
from local.store import Store

__all__ = ["LocalService", "StartError", "catalog"]

_STOP_SECONDS = 1.0


class StartError(Exception):
    """The service cannot start; the message says why and what to do."""


class LocalService:
    """One running service.

    Args:
        settings: port 0 takes a free port; ``settings`` of the started service tells which.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.context: Context | None = None
        self._lock: IO[str] | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> LocalService:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start to serve; returns when clients may come.

        Raises:
            StartError: another service holds the folder, or the port is in use.
        """
        self.settings.root.mkdir(parents=True, exist_ok=True)
        self._lock = _hold(self.settings)
        listener = _listen(self.settings)
        self.settings = replace(self.settings, port=listener.getsockname()[1])
        self.context = _assemble(self.settings)
        self._gateway = Gateway(self.context)
        config = uvicorn.Config(
            self._gateway,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="gateway", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, end every process that the service started, keep the records."""
        if self._server is not None and self._thread is not None and self.context is not None:
            self._server.should_exit = True
            self._thread.join(_STOP_SECONDS * 2)
            self._gateway.close()
            self.context.store.close()
        if self._lock is not None:
            self._lock.close()


def _assemble(settings: Settings) -> Context:
    context = Context(settings, Store(settings.database))
    context.objects = Objects(settings.buckets)
    context.logs = Logs(settings.logs)
    for attribute, module, name in (
        ("supervisor", "local.jobs.supervisor", "Supervisor"),
        ("hosting", "local.hosting", "Hosting"),
        ("executions", "local.pipelines.executions", "Executions"),
    ):
        made = _make(module, name, context)
        if made is not None:
            setattr(context, attribute, made)
    return context


def _make(module: str, name: str, context: Context) -> Any:
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    return getattr(importlib.import_module(module), name)(context) if found else None


def _hold(settings: Settings) -> IO[str]:
    path = settings.root / "service.lock"
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise StartError(f"{settings.root} is held by another local service: {holder}") from None
    file.truncate(0)
    file.write(f"process {os.getpid()}\n")
    file.flush()
    return file


def _listen(settings: Settings) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, settings.port))
    except OSError as error:
        listener.close()
        raise StartError(f"port {settings.port} on {HOST} cannot be used: {error.strerror}") from None
    listener.listen(2048)
    return listener


logging.getLogger("local").addHandler(logging.NullHandler())
