"""What ``make run`` does in a process beside its own: what needs the SDK, and what draws.

Nothing is imported before its task, so that the process can start first of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.config.models import Config
    from pipeline.report.evidence import Evidence


def load_sdk() -> None:
    """Import what builds a definition, which takes seconds."""
    import pipeline.definition.pipeline  # noqa: F401, PLC0415


def build(config: Config, account_id: str) -> dict[str, Any]:
    """Return a configuration's definition, with the bucket and the roles that an account has by convention."""
    from pipeline.definition.pipeline import build_definition  # noqa: PLC0415
    from pipeline.definition.resources import conventional_resources  # noqa: PLC0415

    return build_definition(config, conventional_resources(config, account_id))


def load_drawing() -> None:
    """Import and start what draws the page, which takes longer than drawing it."""
    from pipeline.report import drawing, page  # noqa: F401, PLC0415

    drawing.start()


def draw(evidence: Evidence) -> str:
    """Return the page about an execution."""
    from pipeline.report.page import rendered  # noqa: PLC0415

    return rendered(evidence)
