"""Parse pipeline definitions and run their executions."""
