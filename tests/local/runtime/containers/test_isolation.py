"""What a job's program can see and change: the folder /opt/ml, and packages of its own."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from local.runtime.containers import isolation
from tests.local.runtime.jobs.conftest import BUCKET, SPARK, Jobs, processing_input, processing_output
from tests.local.runtime.jobs.wheels import wheel

own_roots = pytest.mark.skipif(not isolation.has_own_roots(), reason="this machine has no user namespaces")
OUT = "/opt/ml/processing/out"
WRITES_LITERAL_PATHS = f"""
    import os
    os.makedirs("{OUT}/sub", exist_ok=True)
    with open("{OUT}/sub/rows.csv", "w") as file:
        file.write(open("/opt/ml/config/resourceconfig.json").read())
    """


@pytest.fixture(params=[pytest.param("own root", marks=own_roots), "changed paths"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "changed paths":
        monkeypatch.setattr(isolation, "has_own_roots", lambda: False)


@pytest.mark.usefixtures("either_way")
def test_what_a_script_writes_to_literal_paths_is_uploaded(jobs: Jobs) -> None:
    uri = f"s3://{BUCKET}/{jobs.name('literal')}"
    description = jobs.run_script(WRITES_LITERAL_PATHS, outputs=[processing_output("out", uri, OUT)])
    assert description["ProcessingJobStatus"] == "Completed"
    assert json.loads(jobs.read(f"{uri}/sub/rows.csv"))["current_host"] == "algo-1"
    assert not Path("/opt/ml").exists()


@own_roots
def test_a_script_works_at_the_root_and_is_the_host_algo_1(jobs: Jobs) -> None:
    name = jobs.start_script(
        """
        import os, socket
        open("../note", "w").write("mine")
        print(os.getcwd(), os.path.exists("/note"), socket.gethostname(), socket.gethostbyname("algo-1"))
        """
    )
    jobs.wait("processing-job", name)
    assert jobs.script_log(name)[-1] == "/ True algo-1 127.0.0.1"
    assert not Path("/note").exists()


@own_roots
def test_a_script_can_write_nothing_of_the_services_folder(jobs: Jobs) -> None:
    root = jobs.service.settings.root
    name = jobs.start_script(
        f"""
        import os
        try:
            open({str(root)!r} + "/sdk-defaults/note", "w")
        except OSError as error:
            print(error.strerror)
        print(sorted(os.listdir({str(root)!r})))
        """
    )
    jobs.wait("processing-job", name)
    assert jobs.script_log(name)[-2:] == ["Read-only file system", "['sdk-defaults']"]


@pytest.mark.slow
def test_pip_installs_into_the_jobs_own_environment(jobs: Jobs) -> None:
    uri = f"s3://{BUCKET}/wheels/"
    jobs.parts.objects.write(f"{uri}jobpackage-3-py3-none-any.whl", wheel("3"))
    install = """
        import subprocess, sys
        package = "/opt/ml/processing/input/wheels/jobpackage-3-py3-none-any.whl"
        subprocess.check_call(["pip", "--version"])
        subprocess.check_call([sys.executable, "-m", "pip", "install", "--no-index", package])
        import boto3, jobpackage
        print(jobpackage.version)
        """
    inputs = [processing_input("wheels", uri, "/opt/ml/processing/input/wheels")]
    name = jobs.start_script(install, inputs=inputs)
    assert jobs.wait("processing-job", name)["ProcessingJobStatus"] == "Completed"
    assert jobs.script_log(name)[-1] == "3"
    other = jobs.run_script("import jobpackage")
    assert other["ProcessingJobStatus"] == "Failed"
    with pytest.raises(ModuleNotFoundError):
        __import__("jobpackage")


def archive(kind: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(packed, "w") as zipped:
            zipped.writestr("package/module.py", content)
    else:
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            member = tarfile.TarInfo("package/module.py")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize(("code", "status"), [(b"x = '/opt/ml/model'", "Failed"), (b"x = 1", "Completed")])
def test_a_path_that_cannot_be_changed_fails_the_job(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, kind: str, code: bytes, status: str
) -> None:
    monkeypatch.setattr(isolation, "has_own_roots", lambda: False)
    uri = f"s3://{BUCKET}/{jobs.name('archive')}/code.{kind}"
    jobs.parts.objects.write(uri, archive(kind, code))
    inputs = [processing_input("source", uri, "/opt/ml/processing/input/source")]
    description = jobs.run_script("", inputs=inputs)
    assert description["ProcessingJobStatus"] == status
    if status == "Failed":
        expected = f"package/module.py in /opt/ml/processing/input/source/code.{kind} uses the path /opt/ml"
        assert expected in description["FailureReason"]


@pytest.mark.slow
@pytest.mark.usefixtures("either_way")
def test_a_spark_application_uses_literal_paths(jobs: Jobs) -> None:
    uri = f"s3://{BUCKET}/{jobs.name('spark-literal')}"
    application = f"""
        from pyspark.sql import SparkSession
        SparkSession.builder.getOrCreate().range(3).write.csv("file://{OUT}/rows")
        """
    description = jobs.run_script(
        application,
        AppSpecification={
            "ImageUri": SPARK,
            "ContainerEntrypoint": ["smspark-submit", "/opt/ml/processing/input/code/script.py"],
        },
        outputs=[processing_output("out", uri, OUT)],
    )
    assert description["ProcessingJobStatus"] == "Completed"
    rows = "".join(jobs.read(f"s3://{BUCKET}/{key}") for key in jobs.keys(uri) if key.endswith(".csv"))
    assert sorted(rows.split()) == ["0", "1", "2"]
