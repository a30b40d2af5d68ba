"""Python environments that take the place of frameworks' images: the image's versions, or the nearest that fit."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from local.core.settings import Settings
from local.runtime.errors import JobFailedError
from local.runtime.images.environments import Note, place, program, run_uv, turn, unfinished
from local.runtime.images.table import FrameworkImage
from local.runtime.interpreters import find_interpreter, nearest_interpreter

_SHIMS = Path(__file__).with_name("shims")
_SHIMS_OF = {
    "scikit-learn": ("sagemaker_containers",),
    "xgboost": ("sagemaker_containers", "sagemaker_xgboost_container"),
}
"""The small packages that the images have and no package index does, by framework."""
_LIBRARIES = {"xgboost": "xgboost", "xgboost-cpu": "xgboost"}
"""The modules of packages that need none but numpy and scipy, for scripts that import nothing else."""
_RECORD = "made.json"
"""The file in an environment with what it has."""
_TOOLKIT = "toolkit"
"""The file in an environment that has the image's toolkit."""
_FIRST_BOTO3 = (1, 28, 0)
"""The first boto3 that reads AWS_ENDPOINT_URL. Older ones would call the real AWS."""
_FURTHER = ("flask", "pyyaml", "requests")
"""Packages that all images have, in versions of which little depends. Scripts return Flask's responses."""
_COMPILED = ("cryptography", "gevent", "greenlet", "numpy", "protobuf", "psutil", "scipy")
"""Packages of the toolkit that take a compiler, where they have no wheel."""


def make(settings: Settings, image: FrameworkImage, note: Note, *, toolkit: bool) -> str:
    """Return the interpreter of an image's environment, and say in the log how it differs from the image.

    The environment is made on first use. Where the image's Python is missing and uv cannot fetch it, the nearest Python
    of this machine is used; where a package's version has no wheel for the Python, the next version that has one.

    Args:
        settings: The service's settings.
        image: The image.
        note: Writes a sentence to the job's log.
        toolkit: Whether to add the packages by which the image runs the user's scripts.

    Raises:
        JobFailedError: uv is missing, or cannot make the environment. The message has uv's reason.
    """
    environment = folder(settings, image)
    with turn(environment, note):
        if not environment.is_dir():
            note(
                f"making the Python environment of {image.name} with uv, once, in {environment}: "
                f"Python {image.python}, {', '.join(image.packages)}"
            )
            _make(environment, image)
        if toolkit and not (environment / _TOOLKIT).exists():
            note(f"adding {' '.join(image.toolkit)} to the environment")
            _add_toolkit(environment, image)
    note(description(image, *_read_record(environment)))
    return str(program(environment))


def libraries_of_our_own(image: FrameworkImage) -> list[str]:
    """Return the modules of an image's libraries that the service's own environment has in the same version."""
    found = []
    for pin in image.packages:
        name, version = pin.split("==")
        with suppress(metadata.PackageNotFoundError):
            if name in _LIBRARIES and metadata.version(name) == version:
                found.append(_LIBRARIES[name])
    return found


def folder(settings: Settings, image: FrameworkImage) -> Path:
    """Return the folder of an image's environment. It exists once the environment has been made."""
    name = image.name.replace(" ", "-")
    return place(settings, name, image.python, image.packages, image.toolkit, _shims_digest())


def description(image: FrameworkImage, python: str, packages: dict[str, str]) -> str:
    """Return a sentence about what an environment has, and how that differs from the image.

    Args:
        image: The image.
        python: The environment's version of Python.
        packages: The environment's packages by name.
    """
    wanted = dict(pin.split("==") for pin in image.packages)
    has = ", ".join(f"{name} {packages[name]}" for name in sorted(wanted))
    differing = [] if python == image.python else [f"Python {image.python}"]
    differing += [f"{name} {wanted[name]}" for name in sorted(wanted) if packages[name] != wanted[name]]
    sentence = f"running with Python {python}, {has}"
    return f"{sentence}. The image has {', '.join(differing)}" if differing else f"{sentence}, as the image does"


def at_least(pin: str) -> str:
    """Return a requirement for a package's exact version or the next one, for uv's lowest resolution."""
    name, version = pin.split("==")
    if name == "boto3" and tuple(map(int, version.split("."))) < _FIRST_BOTO3:
        version = ".".join(map(str, _FIRST_BOTO3))
    return f"{name}>={version}"


def _make(environment: Path, image: FrameworkImage) -> None:
    with unfinished(environment) as new:
        python = _create(new, image.python)
        install = ["pip", "install", "--python", str(program(new)), "--only-binary", ":all:"]
        # With lower bounds, the lowest direct versions are the exact ones where these have wheels.
        requirements = [at_least(pin) for pin in image.packages]
        run_uv([*install, "--resolution", "lowest-direct", *requirements], environment.parent)
        run_uv([*install, *_FURTHER], environment.parent)
        for name in _SHIMS_OF[image.framework]:
            shutil.copytree(_SHIMS / name, _site_packages(new) / name, ignore=shutil.ignore_patterns("__pycache__"))
        packages = _installed(new)
        (new / _RECORD).write_text(json.dumps({"image": image.name, "python": python, "packages": packages}))


def _create(new: Path, version: str) -> str:
    """Create an environment without the image's packages, and return its version of Python.

    It has pip (``--seed``), because scripts install packages, and the service's own pip may not run with an old Python.
    """
    found = find_interpreter(version)
    try:
        run_uv(["venv", "--seed", "--python", found or version, str(new)], new.parent)
    except JobFailedError:
        version, nearest = nearest_interpreter(version)
        if nearest == found:
            raise
        shutil.rmtree(new, ignore_errors=True)
        run_uv(["venv", "--seed", "--python", nearest, str(new)], new.parent)
    return version


def _add_toolkit(environment: Path, image: FrameworkImage) -> None:
    """Add the packages that run scripts. sagemaker-training has no wheels: it takes a C compiler."""
    wheels = [part for name in _COMPILED for part in ("--only-binary", name)]
    run_uv(["pip", "install", "--python", str(program(environment)), *wheels, *image.toolkit], environment.parent)
    (environment / _TOOLKIT).touch()


def _installed(environment: Path) -> dict[str, str]:
    listed = run_uv(["pip", "list", "--format", "json", "--python", str(program(environment))], environment.parent)
    return {package["name"]: package["version"] for package in json.loads(listed)}


def _read_record(environment: Path) -> tuple[str, dict[str, str]]:
    record = json.loads((environment / _RECORD).read_text())
    return record["python"], record["packages"]


def _site_packages(environment: Path) -> Path:
    return next(environment.glob("lib/python3*/site-packages"))


def _shims_digest() -> str:
    content = [path.read_bytes() for path in sorted(_SHIMS.rglob("*.py"))]
    return hashlib.sha256(b"\0".join(content)).hexdigest()
