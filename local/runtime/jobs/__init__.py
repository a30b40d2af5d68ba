"""SageMaker's jobs, run as programs on this machine instead of in containers."""
