"""What the set-up says of a machine on which it cannot work."""

from __future__ import annotations

import shutil
from collections import namedtuple
from dataclasses import replace

import pytest

from scripts.setup import machine
from scripts.setup.machine import BOTH_MB, CACHE_MB, ENVIRONMENT_MB, Machine, check_disk, check_platform, this_machine
from scripts.setup.messages import SetupError

LINUX = Machine("Linux", "x86_64", 64, (2, 36))
MACOS = Machine("Darwin", "arm64", 64, (14, 5))
Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    "supported",
    [
        LINUX,
        replace(LINUX, machine="aarch64", release=(2, 34)),
        MACOS,
        replace(MACOS, machine="x86_64", release=(12, 0)),
        replace(MACOS, release=None),
    ],
)
def test_supported_platforms(supported) -> None:
    check_platform(supported)


def test_this_machine_is_supported() -> None:
    check_platform(this_machine())


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (
            replace(LINUX, system="FreeBSD"),
            "This is FreeBSD on x86_64. Supported are Linux (glibc 2.34 or newer) and macOS",
        ),
        (replace(LINUX, machine="ppc64le"), "This is Linux on ppc64le. Supported are"),
        (replace(MACOS, machine="aarch64"), "This is Darwin on aarch64. Supported are"),
        (
            replace(LINUX, release=None),
            "This Linux has no glibc (Alpine has musl), for which some packages have no wheels.",
        ),
        (replace(LINUX, release=(2, 28)), "This is Linux on x86_64 with glibc 2.28, which is too old. Supported are"),
        (replace(MACOS, release=(11, 7)), "This is Darwin on arm64 with macOS 11.7, which is too old. Supported are"),
        (replace(LINUX, machine="aarch64", bits=32), "has 32 bits. Install a 64-bit Python."),
    ],
)
def test_other_platforms(other, sentence) -> None:
    with pytest.raises(SetupError) as refusal:
        check_platform(other)
    assert sentence in str(refusal.value)


@pytest.fixture
def free(monkeypatch):
    """Say how many MB are free on every disk."""

    def set_free(megabytes: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, megabytes * 1_000_000))

    return set_free


def test_a_disk_with_room(tmp_path, free) -> None:
    free(BOTH_MB)
    check_disk(tmp_path / ".venv", tmp_path / "cache" / "uv")


def test_a_disk_without_room(tmp_path, free) -> None:
    free(BOTH_MB - 1)
    with pytest.raises(SetupError) as refusal:
        check_disk(tmp_path / ".venv", tmp_path / "cache" / "uv")
    assert str(refusal.value).startswith(
        f"The packages need {BOTH_MB} MB on the disk of {tmp_path}, and {BOTH_MB - 1} MB are free. Free some,"
    )


def test_what_an_earlier_attempt_fetched_needs_no_room(tmp_path, free) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "fetched").write_bytes(b"0" * 5_000_000)
    free(BOTH_MB - 5)
    check_disk(tmp_path / ".venv", tmp_path / "cache")
    free(BOTH_MB - 6)
    with pytest.raises(SetupError, match=f"The packages need {BOTH_MB - 5} MB"):
        check_disk(tmp_path / ".venv", tmp_path / "cache")


def test_two_disks(tmp_path, free, monkeypatch) -> None:
    """Without hard links, the environment has copies."""
    monkeypatch.setattr(machine, "_are_on_one_disk", lambda *_: False)
    free(CACHE_MB)
    check_disk(tmp_path / ".venv", tmp_path / "cache")
    free(ENVIRONMENT_MB)
    with pytest.raises(SetupError, match=f"The packages need {CACHE_MB} MB"):
        check_disk(tmp_path / ".venv", tmp_path / "cache")
