"""A real full disk: a small file system in memory, which only this test's processes see."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.conftest import environment_without_aws

ROOT = Path(__file__).resolve().parents[2]
MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2"'

pytestmark = pytest.mark.slow

WORK = '''
import json, os, sys, time
from pathlib import Path
from botocore.exceptions import ClientError
from local.app.server import LocalService, StartError
from local.core.settings import Settings
import boto3
from botocore.config import Config

ROLE = "arn:aws:iam::123456789012:role/SageMaker"

place, seen = Path(sys.argv[1]), {}
go, running = place / "go", place / "running"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
SCRIPT = f"""
import pathlib, time
pathlib.Path({str(running)!r}).touch()
while not pathlib.Path({str(go)!r}).exists():
    time.sleep(0.05)
for number in range(5000):
    print("line", number, "x" * 50)
"""

def until(reached):
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)

def refusal(call, **members):
    try:
        call(**members)
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]

said = []
service = LocalService(Settings(place / ".local", port=0), said.append)
service.start()
os.environ.update(service.settings.client_environment())
once = Config(retries={"total_max_attempts": 1})
s3, sagemaker, logs = (boto3.client(name, config=once) for name in ("s3", "sagemaker", "logs"))
s3.create_bucket(Bucket="bucket")
s3.put_object(Bucket="bucket", Key="code/main.py", Body=SCRIPT.encode())
sagemaker.create_processing_job(
    ProcessingJobName="job",
    RoleArn=ROLE,
    AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/main.py"]},
    ProcessingInputs=[{"InputName": "code", "S3Input": {
        "S3Uri": "s3://bucket/code/main.py", "LocalPath": "/opt/ml/processing/code",
        "S3DataType": "S3Prefix", "S3InputMode": "File"}}],
    ProcessingResources={"ClusterConfig": {
        "InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 1}},
)
describe = lambda: sagemaker.describe_processing_job(ProcessingJobName="job")
until(lambda: "ProcessingStartTime" in describe())
until(running.exists)
def fill():
    for size in (1 << 20, 1 << 12, 1):
        try:
            with (place / "ballast").open("ab", buffering=0) as ballast:
                while True:
                    ballast.write(b"x" * size)
        except OSError:
            pass

fill()
go.touch()
until(lambda: said)
seen["full"] = said[0]
seen["refused"] = [
    refusal(sagemaker.create_model_package_group, ModelPackageGroupName="g"),
    refusal(s3.put_object, Bucket="bucket", Key="k", Body=b"x" * 9999),
    refusal(logs.create_log_group, logGroupName="group"),
]
seen["status while full"] = describe()["ProcessingJobStatus"]
if sys.argv[2] == "start again":
    service.stop()
    fill()
    try:
        LocalService(Settings(place / ".local", port=0)).start()
    except StartError as error:
        seen["start"] = str(error)
    os.unlink(place / "ballast")
    LocalService(Settings(place / ".local", port=0)).start()
else:
    os.unlink(place / "ballast")
    until(lambda: describe()["ProcessingJobStatus"] != "InProgress")
    seen["status"] = describe()["ProcessingJobStatus"]
    lines = [line for file in (place / ".local/logs").rglob("*.log") for line in file.read_text().splitlines()]
    seen["lines"] = sum(" line " in line for line in lines)
    until(lambda: refusal(sagemaker.create_model_package_group, ModelPackageGroupName="again") is None)
    service.stop()
print(json.dumps(seen))
sys.stdout.flush()
os._exit(0)
'''


def on_a_small_disk(folder: Path, size: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a user namespace of its own, with a file system of this size mounted on the folder."""
    folder.mkdir()
    within = ["unshare", "-rm", "sh", "-c", f'{MOUNT} && cd "$2" && shift 2 && exec "$@"', "sh", size, str(folder)]
    environment = environment_without_aws() | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*within, *command], env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    try:
        possible = on_a_small_disk(tmp_path / "trial", "1m", "true").returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        pytest.skip("this system lets nobody mount a file system")
    return tmp_path / "disk"


def test_states_and_logs_wait_for_room_and_requests_are_refused(folder) -> None:
    done = on_a_small_disk(folder, "6m", sys.executable, "-c", WORK, str(folder), "go on")
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["full"].startswith(f"No space is left on the disk that holds {folder}/.local.")
    assert seen["refused"] == [["InsufficientStorage", 507]] * 3
    assert seen["status while full"] == "InProgress"
    assert seen["status"] == "Completed"
    assert seen["lines"] == 5000


def test_a_start_on_a_full_disk_is_refused_and_works_when_there_is_room(folder) -> None:
    done = on_a_small_disk(folder, "6m", sys.executable, "-c", WORK, str(folder), "start again")
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["start"] == f"no space is left on the disk that holds {folder}/.local: free some, then start again"


@pytest.mark.parametrize("command", ["local --port 0", "scripts.run"])
def test_a_command_that_starts_on_a_full_disk_says_so_in_a_sentence(folder, command) -> None:
    files = f"cp {ROOT}/config.yaml . && cp -r {ROOT}/data . && (cat /dev/zero > ballast 2> /dev/null; true)"
    done = on_a_small_disk(folder, "2m", "sh", "-c", f"{files}; {sys.executable} -m {command}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no space is left on the disk" in done.stderr
    assert "free some" in done.stderr
    assert done.stderr.strip().count("\n") == 0
