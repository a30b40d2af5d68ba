"""Executions of pipeline definitions."""
