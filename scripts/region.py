"""Prints the region of the configuration, for commands that do not read the configuration."""

from __future__ import annotations

from scripts.console import load, run


def main() -> int:
    """Print the region."""
    print(load().aws.region)
    return 0


if __name__ == "__main__":
    run(main)
