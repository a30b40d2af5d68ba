"""Builds the pipeline definition from config.yaml, publishes it and operates it."""
