"""Every benchmark, one after the other, with its default size."""

from __future__ import annotations

import subprocess
import sys

_BENCHMARKS = ("benchmarks.linear_learner", "benchmarks.endpoint", "benchmarks.folds")


def main() -> int:
    """Run each in a process of its own, so that none measures what another left; 1 when one failed."""
    failed = [name for name in _BENCHMARKS if subprocess.run([sys.executable, "-m", name], check=False).returncode]
    for name in failed:
        print(f"{name} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
