"""The folder's secret: whoever can read it may drive the service, and nobody else.

The service runs code for whoever may call it. So its secret key is random, and the folder that holds it, with all
that jobs read and write, is closed to other users of the machine.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import tempfile
from pathlib import Path

FILE = "secret-key"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private(root: Path) -> None:
    """Make a folder that only its owner can enter, or close one that is there to everybody else.

    Raises:
        OSError: the folder can be neither made nor closed.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root.stat().st_mode & _OTHERS:
        root.chmod(0o700)


def secret_key(root: Path) -> str:
    """Return the secret access key of a service's folder; make it, and the folder, if there is none yet.

    Raises:
        OSError: the key can be neither read nor made, or other users may have read it.
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
        # Unlike a rename, a link replaces nothing: of two processes that make a key at once, both read the first.
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(unfinished)
    finally:
        unfinished.unlink()
    return _read(file)


def _read(file: Path) -> str:
    if file.stat().st_mode & _OTHERS:
        message = f"other users may read {file}; delete the file, and the next start makes a new key"
        raise PermissionError(errno.EPERM, message, str(file))
    return file.read_text()
