"""Programs that a fork server has imported, modules and files of the service, are programs like others."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.runtime.fork_servers import ForkServer
from local.runtime.lines import read_lines
from local.runtime.supervisor import Program, Supervisor
from tests.reliability.test_children import is_running, number_after, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, each program imports its module")

MODULE = "imported_program"
SERVER = ForkServer((sys.executable, "-m"), (MODULE,))
PROGRAM = """
import os, sys, time

IMPORTER = os.getpid()

def main(arguments):
    print(f"imported {IMPORTER}", f"process {os.getpid()}", flush=True)
    print(os.getcwd(), os.environ.get("COLOUR"), os.environ.get("PATH"), time.tzname[0], arguments[1:], flush=True)
    print(sorted(int(name) for name in os.listdir("/proc/self/fd")), file=sys.stderr, flush=True)
    if arguments[0] == "wait":
        time.sleep(600)
    if arguments[0] == "raise":
        raise ValueError("wrong")
    return int(arguments[0])
"""


@pytest.fixture(autouse=True)
def _program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "modules" / MODULE
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


def start(supervisor: Supervisor, folder: Path, *arguments: str) -> tuple[Program, Iterator[str]]:
    command = [*SERVER.command, *arguments]
    variables = {"COLOUR": "blue", "TZ": "Pacific/Honolulu"}
    program = supervisor.start("key", command, folder=folder, environment=variables, server=SERVER)
    return program, (line for lines in read_lines(program.read_output()) for line in lines)


def test_the_module_is_imported_once_and_each_program_has_its_own_surroundings(
    supervisor: Supervisor,
    tmp_path: Path,
) -> None:
    folders = [tmp_path / name for name in ("ä", "b")]
    importers, processes = set(), set()
    for status, folder in enumerate(folders):
        folder.mkdir()
        program, lines = start(supervisor, folder, str(status), "ä", "")
        ids, own, files = list(lines)
        assert program.wait() == status
        assert own == f"{folder} blue None HST {['ä', '']}"
        assert files == "[0, 1, 2, 3]"  # 3 is the folder that it lists
        importers.add(number_after("imported", ids))
        processes.add(number_after("process", ids))
        assert program.process in processes
    assert [len(importers), len(processes)] == [1, 2]


def test_an_exception_is_its_output_and_a_failure(supervisor: Supervisor, tmp_path: Path) -> None:
    program, lines = start(supervisor, tmp_path, "raise")
    assert list(lines)[-1] == "ValueError: wrong"
    assert program.wait() == 1


def test_a_stop_at_any_moment_is_not_lost(supervisor: Supervisor, tmp_path: Path) -> None:
    """Not before the program is told to the guard, nor before it has a process group of its own."""
    stop = threading.Event()

    def terminate() -> None:
        while not stop.is_set():
            supervisor.terminate("key")

    stopping = threading.Thread(target=terminate)
    stopping.start()
    try:
        for _ in range(20):
            program, lines = start(supervisor, tmp_path, "wait")
            list(lines)
            assert program.wait() == -signal.SIGTERM
    finally:
        stop.set()
        stopping.join()


def test_it_is_stopped_by_sigterm(supervisor: Supervisor, tmp_path: Path) -> None:
    program, lines = start(supervisor, tmp_path, "wait")
    next(lines)
    supervisor.terminate("key")
    assert program.wait() == -signal.SIGTERM


@pytest.mark.parametrize("who", ["guard", "server and guard"])
def test_it_ends_with_its_guard(supervisor: Supervisor, tmp_path: Path, who: str) -> None:
    program, lines = start(supervisor, tmp_path, "wait")
    next(lines)
    guard = psutil.Process(program.process).parent()
    assert guard is not None
    server = guard.parent()
    assert server is not None
    if "server" in who:
        server.kill()
    guard.kill()
    assert program.wait() == -signal.SIGKILL
    until(lambda: not is_running(program.process))
    again, lines = start(supervisor, tmp_path, "0")
    assert len(list(lines)) == 3
    assert again.wait() == 0


def test_a_module_that_cannot_be_imported_is_started_like_another_program(
    supervisor: Supervisor,
    tmp_path: Path,
) -> None:
    server = ForkServer((sys.executable, "-m"), ("no_such_module",))
    program = supervisor.start("key", server.command, folder=tmp_path, environment={}, server=server)
    said = [line for lines in read_lines(program.read_output()) for line in lines]
    assert program.wait() == 1
    assert "No module named no_such_module" in said[-1]


FILE = """
import os, sys, time

PREPARED = []

def prepare(word):
    PREPARED.append(word)
    if word == "wrong":
        raise ValueError(word)

def main(arguments):
    print("prepared", PREPARED, sys.argv[1:] == arguments, arguments[1:], sys.flags.isolated, flush=True)
    if arguments[1] == "leave a child":
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
        print("left", flush=True)
        time.sleep(600)
    sys.exit(int(arguments[1]))

if __name__ == "__main__":
    main(sys.argv[1:])
"""


def file_server(folder: Path, word: str, python: str = sys.executable) -> ForkServer:
    file = folder / "program.py"
    file.write_text(FILE)
    return ForkServer((python, "-I", "-S"), (str(file), word), {"COLOUR": "red"})


def run_file(supervisor: Supervisor, folder: Path, server: ForkServer) -> str:
    program = supervisor.start("key", [*server.command, "3"], folder=folder, environment={}, server=server)
    (said,) = [line for lines in read_lines(program.read_output()) for line in lines]
    assert program.wait() == 3
    return said


def test_a_file_is_prepared_once_in_an_isolated_python(supervisor: Supervisor, tmp_path: Path) -> None:
    server = file_server(tmp_path, "word")
    supervisor.prepare(server)
    assert [run_file(supervisor, tmp_path, server) for _ in range(2)] == ["prepared ['word'] True ['3'] 1"] * 2


def test_a_file_that_cannot_be_prepared_is_started_like_another_program(supervisor: Supervisor, tmp_path: Path) -> None:
    assert run_file(supervisor, tmp_path, file_server(tmp_path, "wrong")) == "prepared [] True ['3'] 1"


def test_a_python_that_cannot_be_a_fork_server_starts_its_programs(supervisor: Supervisor, tmp_path: Path) -> None:
    old = tmp_path / "old_python"
    old.write_text(f'#!/bin/sh\ncase "$3" in *guard.py) exit 1;; esac\nexec {shlex.quote(sys.executable)} "$@"\n')
    old.chmod(0o755)
    server = file_server(tmp_path, "word", str(old))
    supervisor.prepare(server)
    assert [run_file(supervisor, tmp_path, server) for _ in range(3)] == ["prepared [] True ['3'] 1"] * 3


def test_the_next_start_ends_what_a_killed_guard_leaves(supervisor: Supervisor, tmp_path: Path) -> None:
    server = file_server(tmp_path, "word")
    command = [*server.command, "leave a child"]
    program = supervisor.start("key", command, folder=tmp_path, environment={}, server=server)
    lines = read_lines(program.read_output())
    while not any("left" in line for line in next(lines)):
        pass
    (child,) = psutil.Process(program.process).children()
    guard = psutil.Process(program.process).parent()
    assert guard is not None
    guard.kill()
    assert program.wait() == -signal.SIGKILL
    assert is_running(child.pid)
    assert supervisor.kill_survivors() == 1
    until(lambda: not is_running(child.pid))
