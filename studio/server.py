"""Serves Studio on this machine."""

from __future__ import annotations

import socket
from types import TracebackType

import uvicorn

from studio.app import make_app
from studio.aws import Aws
from studio.security import Secrets

HOST = "127.0.0.1"
DEFAULT_PORT = 8567


class PortInUseError(Exception):
    """Another program listens on the port."""


class Server:
    """Serves Studio on a port of this machine.

    Args:
        aws: the account that the pages show.
        port: the port; 0 takes a free one.

    Attributes:
        port: the port in force.
        secrets: what the browser has to know.

    Raises:
        PortInUseError: another program listens on the port.
    """

    def __init__(self, aws: Aws, port: int = DEFAULT_PORT) -> None:
        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        self.secrets = Secrets()
        app = make_app(aws, self.secrets, self.port)
        # A browser's open streams do not keep Studio from stopping.
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, lifespan="off")
        self._server = uvicorn.Server(config)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """The URL of the first page, without the token."""
        return f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """The URL that lets a browser in."""
        return f"{self.address}/?token={self.secrets.token}"

    def serve(self) -> None:
        """Serve until SIGINT or SIGTERM, or until ``stop``."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._socket.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        # From now on, connections wait: the address is printed before the first one is answered.
        listener.listen()
    except OSError as error:
        listener.close()
        raise PortInUseError(f"Port {port} cannot be used: {error.strerror}.") from None
    return listener
