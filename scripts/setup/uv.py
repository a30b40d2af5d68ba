"""Finds uv, which installs the packages, or fetches it from PyPI."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urljoin

from scripts.setup.messages import NO_ROOM, SetupError, network_remedy, say

VERSION = "0.13.9"
# Older ones do not know all that uv.lock says.
OLDEST = (0, 8)
# The Makefile prefers it to a uv on the PATH.
OWN = Path(".uv/bin/uv")

_INDEX = "https://pypi.org/simple"
_MIRROR = "For a mirror of PyPI, set PIP_INDEX_URL."


def cache_folder() -> Path:
    """Return uv's cache, as uv chooses it."""
    own = os.environ.get("UV_CACHE_DIR")
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(caches) / "uv"


def find_uv(lock: int) -> Path:
    """Return the path of a uv that is new enough. Fetch one if there is none.

    Args:
        lock: The descriptor of the folder's lock, for pip.

    Raises:
        SetupError: It could not be fetched.
    """
    for candidate in (OWN, shutil.which("uv")):
        if candidate is not None and _is_new_enough(Path(candidate)):
            return Path(candidate)
    say("Fetching uv, which installs the packages (25 MB)")
    # Never half-written: uv appears by a rename.
    unfinished = OWN.parent.parent / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    if importlib.util.find_spec("pip"):
        _fetch_with_pip(unfinished, lock)
    else:
        _fetch_without_pip(unfinished)
    OWN.parent.mkdir(exist_ok=True)
    (unfinished / "bin" / "uv").replace(OWN)
    shutil.rmtree(unfinished)
    return OWN


def _is_new_enough(uv: Path) -> bool:
    try:
        said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    version = re.match(r"uv (\d+)\.(\d+)", said)
    return version is not None and tuple(map(int, version.groups())) >= OLDEST


def _fetch_with_pip(folder: Path, lock: int) -> None:
    # --target, because a system's Python may refuse to install packages.
    options = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--no-input"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), f"uv=={VERSION}"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, pass_fds=[lock])
    if done.returncode:
        if "connection broken by" in done.stderr:
            raise SetupError(
                f"uv could not be fetched: pip does not reach the package index.\n{network_remedy()} {_MIRROR}"
            )
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")] or done.stderr.splitlines()
        hint = "" if NO_ROOM.search(done.stderr) else f"\n{network_remedy()} {_MIRROR}"
        raise SetupError(f"pip could not fetch uv: {' '.join(errors)[-1000:]}{hint}")


def _fetch_without_pip(folder: Path) -> None:
    """Take uv out of its wheel: Debian's Python has neither pip nor ensurepip."""
    index = os.environ.get("PIP_INDEX_URL", _INDEX).rstrip("/")
    try:
        # PEP 691
        listing = json.loads(_get(f"{index}/uv/", "application/vnd.pypi.simple.v1+json"))
        file = next(file for file in listing["files"] if _is_for_this_machine(file["filename"]))
        wheel = _get(urljoin(f"{index}/uv/", file["url"]), "*/*")
    except (OSError, HTTPException, ValueError, StopIteration) as error:
        raise SetupError(f"uv could not be fetched from {index}: {error!r}\n{network_remedy()} {_MIRROR}") from error
    if hashlib.sha256(wheel).hexdigest() != file["hashes"]["sha256"]:
        raise SetupError(f"What {index} sent as {file['filename']} has another checksum. Repeat the command.")
    program = folder / "bin" / "uv"
    program.parent.mkdir()
    program.write_bytes(zipfile.ZipFile(io.BytesIO(wheel)).read(f"uv-{VERSION}.data/scripts/uv"))
    program.chmod(0o755)


def _is_for_this_machine(wheel: str) -> bool:
    system = {"Linux": "manylinux", "Darwin": "macosx"}[platform.system()]
    return wheel.startswith(f"uv-{VERSION}-py3-none-{system}") and wheel.endswith(f"_{platform.machine()}.whl")


def _get(url: str, accept: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310 (the user's own index)
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        content: bytes = response.read()
        return content
