"""The HTTP side: ``GET /ping`` and ``POST /invocations`` on a port of 127.0.0.1.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import logging
import os
import socket
import socketserver
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .formats import JSON
from .handlers import Handlers


def main(framework: str, base: str) -> None:
    """Serve the model in ``model`` of the base folder, ``/opt/ml``, until the process is killed.

    The port is in ``SAGEMAKER_BIND_TO_PORT``, the user's module in ``SAGEMAKER_PROGRAM``.

    Args:
        framework: ``scikit-learn`` or ``xgboost``.
        base: The base folder.
    """
    level = os.environ.get("SAGEMAKER_CONTAINER_LOG_LEVEL") or str(logging.INFO)
    logging.basicConfig(format="%(asctime)s %(levelname)s - %(name)s - %(message)s", level=int(level))
    model = os.path.join(base, "model")
    code = os.path.join(base, "code")
    _install(code)
    # Its own folder was the first: a user's module may have any name.
    sys.path[0:0] = [code]
    accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or JSON
    handlers = Handlers(framework, _module(), model, accept)
    port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
    _Server(("127.0.0.1", port), handlers).serve_forever()


def _module() -> str:
    """Return the name of the user's module."""
    program = os.environ.get("SAGEMAKER_PROGRAM")
    if not program:
        sys.exit("The model's environment has no SAGEMAKER_PROGRAM: it names the script with model_fn.")
    return program[:-3] if program.endswith(".py") else program


def _install(code: str) -> None:
    """Install the user's requirements, and the user's package if there is one, with pip."""
    wanted = []
    if os.path.exists(os.path.join(code, "setup.py")):
        wanted += ["."]
    if os.path.exists(os.path.join(code, "requirements.txt")):
        wanted += ["-r", "requirements.txt"]
    if wanted:
        command = [sys.executable, "-m", "pip", "install", *wanted]
        print("Installing:", " ".join(command), flush=True)
        status = subprocess.call(command, cwd=code)
        if status != 0:
            sys.exit(f"failed to install required packages: pip ended with {status}")


class _Server(ThreadingHTTPServer):
    """Answers pings at any time, and one invocation after the other: handlers need not be thread-safe."""

    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handlers: Handlers) -> None:
        self.handlers = handlers
        self.turn = threading.Lock()
        super().__init__(address, _Request)

    def server_bind(self) -> None:
        """Bind the port, without HTTPServer's look-up of the host's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        self._reply(200 if self.path == "/ping" else 404, JSON, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/invocations":
            self._reply(404, JSON, b"")
            return
        with self.server.turn:
            answer = self.server.handlers.answer(body, self.headers.get("Content-Type"), self.headers.get("Accept"))
        self._reply(*answer)

    def _reply(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log invocations only: the service asks for pings, not the user."""
        if self.path != "/ping":
            super().log_request(code, size)
