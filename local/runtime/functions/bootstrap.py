"""Run one invocation of a function's handler in a separate process, as Lambda's Python runtime does.

Started with ``python -I -S bootstrap.py <packages> <folder>``, or forked by a fork server with the same command
(``local.runtime.guard``). ``packages`` is the service's site-packages. The folder holds ``event.json`` and
``invocation.json``; the outcome goes to ``result.json``. It imports nothing but the standard library, and the function
finds nothing but that, its own files and what Lambda's runtime ships.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html and .../python-exceptions.html
"""

from __future__ import annotations

import copy
import importlib
import json
import logging
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: the SDK and what it needs
SHIPPED = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"}
_IMPORTED_BY_CLIENTS = ("boto3.s3.inject", "encodings.idna")
"""What ``import boto3`` leaves to the first client and the first call."""
_LARGEST_RESPONSE = 6 * 1024 * 1024 + 100
_ADDRESS_SPACE_BEYOND_LIMIT = 1024**3


class Context:
    """The context object, a handler's second argument."""

    def __init__(self, invocation: dict[str, Any]) -> None:
        self.aws_request_id = invocation["request_id"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = invocation["function_arn"]
        self.identity = None
        self.client_context = None
        self._deadline = time.monotonic() + invocation["timeout"]

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda stops the invocation."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class RuntimeFault(Exception):  # noqa: N818 - Lambda's own names go into ``kind``
    """The handler cannot be loaded, or its result cannot be serialized."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ShippedPackages:
    """Imports the packages of Lambda's runtime from the service's own site-packages."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._imported: dict[str, ModuleType] = {}

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of a top-level package, for the import system, which has not found it elsewhere."""
        if path is not None or name not in SHIPPED:
            return None
        # boto3 imports the function's own urllib3, if it has one.
        if any(map(PathFinder.find_spec, SHIPPED)):
            self._imported.clear()
        if name in self._imported:
            return _spec_of_imported(name, self._imported)
        return PathFinder.find_spec(name, [self._folder], target)

    def import_all(self) -> None:
        """Import the packages, but hide them until a function imports one: it may have its own."""
        for name in ("boto3", *_IMPORTED_BY_CLIENTS):
            importlib.import_module(name)
        names = [name for name in sys.modules if name.partition(".")[0] in SHIPPED]
        self._imported.update({name: sys.modules.pop(name) for name in names})


class _ImportedLoader(Loader):
    """Loads modules that are imported already."""

    def __init__(self, modules: dict[str, ModuleType]) -> None:
        self._modules = modules

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = self._modules[spec.name]
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec
        sys.modules.update(self._modules)


def _spec_of_imported(name: str, modules: dict[str, ModuleType]) -> ModuleSpec:
    spec = copy.copy(modules[name].__spec__)
    assert spec is not None
    spec.loader = _ImportedLoader(modules)
    return spec


def prepare(packages: str) -> None:
    """Import what Lambda's runtime ships, once for all invocations."""
    shipped = ShippedPackages(packages)
    sys.meta_path.append(shipped)
    shipped.import_all()


def main(arguments: list[str]) -> NoReturn:
    """Load the handler, call it with the event, write the result and end the process."""
    packages, folder = arguments[0], Path(arguments[1])
    invocation = json.loads((folder / "invocation.json").read_text())
    event = json.loads((folder / "event.json").read_text())
    most = invocation["memory_bytes"] + _ADDRESS_SPACE_BEYOND_LIMIT
    # The service monitors memory use. This limit stops a single huge allocation.
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    sys.path.insert(0, invocation["code"])
    if not any(isinstance(finder, ShippedPackages) for finder in sys.meta_path):
        sys.meta_path.append(ShippedPackages(packages))
    _set_up_logging(invocation["request_id"])
    started = time.monotonic()
    outcome: dict[str, Any]
    try:
        handler = _load(os.environ["_HANDLER"])
        (folder / "initialised").touch()
        started = time.monotonic()
        response = handler(event, Context(invocation))
        outcome = {"text": _sendable(response)}
    except RuntimeFault as fault:
        outcome = {"error": _report(fault.kind, str(fault), [])}
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]
        outcome = {"error": _report(type(error).__name__, str(error), traceback.format_list(frames))}
    outcome["seconds"] = time.monotonic() - started
    sys.stdout.flush()
    sys.stderr.flush()
    unfinished = folder / "result.new"
    unfinished.write_text(json.dumps(outcome))
    unfinished.replace(folder / "result.json")
    # Lambda does not wait for the handler's threads either. It stops them until the next invocation.
    os._exit(0)


def _load(name: str) -> Callable[[Any, Context], Any]:
    module_name, _, function = name.rpartition(".")
    if not module_name:
        message = f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        raise RuntimeFault("Runtime.MalformedHandlerName", message)
    module_name = module_name.replace("/", ".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise RuntimeFault("Runtime.ImportModuleError", message) from None
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        raise RuntimeFault("Runtime.UserCodeSyntaxError", message) from None
    handler = getattr(module, function, None)
    if handler is None:
        message = f"Handler '{function}' missing on module '{module_name}'"
        raise RuntimeFault("Runtime.HandlerNotFound", message)
    loaded: Callable[[Any, Context], Any] = handler
    return loaded


def _sendable(response: Any) -> str:
    try:
        text = json.dumps(response, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise RuntimeFault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None
    if (size := len(text.encode())) > _LARGEST_RESPONSE:
        raise RuntimeFault(
            "Function.ResponseSizeTooLarge",
            f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({_LARGEST_RESPONSE} bytes).",
        )
    return text


def _report(kind: str, message: str, stack: list[str]) -> dict[str, Any]:
    trace = "".join(f"\n{line.rstrip()}" for line in stack)
    print(f"[ERROR] {kind}: {message}" + (f"\nTraceback (most recent call last):{trace}" if stack else ""))
    return {"errorMessage": message, "errorType": kind, "stackTrace": stack}


def _set_up_logging(request_id: str) -> None:
    handler = logging.StreamHandler(sys.stdout)
    layout = f"[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t{request_id}\t%(message)s"
    formatter = logging.Formatter(layout, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)


if __name__ == "__main__":
    main(sys.argv[1:])
