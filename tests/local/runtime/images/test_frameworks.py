"""Environments of frameworks' images: which versions they get, and what the log says of them."""

from __future__ import annotations

import json
import os
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.core.settings import Settings
from local.runtime.errors import JobFailedError
from local.runtime.images import environments, frameworks, runtimes
from local.runtime.images.table import FrameworkImage
from local.runtime.interpreters import OURS
from tests.local.runtime.jobs.conftest import BUCKET, XGBOOST, Jobs, processing_output

IMAGE = FrameworkImage("scikit-learn", "0-0", OURS, ("numpy==1.24.1", "pandas==1.1.3"), ("sagemaker-training",))
UV = """
import json, os, pathlib, sys
with open({log!r}, "a") as file:
    file.write(json.dumps(sys.argv[4:]) + "\\n")
if {fails!r} in sys.argv:
    sys.exit("Using CPython\\nerror: no way to " + {fails!r})
if sys.argv[4] == "venv":
    place = next(pathlib.Path(part) for part in sys.argv if part.endswith(".unfinished"))
    (place / "lib/python3.9/site-packages").mkdir(parents=True)
elif sys.argv[5] == "list":
    print(json.dumps([{{"name": "numpy", "version": "1.24.1"}}, {{"name": "pandas", "version": "1.5.0"}}]))
"""


