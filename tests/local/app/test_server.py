import http.client
import io
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Never

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.app.server import LocalService, ServiceHeldError, StartError
from local.core.secret import secret_key
from local.core.settings import ACCESS_KEY, Settings
from tests.local.conftest import IMAGE, environment_without_aws, make_artifact
from tests.processes import commands_with

REPOSITORY = Path(__file__).resolve().parents[3]
ROLE = "arn:aws:iam::123456789012:role/function"


class Process:
    """A service in a process of its own."""

    def __init__(self, root, limit_file_size=None) -> None:
        def limit() -> None:
            if limit_file_size:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit_file_size, limit_file_size))

        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", "--root", str(root), "--port", "0"],
            cwd=REPOSITORY,
            env=environment_without_aws(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=limit,
        )
        self.greeting = ""
        while "restore" not in self.greeting and "Kept" not in self.greeting:
            assert self.process.stdout is not None
            line = self.process.stdout.readline()
            assert line, self.greeting
            self.greeting += line
        found = re.search(r"AWS_ENDPOINT_URL=(\S+)", self.greeting)
        assert found is not None
        self.url = found[1]

    @property
    def address(self):
        return "127.0.0.1", int(self.url.rpartition(":")[2])

    def client(self, name, **settings):
        return boto3.client(
            name,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=secret_key(self.root),
            config=Config(retries={"total_max_attempts": 1}, **settings),
        )

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait(timeout=20)
        output = self.process.stdout
        assert output is not None
        rest = output.read()
        output.close()
        return self.process.returncode, rest

    def processes(self):
        """Processes of this machine that have to do with the service's folder."""
        return commands_with(str(self.root))


@pytest.fixture
def start(tmp_path):
    started = []

    def make(**limits):
        service = Process(tmp_path / ".local", **limits)
        started.append(service)
        return service

    yield make
    for service in started:
        if service.process.poll() is None:
            service.end(signal.SIGKILL)


def until(reached) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def function_zip(source):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("main.py", source)
    return archive.getvalue()


def create_sleeping_function(service) -> None:
    source = (
        "import os, time\ndef handler(event, context):\n"
        "    open(event['file'], 'w').write(str(os.getpid()))\n    time.sleep(300)"
    )
    service.client("lambda").create_function(
        FunctionName="sleeper",
        Runtime="python3.11",
        Role=ROLE,
        Handler="main.handler",
        Timeout=600,
        Code={"ZipFile": function_zip(source)},
    )


def invoke_sleeping_function(service, file):
    service.client("lambda").invoke(
        FunctionName="sleeper", InvocationType="Event", Payload=json.dumps({"file": str(file)})
    )
    until(lambda: file.exists() and file.read_text())
    return int(file.read_text())


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_service_and_all_that_it_started(start, tmp_path, number) -> None:
    service = start()
    create_sleeping_function(service)
    child = invoke_sleeping_function(service, tmp_path / "pid")
    status, rest = service.end(number)
    assert status == 0
    assert "Traceback" not in rest
    until(lambda: not is_running(child))
    assert service.processes() == []


