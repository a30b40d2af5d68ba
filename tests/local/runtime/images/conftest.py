"""What the tests of images share with those of jobs."""

from tests.local.runtime.jobs.conftest import jobs, rows

__all__ = ["jobs", "rows"]
