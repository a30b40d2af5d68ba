"""The secret access key of a service's folder.

The service runs code for its callers, so only the folder's owner may call it. The key is random, and other users of
the machine cannot enter the folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import tempfile
from pathlib import Path

from local.core.files import sync

FILE = "secret-key"
_KEY = re.compile(rb"[!-~]{8,}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private(root: Path) -> None:
    """Create a folder that only its owner can enter, or restrict an existing one.

    Raises:
        OSError: The folder cannot be created or restricted.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root.stat().st_mode & _OTHERS:
        root.chmod(0o700)


def secret_key(root: Path) -> str:
    """Return the secret access key of a service's folder. Create the folder and the key if they do not exist.

    Raises:
        OSError: The key cannot be read or created, is damaged, or other users may have read it.
    """
    file = root / FILE
    with contextlib.suppress(FileNotFoundError):
        return _read(file)
    make_private(root)
    descriptor, name = tempfile.mkstemp(prefix=f"{FILE}.", dir=root)
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(30))
            stream.flush()
            os.fsync(descriptor)
        # A link never replaces a file, unlike a rename: if two processes create a key at once, both read the first.
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(unfinished)
            sync(root)
    finally:
        unfinished.unlink()
    return _read(file)


def _read(file: Path) -> str:
    if file.stat().st_mode & _OTHERS:
        message = f"other users can read {file}; delete the file, and the next start creates a new key"
        raise PermissionError(errno.EPERM, message, str(file))
    key = file.read_bytes().strip()
    if _KEY.fullmatch(key) is None:
        raise OSError(errno.EINVAL, f"{file} is damaged; the next start of the service creates a new key")
    return key.decode()


def is_damaged(root: Path) -> bool:
    """Return whether there is a key that nobody can use: an empty file, garbage or a folder.

    A file that other users can read is refused, not replaced: its owner should know.
    """
    file = root / FILE
    if file.is_file():
        return not file.stat().st_mode & _OTHERS and _KEY.fullmatch(file.read_bytes().strip()) is None
    return file.exists()
