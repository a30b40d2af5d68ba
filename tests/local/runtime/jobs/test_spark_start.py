"""How Spark's Java program is started."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from local.runtime.jobs import spark_archive, spark_java


def _java_says(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command[:-1], "-version"], capture_output=True, text=True, check=False, timeout=60)


def test_a_class_archive_that_does_not_fit_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "archive.jsa"
    archive.write_bytes(b"made by some other Java" * 1000)
    monkeypatch.setattr(spark_java, "class_archive", lambda: archive)
    command = spark_java.command(tmp_path, "64m", small=True)
    assert f"-XX:SharedArchiveFile={archive}" in command
    assert _java_says(command).returncode == 0


@pytest.mark.parametrize("small", [True, False])
def test_java_takes_the_options_without_a_class_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    monkeypatch.setattr(spark_java, "class_archive", lambda: tmp_path / "not-made")
    command = spark_java.command(tmp_path, "64m", small=small)
    answer = _java_says(command)
    assert answer.returncode == 0, answer.stderr
    assert not any("SharedArchiveFile" in option for option in command)


def test_a_long_run_keeps_the_optimising_compiler(tmp_path: Path) -> None:
    assert "-XX:TieredStopAtLevel=1" in spark_java.command(tmp_path, "64m", small=True)
    assert "-XX:TieredStopAtLevel=1" not in spark_java.command(tmp_path, "64m", small=False)


@pytest.mark.parametrize(("locale", "wanted"), [("", "C.UTF-8"), ("es_ES.UTF-8", "")])
def test_the_class_archive_is_made_where_java_finds_any_folder(tmp_path: Path, monkeypatch, locale, wanted) -> None:
    """A Java without a UTF-8 locale does not find its own files in a folder with such letters."""
    for name in ("LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", locale)
    folder = tmp_path / "año"
    folder.mkdir()
    spark_archive._run(["sh", "-c", f'test "$LC_CTYPE" = "{wanted}" && test "$LANG" = "{locale}"'], folder)


@pytest.mark.parametrize(
    ("stdout", "stderr", "reason"),
    [
        (
            "Traceback (most recent call last):\n  raise\npy4j.protocol.Py4JJavaError: An error occurred\n"
            ': java.io.IOException: Cannot run program "chmod": error=2\n\tat java.lang.Thread.run\n',
            "26/11/27 20:33:28 WARN WindowExec: No Partition Defined\n",
            'java.io.IOException: Cannot run program "chmod": error=2',
        ),
        (
            "",
            "WARN: slow\nError: Could not find or load main class\n\tat x\n",
            "Error: Could not find or load main class",
        ),
        ("", "WARN: slow\nkilled\n\n", "killed"),
        ("", "", "Command 'java' died with <Signals.SIGKILL: 9>."),
    ],
)
def test_why_the_classes_could_not_be_prepared_is_one_line_and_no_warning(stdout, stderr, reason) -> None:
    assert spark_archive.reason(subprocess.CalledProcessError(-9, "java", stdout, stderr)) == reason
