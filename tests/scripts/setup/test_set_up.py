"""The set-up in a fresh clone, with Python and make only. A small index stands in for PyPI, small packages for ours."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.setup.uv import VERSION
from tests.commands import ROOT
from tests.scripts.setup.package_index import PackageIndex, package_index

pytestmark = pytest.mark.slow

UV = next(file for file in (ROOT / ".uv/bin/uv", Path(shutil.which("uv") or "")) if file.is_file())
TOOLS = ("make", "sh", "dirname", "cat")
MANY = 4000


class Clone:
    """A fresh clone of a project like this one, with three packages."""

    def __init__(self, folder: Path, index: PackageIndex) -> None:
        self.folder = folder / "clone"
        self.environment = {
            "PATH": str(_path(folder / "bin")),
            "HOME": str(folder),
            "PIP_INDEX_URL": index.url,
            "PIP_CONFIG_FILE": os.devnull,
            # The tests need not wait for what is down.
            "PIP_RETRIES": "1",
            "UV_HTTP_RETRIES": "0",
        }
        shutil.copytree(ROOT / "scripts/setup", self.folder / "scripts/setup", ignore=shutil.ignore_patterns("*.pyc"))
        imported = ("scripts/__init__.py", "definition_language/__init__.py", "definition_language/interruption.py")
        (self.folder / "definition_language").mkdir()
        for file in ("Makefile", *imported):
            shutil.copy(ROOT / file, self.folder / file)
        jobs = self.folder / "local/runtime/jobs"
        jobs.mkdir(parents=True)
        (jobs / "spark_archive.py").write_text("")
        (self.folder / "pyproject.toml").write_text(
            '[project]\nname = "clone"\nversion = "1"\nrequires-python = ">=3.11,<3.13"\n'
            'dependencies = ["small", "big", "many"]\n'
            f'[tool.uv]\npackage = false\n[[tool.uv.index]]\nurl = "{index.url}"\ndefault = true\n'
        )
        subprocess.run([UV, "lock", "--quiet", "--cache-dir", folder / "other cache"], cwd=self.folder, check=True)
        index.fetched.clear()

    def start(self, *options: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["make", "setup", *options],
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def set_up(self, *options: str, **environment: str) -> tuple[int, str]:
        process = self.start(*options, **environment)
        said, _ = process.communicate(timeout=60)
        assert "Traceback" not in said
        return process.returncode, said

    def is_whole(self) -> bool:
        code = "import small, big, many, pathlib; print(len(list(pathlib.Path(many.__file__).parent.glob('*.txt'))))"
        python = self.folder / ".venv/bin/python"
        if not (python.exists() and (self.folder / ".venv/.ready").exists()):
            return False
        return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout == f"{MANY}\n"


def _path(folder: Path) -> Path:
    """Make a folder of links to Python, make and what comes with every system."""
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    # A script, because a link would hide where Python's library is.
    python = folder / "python3"
    base = Path(sys.base_prefix) / "bin" / f"python{sysconfig.get_python_version()}"
    python.write_text(f'#!/bin/sh\nexec {base} "$@"\n')
    python.chmod(0o755)
    return folder


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with package_index() as served:
        system = "manylinux_2_17" if platform.system() == "Linux" else "macosx_11_0"
        served.add(
            "uv", {f"uv-{VERSION}.data/scripts/uv": UV.read_bytes()}, VERSION, f"py3-none-{system}_{platform.machine()}"
        )
        served.add("small", {"small/__init__.py": b"", "sagemaker/pattern.py": b"'\\+'"})
        served.add("big", {"big/__init__.py": b"", "big/bytes": bytes(3_000_000)})
        served.add("many", {"many/__init__.py": b""} | {f"many/{number}.txt": b"text" for number in range(MANY)})
        yield served


@pytest.fixture
def clone(tmp_path: Path, index: PackageIndex) -> Clone:
    return Clone(tmp_path, index)


@pytest.fixture
def clone_with_uv(clone: Clone) -> Clone:
    """A clone in which uv was fetched already."""
    own = clone.folder / ".uv/bin/uv"
    own.parent.mkdir(parents=True)
    own.symlink_to(UV)
    return clone


def test_two_commands_at_once_in_a_fresh_clone(clone, index) -> None:
    processes = [clone.start(), clone.start()]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    first, second = sorted(said, key=len, reverse=True)
    steps = ["Setting up .venv with Python 3.1", "Fetching uv", "Installed 3 packages", "Preparing", "The set-up took"]
    places = [first.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)
    assert second == "Another command is setting up this folder: waiting for it.\n"
    assert clone.is_whole()
    assert sorted(name.split("-")[0] for name in index.fetched) == ["big", "many", "small", "uv"]
    assert clone.set_up() == (0, "")
    # Python 3.12 would warn when a command imports it.
    assert list(clone.folder.glob(".venv/lib/python*/site-packages/sagemaker/__pycache__/pattern.*"))


def test_a_network_that_breaks_half_way(clone_with_uv, index) -> None:
    index.breaks = {"big-1.0-py3-none-any.whl"}
    status, said = clone_with_uv.set_up()
    assert status == 2
    assert "The set-up stopped. The packages could not be fetched: " in said
    assert "Check the network, then repeat the command" in said
    assert not clone_with_uv.is_whole()
    index.breaks = set()
    index.fetched.clear()
    status, said = clone_with_uv.set_up()
    assert (status, clone_with_uv.is_whole()) == (0, True), said
    assert "big-1.0-py3-none-any.whl" in index.fetched


@pytest.mark.parametrize("with_pip", [True, False])
def test_a_network_that_breaks_before_uv_is_there(clone, index, with_pip, tmp_path) -> None:
    """Debian's Python comes without pip."""
    options = []
    if not with_pip:
        venv.create(tmp_path / "no pip", symlinks=True)
        options = [f"PYTHON={tmp_path / 'no pip/bin/python'}"]
    index.breaks = {name for name in index.files if name.startswith("uv-")}
    status, said = clone.set_up(*options)
    assert status == 2
    assert ("pip could not fetch uv: " if with_pip else f"uv could not be fetched from {index.url}: ") in said
    assert "Check the network, then repeat the command" in said
    index.breaks = set()
    status, said = clone.set_up(*options)
    assert (status, clone.is_whole()) == (0, True), said


