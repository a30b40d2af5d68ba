"""Whether scripts need the packages of their image."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from local.runtime.images.scripts import need_no_packages


@pytest.mark.parametrize(
    ("script", "fits"),
    [
        ("import os, json\nimport boto3\nfrom numpy import array", True),
        ("import helper, own.part\nfrom . import other\nfrom own import part", True),
        ("def late():\n    import pandas", False),
        ("from sklearn.svm import SVC", False),
        ("import scipy.sparse, sagemaker", False),
        ("import subprocess", False),
        ("import importlib", False),
        ("print 'Python 2'", False),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas", True),
        ("import typing\nif typing.TYPE_CHECKING:\n    import json\nelse:\n    import pandas", False),
        ("\0", False),
    ],
)
def test_a_script_that_imports_nothing_of_an_image_needs_no_environment(
    tmp_path: Path, script: str, fits: bool
) -> None:
    (tmp_path / "script.py").write_text(script)
    (tmp_path / "helper.py").write_text("")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "part.py").write_text("import csv")
    assert need_no_packages(sorted(tmp_path.rglob("*.py"))) is fits


def test_an_import_within_an_imported_file_counts(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import helper")
    (tmp_path / "helper.py").write_text("import pandas")
    assert not need_no_packages(sorted(tmp_path.rglob("*.py")))


@pytest.mark.parametrize(("name", "fits"), [("select_best", True), ("verify_endpoint", True), ("make_folds", False)])
def test_the_jobs_of_the_projects_own_pipeline_wait_for_no_environment(tmp_path: Path, name: str, fits: bool) -> None:
    steps = Path(__file__).parents[4] / "steps"
    program = tmp_path / f"{name}.pyz"
    with zipfile.ZipFile(program, "w") as archive:
        archive.write(steps / f"{name}.py", "__main__.py")
        for file in (steps / "evaluation").glob("*.py"):
            archive.write(file, f"evaluation/{file.name}")
    assert need_no_packages([program]) is fits


def test_a_file_that_is_no_archive_needs_packages(tmp_path: Path) -> None:
    (tmp_path / "program.pyz").write_text("")
    assert not need_no_packages([tmp_path / "program.pyz"])


def test_of_a_program_that_is_not_python_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("")
    assert not need_no_packages([])
    assert not need_no_packages([tmp_path / "run.sh"])
    assert not need_no_packages([tmp_path / "missing.py"])