def test_the_start_shows_the_url_and_lines_that_a_shell_understands(start) -> None:
    service = start()
    lines = [line for line in service.greeting.splitlines() if line.startswith("export ")]
    names = [line.removeprefix("export ").partition("=")[0] for line in lines]
    assert names == [
        *("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"),
        "SAGEMAKER_USER_CONFIG_OVERRIDE",
    ]
    script = "\n".join(
        [*lines, "exec \"$PYTHON\" -c \"import boto3; print(boto3.client('s3').list_buckets()['Buckets'])\""]
    )
    shell = subprocess.run(
        ["sh", "-c", script],
        env=environment_without_aws() | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert shell.stdout.strip() == "[]", shell.stderr


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_acknowledged_and_leaves_no_half_object_and_no_process(start, tmp_path) -> None:
    service = start()
    service.client("s3").create_bucket(Bucket="written-to")
    service.client("iam").list_roles()
    create_sleeping_function(service)
    child = invoke_sleeping_function(service, tmp_path / "pid")
    acknowledged: dict[str, list[Any]] = {"groups": [], "objects": [], "users": []}
    content = os.urandom(700_000)

    def write_groups() -> None:
        client = service.client("sagemaker")
        for number in range(10_000):
            client.create_model_package_group(ModelPackageGroupName=f"group-{number}")
            acknowledged["groups"].append(f"group-{number}")

    def write_objects() -> None:
        client = service.client("s3")
        for number in range(10_000):
            client.put_object(Bucket="written-to", Key=f"object-{number}", Body=content)
            acknowledged["objects"].append(f"object-{number}")

    def write_users() -> None:
        client = service.client("iam")
        for number in range(10_000):
            client.create_user(UserName=f"user-{number}")
            acknowledged["users"].append(f"user-{number}")

    def until_it_is_gone(write) -> None:
        with pytest.raises((BotoCoreError, ClientError)):
            write()

    writers = [
        threading.Thread(target=until_it_is_gone, args=[write]) for write in (write_groups, write_objects, write_users)
    ]
    for writer in writers:
        writer.start()
    until(lambda: all(len(names) >= 3 for names in acknowledged.values()))
    service.end(signal.SIGKILL)
    for writer in writers:
        writer.join()
    until(lambda: not is_running(child))

    again = start()
    assert "Kept from before" in again.greeting
    pages = again.client("sagemaker").get_paginator("list_model_package_groups").paginate()
    groups = {g["ModelPackageGroupName"] for page in pages for g in page["ModelPackageGroupSummaryList"]}
    assert set(acknowledged["groups"]) <= groups
    s3 = again.client("s3")
    objects = {item["Key"]: item["Size"] for item in s3.list_objects_v2(Bucket="written-to")["Contents"]}
    assert set(acknowledged["objects"]) <= set(objects)
    assert set(objects.values()) == {len(content)}
    assert all(s3.get_object(Bucket="written-to", Key=key)["Body"].read() == content for key in objects)
    users = again.client("iam").get_paginator("list_users").paginate()
    assert set(acknowledged["users"]) <= {u["UserName"] for page in users for u in page["Users"]}
    assert not list((again.root / "s3" / ".nanio" / "uploads").iterdir())


@pytest.mark.slow
def test_an_endpoint_serves_after_kills_in_the_middle_of_its_updates(start, tmp_path) -> None:
    service = start()
    service.client("s3").create_bucket(Bucket="models")
    for number in range(2):
        service.client("s3").put_object(
            Bucket="models", Key=f"{number}.tar.gz", Body=make_artifact(tmp_path, [1.0] * 200_000, float(number))
        )
        model = {"Image": IMAGE, "ModelDataUrl": f"s3://models/{number}.tar.gz"}
        service.client("sagemaker").create_model(ModelName=f"m{number}", PrimaryContainer=model)
        variant = {"VariantName": "v", "ModelName": f"m{number}", "InstanceType": "ml.m5.large"}
        service.client("sagemaker").create_endpoint_config(
            EndpointConfigName=f"c{number}", ProductionVariants=[variant | {"InitialInstanceCount": 1}]
        )
    service.client("sagemaker").create_endpoint(EndpointName="e", EndpointConfigName="c0")
    for wanted in ("c0", "c1", "c0"):
        # The kill comes while the endpoint is Creating or Updating, or as that ends.
        service.end(signal.SIGKILL)
        service = start()
        sagemaker = service.client("sagemaker")
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig={"Delay": 1})
        endpoint = sagemaker.describe_endpoint(EndpointName="e")
        assert endpoint["EndpointConfigName"] == wanted
        answer = service.client("sagemaker-runtime").invoke_endpoint(
            EndpointName="e", ContentType="text/csv", Body=",".join(["0"] * 200_000)
        )
        assert json.loads(answer["Body"].read())["predictions"][0]["score"] == float(wanted[1])
        copies = service.root / "endpoints" / "e"
        until(lambda copies=copies: len(list(copies.iterdir())) == 1)
        after = "c1" if wanted == "c0" else "c0"
        sagemaker.update_endpoint(EndpointName="e", EndpointConfigName=after)


