"""The local service that requests are sent to."""

from tests.local.conftest import service as service
