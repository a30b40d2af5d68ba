"""The AWS services that are not this project's subject, answered by moto: IAM, STS, CloudFormation and more."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from a2wsgi import WSGIMiddleware

if TYPE_CHECKING:
    from local.context import Context


class MotoServices:
    """Moto's own server application, imported when the first request needs it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._application: Any = None

    def application(self) -> Any:
        """The ASGI application that answers."""
        with self._lock:
            if self._application is None:
                os.environ.setdefault("MOTO_DISABLE_GLOBAL_CORS", "true")
                from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415

                self._application = WSGIMiddleware(DomainDispatcherApplication(create_backend_app))
            return self._application
