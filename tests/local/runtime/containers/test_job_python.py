"""A job's own Python environment."""

from __future__ import annotations

import sys
from pathlib import Path

from local.runtime.containers import job_python
from local.runtime.containers.container import Container


def test_a_toolkit_that_was_added_after_the_first_job_runs_with_the_jobs_own_python(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.mkdir()
    interpreter = image / "python"
    interpreter.symlink_to(sys.executable)
    for number, scripts in enumerate([[], ["train"]]):
        for name in scripts:
            (image / name).write_text("#!/usr/bin/env python3\n")
        root = tmp_path / str(number)
        root.mkdir()
        job_python.make(Container(root, root), str(interpreter))
        programs = (root / job_python.PROGRAM).parent
        assert [path.name for path in programs.glob("train")] == scripts
    assert f"exec {programs}/python {image}/train" in (programs / "train").read_text()
