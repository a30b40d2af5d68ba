"""Lints the project's own definition before SageMaker sees it."""

from __future__ import annotations

from definition_language.lint import check, unused_parameters
from definition_language.steps import Document


def lint(definition: Document) -> list[str]:
    """Return all faults of a definition, and its unused parameters."""
    unused = [
        f"parameter {name} is declared and not used: it would have no effect in Studio's form"
        for name in unused_parameters(definition)
    ]
    return [*check(definition).faults, *unused]
