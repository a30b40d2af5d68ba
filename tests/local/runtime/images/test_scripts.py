"""Whether scripts need the packages of their image."""

from __future__ import annotations

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


def test_of_a_program_that_is_not_python_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("")
    assert not need_no_packages([])
    assert not need_no_packages([tmp_path / "run.sh"])
    assert not need_no_packages([tmp_path / "missing.py"])
