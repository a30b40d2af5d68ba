"""Processors of the SDK that start other programs than one script: a shell script with an archive, Java, any."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from local.core.sdk_defaults import sdk_environment
from tests.local.runtime.jobs.conftest import (
    BUCKET,
    SCIKIT_LEARN,
    XGBOOST,
    Jobs,
    processing_input,
    processing_output,
)
from tests.local.runtime.jobs.wheels import wheel

CODE = "/opt/ml/processing/input/code"
# Version 2 of the SDK writes this script: sagemaker.processing.FrameworkProcessor._generate_framework_script.
RUNPROC = """
    #!/bin/bash

    cd /opt/ml/processing/input/code/
    tar -xzf sourcedir.tar.gz

    # Exit on any error. SageMaker uses error code to mark failed job.
    set -e

    if [[ -f 'requirements.txt' ]]; then
        # Some py3 containers has typing, which may breaks pip install
        pip uninstall --yes typing

        pip install -r requirements.txt
    fi

    python3 script.py "$@"
    """
WITH_VERSION_3 = """
import sys
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.processing import FrameworkProcessor

image, role, folder = sys.argv[1:]
processor = FrameworkProcessor(
    image, role, instance_count=1, instance_type="ml.m5.large", command=["python3"], sagemaker_session=Session()
)
processor.run(code="script.py", source_dir=folder, arguments=["--a", "b c"], wait=False, job_name="version-3")
"""


def archive(*files: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for file in files:
            tar.add(file, file.name)
    return content.getvalue()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with a script, a module and a requirement that comes along."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "script.py").write_text(
        "import sys, jobpackage, helper\nprint('ran', jobpackage.version, *sys.argv[1:])\n"
    )
    (folder / "helper.py").write_text("")
    (folder / "jobpackage-7-py3-none-any.whl").write_bytes(wheel("7"))
    (folder / "requirements.txt").write_text("--no-index\n./jobpackage-7-py3-none-any.whl\n")
    return folder


def run(
    jobs: Jobs, entrypoint: list[str], image: str = SCIKIT_LEARN, **changes: Any
) -> tuple[dict[str, Any], list[str]]:
    application = {"ImageUri": image, "ContainerEntrypoint": entrypoint}
    if arguments := changes.pop("arguments", None):
        application["ContainerArguments"] = arguments
    name = jobs.start_script(changes.pop("script", ""), AppSpecification=application, **changes)
    return jobs.wait("processing-job", name, 120), jobs.script_log(name)


@pytest.mark.skipif(shutil.which("tar") is None, reason="the SDK's script unpacks its files by tar")
def test_framework_processor_of_version_2_runs_the_script(jobs: Jobs, source: Path) -> None:
    (source / "jobpackage.py").write_text("version = 2")
    files = [source / name for name in ("script.py", "helper.py", "jobpackage.py")]
    jobs.parts.objects.write(f"s3://{BUCKET}/v2/sourcedir.tar.gz", archive(*files))
    shell = jobs.put("v2-entrypoint/runproc.sh", RUNPROC)
    description, log = run(
        jobs,
        ["/bin/bash", "/opt/ml/processing/input/entrypoint/runproc.sh"],
        arguments=["--a", "b c"],
        ProcessingInputs=[
            processing_input("code", f"s3://{BUCKET}/v2/sourcedir.tar.gz", CODE),
            processing_input("entrypoint", shell, "/opt/ml/processing/input/entrypoint"),
        ],
    )
    assert description["ProcessingJobStatus"] == "Completed", log
    assert log[-1] == "ran 2 --a b c"


@pytest.mark.slow
@pytest.mark.long
def test_framework_processor_of_version_3_installs_requirements_and_runs_the_script(jobs: Jobs, source: Path) -> None:
    settings = jobs.service.settings
    environment = jobs.service.environment | sdk_environment(settings.root, settings.region)
    command = [sys.executable, "-c", WITH_VERSION_3, SCIKIT_LEARN, "arn:aws:iam::123456789012:role/jobs", str(source)]
    started = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=source)
    assert started.returncode == 0, started.stderr
    description, log = jobs.wait("processing-job", "version-3", 120), jobs.script_log("version-3")
    assert description["ProcessingJobStatus"] == "Completed", log
    assert log[-1] == "ran 7 --a b c"


@pytest.mark.parametrize("image", [SCIKIT_LEARN, XGBOOST])
def test_a_program_need_not_be_python(jobs: Jobs, image: str) -> None:
    uri = f"s3://{BUCKET}/{jobs.name('shell')}/"
    description, log = run(
        jobs,
        ["sh", "-c", 'echo "$0" > /opt/ml/processing/out/said && echo "$SM_MODEL_DIR"', "hello"],
        image,
        outputs=[processing_output("out", uri, "/opt/ml/processing/out")],
    )
    assert description["ProcessingJobStatus"] == "Completed", log
    assert jobs.read(f"{uri}said") == "hello\n"


def test_java_runs_also_where_only_spark_brings_it(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(["/usr/bin", "/bin"]))
    description, log = run(jobs, ["java", "-version"])
    assert description["ProcessingJobStatus"] == "Completed", log
    assert any("version" in line for line in log)


@pytest.mark.parametrize("program", ["Rscript-of-nowhere", "/usr/local/bin/nowhere", f"{CODE}/nowhere.sh"])
def test_a_program_that_is_not_here_is_refused_by_name(jobs: Jobs, program: str) -> None:
    description, log = run(jobs, [program, "script.R"])
    assert description["ProcessingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith(
        f"ClientError: the container's program {program} is neither in the image's local environment nor on "
    )
    assert not any("making" in line for line in log)