class Uv:
    """A program in place of uv that writes down what it is asked."""

    def __init__(self, folder: Path, fails: str = "nothing") -> None:
        self.log = folder / "log"
        program, script = folder / "uv", folder / "uv.py"
        script.write_text(UV.format(log=str(self.log), fails=fails))
        # A line #! cannot name a path with a space.
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(script))} "$@"\n')
        program.chmod(0o755)

    @property
    def commands(self) -> list[list[str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def use_uv(folder: Path, monkeypatch: pytest.MonkeyPatch, fails: str = "nothing") -> Uv:
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return Uv(folder, fails)


@pytest.mark.parametrize(
    ("pin", "requirement"),
    [
        ("pandas==1.1.3", "pandas>=1.1.3"),
        ("boto3==1.28.57", "boto3>=1.28.57"),
        # Older ones do not read AWS_ENDPOINT_URL.
        ("boto3==1.17.52", "boto3>=1.28.0"),
    ],
)
def test_uv_is_asked_for_the_exact_version_or_the_next(pin: str, requirement: str) -> None:
    assert frameworks.at_least(pin) == requirement


@pytest.mark.parametrize(
    ("python", "packages", "sentence"),
    [
        (OURS, {"numpy": "1.24.1", "pandas": "1.1.3"}, "numpy 1.24.1, pandas 1.1.3, as the image does"),
        (OURS, {"numpy": "1.24.1", "pandas": "1.5.0"}, "numpy 1.24.1, pandas 1.5.0. The image has pandas 1.1.3"),
        (
            "3.20",
            {"numpy": "1.30.0", "pandas": "1.1.3"},
            f"numpy 1.30.0, pandas 1.1.3. The image has Python {OURS}, numpy 1.24.1",
        ),
    ],
)
def test_the_log_names_every_difference_from_the_image(python: str, packages: dict[str, str], sentence: str) -> None:
    assert frameworks.description(IMAGE, python, packages) == f"running with Python {python}, {sentence}"


@pytest.mark.usefixtures("environments_of_images")
def test_an_environment_is_made_once_and_what_runs_scripts_is_added_when_needed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv, log = use_uv(tmp_path, monkeypatch), list[str]()
    for toolkit in (False, False, True, True):
        python = frameworks.make(settings, IMAGE, log.append, toolkit=toolkit)
    assert Path(python).is_relative_to(settings.root / "environments")
    assert [command[:2] for command in uv.commands] == [
        ["venv", "--seed"],
        ["pip", "install"],
        ["pip", "install"],
        ["pip", "list"],
        ["pip", "install"],
    ]
    assert "numpy>=1.24.1" in uv.commands[1]
    assert "lowest-direct" in uv.commands[1]
    assert "sagemaker-training" in uv.commands[4]
    assert sum("making the Python environment" in line for line in log) == 1
    assert sum(line.endswith("The image has pandas 1.1.3") for line in log) == 4


@pytest.mark.usefixtures("environments_of_images")
def test_a_job_that_waits_for_another_says_so(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv, log = use_uv(tmp_path, monkeypatch), list[str]()
    with ThreadPoolExecutor(1) as pool:
        with environments.turn(frameworks.folder(settings, IMAGE), print):
            waiting = pool.submit(frameworks.make, settings, IMAGE, log.append, toolkit=False)
            while not log:
                assert not waiting.done()
            assert not uv.log.exists()
        waiting.result()
    assert log[0] == "waiting for another job, which makes the same Python environment"
    assert len(uv.commands) == 4


@pytest.mark.usefixtures("environments_of_images")
def test_a_python_that_cannot_be_had_is_replaced_by_the_nearest(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_uv(tmp_path, monkeypatch, fails="3.1")
    log: list[str] = []
    image = FrameworkImage("scikit-learn", "0-0", "3.1", IMAGE.packages, ())
    frameworks.make(settings, image, log.append, toolkit=False)
    assert "The image has Python 3.1, " in log[-1]


@pytest.mark.usefixtures("environments_of_images")
def test_what_cannot_be_made_says_why_and_what_to_do_and_leaves_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = use_uv(tmp_path, monkeypatch, fails="numpy>=1.24.1")
    with pytest.raises(
        JobFailedError, match=r"environment: error: no way to numpy.*needs a package index once.*UV_DEFAULT_INDEX"
    ):
        frameworks.make(settings, IMAGE, print, toolkit=False)
    assert uv.commands[-1][-1] == "--offline"
    assert not frameworks.folder(settings, IMAGE).exists()


@pytest.mark.usefixtures("environments_of_images")
def test_a_script_that_needs_nothing_of_its_image_waits_for_no_environment(settings: Settings, tmp_path: Path) -> None:
    runtime = runtimes.find(settings, XGBOOST)
    assert runtime is not None
    script = tmp_path / "script.py"
    script.write_text("import json, boto3")
    log: list[str] = []
    assert runtimes.interpreter(settings, runtime, log.append, [script], toolkit=False) == sys.executable
    assert log == [
        f"running with the service's own Python {OURS}: the script imports nothing that depends on the image, which "
        "has Python 3.12"
    ]


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.usefixtures("environments_of_images")
def test_a_script_has_the_packages_of_its_image(jobs: Jobs) -> None:
    uri = f"s3://{BUCKET}/versions/"
    name = jobs.start_script(
        """
        import sys, boto3, numpy, pandas, scipy, sklearn, xgboost
        from sagemaker_xgboost_container import encoder
        from importlib.metadata import version
        matrix = encoder.csv_to_dmatrix("1,2\\n3,4")
        boto3.client("sts", region_name="us-east-1").get_caller_identity()
        names = ("numpy", "pandas", "scikit-learn", "scipy", "xgboost-cpu", "boto3")
        print(sys.version_info[:2], *map(version, names), matrix.num_row())
        open("/opt/ml/processing/out/done", "w").write("done")
        """,
        AppSpecification={
            "ImageUri": XGBOOST,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
        },
        outputs=[processing_output("out", uri, "/opt/ml/processing/out")],
    )
    description, log = jobs.wait("processing-job", name, 300), jobs.script_log(name)
    assert description["ProcessingJobStatus"] == "Completed", log
    assert log[-1] == "(3, 12) 2.1.0 2.2.3 1.8.0 1.15.0 3.2.0 1.38.0 2"
    assert any(line.endswith("xgboost-cpu 3.2.0, as the image does") for line in log), log
