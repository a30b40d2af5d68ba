"""Checks the machine before the installation: platform and free disk."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.setup.messages import SetupError

# The oldest systems that the wheels of uv.lock support; tests/scripts/test_lock_file.py compares.
GLIBC = (2, 34)
MACOS = (12, 0)
MACHINES = {"Linux": ("x86_64", "aarch64"), "Darwin": ("x86_64", "arm64")}

# Measured. The environment has hard links to uv's cache where both are on one disk.
ENVIRONMENT_MB = 2300
CACHE_MB = 3200
BOTH_MB = 3400
# The files of uv.lock for the platform that needs most
DOWNLOAD_MB = 850

_MB = 1_000_000


@dataclass(frozen=True)
class Machine:
    """What decides whether wheels exist for a machine.

    Attributes:
        system: The kernel's name, as ``uname -s`` prints it.
        machine: The processor's name, as ``uname -m`` prints it.
        bits: Python's own width, 32 or 64: a 64-bit system may have a 32-bit Python.
        release: The version of glibc or macOS; None where a Linux has another C library, or macOS hides its version.
    """

    system: str
    machine: str
    bits: int
    release: tuple[int, ...] | None


def this_machine() -> Machine:
    """Return the description of the machine that runs this Python."""
    bits = 64 if sys.maxsize > 2**32 else 32
    return Machine(platform.system(), platform.machine(), bits, _release())


def _release() -> tuple[int, ...] | None:
    if platform.system() == "Darwin":
        release = _version(platform.mac_ver()[0])
        # Pythons that were built for macOS 10 see every later version as 10.16.
        return None if release == (10, 16) else release
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return None
    return _version(name.removeprefix("glibc "))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


def check_platform(machine: Machine) -> None:
    """Check that every pinned package has a wheel for the machine.

    Raises:
        SetupError: It is another platform.
    """
    supported = "Linux (glibc 2.34 or newer) and macOS (12 or newer), on x86-64 and arm64"
    here = f"{machine.system} on {machine.machine}"
    if machine.machine not in MACHINES.get(machine.system, ()):
        raise SetupError(f"This is {here}. Supported are {supported}.")
    if machine.bits != 64:
        raise SetupError(f"This Python ({sys.executable}) has 32 bits. Install a 64-bit Python.")
    if machine.system == "Linux" and machine.release is None:
        raise SetupError(
            "This Linux has no glibc (Alpine has musl), for which some packages have no wheels. "
            f"Supported are {supported}: use Debian 12, Ubuntu 22.04, Fedora, RHEL 9 or newer, also as a container."
        )
    name, oldest = ("glibc", GLIBC) if machine.system == "Linux" else ("macOS", MACOS)
    if machine.release is not None and machine.release < oldest:
        release = ".".join(map(str, machine.release))
        raise SetupError(f"This is {here} with {name} {release}, which is too old. Supported are {supported}.")


def check_disk(environment: Path, cache: Path) -> None:
    """Check that the disks have room for the packages.

    Args:
        environment: The environment's folder. Its parent exists.
        cache: uv's cache, which may not exist yet.

    Raises:
        SetupError: There is too little room.
    """
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    if _are_on_one_disk(environment.parent, existing):
        _check_room(environment.parent, BOTH_MB, cache)
    else:
        _check_room(environment.parent, ENVIRONMENT_MB, environment)
        _check_room(existing, CACHE_MB, cache)


def _are_on_one_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _check_room(disk: Path, need_mb: int, filled: Path) -> None:
    """Check a disk's room; what an earlier attempt has put into ``filled`` needs no more room."""
    free = shutil.disk_usage(disk).free // _MB
    if free >= need_mb:
        return
    need = need_mb - _size(filled) // _MB
    if free < need:
        raise SetupError(
            f"The packages need {need} MB on the disk of {disk.resolve()}, and {free} MB are free. "
            "Free some, then repeat the command. UV_CACHE_DIR=/another/disk/uv moves the larger part."
        )


def _size(folder: Path) -> int:
    names = (Path(parent) / name for parent, _, files in os.walk(folder) for name in files)
    return sum(file.lstat().st_blocks * 512 for file in names)
