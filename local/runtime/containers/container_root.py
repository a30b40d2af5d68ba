"""Run a program in a root folder of its own, in which ``/opt/ml`` is the job's folder.

    python -I -S container_root.py MOUNT_POINT JOB HIDDEN HOST NETWORK
        N [VISIBLE ...] M [PLACE FOLDER ...] K [READ_ONLY ...] PROGRAM [ARGUMENT]

``arguments_of`` says what these are. The program gets what a container gives it: ``/opt/ml`` at its literal path, the
working directory ``/``, the host name ``algo-1``, and a root folder that keeps nothing that is written to it. All
else is the machine's own: other folders of the machine are visible, except for the service's own.

It uses Linux namespaces and needs no privileges: https://man7.org/linux/man-pages/man7/user_namespaces.7.html. Some
distributions restrict them; ``local.runtime.containers.isolation`` finds out. It is not a wall against hostile
programs: these run as the service's user, as all jobs do.
"""

# Each job waits for this file to start, so it imports almost nothing: json, pathlib and typing take longer than its
# work.

from __future__ import annotations

import ctypes
import os
import sys

_NEW_USER, _NEW_MOUNTS, _NEW_HOST_NAME, _NEW_NETWORK = 0x10000000, 0x00020000, 0x04000000, 0x40000000
"""Flags of unshare(2): CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWUTS and CLONE_NEWNET."""
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18
"""Flags of mount(2): MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC and MS_PRIVATE."""
_LOCKED = {2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}
"""Flags that a remount must keep, by their value in statvfs(3): nosuid, nodev, noexec, and those about access times."""
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_HOSTS = "/etc/hosts"
_CONTAINER_FOLDER = "/opt/ml"
_SET_INTERFACE_FLAGS, _INTERFACE_UP = 0x8914, 1
"""SIOCSIFFLAGS and IFF_UP of netdevice(7)."""
_libc = ctypes.CDLL(None, use_errno=True)


def arguments_of(  # noqa: PLR0913 - what a root folder is made of
    *,
    mount_point: str,
    job: str,
    hidden: str,
    host: str,
    network: bool,
    visible: list[str],
    folders: dict[str, str],
    read_only: list[str],
) -> list[str]:
    """Return the arguments before the program. All paths are absolute.

    Args:
        mount_point: An empty folder. Programs can share it, because each mounts in a namespace of its own.
        job: The folder that becomes ``/opt/ml``.
        hidden: The folder that appears empty.
        host: The host name. It resolves to 127.0.0.1.
        network: Whether the program has this machine's network. Otherwise, it reaches itself only.
        visible: Folders within ``hidden`` that appear all the same, with their content.
        folders: Further folders by their place in the new root. Only ``/opt`` and new places are possible.
        read_only: Places in the new root that nobody can write, not even their owner.
    """
    pairs = [part for pair in folders.items() for part in pair]
    lists = (visible, pairs, read_only)
    counted = (part for each in lists for part in (str(len(each)), *each))
    return [mount_point, job, hidden, host, "network" if network else "", *counted]


def main(arguments: list[str]) -> None:
    """Enter new namespaces, build the root folder, and become the program."""
    root, job, hidden, host, network, *rest = arguments
    visible, rest = _taken(rest)
    folders, rest = _taken(rest)
    read_only, command = _taken(rest)
    _enter_namespaces(own_network=not network)
    _mount("none", "/", None, _RECURSIVE | _PRIVATE)
    _mount("tmpfs", root, "tmpfs")
    _bind_machine(root)
    _mount("tmpfs", root + hidden, "tmpfs")
    for folder in visible:
        _bind(folder, root + folder)
    _bind(job, root + _CONTAINER_FOLDER)
    for place, folder in zip(folders[::2], folders[1::2], strict=True):
        _bind(folder, root + place)
    for place in read_only:
        _protect(root + place)
    _set_host_name(root, host)
    os.chroot(root)
    os.chdir("/")
    try:
        os.execvpe(command[0], command, os.environ)  # noqa: S606 - the command is a list
    except OSError as error:
        # Exit codes and words of Docker.
        is_missing = isinstance(error, FileNotFoundError)
        why = "executable file not found in $PATH" if is_missing and "/" not in command[0] else error.strerror
        print(f'exec: "{command[0]}": {why}', file=sys.stderr)
        sys.exit(_NOT_FOUND if is_missing else _NOT_EXECUTABLE)


def _taken(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return as many arguments as the first one says, and the rest."""
    end = int(arguments[0]) + 1
    return arguments[1:end], arguments[end:]


def _enter_namespaces(*, own_network: bool) -> None:
    """Become the root user of a new user namespace, which may mount. Files still belong to the service's user."""
    user, group = os.getuid(), os.getgid()
    flags = _NEW_USER | _NEW_MOUNTS | _NEW_HOST_NAME | (_NEW_NETWORK if own_network else 0)
    _check(_libc.unshare(flags), "unshare")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"0 {user} 1")
    _write("/proc/self/gid_map", f"0 {group} 1")
    if own_network:
        _start_loopback()


def _start_loopback() -> None:
    """Start the interface of 127.0.0.1, the only one that a new network has."""
    import fcntl  # noqa: PLC0415 - few jobs have a network of their own
    import socket  # noqa: PLC0415
    import struct  # noqa: PLC0415

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        fcntl.ioctl(opened, _SET_INTERFACE_FLAGS, struct.pack("16sh14x", b"lo", _INTERFACE_UP))


def _bind_machine(root: str) -> None:
    """Show the machine's folders in the new root. ``/opt`` is shown folder by folder, without ``/opt/ml``."""
    for entry in os.scandir("/"):
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), root + entry.path)
        elif entry.is_dir() and entry.path != "/opt":
            _bind(entry.path, root + entry.path)
    for entry in os.scandir("/opt") if os.path.isdir("/opt") else ():
        if entry.is_dir() and entry.path != _CONTAINER_FOLDER:
            _bind(entry.path, root + entry.path)


def _set_host_name(root: str, host: str) -> None:
    name = host.encode()
    _check(_libc.sethostname(name, len(name)), "sethostname")
    if os.path.isfile(_HOSTS):
        with open(_HOSTS, errors="replace") as file:
            _write(f"{root}/.hosts", f"127.0.0.1 {host}\n{file.read()}")
        _mount(f"{root}/.hosts", root + _HOSTS, None, _BIND)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _bind(source: str, target: str) -> None:
    os.makedirs(target, exist_ok=True)
    _mount(source, target, None, _BIND | _RECURSIVE)


def _mount(source: str, target: str, kind: str | None, flags: int = 0) -> None:
    status = _libc.mount(os.fsencode(source), os.fsencode(target), kind and kind.encode(), ctypes.c_ulong(flags), None)
    _check(status, f"mount {target}")


def _protect(folder: str) -> None:
    """Make a folder read-only in this namespace."""
    _bind(folder, folder)
    flags = os.statvfs(folder).f_flag
    kept = sum(flag for found, flag in _LOCKED.items() if flags & found)
    _mount("none", folder, None, _REMOUNT | _BIND | _READ_ONLY | kept)


def _check(status: int, action: str) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{action}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])
