"""One process at a time sets up a folder, and what it has started counts."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

from scripts.setup.lock import exclusive


def is_free(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def test_the_lock_is_held_inside(tmp_path) -> None:
    with exclusive(tmp_path):
        assert not is_free(tmp_path)
    assert is_free(tmp_path)


def test_a_program_that_outlives_the_set_up_holds_the_lock(tmp_path) -> None:
    """After a kill of the set-up alone, uv still writes into the environment."""
    with exclusive(tmp_path) as lock:
        program = subprocess.Popen(["sleep", "60"], pass_fds=[lock])
    assert not is_free(tmp_path)
    program.kill()
    program.wait()
    assert is_free(tmp_path)
