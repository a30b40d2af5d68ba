"""Endpoints: deployment, inference and data capture."""
