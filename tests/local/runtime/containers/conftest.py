"""What the tests of containers share with those of jobs."""

from tests.local.runtime.jobs.conftest import jobs, rows

__all__ = ["jobs", "rows"]
