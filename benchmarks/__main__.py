"""Runs every benchmark with its default size."""

from __future__ import annotations

import subprocess
import sys

_BENCHMARKS = ("benchmarks.linear_learner", "benchmarks.endpoint", "benchmarks.folds")


def main() -> int:
    """Run each benchmark in its own process, so that none affects another; return 1 if one failed."""
    failed = [name for name in _BENCHMARKS if subprocess.run([sys.executable, "-m", name], check=False).returncode]
    for name in failed:
        print(f"{name} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