def test_no_network(clone) -> None:
    status, said = clone.set_up(PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert status == 2
    assert (
        "The set-up stopped. uv could not be fetched: pip does not reach the package index.\nCheck the network" in said
    )


def test_a_kill_in_the_middle_of_the_installation(clone_with_uv, index) -> None:
    process = clone_with_uv.start()
    while not list(clone_with_uv.folder.glob(".venv/lib/python*/site-packages/many/*.txt")):
        assert process.poll() is None
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (clone_with_uv.folder / ".venv/.ready").exists()
    # uv would not notice that a file of an installed package is missing.
    next(clone_with_uv.folder.glob(".venv/lib/python*/site-packages/many/*.txt")).unlink()
    index.fetched.clear()
    status, said = clone_with_uv.set_up()
    assert (status, clone_with_uv.is_whole()) == (0, True), said
    assert "An earlier set-up was interrupted" in said
    assert index.fetched == []


def test_an_environment_whose_python_is_gone(clone_with_uv) -> None:
    """A system's update removes the Python that .venv refers to."""
    assert clone_with_uv.set_up()[0] == 0
    for link in clone_with_uv.folder.glob(".venv/bin/python*"):
        link.unlink()
        link.symlink_to("/nowhere/python")
    status, said = clone_with_uv.set_up()
    assert (status, clone_with_uv.is_whole()) == (0, True), said


def test_an_old_uv_is_not_used(clone, index) -> None:
    old = Path(clone.environment["PATH"]) / "uv"
    old.write_text("#!/bin/sh\necho uv 0.4.30\n")
    old.chmod(0o755)
    status, said = clone.set_up()
    assert (status, clone.is_whole()) == (0, True), said
    assert any(name.startswith("uv-") for name in index.fetched)


def test_an_error_of_another_kind_is_shown_and_leaves_the_environment(clone_with_uv) -> None:
    assert clone_with_uv.set_up()[0] == 0
    project = clone_with_uv.folder / "pyproject.toml"
    project.write_text(project.read_text().replace('"many"', '"many>=2"'))
    status, said = clone_with_uv.set_up()
    assert status == 2
    assert "The set-up stopped. uv could not install the packages:" in said
    project.write_text(project.read_text().replace('"many>=2"', '"many"'))
    status, said = clone_with_uv.set_up()
    assert (status, clone_with_uv.is_whole()) == (0, True), said
    assert "interrupted" not in said
