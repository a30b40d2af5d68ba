"""make lint-definition FILE=definition.json: check any pipeline definition, without the SDK and without AWS."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from definition_language.lint import Report, check


def main(arguments: list[str]) -> int:
    """Print the faults and remarks of the definition in a file; ``-`` means standard input.

    Returns:
        The exit status: 0 without faults, 1 with faults, 2 if the file is not JSON.
    """
    if len(arguments) != 1 or not arguments[0]:
        print("Name a definition: make lint-definition FILE=definition.json", file=sys.stderr)
        return 2
    (name,) = arguments
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
        report = check(json.loads(text))
    except (OSError, ValueError, RecursionError) as error:
        print(f"{name}: cannot be read as JSON: {error}", file=sys.stderr)
        return 2
    print("\n".join(_lines(name, report)))
    return 1 if report.faults else 0


def _lines(name: str, report: Report) -> list[str]:
    count = len(report.faults)
    summary = f"{name}: {count} fault{'' if count == 1 else 's'}" if count else f"{name}: no fault"
    return [*report.faults, *(f"remark: {remark}" for remark in report.remarks), summary]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
