"""What SageMaker would refuse of the project's own definition, or would only find while it executes."""

from __future__ import annotations

from definition_language.lint import check, unused_parameters
from definition_language.steps import Document


def lint(definition: Document) -> list[str]:
    """Return all faults of a definition: those of any definition, and parameters that do nothing."""
    unused = [
        f"parameter {name} is declared and not used: it would do nothing in the form"
        for name in unused_parameters(definition)
    ]
    return [*check(definition).faults, *unused]
