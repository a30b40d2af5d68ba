"""Jobs: what SageMaker runs in containers, run as programs on this machine."""
