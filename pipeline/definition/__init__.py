"""Builds the pipeline definition without any AWS call: the DAG, one module for each step, and their shared parts."""
