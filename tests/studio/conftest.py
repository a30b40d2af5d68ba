"""Studio in this process, in front of a local service, and a browser that is let in."""

from __future__ import annotations

import http.client
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import boto3
import pytest

from local.core.settings import ACCESS_KEY
from studio.aws import Aws
from studio.server import HOST, Server
from tests.local.conftest import RunningService, service
from tests.local.interpreter.conftest import pipelines

__all__ = ["pipelines", "service"]


@dataclass
class Answer:
    """What Studio answered."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.body)
        assert found is not None, self.body
        return found[1]


@dataclass
class Browser:
    """Sends requests as a browser does, with its cookie."""

    server: Server
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, **form: str) -> Answer:
        return self.send("POST", path, urlencode(form))

    def send(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection(HOST, self.server.port, timeout=60)
        connection.request(method, path, body, {**self.headers, **(headers or {})})
        response = connection.getresponse()
        answer = Answer(
            response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode("utf-8")
        )
        connection.close()
        return answer

    def let_in(self) -> Browser:
        cookie = self.get(f"/?token={self.server.secrets.token}").headers["set-cookie"]
        self.headers["Cookie"] = cookie.partition(";")[0]
        return self


def make_session(running: RunningService, calls: Counter[str] | None = None) -> boto3.Session:
    """A session of the local service; ``calls`` counts the operations."""
    session = boto3.Session(ACCESS_KEY, running.settings.secret_key, region_name=running.settings.region)
    if calls is not None:
        session.events.register("before-call", lambda model, **_: calls.update([model.name]))
    return session


@pytest.fixture(scope="module")
def calls() -> Counter[str]:
    """The calls of AWS so far, by operation."""
    return Counter()


@pytest.fixture(scope="module")
def studio(service: RunningService, calls: Counter[str]) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", service.settings.endpoint_url)
        with serving(Aws(make_session(service, calls))) as server:
            yield server


@contextmanager
def serving(aws: Aws) -> Iterator[Server]:
    """Serve Studio in a thread."""
    with Server(aws, 0) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        # The first request waits until requests are answered.
        connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
        connection.request("GET", "/")
        connection.getresponse()
        connection.close()
        yield server
        server.stop()
        thread.join()


@pytest.fixture(scope="module")
def browser(studio: Server) -> Browser:
    return Browser(studio).let_in()


@pytest.fixture(scope="module")
def stranger(studio: Server) -> Browser:
    return Browser(studio)
