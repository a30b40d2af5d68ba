"""Processes: jobs, endpoints and function invocations."""
