"""Environment variables of the user's shell that would lead AWS clients away from the local service."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, MutableMapping

from local.core.settings import HOST

_IN_THE_WAY = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_REGION", "AWS_CA_BUNDLE"),
    *("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"),
)
"""Variables that change the credentials, the region or the endpoint of a client, or make it refuse the endpoint."""
_ENDPOINT_OF_A_SERVICE = "AWS_ENDPOINT_URL_"
_NO_PROXY = ("NO_PROXY", "no_proxy")


def shell_lines(environment: Mapping[str, str]) -> list[str]:
    """Return the lines of a shell that keep its variables from getting in the way.

    Args:
        environment: the shell's present variables.
    """
    endpoints = sorted(name for name in environment if name.startswith(_ENDPOINT_OF_A_SERVICE) and name.isidentifier())
    unset = [f"unset {name}" for name in (*_IN_THE_WAY, *endpoints)]
    return [*unset, *(f"export {name}={shlex.quote(value)}" for name, value in _without_proxy(environment).items())]


def isolate(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let AWS clients of this process, and of those that it starts, read neither variables nor files of the user."""
    for name in [name for name in environment if name.startswith("AWS_")]:
        del environment[name]
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        environment[name] = os.devnull
    environment["AWS_EC2_METADATA_DISABLED"] = "true"
    environment.update(_without_proxy(environment))


def _without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which clients connect to the service without a proxy. They keep what is set."""
    given = ",".join(environment.get(name, "") for name in _NO_PROXY)
    hosts = dict.fromkeys([*(host.strip() for host in given.split(",") if host.strip()), HOST])
    return dict.fromkeys(_NO_PROXY, ",".join(hosts))
