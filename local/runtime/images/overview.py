"""Which environments of images this machine has, and would make."""

from __future__ import annotations

from local.core.settings import Settings
from local.runtime.images import frameworks
from local.runtime.images.table import IMAGES
from local.runtime.interpreters import find_interpreter


def describe(settings: Settings) -> list[str]:
    """Return sentences about the environments of images: which are made, and which Python the others would get."""
    made = [each for each in IMAGES if frameworks.folder(settings, each).is_dir()]
    others = [each for each in IMAGES if each not in made]
    pythons = sorted({each.python for each in others}, key=lambda version: int(version.split(".")[1]))
    missing = [version for version in pythons if find_interpreter(version) is None]
    lines = ["Jobs with the images of scikit-learn and XGBoost have the images' packages in environments of their own."]
    if made:
        lines.append(f"Made: {', '.join(f'{each.name} (Python {each.python})' for each in made)}.")
    if others:
        lines.append(f"Made by uv when a job first needs them: {', '.join(each.name for each in others)}.")
    if missing:
        lines.append(
            f"This machine lacks Python {', '.join(missing)}, which some of them have: uv fetches it. Where it cannot, "
            "the nearest Python of this machine is used, and the job's log says so."
        )
    return lines