def test_two_services_cannot_hold_one_folder(tmp_path) -> None:
    with LocalService(Settings(tmp_path / ".local", port=0)) as first:
        with pytest.raises(
            ServiceHeldError, match=rf"{first.settings.endpoint_url} \(process {os.getpid()}\), .* stop"
        ) as held:
            LocalService(Settings(tmp_path / ".local", port=0)).start()
        assert held.value.environment == first.settings.client_environment()
    with LocalService(Settings(tmp_path / ".local", port=0)):
        pass


def test_a_folder_of_another_region_is_refused(tmp_path) -> None:
    root = tmp_path / ".local"
    for region in ("eu-west-1", "us-east-1", "eu-west-1"):
        # A folder without resources has no region.
        with LocalService(Settings(root, port=0, region=region)) as service:
            pass
    with LocalService(Settings(root, port=0, region="eu-west-1")) as service:
        assert service.parts is not None
        service.parts.sagemaker.call("CreateModelPackageGroup", {"ModelPackageGroupName": "group"})
    with pytest.raises(StartError, match="has resources of eu-west-1, and the service is to be in us-east-1"):
        LocalService(Settings(root, port=0)).start()
    with LocalService(Settings(root, port=0, region="eu-west-1")):
        pass


def test_a_port_in_use_is_one_sentence(tmp_path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=f"port {port} of 127.0.0.1 cannot be used"):
            LocalService(Settings(tmp_path / ".local", port=port)).start()
        command = [sys.executable, "-m", "local", "--root", str(tmp_path / "cli"), "--port", str(port)]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_nothing_but_the_greeting_reaches_the_terminal(start) -> None:
    service = start()
    with socket.create_connection(service.address) as client:
        client.sendall(b"nonsense\r\n\r\n")
        client.recv(100)
    (service.root / "s3" / "unreadable-bucket").mkdir()
    (service.root / "s3" / "unreadable-bucket" / "loop").symlink_to("loop")
    service.client("s3").list_objects_v2(Bucket="unreadable-bucket")
    with pytest.raises(ClientError):
        service.client("s3").get_object(Bucket="unreadable-bucket", Key="loop")
    with pytest.raises(ClientError):
        service.client("iam").get_role(RoleName="missing")
    _, rest = service.end(signal.SIGTERM)
    assert rest.strip() == "Stopping."


def test_a_service_whose_output_nobody_reads_stops_as_usual(start) -> None:
    service = start()
    service.process.stdout.close()
    service.process.send_signal(signal.SIGINT)
    assert service.process.wait(timeout=60) == 0


def test_ten_clients_at_once_get_their_own_answers(service) -> None:
    # One of boto3's clients with ten connections stands for ten: making a client takes longer than what it does.
    sagemaker, s3 = (service.client(name, max_pool_connections=10) for name in ("sagemaker", "s3"))

    def drive(number):
        bucket, found = f"bucket-of-{number}", []
        s3.create_bucket(Bucket=bucket)
        for turn in range(5):
            name = f"group-{number}-{turn}"
            arn = sagemaker.create_model_package_group(ModelPackageGroupName=name)["ModelPackageGroupArn"]
            s3.put_object(Bucket=bucket, Key=name, Body=name.encode())
            found.append(arn.endswith(f"/{name}"))
            found.append(s3.get_object(Bucket=bucket, Key=name)["Body"].read() == name.encode())
        return found

    with ThreadPoolExecutor(10) as clients:
        answers = list(clients.map(drive, range(10)))
    assert answers == [[True] * 10] * 10


def test_one_of_ten_clients_creates_what_all_want_to_create(service) -> None:
    client = service.client("sagemaker", max_pool_connections=10)

    def create(_):
        try:
            client.create_model_package_group(ModelPackageGroupName="wanted-by-all")
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "created"

    with ThreadPoolExecutor(10) as clients:
        outcomes = sorted(clients.map(create, range(10)))
    assert outcomes.count("created") == 1
    assert set(outcomes) == {"created", "ValidationException"}


