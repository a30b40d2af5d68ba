"""Which invocations are forked by a server that has imported the SDK, and which start a Python of their own."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from local.runtime.fork_servers import ForkServer
from local.runtime.functions import bootstrap

_IMPORTED_NAMES = bootstrap.SHIPPED | sys.stdlib_module_names
_READ_AT_THE_START = ("LANG", "LC_", "LD_", "GLIBC_", "MALLOC_", "OPENSSL_")
"""Beginnings of variables that Python and its libraries read only when they start."""


def starting_environment() -> dict[str, str]:
    """Return the environment variables that all functions have in common, and that their fork server has."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "en_US.UTF-8", "TZ": ":UTC"}


def fork_server(interpreter: str) -> ForkServer:
    """Return the server that forks the invocations of functions for a Python."""
    program = (bootstrap.__file__, _packages_folder())
    return ForkServer((interpreter, "-I", "-S"), program, starting_environment())


def can_be_forked(code: Path, variables: Iterable[str]) -> bool:
    """Return whether a function behaves in a forked process as in a Python of its own.

    It does not if its code has a module with the name of one that the server may have imported, nor if it sets an
    environment variable that a process reads only when it starts.

    Args:
        code: the folder of the function's code.
        variables: the names of the environment variables that the function sets.
    """
    own_modules = {name.partition(".")[0] for name in os.listdir(code)}  # noqa: PTH208 - only the names
    return own_modules.isdisjoint(_IMPORTED_NAMES) and not any(map(_is_read_at_the_start, variables))


def _is_read_at_the_start(variable: str) -> bool:
    return variable.startswith(_READ_AT_THE_START)


@functools.cache
def _packages_folder() -> str:
    spec = importlib.util.find_spec("boto3")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parents[1])
