"""make lint-definition FILE=definition.json: check any pipeline definition, without the SDK and without AWS."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from definition_language.lint import Report, check
from definition_language.streams import shown
from definition_language.text import number_of
from scripts.command_line import call, command


@command("lint-definition")
@click.argument(
    "name",
    envvar="FILE",
    type=click.Path(allow_dash=True, path_type=str),
    metavar="definition.json",
    help="The definition; - means the standard input.  [env var: FILE]",
)
def main(name: str) -> int:
    """Check any pipeline definition, and print its faults and remarks.

    The exit status is 1 if there is a fault, and 2 if the file is not JSON.
    """
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
        report = check(json.loads(text))
    except OSError as error:
        print(shown(f"{name}: cannot be read: {error.strerror}", sys.stderr), file=sys.stderr)
        return 2
    except (ValueError, RecursionError) as error:
        print(shown(f"{name}: cannot be read as JSON: {error}", sys.stderr), file=sys.stderr)
        return 2
    print("\n".join(shown(line, sys.stdout) for line in _lines(name, report)))
    return 1 if report.faults else 0


def _lines(name: str, report: Report) -> list[str]:
    count = len(report.faults)
    summary = f"{name}: {number_of(count, 'fault') if count else 'no fault'}"
    return [*report.faults, *(f"remark: {remark}" for remark in report.remarks), summary]


if __name__ == "__main__":
    sys.exit(call(main))
