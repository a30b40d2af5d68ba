"""Jobs: what SageMaker runs in containers, run as programs on this machine."""

from local.runtime.jobs.restoring import restore

__all__ = ["restore"]
