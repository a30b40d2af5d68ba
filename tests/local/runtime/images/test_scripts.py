"""Whether scripts need the packages of their image."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from local.runtime.images import table
from local.runtime.images.frameworks import libraries_of_our_own
from local.runtime.images.scripts import need_no_packages
from pipeline.algorithms.table import foreign_modules
from pipeline.definition.assets import step_upload


@pytest.mark.parametrize(
    ("script", "fits"),
    [
        ("import os, json\nimport boto3\nfrom numpy import array", True),
        ("import helper, own.part\nfrom . import other\nfrom own import part", True),
        ("def late():\n    import pandas", False),
        ("try:\n    import json\nexcept ImportError:\n    import pandas", False),
        ("try:\n    import json\nfinally:\n    with open('a'):\n        import pandas", False),
        (
            "class A:\n    async def a():\n        if 1:\n            0\n        elif 2:\n            import pandas",
            False,
        ),
        ("match 1:\n    case 2:\n        for a in b:\n            0\n        else:\n            import pandas", False),
        ("from sklearn.svm import SVC", False),
        ("import scipy.sparse, sagemaker", False),
        ("import subprocess", False),
        ("import importlib", False),
        ("import pickle", False),
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


@pytest.mark.parametrize(
    "script",
    [
        "__import__('pandas')",
        "exec('import pandas')",
        "def late():\n    return [eval(text) for text in texts]",
        "import builtins\nbuiltins.exec('import pandas')",
        "from builtins import __import__ as load",
        "import pkgutil\npkgutil.resolve_name('pandas:DataFrame')",
        "import zipimport",
        "import code",
        "import timeit",
        "import unittest.mock",
        "import _pickle",
        "import _posixsubprocess",
        "import numpy\nnumpy.load('array.npy', allow_pickle=True)",
        "import logging.config\nlogging.config.dictConfig(settings)",
        "import os, sys\nos.system(f'{sys.executable} other.py')",
        "from os import popen as run",
        "from os import *\nsystem('python other.py')",
        "import os, sys\nos.execv(sys.executable, ['python', 'other.py'])",
        "import os\nos.posix_spawn('python', [], {})",
        "import asyncio\nasyncio.create_subprocess_exec('python', 'other.py')",
        "import pty",
        "import ensurepip",
    ],
)
def test_a_script_that_may_import_what_no_statement_shows_needs_packages(tmp_path: Path, script: str) -> None:
    (tmp_path / "script.py").write_text(script)
    (tmp_path / "other.py").write_text("")
    assert not need_no_packages(sorted(tmp_path.rglob("*.py")))


@pytest.mark.parametrize(
    "script",
    [
        "'Evaluates with exec, eval and os.system.'\nprint('eval')  # __import__",
        "from __future__ import annotations\nimport ast, re\nast.literal_eval(re.compile('1').pattern)",
        "import numpy\nnumpy.load('array.npy')",
        "import logging\nlogging.basicConfig()",
    ],
)
def test_a_script_that_only_speaks_of_such_names_needs_none(tmp_path: Path, script: str) -> None:
    (tmp_path / "script.py").write_text(script)
    assert need_no_packages([tmp_path / "script.py"])


def test_an_import_within_an_imported_file_counts(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import helper")
    (tmp_path / "helper.py").write_text("import pandas")
    assert not need_no_packages(sorted(tmp_path.rglob("*.py")))


def test_a_file_that_is_no_archive_needs_packages(tmp_path: Path) -> None:
    (tmp_path / "program.pyz").write_text("")
    assert not need_no_packages([tmp_path / "program.pyz"])


def test_of_a_program_that_is_not_python_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("")
    assert not need_no_packages([])
    assert not need_no_packages([tmp_path / "run.sh"])
    assert not need_no_packages([tmp_path / "missing.py"])


@pytest.mark.parametrize(("part", "fits"), [("import numpy", True), ("import pandas", False)])
def test_an_archive_that_python_runs_is_read(tmp_path: Path, part: str, fits: bool) -> None:
    with zipfile.ZipFile(tmp_path / "program.pyz", "w") as archive:
        archive.writestr("__main__.py", "from own.part import numpy")
        archive.writestr("own/part.py", part)
    assert need_no_packages([tmp_path / "program.pyz"]) is fits
    (tmp_path / "program.pyz").write_bytes(b"no archive")
    assert not need_no_packages([tmp_path / "program.pyz"])


def test_a_library_of_our_own_in_the_images_version_is_enough(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import xgboost")
    same, older = table.find("x/sagemaker-xgboost:3.2-0"), table.find("x/sagemaker-xgboost:1.7-1")
    assert same is not None
    assert older is not None
    assert need_no_packages([tmp_path / "script.py"], libraries_of_our_own(same))
    assert not need_no_packages([tmp_path / "script.py"], libraries_of_our_own(older))


@pytest.mark.parametrize(
    ("algorithm", "image"),
    [("linear-learner", "x/sagemaker-scikit-learn:1.4-2-py312"), ("xgboost", "x/sagemaker-xgboost:3.2-0")],
)
@pytest.mark.parametrize("name", ["select_best.pyz", "verify_endpoint.pyz"])
def test_the_projects_own_programs_wait_for_no_environment(
    tmp_path: Path, name: str, algorithm: str, image: str
) -> None:
    known = table.find(image)
    assert known is not None
    content = step_upload(name, "bucket", "code", foreign_modules(algorithm)).content
    assert isinstance(content, bytes)
    (tmp_path / name).write_bytes(content)
    assert need_no_packages([tmp_path / name], libraries_of_our_own(known))
