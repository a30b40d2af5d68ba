"""``python -m local``: the AWS API on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import signal
import socket
import sys
from pathlib import Path

from botocore.exceptions import UnknownRegionError

from definition_language.streams import prepare_streams, shown
from local.app.server import LocalService, StartError, environment_of
from local.core.arns import partition
from local.core.sdk_defaults import sdk_environment
from local.core.settings import DEFAULT_PORT, DEFAULT_REGION, Settings
from local.core.surroundings import isolate, shell_lines
from local.runtime.containers.isolation import description
from local.runtime.images.overview import describe


def main() -> int:
    """Serve until SIGINT or SIGTERM; return the exit status."""
    prepare_streams()
    given = shell_lines(os.environ)
    isolate()
    arguments = _parser().parse_args()
    settings = Settings(arguments.root.absolute(), arguments.port, arguments.region)
    logging.captureWarnings(True)
    try:
        if arguments.describe_jobs:
            _print("\nOn this machine, for the local service:", description(), *describe(settings))
            return 0
        if arguments.print_environment:
            _print(*_exports(_with_sdk(settings, environment_of(settings))), *given)
        else:
            _serve(settings)
    except StartError as error:
        print(shown(f"python -m local: {error}", sys.stderr), file=sys.stderr)
        return 1
    return 0


def _serve(settings: Settings) -> None:
    with _stop_signals() as stop_signals, LocalService(settings, _print) as service:
        _greet(service)
        stop_signals.recv(1)
        _print("\nStopping.")


def _stop_signals() -> socket.socket:
    """Return a socket that receives a byte at each SIGINT or SIGTERM.

    A handler that sets a threading.Event can be missed: if the signal arrives between Python's last check for
    signals and the wait, the wait never ends.
    """
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    signal.set_wakeup_fd(sender.detach())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return receiver


def _greet(service: LocalService) -> None:
    settings = service.settings
    _print(
        f"SageMaker, S3, Lambda and more on this machine: {settings.endpoint_url}",
        f"State: {settings.root}. Stop with Ctrl-C.",
        description(),
        "",
        *_exports(_with_sdk(settings, settings.client_environment())),
        "",
        "To look at it in a browser: make studio, in a shell with these lines.",
        *service.damaged,
        *(service.restored or ["Nothing to restore."]),
    )


def _with_sdk(settings: Settings, environment: dict[str, str]) -> dict[str, str]:
    return environment | sdk_environment(settings.root, environment["AWS_DEFAULT_REGION"])


def _exports(environment: dict[str, str]) -> list[str]:
    return [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]


def _print(*lines: str) -> None:
    """Print lines. The service goes on if nobody reads them: Ctrl-C ends ``tee`` first in ``make local | tee log``."""
    try:
        print("\n".join(shown(line, sys.stdout) for line in lines), flush=True)
    except BrokenPipeError:
        # Otherwise Python writes the rest at exit, and fails again.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(".local"), help="folder for all state (.local)")
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help=f"port on 127.0.0.1 ({DEFAULT_PORT})")
    parser.add_argument("--region", type=_region, default=DEFAULT_REGION, help=f"region in ARNs ({DEFAULT_REGION})")
    parser.add_argument(
        "--print-environment", action="store_true", help="print what points a shell at the service, and do not serve"
    )
    parser.add_argument(
        "--describe-jobs",
        action="store_true",
        help="print how jobs get /opt/ml and which environments of images there are, and do not serve",
    )
    return parser


def _region(text: str) -> str:
    try:
        partition(text)
    except UnknownRegionError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an AWS region, for example {DEFAULT_REGION}") from None
    return text


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port: 0 to 65535, 0 for a free one")
    return port


if __name__ == "__main__":
    sys.exit(main())
