"""Set up ``.venv``: ``python -m scripts.setup``, which start.sh runs with a Python that is supported.

Each step can be killed and repeated. Processes that set up the same folder wait for each other.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from pathlib import Path

from scripts.setup.environment import ENVIRONMENT, PYTHON, compile_modules, discard_unfinished, install
from scripts.setup.lock import exclusive
from scripts.setup.machine import BOTH_MB, DOWNLOAD_MB, check_disk, check_platform, this_machine
from scripts.setup.messages import SetupError, say, signs_of_life
from scripts.setup.uv import cache_folder, find_uv

READY = ENVIRONMENT / ".ready"
# Their changes make READY out of date, in the Makefile too.
INPUTS = (Path("pyproject.toml"), Path("uv.lock"))


def main() -> int:
    """Set up the environment unless it is up to date, and return the exit status."""
    try:
        check_platform(this_machine())
        with exclusive(Path.cwd()) as lock:
            # Another process may have done the work while this one waited.
            if not _is_up_to_date():
                _set_up(lock)
    except SetupError as error:
        say(f"The set-up stopped. {error}")
        return 1
    except OSError as error:
        say(f"The set-up stopped. {error.strerror}: {error.filename}. Repair this, then repeat the command.")
        return 1
    except KeyboardInterrupt:
        say("The set-up was interrupted. Repeat the command: it goes on.")
        return 130
    return 0


def _is_up_to_date() -> bool:
    # exists() is false for a link to a Python that was removed.
    installed = READY.exists() and PYTHON.exists()
    return installed and all(READY.stat().st_mtime >= file.stat().st_mtime for file in INPUTS)


def _set_up(lock: int) -> None:
    started = time.monotonic()
    discard_unfinished()
    if ENVIRONMENT.exists():
        say("Updating the packages in .venv")
    else:
        check_disk(ENVIRONMENT, cache_folder())
        say(
            f"Setting up .venv with Python {platform.python_version()} ({sys.executable}), once for this folder: "
            f"{DOWNLOAD_MB} MB to fetch unless uv's cache has them, {BOTH_MB / 1000:.1f} GB on the disk. "
            "If it stops, repeat the command: it goes on."
        )
    uv = find_uv(lock)
    install(uv, lock)
    compile_modules()
    say("Preparing Java's classes, so that Spark starts faster (half a minute, longer on a busy machine)")
    with signs_of_life():
        subprocess.run([PYTHON, "-m", "local.runtime.jobs.spark_archive"], check=False, stdout=sys.stderr)
    READY.touch()
    say(f"The set-up took {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    sys.exit(main())
