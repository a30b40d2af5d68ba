"""Endpoints."""

from __future__ import annotations

from local.storage.store import Document


def is_serverless(endpoint: Document) -> bool:
    """Return whether an endpoint that was in service has a serverless variant, which is then its only one."""
    return any("CurrentServerlessConfig" in variant for variant in endpoint.get("ProductionVariants", ()))