def test_a_client_that_goes_away_within_a_body_leaves_nothing(service) -> None:
    service.client("s3").create_bucket(Bucket="interrupted")
    url = service.client("s3").generate_presigned_url("put_object", {"Bucket": "interrupted", "Key": "half"})
    before = len(service.parts.store.list("model-package-group"))
    for target in (url.partition(str(service.settings.port))[2], "/"):
        with socket.create_connection(("127.0.0.1", service.settings.port)) as client:
            head = f"PUT {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n"
            client.sendall(head.encode() + b"x" * 100_000)
    uploads = service.settings.buckets / ".nanio" / "uploads"
    until(lambda: not list(uploads.iterdir()))
    assert service.client("s3").list_objects_v2(Bucket="interrupted")["KeyCount"] == 0
    assert len(service.parts.store.list("model-package-group")) == before


def test_an_invocation_of_more_than_six_megabytes_is_refused(service) -> None:
    runtime = service.client("sagemaker-runtime")
    with pytest.raises(ClientError) as refusal:
        runtime.invoke_endpoint(EndpointName="any", Body=b"1," * (3 * 1024 * 1024 + 1), ContentType="text/csv")
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert "HTTP content length exceeded 6291456 bytes" in str(refusal.value)
    with pytest.raises(ClientError, match="not found"):
        runtime.invoke_endpoint(EndpointName="any", Body=b"1," * (3 * 1024 * 1024), ContentType="text/csv")


def test_a_disk_that_is_full_for_an_object_is_said_and_nothing_is_half_written(start) -> None:
    service = start(limit_file_size=1_000_000)
    s3 = service.client("s3")
    s3.create_bucket(Bucket="too-small")
    s3.put_object(Bucket="too-small", Key="key", Body=b"before")
    with pytest.raises(ClientError, match="no space is left") as refusal:
        s3.put_object(Bucket="too-small", Key="key", Body=b"x" * 3_000_000)
    assert refusal.value.response["Error"]["Code"] == "InsufficientStorage"
    assert s3.get_object(Bucket="too-small", Key="key")["Body"].read() == b"before"
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="too-small")["Contents"]] == ["key"]


def test_a_disk_that_is_full_for_the_records_is_said_and_what_was_acknowledged_stays(tmp_path) -> None:
    with LocalService(Settings(tmp_path / ".local", port=0)) as service:
        assert service.parts is not None
        database = service.parts.store._database
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages + 3}")
        client = boto3.client(
            "sagemaker",
            endpoint_url=service.settings.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=service.settings.secret_key,
        )
        acknowledged = []

        def fill() -> None:
            for number in range(1000):
                client.create_model_package_group(ModelPackageGroupName=f"group-{number}")
                acknowledged.append(f"group-{number}")

        with pytest.raises(ClientError, match="no space is left on the disk") as refusal:
            fill()
        assert refusal.value.response["Error"]["Code"] == "InsufficientStorage"
        assert acknowledged
        database.execute(f"PRAGMA max_page_count = {pages + 1000}")
        client.create_model_package_group(ModelPackageGroupName="after")
        pages = client.get_paginator("list_model_package_groups").paginate()
        names = {g["ModelPackageGroupName"] for page in pages for g in page["ModelPackageGroupSummaryList"]}
    assert names == {*acknowledged, "after"}


def test_an_unexpected_failure_is_an_answer_and_a_line_in_the_services_log(service, monkeypatch) -> None:
    def fail(*_) -> Never:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr(service.parts.store, "list", fail)
    with pytest.raises(ClientError, match="RuntimeError: not foreseen") as failure:
        service.client("sagemaker").list_model_package_groups()
    assert failure.value.response["Error"]["Code"] == "InternalFailure"
    monkeypatch.undo()
    assert "not foreseen" in (service.settings.root / "service.log").read_text()


@pytest.mark.parametrize(
    "request_line",
    [b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n"],
)
def test_nonsense_is_refused_and_the_service_goes_on(service, request_line) -> None:
    with socket.create_connection(("127.0.0.1", service.settings.port), timeout=10) as client:
        client.sendall(request_line)
        assert client.recv(100).split()[1][:1] == b"4"
    assert service.client("sagemaker").list_pipelines()["PipelineSummaries"] == []


def test_a_websocket_is_refused(service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.settings.port, timeout=10)
    connection.request("GET", "/", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert connection.getresponse().status == 403
