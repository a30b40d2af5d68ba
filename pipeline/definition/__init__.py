"""The pipeline's definition: the DAG, one module a step, and what the steps share. It makes no AWS call."""
