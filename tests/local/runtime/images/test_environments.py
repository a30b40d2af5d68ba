"""Python environments that uv makes."""

from __future__ import annotations

import subprocess
from pathlib import Path

from local.core.settings import Settings
from local.runtime.images import environments
from tests.local.runtime.jobs.wheels import wheel


def test_packages_are_compiled_because_jobs_cannot_write_to_the_environment(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "jobpackage-3-py3-none-any.whl").write_bytes(wheel("3"))
    requirements = ["--no-index", "./jobpackage-3-py3-none-any.whl"]
    python = environments.make(settings, None, requirements, tmp_path, lambda _: None)
    question = "import importlib.util, os; print(os.path.exists(importlib.util.find_spec('jobpackage').cached))"
    assert subprocess.check_output([python, "-c", question], text=True) == "True\n"
