"""Run a program in a root folder of its own, in which ``/opt/ml`` is the job's folder.

    python -I -S container_root.py LAYOUT PROGRAM [ARGUMENT ...]

``LAYOUT`` is a ``Layout`` as JSON. The program gets what a container gives it: ``/opt/ml`` at its literal path, the
working directory ``/``, the host name ``algo-1``, and a root folder that keeps nothing that is written to it. All
else is the machine's own: other folders of the machine are visible, except for the service's own.

It uses Linux namespaces and needs no privileges: https://man7.org/linux/man-pages/man7/user_namespaces.7.html. Some
distributions restrict them; ``local.runtime.jobs.isolation`` finds out. It is not a wall against hostile programs:
these run as the service's user, as all jobs do. This file imports only the standard library, so it starts quickly.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
from pathlib import Path
from typing import TypedDict

_NEW_USER, _NEW_MOUNTS, _NEW_HOST_NAME = 0x10000000, 0x00020000, 0x04000000
"""Flags of unshare(2): CLONE_NEWUSER, CLONE_NEWNS and CLONE_NEWUTS."""
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
"""Flags of mount(2): MS_BIND, MS_REC and MS_PRIVATE."""
_HOSTS = Path("/etc/hosts")
_CONTAINER_FOLDER = "opt/ml"


class Layout(TypedDict):
    """What the program's root folder is made of. All paths are absolute.

    Attributes:
        mount_point: An empty folder. Programs can share it, because each mounts in a namespace of its own.
        job: The folder that becomes ``/opt/ml``.
        hidden: The folder that appears empty.
        visible: Folders within ``hidden`` that appear all the same, with their content.
        folders: Further folders by their place in the new root. Only ``/opt`` and new places are possible.
        host: The host name. It resolves to 127.0.0.1.
    """

    mount_point: str
    job: str
    hidden: str
    visible: list[str]
    folders: dict[str, str]
    host: str


def main(layout: Layout, command: list[str]) -> None:
    """Enter new namespaces, build the root folder, and become the program."""
    _enter_namespaces()
    root = Path(layout["mount_point"])
    _mount("none", "/", None, _RECURSIVE | _PRIVATE)
    _mount("tmpfs", str(root), "tmpfs")
    _bind_machine(root)
    _hide(root, layout["hidden"], layout["visible"])
    _bind(layout["job"], root / _CONTAINER_FOLDER)
    for place, folder in layout["folders"].items():
        _bind(folder, root / place.lstrip("/"))
    _set_host_name(root, layout["host"])
    os.chroot(root)
    os.chdir("/")
    os.execvpe(command[0], command, os.environ)  # noqa: S606 - the command is a list


def _enter_namespaces() -> None:
    """Become the root user of a new user namespace, which may mount. Files still belong to the service's user."""
    user, group = os.getuid(), os.getgid()
    _check(_libc.unshare(_NEW_USER | _NEW_MOUNTS | _NEW_HOST_NAME), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def _bind_machine(root: Path) -> None:
    """Show the machine's folders in the new root. ``/opt`` is shown folder by folder, without ``/opt/ml``."""
    for entry in os.scandir("/"):
        if entry.is_symlink():
            (root / entry.name).symlink_to(Path(entry.path).readlink())
        elif entry.is_dir() and entry.path != "/opt":
            _bind(entry.path, root / entry.name)
    for entry in os.scandir("/opt") if Path("/opt").is_dir() else ():
        if entry.is_dir() and entry.path != "/opt/ml":
            _bind(entry.path, root / "opt" / entry.name)


def _hide(root: Path, hidden: str, visible: list[str]) -> None:
    place = root / hidden.lstrip("/")
    _mount("tmpfs", str(place), "tmpfs")
    for folder in visible:
        _bind(folder, root / folder.lstrip("/"))


def _set_host_name(root: Path, host: str) -> None:
    socket.sethostname(host)
    if _HOSTS.is_file():
        hosts = root / ".hosts"
        hosts.write_text(f"127.0.0.1 {host}\n{_HOSTS.read_text(errors='replace')}")
        _mount(str(hosts), f"{root}{_HOSTS}", None, _BIND)


def _bind(source: str, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    _mount(source, str(target), None, _BIND | _RECURSIVE)


_libc = ctypes.CDLL(None, use_errno=True)


def _mount(source: str, target: str, kind: str | None, flags: int = 0) -> None:
    status = _libc.mount(os.fsencode(source), os.fsencode(target), kind and kind.encode(), ctypes.c_ulong(flags), None)
    _check(status, f"mount {target}")


def _check(status: int, action: str) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{action}: {os.strerror(number)}")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
