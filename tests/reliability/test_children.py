"""Everything that a program has started ends with it, wherever it has moved: to another session, to another parent."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.core.settings import Settings
from local.runtime.fork_servers import ForkServer, ForkServers
from local.runtime.lines import read_lines
from local.runtime.supervisor import Program, Supervisor
from tests.local.conftest import ROLE, RunningService, service  # noqa: F401 - a fixture
from tests.local.runtime.jobs.conftest import Jobs, jobs  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow

# A daemon as "Advanced Programming in the UNIX Environment" has it: two forks, a session of its own. It keeps the pipe.
DAEMON = """
import os, signal, sys, time

def daemon(work):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.write(writer, str(os.getpid()).encode())
            work()
        os._exit(0)
    os.wait()
    return int(os.read(reader, 100))

def sleep():
    time.sleep(600)
    os._exit(0)

print(f"daemon {daemon(sleep)}", flush=True)
"""
# Each process lives for a moment only, and starts the next one in a session of its own.
HYDRA = """
import os, sys

if os.fork() == 0:
    while True:
        os.setsid()
        if os.fork():
            os._exit(0)
print("begun", flush=True)
"""

# What a service does for a job.
SERVICE = """
import os, sys, time
from pathlib import Path
from local.core.settings import Settings
from local.runtime.lines import read_lines
from local.runtime.supervisor import Supervisor

