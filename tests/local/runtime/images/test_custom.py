"""local-images.yaml: what takes the place of the user's own images."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from local.runtime.containers import isolation
from local.runtime.images import custom
from tests.local.runtime.jobs.conftest import SCIKIT_LEARN, Jobs, processing_input
from tests.local.runtime.jobs.wheels import wheel

FILE = "local-images.yaml"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own-image:2"
PRINTS_PACKAGE = "import jobpackage, os, sys; print(jobpackage.version, os.environ.get('KIND'), *sys.argv[1:])"


@pytest.fixture
def folder(jobs: Jobs) -> Iterator[Path]:
    """The folder of the file, which is gone after the test."""
    place = jobs.service.settings.root.parent
    (place / "jobpackage-7-py3-none-any.whl").write_bytes(wheel("7"))
    yield place
    (place / FILE).unlink(missing_ok=True)


def write(folder: Path, *entries: dict[str, object]) -> None:
    (folder / FILE).write_text(yaml.safe_dump(list(entries)))


def run(jobs: Jobs, script: str, **application: object) -> tuple[dict[str, object], list[str]]:
    name = jobs.start_script(script, AppSpecification={"ImageUri": IMAGE, **application})
    description = jobs.wait("processing-job", name, 120)
    return description, jobs.script_log(name)


def script(path: str = "/opt/ml/processing/input/code/script.py") -> dict[str, object]:
    return {"ContainerEntrypoint": ["python3", path], "ContainerArguments": ["--x", "1"]}


def test_the_modules_example_is_a_valid_file() -> None:
    _, _, example = (inspect.getdoc(custom) or "").partition(":\n\n")
    assert [custom.CustomImage.model_validate(entry).python for entry in yaml.safe_load(example)] == ["3.11"]


def test_an_image_that_is_not_listed_is_refused_by_name_whatever_its_entrypoint(jobs: Jobs) -> None:
    description, _ = run(jobs, "print(1)", **script())
    assert description["ProcessingJobStatus"] == "Failed"
    assert str(description["FailureReason"]).startswith(f"ClientError: no local runtime for the image {IMAGE} ")
    assert FILE in str(description["FailureReason"])


def test_a_listed_image_has_its_packages_and_variables(jobs: Jobs, folder: Path) -> None:
    write(
        folder,
        {"image": "*/other:*", "requirements": ["no-such-package"]},
        {
            "image": "123456789012.dkr.ecr.*.amazonaws.com/own-image:*",
            "requirements": ["--no-index", "./jobpackage-7-py3-none-any.whl"],
            "environment": {"KIND": "seasonal"},
        },
    )
    description, log = run(jobs, PRINTS_PACKAGE, **script())
    assert description["ProcessingJobStatus"] == "Completed", log
    assert log[-1] == "7 seasonal --x 1"
    assert any("making the Python environment" in line for line in log)
    again, log = run(jobs, PRINTS_PACKAGE, **script())
    assert again["ProcessingJobStatus"] == "Completed"
    assert not any("making the Python environment" in line for line in log)


def test_an_images_environment_has_nothing_of_the_services_own(jobs: Jobs, folder: Path) -> None:
    write(folder, {"image": IMAGE})
    description, log = run(jobs, "import boto3", **script())
    assert description["ProcessingJobStatus"] == "Failed"
    assert "No module named 'boto3'" in log[-1]


@pytest.mark.skipif(not isolation.has_own_roots(), reason="this machine has no user namespaces")
def test_a_listed_image_has_its_files_and_entrypoint(jobs: Jobs, folder: Path) -> None:
    (folder / "docker").mkdir(exist_ok=True)
    (folder / "docker" / "run.py").write_text("import sys; print('of the image', *sys.argv[1:])")
    write(folder, {"image": IMAGE, "files": {"/app": "docker"}, "entrypoint": ["python3", "/app/run.py"]})
    description, log = run(jobs, "", ContainerArguments=["one"])
    assert description["ProcessingJobStatus"] == "Completed", log
    assert log[-1] == "of the image one"
    assert not Path("/app").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("- image: [1]", f"{FILE}: entry 1.image: "),
        ("- {image: a, extra: 1}", f"{FILE}: entry 1.extra: "),
        ("- {image: a, python: '2'}", f"{FILE}: entry 1.python: "),
        ("[", f"{FILE} is not YAML: "),
        (f"- {{image: '{IMAGE}', files: {{/usr/x: docker}}}}", "/usr/x cannot be a folder of the container here"),
        (f"- {{image: '{IMAGE}', files: {{/app: nowhere}}}}", "nowhere is not a folder"),
        (f"- {{image: '{IMAGE}', requirements: [./no.whl]}}", "uv cannot make an image's environment: "),
    ],
)
def test_a_faulty_file_fails_the_job_and_says_why(jobs: Jobs, folder: Path, content: str, reason: str) -> None:
    (folder / "docker").mkdir(exist_ok=True)
    (folder / FILE).write_text(content)
    description, _ = run(jobs, "", **script())
    assert description["ProcessingJobStatus"] == "Failed"
    assert reason in str(description["FailureReason"])


def test_a_shell_script_starts_the_users_python(jobs: Jobs) -> None:
    shell = jobs.put(
        "code/runproc/runproc.sh",
        """
        #!/bin/bash
        cd /opt/ml/processing/input/code
        set -e
        python script.py "$@"
        """,
    )
    name = jobs.start_script(
        "import sys, boto3; print('ran', sys.argv[1:])",
        AppSpecification={
            "ImageUri": SCIKIT_LEARN,
            "ContainerEntrypoint": ["/bin/bash", "/opt/ml/processing/input/entrypoint/runproc.sh"],
            "ContainerArguments": ["a b"],
        },
        inputs=[processing_input("entrypoint", shell, "/opt/ml/processing/input/entrypoint")],
    )
    assert jobs.wait("processing-job", name)["ProcessingJobStatus"] == "Completed"
    assert jobs.script_log(name)[-1] == "ran ['a b']"
