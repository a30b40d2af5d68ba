"""The completion in the shells: Bash's function runs as Bash calls it, with the words and their separators."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from scripts.commands import unloaded_commands
from scripts.completion import exported, targets
from tests.commands import ROOT
from tests.scripts.test_commands import environment

HARNESS = r"""
compopt() { printf 'compopt %s %s\n' "$@"; }
eval "$SCRIPT"
cd "$FOLDER"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
"$(complete -p "$1" | sed 's/.* -F \([^ ]*\) .*/\1/')" "$1" "${COMP_WORDS[COMP_CWORD]#=}" ""
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script() -> str:
    finished = subprocess.run(
        ["make", "-s", "completion"],
        cwd=ROOT,
        env=environment(SHELL="/usr/bin/bash"),
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout


@pytest.fixture
def complete(script):
    """Return what completes the last of the words of a line in Bash, in the project's folder or another."""

    def run(*words: str, folder=ROOT, before: str = "") -> list[str]:
        finished = subprocess.run(
            ["bash", "--norc", "-c", before + HARNESS, "bash", *words],
            env=environment(SCRIPT=script, FOLDER=str(folder)),
            capture_output=True,
            text=True,
            check=True,
        )
        assert finished.stderr == ""
        return finished.stdout.split("\n")[:-1]

    return run


def values(answer: list[str]) -> list[str]:
    return [line for line in answer if line and not line.startswith("compopt")]


def test_make_has_its_targets_and_variables(complete) -> None:
    assert values(complete("make", "")) == [*targets(), *(f"{name}=" for name in exported())]
    assert values(complete("make", "stat")) == ["status"]
    assert complete("make", "LEV") == ["compopt -o nospace", "LEVEL="]


def test_after_a_target_there_are_its_variables_only(complete) -> None:
    answer = values(complete("make", "-s", "delete", ""))
    assert [word for word in answer if word.endswith("=")] == ["CONFIG=", "LEVEL=", "YES="]
    assert values(complete("make", "local", "P")) == ["PORT="]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["make", "delete", "LEVEL", "="], ["endpoint", "pipeline", "all"]),
        (["make", "delete", "LEVEL", "=", "p"], ["pipeline"]),
        (["make", "run", "DATA", "=", "da"], ["compopt -o default", ""]),
        (["make", "run", "LEVEL", "=", "p"], [""]),
        (["python", "-m", "scripts.stat"], ["scripts.status"]),
        (["python", "-m", "scripts", "stat"], ["status"]),
        (["python", "-m", "scripts.start", "--p"], ["--param"]),
        (["python", "-m", "scripts", "start", "--p"], ["--param"]),
        (["python", "-m", "scripts.delete", "--level", ""], ["endpoint", "pipeline", "all"]),
        (["python", "-m", "scripts.delete", "--level", "=", "e"], ["endpoint"]),
        (["python3", "-m", "scripts.start", "--config", "da"], ["compopt -o default", ""]),
        (["python", "-m", "venv", ""], [""]),
        (["python", ""], [""]),
    ],
)
def test_a_word_is_completed(complete, words: list[str], answer: list[str]) -> None:
    assert complete(*words) == answer


def test_python_has_every_command_as_a_module(complete) -> None:
    assert complete("python", "-m", "scripts.") == [f"scripts.{name}" for name in unloaded_commands()]


def test_elsewhere_the_shell_completes_as_before(complete, tmp_path) -> None:
    before = "_make() { COMPREPLY=(mine); }; complete -F _make make;"
    assert complete("make", "", folder=tmp_path, before=before) == ["mine"]
    assert complete("make", "", folder=tmp_path) == [""]
    assert "status" in complete("make", "", before=before)


@pytest.mark.parametrize(
    ("shell", "check"), [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])]
)
def test_the_script_is_valid_in_its_shell(shell: str, check: list[str], tmp_path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = subprocess.run(
        [str(ROOT / ".venv/bin/python"), "-m", "scripts.completion", shell],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    (tmp_path / "script").write_text(script.stdout)
    subprocess.run([*check, str(tmp_path / "script")], check=True)


def test_a_shell_that_is_not_known_is_an_error() -> None:
    finished = subprocess.run(
        [str(ROOT / ".venv/bin/python"), "-m", "scripts.completion"],
        cwd=ROOT,
        env=environment(SHELL="/bin/tcsh"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'." in finished.stderr