folder = Path(sys.argv[1])
command = [sys.executable, "-c", sys.argv[2]]
program = Supervisor(Settings(folder)).start("key", command, folder=folder, environment=os.environ)
print(program.process, next(read_lines(program.read_output()))[0], flush=True)
time.sleep(600)
"""


def is_running(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(reached: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := reached()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
    return value


def number_after(word: str, text: str) -> int:
    found = re.search(rf"{word} (\d+)", text)
    assert found, text
    return int(found[1])


def start(supervisor: Supervisor, script: str, folder: Path) -> tuple[Program, Iterator[list[str]]]:
    program = supervisor.start("key", [sys.executable, "-c", script], folder=folder, environment=os.environ)
    return program, read_lines(program.read_output())


@pytest.mark.parametrize(
    ("ending", "status"),
    [("sys.exit(7)", 7), ("os.kill(os.getpid(), 15)", -15), ("os.execvp('true', ['true'])", 0)],
)
def test_a_daemon_ends_with_its_program_whose_status_is_reported(
    supervisor: Supervisor, tmp_path: Path, ending: str, status: int
) -> None:
    program, lines = start(supervisor, DAEMON + ending, tmp_path)
    said = "\n".join(line for some in lines for line in some)
    assert program.wait() == status
    assert not is_running(number_after("daemon", said))


def test_a_service_that_ends_with_a_start_unread_leaves_no_program(tmp_path: Path) -> None:
    servers = ForkServers("mark")
    (ours, theirs), (output, written) = socket.socketpair(), os.pipe()
    servers.fork_guard(ForkServer((sys.executable, "-I", "-S")), theirs.fileno(), written)
    theirs.close()
    os.close(written)
    script = "import os, time\nprint('process', os.getpid(), flush=True)\ntime.sleep(600)"
    request = {"command": [sys.executable, "-c", script], "folder": str(tmp_path), "environment": {}}
    ours.sendall(json.dumps(request).encode() + b"\n")
    process = number_after("process", os.read(output, 100).decode())
    assert select.select([ours], [], [], 20)[0]
    # The guard's report is not read, so the system resets the guard's side.
    ours.close()
    servers.stop_all()
    os.close(output)
    until(lambda: not is_running(process))


def test_stopping_a_program_ends_its_daemons(supervisor: Supervisor, tmp_path: Path) -> None:
    program, lines = start(supervisor, DAEMON + "time.sleep(600)", tmp_path)
    daemon = number_after("daemon", next(lines)[0])
    supervisor.terminate("key")
    assert list(lines) == []
    assert program.wait() == -signal.SIGTERM
    assert not is_running(daemon)


def test_processes_that_fork_faster_than_they_are_found_end_too(supervisor: Supervisor, tmp_path: Path) -> None:
    program, lines = start(supervisor, HYDRA, tmp_path)
    assert list(lines) == [["begun"]]
    assert program.wait() == 0
    assert supervisor.kill_survivors() == 0


def test_a_program_that_cannot_be_started_is_an_error_that_names_it(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        supervisor.start("key", ["no-such-program"], folder=tmp_path, environment={})
    with pytest.raises(PermissionError):
        supervisor.start("key", [str(tmp_path)], folder=tmp_path, environment={})
    with pytest.raises(OSError, match="null byte"):
        supervisor.start("key", ["true"], folder=tmp_path, environment={"A": "\0"})


def test_a_program_with_a_value_that_has_no_bytes_leaves_nothing(supervisor: Supervisor, tmp_path: Path) -> None:
    program, lines = start(supervisor, "print('begun', flush=True)\nimport time\ntime.sleep(600)", tmp_path)
    next(lines)
    guard = psutil.Process(program.process).parent()
    assert guard is not None
    server = guard.parent()
    assert server is not None
    open_files = psutil.Process().num_fds()
    with pytest.raises(UnicodeEncodeError):
        supervisor.start("key", ["true"], folder=tmp_path, environment={"A": "\ud800"})
    assert psutil.Process().num_fds() == open_files
    assert list(supervisor._programs) == [program]
    until(lambda: server.children() == [guard])


def test_a_killed_guard_and_fork_server_cost_one_program_and_leave_nothing(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    program, lines = start(supervisor, DAEMON + "time.sleep(600)", tmp_path)
    daemon = number_after("daemon", next(lines)[0])
    guard = psutil.Process(program.process).parent()
    assert guard is not None
    server = guard.parent()
    assert server is not None
    server.kill()
    guard.kill()
    assert program.wait() == -signal.SIGKILL
    assert not is_running(program.process)
    assert not is_running(daemon)
    again, lines = start(supervisor, "print('again')", tmp_path)
    assert list(lines) == [["again"]]
    assert again.wait() == 0


@pytest.mark.parametrize("command", [["sleep", "600"], ["yes"]])
def test_output_ends_with_the_program_even_if_a_process_that_nobody_finds_keeps_the_pipe(
    supervisor: Supervisor, tmp_path: Path, command: list[str]
) -> None:
    hidden = DAEMON.replace("time.sleep(600)", f"os.execvpe('{command[0]}', {command}, {{}})") + "time.sleep(600)"
    program, lines = start(supervisor, hidden, tmp_path)
    daemon = number_after("daemon", next(line for some in lines for line in some if line.startswith("daemon")))
    until(lambda: psutil.Process(daemon).name() == command[0])
    guard = psutil.Process(program.process).parent()
    assert guard is not None
    guard.kill()
    try:
        for _ in lines:
            pass
        assert program.wait() == -signal.SIGKILL
        # A writer ends when nobody reads any more.
        assert is_running(daemon) or command == ["yes"]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(daemon, signal.SIGKILL)


def test_a_program_is_read_when_a_thousand_files_are_open(supervisor: Supervisor, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if 0 < hard < 4096 else 4096, hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1030)]
    try:
        program, lines = start(supervisor, "print('said')", tmp_path)
        assert list(lines) == [["said"]]
        assert program.wait() == 0
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("how", ["its end", "StopProcessingJob", "MaxRuntimeInSeconds"])
def test_a_daemon_keeps_no_job_from_ending(jobs: Jobs, how: str) -> None:  # noqa: F811
    script = DAEMON if how == "its end" else DAEMON + "time.sleep(600)"
    limit = 3 if how == "MaxRuntimeInSeconds" else 600
    name = jobs.start_script(script, StoppingCondition={"MaxRuntimeInSeconds": limit})
    until(lambda: any("daemon" in line for line in jobs.script_log(name)))
    daemon = number_after("daemon", "\n".join(jobs.script_log(name)))
    if how == "StopProcessingJob":
        jobs.call("StopProcessingJob", ProcessingJobName=name)
    described = jobs.wait("processing-job", name)
    assert described["ProcessingJobStatus"] == ("Completed" if how == "its end" else "Stopped")
    assert not is_running(daemon)


@pytest.mark.parametrize("how", ["its answer", "its timeout"])
def test_a_daemon_keeps_no_function_from_ending(service: RunningService, how: str) -> None:  # noqa: F811
    client = service.client("lambda", read_timeout=30)
    archive = io.BytesIO()
    source = DAEMON.replace("print(", "said = (").replace(", flush=True)", ")") + (
        "\ndef handler(event, context):\n"
        "    print(said, flush=True)\n"
        f"    time.sleep({0 if how == 'its answer' else 600})"
    )
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("main.py", source)
    name = how.replace(" ", "-")
    client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=ROLE,
        Handler="main.handler",
        Timeout=1,
        Code={"ZipFile": archive.getvalue()},
    )
    answer = client.invoke(FunctionName=name)
    failure = answer["Payload"].read().decode()
    assert ("Task timed out after 1.00 seconds" in failure) == (how == "its timeout")
    assert answer.get("FunctionError") == (None if how == "its answer" else "Unhandled")
    group = f"/aws/lambda/{name}"
    said = "\n".join(
        event["message"] for event in service.client("logs").filter_log_events(logGroupName=group)["events"]
    )
    assert not is_running(number_after("daemon", said))


def test_the_next_start_ends_what_is_left_when_the_service_and_all_guards_are_killed_at_once(tmp_path: Path) -> None:
    root = tmp_path / ".local"
    root.mkdir()
    killed = subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(root), DAEMON + "time.sleep(600)"], stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout is not None
    said = killed.stdout.readline()
    leader, daemon = int(said.split()[0]), number_after("daemon", said)
    # A stopped process cannot act on the end of another.
    doomed = [psutil.Process(killed.pid), *psutil.Process(killed.pid).children(recursive=True)]
    doomed = [process for process in doomed if process.pid != daemon]
    assert leader in [process.pid for process in doomed]
    for process in doomed:
        process.suspend()
    for process in doomed:
        process.kill()
    killed.wait()
    killed.stdout.close()
    assert is_running(daemon)

    again = Supervisor(Settings(root))
    assert again.kill_survivors() == 1
    assert not is_running(daemon)
    assert again.kill_survivors() == 0
